"""`jupyter agor token`. The secret of a new one goes to standard output alone, so that it can be piped."""

import sys

import typer

from agor_jupyter.cli.output import AsJson, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.domain.errors import TokenNotFound
from agor_jupyter.notebook.display.views import visible
from agor_jupyter.notebook.tokens import Token, Tokens

app = typer.Typer(no_args_is_help=True)
TOKEN = typer.Argument(metavar="TOKEN", help="Its name, its id, or the end of it.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List your personal tokens; an owner sees everyone's."""
    found = list(Tokens(link()))
    if as_json:
        show_json([one.record for one in found])
        return
    rows = []
    for one in found:
        record = one.record
        until = f"{record.expires_at:%Y-%m-%d}" if record.expires_at else "it is revoked"
        used = f"{record.used_at:%Y-%m-%d %H:%M} UTC" if record.used_at else "never"
        rows.append((record.id, record.name, record.board, record.person.name, until, used))
    table(["token", "name", "board", "of", "until", "used"], rows, "No tokens.")


@app.command()
def create(
    name: str = typer.Argument(metavar="NAME", help='What it is for, such as "laptop".'),
    board: str = typer.Option(..., help="The board it gives access to: path of its file."),
    days: int = typer.Option(90, help="Days until it expires. 0: never, until it is revoked."),
    as_json: AsJson = False,
) -> None:
    """Create a token with which your own client, such as Claude Code, can use a board over MCP in your name. Prints the secret, once."""
    made = Tokens(link()).create(name, board, days=days)
    if as_json:
        show_json(
            {"token": made.record.model_dump(mode="json", by_alias=True), "secret": made.secret, "url": made.url, "lines": made.lines}
        )
        return
    print(made.secret)
    hints = [f"MCP answers at {made.url}. This secret is not shown again.", *(f"{label}: {line}" for label, line in made.lines.items())]
    print(visible("\n".join(hints)), file=sys.stderr)


@app.command()
def revoke(token: str = TOKEN, as_json: AsJson = False) -> None:
    """Revoke a personal token: it no longer gives access to anything."""
    found = _find(token)
    found.revoke()
    if as_json:
        show_json(found.record)
    else:
        print(visible(f"Revoked {found.name}."))


def _find(text: str) -> Token:
    known = list(Tokens(link()))
    same = [one for one in known if one.record.id == text] or [one for one in known if one.name == text or one.record.id.endswith(text)]
    if len(same) != 1:
        raise TokenNotFound(text, [f"{one.name} ({one.record.id})" for one in same or known])
    return same[0]
