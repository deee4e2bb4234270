"""Schedules, for callers: make, change, pause and remove them, run one now, and look at what came of them."""

import asyncio
import builtins
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from agor_jupyter.domain import errors, times
from agor_jupyter.domain.boards import Zone
from agor_jupyter.domain.ids import ScheduleId, SessionId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.schedules import (
    HOOKED,
    BranchMoved,
    Cron,
    InFresh,
    InZone,
    NextTimes,
    Schedule,
    ScheduleChange,
    ScheduleCreate,
    ScheduleMade,
    SchedulePlan,
    TimesAsked,
    ZoneFinished,
    in_words,
)
from agor_jupyter.domain.sessions import SessionCreate
from agor_jupyter.domain.slots import LIVE_SLOTS, Calendar, Slot, SlotState, Upcoming
from agor_jupyter.domain.worktrees import WorktreeState
from agor_jupyter.git import names
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.agents.options import Options
from agor_jupyter.services.agents.secrets import Secrets
from agor_jupyter.services.boards.boards import Boards
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.config import Config
from agor_jupyter.services.schedules import slots as kept
from agor_jupyter.services.schedules.runs import Runs
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.services.zones import gates
from agor_jupyter.storage import schedules, slots
from agor_jupyter.storage.store import Store, Transaction

_SEALED_AS = "schedule"
_LONGEST = timedelta(days=62)
_MOST_SLOTS, _MOST_UPCOMING = 2_000, 200


