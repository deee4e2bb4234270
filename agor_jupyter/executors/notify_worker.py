"""Sends one message with Apprise, in a process that can be killed. `notifier.py` starts it, and bounds its time.

One JSON object in (`address`, `inside`, `title` and `body`; without a body the address is only looked at), one out (`service`, or `error`
with `kind` and `why`). The address is a secret: it comes by standard input, and no answer repeats any of it. What Apprise logs is thrown
away for the same reason; why something failed is read from what the network did. Standard library and Apprise only.

Apprise can also show desktop notifications, run programs and read files. So only services that are reached over the network are taken, and
only addresses of the internet, unless `inside` allows the server's own network; what a name resolves to is looked at when it is connected
to, so that neither a redirect nor a name server can lead elsewhere.
"""

import ipaddress
import json
import logging
import os
import re
import smtplib
import socket
import ssl
import sys
import urllib.parse
from typing import Any

SCHEMES = frozenset(
    """
    azure brevo discord flock form forms gchat gotify gotifys guilded hassio hassios ifttt ilert incidentio json jsons line mailgun mailto
    mailtos mastodon mastodons matrix matrixs mmost mmosts msgbird nctalk nctalks ntfy ntfys o365 opsgenie pagerduty pagertree pbul
    postmark pover prowl pushy resend revolt rocket rockets ryver sendgrid signal signals signl4 slack sparkpost splunk squadcast tgram
    threema twilio twist webex workflow workflows wxteams xml xmls zulip
    """.split()  # noqa: SIM905  # read best as words
)
_SELF_HOSTED = {"form", "gotify", "hassio", "json", "mailto", "mastodon", "matrix", "mmost", "nctalk", "ntfy", "rocket", "signal", "xml"}
"""Their addresses name the host. In those of others stands a token in its place, which no name server should hear of."""
_FILES = frozenset({"template", "keyfile", "subfile", "config", "attach"})
"""Arguments of an address that name a file to read."""
_OK = range(200, 300)
_INSIDE = "it leads into the server's own network, where only an owner may send to"
_LOCAL = "it is a link-local address, to which nothing is sent"
_MISSING = {"kind": "missing", "why": "Apprise is not installed; run pip install 'agor-jupyter[notify]'"}


class Refused(Exception):
    """The address cannot be used. Says why, and nothing of it."""


class Seen:
    """What the network did: the worst of it is why a message did not arrive."""

    is_inside = False
    status: int | None = None
    mail: int | None = None
    tls = False
    name = False
    connection: str | None = None

    def why(self) -> str:
        if self.is_inside:
            return _INSIDE
        if self.tls:
            return "no secure connection could be made"
        if self.mail is not None:
            return f"the mail server answered {self.mail}"
        if self.status is not None and self.status not in _OK:
            return f"it answered with status {self.status}"
        if self.name:
            return "its host is not known"
        return self.connection or "the service did not accept the message"


SEEN = Seen()


def is_outside(host: str) -> bool:
    """Whether an IP address is one of the internet."""
    found: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None) or found
    return found.is_global and not found.is_multicast


def is_never(host: str) -> bool:
    """Link-local addresses: what a cloud tells its machines of themselves, tokens included."""
    found: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(host.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_link_local


def _proxies() -> set[tuple[str, int]]:
    """Addresses of the proxies that the server is told to use. They look after what lies behind them."""
    found = set()
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        parts = urllib.parse.urlsplit(os.environ.get(name, ""))
        if parts.hostname:
            port = parts.port or (443 if parts.scheme == "https" else 80)
            try:
                found |= {(str(one[4][0]), port) for one in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)}
            except OSError:
                continue
    return found


def _guard(inside: bool) -> None:  # noqa: C901  # what it puts in place of the real ones
    """Every connection of this process passes here."""
    proxies = _proxies()
    connect, resolve, wrap = socket.socket.connect, socket.getaddrinfo, ssl.SSLContext.wrap_socket

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family not in {socket.AF_INET, socket.AF_INET6}:
            raise PermissionError("only the network is used")
        host, port = str(address[0]), int(address[1])
        if (host, port) not in proxies and (is_never(host) or not (inside or is_outside(host))):
            SEEN.is_inside = True
            raise PermissionError("this address is not allowed")
        try:
            connect(self, address)
        except TimeoutError:
            SEEN.connection = "it did not answer in time"
            raise
        except OSError:
            SEEN.connection = "it cannot be reached"
            raise

    def resolved(*arguments: Any, **more: Any) -> Any:
        try:
            return resolve(*arguments, **more)
        except OSError:
            SEEN.name = True
            raise

    def wrapped(*arguments: Any, **more: Any) -> Any:
        try:
            return wrap(*arguments, **more)
        except ssl.SSLError:
            SEEN.tls = True
            raise

    def refused(*_: Any) -> int:
        raise PermissionError("only the network is used")

    socket.socket.connect = guarded  # type: ignore[method-assign, assignment]
    socket.socket.connect_ex = refused  # type: ignore[method-assign]
    socket.getaddrinfo = resolved
    ssl.SSLContext.wrap_socket = wrapped  # type: ignore[method-assign]


