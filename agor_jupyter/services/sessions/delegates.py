"""Who uses the engine over MCP: the agent of a session, and a person's own client.

An agent of a session reads its own board, makes worktrees there, starts sessions below itself within depth and count, steers the sessions
below it, and reads the rest. It never answers a permission. A person's own client does what that person may do on one board, and answers no
permission either.
"""

import asyncio
import uuid

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.agents.protocol.questions import Question
from agor_jupyter.documents.notebooks import Json
from agor_jupyter.domain import errors
from agor_jupyter.domain.environments import Environment, EnvironmentCommand
from agor_jupyter.domain.ids import ObjectId, SessionId, WorktreeId
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.permissions import PermissionOption
from agor_jupyter.domain.schedules import Schedule, ScheduleCreate
from agor_jupyter.domain.sessions import Prompt, Session, SessionCreate, SessionFork
from agor_jupyter.domain.text import quoted
from agor_jupyter.domain.tokens import Token
from agor_jupyter.domain.turns import Turn
from agor_jupyter.domain.worktrees import Worktree, WorktreeCreate
from agor_jupyter.domain.zones import ZoneDrop, ZoneDropped
from agor_jupyter.services.sessions import deliveries
from agor_jupyter.services.sessions.delegated_places import Action
from agor_jupyter.services.sessions.delegation import MAX_WAIT_S, Delegation, WorktreeList, is_busy
from agor_jupyter.services.sessions.means import Means

_AGENT = "agent:"
_RUN = "run"
_CONSENT_S = 110.0
"""With the run itself and a kernel that is made for it, less than after what agents give up a call."""


