"""GitHub and GitHub Enterprise, by version 3 of their API."""

import re
from datetime import datetime
from typing import Any

from agor_jupyter.domain.issues import CheckState, Issue, IssueCopy, PullRequest
from agor_jupyter.providers.client import Client
from agor_jupyter.providers.provider import Place

_PATH = re.compile(r"/(?P<project>[\w.-]+/[\w.-]+)/(?P<what>issues|pull)/(?P<number>[1-9][0-9]{0,9})(?:/[a-z]*)?", re.ASCII)
_FAILED = {"failure", "timed_out", "cancelled", "action_required", "startup_failure", "stale"}


class GitHub:
    kind = "github"
    home = "github.com"
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}  # noqa: RUF012  # nobody changes it

    def base_url(self, host: str) -> str:
        return "https://api.github.com" if host == self.home else f"https://{host}/api/v3"

    def find(self, host: str, path: str) -> Place | None:
        match = _PATH.fullmatch(path)
        if match is None or any(set(part) == {"."} for part in match["project"].split("/")):
            return None
        project, number = match["project"], int(match["number"])
        url = f"https://{host}/{project}/{match['what']}/{number}"
        return Place(project, "issue" if match["what"] == "issues" else "pull_request", number, url)

    async def read(self, client: Client, place: Place, known: IssueCopy | None, at: datetime) -> IssueCopy:
        token = client.token
        sign_in = {"Authorization": f"Bearer {token}"} if token else {}
        what = "issues" if place.kind == "issue" else "pulls"
        answer = await client.get(f"/repos/{place.project}/{what}/{place.number}", place.url, sign_in, known.etag if known else None)
        if answer is None and known is not None:
            copy = known.replace(found=known.found.replace(read_at=at, stale=None))
        else:
            assert answer is not None  # without an ETag there is no 304
            copy = IssueCopy(found=_of(answer.content, place, at), etag=answer.etag)
        if isinstance(copy.found, PullRequest):
            checks = await self._checks(client, place, copy.found.head_sha, sign_in)
            copy = copy.replace(found=copy.found.replace(checks=checks))
        return copy

    async def _checks(self, client: Client, place: Place, sha: str, sign_in: dict[str, str]) -> CheckState:
        """Of check runs and of statuses, the two ways in which GitHub is told."""
        if not sha:
            return "none"
        runs = await client.get(f"/repos/{place.project}/commits/{sha}/check-runs?per_page=100", place.url, sign_in)
        status = await client.get(f"/repos/{place.project}/commits/{sha}/status", place.url, sign_in)
        assert runs is not None
        assert status is not None
        found = {run["conclusion"] if run["status"] == "completed" else "pending" for run in runs.content["check_runs"]}
        if status.content["total_count"]:
            found.add({"error": "failure"}.get(status.content["state"], status.content["state"]))
        if found & _FAILED:
            return "failure"
        return "pending" if "pending" in found else "success" if found else "none"


def _of(answer: Any, place: Place, at: datetime) -> Issue | PullRequest:
    labels = tuple(label if isinstance(label, str) else label["name"] for label in answer["labels"])
    both = {
        "url": place.url,
        "number": place.number,
        "title": answer["title"],
        "body": answer["body"] or "",
        "labels": labels,
        "author": (answer["user"] or {}).get("login", "ghost"),
        "read_at": at,
    }
    if place.kind == "issue":
        return Issue(**both, state=answer["state"])
    return PullRequest(
        **both,
        state="merged" if answer["merged_at"] else answer["state"],
        base=answer["base"]["ref"],
        head=answer["head"]["ref"],
        head_sha=answer["head"]["sha"],
        draft=answer["draft"],
    )


PROVIDER = GitHub()
