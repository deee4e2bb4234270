"""Issues and pull requests of worktrees, from a cell."""

from pydantic import Field, RootModel

from agor_jupyter.domain.issues import Issue, PullRequest
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.notebook.link import Link


class _Found(RootModel[Issue | PullRequest]):
    root: Issue | PullRequest = Field(discriminator="kind")


def issue(link: Link, worktree: Worktree) -> Issue | PullRequest | None:
    if worktree.issue_url is None:
        return None
    return _Found.model_validate(link.get(f"worktrees/{worktree.id}/issue")).root


def pull_request(link: Link, worktree: Worktree) -> PullRequest | None:
    if worktree.pull_request_url is None:
        return None
    return PullRequest.model_validate(link.get(f"worktrees/{worktree.id}/pull-request"))
