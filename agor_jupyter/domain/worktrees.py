"""A worktree: a git worktree on a branch of its own, the unit of work."""

from enum import StrEnum

from pydantic import Field

from agor_jupyter.domain.ids import ObjectId, RepoId, WorktreeId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import Context, Coordinate, JsonObject, Moment, Record, Request
from agor_jupyter.domain.ways import Way, WayKind
from agor_jupyter.domain.work import MAX_NAMES, Work

SETUP = "setup: "
"""How the step begins in which a setup command runs."""


class WorktreeState(StrEnum):
    CREATING = "creating"
    READY = "ready"
    FAILED = "failed"
    ARCHIVED = "archived"
    """Its folder was put away with all that it held; `restore` brings it back."""
    MISSING = "missing"
    """The folder or git's entry for it vanished behind our back."""


class InsideStatus(Record):
    """What agents have under way in the repository of their own that they work in behind the sandbox. The branch has nothing of it yet."""

    operation: str | None
    """Git's word, as in `WorktreeStatus`. `None`: there are conflicts all the same, as after `git stash pop`."""
    conflicted: int = 0
    names: list[str] = Field(default_factory=list, max_length=MAX_NAMES)
    """The first files in conflict."""


class WorktreeStatus(Record):
    """What git says, and when it said so. `added` and `deleted` are lines against the base commit, uncommitted ones included."""

    branch: str | None
    head: str = Field(repr=False)  # what differs from run to run is not in what a cell shows
    ahead: int
    """Commits since the base."""
    behind: int
    """Commits the base ref has and the branch has not."""
    dirty: bool
    """Something in the folder is in no commit of its branch: files, an inner repository, an operation that is not finished."""
    staged: int = 0
    unstaged: int = 0
    untracked: int = 0
    conflicted: int = 0
    files: int
    added: int
    deleted: int
    operation: str | None = None
    """What git has under way there: merge, rebase, cherry-pick, revert, bisect or am."""
    inside: InsideStatus | None = None
    """What an agent has under way in its sandbox. `None`: nothing."""
    work: list[Work] = Field(default_factory=list)
    """What a person would call work beside changed and untracked files, also where git does not show it."""
    as_of: Moment = Field(repr=False)


class StatusAnswer(Record):
    """The status of one of several worktrees, or the reason why there is none."""

    worktree_id: WorktreeId
    status: WorktreeStatus | None = None
    reason: str | None = None


class Worktree(Record):
    """*Saved.*"""

    id: WorktreeId
    repo_id: RepoId
    repo: str
    """The repo's slug."""
    name: str
    branch: str
    path: str
    base_ref: str
    base_sha: str
    has_own_branch: bool = True
    """The branch was made with the worktree, not there before."""
    board: str | None = None
    """Path of the board it lies on, relative to the server's root."""
    zone_id: ObjectId | None = None
    """The zone that its card was last brought to."""
    arrival: int = 0
    """How many zones its card was brought to. Each arrival fires at most once."""
    issue_url: str | None = None
    pull_request_url: str | None = None
    notes: str = ""
    context: JsonObject = Field(default_factory=dict)
    state: WorktreeState
    step: str | None = None
    """What creation does just now, in words: “git worktree add”, “setup: uv sync”."""
    reason: str | None = None
    """Why it failed or is missing; of one that was restored, what is not as it was."""
    failure: str | None = None
    """The code of the error that it failed with: `setup_failed` when a setup command did, not git."""
    ways: list[Way] = Field(default_factory=list)
    """What can be done about it where it is stuck."""
    notices: list[str] = Field(default_factory=list)
    """What of it is not as a plain checkout would be: submodules that are empty, files that a filter would write otherwise."""
    carried: str | None = Field(default=None, repr=False)
    """A commit with uncommitted work of another worktree, which comes into its files when they have been written."""
    is_filled: bool = False
    """Its files are there, and only its setup is not through."""
    entry: str | None = None
    """The name of git's entry for it, where that is not the folder's."""
    is_adopted: bool = False
    """Somebody else made it; its folder stays where it is."""
    own_files: dict[str, str] = Field(default_factory=dict)
    """Untracked files that agents made before their first tool ran, with the agents' names. Others are their own by their entries."""
    status: WorktreeStatus | None = None
    created_at: Moment
    created_by: Person
    updated_at: Moment
    set_up_at: Moment | None = None
    """When its setup had ended: an ignored file that nobody touched since is the setup's, and no work."""
    archived_at: Moment | None = None
    backup_ref: str | None = None
    """Where git keeps the commit that it was at when it was archived, and beside that ref what else only this worktree had."""
    archive_path: str | None = None
    """The folder in which its files, and what git knew of it, lie while it is archived."""
    let_go: list[str] = Field(default_factory=list, repr=False)
    """Commits on no branch that a person wants to hear no more of."""


class WorktreeCreate(Request):
    """`base` is a branch, tag or commit; its SHA is recorded. `branch` is new, unless `existing_branch` is true: then it is one that is
    here, or that a remote has, of which a local one is made that tracks it.
    """

    repo: str
    """Id or slug."""
    name: str | None = None
    """Default: made from number and title of its issue or pull request."""
    branch: str | None = None
    """Default: the name."""
    base: str | None = None
    """Default: the repo's default branch."""
    existing_branch: bool = False
    board: str | None = None
    x: Coordinate | None = None
    y: Coordinate | None = None
    """Where on the board, in board units; default: a free place."""
    issue_url: str | None = None
    pull_request_url: str | None = None
    notes: str = ""
    context: Context = Field(default_factory=dict)


