"""The key: made once, kept to one user, never replaced by plain text."""

import os
import threading

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from agor_jupyter.domain.errors import SecretsLocked
from agor_jupyter.services.agents.secrets import Secrets


class Memory(KeyringBackend):
    """A keyring as the operating system has one; it can be locked."""

    priority = 5

    def __init__(self):
        super().__init__()
        self.kept, self.is_locked = {}, False

    def get_password(self, service, username):
        if self.is_locked:
            raise keyring.errors.KeyringLocked("locked")
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        if self.is_locked:
            raise keyring.errors.KeyringLocked("locked")
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


class Plain(Memory):
    priority = 0.5


@pytest.fixture
def use():
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())
    yield keyring.set_keyring
    keyring.set_keyring(before)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "config" / "agor" / "key"


@pytest.fixture
def secrets(use, file, tmp_path):
    return Secrets(file, tmp_path / "data")


def test_what_is_encrypted_can_be_read_by_the_next_server(secrets, file, tmp_path):
    sealed = secrets.encrypt("ann", "API_KEY", "välue-0123")

    assert "0123" not in sealed
    assert Secrets(file, tmp_path / "data").decrypt("ann", "API_KEY", sealed) == "välue-0123"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["key"]


@pytest.mark.parametrize(("username", "name"), [("bob", "API_KEY"), ("ann", "OTHER_KEY")])
def test_what_was_encrypted_for_one_is_not_read_for_another(secrets, username, name):
    sealed = secrets.encrypt("ann", "API_KEY", "value-0123")

    with pytest.raises(SecretsLocked, match="someone or something else"):
        secrets.decrypt(username, name, sealed)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_have_read_is_refused(secrets, file, mode):
    sealed = secrets.encrypt("ann", "API_KEY", "value-0123")
    file.chmod(mode)

    for use in (lambda: secrets.decrypt("ann", "API_KEY", sealed), lambda: secrets.encrypt("ann", "API_KEY", "value-0123")):
        with pytest.raises(SecretsLocked, match="others may read"):
            use()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_key_of_another_user_is_refused(secrets, file):
    secrets.encrypt("ann", "API_KEY", "value-0123")
    os.chown(file, 12345, -1)

    with pytest.raises(SecretsLocked, match="another user"):
        secrets.encrypt("ann", "API_KEY", "value-0123")


def test_a_link_a_folder_and_an_empty_file_are_no_key(secrets, file, tmp_path):
    secrets.encrypt("ann", "API_KEY", "value-0123")
    key = file.rename(tmp_path / "elsewhere")
    file.symlink_to(key)
    with pytest.raises(SecretsLocked, match="cannot be opened"):
        secrets.encrypt("ann", "API_KEY", "value-0123")
    file.unlink()
    file.mkdir()
    with pytest.raises(SecretsLocked, match="is no file"):
        secrets.encrypt("ann", "API_KEY", "value-0123")
    file.rmdir()
    file.touch(mode=0o600)
    file.write_text("nonsense")
    with pytest.raises(SecretsLocked, match="is none"):
        secrets.encrypt("ann", "API_KEY", "value-0123")


def test_without_the_key_nothing_is_read_and_another_key_reads_nothing(secrets, file):
    sealed = secrets.encrypt("ann", "API_KEY", "value-0123")
    file.unlink()

    with pytest.raises(SecretsLocked, match="missing"):
        secrets.decrypt("ann", "API_KEY", sealed)
    secrets.encrypt("ann", "OTHER", "value-0123")
    with pytest.raises(SecretsLocked, match="another key"):
        secrets.decrypt("ann", "API_KEY", sealed)


def test_a_new_first_line_is_the_key_from_then_on_and_the_old_one_still_reads(secrets, file):
    from cryptography.fernet import Fernet

    old = secrets.encrypt("ann", "API_KEY", "value-0123")
    file.write_text(f"{Fernet.generate_key().decode()}\n{file.read_text()}")
    new = secrets.encrypt("ann", "API_KEY", "value-4567")
    both = [secrets.decrypt("ann", "API_KEY", sealed) for sealed in (old, new)]
    file.write_text(file.read_text().split()[0])

    assert both == ["value-0123", "value-4567"]
    assert secrets.decrypt("ann", "API_KEY", new) == "value-4567"
    with pytest.raises(SecretsLocked):
        secrets.decrypt("ann", "API_KEY", old)


def test_the_key_never_lies_beside_the_data(use, tmp_path):
    for secrets in (Secrets(tmp_path / "data" / "key", tmp_path / "data"), Secrets(None, tmp_path / "data")):
        with pytest.raises(SecretsLocked):
            secrets.encrypt("ann", "API_KEY", "value-0123")
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_written_is_said(use, tmp_path):
    (tmp_path / "config").write_text("a file")

    with pytest.raises(SecretsLocked, match="Not a directory"):
        Secrets(tmp_path / "config" / "key", tmp_path / "data").encrypt("ann", "API_KEY", "value-0123")


def test_servers_that_start_at_the_same_time_agree_on_one_key(use, file, tmp_path):
    sealed, gate = [], threading.Barrier(8)

    def work():
        gate.wait()
        sealed.append(Secrets(file, tmp_path / "data").encrypt("ann", "API_KEY", "value-0123"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {Secrets(file, tmp_path / "data").decrypt("ann", "API_KEY", one) for one in sealed} == {"value-0123"}
    assert len(sealed) == 8
    assert len(file.read_text().split()) == 1


def test_a_keyring_has_the_key_where_there_is_one_and_a_file_that_was_there_before_still_reads(secrets, use, file):
    old = secrets.encrypt("ann", "API_KEY", "value-0123")
    use(memory := Memory())
    assert secrets.decrypt("ann", "API_KEY", old) == "value-0123"
    file.unlink()

    new = secrets.encrypt("ann", "API_KEY", "value-4567")

    assert not file.exists()
    assert len(memory.kept) == 1
    assert secrets.decrypt("ann", "API_KEY", new) == "value-4567"


def test_a_locked_keyring_is_not_replaced_by_a_file(secrets, use, file):
    use(memory := Memory())
    memory.is_locked = True

    with pytest.raises(SecretsLocked, match="unlock"):
        secrets.encrypt("ann", "API_KEY", "value-0123")
    assert not file.exists()


def test_a_keyring_that_keeps_plain_text_is_none(secrets, use, file):
    use(plain := Plain())

    secrets.encrypt("ann", "API_KEY", "value-0123")

    assert plain.kept == {}
    assert file.exists()
