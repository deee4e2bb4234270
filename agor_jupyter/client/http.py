"""HTTP to the server with the standard library: JSON in, JSON out, and the server's errors as the errors of `domain/errors.py`."""

import http.client
import json
import queue
import ssl
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from agor_jupyter.domain import errors
from agor_jupyter.domain.records import Record

PATIENCE_S = 15.0
"""How long a server that restarts is waited for."""
TIMEOUT_S = 120.0
_MAX_IDLE = 4
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)

Json = Any  # what `json.loads` gives; the caller knows which record it is


class Client:
    """One server. Safe to use from several threads.

    A POST and a DELETE carry a key that the server knows them by, so they are sent again when the connection is lost, and done
    once. While the server restarts, requests wait up to `patience_s` seconds (0: not at all).

    Every method raises the error that the server named, such as `errors.WorktreeNotReady`; `errors.ServerGone` when there is no answer.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = TIMEOUT_S, patience_s: float = PATIENCE_S) -> None:
        self.url = url.rstrip("/") + "/"
        self.token = token
        self.timeout_s, self.patience_s = timeout_s, patience_s
        self._idle: queue.LifoQueue[http.client.HTTPConnection] = queue.LifoQueue()
        parts = urlsplit(self.url)
        self._is_secure, self._host, self._port = parts.scheme == "https", parts.hostname or "127.0.0.1", parts.port
        self._base = parts.path + "agor/api/"

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def get(self, path: str, /, **query: object) -> Json:
        """`path` is relative to `agor/api/`. A query value that is `None` is left out."""
        return self.request("GET", path, query=query)

    def post(self, path: str, /, body: Record | Mapping[str, object] | None = None, *, key: str | None = None, **query: object) -> Json:
        """`key` names the command; the same key again gives the same answer. Default: a new one."""
        return self.request("POST", path, body=body, query=query, key=key or uuid.uuid4().hex)

    def patch(self, path: str, /, body: Record | Mapping[str, object], **query: object) -> Json:
        """Of a record, only the fields that were set are sent."""
        return self.request("PATCH", path, body=body, query=query)

    def put(self, path: str, /, body: Record | Mapping[str, object], *, key: str | None = None, **query: object) -> Json:
        """As `post`, for a command that says where something is from now on."""
        return self.request("PUT", path, body=body, query=query, key=key or uuid.uuid4().hex)

    def delete(self, path: str, /, **query: object) -> Json:
        return self.request("DELETE", path, query=query, key=uuid.uuid4().hex)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Record | Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
        key: str | None = None,
    ) -> Json:
        """Send, wait out a restart, parse. Returns `None` for an empty answer."""
        target = self._base + quote(path, safe="/")
        if words := {name: _word(value) for name, value in (query or {}).items() if value is not None}:
            target += "?" + urlencode(words)
        headers = {"Authorization": f"token {self.token}", "Accept": "application/json"}
        payload = None
        if method in ("POST", "PATCH", "PUT"):
            headers["Content-Type"] = "application/json"
            payload = _encode(body, only_set=method in ("PATCH", "PUT"))
        if key is not None:
            headers["Idempotency-Key"] = key
        until, attempt = time.monotonic() + self.patience_s, 0
        while True:
            try:
                return self._once(method, target, payload, headers)
            except (_Again, errors.Starting) as error:
                failure = errors.ServerGone(self.url, str(error)) if isinstance(error, _Again) else error
                pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
                if time.monotonic() + pause > until:
                    raise failure from error.__cause__
                attempt += 1
                time.sleep(pause)

    def close(self) -> None:
        """Close the idle connections. The client can still be used."""
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return

    def _once(self, method: str, target: str, payload: bytes | None, headers: Mapping[str, str]) -> Json:
        """One attempt. `_Again`: it may be sent once more."""
        try:
            status, answer = self._exchange(method, target, payload, headers)
        except ConnectionRefusedError as error:
            raise _Again(str(error)) from error
        except (http.client.HTTPException, ConnectionError) as error:
            raise _Again(f"the connection was lost ({type(error).__name__})") from error
        except OSError as error:
            raise errors.ServerGone(self.url, str(error)) from error
        if status >= 400:
            raise _error(status, answer)
        return json.loads(answer) if answer else None

    def _exchange(self, method: str, target: str, payload: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        connection = self._connection()
        try:
            connection.request(method, target, body=payload, headers=dict(headers))
            response = connection.getresponse()
            answer = response.read()
        except BaseException:  # Ctrl-C as well: the answer that is on its way must not meet the next request
            connection.close()
            raise
        if response.will_close or self._idle.qsize() >= _MAX_IDLE:
            connection.close()
        else:
            self._idle.put(connection)
        return response.status, answer

    def _connection(self) -> http.client.HTTPConnection:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            pass
        if self._is_secure:
            return http.client.HTTPSConnection(self._host, self._port, timeout=self.timeout_s, context=ssl.create_default_context())
        return http.client.HTTPConnection(self._host, self._port, timeout=self.timeout_s)


class _Again(Exception):
    pass


def _encode(body: Record | Mapping[str, object] | None, *, only_set: bool) -> bytes:
    try:
        if isinstance(body, Record):
            return body.model_dump_json(exclude_unset=only_set).encode()
        return json.dumps(body or {}).encode()
    except (TypeError, ValueError) as error:  # free JSON that is none
        raise errors.BadRequest([f"it is not JSON: {error}"]) from None


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kinds(kind: type[errors.AgorError]) -> dict[str, type[errors.AgorError]]:
    found = {kind.code: kind}
    for child in kind.__subclasses__():
        found = _kinds(child) | found
    return found


_STATUS_KINDS = {400: errors.Invalid, 403: errors.Refused, 404: errors.NotFound, 409: errors.Conflict, 503: errors.Unavailable}


def _error(status: int, answer: bytes) -> errors.AgorError:
    """The error that the server named, without making its sentence again."""
    try:
        found = json.loads(answer)["error"]
        code, message, subject, details = found["code"], found["message"], found.get("subject"), found.get("details") or {}
    except (ValueError, KeyError, TypeError):
        code, message, subject, details = "", f"The server answered with status {status}.", None, {}
    kind = _kinds(errors.AgorError).get(code) or _STATUS_KINDS.get(status, errors.AgorError)
    error: errors.AgorError = kind.__new__(kind)  # type: ignore[call-overload]  # mypy takes the __new__ of `type`
    errors.AgorError.__init__(error, message, subject=subject, **details)
    return error