class AgentDelegation(Delegation):
    """As one session's agent sees it. `mask` takes the agent's secrets out of what it asks for."""

    own: Session

    def __init__(self, session: Session, means: Means, mask: Mask) -> None:
        super().__init__(means)
        person = Person(username=f"{_AGENT}{session.id}", name=f"{session.agent} in “{session.title}”")
        self.own, self.board, self.mask, self.caller = session, session.board, mask, Caller(person=person, role=Role.STEERER)

    async def all_worktrees(self, *, include_archived: bool = False) -> WorktreeList:
        """Those on its board; without a board, its own."""
        if self.board is None:
            return [await self._means.worktrees.get(self.own.worktree_id)]
        return await self._means.worktrees.list(board=self.board, include_archived=include_archived)

    async def require_steering(self, session: Session, action: str) -> None:
        """Only a session of its own tree, below it: an agent that prompts itself or its parent would go round in circles."""
        if self.own.id not in await self._above(session):
            raise errors.NotAllowed(who=self.caller.person.name, action=f"{action} a session that it did not spawn", needs="owner")

    async def require_changing(self, worktree: Worktree, action: str) -> None:
        """Its own, but for archiving it, and those that it or an agent below it made."""
        if worktree.id == self.own.worktree_id and action == "change":
            return
        maker = worktree.created_by.username
        if maker.startswith(_AGENT):
            made_by = await self._means.sessions.get(maker.removeprefix(_AGENT))
            if self.own.id in {made_by.id, *await self._above(made_by)}:
                return
        raise errors.NotAllowed(who=self.caller.person.name, action=f"{action} a worktree that it did not make", needs="owner")

    async def bring(self, worktree: Worktree, zone_id: ObjectId | None) -> ZoneDropped:
        """Only where zones let agents in, and never past a gate or a person's approval."""
        return await self._means.cards.drop_as_agent(self.caller, worktree, zone_id, uuid.uuid4().hex)

    async def steer_environment(self, worktree: Worktree, action: Action, command: EnvironmentCommand) -> Environment:
        """Of its own worktree, and of those that it or an agent below it made, once an owner has started it there."""
        return await self._means.environments.act_as_agent(self.caller, worktree, action, command, uuid.uuid4().hex)

    async def agree_to_run(self, worktree: Worktree, path: str, cell: Json, kernel: str) -> None:
        """A person has to say yes to each run, with the code before their eyes: a kernel is outside of the agent's sandbox."""
        turn_id = (await self._means.sessions.get(self.own.id)).current_turn_id
        if turn_id is None:
            raise errors.RunRefused(path, "your turn is over, so nobody can be asked.")
        question = Question(
            title=f"Run a cell of {quoted(path)} ({quoted(worktree.name)}) in the kernel {quoted(kernel)}, outside of the sandbox",
            command=self.mask.text(cell["source"]),
            input={"notebook": path, "cell": cell["id"], "kernel": kernel},
            options=[
                PermissionOption(id=_RUN, name="Run it", kind="allow_once", reach="once"),
                PermissionOption(id="no", name="Do not run it", kind="reject_once", reach="once"),
            ],
        )
        try:
            async with asyncio.timeout(_CONSENT_S):
                chosen = await self._means.permissions.ask(await self._means.turns.get(turn_id), question)
        except TimeoutError:
            raise errors.RunRefused(path, f"nobody answered within {_CONSENT_S:g} s. Go on without it, or ask again later.") from None
        if chosen is None:
            raise errors.RunRefused(path, "another question of this turn is open, or the turn ends. Ask again when it is answered.")
        if chosen != _RUN:
            raise errors.RunRefused(path, "the person who was asked said no. Do not ask for the same again.")

    async def create_schedule(self, request: ScheduleCreate) -> Schedule:
        """It waits for a person's yes, within the limits that the server's configuration sets."""
        return await self._means.schedules.create_as_agent(self.caller, self.own.id, request, uuid.uuid4().hex)

    async def require_scheduling(self, schedule: Schedule, action: str) -> None:
        """Those that it or an agent below it made, unless an owner has let them ask nobody since."""
        maker = schedule.origin_session_id
        if maker is None or self.own.id not in {maker, *await self._above(await self._means.sessions.get(maker))}:
            raise errors.NotAllowed(who=self.caller.person.name, action=f"{action} a schedule that it did not make", needs="owner")
        if schedule.allow and action == "run":
            raise errors.NotAllowed(who=self.caller.person.name, action="run a schedule that asks nobody", needs="owner")

    async def create_worktree(self, name: str | None, base: str | None, repo: str | None, issue_url: str | None = None) -> Worktree:
        """Of its own repository."""
        own = await self._means.worktrees.get(self.own.worktree_id)
        if repo is not None and repo not in {own.repo_id, own.repo}:
            raise errors.NotAllowed(who=self.caller.person.name, action=f"make a worktree of {repo!r}", needs="owner")
        request = WorktreeCreate(repo=own.repo_id, name=name, base=base or own.branch, board=self.board, issue_url=issue_url)
        worktree = await self._means.worktrees.create(self.caller, request, uuid.uuid4().hex)
        return await self._means.worktrees.wait_ready(worktree.id)

    async def spawn(
        self,
        prompt: str,
        *,
        agent: str | None,
        worktree_id: str | None,
        title: str | None,
        options: dict[str, str] | None = None,
        notify: bool = False,
        budget_usd: float | None = None,
    ) -> Session:
        """A session below its own, in its own worktree or another of its board."""
        place = (await self.worktree(worktree_id)).id if worktree_id else self.own.worktree_id
        request = SessionCreate(
            worktree_id=place,
            agent=agent or self.own.agent,
            title=title,
            prompt=prompt,
            parent_id=self.own.id,
            options=options or {},
            notify=notify,
            budget_usd=budget_usd,
        )
        return await self._means.sessions.create(self.caller, request, uuid.uuid4().hex)

    async def fork(self, session_id: str, request: SessionFork) -> Session:
        """What it makes of any session of its board stands below its own, and counts there."""
        session = await self.session(session_id)
        return await self._means.sessions.fork(self.caller, session.id, request.replace(parent_id=self.own.id), uuid.uuid4().hex)

    async def prompt(self, session_id: str, text: str, *, notify: bool = False) -> Turn:
        session = await self.session(session_id)
        await self.require_steering(session, "prompt")
        prompt = Prompt(text=text, report_to=self.own.id if notify else None)
        return await self._means.sessions.prompt(self.caller, session.id, prompt, uuid.uuid4().hex)

    async def wait(self, session_id: str, timeout_s: float = MAX_WAIT_S) -> Session:
        """What it has waited for is not told to it once more."""
        session = await super().wait(session_id, timeout_s)
        if not is_busy(session):
            at = self._means.clock.now()
            for turn in await self._means.store.write(deliveries.withdraw, session.id, self.own.id, at):
                await self._means.turns.cancel(self.caller, turn.id)
        return session

    async def _above(self, session: Session) -> list[SessionId]:
        found: list[SessionId] = []
        while session.parent_id is not None and session.parent_id not in found:
            found.append(session.parent_id)
            session = await self._means.sessions.get(session.parent_id)
        return found


