"""Asks one configured host for JSON: bounded in time and size, never led to another host, with an error for each way it can go wrong."""

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from agor_jupyter.domain import errors
from agor_jupyter.domain.issues import IssueHost

MAX_BYTES = 2 << 20
TIMEOUT_S = 10.0
_MAX_REDIRECTS = 2
_LONGEST_PAUSE_S = 3600.0


@dataclass(frozen=True)
class Answer:
    content: Any
    """JSON. `Any`, because a host may answer with anything."""
    etag: str | None


class Client:
    """For one host. `base_url` has no slash at its end."""

    def __init__(self, host: IssueHost, base_url: str, headers: Mapping[str, str], *, max_bytes: int = MAX_BYTES) -> None:
        self._host, self._base_url, self._headers, self._max_bytes = host, base_url, headers, max_bytes
        self._rest_until, self._why_rest = 0.0, ""

    @property
    def token(self) -> str | None:
        """Raises `IssueRefused` for one that cannot be sent."""
        found = os.environ.get(self._host.token_variable or "", "").strip()
        if found and not (found.isascii() and found.isprintable() and " " not in found):
            raise errors.IssueRefused(self._host.host, f"the variable {self._host.token_variable} holds no token")
        return found or None

    async def get(self, path: str, subject: str, token_headers: Mapping[str, str], etag: str | None = None) -> Answer | None:
        """The JSON at `path` below the base URL. `None`: it is as it was when its ETag was `etag`.

        Errors:
            IssueNotFound, IssueRefused. IssueUnavailable: not now, and it says what would work.
        """
        if time.monotonic() < self._rest_until:
            raise errors.IssueUnavailable(self._host.host, self._why_rest)
        headers = {**self._headers, **token_headers, **({"If-None-Match": etag} if etag else {})}
        url = f"{self._base_url}{path}"
        for _ in range(_MAX_REDIRECTS + 1):
            response = await self._fetch(url, headers)
            if response.code not in {301, 302, 303, 307, 308}:
                return self._read(response, subject)
            url = self._next(url, response.headers.get("Location", ""))
        raise errors.IssueUnavailable(self._host.host, "it redirects again and again")

    async def _fetch(self, url: str, headers: Mapping[str, str]) -> HTTPResponse:
        name = self._host.host
        request = HTTPRequest(
            url,
            headers=dict(headers),
            follow_redirects=False,
            decompress_response=False,  # what is small must not become large
            connect_timeout=TIMEOUT_S,
            request_timeout=TIMEOUT_S,
            user_agent="agor-jupyter",
        )
        client = SimpleAsyncHTTPClient(force_instance=True, max_body_size=self._max_bytes)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await client.fetch(request, raise_error=False)
        except TimeoutError:
            raise errors.IssueUnavailable(name, f"it did not answer within {TIMEOUT_S:.0f} s") from None
        except HTTPClientError as error:
            why = {"Connection closed": f"it ended its answer early, or that was longer than {self._max_bytes >> 20} MiB"}.get(
                error.message
            )
            raise errors.IssueUnavailable(name, why or f"it could not be reached ({error.message})") from None
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or type(error).__name__
            raise errors.IssueUnavailable(name, f"it could not be reached ({what})") from None
        finally:
            client.close()

    def _next(self, url: str, location: str) -> str:
        """Where a redirect leads: only within the API itself, as for an issue that was moved or a repository that was renamed."""
        target = urljoin(url, location)
        old, new = urlsplit(self._base_url), urlsplit(target)
        is_own = (old.scheme, old.netloc) == (new.scheme, new.netloc) and new.path.startswith(f"{old.path}/")
        if not is_own or ".." in new.path.split("/"):
            raise errors.IssueUnavailable(self._host.host, "it redirects to another place, which is not followed. Set the new address")
        return target

    def _read(self, response: HTTPResponse, subject: str) -> Answer | None:
        code, name = response.code, self._host.host
        if code == 304:
            return None
        if code in {403, 429} and (pause_s := _pause_s(response)) is not None:
            self._rest_until = time.monotonic() + pause_s
            how = "" if self._host.token_variable else " A token in issue_providers allows more."
            self._why_rest = f"it takes no more requests for now; ask again in {max(1, round(pause_s / 60))} min.{how}"
            raise errors.IssueUnavailable(name, self._why_rest)
        if code in {401, 403}:
            raise errors.IssueRefused(name, self._refusal(code))
        if code in {404, 410}:
            raise errors.IssueNotFound(subject, has_token=bool(self._host.token_variable))
        if code != 200:
            raise errors.IssueUnavailable(name, f"it answered with status {code}")
        try:
            return Answer(json.loads(response.body), response.headers.get("ETag"))
        except ValueError:
            raise errors.IssueUnavailable(name, "what it answered is no JSON; is base_url in issue_providers its API?") from None

    def _refusal(self, code: int) -> str:
        variable = self._host.token_variable
        if variable is None:
            return "it wants a token; name a variable that holds one in issue_providers"
        if not os.environ.get(variable):
            return f"it wants a token, and the server's variable {variable} is not set"
        return f"it does not accept the token in {variable}" if code == 401 else f"the token in {variable} may not read that"


def _pause_s(response: HTTPResponse) -> float | None:
    """Seconds until it takes requests again. `None`: it refuses for another reason."""
    headers = response.headers
    after = headers.get("Retry-After")
    reset = headers.get("X-RateLimit-Reset") or headers.get("RateLimit-Reset")
    left = headers.get("X-RateLimit-Remaining") or headers.get("RateLimit-Remaining")
    found: float | None = None
    try:
        if after is not None:
            found = float(after) if after.strip().isdigit() else parsedate_to_datetime(after).timestamp() - time.time()
        elif reset is not None and (left == "0" or response.code == 429):
            found = float(reset) - time.time()
    except (ValueError, OverflowError):
        found = 60.0
    if found is None and response.code == 429:
        found = 60.0
    return None if found is None else min(max(found, 1.0), _LONGEST_PAUSE_S)
