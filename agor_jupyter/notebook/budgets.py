"""A budget: how many dollars a session, a worktree, a board or a person may use, from a cell."""

from agor_jupyter.domain.budgets import Budget as BudgetRecord
from agor_jupyter.domain.budgets import BudgetScope, BudgetSet
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.handles import Handles, checked, columns
from agor_jupyter.notebook.link import Link


class Budget:
    """Above `soft` you are warned; above `hard` no turn starts, and running turns are stopped."""

    def __init__(self, link: Link, record: BudgetRecord) -> None:
        self._link, self.record = link, record

    @property
    def spent(self) -> float:
        """US dollars, estimates included, as of when the record was read."""
        return self.record.spent_usd

    @property
    def state(self) -> str:
        """`ok`, `warned` or `exhausted`, as of when the record was read."""
        return self.record.state

    def set(self, hard: float | None = None, *, soft: float | None = None) -> "Budget":
        """Replace its limits. Turns that waited for it continue."""
        self.record = put(self._link, self.record.scope, self.record.subject, hard, soft).record
        return self

    def remove(self) -> None:
        """Remove it. Turns that waited for it continue."""
        self._link.delete(f"budgets/{self.record.id}")

    def __repr__(self) -> str:
        one = self.record
        limits = [f"{name} ${limit:.2f}" for name, limit in (("soft", one.soft_usd), ("hard", one.hard_usd)) if limit is not None]
        return views.visible(f"Budget of {one.scope} {one.subject}: ${one.spent_usd:.2f} spent, {', '.join(limits)}; {one.state}")

    def _repr_html_(self) -> str:
        one = self.record
        return views.card("Budget", f"of {one.scope} {one.subject}", None, [("", repr(self).partition(": ")[2])])


def put(link: Link, scope: BudgetScope, subject: str, hard: float | None, soft: float | None) -> Budget:
    with checked():
        body = BudgetSet(scope=scope, subject=subject, hard_usd=hard, soft_usd=soft)
    return Budget(link, BudgetRecord.model_validate(link.post("budgets", body)))


def budgets(link: Link, **query: object) -> Handles[Budget]:
    found = [Budget(link, BudgetRecord.model_validate(item)) for item in link.items("budgets", **query)]
    return Handles("budget", found, lambda one: columns(one.record), lambda one: one.record.subject, kind=BudgetRecord)
