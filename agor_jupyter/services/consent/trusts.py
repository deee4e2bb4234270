"""Trust: what agents obey of a worktree's files. None of it counts before an owner has trusted its content."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from agor_jupyter.agents.protocol.questions import Question
from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.events import TrustChanged
from agor_jupyter.domain.ids import RepoId, TrustId
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.permissions import Permission, PermissionOption
from agor_jupyter.domain.records import Record
from agor_jupyter.domain.trust import ProjectFile, Sight, Trust, TrustRequest, lies_in
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.git import project
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.transitions import find_worktree
from agor_jupyter.storage import trusts
from agor_jupyter.storage.store import Store, Transaction

TRUST, WITHOUT = "trust", "without"
"""The answers to `question`."""
DECIDED = "decided"
"""Instead of an answer: somebody decided elsewhere."""


_Files = list[ProjectFile]
_Trusts = list[Trust]


class _Decided(Record):
    trusts: list[Trust]


class Trusts:
    on_decided: Callable[[], Awaitable[None]] | None = None
    """Is called when somebody decided, but not by answering a question."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        obeyed: Mapping[str, list[str]],
        *,
        trusts_all: bool,
        others: Callable[[Worktree], Awaitable[list[str]]] | None = None,
    ) -> None:
        """`obeyed` are the project files of each agent, by its name. `others` are paths of files that no agent obeys, and that an owner
        has to trust all the same: what the server itself would run by them.
        """
        self._store, self._clock, self._obeyed, self._trusts_all, self._others = store, clock, obeyed, trusts_all, others

    async def list(self, worktree_id: str) -> _Files:
        """What any agent would obey of a worktree, or the server would run by it, and who trusts it.

        Errors:
            WorktreeNotFound.
        """
        worktree = await self._store.read(find_worktree, worktree_id)
        others = [] if self._others is None else await self._others(worktree)
        found = await self._look(worktree, [*(path for paths in self._obeyed.values() for path in paths), *others])
        return [file.replace(agents=sorted(name for name, paths in self._obeyed.items() if lies_in(file.path, paths))) for file in found]

    async def look(self, worktree: Worktree, agent: str) -> Sight:
        """What this agent would obey there, as it is now."""
        paths = self._obeyed.get(agent)
        return Sight(tuple(file.replace(agents=[agent]) for file in await self._look(worktree, paths)) if paths else ())

    async def judge(self, worktree: Worktree, path: str, sha256: str) -> ProjectFile:
        """What was said of a file with this content, whatever it holds now."""
        file = ProjectFile(path=path, sha256=sha256)
        if self._trusts_all:
            return file.replace(state="trusted")
        return _judged(file, await self._store.read(trusts.of, worktree.repo_id, [path]))

    async def decide(self, caller: Caller, worktree_id: str, request: TrustRequest, key: str) -> _Trusts:
        """Trust files, or refuse to, with exactly the content that was looked at. It counts in all worktrees of the repository.

        Errors:
            WorktreeNotFound.
            ProjectFileChanged: one has another content now, or is not there.
        """
        caller.require(Role.OWNER, "trust files")
        worktree = await self._store.read(find_worktree, worktree_id)
        there = {file.path: file.sha256 for file in await self.list(worktree.id)}
        if changed := sorted(path for path, sha256 in request.files.items() if there.get(path) != sha256):
            raise errors.ProjectFileChanged(worktree.name, changed)
        at = self._clock.now()

        def job(transaction: Transaction) -> _Decided:
            return _Decided(
                trusts=self._save(transaction, worktree.repo_id, request.files, caller.person, at, is_trusted=request.is_trusted)
            )

        outcome = await self._store.write(lambda t: once(t, key, caller, "trust.decide", [worktree_id, request], at, job, _Decided))
        if self.on_decided is not None:
            await self.on_decided()
        return outcome.record.trusts

    async def is_decided(self, permission: Permission) -> bool:
        """Whether all files that a question is about have been decided about by now, with the content that it asks about."""
        files = permission.files or []
        worktree = await self._store.read(find_worktree, permission.worktree_id)
        said = await self._store.read(trusts.of, worktree.repo_id, [file.path for file in files])
        return {(file.path, file.sha256) for file in files} <= {(one.path, one.sha256) for one in said}

    def answer(self, transaction: Transaction, permission: Permission, *, is_trusted: bool) -> None:
        """Write down what a person answered to the question about these files."""
        by, at = permission.answered_by, permission.answered_at
        assert by is not None
        assert at is not None
        files = {file.path: file.sha256 for file in permission.files or () if file.sha256 is not None}
        repo_id = find_worktree(transaction.connection, permission.worktree_id).repo_id
        self._save(transaction, repo_id, files, by, at, is_trusted=is_trusted)

    async def _look(self, worktree: Worktree, paths: Collection[str]) -> _Files:
        found = await asyncio.to_thread(project.find, Path(worktree.path), paths)
        if self._trusts_all:
            return [file.replace(state="trusted") for file in found]
        said = await self._store.read(trusts.of, worktree.repo_id, [file.path for file in found]) if found else []
        return [_judged(file, [one for one in said if one.path == file.path]) for file in found]

    def _save(  # what a Trust is
        self, transaction: Transaction, repo_id: RepoId, files: Mapping[str, str], by: Person, at: datetime, *, is_trusted: bool
    ) -> _Trusts:
        made = []
        for path, sha256 in files.items():
            trust_id = TrustId(self._clock.new_id("trust"))
            trust = Trust(id=trust_id, repo_id=repo_id, path=path, sha256=sha256, is_trusted=is_trusted, decided_at=at, decided_by=by)
            trusts.insert(transaction, trust)
            transaction.append(at, TrustChanged(trust=trust))
            made.append(trust)
        return made


def question(agent: AgentType, sight: Sight) -> Question:
    """What people are asked before the agent starts."""
    files, how = sight.open, agent.files.without_project
    is_avoidable = how is not None and not any(lies_in(file.path, how.except_files) for file in sight.untrusted)
    return Question(
        title=f"{agent.label} wants to load instruction files that nobody trusts",
        tool_kind="trust",
        command="\n".join(file.path for file in files),
        input={},
        files=[file.replace(text=None) for file in files],  # it may hold what must not be stored
        options=[
            PermissionOption(id=TRUST, name="Trust these files", kind="allow_always"),
            PermissionOption(id=WITHOUT, name="Continue without them" if is_avoidable else "Do not start it", kind="reject_always"),
        ],
    )


def _judged(file: ProjectFile, said: Iterable[Trust]) -> ProjectFile:
    """With what was said last about this content, else with whether anything was said about another one."""
    last: Trust | None = None
    is_known = False
    for one in said:
        is_known = True
        last = one if one.sha256 == file.sha256 else last
    if last is None:
        return file.replace(state="changed" if is_known else "new")
    state = "trusted" if last.is_trusted else "refused"
    return file.replace(state=state, decided_by=last.decided_by, decided_at=last.decided_at)
