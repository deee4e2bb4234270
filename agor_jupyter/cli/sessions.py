"""`jupyter agor session`."""

import asyncio
import sys
from contextlib import aclosing
from typing import Annotated

import typer

from agor_jupyter.cli.output import AsJson, facts, show_json, show_line, table
from agor_jupyter.cli.preferences import Mode, Model, Option, read_options
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import session as find
from agor_jupyter.cli.reach import turn as find_turn
from agor_jupyter.cli.reach import worktree as find_worktree
from agor_jupyter.cli.turns import show_turn
from agor_jupyter.domain.events import Event, Failure, Notice, PermissionAsked, PermissionSettled, PromptSent, Text, ToolCall, ToolOutput
from agor_jupyter.domain.sessions import Prompt, Session, SessionChange, SessionCreate, SessionFork
from agor_jupyter.domain.trees import SessionTree
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.notebook import following
from agor_jupyter.notebook.display import live
from agor_jupyter.notebook.display.views import visible
from agor_jupyter.notebook.trees import Tree

app = typer.Typer(no_args_is_help=True)
Which = Annotated[str, typer.Argument(metavar="SESSION", help="Id, the end of it, or title.")]
Text_ = Annotated[str, typer.Argument(metavar="PROMPT", help="The prompt, or - to read it from standard input.")]
Wait = Annotated[bool, typer.Option(help="Print what happens until the turn ends. Always on with a private server.")]
Budget = Annotated[float | None, typer.Option(help="How many dollars it may spend at most.")]
Allow = Annotated[bool, typer.Option(help="Answer its questions with “allow once”, in your name, while waiting.")]


def _show(session: Session, as_json: bool) -> None:
    if as_json:
        show_json(session)
        return
    facts(
        [
            ("title", session.title),
            ("agent", session.agent),
            ("forked from", session.origin_id),
            ("below", session.parent_id),
            ("state", session.state),
            *[(option.id, option.value) for option in session.options],
            *[(f"{name}, wanted", value) for name, value in session.chosen.items() if not _has(session, name, value)],
            ("sandbox", f"off: {session.sandbox_reason}" if session.sandbox_reason else session.sandbox),
            ("devices", ", ".join(session.sandbox_devices) or None),
            ("turns", session.turn_count),
            ("in the queue", len(session.queue) or None),
            ("last", session.last_line),
            ("id", session.id),
        ]
    )


def _has(session: Session, name: str, value: str) -> bool:
    return any(option.id == name and option.value == value for option in session.options)


class _Transcript:
    """Events as lines. A tool's later events do not repeat its title, so that is kept from the first."""

    def __init__(self, *, allow: bool = False) -> None:
        self._titles: dict[str, str] = {}
        self._allow = allow

    def line(self, event: Event) -> str | None:  # noqa: PLR0911  # one for each kind
        match event.body:
            case PromptSent(text=text):
                return "\n".join(f"> {line}" for line in text.strip().splitlines())
            case Text(text=text) | ToolOutput(text=text):
                return text.rstrip("\n")
            case ToolCall() as call:
                return self._tool(call)
            case PermissionAsked(permission=permission):
                is_answered = self._allow and any(option.kind == "allow_once" for option in permission.options)
                return None if is_answered else f"? {live.wording(permission)}  ({live.command(permission)})"
            case PermissionSettled(permission=permission):
                by = f" by {permission.answered_by.name}" if permission.answered_by else ""
                return f"? {live.wording(permission)}: {permission.state}{by}"
            case Notice(text=text) | Failure(text=text):
                return f"! {text}"
            case _:
                return None

    def _tool(self, call: ToolCall) -> str | None:
        title = self._titles[call.tool_call_id] = call.title or self._titles.get(call.tool_call_id, "")
        status = f"[{_STATUSES.get(call.status, call.status)}] {title}".rstrip() if call.status else None
        return "\n".join(filter(None, [status, (call.output or "").rstrip()])) or None


_STATUSES: dict[str, str] = {"pending": "asked for", "in_progress": "runs", "completed": "done"}


