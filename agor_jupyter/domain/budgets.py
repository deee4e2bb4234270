"""A budget: how many dollars a session, a tree of sessions, a worktree, a board or a person may use."""

from typing import Literal, Self

from pydantic import Field, model_validator

from agor_jupyter.domain.ids import BudgetId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import Moment, Record, Request

BudgetScope = Literal["session", "tree", "worktree", "board", "user"]
BudgetState = Literal["ok", "warned", "exhausted"]


class Budget(Record):
    """*Saved.* One for each scope and subject."""

    id: BudgetId
    scope: BudgetScope
    subject: str
    """Id of the session, of a tree's root or of the worktree, path of the board, or username."""
    soft_usd: float | None = None
    """From here on a notice warns."""
    hard_usd: float | None = None
    """From here on no turn starts, and one that runs is cancelled."""
    spent_usd: float = 0.0
    """Estimates included."""
    state: BudgetState = "ok"
    created_at: Moment
    created_by: Person
    updated_at: Moment


class BudgetSet(Request):
    """Makes the budget of this scope and subject, or changes its limits."""

    scope: BudgetScope
    subject: str
    soft_usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    hard_usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _has_limits_in_order(self) -> Self:
        if self.soft_usd is None and self.hard_usd is None:
            raise ValueError("soft_usd or hard_usd is needed")
        if self.soft_usd is not None and self.hard_usd is not None and self.soft_usd > self.hard_usd:
            raise ValueError("soft_usd is above hard_usd")
        return self