def _watch(requests: Any) -> None:
    """Follows no redirect, and remembers what was answered."""
    send, begin = requests.Session.send, smtplib.SMTPResponseException.__init__

    def watched(self: Any, request: Any, **more: Any) -> Any:
        answer = send(self, request, **{**more, "allow_redirects": False})
        if SEEN.status is None or SEEN.status in _OK:
            SEEN.status = answer.status_code
        return answer

    def noted(self: smtplib.SMTPResponseException, code: int, message: bytes | str) -> None:
        SEEN.mail = code
        begin(self, code, message)

    requests.Session.send = watched
    smtplib.SMTPResponseException.__init__ = noted  # type: ignore[method-assign, assignment]


def _open(address: str, inside: bool) -> Any:
    """Apprise's object for it. Raises `Refused`."""
    scheme = address.partition("://")[0].lower()
    if scheme not in SCHEMES and scheme != "https":
        known = "such as slack://, mailtos://, discord://, ntfys:// or jsons://"
        begins = f"{scheme[:20]}:// is not taken; use one" if scheme.isalnum() and "://" in address else "it needs a scheme"
        raise Refused(f"{begins} of a service on the network, {known}")
    for part in re.split(r"[?&;]", address)[1:]:  # wherever it stands: Apprise reads arguments after a fragment as well
        name = urllib.parse.unquote_plus(part.partition("=")[0]).lower().strip(" +-:")
        if name in _FILES or name.startswith("pgp"):
            raise Refused(f"its argument {name[:20]} would read a file of the server")
    import apprise
    from apprise import common

    # Nothing is attached, and no file is read for an argument that is not named above.
    apprise.AppriseAttachment.add = lambda *_, **__: False  # type: ignore[method-assign]
    asset = apprise.AppriseAsset(async_mode=False, secure_logging=True, storage_mode=common.PersistentStoreMode.MEMORY)
    asset.app_id, asset.app_desc, asset.app_url = "Agor", "Agor for Jupyter", ""
    found = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if found is None:
        hint = "; for a webhook of your own use jsons:// in place of https://" if scheme == "https" else ""
        raise Refused(f"Apprise does not understand it{hint}")
    own: set[str] = set()
    for names in (found.protocol, found.secure_protocol):
        own |= {names} if isinstance(names, str) else set(names or ())
    if not own & SCHEMES:
        raise Refused(f"{found.service_name} is not taken")
    if own & _SELF_HOSTED:
        for host in {str(name) for name in (found.host, getattr(found, "smtp_host", None)) if name}:
            _check_host(host, inside)
    return found


def _check_host(host: str, inside: bool) -> None:
    """As soon as an address is named; what counts is the guard. Raises `Refused`."""
    host = host.strip("[]")
    if not ("." in host or ":" in host or host == "localhost"):
        return
    try:
        places = {str(one[4][0]) for one in socket.getaddrinfo(host, None)}
    except OSError:  # it is not known now; sending will say so
        SEEN.name = False
        return
    if any(is_never(one) for one in places):
        raise Refused(_LOCAL)
    if not inside and not all(is_outside(one) for one in places):
        raise Refused(_INSIDE)


def answer(question: dict[str, Any]) -> dict[str, Any]:
    try:
        import requests
    except ImportError:
        return {"error": _MISSING}
    inside = bool(question["inside"])
    _guard(inside)
    _watch(requests)
    try:
        place = _open(question["address"], inside)
    except ImportError:
        return {"error": _MISSING}
    except Refused as refusal:
        return {"error": {"kind": "address", "why": str(refusal)}}
    service = str(place.service_name)
    if "body" not in question:
        return {"service": service}
    import apprise

    outbox = apprise.Apprise(asset=place.asset)
    outbox.add(place)
    if outbox.notify(title=question["title"], body=question["body"], body_format=apprise.NotifyFormat.TEXT):
        return {"service": service}
    return {"error": {"kind": "failed", "why": SEEN.why()}}


def main() -> None:
    logging.disable(logging.CRITICAL)
    question = json.loads(sys.stdin.buffer.read())
    sys.stdout.write(json.dumps(answer(question)))


if __name__ == "__main__":
    main()
