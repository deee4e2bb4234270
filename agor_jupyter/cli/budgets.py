"""`jupyter agor budget`."""

from typing import Annotated

import typer

from agor_jupyter.cli.output import AsJson, show_json, table
from agor_jupyter.cli.reach import budget as find
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import session as find_session
from agor_jupyter.cli.reach import worktree as find_worktree
from agor_jupyter.domain.budgets import Budget, BudgetScope, BudgetSet

app = typer.Typer(no_args_is_help=True)
Scope = Annotated[BudgetScope, typer.Argument(metavar="SCOPE", help="session, tree, worktree, board or user.")]
Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="Which one: named as in other commands; a person by username.")]


def _show(found: list[Budget]) -> None:
    def dollars(limit: float | None) -> str | None:
        return None if limit is None else f"${limit:.2f}"

    rows = [
        (one.scope, one.subject, f"${one.spent_usd:.2f}", dollars(one.soft_usd), dollars(one.hard_usd), one.state, one.id) for one in found
    ]
    table(["scope", "of", "spent", "soft", "hard", "state", "id"], rows, "No budgets.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List budgets and how much of each is spent."""
    found = [Budget.model_validate(item) for item in link().items("budgets")]
    if as_json:
        show_json(found)
    else:
        _show(found)


@app.command("set")
def set_(
    scope: Scope,
    subject: Subject,
    hard: float | None = typer.Option(None, help="US dollars above which no turn starts and running turns are stopped."),
    soft: float | None = typer.Option(None, help="US dollars above which you are warned."),
    as_json: AsJson = False,
) -> None:
    """Set a budget, or change its limits."""
    if scope == "session":
        subject = find_session(subject).id
    elif scope == "worktree":
        subject = find_worktree(subject).id
    elif scope == "board":
        subject = link().board_path(subject)
    made = Budget.model_validate(link().post("budgets", BudgetSet(scope=scope, subject=subject, hard_usd=hard, soft_usd=soft)))
    if as_json:
        show_json(made)
    else:
        _show([made])


@app.command()
def remove(
    budget: Annotated[str, typer.Argument(metavar="BUDGET", help="Id, or the end of it.")],
    as_json: AsJson = False,
) -> None:
    """Remove a budget. Turns that waited for it continue."""
    removed = Budget.model_validate(link().delete(f"budgets/{find(budget).id}"))
    if as_json:
        show_json(removed)
    else:
        _show([removed])
