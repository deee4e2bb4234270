"""What a firing does next: a pure function of its record, so that a server that was killed goes on where it was."""

from dataclasses import dataclass
from typing import Literal

from agor_jupyter.domain.zones import Firing, FiringRun, FiringState, Gate


@dataclass(frozen=True, kw_only=True)
class Wait:
    """For turns that run, for a kernel, or for a person."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """Run this gate."""

    gate: int
    state: FiringState


@dataclass(frozen=True, kw_only=True)
class Send:
    """Send the prompt."""

    state: FiringState = FiringState.RUNNING


@dataclass(frozen=True, kw_only=True)
class Fail:
    reason: str
    state: FiringState = FiringState.FAILED


@dataclass(frozen=True, kw_only=True)
class Finish:
    """Everything passed."""

    state: FiringState = FiringState.PASSED


Step = Wait | Check | Send | Fail | Finish


def following(firing: Firing) -> Step:  # noqa: PLR0911  # it reads as a list
    """Of a live firing that nobody has to say yes to first. Gates run one after the other; prompts that were sent run at once."""
    if any(run.outcome is None for run in firing.runs):
        return Wait()
    if firing.policy.budget_usd is not None and firing.cost_usd > firing.policy.budget_usd:
        return Fail(reason=over_budget(firing))
    if failed := next((run for run in firing.runs if run.outcome == "failed"), None):
        return Fail(reason=failed.reason or "It failed.")
    if (gate := _open_gate(firing, "before")) is not None:
        return Check(gate=gate, state=FiringState.CHECKING)
    if has_prompt(firing) and not any(run.gate is None for run in firing.runs):
        return Send()
    if (gate := _open_gate(firing, "after")) is not None:
        return Check(gate=gate, state=FiringState.VERIFYING)
    return Finish()


def has_prompt(firing: Firing) -> bool:
    return bool((firing.prompt or firing.policy.prompt).strip())


def awaited(firing: Firing) -> FiringRun | None:
    """The gate that is a function and that no kernel has answered yet."""
    return next((run for run in firing.runs if run.turn_id is None and run.outcome is None), None)


def gate_of(firing: Firing, run: FiringRun) -> Gate | None:
    return firing.policy.gates[run.gate] if run.gate is not None and run.gate < len(firing.policy.gates) else None


def over_budget(firing: Firing) -> str:
    about = "about " if firing.cost_is_estimate else ""
    return f"It cost {about}${firing.cost_usd:.2f}, and its budget is ${firing.policy.budget_usd or 0:.2f}."


def _open_gate(firing: Firing, when: Literal["before", "after"]) -> int | None:
    done = {run.gate for run in firing.runs}
    return next((index for index, gate in enumerate(firing.policy.gates) if gate.when == when and index not in done), None)