def _await(session: Session, turn: Turn, allow: bool, as_json: bool) -> None:
    """Print the turn's transcript while it grows, then the turn. A turn that is not done ends the command with 1."""
    transcript = _Transcript(allow=allow)

    async def watch() -> None:
        async with aclosing(following.follow(link(), session.id, allow=allow, until=turn.id)) as found:
            async for event in found:
                if event.turn_id == turn.id and not as_json and (text := transcript.line(event)):
                    print(visible(text), flush=True)

    try:
        asyncio.run(watch())
    except KeyboardInterrupt:
        if not link().is_private:
            print(f"\nThe turn goes on. Stop it with: jupyter agor session cancel {session.id}", file=sys.stderr)
        raise
    ended = Turn.model_validate(link().get(f"turns/{turn.id}"))
    show_turn(ended, as_json)
    if ended.state is not TurnState.DONE:
        raise typer.Exit(1)


def _text(text: str) -> str:
    return sys.stdin.read() if text == "-" else text


def _last(session: Session) -> Turn:
    return Turn.model_validate(link().items(f"sessions/{session.id}/turns")[-1])


@app.command()
def start(
    worktree: str = typer.Argument(metavar="WORKTREE", help="Name, REPO/NAME, or id of the worktree."),
    prompt: Text_ = "",
    agent: str = typer.Option("script", help="Name of the agent."),
    title: str | None = typer.Option(None, help="Default: the first line of the prompt."),
    model: Model = None,
    mode: Mode = None,
    option: Option = None,
    wait: Wait = False,
    allow: Allow = False,
    as_json: AsJson = False,
) -> None:
    """Start a session, and prompt it."""
    body = SessionCreate(
        worktree_id=find_worktree(worktree).id,
        agent=agent,
        title=title,
        prompt=_text(prompt) or None,
        options=read_options(model, mode, option),
    )
    _begun(Session.model_validate(link().post("sessions", body)), body.prompt, wait, allow, as_json)


def _begun(session: Session, prompt: str | None, wait: bool, allow: bool, as_json: bool) -> None:
    if prompt and (wait or allow or link().is_private):
        _await(session, _last(session), allow, as_json)
    else:
        _show(session, as_json)


@app.command()
def fork(
    session: Which,
    prompt: Text_ = "",
    turn: int | None = typer.Option(None, help="Number of the last turn that it knows of. Default: all that has ended."),
    worktree: str | None = typer.Option(None, help="Name of a new worktree to work in. Default: the same worktree."),
    carry: bool = typer.Option(True, help="Bring uncommitted work into the new worktree."),
    agent: str | None = typer.Option(None, help="Another agent, which is given the transcript. Default: the same."),
    title: str | None = typer.Option(None, help="Default: the first line of the prompt."),
    model: Model = None,
    mode: Mode = None,
    option: Option = None,
    budget: Budget = None,
    wait: Wait = False,
    allow: Allow = False,
    as_json: AsJson = False,
) -> None:
    """Start a session that knows everything said in this one, so far or until a turn."""
    origin = find(session)
    body = SessionFork(
        prompt=_text(prompt) or None,
        turn=find_turn(f"{origin.id}:{turn}").id if turn is not None else None,
        worktree=worktree,
        carry=carry,
        agent=agent,
        title=title,
        options=read_options(model, mode, option),
        budget_usd=budget,
    )
    made = Session.model_validate(link().post(f"sessions/{origin.id}/fork", body))
    _begun(made, body.prompt, wait, allow, as_json)


@app.command()
def ask(
    session: Which,
    question: Text_,
    agent: str | None = typer.Option(None, help="Another agent, which is given the transcript. Default: the same."),
    wait: Wait = False,
    allow: Allow = False,
    as_json: AsJson = False,
) -> None:
    """Ask a side question: a fork answers it and is archived; this session never hears of it."""
    body = SessionFork(prompt=_text(question), agent=agent, is_side=True)
    made = Session.model_validate(link().post(f"sessions/{find(session).id}/fork", body))
    _begun(made, body.prompt, wait, allow, as_json)


@app.command()
def tree(session: Which, as_json: AsJson = False) -> None:
    """Show the tree that a session belongs to, with what is reported to whom."""
    found = SessionTree.model_validate(link().get(f"sessions/{find(session).id}/tree"))
    if as_json:
        show_json(found)
    else:
        print(repr(Tree(found)))


