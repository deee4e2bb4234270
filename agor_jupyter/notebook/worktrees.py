"""A worktree: a git worktree on a branch of its own, handled from a cell.

It is long because it is one handle: all that a person can do with a worktree, each a short call with the docstring that a cell shows.
"""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agor_jupyter.client.paths import absolute
from agor_jupyter.domain.costs import LedgerRow
from agor_jupyter.domain.errors import WorktreeNotReady
from agor_jupyter.domain.history import Conversation, ConversationImport
from agor_jupyter.domain.issues import Issue, PullRequest
from agor_jupyter.domain.repos import GitPlace
from agor_jupyter.domain.sessions import Session as SessionRecord
from agor_jupyter.domain.sessions import SessionCreate
from agor_jupyter.domain.turns import Patch
from agor_jupyter.domain.turns import Turn as TurnRecord
from agor_jupyter.domain.ways import Way
from agor_jupyter.domain.work import Work
from agor_jupyter.domain.worktrees import (
    Kept,
    Relocate,
    Removal,
    Taken,
    TakeRequest,
    Taking,
    WorktreeChange,
    WorktreeState,
    WorktreeStatus,
)
from agor_jupyter.domain.worktrees import Worktree as WorktreeRecord
from agor_jupyter.notebook import budgets, costs, environments, following, gitpython, issues, rules, trust
from agor_jupyter.notebook.attachments import Attached, check_length, upload
from agor_jupyter.notebook.budgets import Budget
from agor_jupyter.notebook.data import Data
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.environments import Environment
from agor_jupyter.notebook.handles import Handles, checked, columns
from agor_jupyter.notebook.kernels import Kernel
from agor_jupyter.notebook.link import Link
from agor_jupyter.notebook.options import chosen
from agor_jupyter.notebook.rules import Ruled
from agor_jupyter.notebook.sessions import Session
from agor_jupyter.notebook.trust import ProjectFile
from agor_jupyter.notebook.turns import Diff

if TYPE_CHECKING:  # only who asks for GitPython loads it
    import git

_SAME: Any = object()
"""Not said, so it stays as it is. `Any`, so that an argument keeps its own type."""
_OVER = {"failed", "cancelled", "interrupted"}


