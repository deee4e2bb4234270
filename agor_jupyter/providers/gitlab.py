"""GitLab, by version 4 of its API. Its merge requests are pull requests here."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

from agor_jupyter.domain.issues import CheckState, Issue, IssueCopy, PullRequest
from agor_jupyter.providers.client import Client
from agor_jupyter.providers.provider import Place

_PATH = re.compile(
    r"/(?P<project>[\w.-]+(?:/[\w.-]+){1,20})/-/(?P<what>issues|work_items|merge_requests)/(?P<number>[1-9][0-9]{0,9})(?:/[a-z]*)?",
    re.ASCII,
)
_STATES = {"opened": "open", "locked": "closed"}
_CHECKS: dict[str, CheckState] = {"success": "success", "failed": "failure", "canceled": "failure", "skipped": "none"}


class GitLab:
    kind = "gitlab"
    home = "gitlab.com"
    headers = {"Accept": "application/json"}  # noqa: RUF012  # nobody changes it

    def base_url(self, host: str) -> str:
        return f"https://{host}/api/v4"

    def find(self, host: str, path: str) -> Place | None:
        match = _PATH.fullmatch(path)
        if match is None or any(set(part) == {"."} for part in match["project"].split("/")):
            return None
        project, number = match["project"], int(match["number"])
        url = f"https://{host}/{project}/-/{match['what']}/{number}"
        return Place(project, "pull_request" if match["what"] == "merge_requests" else "issue", number, url)

    async def read(self, client: Client, place: Place, known: IssueCopy | None, at: datetime) -> IssueCopy:
        token = client.token
        sign_in = {"PRIVATE-TOKEN": token} if token else {}
        what = "issues" if place.kind == "issue" else "merge_requests"
        path = f"/projects/{quote(place.project, safe='')}/{what}/{place.number}"
        answer = await client.get(path, place.url, sign_in, known.etag if known else None)
        if answer is None and known is not None:
            return known.replace(found=known.found.replace(read_at=at, stale=None))
        assert answer is not None  # without an ETag there is no 304
        return IssueCopy(found=_of(answer.content, place, at), etag=answer.etag)


def _of(answer: Any, place: Place, at: datetime) -> Issue | PullRequest:
    state = _STATES.get(answer["state"], answer["state"])
    both = {
        "url": place.url,
        "number": place.number,
        "title": answer["title"],
        "body": answer["description"] or "",
        "labels": tuple(answer["labels"]),
        "author": (answer["author"] or {}).get("username", "ghost"),
        "read_at": at,
    }
    if place.kind == "issue":
        return Issue(**both, state=state)
    pipeline = answer.get("head_pipeline") or answer.get("pipeline")
    return PullRequest(
        **both,
        state=state,
        base=answer["target_branch"],
        head=answer["source_branch"],
        head_sha=answer["sha"] or "",
        draft=answer["draft"],
        checks=_CHECKS.get(pipeline["status"], "pending") if pipeline else "none",
    )


PROVIDER = GitLab()
