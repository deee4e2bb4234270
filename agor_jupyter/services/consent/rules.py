"""Rules: what need not be asked again. Made and revoked by people, never by agents; looked up before a question is put to people."""

import asyncio
import os
import stat
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from agor_jupyter.domain import errors, words
from agor_jupyter.domain.events import FileChange, RuleChanged
from agor_jupyter.domain.ids import FiringId, ObjectId, RepoId, RuleId, SessionId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.permissions import McpTool, Permission
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.rules import ANYTHING, FILE_KINDS, KINDS, Allowance, Asked, Remember, Rule, RuleCreate, RuleScope, covers, is_live
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.transitions import find_worktree
from agor_jupyter.storage import firings, repos, rules, sessions
from agor_jupyter.storage.store import Store, Transaction

_FOLDER = ("cwd", "workdir", "working_directory", "workingDirectory", "directory", "dir_path")
_SPOILS = ("env", "environment", "stdin", "shell")
"""With any of these in a tool's input the command is not all that decides what happens."""
_PATHS = tuple(
    "file_path filePath filepath path abs_path absolute_path notebook_path old_path new_path source destination".split()  # noqa: SIM905
)
_Subjects = list[tuple[RuleScope, str]]
_Rules = list[Rule]


class Call(Protocol):
    """A tool call as the question tells it; `domain.events.ToolCall` is one."""

    @property
    def locations(self) -> list[str] | None: ...
    @property
    def changes(self) -> list[FileChange] | None: ...


class Question(Protocol):
    """What of an agent's question a rule looks at; `agents.protocol.questions.Question` is one."""

    @property
    def tool_kind(self) -> str: ...
    @property
    def input(self) -> JsonObject: ...
    @property
    def is_masked(self) -> bool: ...
    @property
    def is_stale(self) -> bool: ...
    @property
    def mcp_tool(self) -> McpTool | None: ...
    @property
    def call(self) -> Call | None: ...


class Zones(Protocol):
    """Which zones there are, and what lies in them; `services.boards.Boards` is one."""

    async def zone_of(self, worktree: Worktree) -> ObjectId | None: ...
    async def has_zone(self, zone_id: str) -> bool: ...


