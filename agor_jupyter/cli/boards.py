"""`jupyter agor board`."""

import typer

from agor_jupyter.cli.output import AsJson, facts, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.domain.boards import Board as BoardRecord
from agor_jupyter.domain.boards import BoardInfo, BoardOpen, BoardTemplate, Card, Note
from agor_jupyter.notebook.boards import Board
from agor_jupyter.notebook.display.views import visible
from agor_jupyter.notebook.zones import in_words

app = typer.Typer(no_args_is_help=True)


@app.command("open")
def open_(
    path: str = typer.Argument(metavar="PATH", help="File of the board, such as team.agor."),
    title: str = typer.Option("", help="Its title. Default: none."),
    as_json: AsJson = False,
) -> None:
    """Create the board's file if it does not exist, and say where to see it."""
    info = BoardInfo.model_validate(link().post("boards", BoardOpen(path=link().board_path(path), title=title)))
    if as_json:
        show_json(info)
    else:
        facts(
            [
                ("board", info.path),
                ("objects", info.object_count),
                ("problems", len(info.problems) or None),
                ("open", None if link().is_private else f"{link().url}lab/tree/{info.path}"),  # a private server has no page
            ]
        )


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the boards."""
    found = [BoardInfo.model_validate(item) for item in link().items("boards")]
    if as_json:
        show_json(found)
    else:
        table(["board", "title", "objects"], [(one.path, one.title, one.object_count) for one in found], "No boards.")


@app.command()
def show(path: str = typer.Argument(metavar="PATH", help="File of the board."), as_json: AsJson = False) -> None:
    """List what is on a board, and any problems with its file."""
    board = BoardRecord.model_validate(link().get("board", path=link().board_path(path)))
    if as_json:
        show_json(board)
        return
    rows = []
    for one in board.objects.values():
        what = f"{one.repo} {one.branch}" if isinstance(one, Card) else one.text if isinstance(one, Note) else one.name
        rows.append((one.kind, what, round(one.x), round(one.y)))
    table(["kind", "what", "x", "y"], rows, "Nothing lies on it.")
    for problem in board.problems:
        print(visible(f"! {problem.text}"))


@app.command()
def templates(as_json: AsJson = False) -> None:
    """List the ready boards to begin with."""
    found = [BoardTemplate.model_validate(item) for item in link().items("board/templates")]
    if as_json:
        show_json(found)
    else:
        table(["template", "zones", "what"], [(one.name, ", ".join(one.zones), one.description) for one in found], "No templates.")


@app.command()
def extend(
    path: str = typer.Argument(metavar="PATH", help="File of the board."),
    template: str = typer.Argument(metavar="TEMPLATE", help="Name of a ready one, or a file that `board export` wrote."),
    allow: bool = typer.Option(False, help="Let the commands of its zones run without asking, in your name. For owners."),
    as_json: AsJson = False,
) -> None:
    """Add the zones and notes of a template to a board."""
    board = Board(link(), link().board_path(path)).extend(template, allow=allow)
    if as_json:
        show_json(board.document)
    else:
        table(["zone", "on drop"], [(one.name, in_words(one.policy)) for one in board.zones], "No zones.")


@app.command()
def export(
    path: str = typer.Argument(metavar="PATH", help="File of the board."),
    to: str = typer.Argument("-", metavar="FILE", help="Where to write it. Default: standard output."),
    as_json: AsJson = False,
) -> None:
    """Write a board's zones and notes as a template, without cards."""
    text = Board(link(), link().board_path(path)).export(None if to == "-" else to)
    if as_json:
        show_json({"text": text})
    elif to == "-":
        print(visible(text), end="")
