"""What is sent over the network, and what is not: only to services, only where the person may, never on by a redirect, never for long."""

import json
import re
import socketserver
import threading

import pytest

from agor_jupyter.domain.errors import BadAddress
from agor_jupyter.executors import notify_worker
from agor_jupyter.executors.notifier import Notifier
from tests.receiver import Receiver

CANARY = "canary0123456789abcdef"


@pytest.fixture
def notifier():
    return Notifier(60)


@pytest.fixture
def place():
    with Receiver() as found:
        yield found


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (f"syslog://{CANARY}", "syslog:// is not taken"),
        (f"dbus://{CANARY}", "dbus:// is not taken"),
        (f"file:///{CANARY}", "file:// is not taken"),
        (CANARY, "it needs a scheme"),
        (f"https://example.org/{CANARY}", "use jsons://"),
        (f"slack://T1JJ3T3L2/A1BRTD4JD/{CANARY}abc/#x?Template=/etc/passwd", "argument template would read a file"),
        (f"slack://T1JJ3T3L2/A1BRTD4JD/{CANARY}abc?%74emplate=/etc/passwd", "argument template would read a file"),
        ("mailtos://a:b@example.org?pgpkey=/etc/passwd", "argument pgpkey would read a file"),
        ("json://127.0.0.1:1/", "own network"),
        ("json://[::1]:1/", "own network"),
        ("mailto://a:b@example.org?smtp=127.0.0.1", "own network"),
    ],
)
async def test_an_address_that_is_not_taken_is_refused_without_a_word_of_it(notifier, address, why):
    with pytest.raises(BadAddress, match=re.escape(why)) as refused:
        await notifier.check(address, inside=False)

    assert CANARY not in str(refused.value)


async def test_a_number_that_is_an_address_inside_is_seen_when_it_is_connected_to(notifier, place):
    hidden = f"json://2130706433:{place.port}/"  # 127.0.0.1

    assert await notifier.check(hidden, inside=False) == "JSON"
    assert "own network" in (await notifier.send(hidden, "t", "b", inside=False) or "")
    assert place.came == []
    assert await notifier.send(hidden, "t", "b", inside=True) is None
    assert [one["message"] for one in place.came] == ["b"]


async def test_a_redirect_is_not_followed_and_a_place_that_is_not_there_is_said_to_be(notifier, place):
    place.statuses[:] = [307]

    assert await notifier.send(place.address, "t", "b", inside=True) == "it answered with status 307"
    assert len(place.came) == 1
    assert await notifier.send("json://127.0.0.1:9/", "t", "b", inside=True) == "it cannot be reached"


async def test_what_takes_too_long_is_killed():
    class Silent(socketserver.BaseRequestHandler):
        def handle(self):
            done.wait(30)

    done = threading.Event()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"json://127.0.0.1:{server.server_address[1]}/?rto=100&cto=100"

        reason = await Notifier(4).send(address, "t", "b", inside=True)
        done.set()
        server.shutdown()

    assert reason == "it took longer than 4 s"


class Mail(socketserver.StreamRequestHandler):
    """Just enough of SMTP."""

    def handle(self):
        self.wfile.write(b"220 ready\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.came.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            if verb == b"RCPT" and self.server.refuses:
                self.wfile.write(b"550 nobody of that name\r\n")
            else:
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 fine\r\n")


async def test_a_mail_arrives_and_a_refused_one_says_with_which_code(notifier):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as server:
        server.came, server.refuses = [], False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        query = "mode=insecure&from=agor@example.org&to=ann@example.org"
        address = f"mailto://localhost:{server.server_address[1]}/?{query}"

        assert await notifier.check(address, inside=True) == "E-Mail"
        assert await notifier.send(address, "2 questions", "Script asks.", inside=True) is None
        server.refuses = True
        reason = await notifier.send(address, "2 questions", "Script asks.", inside=True)
        server.shutdown()

    [mail] = server.came
    assert b"Subject: 2 questions" in mail
    assert reason in {"the mail server answered 550", "the service did not accept the message"}


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "100.64.0.1", "0.0.0.0", "224.0.0.1", "2002:7f00:1::"])  # fmt: skip
def test_what_is_no_address_of_the_internet(address):
    assert not notify_worker.is_outside(address)


def test_the_worker_says_nothing_of_what_it_was_given():
    assert json.dumps(notify_worker.Seen().why()) == '"the service did not accept the message"'
    assert notify_worker.is_outside("8.8.8.8")
    assert notify_worker.is_never("::ffff:169.254.169.254")