class Schedules:
    def __init__(  # noqa: PLR0917  # what it is wired to
        self,
        store: Store,
        clock: Clock,
        config: Config,
        boards: Boards,
        repos: Repos,
        worktrees: Worktrees,
        agents: Agents,
        options: Options,
        runs: Runs,
    ) -> None:
        self._store, self._clock, self._config, self._boards = store, clock, config, boards
        self._repos, self._worktrees, self._agents, self._options, self._runs = repos, worktrees, agents, options, runs
        self._secrets = Secrets(config.key_file, config.data_dir)

    # Look

    async def list(self, board: str | None = None) -> bytes:
        """A JSON array of schedules, by name."""
        return _array(await self._store.read(schedules.listed, board))

    async def get(self, schedule_id: str) -> Schedule:
        """Raises `ScheduleNotFound`."""
        return await self._store.read(kept.find_schedule, schedule_id)

    async def slot(self, slot_id: str) -> Slot:
        """Raises `SlotNotFound`."""
        return await self._store.read(kept.find, slot_id)

    async def slots(
        self,
        *,
        schedule: str | None = None,
        board: str | None = None,
        is_live: bool | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> bytes:
        """A JSON array of slots, the newest first."""
        found = await self._store.read(slots.page, schedule=schedule, board=board, is_live=is_live, after=after, limit=limit)
        return _array(found)

    def preview(self, asked: TimesAsked) -> NextTimes:
        """When a plan would come next, counted from now."""
        now = self._clock.now()
        zone = asked.zone or (asked.when.zone if isinstance(asked.when, Cron) else "UTC")
        found = times.following(asked.when, now, now, asked.count)
        return NextTimes(moments=found, texts=[times.in_zone(one, zone) for one in found], words=in_words(asked.when))

    async def next_times(self, schedule_id: str, count: int = 5, zone: str | None = None) -> NextTimes:
        """When it comes next. None while it is paused, over, or waits for something to happen."""
        schedule = await self.get(schedule_id)
        zone = zone or (schedule.when.zone if isinstance(schedule.when, Cron) else "UTC")
        found = times.following(schedule.when, self._clock.now(), schedule.since, count) if schedule.is_waiting else []
        return NextTimes(moments=found, texts=[times.in_zone(one, zone) for one in found], words=in_words(schedule.when))

    async def calendar(self, board: str | None, since: datetime, until: datetime) -> Calendar:
        """What was and what will be in this span.

        Errors:
            BadRequest: it is longer than 62 days, or ends before it begins.
        """
        if not timedelta(0) < until - since <= _LONGEST:
            raise errors.BadRequest([f"to: a time after “from”, at most {_LONGEST.days} days later"])
        found = await self._store.read(slots.page, board=board, since=since, until=until, limit=_MOST_SLOTS)
        known = [Schedule.model_validate_json(one) for one in await self._store.read(schedules.listed, board)]
        start = max(since, self._clock.now())
        upcoming = await asyncio.to_thread(_upcoming, known, start, until)
        were = sorted((Slot.model_validate_json(one) for one in found), key=lambda one: one.planned_at)
        return Calendar(slots=were, upcoming=upcoming)

    # Change

    async def create(self, caller: Caller, request: ScheduleCreate, key: str) -> ScheduleMade:
        """Errors:
        BadPath, AlreadyExists, WorktreeNotFound, RepoNotFound, ObjectNotFound, AgentNotFound, BadOption, NotebookGate, CardElsewhere.
        NotAllowed: only an owner may let it ask nobody, or choose a mode in which the agent asks less. SecretsLocked.
        """
        caller.require(Role.STEERER, "create a schedule")
        return await self._create(caller, request, key)

    async def create_as_agent(self, caller: Caller, session_id: SessionId, request: ScheduleCreate, key: str) -> Schedule:
        """One that waits for a person's yes.

        Errors:
            NotAllowed: it is over a limit that the server's configuration sets.
        """
        who, limit, apart = caller.person.name, self._config.max_agent_schedules, self._config.agent_schedule_interval
        known = [Schedule.model_validate_json(one) for one in await self._store.read(schedules.listed, request.board)]
        if sum(one.origin_session_id is not None and not (one.is_over or one.is_paused) for one in known) >= limit:
            raise errors.NotAllowed(who=who, action=f"have more than {limit} schedules on this board", needs=Role.OWNER.value)
        now = self._clock.now()
        coming = times.following(request.when, now, now, 20)
        if any(later - sooner < apart for sooner, later in pairwise(coming)):
            minutes = apart.total_seconds() / 60
            raise errors.NotAllowed(who=who, action=f"make a schedule that comes more often than every {minutes:g} minutes", needs="owner")
        if request.when.kind in HOOKED or request.allow:
            raise errors.NotAllowed(who=who, action="make a schedule that asks nobody, or that has an address", needs="owner")
        most = self._config.agent_schedule_usd
        request = request.replace(day_usd=min(request.day_usd or most, most))
        return (await self._create(caller, request, key, session_id)).schedule

    async def _create(self, caller: Caller, request: ScheduleCreate, key: str, session_id: SessionId | None = None) -> ScheduleMade:
        board = self._boards.check(request.board)
        await self._check(caller, request, board)
        at, made_id = self._clock.now(), ScheduleId(self._clock.new_id("schedule"))
        secret, sealed = await self._secret(request.when.kind, made_id)

        def job(transaction: Transaction) -> Schedule:
            if schedules.named(transaction.connection, board, request.name) is not None:
                raise errors.AlreadyExists("Schedule", request.name)
            made = Schedule(
                **dict(request),
                id=made_id,
                needs_yes=session_id is not None,
                since=at,
                origin_session_id=session_id,
                created_by=caller.person,
                created_at=at,
                by=caller.person,
                role=caller.role,
                updated_at=at,
            )
            schedules.insert(transaction, made, at, sealed)
            return kept.save_schedule(transaction, kept.reckoned(made, at), at)

        outcome = await self._store.write(once, key, caller, "schedule.create", request, at, job, Schedule)
        if not outcome.is_new and secret is not None:
            secret = await self.secret_of(outcome.record.id)
        return _made(outcome.record, secret)

    async def change(self, caller: Caller, schedule_id: str, change: ScheduleChange) -> ScheduleMade:
        """From now on it acts in the caller's name. Its next time is reckoned again.

        Errors:
            As `create`. BadRequest: with these changes, it could not be; a line says why for each field.
        """
        caller.require(Role.STEERER, "change a schedule")
        before = await self.get(schedule_id)
        changes = change.changed()
        plan = change.applied_to(before)
        await self._check(caller, plan, before.board)
        at = self._clock.now()
        needs_secret = plan.when.kind in HOOKED and before.when.kind not in HOOKED
        secret, sealed = await self._secret(plan.when.kind, before.id) if needs_secret else (None, None)

        def job(transaction: Transaction) -> Schedule:
            now = _held(transaction, schedule_id)
            change.applied_to(now)  # somebody else may have changed it meanwhile
            other = schedules.named(transaction.connection, now.board, plan.name)
            if other is not None and other.id != now.id:
                raise errors.AlreadyExists("Schedule", plan.name)
            is_moved = now.when != plan.when
            more: dict[str, object] = {"since": at, "is_over": False, "seen": None, "looked_at": None, "trouble": None} if is_moved else {}
            changed = now.replace(**{**changes, **more}, by=caller.person, role=caller.role, updated_at=at)
            if sealed is not None:
                schedules.seal(transaction, now.id, sealed)
            return kept.save_schedule(transaction, kept.reckoned(changed, at), at)

        return _made(await self._store.write(job), secret)

    async def renew_secret(self, caller: Caller, schedule_id: str) -> ScheduleMade:
        """Another secret for its address. The one before it opens nothing any more.

        Errors:
            Conflict: it has no address.
        """
        caller.require(Role.STEERER, "change a schedule")
        schedule = await self.get(schedule_id)
        secret, sealed = await self._secret(schedule.when.kind, schedule.id)
        if sealed is None:
            raise errors.Conflict(f"Schedule {schedule.name!r} has no address: it is {in_words(schedule.when)}.", subject=schedule.id)
        await self._store.write(schedules.seal, schedule.id, sealed)
        return _made(schedule, secret)

    async def pause(self, caller: Caller, schedule_id: str) -> Schedule:
        """Let nothing start. What runs goes on, and moments that pass are not made up for."""
        caller.require(Role.STEERER, "pause a schedule")
        return await self._set(schedule_id, is_paused=True)

    async def resume(self, caller: Caller, schedule_id: str) -> Schedule:
        """Go on with the next moment."""
        caller.require(Role.STEERER, "resume a schedule")
        return await self._set(schedule_id, is_paused=False, seen=None, looked_at=None)

    async def approve(self, caller: Caller, schedule_id: str) -> Schedule:
        """Say yes to one that an agent made. It acts in the caller's name then.

        Errors:
            Conflict: it waits for no yes.
        """
        caller.require(Role.STEERER, "say yes to a schedule")
        schedule = await self.get(schedule_id)
        self._require_waiting(schedule)
        await self._check(caller, schedule, schedule.board)
        at = self._clock.now()
        return await self._set(schedule_id, needs_yes=False, since=at, by=caller.person, role=caller.role, updated_at=at)

    async def reject(self, caller: Caller, schedule_id: str) -> Schedule:
        """Say no to one that an agent made: it is removed.

        Errors:
            Conflict: it waits for no yes.
        """
        caller.require(Role.STEERER, "say no to a schedule")
        self._require_waiting(await self.get(schedule_id))
        return await self._set(schedule_id, is_removed=True)

    @staticmethod
    def _require_waiting(schedule: Schedule) -> None:
        if not schedule.needs_yes or schedule.is_removed:
            raise errors.Conflict(f"Schedule {schedule.name!r} does not wait for a person's yes.", subject=schedule.id)

    async def remove(self, caller: Caller, schedule_id: str) -> Schedule:
        """It is not listed any more, and nothing of it starts. Its slots stay, and what runs goes on."""
        caller.require(Role.STEERER, "remove a schedule")
        removed = await self._set(schedule_id, is_removed=True)
        for slot in await self._store.read(slots.live_of, removed.id):
            if slot.state is SlotState.PLANNED:
                await self._runs.cancel(slot, caller.person, f"{caller.person.name} removed the schedule.")
        return removed

    async def run(self, caller: Caller, schedule_id: str, key: str) -> Slot:
        """Plan a slot for now, also while it is paused.

        Errors:
            Conflict: it waits for a person's yes, or was removed.
        """
        caller.require(Role.STEERER, "run a schedule")
        at = self._clock.now()

        def job(transaction: Transaction) -> Slot:
            schedule = _held(transaction, schedule_id)
            if schedule.needs_yes or schedule.is_removed:
                why = "waits for a person's yes" if schedule.needs_yes else "was removed"
                raise errors.Conflict(f"Schedule {schedule.name!r} {why}, so it cannot be run.", subject=schedule.id)
            happening = kept.Happening(key=f"run {key}", planned_at=at, cause="person", caused_by=f"run by {caller.person.name}")
            schedule, slot = kept.add(transaction, schedule, happening, at)
            if slot is None:
                raise errors.KeyReused(key)
            kept.save_schedule(transaction, schedule, at)
            return slot

        return (await self._store.write(once, key, caller, "schedule.run", [schedule_id], at, job, Slot)).record

    async def cancel(self, caller: Caller, slot_id: str) -> Slot:
        """Stop a slot.

        Errors:
            SlotNotOpen: it is over.
        """
        caller.require(Role.STEERER, "cancel this slot")
        slot = await self.slot(slot_id)
        if slot.state not in LIVE_SLOTS:
            raise errors.SlotNotOpen(slot.schedule, slot.id, slot.state.value, "cancelled")
        return await self._runs.cancel(slot, caller.person, f"{caller.person.name} cancelled it.")

    # What others need

    async def secret_of(self, schedule_id: str) -> str | None:
        """Of its address. Raises `SecretsLocked`."""
        sealed = await self._store.read(schedules.secret, schedule_id)
        return None if sealed is None else await asyncio.to_thread(self._secrets.decrypt, _SEALED_AS, schedule_id, sealed)

    async def _secret(self, kind: str, schedule_id: str) -> tuple[str | None, str | None]:
        """A new one, and the same encrypted. `None`: what has no address needs none."""
        if kind not in HOOKED:
            return None, None
        secret = secrets.token_urlsafe(32)
        return secret, await asyncio.to_thread(self._secrets.encrypt, _SEALED_AS, schedule_id, secret)

    async def _set(self, schedule_id: str, **changes: object) -> Schedule:
        at = self._clock.now()

        def job(transaction: Transaction) -> Schedule:
            now = _held(transaction, schedule_id)
            return kept.save_schedule(transaction, kept.reckoned(now.replace(**changes), at), at)

        return await self._store.write(job)

    async def _check(self, caller: Caller, plan: SchedulePlan, board: str) -> None:
        """Refuse what could not start."""
        if plan.allow:
            caller.require(Role.OWNER, "let a schedule ask nobody")
        if plan.agent or plan.options:
            agent = self._agents.get(plan.agent or str(SessionCreate.model_fields["agent"].default))
            self._options.check_mode(caller, agent.name, plan.options)
            self._options.check_start(agent, plan.options)
        if plan.notebook and not gates.has_papermill():
            raise errors.NotebookGate(plan.name)
        if isinstance(plan.when, BranchMoved):
            names.check_existing(plan.when.branch, "Branch")
        zones = [plan.target.zone_id] if isinstance(plan.target, InZone) else []
        zones += [plan.when.zone_id] if isinstance(plan.when, ZoneFinished) else []
        await self._check_zones(board, zones)
        if isinstance(plan.target, InFresh):
            await self._repos.get(plan.target.repo_id)
            return
        worktree = await self._worktrees.get(plan.target.worktree_id)
        if worktree.state is WorktreeState.ARCHIVED:
            raise errors.WorktreeNotReady(worktree.name, worktree.state.value, worktree.reason)
        if worktree.board != board:
            raise errors.CardElsewhere(worktree.name, f"does not lie on {board}", "Put the worktree on that board first.")

    async def _check_zones(self, board: str, zone_ids: Sequence[str]) -> None:
        if not zone_ids:
            return
        objects = (await self._boards.edits.view(board)).objects
        for zone_id in zone_ids:
            if not isinstance(objects.get(zone_id), Zone):  # type: ignore[call-overload]  # any text may be asked for
                raise errors.ObjectNotFound(zone_id)


def _held(transaction: Transaction, schedule_id: str) -> Schedule:
    schedule = schedules.hold(transaction, schedule_id)
    if schedule is None:
        raise errors.ScheduleNotFound(schedule_id)
    return schedule


def _made(schedule: Schedule, secret: str | None) -> ScheduleMade:
    hook = f"agor/hooks/{schedule.id}" if schedule.when.kind in HOOKED else None
    return ScheduleMade(schedule=schedule, hook=hook, secret=secret)


def _upcoming(known: Sequence[Schedule], start: datetime, until: datetime) -> builtins.list[Upcoming]:
    found = [
        Upcoming(schedule_id=one.id, schedule=one.name, at=moment)
        for one in known
        if one.is_waiting
        for moment in times.until(one.when, start, until - timedelta(microseconds=1), one.since, _MOST_UPCOMING)
    ]
    return sorted(found, key=lambda one: (one.at, one.schedule))


def _array(records: Sequence[str]) -> bytes:
    return f"[{','.join(records)}]".encode()