class PersonDelegation(Delegation):
    """As a person's own client sees it: the board of the token, in the person's name and with at most their role."""

    board: str

    def __init__(self, token: Token, role: Role, means: Means) -> None:
        super().__init__(means)
        person = token.person.replace(name=f"{token.person.name} through “{token.name}”")
        self.own, self.board, self.mask, self.caller = None, token.board, Mask(), Caller(person=person, role=role)

    async def all_worktrees(self, *, include_archived: bool = False) -> WorktreeList:
        """Those on the board."""
        return await self._means.worktrees.list(board=self.board, include_archived=include_archived)

    async def require_steering(self, session: Session, action: str) -> None:
        """Any that it sees; the services look at the role."""

    async def require_changing(self, worktree: Worktree, action: str) -> None:
        """Any that it sees; the services look at the role."""

    async def bring(self, worktree: Worktree, zone_id: ObjectId | None) -> ZoneDropped:
        """As the person does it."""
        return await self._means.cards.drop(self.caller, worktree.id, ZoneDrop(zone_id=zone_id), uuid.uuid4().hex)

    async def steer_environment(self, worktree: Worktree, action: Action, command: EnvironmentCommand) -> Environment:
        """As the person does it: an owner."""
        environments = self._means.environments
        do = environments.start if action == "start" else environments.stop
        return await do(self.caller, worktree.id, command, uuid.uuid4().hex)

    async def agree_to_run(self, worktree: Worktree, path: str, cell: Json, kernel: str) -> None:  # noqa: ARG002
        """As the person does it: an owner. Their client asks by its own rules."""
        self.caller.require(Role.OWNER, "run cells")

    async def create_schedule(self, request: ScheduleCreate) -> Schedule:
        """As the person does it."""
        return (await self._means.schedules.create(self.caller, request, uuid.uuid4().hex)).schedule

    async def require_scheduling(self, schedule: Schedule, action: str) -> None:
        """Any that it sees; the service looks at the role."""

    async def create_worktree(self, name: str | None, base: str | None, repo: str | None, issue_url: str | None = None) -> Worktree:
        """Of the repository that it names, or of the only one that the board has."""
        if repo is None:
            known = sorted({one.repo for one in await self.all_worktrees()})
            if len(known) != 1:
                raise errors.BadRequest([f"repo: name the repository; on this board are {', '.join(known) or 'none yet'}"])
            [repo] = known
        request = WorktreeCreate(repo=repo, name=name, base=base, board=self.board, issue_url=issue_url)
        worktree = await self._means.worktrees.create(self.caller, request, uuid.uuid4().hex)
        return await self._means.worktrees.wait_ready(worktree.id)

    async def spawn(
        self,
        prompt: str,
        *,
        agent: str | None,
        worktree_id: str | None,
        title: str | None,
        options: dict[str, str] | None = None,
        notify: bool = False,
        budget_usd: float | None = None,
    ) -> Session:
        """A session of the person's own, in a worktree of the board."""
        missing = [name for name, value in (("agent", agent), ("worktree_id", worktree_id)) if value is None]
        if agent is None or worktree_id is None:
            raise errors.BadRequest([f"{name}: needed, since you have no session of your own to take it from" for name in missing])
        self._require_no_report(notify=notify)
        place = WorktreeId((await self.worktree(worktree_id)).id)
        request = SessionCreate(worktree_id=place, agent=agent, title=title, prompt=prompt, options=options or {}, budget_usd=budget_usd)
        return await self._means.sessions.create(self.caller, request, uuid.uuid4().hex)

    async def fork(self, session_id: str, request: SessionFork) -> Session:
        self._require_no_report(notify=request.notify)
        session = await self.session(session_id)
        return await self._means.sessions.fork(self.caller, session.id, request, uuid.uuid4().hex)

    async def prompt(self, session_id: str, text: str, *, notify: bool = False) -> Turn:
        """Any session of the board."""
        self._require_no_report(notify=notify)
        session = await self.session(session_id)
        return await self._means.sessions.prompt(self.caller, session.id, Prompt(text=text), uuid.uuid4().hex)

    def _require_no_report(self, *, notify: bool) -> None:
        if notify:
            raise errors.BadRequest(["notify: you have no session of your own that could be told; call session_wait"])
