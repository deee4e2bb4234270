"""What turns cost, as a list in a cell and as a DataFrame."""

from agor_jupyter.domain.costs import LedgerRow
from agor_jupyter.notebook.handles import Handles, columns
from agor_jupyter.notebook.link import Link


def costs(link: Link, **query: object) -> Handles[LedgerRow]:
    """One row for each turn and model, newest first."""
    found = [LedgerRow.model_validate(item) for item in link.items("ledger", **query)]
    return Handles("cost", found, columns, lambda row: row.turn_id, _line, kind=LedgerRow)


def dollars(cost: float | None, *, is_estimate: bool = False) -> str:
    if cost is None:
        return "cost unknown"
    return f"${cost:.4f}{' (estimate)' if is_estimate else ''}"


def _line(row: LedgerRow) -> str:
    tokens = f"{row.input_tokens or 0:,} in, {row.output_tokens or 0:,} out"
    return f"{row.at:%Y-%m-%d %H:%M} {row.agent} {row.model or ''}: {dollars(row.cost_usd, is_estimate=row.is_estimate)}, {tokens}"
