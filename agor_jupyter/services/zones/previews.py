"""What dropping a card would do, in words."""

from collections.abc import Mapping, Sequence

from agor_jupyter.documents.boards import View
from agor_jupyter.domain.boards import Zone
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.domain.zones import ZonePolicy
from agor_jupyter.services.zones.receivers import Receiver

_RUN = 80


def text(policy: ZonePolicy, receivers: Sequence[Receiver], labels: Mapping[str, str], view: View, *, is_there: bool, starts: bool) -> str:
    """Such as “Starts Claude in a new session, then runs pytest -q, then moves to Review.”"""
    if is_there:
        return "The card is in this zone already, so nothing starts."
    if not starts:
        return "Moves the card. Nothing starts."
    parts = [f"runs {_run(gate.run)}" for gate in policy.gates if gate.when == "before"]
    if policy.prompt.strip():
        parts.append(_prompts(policy, receivers, labels))
    parts += [f"runs {_run(gate.run)}" for gate in policy.gates if gate.when == "after"]
    if policy.needs_approval:
        parts.append("waits for a person's approval")
    target = view.objects.get(policy.next) if policy.next else None
    if isinstance(target, Zone):
        parts.append(f"moves to {target.name or 'the next zone'}")
    said = ", then ".join(parts)
    said = f"{said[:1].upper()}{said[1:]}."
    asks = policy.asks_first or (policy.target == "ask" and bool(policy.prompt.strip()))
    return f"Asks first. {said}" if asks else said


def waits(policy: ZonePolicy, worktree: Worktree, in_work: int) -> str | None:
    """Why it would wait."""
    if policy.is_paused:
        return "The zone is paused."
    if policy.limit is not None and in_work >= policy.limit:
        return f"{in_work} of {policy.limit} in work."
    if worktree.state is not WorktreeState.READY:
        return f"The worktree is {worktree.state.value}."
    return None


def _prompts(policy: ZonePolicy, receivers: Sequence[Receiver], labels: Mapping[str, str]) -> str:
    if not receivers:
        return "sends its prompt"
    first = receivers[0]
    label = labels.get(first.agent, first.agent)
    if len(receivers) > 1:
        how = {"prompt": "prompts", "fork": "forks", "spawn": "spawns a session below"}[policy.how]
        return f"{how} each of {len(receivers)} sessions"
    if first.session is None:
        return f"starts {label} in a new session"
    if policy.how == "prompt":
        return f"prompts {label} in “{first.session.title}”"
    return (
        f"starts {label} in a fork of “{first.session.title}”" if policy.how == "fork" else f"starts {label} below “{first.session.title}”"
    )


def _run(run: str) -> str:
    line = " ".join(run.split())
    return line if len(line) <= _RUN else f"{line[: _RUN - 1]}…"
