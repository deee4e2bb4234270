"""`jupyter agor permission`."""

import typer

from agor_jupyter.cli.output import AsJson, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import permission as find
from agor_jupyter.domain.errors import PermissionNotFound
from agor_jupyter.domain.permissions import Permission
from agor_jupyter.domain.sessions import Answer
from agor_jupyter.notebook.permissions import Permission as Handle
from agor_jupyter.notebook.views import visible

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
            [(one.id, one.title, ", ".join(o.id for o in one.options)) for one in found],
            "No open questions.",
        )


@app.command()
def answer(
    question: str = typer.Argument(metavar="QUESTION", help="Id, or the end of it."),
    choice: str = typer.Argument(metavar="CHOICE", help="allow, always, reject, or the id of an option."),
    note: str | None = typer.Option(None, help="What to keep beside the answer."),
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
    done = wishes[choice](note=note) if choice in wishes else handle.answer(choice, note=note)
    if as_json:
        show_json(done.record)
    else:
        print(visible(f"{done.state} by {done.answered_by}: {done.title}"))