class Rules:
    def __init__(self, store: Store, clock: Clock, zones: Zones) -> None:
        self._store, self._clock, self._zones = store, clock, zones

    async def list(
        self, *, session: str | None = None, worktree: str | None = None, zone: str | None = None, repo: str | None = None
    ) -> _Rules:
        """All there ever were, or those that count for a session, a worktree, a zone or a repo: its own, then those of what it lies in.

        Errors:
            SessionNotFound, WorktreeNotFound, RepoNotFound.
        """
        if session is None and worktree is None and zone is None and repo is None:
            return await self._store.read(rules.every)
        subjects: _Subjects = []
        if session is not None:
            found, its_worktree = await self._store.read(_place, session)
            subjects += [("session", found.id), *await self._around(its_worktree)]
        if worktree is not None:
            subjects += await self._around(await self._store.read(find_worktree, worktree))
        if zone is not None:
            subjects.append(("zone", zone))
        if repo is not None:
            subjects.append(("repository", await self._store.read(_repo, repo)))
        return await self._store.read(rules.of, list(dict.fromkeys(subjects)))

    async def create(self, caller: Caller, request: RuleCreate, key: str) -> Rule:
        """Say yes beforehand. Questions that are open already stay open.

        Errors:
            BadRequest: it says nothing, or would allow anything.
            SessionNotFound, WorktreeNotFound, RepoNotFound, ObjectNotFound: there is no such subject.
        """
        caller.require(Role.OWNER, "make a rule")
        _check(request.tool_kind, request.command_prefix, request.scope)
        if request.scope == "zone" and not await self._zones.has_zone(request.subject):
            raise errors.ObjectNotFound(request.subject)
        rule_id, at = RuleId(self._clock.new_id("rule")), self._clock.now()

        def job(transaction: Transaction) -> Rule:
            subject = _subject(transaction.connection, request.scope, request.subject)
            rule = Rule(
                id=rule_id,
                scope=request.scope,
                subject=subject,
                agent=request.agent,
                tool_kind=request.tool_kind,
                command_prefix=request.command_prefix,
                expires_at=_end(at, request.expires_in_s),
                created_at=at,
                created_by=caller.person,
            )
            return _insert(transaction, rule)

        outcome = await self._store.write(lambda t: once(t, key, caller, "rule.create", request, at, job, Rule))
        return outcome.record

    async def revoke(self, caller: Caller, rule_id: str, key: str) -> Rule:
        """It allows nothing from now on, and stays readable. Revoked twice, it changes nothing.

        Errors:
            RuleNotFound.
        """
        caller.require(Role.OWNER, "revoke a rule")
        at = self._clock.now()

        def job(transaction: Transaction) -> Rule:
            rule = rules.get(transaction.connection, rule_id)
            if rule is None:
                raise errors.RuleNotFound(rule_id)
            if rule.revoked_at is not None:
                return rule
            return _save(transaction, rule.replace(revoked_at=at, revoked_by=caller.person), at)

        outcome = await self._store.write(lambda t: once(t, key, caller, "rule.revoke", rule_id, at, job, Rule))
        return outcome.record

    async def maker(self, caller: Caller, permission: Permission, wish: Remember) -> Callable[[Transaction, datetime], Rule]:
        """Makes the rule that an answer asks for, within the answer's transaction. It refuses what would not have allowed this question.

        Errors, when it is called:
            BadRequest.
        """
        worktree = await self._store.read(find_worktree, permission.worktree_id)
        zone = await self._zones.zone_of(worktree) if wish.scope == "zone" else None
        subjects: dict[RuleScope, str | None] = {
            "session": permission.session_id,
            "worktree": worktree.id,
            "zone": zone,
            "repository": worktree.repo_id,
        }
        rule_id, subject = RuleId(self._clock.new_id("rule")), subjects[wish.scope]

        def make(transaction: Transaction, at: datetime) -> Rule:
            _check_wish(permission, wish)
            if subject is None:
                raise errors.BadRequest(["remember.scope: the worktree is not in a zone"])
            rule = Rule(
                id=rule_id,
                scope=wish.scope,
                subject=subject,
                tool_kind=None if wish.command_prefix else permission.rule_kind,
                command_prefix=wish.command_prefix,
                expires_at=_end(at, wish.expires_in_s),
                created_at=at,
                created_by=caller.person,
            )
            return _insert(transaction, rule)

        return make

    async def read(self, session_id: SessionId, question: Question, firing_id: FiringId | None = None) -> Asked:
        """What rules can see of a question. One of a zone's turn is asked in that zone, wherever the card is by now."""
        session, worktree = await self._store.read(_place, session_id)
        firing = await self._store.read(firings.get, firing_id) if firing_id else None
        fired: _Subjects = [("zone", firing.zone_id)] if firing is not None else []
        inside = _Folder(worktree.path)
        is_told = not question.is_masked and not question.is_stale and question.mcp_tool is None  # whose tool could do anything
        is_ours = is_told and question.tool_kind in KINDS
        if is_ours and question.tool_kind in FILE_KINDS:
            is_ours = await asyncio.to_thread(inside.has_all, _paths(question))
        command = await asyncio.to_thread(_words, question, inside) if is_ours and question.tool_kind == "execute" else None
        is_whole = is_ours and question.tool_kind == "execute" and await asyncio.to_thread(_is_all, question, inside)
        return Asked(
            subjects=list(dict.fromkeys([("session", session.id), *fired, *await self._around(worktree)])),
            agent=session.agent,
            kind=question.tool_kind if is_ours else None,
            words=command,
            command=words.sole(question.input) if is_whole else None,
        )

    async def _around(self, worktree: Worktree) -> _Subjects:
        """A board's document is read only when a rule asks for it."""
        subjects: _Subjects = [("worktree", worktree.id)]
        if await self._store.read(rules.is_any_live, "zone", self._clock.now()) and (zone := await self._zones.zone_of(worktree)):
            subjects.append(("zone", zone))
        return [*subjects, ("repository", worktree.repo_id)]


def first(transaction: Transaction, asked: Asked, at: datetime) -> Rule | None:
    """The live rule that says yes, of the narrowest scope, the oldest of these."""
    found = rules.live(transaction.connection, asked.subjects, at)
    return next((rule for rule in found if is_live(rule, at) and covers(rule, asked)), None)


def use(transaction: Transaction, rule: Rule, at: datetime) -> None:
    """Count a question that it answered."""
    _save(transaction, rule.replace(uses=rule.uses + 1), at)


def allow_anything(transaction: Transaction, rule_id: RuleId, session_id: SessionId, caller: Caller, at: datetime) -> Rule:
    """The rule of a session that begins with it. The caller has been asked for their role."""
    rule = Rule(id=rule_id, scope="session", subject=session_id, tool_kind=ANYTHING, created_at=at, created_by=caller.person)
    return _insert(transaction, rule)


def allow_in_zone(
    transaction: Transaction, zone_id: ObjectId, made: Sequence[tuple[RuleId, Allowance]], caller: Caller, at: datetime
) -> None:
    """Rules of a zone for these commands, but for those that it has. The caller has been asked for their role."""
    known = [one for one in rules.of(transaction.connection, [("zone", zone_id)]) if is_live(one, at)]
    have = {(one.agent, one.command, tuple(one.command_prefix or ())) for one in known}
    for rule_id, allowed in made:
        if (allowed.agent, allowed.command, tuple(allowed.prefix or ())) not in have:
            rule = Rule(
                id=rule_id,
                scope="zone",
                subject=zone_id,
                agent=allowed.agent,
                command_prefix=allowed.prefix,
                command=allowed.command,
                created_at=at,
                created_by=caller.person,
            )
            _insert(transaction, rule)


