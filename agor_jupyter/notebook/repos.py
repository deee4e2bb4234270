"""A repo: a git repository the server knows, handled from a cell."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agor_jupyter.client.paths import absolute
from agor_jupyter.domain.errors import AlreadyExists, BadRequest, Unavailable
from agor_jupyter.domain.repos import Branch, Check, GitPlace, RepoState
from agor_jupyter.domain.repos import Repo as RepoRecord
from agor_jupyter.domain.worktrees import Adoptable, Relocate, WorktreeAdopt, WorktreeCreate, WorktreeState
from agor_jupyter.domain.worktrees import Worktree as WorktreeRecord
from agor_jupyter.notebook import following, gitpython
from agor_jupyter.notebook.boards import Board
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.handles import Handles, checked, columns
from agor_jupyter.notebook.link import Link
from agor_jupyter.notebook.rules import Ruled
from agor_jupyter.notebook.worktrees import Worktree

if TYPE_CHECKING:  # only who asks for GitPython loads it
    import git


class Repo(Ruled):
    """A git repository that the server knows: your checkout, or its own clone. `repo.worktree("name")` makes a worktree of it."""

    _scope = "repository"

    def __init__(self, link: Link, record: RepoRecord) -> None:
        self._link, self.record = link, record

    @property
    def _subject(self) -> str:
        return self.record.id

    def refresh(self) -> "Repo":
        """Read it again from the server, into `record`."""
        self.record = RepoRecord.model_validate(self._link.get(f"repos/{self.record.id}"))
        return self

    @property
    def name(self) -> str:
        """Its slug: short and unique on this server."""
        return self.record.slug

    @property
    def path(self) -> str:
        """Its folder on the server's machine."""
        return self.record.path

    @property
    def state(self) -> str:
        """`cloning`, `ready` or `failed`, as it is now."""
        return self.refresh().record.state.value

    @property
    def branches(self) -> Handles[Branch]:
        found = [Branch.model_validate(item) for item in self._link.items(f"repos/{self.record.id}/branches")]
        return Handles("branch", found, columns, lambda branch: branch.name, lambda branch: f"Branch {branch.name!r}", kind=Branch)

    @property
    def git(self) -> "git.Repo":
        """GitPython's `Repo` of the checkout, to read its history, trees and blame. It applies no settings, hooks or filters from there."""
        return gitpython.open_repo(GitPlace.model_validate(self._link.get(f"repos/{self.record.id}/git")))

    def check(self) -> Handles[Check]:
        """What is special about it, and what needs your attention, as in `jupyter agor doctor`."""
        found = [Check.model_validate(item) for item in self._link.items(f"repos/{self.record.id}/check")]
        return Handles("check", found, columns, lambda one: one.what, lambda one: f"{one.verdict:<4}  {one.what}: {one.text}", kind=Check)

    @property
    def worktrees(self) -> Handles[Worktree]:
        """Including archived ones."""
        found = [
            Worktree(self._link, WorktreeRecord.model_validate(item))
            for item in self._link.items("worktrees", repo=self.record.id, archived=1)
        ]
        return Handles("worktree", found, lambda one: columns(one.record), lambda one: one.name, kind=WorktreeRecord)

    def worktree(
        self,
        name: str | None = None,
        *,
        board: Board | str | None = None,
        base: str | None = None,
        branch: str | None = None,
        existing_branch: bool = False,
        issue: str | None = None,
        pull_request: str | None = None,
        notes: str = "",
        context: dict[str, Any] | None = None,
        at: tuple[float, float] | None = None,
        adopt: str | os.PathLike[str] | None = None,
    ) -> Worktree:
        """The worktree of this name: created if there is none, the same one if the cell runs again. Waits until it is ready.

        Args:
            name: default: made from number and title of `issue`, else of `pull_request`.
            issue: address of its issue. Without a name, the worktree that has this link, if there is one.
            pull_request: address of its pull request. Likewise.
            base: branch, tag or commit to start from; its SHA is recorded. Default: the repo's default branch.
            branch: default: the name. New, unless `existing_branch`: one that is here, or that a remote has.
            at: x and y on the board, in board units. Default: a free place.
            adopt: folder of a worktree that another tool made. It stays where it is; `adoptable` lists those that there are. For owners.

        Raises:
            AlreadyExists: there is one of this name that was made otherwise, or that is archived.

        """
        if adopt is not None:
            return self._adopt(adopt, name, board, at, notes, context)
        if name is None and issue is None and pull_request is None:
            raise BadRequest(["name: a new worktree needs one, or the address of its issue"])
        with checked():
            wanted = WorktreeCreate(
                repo=self.record.id,
                name=name,
                branch=branch,
                base=base,
                existing_branch=existing_branch,
                board=board.path if isinstance(board, Board) else self._link.board_path(board) if board else None,
                x=at[0] if at else None,
                y=at[1] if at else None,
                issue_url=issue,
                pull_request_url=pull_request,
                notes=notes,
                context=context or {},
            )
        known = next((one for one in self.worktrees if _is_same(one.record, wanted)), None)
        if known is None:
            known = Worktree(self._link, WorktreeRecord.model_validate(self._link.post("worktrees", wanted)))
        else:
            _check(known.record, wanted)
            if known.record.state in {WorktreeState.FAILED, WorktreeState.MISSING}:
                return known.retry()
        return known.ready()

    @property
    def adoptable(self) -> list[Adoptable]:
        """Worktrees that git knows and Agor does not: `repo.worktree(adopt=one.path)` adopts one."""
        return [Adoptable.model_validate(item) for item in self._link.items(f"repos/{self.record.id}/adoptable")]

    def _adopt(  # noqa: PLR0917 the parts of one request
        self,
        path: str | os.PathLike[str],
        name: str | None,
        board: Board | str | None,
        at: tuple[float, float] | None,
        notes: str,
        context: dict[str, Any] | None,
    ) -> Worktree:
        folder = absolute(path)
        known = next((one for one in self.worktrees if Path(one.record.path) == folder.resolve()), None)
        if known is not None:
            return known
        with checked():
            wanted = WorktreeAdopt(
                repo=self.record.id,
                path=str(folder),
                name=name,
                board=board.path if isinstance(board, Board) else self._link.board_path(board) if board else None,
                x=at[0] if at else None,
                y=at[1] if at else None,
                notes=notes,
                context=context or {},
            )
        return Worktree(self._link, WorktreeRecord.model_validate(self._link.post("worktrees/adopt", wanted)))

    def relocate(self, path: str | os.PathLike[str]) -> "Repo":
        """Follow the checkout to its new location. For owners."""
        where = Relocate(path=str(absolute(path)))
        self.record = RepoRecord.model_validate(self._link.post(f"repos/{self.record.id}/relocate", where))
        return self

    def remove(self) -> None:
        """Forget it. Your checkout stays as it is."""
        self._link.delete(f"repos/{self.record.id}")

    def ready(self) -> "Repo":
        """Wait until a clone is done, and show how far it is.

        Raises:
            Unavailable: it failed.

        """
        self.record = following.settle_repo(self._link, self.record)
        if self.record.state is RepoState.FAILED:
            raise Unavailable(
                f"Repo {self.name!r} could not be cloned: {self.record.reason}. Remove it, or correct its URL.", subject=self.name
            )
        return self

    def __repr__(self) -> str:
        state = "" if self.record.state is RepoState.READY else f", {self.record.state.value}"
        return f"Repo {self.name!r} ({self.record.kind}, default branch {self.record.default_branch}{state})"

    def _repr_html_(self) -> str:
        facts = [("kind", self.record.kind), ("default branch", self.record.default_branch or ""), ("", self.record.reason or "")]
        return views.card("Repo", self.name, self.record.state.value, facts)


def _is_same(known: WorktreeRecord, wanted: WorktreeCreate) -> bool:
    """It has the name, or without one, the link that it would be named after."""
    if wanted.name is not None:
        return known.name == wanted.name
    if wanted.issue_url is not None:
        return known.issue_url == wanted.issue_url
    return known.pull_request_url == wanted.pull_request_url


def _check(known: WorktreeRecord, wanted: WorktreeCreate) -> None:
    """Refuse when a worktree of this name was made otherwise. What was not said agrees with everything."""
    if known.state is WorktreeState.ARCHIVED:
        raise AlreadyExists("Worktree", known.name, f"It is archived: bring it back with repo.worktrees[{known.name!r}].restore().")
    pairs = {
        "base": (wanted.base, known.base_ref),
        "branch": (wanted.branch, known.branch),
        "board": (wanted.board, known.board),
        "issue": (wanted.issue_url, known.issue_url),
    }
    differs = [f"{name} is {has!r}, not {asked!r}" for name, (asked, has) in pairs.items() if asked is not None and asked != has]
    if differs:
        raise AlreadyExists("Worktree", known.name, f"Its {', its '.join(differs)}. Choose another name, or remove it first.")
