"""`jupyter agor preference`."""

from typing import Annotated

import typer

from agor_jupyter.cli.output import AsJson, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.domain.options import Preference, PreferenceChange
from agor_jupyter.notebook.options import chosen

app = typer.Typer(no_args_is_help=True)
Model = Annotated[str | None, typer.Option(help="Model, as the agent calls it.")]
Mode = Annotated[str | None, typer.Option(help="Mode, as the agent calls it: what it may do without asking.")]
Option = Annotated[list[str] | None, typer.Option(metavar="ID=VALUE", help="Another option of the agent. Can be given more than once.")]


def read_options(model: str | None, mode: str | None, options: list[str] | None) -> dict[str, str]:
    """As one mapping."""
    pairs = {}
    for text in options or []:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise typer.BadParameter(f"{text!r} is not ID=VALUE", param_hint="--option")
        pairs[name] = value
    return chosen(model, mode, pairs)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List your preferences for each agent."""
    found = [Preference.model_validate(item) for item in link().items("preferences")]
    if as_json:
        show_json(found)
    else:
        table(["agent", "options"], [(one.agent, _words(one)) for one in found], "No preferences.")


@app.command("set")
def set_(
    agent: str = typer.Argument(metavar="AGENT", help="Name of the agent."),
    model: Model = None,
    mode: Mode = None,
    option: Option = None,
    as_json: AsJson = False,
) -> None:
    """Set the model, mode and options for your new sessions with an agent, replacing your earlier preference. With none given, clear it."""
    body = PreferenceChange(options=read_options(model, mode, option))
    preference = Preference.model_validate(link().patch(f"preferences/{agent}", body))
    if as_json:
        show_json(preference)
    else:
        print(f"{preference.agent}: {_words(preference) or 'no preference'}")


def _words(preference: Preference) -> str:
    return " ".join(f"{name}={value}" for name, value in preference.options.items())
