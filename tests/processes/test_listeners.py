"""Who listens: what the kernel answers is what `/proc` says."""

import contextlib
import os
import socket

from agor_jupyter.processes import listeners


def test_the_kernel_says_of_listeners_what_its_files_say():
    with contextlib.ExitStack() as stack:
        places = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::1"), (socket.AF_INET6, "::"))
        made = [stack.enter_context(socket.create_server((address, 0), family=family)) for family, address in places]
        client = stack.enter_context(socket.create_connection(made[0].getsockname()[:2]))

        told, read = listeners.asked(), listeners.listeners()

        for server, address in zip(made, ("127.0.0.1", "127.0.0.1", "::1", "127.0.0.1"), strict=True):
            port = server.getsockname()[1]
            assert told[port] == read[port]
            assert {(one.address, one.inode) for one in told[port]} == {(address, os.fstat(server.fileno()).st_ino)}
        assert client.getsockname()[1] not in told