def _check(kind: str | None, prefix: list[str] | None, scope: RuleScope = "session") -> None:
    problems = []
    if kind is None and prefix is None:
        problems.append("a rule needs a toolKind or a commandPrefix")
    if kind == ANYTHING and scope != "session":
        problems.append("toolKind: whatever an agent asks can be allowed for one session only")
    if kind is not None and kind not in KINDS | {ANYTHING}:
        problems.append(f"toolKind: a rule can allow {', '.join(sorted(KINDS))}; a tool of another kind could do anything")
    if kind is not None and kind != "execute" and prefix is not None:
        problems.append("toolKind: only one of kind execute has a command")
    if prefix is not None and (why := words.why_too_wide(prefix)):
        problems.append(f"commandPrefix: {why}")
    if problems:
        raise errors.BadRequest(problems)


def _check_wish(permission: Permission, wish: Remember) -> None:
    prefix = wish.command_prefix
    if prefix is None:
        if permission.rule_kind is None:
            raise errors.BadRequest(["remember: no rule can cover a question like this; answer it without"])
    elif permission.rule_words is None or permission.rule_words[: len(prefix)] != prefix:
        raise errors.BadRequest([f"remember.commandPrefix: no command that starts with {' '.join(prefix)!r} was asked for"])
    _check(permission.rule_kind if prefix is None else None, prefix)


def _end(at: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else at + timedelta(milliseconds=max(1, round(seconds * 1000)))


def _insert(transaction: Transaction, rule: Rule) -> Rule:
    rules.insert(transaction, rule)
    transaction.append(rule.created_at, RuleChanged(rule=rule))
    return rule


def _save(transaction: Transaction, rule: Rule, at: datetime) -> Rule:
    rules.save(transaction, rule)
    transaction.append(at, RuleChanged(rule=rule))
    return rule


def _place(connection: Connection, session_id: str) -> tuple[Session, Worktree]:
    session = sessions.get(connection, session_id)
    if session is None:
        raise errors.SessionNotFound(session_id)
    return session, find_worktree(connection, session.worktree_id)


def _repo(connection: Connection, name: str) -> RepoId:
    repo = repos.find(connection, name)
    if repo is None:
        raise errors.RepoNotFound(name)
    return repo.id


def _subject(connection: Connection, scope: RuleScope, subject: str) -> str:
    match scope:
        case "session":
            return _place(connection, subject)[0].id
        case "worktree":
            return find_worktree(connection, subject).id
        case "repository":
            return _repo(connection, subject)
        case "zone":
            return subject


# What a question is about


class _Folder:
    """A worktree's folder, and what is plainly a file of it: nothing outside, also not through a link, and nothing that begins with a dot.

    `.git`, `.claude` or `.env` change what git, an agent or a shell does next.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def has(self, path: str) -> bool:
        if not path or path.startswith("~") or "\0" in path or "://" in path:
            return False
        root = Path(os.path.realpath(self._path))
        for one in (Path(os.path.normpath(self._path / path)), Path(os.path.realpath(self._path / path))):
            base = next((base for base in (root, self._path) if one.is_relative_to(base)), None)
            parts = one.relative_to(base).parts if base is not None else ()
            if not parts or any(part.startswith(".") for part in parts) or _is_linked(one):
                return False
        return True

    def has_all(self, paths: list[str]) -> bool:
        """`False` also when none is known."""
        return bool(paths) and all(map(self.has, paths))

    def is_folder_of(self, path: str) -> bool:
        """The folder itself, or one in it."""
        return os.path.realpath(self._path / path) == os.path.realpath(self._path) or self.has(path)


def _is_linked(path: Path) -> bool:
    """It has another name, which may lie anywhere."""
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_nlink > 1


def _paths(question: Question) -> list[str]:
    """All paths that the tool's call names. One that is no text is as good as one outside."""
    call = question.call
    found = [*(call.locations or []), *(change.path for change in call.changes or [])] if call else []
    named: list[object] = []
    for given in (question.input, words.inner(question.input)):
        named += [given[name] for name in _PATHS if given.get(name) is not None]
        changed = given.get("changes")
        named += list(changed) if isinstance(changed, dict) else []
    return [*found, *(path if isinstance(path, str) else "" for path in named)]


def _words(question: Question, folder: _Folder) -> list[str] | None:
    """The command's words, when the command is all that decides what happens."""
    return words.of_input(question.input) if _is_all(question, folder) else None


def _is_all(question: Question, folder: _Folder) -> bool:
    """Whether the command is all that decides what happens."""
    for given in (question.input, words.inner(question.input)):
        folders = [given[name] for name in _FOLDER if given.get(name) is not None]
        if any(given.get(name) for name in _SPOILS) or not all(isinstance(one, str) and folder.is_folder_of(one) for one in folders):
            return False
    return True