@app.command()
def spawn(
    session: Which,
    prompt: Text_ = "",
    agent: str | None = typer.Option(None, help="Default: the same."),
    worktree: str | None = typer.Option(None, help="Default: the same."),
    title: str | None = typer.Option(None, help="Default: the first line of the prompt."),
    model: Model = None,
    mode: Mode = None,
    option: Option = None,
    notify: bool = typer.Option(False, help="Tell SESSION how the new one ended, as a queued turn."),
    budget: Budget = None,
    wait: Wait = False,
    allow: Allow = False,
    as_json: AsJson = False,
) -> None:
    """Start a session below this one that knows nothing of what was said in it."""
    parent = find(session)
    body = SessionCreate(
        worktree_id=find_worktree(worktree).id if worktree else parent.worktree_id,
        agent=agent or parent.agent,
        title=title,
        prompt=_text(prompt) or None,
        parent_id=parent.id,
        notify=notify,
        budget_usd=budget,
        options=read_options(model, mode, option),
    )
    _begun(Session.model_validate(link().post("sessions", body)), body.prompt, wait, allow, as_json)


@app.command("list")
def list_(
    board: str | None = typer.Option(None, help="Only those on this board."),
    worktree: str | None = typer.Option(None, help="Only those in this worktree."),
    state: str | None = typer.Option(None, help="Only those in this state, such as needs_you."),
    agent: str | None = typer.Option(None, help="Only those with this agent."),
    archived: bool = typer.Option(False, help="Include archived ones."),
    as_json: AsJson = False,
) -> None:
    """List the sessions, latest first."""
    query = {
        "board": link().board_path(board) if board else None,
        "worktree": find_worktree(worktree).id if worktree else None,
        "state": state,
        "agent": agent,
        "archived": 1 if archived else None,
    }
    found = [Session.model_validate(item) for item in link().items("sessions", **query)]
    if as_json:
        show_json(found)
    else:
        table(["session", "state", "agent", "title"], [(one.id, one.state, one.agent, one.title) for one in found], "No sessions.")


@app.command()
def show(session: Which, as_json: AsJson = False) -> None:
    """Show a session."""
    _show(find(session), as_json)


@app.command()
def prompt(session: Which, text: Text_, wait: Wait = False, allow: Allow = False, as_json: AsJson = False) -> None:
    """Send another prompt. It waits its turn in the queue."""
    one = find(session)
    turn = Turn.model_validate(link().post(f"sessions/{one.id}/prompt", Prompt(text=_text(text))))
    if wait or allow or link().is_private:
        _await(one, turn, allow, as_json)
    else:
        show_turn(turn, as_json)


@app.command()
def change(
    session: Which,
    title: str | None = typer.Option(None, help="New title."),
    queue: list[str] | None = typer.Option(None, help="A queued turn, by number or id. Give every queued turn once, in the new order."),
    model: Model = None,
    mode: Mode = None,
    option: Option = None,
    as_json: AsJson = False,
) -> None:
    """Rename a session, reorder its queue, or choose options. An option without a value goes back to the agent's default."""
    one = find(session)
    order = [find_turn(key if key.startswith("tu_") else f"{one.id}:{key}").id for key in queue or []]
    given = {"title": title, "queue": order or None, "options": read_options(model, mode, option) or None}
    body = SessionChange.model_validate({name: value for name, value in given.items() if value is not None})
    _show(Session.model_validate(link().patch(f"sessions/{one.id}", body)), as_json)


@app.command()
def archive(session: Which, as_json: AsJson = False) -> None:
    """Archive an idle session. Its transcript stays."""
    _show(Session.model_validate(link().post(f"sessions/{find(session).id}/archive")), as_json)


@app.command()
def cancel(session: Which, as_json: AsJson = False) -> None:
    """Stop the running turn."""
    one = find(session)
    link().post(f"sessions/{one.id}/cancel")
    _show(find(one.id), as_json)


@app.command()
def events(
    session: Which,
    after: int = typer.Option(0, help="Only those with a higher number."),
    follow: bool = typer.Option(False, help="Keep printing until the session is idle."),
    as_json: AsJson = False,
) -> None:
    """Print the transcript. With --json, one event per line."""
    one = find(session)
    transcript = _Transcript()

    def put(event: Event) -> None:
        if as_json:
            show_line(event)
        elif text := transcript.line(event):
            print(visible(text), flush=True)

    async def watch() -> None:
        async with aclosing(following.follow(link(), one.id, after=after)) as found:
            async for event in found:
                put(event)

    if follow:
        asyncio.run(watch())
    else:
        for event in following.read(link(), one.id, after):
            put(event)
