"""Tools about worktrees."""

from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import Delegation


class List(Input):
    pass


class Create(Input):
    name: str
    """A short title, such as “Fix null keys”. The branch is made from it."""
    base: str | None = None
    """A branch, tag or commit; default: the branch you work on, or the repository's default branch."""
    repo: str | None = None
    """Name of the repository. Default: the one you work in, or the only one of the board."""


def _show(worktree: Worktree) -> dict[str, object]:
    fields = {
        "id",
        "repo",
        "name",
        "branch",
        "state",
        "failure",
        "reason",
        "base_ref",
        "issue_url",
        "pull_request_url",
        "notes",
        "notices",
        "status",
    }
    return worktree.model_dump(mode="json", include=fields)


async def _list(engine: Delegation, _input: List) -> object:
    return [_show(worktree) for worktree in await engine.current_worktrees()]


async def _create(engine: Delegation, request: Create) -> object:
    return _show(await engine.create_worktree(request.name, request.base, request.repo))


TOOLS = (
    Tool(
        name="worktree_list",
        description="The worktrees on your board: branch, state, and current git status.",
        input=List,
        run=_list,
        reads_only=True,
    ),
    Tool(
        name="worktree_create",
        description="Create a git worktree on a new branch, on your board. Use it to work on something besides your own branch.",
        input=Create,
        run=_create,
        reads_only=False,
    ),
)