class Worktree(Ruled):
    """A folder and a branch of its own, where agents work. `worktree.session("script", "…")` starts one."""

    _scope = "worktree"

    def __init__(self, link: Link, record: WorktreeRecord) -> None:
        self._link, self.record = link, record

    @property
    def _subject(self) -> str:
        return self.record.id

    def refresh(self) -> "Worktree":
        """Read it again from the server, into `record`."""
        self.record = WorktreeRecord.model_validate(self._link.get(self._at))
        return self

    @property
    def _at(self) -> str:
        return f"worktrees/{self.record.id}"

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def branch(self) -> str:
        return self.record.branch

    @property
    def path(self) -> str:
        """Its folder on the server's machine."""
        return self.record.path

    @property
    def state(self) -> str:
        """`creating`, `ready`, `failed`, `archived` or `missing`, as it is now."""
        return self.refresh().record.state.value

    @property
    def status(self) -> WorktreeStatus:
        """Its git status now: ahead, behind, dirty, files and lines changed against the base."""
        return WorktreeStatus.model_validate(self._link.get(f"{self._at}/status"))

    @property
    def issue(self) -> Issue | PullRequest | None:
        """What its issue link leads to, as its host has it. `None`: it has no such link.

        Raises:
            IssueNotFound: the host knows nothing of it, or does not show it to this server.

        """
        return issues.issue(self._link, self.refresh().record)

    @property
    def pull_request(self) -> PullRequest | None:
        """What its pull request link leads to, with the state of its checks. As `issue`."""
        return issues.pull_request(self._link, self.refresh().record)

    @property
    def kernel(self) -> Kernel:
        """The kernel with its packages, which notebooks can choose: `await worktree.kernel.start()`."""
        return Kernel(self._link, self.record.id)

    @property
    def losses(self) -> Handles[Work]:
        """The work in its folder now, wherever it is: what *archive* has to keep and *remove* refuses to delete.

        A piece that `stays` lies in the repository, and is there when the folder is gone.
        """
        found = [Work.model_validate(item) for item in self._link.items(f"{self._at}/losses")]
        return Handles("piece of work", found, columns, lambda one: one.text, lambda one: one.text, kind=Work)

    @property
    def diff(self) -> Diff:
        """Everything that differs from the base, uncommitted changes included."""
        return Diff(Patch.model_validate(self._link.get(f"{self._at}/diff")))

    @property
    def git(self) -> "git.Repo":
        """GitPython's `Repo`, to read what agents made: `git.head.commit.stats`, `git.iter_commits(turn.commit)`, blame, trees.

        It obeys no settings, hooks or filters that an agent wrote. It needs this kernel to run on the server's machine.
        """
        return gitpython.open_repo(GitPlace.model_validate(self._link.get(f"{self._at}/git")))

    @property
    def sessions(self) -> Handles[Session]:
        found = [Session(self._link, SessionRecord.model_validate(item)) for item in self._link.items("sessions", worktree=self.record.id)]
        return Handles("session", found, lambda one: columns(one.record), lambda one: one.title, kind=SessionRecord)

    def session(
        self,
        agent: str = "script",
        prompt: str | None = None,
        *,
        title: str | None = None,
        model: str | None = None,
        mode: str | None = None,
        options: Mapping[str, str] | None = None,
        allow: bool = False,
        again: bool = False,
        attach: Sequence[Attached] = (),
    ) -> Session:
        """Start a session, and prompt it.

        Running the same cell twice does not do the work twice: when this worktree has a session of this agent that began with this
        very prompt and these options, and whose turn did not fail and was not cancelled or interrupted, you get that one.

        Args:
            model: one that the agent offers. Default: what you prefer, else the agent's own choice.
            mode: what it may do without asking, as the agent calls it. Default: what you prefer, else one that asks.
            options: others by their ids, as `session.options` shows them.
            allow: whatever its agent asks, in your name, by a rule of the session. It counts until you revoke it.
            again: start another one in any case.
            attach: pictures and files that go with the prompt, as in `Session.prompt`. With any, another session is started.

        """
        wanted = chosen(model, mode, options)
        check_length(prompt)
        if prompt is not None and not again and not attach and (known := self._begun_with(agent, prompt, wanted)):
            record, turn = known
            if allow:
                rules.allow_anything(self._link, record.id)
            return Session(self._link, record, turn=turn)
        with checked():
            attachments = upload(self._link, self.record.id, attach)
            body = SessionCreate(
                worktree_id=self.record.id, agent=agent, title=title, prompt=prompt, attachments=attachments, options=wanted, allow=allow
            )
        return Session(self._link, SessionRecord.model_validate(self._link.post("sessions", body)))

    def _begun_with(self, agent: str, prompt: str, wanted: dict[str, str]) -> tuple[SessionRecord, TurnRecord] | None:
        for item in self._link.items("sessions", worktree=self.record.id, agent=agent):
            record = SessionRecord.model_validate(item)
            if not wanted.items() <= record.chosen.items():
                continue
            turns = [TurnRecord.model_validate(turn) for turn in self._link.items(f"sessions/{record.id}/turns")]
            if turns and turns[0].prompt == prompt and turns[0].state.value not in _OVER and record.archived_at is None:
                return record, turns[0]
        return None

    @property
    def history(self) -> Handles[Conversation]:
        """Conversations that agents' own programs stored on the server's machine for this folder and its repository. For owners."""
        found = [Conversation.model_validate(item) for item in self._link.items(f"{self._at}/history")]
        return Handles("conversation", found, columns, lambda one: one.agent_session_id, _conversation_line, kind=Conversation)

    def import_conversation(self, conversation: Conversation | str, agent: str | None = None) -> Session:
        """Turn one of `history` into a session, with its turns. Importing it again returns the same session.

        Args:
            conversation: one of `history`, or its `agent_session_id`, with its `agent`.

        """
        with checked():
            body = (
                ConversationImport(agent=conversation.agent, agent_session_id=conversation.agent_session_id)
                if isinstance(conversation, Conversation)
                else ConversationImport(agent=agent or "", agent_session_id=conversation)
            )
        return Session(self._link, SessionRecord.model_validate(self._link.post(f"{self._at}/import", body)))

    @property
    def environment(self) -> Environment:
        """Its services. `worktree.environment.start().wait()` starts them and waits until they are healthy.

        Raises:
            EnvironmentNotFound: the repository describes none.

        """
        return environments.of(self._link, self.record.id)

    @property
    def data(self) -> Data:
        """What it has for itself: databases, folders and variables, with their sizes. `.reset("warehouse")` makes one anew."""
        return Data(self._link, self.record.id)

    @property
    def project_files(self) -> Handles[ProjectFile]:
        """Its agent instruction files, and which of them someone trusts. For owners."""
        return trust.of(self._link, self.record.id)

    def trust(self, *files: str | ProjectFile) -> Handles[ProjectFile]:
        """Let agents load these files with their current content, in all worktrees of the repository. For owners.

        Args:
            files: paths, or some of `project_files`, which are trusted as you saw them. A path that ends with `/` is all below that
                folder. Default: all that are not trusted yet.

        Returns:
            Them, as they are then.

        Raises:
            FileMissing: there is no such file that agents obey; it lists those that there are.
            ProjectFileChanged: one has not the content that you saw.

        """
        return trust.decide(self._link, self.record.id, files, is_trusted=True)

    def distrust(self, *files: str | ProjectFile) -> Handles[ProjectFile]:
        """Refuse these files with their current content, without a question. Default: every trusted file. For owners.

        An agent that obeys them is started anew before its next turn. Further as `trust`.
        """
        return trust.decide(self._link, self.record.id, files, is_trusted=False)

    def change(
        self,
        *,
        name: str = _SAME,
        board: str | None = _SAME,
        issue_url: str | None = _SAME,
        pull_request_url: str | None = _SAME,
        notes: str = _SAME,
        context: dict[str, Any] = _SAME,
    ) -> "Worktree":
        """Change the given fields. `None` clears a link, or takes it off its board."""
        asked = {
            "name": name,
            "board": board if board in (None, _SAME) else self._link.board_path(str(board)),
            "issue_url": issue_url,
            "pull_request_url": pull_request_url,
            "notes": notes,
            "context": context,
        }
        with checked():
            change = WorktreeChange.model_validate({field: value for field, value in asked.items() if value is not _SAME})
        self.record = WorktreeRecord.model_validate(self._link.patch(self._at, change))
        return self

    @property
    def costs(self) -> Handles[LedgerRow]:
        """What the turns in this worktree cost, one row for each turn and model, newest first."""
        return costs.costs(self._link, worktree=self.record.id)

    def budget(self, hard: float | None = None, *, soft: float | None = None) -> Budget:
        """Set how many dollars its sessions may spend. Above `soft` you are warned; above `hard` nothing starts or runs."""
        return budgets.put(self._link, "worktree", self.record.id, hard, soft)

    def retry(self) -> "Worktree":
        """Create it again after it failed, or if its folder is gone."""
        self.record = WorktreeRecord.model_validate(self._link.post(f"{self._at}/retry"))
        return self.ready()

    @property
    def ways(self) -> list[Way]:
        """The remedies if it is stuck; empty if it is not. `mend` applies one."""
        self.record = WorktreeRecord.model_validate(self._link.get(self._at))
        return list(self.record.ways)

    def mend(self, way: Way | str) -> "Worktree":
        """Apply one of its `ways`, given as the object or by its kind, such as `"remove_lock"`.

        Raises:
            NoSuchWay: it is not offered now; it lists what is.

        """
        kind = way.kind.value if isinstance(way, Way) else way
        self.record = WorktreeRecord.model_validate(self._link.post(f"{self._at}/ways/{kind}"))
        return self.ready() if self.record.state is WorktreeState.CREATING else self

    def stop_setup(self) -> "Worktree":
        """Stop the running setup command, with all its processes. Then `mend("retry")` runs it again, `mend("use")` goes without."""
        self.record = WorktreeRecord.model_validate(self._link.post(f"{self._at}/stop-setup"))
        return self

    def relocate(self, path: str | os.PathLike[str] | None = None) -> "Worktree":
        """Follow its folder after it was moved or renamed by hand. Default: where it is found."""
        where = None if path is None else str(absolute(path))
        self.record = WorktreeRecord.model_validate(self._link.post(f"{self._at}/relocate", Relocate(path=where)))
        return self

    def release(self) -> None:
        """Forget it, and leave its folder, branch and files as they are. For owners."""
        self._link.post(f"{self._at}/release")

    def archive(self) -> "Worktree":
        """Archive the folder with everything in it. `restore` brings it back as it was."""
        self.record = WorktreeRecord.model_validate(self._link.post(f"{self._at}/archive"))
        return self

    def restore(self) -> "Worktree":
        """Restore the folder as it was. Anything that could not be restored is named in `record.reason`."""
        self.record = WorktreeRecord.model_validate(self._link.post(f"{self._at}/restore"))
        return self.ready()

    @property
    def kept(self) -> Handles[Kept]:
        """What refs keep for its agents beside its branch: other branches, tags, stashes, commits on no branch. `take` merges one."""
        found = [Kept.model_validate(item) for item in self._link.items(f"{self._at}/kept")]
        return Handles("kept ref", found, columns, lambda one: one.ref, lambda one: one.text, kind=Kept)

    def would_take(self, kept: Kept | str | None = None) -> Taking:
        """What `take` would do right now: commits, files it would write, and files that would stay as they are. Nothing is changed."""
        return Taking.model_validate(self._link.get(f"{self._at}/take", ref=_ref(kept)))

    def take(self, kept: Kept | str | None = None) -> Taken:
        """Merge commits kept from an agent's sandbox into the branch: one of `kept`, or its ref, as named in the notice.

        Raises:
            Conflict: both sides changed the same lines, or something is under way in the worktree. Nothing was changed.

        """
        return Taken.model_validate(self._link.post(f"{self._at}/take", TakeRequest(ref=_ref(kept))))

    def remove(self, *, force: bool = False) -> Removal:
        """Remove it. Without `force` this is refused if work would be lost; with it, everything is kept for a while, in `hub.backups`.

        Raises:
            WouldLoseWork: something would be lost, which the error lists, and `force` is false; or an agent works there.

        """
        return Removal.model_validate(self._link.delete(self._at, force=1 if force else None))

    def ready(self) -> "Worktree":
        """Wait until it is created, and show the current step.

        Raises:
            WorktreeNotReady: it failed. The reason is in the message; `repo.worktree(…)` with the same name tries again.

        """
        self.record = following.settle_worktree(self._link, self.record)
        if self.record.state is not WorktreeState.READY:
            raise WorktreeNotReady(self.name, self.record.state.value, self.record.reason)
        return self

    def __repr__(self) -> str:
        state = "" if self.record.state is WorktreeState.READY else f", {self.record.state.value}"
        return f"Worktree {self.name!r} of {self.record.repo} on branch {self.branch}{state}"

    def _repr_html_(self) -> str:
        record = self.record
        facts = [
            ("repo", record.repo),
            ("branch", record.branch),
            ("base", record.base_ref),
            ("issue", record.issue_url or ""),
            ("", record.reason or ""),
            *(("", notice) for notice in record.notices),
            *(("way on", f"mend({way.kind.value!r}): {way.what}") for way in record.ways),
        ]
        return views.card("Worktree", record.name, record.state.value, facts)


def _ref(kept: Kept | str | None) -> str | None:
    return kept.ref if isinstance(kept, Kept) else kept


def _conversation_line(one: Conversation) -> str:
    turns = f"{one.turns} turn{'' if one.turns == 1 else 's'}"
    return f"{one.agent}: {one.title} ({turns}{', imported' if one.session_id else ''})"
