"""Tools about worktrees."""

from pydantic import Field

from agor_jupyter.domain.worktrees import WorktreeChange
from agor_jupyter.mcp.paging import Choosing, Paged, chosen, page
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import Delegation

_LISTED = ("id", "name", "repo", "branch", "state", "status", "zone_id", "issue_url")
_SHOWN = (*_LISTED, "path", "base_ref", "reason", "failure", "notices", "notes", "pull_request_url", "context", "created_by")
MAX_DIFF = 100_000


class List(Paged):
    archived: bool = False
    """Include archived ones."""


class Which(Choosing):
    worktree_id: str
    """Its id or its name."""


class Create(Input):
    name: str | None = Field(default=None, min_length=1, max_length=200)
    """A short title, such as “Fix null keys”. The branch is made from it. Needed unless there is an issue_url."""
    issue_url: str | None = None
    """Address of the issue that it is for. Without a name, the worktree is named after its number and title."""
    base: str | None = None
    """A branch, tag or commit; default: the branch you work on, or the repository's default branch."""
    repo: str | None = None
    """Name of the repository. Default: the one you work in, or the only one of the board."""


class Update(Input):
    """Only what is given changes."""

    worktree_id: str
    """Its id or its name."""
    name: str | None = Field(default=None, min_length=1, max_length=200)
    notes: str | None = Field(default=None, max_length=20_000)
    issue_url: str | None = None
    """Empty: none."""
    pull_request_url: str | None = None
    """Empty: none."""


class Archive(Input):
    worktree_id: str
    """Its id or its name."""


class Diff(Input):
    worktree_id: str
    """Its id or its name."""
    max_characters: int = Field(default=20_000, ge=0, le=MAX_DIFF)
    """Of the patch. 0: only the list of files."""


class Adoptable(Input):
    pass


class Adopt(Input):
    path: str
    """As worktree_adoptable lists it."""
    name: str | None = None
    """Default: the folder's."""


async def _list(engine: Delegation, request: List) -> object:
    return page(await engine.worktrees(include_archived=request.archived), request, _LISTED)


async def _get(engine: Delegation, request: Which) -> object:
    return chosen(await engine.worktree(request.worktree_id), request, _SHOWN)


async def _create(engine: Delegation, request: Create) -> object:
    return chosen(await engine.create_worktree(request.name, request.base, request.repo, request.issue_url or None), Choosing(), _SHOWN)


async def _update(engine: Delegation, request: Update) -> object:
    given = request.model_dump(exclude_none=True, exclude={"worktree_id"})
    links = {name: given[name] or None for name in ("issue_url", "pull_request_url") if name in given}
    change = WorktreeChange.model_validate(given | links)
    return chosen(await engine.change_worktree(request.worktree_id, change), Choosing(), _SHOWN)


async def _archive(engine: Delegation, request: Archive) -> object:
    return chosen(await engine.archive_worktree(request.worktree_id), Choosing(), ("id", "name", "branch", "state"))


async def _diff(engine: Delegation, request: Diff) -> object:
    patch = await engine.diff(request.worktree_id)
    text = patch.text[: request.max_characters]
    return {
        "files": [file.model_dump(mode="json", by_alias=False) for file in patch.files],
        "patch": text,
        "is_cut": patch.is_cut or len(text) < len(patch.text),
        "not_shown": patch.not_shown,
    }


async def _adoptable(engine: Delegation, _input: Adoptable) -> object:
    return [{"repo": repo, **one.model_dump(mode="json", by_alias=False)} for repo, one in await engine.adoptable()]


async def _adopt(engine: Delegation, request: Adopt) -> object:
    return chosen(await engine.adopt(request.path, request.name), Choosing(), _SHOWN)


TOOLS = (
    Tool(
        name="worktree_list",
        description="The worktrees on your board: branch, state, zone and current git status.",
        input=List,
        run=_list,
        reads_only=True,
    ),
    Tool(name="worktree_get", description="One worktree with all that is known of it.", input=Which, run=_get, reads_only=True),
    Tool(
        name="worktree_diff",
        description="All that differs in a worktree from its base, uncommitted changes included.",
        input=Diff,
        run=_diff,
        reads_only=True,
    ),
    Tool(
        name="worktree_create",
        description="Create a git worktree on a new branch, on your board. Use it to work on something besides your own branch.",
        input=Create,
        run=_create,
        reads_only=False,
    ),
    Tool(
        name="worktree_update",
        description="Change the name, notes or links of your own worktree, or of one that you made.",
        input=Update,
        run=_update,
        reads_only=False,
    ),
    Tool(
        name="worktree_archive",
        description="Put a worktree that you made away, with all that is in it. A person can restore it.",
        input=Archive,
        run=_archive,
        reads_only=False,
    ),
    Tool(
        name="worktree_adoptable",
        description="Worktrees that plain git made beside those of the board, which an owner's client can take in.",
        input=Adoptable,
        run=_adoptable,
        reads_only=True,
    ),
    Tool(
        name="worktree_adopt",
        description="Take one of those in as a card of the board. Its folder stays where it is. For clients of owners.",
        input=Adopt,
        run=_adopt,
        reads_only=False,
    ),
)
