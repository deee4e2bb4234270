"""How a gate and a prompt begin: what is asked and filled in beforehand, and the job that begins their turns."""

from collections.abc import Callable

from agor_jupyter.domain import errors
from agor_jupyter.domain.people import Caller
from agor_jupyter.domain.sessions import Prompt, SessionChange, SessionCreate
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.domain.zones import Firing, FiringRun, FiringState
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.sessions.sessions import Sessions
from agor_jupyter.services.zones import gates, looks, moves, receivers, steps
from agor_jupyter.services.zones.moves import Job
from agor_jupyter.services.zones.prompts import Draft, Prompts
from agor_jupyter.services.zones.receivers import Receiver
from agor_jupyter.storage.store import Store, Transaction


class Beginnings:
    """Errors of all: those of starting a session or prompting one, in the name of who brought the card. `BadTemplate`, `NotebookGate`."""

    def __init__(self, store: Store, clock: Clock, agents: Agents, sessions: Sessions, prompts: Prompts) -> None:
        self._store, self._clock, self._agents, self._sessions, self._prompts = store, clock, agents, sessions, prompts

    async def check(self, step: steps.Check, firing: Firing, worktree: Worktree) -> Job:
        gate = firing.policy.gates[step.gate]
        if gate.kind == "function":
            waits = f"the function “{gate.run}”, which the kernel that set it answers"
            return self._begun(step.state, lambda _: [FiringRun(gate=step.gate)], waits)
        if gate.kind == "notebook" and not gates.has_papermill():
            raise errors.NotebookGate(firing.zone)
        agent = next(one.agent for one in self._agents.list() if one.agent.runs_blocks)
        text, title, caller = gates.prompt(gate, firing, worktree), gates.title(firing.zone, gate), _caller_of(firing)
        session_id = await self._store.read(looks.gate_session, firing, step.gate, agent.name)
        if session_id is not None:
            prompting = await self._sessions.prompting(caller, session_id, Prompt(text=text), firing.id)
        else:
            request = SessionCreate(worktree_id=worktree.id, agent=agent.name, title=title, prompt=text)
            creation = await self._sessions.creation(caller, request, firing.id)

        def begin(transaction: Transaction) -> list[FiringRun]:
            if session_id is not None:
                turn = prompting(transaction)
                return [FiringRun(gate=step.gate, session_id=turn.session_id, turn_id=turn.id)]
            session = creation(transaction)
            return [FiringRun(gate=step.gate, session_id=session.id, turn_id=session.queue[-1])]

        return self._begun(step.state, begin)

    async def send(self, firing: Firing, worktree: Worktree, draft: Draft | None) -> Job:
        found = await self._store.read(receivers.candidates, worktree.id)
        policy = firing.policy.replace(how=firing.how or firing.policy.how)
        chosen = receivers.choose(found, policy, firing.session_id, firing.agent)
        caller, options = _caller_of(firing), {**firing.policy.options, **firing.options}
        texts: list[str] = []
        begins: list[Callable[[Transaction], FiringRun]] = []
        for receiver in chosen:
            text = firing.prompt
            if text is None:
                is_ready = draft is not None and draft.is_for(receiver)
                text = draft.text if is_ready and draft else await self._prompts.render(firing, worktree, receiver)
            texts.append(text)
            begins.append(await self._beginning(caller, firing.replace(policy=policy), worktree, receiver, text, options))
        job = self._begun(FiringState.RUNNING, lambda transaction: [begin(transaction) for begin in begins])
        return lambda transaction, now, of: job(transaction, now.replace(prompt=texts[0]), of)

    async def _beginning(  # noqa: PLR0917
        self, caller: Caller, firing: Firing, worktree: Worktree, receiver: Receiver, text: str, options: dict[str, str]
    ) -> Callable[[Transaction], FiringRun]:
        """What begins one turn of the prompt."""
        session, how = receiver.session, firing.policy.how
        if session is not None and how == "prompt":
            if any(session.chosen.get(name) != value for name, value in options.items()):
                await self._sessions.change(caller, session.id, SessionChange(options=options))
            prompting = await self._sessions.prompting(caller, session.id, Prompt(text=text), firing.id)

            def prompt(transaction: Transaction) -> FiringRun:
                turn = prompting(transaction)
                return FiringRun(session_id=turn.session_id, turn_id=turn.id)

            return prompt
        request = SessionCreate(
            worktree_id=worktree.id,
            agent=receiver.agent,
            title=firing.zone or None,
            prompt=text,
            options=options,
            origin_id=session.id if session is not None and how == "fork" else None,
            parent_id=session.id if session is not None and how == "spawn" else None,
        )
        creation = await self._sessions.creation(caller, request, firing.id)

        def create(transaction: Transaction) -> FiringRun:
            made = creation(transaction)
            return FiringRun(session_id=made.id, turn_id=made.queue[-1])

        return create

    def _begun(self, state: FiringState, begin: Callable[[Transaction], list[FiringRun]], waits_for: str | None = None) -> Job:
        at = self._clock.now()

        def job(transaction: Transaction, firing: Firing, worktree: Worktree) -> Firing:
            if moves.has_left(firing, worktree):
                return moves.save(transaction, firing, at, state=FiringState.WITHDRAWN, reason="The card was moved on.")
            runs = [*firing.runs, *begin(transaction)]
            started = firing.started_at or at
            return moves.save(transaction, firing, at, state=state, runs=runs, started_at=started, waits_for=waits_for)

        return job


def _caller_of(firing: Firing) -> Caller:
    """In whose name it acts."""
    return Caller(person=firing.by, role=firing.role)
