"""`jupyter agor permission`."""

import typer

from agor_jupyter.cli.output import AsJson, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import permission as find
from agor_jupyter.domain.errors import BadRequest, PermissionNotFound
from agor_jupyter.domain.permissions import Permission
from agor_jupyter.domain.rules import Remember
from agor_jupyter.domain.sessions import Answer
from agor_jupyter.notebook.display import live
from agor_jupyter.notebook.display.views import visible
from agor_jupyter.notebook.handles import checked
from agor_jupyter.notebook.permissions import Permission as Handle

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the open questions."""
    found = [Permission.model_validate(item) for item in link().items("permissions")]
    if as_json:
        show_json(found)
    else:
        table(
            ["question", "asks for", "options"],
            [(one.id, _subject(one), ", ".join(o.id for o in one.options)) for one in found],
            "No open questions.",
        )


def _subject(question: Permission) -> str:
    """Short enough for a column."""
    return f"trust in {', '.join(live.names(question))}" if question.files else question.title


@app.command()
def answer(
    question: str = typer.Argument(metavar="QUESTION", help="Id, or the end of it."),
    choice: str = typer.Argument(metavar="CHOICE", help="allow, always, reject, or the id of an option."),
    note: str | None = typer.Option(None, help="A note to keep with the answer."),
    remember: str | None = typer.Option(
        None, help="With allow: do not ask about similar calls again in the session, worktree, zone or repository."
    ),
    command: str | None = typer.Option(None, help="How the commands to remember start. Default: the whole command."),
    hours: float | None = typer.Option(None, help="How long to remember. Default: until it is revoked."),
    as_json: AsJson = False,
) -> None:
    """Answer a question, in your name. The first answer counts."""
    try:
        handle = Handle(link(), find(question))
    except PermissionNotFound:
        if not question.startswith("pe_"):
            raise
        link().post(f"permissions/{question}/answer", Answer(option_id=choice))  # says who was faster, if it was open once
        raise
    wishes = {"allow": handle.allow, "always": handle.always, "reject": handle.reject}
    if remember is not None and choice == "allow":
        with checked():
            wish = Remember.model_validate({"scope": remember})
        handle.allow(note=note, remember=wish.scope, command=command, hours=hours)
    elif remember is not None or command is not None or hours is not None:
        raise BadRequest(["--remember goes with allow, and --command and --hours with --remember"])
    elif choice in wishes:
        wishes[choice](note=note)
    else:
        handle.answer(choice, note=note)
    if as_json:
        show_json(handle.record)
    else:
        print(visible(f"{handle.state} by {handle.answered_by}: {live.wording(handle.record)}"))