class WorktreeChange(Request):
    """Only the fields that are set change. `None` clears a link."""

    name: str | None = None
    board: str | None = None
    issue_url: str | None = None
    pull_request_url: str | None = None
    notes: str | None = None
    context: Context | None = None


class KeptKind(StrEnum):
    BRANCH = "branch"
    TAG = "tag"
    NOTES = "notes"
    STASH = "stash"
    HEAD = "head"
    """Commits on no branch."""
    LOST = "lost"
    """Commits or tags that nothing names any more: of an amend, a reset, a deleted branch."""
    APART = "apart"
    """Commits on a branch that a person set back or left meanwhile."""
    BEFORE = "before"
    """What the branch was before an agent rewrote it."""
    STAGED = "staged"
    """What a person had staged of files that an agent committed."""
    OTHER = "other"


class Kept(Record):
    """What a ref of ours keeps of a worktree's agents, beside the worktree's branch."""

    ref: str
    kind: KeptKind
    text: str
    """For a person: “branch side: 2 commits that fix-login has not, the last “two””."""
    commit: str
    """The object that the ref names."""
    commits: int = 0
    """That the worktree's branch has not."""
    is_more: bool = False
    """They are more than were counted."""
    can_take: bool
    """`take` can bring it onto the branch, or says why not. Otherwise it is there already, or it is not a commit that can be merged."""
    line: str
    """The command of plain git, for the worktree's folder, that makes it a person's own."""


class TakeRequest(Request):
    ref: str | None = Field(default=None, max_length=500)
    """Which of the refs that `kept` lists. `None`: the only one that is kept for the worktree's branch."""


class Taking(Record):
    """What `take` would do as things are now. Nothing was changed."""

    worktree_id: WorktreeId
    branch: str | None
    ref: str
    commits: int = 0
    """That would come onto the branch."""
    subjects: list[str] = Field(default_factory=list, max_length=MAX_NAMES)
    """Their first lines, the newest first."""
    is_merge: bool = False
    """The branch has commits of its own, so both are merged."""
    written: list[str] = Field(default_factory=list)
    """Files that would be written."""
    there: list[str] = Field(default_factory=list)
    """Files that are already as the commits have them."""
    left: list[str] = Field(default_factory=list)
    """Files that somebody changed meanwhile. They would stay as they are, as changes that are not committed."""
    refusal: str | None = None
    """Why it cannot be done now, and what would work."""


class Taken(Record):
    """The branch of a worktree after commits that were kept apart came onto it."""

    worktree_id: WorktreeId
    branch: str
    ref: str
    """What was taken."""
    commit: str
    """Where the branch is now."""
    left: list[str] = Field(default_factory=list)
    """Files that differ from that commit. They stayed as they were, as changes that are not committed."""
    staged_ref: str | None = None
    """Where git keeps what was staged in files that the commits changed too."""


class Removal(Record):
    """What a removal left behind."""

    worktree_id: WorktreeId
    backup_ref: str | None
    """The commit that it was at; `None`: nothing was lost, so nothing is kept."""
    folder: str | None = None
    """Where its files lie, as they were."""
    until: Moment | None = None
    """When the backup goes. `None` with a `folder`: never."""
    own: list[str] = Field(default_factory=list)
    """Which files that agents keep for themselves are in the backup, a sentence each. They were no work."""


class WorktreeAdopt(Request):
    """Take in a worktree that another tool or `git worktree add` made. Its folder stays where it is."""

    repo: str
    """Id or slug."""
    path: str
    """As `adoptable` lists it, or relative to the server's root."""
    name: str | None = None
    """Default: the folder's."""
    board: str | None = None
    x: Coordinate | None = None
    y: Coordinate | None = None
    notes: str = ""
    context: Context = Field(default_factory=dict)


class Adoptable(Record):
    """A worktree of git's own list that is none of ours. `reason` says why it cannot be adopted, if so."""

    path: str
    branch: str | None
    head: str | None
    reason: str | None = None


class Relocate(Request):
    """`path` is where the folder is now. Default: where it was found."""

    path: str | None = None


def has_files(worktree: Worktree) -> bool:
    """By what is recorded, its folder is there with what somebody may have worked on."""
    return worktree.state is WorktreeState.READY or (worktree.state is WorktreeState.FAILED and worktree.is_filled)


def standing_ways(worktree: Worktree) -> list[Way]:
    """Those that follow from what is recorded alone, without a look at the disk."""
    if worktree.state is WorktreeState.CREATING and (worktree.step or "").startswith(SETUP):
        line = (worktree.step or "").removeprefix(SETUP)
        why, what = f"The setup command “{line}” is running.", "Stops it with all its processes; the files stay."
        return [Way(kind=WayKind.STOP_SETUP, label="Stop setup", why=why, what=what)]
    why = worktree.reason or ""
    if worktree.state is WorktreeState.FAILED and worktree.is_filled:
        again, as_is = "Runs the setup again in the existing files.", "Uses the worktree without the rest of its setup."
        return [
            Way(kind=WayKind.RETRY, label="Run setup again", why=why, what=again),
            Way(kind=WayKind.USE, label="Use as it is", why=why, what=as_is),
        ]
    if worktree.state is WorktreeState.FAILED:
        return [Way(kind=WayKind.RETRY, label="Try again", why=why, what="Creates it from scratch; nothing is left of the first try.")]
    if worktree.state is WorktreeState.MISSING:
        return [Way(kind=WayKind.RETRY, label="Create it again", why=why, what=f"Checks {worktree.branch} out into a new folder.")]
    return []
