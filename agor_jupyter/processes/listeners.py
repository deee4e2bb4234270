"""Who listens on which TCP port of this machine, as the kernel says it.

`asked` takes a tenth of a millisecond. All else reads `/proc` or tries ports, and blocks for a moment: call it in a thread.
"""

import contextlib
import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_LISTENS = "0A"
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_ANY = {"00000000": "127.0.0.1", "0" * 32: "127.0.0.1", "0100007F": "127.0.0.1", "00000000000000000000000001000000": "::1"}

_REACHED = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1", "127.0.0.1": "127.0.0.1", "::1": "::1"}  # noqa: S104


class Listener(NamedTuple):
    port: int
    inode: int
    """Of its socket."""
    address: str
    """Where this machine reaches it: `127.0.0.1` or `::1`, or an empty text when it listens on another interface alone."""


_SOCK_DIAG = 4
_BY_FAMILY, _DUMP, _ERROR, _DONE = 20, 0x301, 2, 3
_STATE_LISTENS = 1 << 10
_HEAD, _QUESTION = struct.Struct("=IHHII"), struct.Struct("=BBBBI48x")
_PLACE, _INODE = struct.Struct("!4xH2x16s"), struct.Struct("=68xI")
"""The kernel's `nlmsghdr` and `inet_diag_req_v2`; and of `inet_diag_msg` the port and the address, and the inode."""
_PIECE = 64 << 10
_ASKED_S = 1.0


def asked() -> dict[int, list[Listener]]:
    """As `listeners`, from the kernel's table of listeners alone, which is short: `/proc` is written from all connections.

    Raises `OSError` where the kernel does not answer that.
    """
    found: dict[int, list[Listener]] = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _SOCK_DIAG) as kernel:
        kernel.settimeout(_ASKED_S)
        for family in (socket.AF_INET, socket.AF_INET6):
            kernel.send(
                _HEAD.pack(_HEAD.size + _QUESTION.size, _BY_FAMILY, _DUMP, family, 0)
                + _QUESTION.pack(family, socket.IPPROTO_TCP, 0, 0, _STATE_LISTENS)
            )
            for body in _answers(kernel):
                (port, address), (inode,) = _PLACE.unpack_from(body), _INODE.unpack_from(body)
                text = socket.inet_ntop(family, address[:4] if family == socket.AF_INET else address)
                found.setdefault(port, []).append(Listener(port, inode, _REACHED.get(text, "")))
    return found


def _answers(kernel: socket.socket) -> Iterator[bytes]:
    while True:
        piece, place = kernel.recv(_PIECE), 0
        while place < len(piece):
            length, kind, *_ = _HEAD.unpack_from(piece, place)
            body = piece[place + _HEAD.size : place + length]
            if kind == _DONE:
                return
            if kind == _ERROR:
                raise OSError(-struct.unpack_from("=i", body)[0], "the kernel does not tell who listens")
            yield body
            place += length + 3 & ~3


def listeners() -> dict[int, list[Listener]]:
    """By port. One that listens on both kinds of addresses may be there twice."""
    found: dict[int, list[Listener]] = {}
    for path in _TABLES:
        try:
            with open(path, encoding="ascii") as file:  # noqa: PTH123  # hot
                lines = file.readlines()[1:]
        except OSError:  # a kernel without IPv6
            continue
        for line in lines:
            fields = line.split(None, 10)
            if fields[3] == _LISTENS:
                address, _, port = fields[1].rpartition(":")
                listener = Listener(int(port, 16), int(fields[9]), _ANY.get(address, ""))
                found.setdefault(listener.port, []).append(listener)
    return found


def connected() -> set[int]:
    """The ports to which somebody on this machine has a connection, or had one within the last minute."""
    found = set()
    for path in _TABLES:
        with contextlib.suppress(OSError), open(path, encoding="ascii") as file:  # noqa: PTH123  # hot
            for line in file.readlines()[1:]:
                fields = line.split(None, 4)
                if fields[3] != _LISTENS:
                    found |= {int(fields[1].rpartition(":")[2], 16), int(fields[2].rpartition(":")[2], 16)}
    return found


def sockets_of(pids: Iterable[int]) -> set[int]:
    """The inodes of all sockets that these processes have open."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            for descriptor in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208  # hot
                with contextlib.suppress(OSError, ValueError):
                    target = os.readlink(f"/proc/{pid}/fd/{descriptor}")  # noqa: PTH115  # hot
                    if target.startswith("socket:["):
                        found.add(int(target[8:-1]))
    return found


def is_free(port: int, *, is_new: bool = False) -> bool:
    """Whether a program could listen on it now, on both loopback addresses: tried, not looked up.

    `is_new`: also one that does not set SO_REUSEADDR, for which the connections of an earlier one last for a minute.
    """
    return all(
        _can_listen(family, address, port, is_new=is_new) for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
    )


_NO_SUCH_ADDRESS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


def _can_listen(family: int, address: str, port: int, *, is_new: bool) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(not is_new))
            tried.bind((address, port))
            tried.listen(1)
    except OSError as error:
        return family == socket.AF_INET6 and error.errno in _NO_SUCH_ADDRESS
    return True
