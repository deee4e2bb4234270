"""Issues and pull requests that worktrees link to: read from their hosts, kept as copies, and read again when those are old."""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from pydantic import ValidationError

from agor_jupyter.domain import errors
from agor_jupyter.domain.issues import Issue, IssueCopy, IssueHost, PullRequest, worktree_name
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.worktrees import Worktree, WorktreeCreate
from agor_jupyter.providers import catalogue
from agor_jupyter.providers.client import Client
from agor_jupyter.providers.provider import Place, Provider
from agor_jupyter.services.clock import Clock
from agor_jupyter.storage import issues
from agor_jupyter.storage.store import Store

_KEPT = timedelta(days=90)
_SPACE = re.compile(r"\s")
_TRAIT = "AgorApp.issue_providers"


@dataclass(frozen=True)
class _Host:
    provider: Provider
    client: Client


class Issues:
    def __init__(self, store: Store, clock: Clock, hosts: Iterable[IssueHost], max_age: timedelta) -> None:
        """Raises `Misconfigured` for a host of an unknown kind."""
        self._store, self._clock, self._max_age = store, clock, max_age
        self._hosts = {host.host: _of(host) for host in (*_known(), *hosts)}
        self._same: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def start(self) -> None:
        await self._store.write(issues.forget, self._clock.now() - _KEPT)

    async def issue(self, caller: Caller, worktree: Worktree) -> Issue | PullRequest:
        """What its issue link names, which may be a pull request.

        Errors:
            IssueNotFound: it has no such link, or the host knows nothing of it. Further as `read`.
        """
        caller.require(Role.VIEWER, "read a worktree's issue")
        return await self.read(_link(worktree, worktree.issue_url, "issue"))

    async def pull_request(self, caller: Caller, worktree: Worktree) -> PullRequest:
        """As `issue`."""
        caller.require(Role.VIEWER, "read a worktree's pull request")
        return await self.read_pull_request(_link(worktree, worktree.pull_request_url, "pull request"))

    async def read_pull_request(self, url: str) -> PullRequest:
        found = await self.read(url)
        if not isinstance(found, PullRequest):
            raise errors.BadIssueUrl(url, "it is an issue's, not a pull request's")
        return found

    async def read(self, url: str) -> Issue | PullRequest:
        """A copy, read anew if it is older than the configuration says. When that is not possible now, it is `stale` and says why.

        Errors:
            BadIssueUrl: not an address of an issue on a host that is configured.
            IssueNotFound, IssueRefused. IssueUnavailable: and there is no copy.
        """
        host, place = self._find(url)
        async with self._same.setdefault(place.url, asyncio.Lock()):
            known = await self._store.read(issues.get, place.url)
            now = self._clock.now()
            if known is not None and now - known.found.read_at < self._max_age:
                return known.found
            try:
                copy = await self._ask(host, place, known)
            except errors.IssueUnavailable as error:
                if known is None:
                    raise
                return known.found.replace(stale=error.message)
            except errors.IssueNotFound:
                await self._store.write(issues.delete, place.url)
                raise
            await self._store.write(issues.save, place.url, copy)
            return copy.found

    async def _ask(self, host: _Host, place: Place, known: IssueCopy | None) -> IssueCopy:
        try:
            return await host.provider.read(host.client, place, known, self._clock.now())
        except (ValidationError, LookupError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, errors.AgorError):
                raise
            name = urlsplit(place.url).netloc
            raise errors.IssueUnavailable(name, "what it answered is no issue; is base_url in issue_providers its API?") from None

    def _find(self, url: str) -> tuple[_Host, Place]:
        if _SPACE.search(url) or not url.isprintable():
            raise errors.BadIssueUrl(url, "it has spaces or control characters; copy it from the browser")
        try:
            parts = urlsplit(url)
        except ValueError:
            raise errors.BadIssueUrl(url, "it is no address") from None
        if parts.scheme != "https" or "@" in parts.netloc:
            raise errors.BadIssueUrl(url, "it must start with https:// and name no user")
        name = parts.netloc.lower()
        host = self._hosts.get(name)
        if host is None:
            known = ", ".join(sorted(self._hosts))
            raise errors.BadIssueUrl(url, f"issues can be read from {known}; an administrator can add {name!r} to issue_providers")
        place = host.provider.find(name, parts.path.rstrip("/"))
        if place is None:
            raise errors.BadIssueUrl(url, "it names neither an issue nor a pull request")
        return host, place


async def named(issues_: Issues | None, request: WorktreeCreate) -> str:
    """What a worktree is called that was given no name. Raises `BadRequest`, and what `Issues.read` does."""
    url = request.issue_url or request.pull_request_url
    if url is None or issues_ is None:
        raise errors.BadRequest(["name: a worktree needs one, or the address of an issue or pull request that it is named after"])
    found = await issues_.read(url)
    return worktree_name(found.number, found.title)


def check_link(url: str | None) -> str | None:
    """Links are shown to be clicked: only web addresses."""
    if url is not None and not (url.startswith(("https://", "http://")) and len(url) <= 2000 and url.isprintable() and " " not in url):
        raise errors.BadRequest([f"{url[:80]!r} is not a web address"])
    return url


def _known() -> list[IssueHost]:
    return [IssueHost(host=provider.home, kind=kind) for kind, provider in catalogue.discover().items()]


def _of(host: IssueHost) -> _Host:
    provider = catalogue.discover().get(host.kind)
    if provider is None:
        kinds = " and ".join(catalogue.discover())
        raise errors.Misconfigured(_TRAIT, [f"{host.host!r}: kind {host.kind!r} is unknown; {kinds} are known"])
    base_url = (host.base_url or provider.base_url(host.host)).rstrip("/")
    return _Host(provider, Client(host, base_url, provider.headers))


def _link(worktree: Worktree, url: str | None, what: str) -> str:
    if url is None:
        raise errors.NoIssueLink(worktree.name, what)
    return url
