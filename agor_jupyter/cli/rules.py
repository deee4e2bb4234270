"""`jupyter agor rule`."""

from typing import Annotated

import typer

from agor_jupyter.cli import reach
from agor_jupyter.cli.output import AsJson, show_json, table
from agor_jupyter.domain.errors import BadRequest
from agor_jupyter.domain.rules import RuleScope
from agor_jupyter.notebook import rules
from agor_jupyter.notebook.rules import Rule

app = typer.Typer(no_args_is_help=True)
Session = Annotated[str | None, typer.Option(help="For this session: id, the end of it, or title.")]
Worktree = Annotated[str | None, typer.Option(help="For all sessions in this worktree: name, REPO/NAME, or id.")]
Zone = Annotated[str | None, typer.Option(help="For the worktrees whose cards are in this zone: its id, as shown by `board show --json`.")]
Repo = Annotated[str | None, typer.Option(help="For all worktrees of this repository: name, id or path.")]


def _subjects(session: str | None, worktree: str | None, zone: str | None, repo: str | None) -> dict[RuleScope, str]:
    found: dict[RuleScope, str] = {}
    if session is not None:
        found["session"] = reach.session(session).id
    if worktree is not None:
        found["worktree"] = reach.worktree(worktree).id
    if zone is not None:
        found["zone"] = zone
    if repo is not None:
        found["repository"] = reach.repo(repo).id
    return found


@app.command("list")
def list_(session: Session = None, worktree: Worktree = None, zone: Zone = None, repo: Repo = None, as_json: AsJson = False) -> None:
    """List the rules that apply somewhere, or all of them, including revoked and expired ones."""
    query = {"repo" if scope == "repository" else scope: subject for scope, subject in _subjects(session, worktree, zone, repo).items()}
    found = rules.of(reach.link(), **query)
    if as_json:
        show_json([one.record for one in found])
        return
    rows = []
    for one in found:
        record = one.record
        rows.append((record.id, one.allows, f"{record.scope} {record.subject}", record.created_by.name, _until(one), record.uses))
    table(["rule", "allows", "for", "by", "until", "used"], rows, "No rules.")


def _until(rule: Rule) -> str:
    record = rule.record
    if record.revoked_at is not None:
        return "revoked"
    return f"{record.expires_at:%Y-%m-%d %H:%M} UTC" if record.expires_at else ""


@app.command()
def add(
    session: Session = None,
    worktree: Worktree = None,
    zone: Zone = None,
    repo: Repo = None,
    command: str | None = typer.Option(None, help="How allowed commands start, such as 'dbt build'."),
    kind: str | None = typer.Option(None, help="The kind of tool to allow, such as edit (only files in the worktree) or fetch."),
    agent: str | None = typer.Option(None, help="Only for this agent."),
    hours: float | None = typer.Option(None, help="How long it applies. Default: until it is revoked."),
    as_json: AsJson = False,
) -> None:
    """Allow a kind of tool, or commands with a given start, without asking, in your name."""
    subjects = _subjects(session, worktree, zone, repo)
    if len(subjects) != 1:
        raise BadRequest(["a rule is for one of --session, --worktree, --zone and --repo"])
    [(scope, subject)] = subjects.items()
    made = rules.allow(reach.link(), scope, subject, command, kind=kind, agent=agent, hours=hours)
    if as_json:
        show_json(made.record)
    else:
        print(made)


@app.command()
def remove(rule: str = typer.Argument(metavar="RULE", help="Id, or the end of it."), as_json: AsJson = False) -> None:
    """Revoke a rule. It no longer allows anything, but stays in the list."""
    done = Rule(reach.link(), reach.rule(rule)).revoke()
    if as_json:
        show_json(done.record)
    else:
        print(done)
