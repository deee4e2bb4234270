"""What a conversation has used until now, and what of that belongs to the turn that runs."""

from agor_jupyter.agents.protocol.acp import Message
from agor_jupyter.agents.protocol.tally import Tally
from agor_jupyter.agents.protocol.usage import Reports
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.events import TranscriptBody
from agor_jupyter.domain.sessions import Usage


class Spending:
    """`open` once; then for each turn `begin_turn`, what is heard in it, and `at_end`."""

    def __init__(self, agent: AgentType) -> None:
        self._usage = Usage()
        self._cost_before: float | None = None
        self._tally = Tally()
        self._reports = Reports(agent.usage)

    def open(self, spent_usd: float | None, spent: Usage | None, *, is_new: bool) -> None:
        self._cost_before = 0.0 if is_new else spent_usd
        self._tally.open(is_new=is_new)
        self._reports.open(spent, is_new=is_new)

    def begin_turn(self) -> None:
        self._tally.begin_turn()
        self._reports.begin_turn()

    def hear_update(self, update: Message) -> None:
        self._reports.hear(update)

    def hear_report(self, told: Usage) -> None:
        self._usage = self._usage.replace(**{name: value for name, value in told if value is not None})

    def count(self, body: TranscriptBody, model: str | None) -> None:
        """For an agent that reports within a turn how full its context is. `model`: whose report it is."""
        self._tally.hear(body, model)

    def grows(self, cost_usd: float | None) -> bool:
        """A report of this sum tells of money that was spent since."""
        return cost_usd is not None and cost_usd > (self._usage.cost_usd or 0.0)

    @property
    def spent_usd(self) -> float | None:
        """What the turn that runs has cost until now, if the agent says so in the middle of it."""
        total, before = self._usage.cost_usd, self._cost_before
        return None if total is None or before is None else total - before if total >= before else total

    @property
    def unpaid(self) -> list[ModelUsage]:
        """The tokens that the turn that runs has used beyond that, at least."""
        return self._tally.models

    def at_end(self, answer: Message) -> tuple[Usage | None, list[ModelUsage]]:
        """Tokens from the answer, context and cost from the last report; the cost of this turn is what was added to the sum."""
        total, before = self._usage.cost_usd, self._cost_before
        cost = total
        tokens, models = self._reports.at_end(answer, self._usage.context_used)
        if self.unpaid and not self.spent_usd and tokens == Usage() and not models:  # it was stopped, and does not say what that cost
            return self._usage.replace(cost_usd=None), self.unpaid
        if total is not None and before is not None and total >= before:  # less than before: the agent counts from its start
            cost = total - before
        self._cost_before = total if total is not None else before
        usage = tokens.replace(
            context_used=self._usage.context_used,
            context_size=self._usage.context_size,
            cost_usd=cost,
            is_estimate=cost is not None and before is None,
        )
        return None if usage == Usage() else usage, models
