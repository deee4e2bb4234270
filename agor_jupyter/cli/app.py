"""Lists the commands."""

import typer
from pydantic import ValidationError

from agor_jupyter.cli import (
    agents,
    archives,
    boards,
    budgets,
    costs,
    data,
    demo,
    destinations,
    doctor,
    environments,
    kept_commits,
    kernels,
    permissions,
    preferences,
    repos,
    rules,
    schedules,
    search,
    sessions,
    tokens,
    trust,
    turns,
    variables,
    worktrees,
    zones,
)
from agor_jupyter.cli.output import fail
from agor_jupyter.cli.reach import close, configure
from agor_jupyter.domain.errors import AgorError, BadRequest

app = typer.Typer(name="jupyter agor", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(repos.app, name="repo", help="Git repositories that the server knows.")
app.add_typer(worktrees.app, name="worktree", help="Git worktrees, each on a branch of its own.")
app.add_typer(kernels.app, name="kernel", help="Kernels with the packages of worktrees.")
app.add_typer(sessions.app, name="session", help="Conversations with agents in worktrees.")
app.add_typer(turns.app, name="turn", help="Prompts, and everything done for them.")
app.add_typer(permissions.app, name="permission", help="Questions that agents ask before they act.")
app.add_typer(rules.app, name="rule", help="What agents may do without asking again.")
app.add_typer(trust.app, name="trust", help="Agent instruction files in a worktree, and who trusts them.")
app.add_typer(variables.app, name="variable", help="Environment variables for the agents in your sessions. Values are never shown.")
app.add_typer(tokens.app, name="token", help="Tokens that connect your own MCP client, such as Claude Code, to a board.")
app.add_typer(boards.app, name="board", help="Boards: the files that the canvas shows.")
app.add_typer(data.app, name="data", help="What a worktree has for itself: databases, folders, variables.")
app.add_typer(zones.app, name="zone", help="Zones of a board, and what cards that arrive in them start.")
app.add_typer(environments.app, name="env", help="Environments of worktrees: their services, ports, logs and links.")
app.add_typer(schedules.app, name="schedule", help="Work of a board that starts by itself.")
app.add_typer(destinations.app, name="notify", help="Places outside of JupyterLab that are told when something needs you.")
app.add_typer(agents.app, name="agent", help="Kinds of coding assistants.")
app.add_typer(preferences.app, name="preference", help="Your preferences for each agent.")
app.add_typer(costs.app, name="cost", help="What turns cost, by model.")
app.add_typer(budgets.app, name="budget", help="How many dollars a session, a worktree, a board or a person may spend.")
for command in (archives.archive, archives.restore, archives.backups, archives.remove, kept_commits.kept, kept_commits.take):
    worktrees.app.command()(command)
app.command()(search.search)
app.command()(doctor.doctor)
app.command()(demo.demo)


@app.callback()
def options(
    url: str | None = typer.Option(None, envvar="AGOR_URL", help="Address of the Jupyter server. Default: the one this shell belongs to."),
    token: str | None = typer.Option(None, envvar="AGOR_TOKEN", help="Its token."),
    data_dir: str | None = typer.Option(None, help="Data folder for a private server. Default: AGOR_DATA_DIR."),
) -> None:
    """Agents on a board, from a shell. Uses the Jupyter server that this shell belongs to, or starts a private one."""
    configure(url=url, token=token, data_dir=data_dir)


INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""


def run(arguments: list[str]) -> int:
    try:
        app(arguments, prog_name="jupyter agor")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 1
    except (AgorError, TimeoutError, ConnectionError) as error:
        return fail(error)
    except ValidationError as error:
        return fail(BadRequest.of(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        close()
    return 0
