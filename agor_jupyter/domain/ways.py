"""Ways on for a worktree that is stuck or lost something: what is the matter, and what a person can do about it here."""

from enum import StrEnum

from agor_jupyter.domain.records import Record


class WayKind(StrEnum):
    STOP_SETUP = "stop_setup"
    """End the setup command that runs, with every process that it started."""
    RETRY = "retry"
    """Make it again; only the setup, where the files are there already."""
    USE = "use"
    """Take it as it is although its setup did not end well."""
    RELOCATE = "relocate"
    """Its folder was moved or renamed: follow it."""
    REPAIR = "repair"
    """git forgot it, its folder is there: make git know it again."""
    REMAKE_BRANCH = "remake_branch"
    """Its branch was deleted: make it again at the last commit that it had."""
    REMOVE_LOCK = "remove_lock"
    """A git process left its lock file behind."""
    WAIT = "wait"
    """A git process is at work there. Nothing to do but to wait, or to end it."""
    UNLOCK = "unlock"
    """Another tool locked it (`git worktree lock`), so that it is neither archived nor removed."""
    BRANCH_COMMITS = "branch_commits"
    """Its branch was moved away from commits that are on no branch: make one of them."""
    KEEP_COMMITS = "keep_commits"
    """The same: keep them under a ref of ours."""
    LET_GO = "let_go"
    """The same: nobody wants them."""


class Way(Record):
    """What is the matter (`why`), and what the button `label` does about it (`what`). One call takes it."""

    kind: WayKind
    label: str
    why: str
    what: str
    of: str | None = None
    """The folder, branch, lock or commit that it is about."""
    is_blocking: bool = True
    """Something does not go on as it is. Else it is only to be known."""
