"""Encrypts what people entrust to the server, with a key that does not lie beside it.

The key is in the keyring of the operating system, where there is one, else in a file that only the server's user can read. Either is
used when it is there; a new key is made when something has to be encrypted and there is none. Nothing is ever kept as plain text.
All methods block; call them in a thread.
"""

import contextlib
import fcntl
import json
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agor_jupyter.domain.errors import SecretsLocked

log = logging.getLogger(__name__)

_SERVICE, _ENTRY = "agor-jupyter", "key of the variables"
_MAX_FILE = 64 << 10


class Secrets:
    """`key_file` must not lie in `data_dir`: a copy of the data would bring its key along. `None`: nothing can be encrypted here."""

    def __init__(self, key_file: Path | None, data_dir: Path) -> None:
        self._file, self._data_dir = key_file, data_dir

    def encrypt(self, username: str, name: str, value: str) -> str:
        """With the newest key. `username` and `name` are part of what is encrypted.

        Errors:
            SecretsLocked: the key cannot be had.
        """
        sealed = self._cipher(makes=True).encrypt(json.dumps([username, name, value]).encode())
        return str(sealed.decode())

    def decrypt(self, username: str, name: str, sealed: str) -> str:
        """Errors:
        SecretsLocked: the key is gone or another one, or this was made for another person or name.
        """
        from cryptography.fernet import InvalidToken  # OpenSSL takes a while to load, and few need it

        try:
            found = json.loads(self._cipher(makes=False).decrypt(sealed.encode()))
        except InvalidToken:
            raise SecretsLocked("they were encrypted with another key, or were changed") from None
        if found[:2] != [username, name]:
            raise SecretsLocked(f"what is stored as {name!r} belongs to someone or something else")
        return str(found[2])

    def _cipher(self, *, makes: bool) -> Any:
        """A `MultiFernet` of all keys there are. `Any`: importing its type here would load it."""
        from cryptography.fernet import Fernet, MultiFernet

        if self._file is None:
            raise SecretsLocked("no place for the key is configured")
        if self._file.absolute().is_relative_to(self._data_dir.absolute()):
            raise SecretsLocked(f"the key would lie beside what it protects, in {str(self._file)!r}; set another AgorApp.key_file")
        keys = self._keys(self._file)
        if not keys and makes:
            keys = self._make(self._file)
        if not keys:
            raise SecretsLocked(f"the key is missing: it was in the keyring, or in {str(self._file)!r}")
        try:
            return MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise SecretsLocked(f"the key in the keyring or in {str(self._file)!r} is none") from None

    def _keys(self, file: Path) -> list[str]:
        return [*_read(file), *_from_keyring()]

    def _make(self, file: Path) -> list[str]:
        """Two servers that need the first key at the same time get the same."""
        from cryptography.fernet import Fernet

        with _locked(file.parent):
            if found := self._keys(file):
                return found
            key = Fernet.generate_key().decode()
            if not _into_keyring(key):
                _write(file, key)
            return self._keys(file)


def _read(file: Path) -> list[str]:
    """The keys in the file, the newest first; none when there is no file. Refuses a file that others may have read or written."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SecretsLocked(f"the key file {str(file)!r} cannot be opened ({error.strerror})") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise SecretsLocked(f"{str(file)!r} is no file")
        if found.st_uid != os.geteuid():
            raise SecretsLocked(f"the key file {str(file)!r} belongs to another user")
        if found.st_mode & 0o077:
            raise SecretsLocked(f"others may read or write the key file {str(file)!r}; run `chmod 600` on it if you still trust it")
        return os.read(descriptor, _MAX_FILE).decode("ascii", "replace").split()
    finally:
        os.close(descriptor)


def _write(file: Path, key: str) -> None:
    """Whole or not at all, and on the disk: without the key what it encrypts is lost."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            os.fchmod(descriptor, 0o600)
            opened.write(key + "\n")
            opened.flush()
            os.fsync(descriptor)
        partial.rename(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise SecretsLocked(f"the key file {str(file)!r} cannot be written ({error.strerror})") from error


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder of the key, made if it is not there; what was done in it is on the disk afterwards."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SecretsLocked(f"the folder {str(folder)!r} of the key cannot be used ({error.strerror})") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _keyring() -> Any:
    """The module `keyring`, if it is installed and has a place that encrypts. `Any`: it is an optional dependency."""
    try:
        import keyring
    except ImportError:
        return None
    try:
        is_real = keyring.get_keyring().priority >= 1  # less: none at all, or plain text
    except Exception:  # a backend that fails to start is none
        log.warning("The keyring of this machine cannot be used", exc_info=True)
        return None
    return keyring if is_real else None


def _from_keyring() -> list[str]:
    if (keyring := _keyring()) is None:
        return []
    try:
        return (keyring.get_password(_SERVICE, _ENTRY) or "").split()
    except Exception as error:
        raise SecretsLocked(f"the keyring does not release the key ({type(error).__name__}); unlock it") from error


def _into_keyring(key: str) -> bool:
    """Whether the key is kept there."""
    if (keyring := _keyring()) is None:
        return False
    try:
        keyring.set_password(_SERVICE, _ENTRY, key)
        return bool(keyring.get_password(_SERVICE, _ENTRY) == key)
    except Exception as error:
        raise SecretsLocked(f"the keyring does not accept the key ({type(error).__name__}); unlock it") from error
