"""`jupyter agor zone`: the zones of a board, and what cards that arrive in them start."""

import asyncio
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from agor_jupyter.cli.output import AsJson, facts, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import session as find_session
from agor_jupyter.cli.reach import worktree as find_worktree
from agor_jupyter.domain.errors import BadRequest, FiringNotFound, ObjectNotFound
from agor_jupyter.domain.zones import Firing as FiringRecord
from agor_jupyter.domain.zones import How
from agor_jupyter.notebook import firings, passages, zones
from agor_jupyter.notebook.boards import Board
from agor_jupyter.notebook.firings import Firing
from agor_jupyter.notebook.sessions import Session
from agor_jupyter.notebook.worktrees import Worktree
from agor_jupyter.notebook.zones import Zone

app = typer.Typer(no_args_is_help=True)
BoardPath = Annotated[str, typer.Argument(metavar="BOARD", help="File of the board, such as team.agor.")]
Name = Annotated[str, typer.Argument(metavar="ZONE", help="Its name, or id.")]
Card = Annotated[str, typer.Argument(metavar="WORKTREE", help="Name, REPO/NAME, or id. Its card has to lie on a board.")]
Which = Annotated[str, typer.Argument(metavar="FIRING", help="Id, or the end of it, as `zone history` shows it.")]
Prompt = Annotated[str | None, typer.Option(help="The prompt in place of the zone's template; @FILE reads it from a file.")]
InSession = Annotated[str | None, typer.Option("--session", help="The session that gets the prompt: id, the end of it, or title.")]
Agent = Annotated[str | None, typer.Option(help="The agent that gets the prompt.")]


@app.command("list")
def list_(board: BoardPath, as_json: AsJson = False) -> None:
    """List the zones of a board, and what each does."""
    found = zones.listing(link(), link().board_path(board))
    if as_json:
        show_json([{"id": one.id, **one.record.model_dump(mode="json")} for one in found])
        return
    live = [one.record for one in firings.listed(link(), board=link().board_path(board), live=1)]
    rows = [(one.name, zones.in_words(one.policy), sum(each.zone_id == one.id for each in live) or None, one.id) for one in found]
    table(["zone", "on drop", "live", "id"], rows, "No zones.")


@app.command("set")
def set_(
    board: BoardPath,
    name: Annotated[str, typer.Argument(metavar="ZONE", help="Its name. It is created if there is none.")],
    prompt: Annotated[str | None, typer.Option(help="A template, such as 'Review {{ worktree.branch }}'; @FILE reads a file.")] = None,
    agent: Annotated[str | None, typer.Option(help="Who runs it. Default: your default agent.")] = None,
    model: Annotated[str | None, typer.Option(help="One that the agent offers.")] = None,
    mode: Annotated[str | None, typer.Option(help="What the agent may do without asking, as it calls it.")] = None,
    target: Annotated[Literal["new", "latest", "ask", "each"] | None, typer.Option(help="Whom the prompt goes to.")] = None,
    how: Annotated[Literal["prompt", "fork", "spawn"] | None, typer.Option(help="What happens to a session that is there.")] = None,
    limit: Annotated[int | None, typer.Option(help="Cards in work at once; 0 for no limit.")] = None,
    before: Annotated[
        list[str] | None, typer.Option(help="A line of shell, or a notebook of the worktree, that has to pass first. Repeatable.")
    ] = None,
    gate: Annotated[list[str] | None, typer.Option(help="The same, after the prompt's turn is done. Repeatable.")] = None,
    next_: Annotated[str | None, typer.Option("--next", help="The zone that a card moves on to; '' for none.")] = None,
    on_failure: Annotated[str | None, typer.Option(help="The zone that a card moves to when something failed; '' for none.")] = None,
    budget: Annotated[float | None, typer.Option(help="US dollars for one card; 0 for no limit.")] = None,
    asks_first: Annotated[bool | None, typer.Option("--ask-first/--no-ask-first", help="A person says yes before each run.")] = None,
    needs_approval: Annotated[bool | None, typer.Option("--approve/--no-approve", help="A person lets the card move on.")] = None,
    agents_may_enter: Annotated[bool | None, typer.Option("--agents-may-enter/--no-agents", help="Agents may bring cards here.")] = None,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether arriving starts anything.")] = None,
    allow: Annotated[bool, typer.Option(help="Let its commands run without asking, in your name. For owners.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create a zone, or change what it does. What is not given stays."""
    given: dict[str, Any] = {
        "prompt": None if prompt is None else _text(prompt),
        "agent": agent,
        "model": model,
        "mode": mode,
        "target": target,
        "how": how,
        "limit": limit,
        "before": before or None,
        "gate": gate or None,
        "next": next_,
        "on_failure": on_failure,
        "budget": budget,
        "asks_first": asks_first,
        "needs_approval": needs_approval,
        "agents_may_enter": agents_may_enter,
        "on": on,
    }
    nothing = {"limit": 0, "budget": 0, "next": "", "on_failure": ""}
    wanted = {key: None if value == nothing.get(key, given) else value for key, value in given.items() if value is not None}
    made = Board(link(), link().board_path(board)).zone(name)
    _show(made.change(allow=allow, **wanted) if wanted or allow else made, as_json)


@app.command()
def pause(board: BoardPath, zone: Name, as_json: AsJson = False) -> None:
    """Let cards that arrive wait. What runs goes on."""
    _show(_zone(board, zone).pause(), as_json)


@app.command()
def resume(board: BoardPath, zone: Name, as_json: AsJson = False) -> None:
    """Start what waits, in the order of arrival."""
    _show(_zone(board, zone).resume(), as_json)


@app.command()
def drop(
    worktree: Card,
    zone: Name,
    run: Annotated[bool, typer.Option(help="Whether it may start something.")] = True,
    wait: Annotated[bool, typer.Option(help="Wait for the end of what it starts. Always on with a private server.")] = False,
    prompt: Prompt = None,
    session: InSession = None,
    agent: Agent = None,
    as_json: AsJson = False,
) -> None:
    """Bring a worktree's card to a zone, exactly as dragging it does."""
    card = Worktree(link(), find_worktree(worktree))
    to = _zone(_board_of(card), zone)
    started = to.drop(card, run=run, via="shell", prompt=None if prompt is None else _text(prompt), session=_session(session), agent=agent)
    if started is None:
        if as_json:
            show_json(card.record)
        else:
            print(f"{card.name} is in {to.name}. Nothing starts there.")
        return
    _end(started, wait=wait, as_json=as_json)


@app.command()
def run(
    worktree: Card,
    until: Annotated[str | None, typer.Option(help="The zone where to stop. Default: where the card rests.")] = None,
    start: Annotated[str | None, typer.Option(help="The zone to begin with. Default: where it lies, or the first on the way.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a card through the zones, and wait until it has come to its end. Fails if it does not get there."""
    card = Worktree(link(), find_worktree(worktree))
    passed = asyncio.run(passages.run(link(), _board_of(card), card, until=until, start=start))
    if as_json:
        show_json([one.record for one in passed])
    else:
        _table([one.record for one in passed])


@app.command()
def preview(worktree: Card, zone: Name, as_json: AsJson = False) -> None:
    """Say what bringing a card to a zone would do now, with the rendered prompt. Nothing is changed."""
    card = Worktree(link(), find_worktree(worktree))
    found = _zone(_board_of(card), zone).preview(card)
    if as_json:
        show_json(found)
    else:
        facts([("would", found.text), ("waits", found.waits), ("problem", found.problem), ("prompt", found.prompt)])


@app.command()
def history(
    board: BoardPath,
    zone: Annotated[str | None, typer.Argument(metavar="ZONE", help="Its name, or id. Default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what cards that arrived started, newest first."""
    found = firings.listed(link(), board=link().board_path(board), zone=None if zone is None else _zone(board, zone).id)
    if as_json:
        show_json([one.record for one in found])
    else:
        _table([one.record for one in found])


@app.command()
def start(  # its options
    firing: Which,
    prompt: Prompt = None,
    session: InSession = None,
    how: Annotated[How | None, typer.Option(help="What the session gets: prompt, fork, spawn.")] = None,
    agent: Agent = None,
    as_json: AsJson = False,
) -> None:
    """Let a firing that asks first start."""
    found = _firing(firing).start(prompt=None if prompt is None else _text(prompt), session=_session(session), how=how, agent=agent)
    _end(found, wait=False, as_json=as_json)


@app.command()
def approve(firing: Which, as_json: AsJson = False) -> None:
    """Let a card move on that waits for approval."""
    _end(_firing(firing).approve(), wait=False, as_json=as_json)


@app.command()
def reject(firing: Which, as_json: AsJson = False) -> None:
    """Do not let a card move on that waits for approval."""
    _end(_firing(firing).reject(), wait=False, as_json=as_json)


@app.command()
def retry(
    firing: Which,
    wait: Annotated[bool, typer.Option(help="Wait for its end. Always on with a private server.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a firing again for the same card, which still has to be in the zone."""
    _end(_firing(firing).retry(), wait=wait, as_json=as_json)


@app.command()
def withdraw(firing: Which, as_json: AsJson = False) -> None:
    """Take a firing back: what waits is withdrawn, what runs is cancelled, and the card returns to where it was."""
    _end(_firing(firing).withdraw(), wait=False, as_json=as_json)


def _board_of(card: Worktree) -> str:
    if card.record.board is None:
        raise BadRequest([f"{card.name}: it lies on no board. Put it on one first: jupyter agor worktree change {card.name} --board BOARD"])
    return card.record.board


def _zone(board: str, name: str) -> Zone:
    found = zones.listing(link(), link().board_path(board))
    matches = [one for one in found if name in {one.name, one.id}]
    if len(matches) != 1:
        raise (
            ObjectNotFound(name, [one.name for one in found])
            if not matches
            else BadRequest([f"{name}: several zones have this name. Use the id"])
        )
    return matches[0]


def _firing(key: str) -> Firing:
    if re.fullmatch(r"fi_[0-9a-z]{20}", key):
        return Firing(link(), FiringRecord.model_validate(link().get(f"firings/{key}")))
    found = [one for one in firings.listed(link()) if len(key) >= 4 and one.record.id.endswith(key)]
    if len(found) != 1:
        raise FiringNotFound(key)
    return found[0]


def _session(key: str | None) -> Session | None:
    return None if key is None else Session(link(), find_session(key))


def _text(given: str) -> str:
    return Path(given[1:]).read_text(encoding="utf-8") if given.startswith("@") else given


def _end(firing: Firing, *, wait: bool, as_json: bool) -> None:
    if wait or link().is_private:
        firing.wait()
    if as_json:
        show_json(firing.record)
    else:
        record = firing.record
        facts(
            [
                ("zone", record.zone),
                ("state", record.state.value),
                ("waits for", record.waits_for),
                ("reason", record.reason),
                ("prompt", record.prompt),
                ("cost", f"${record.cost_usd:.2f}" if record.cost_usd else None),
                ("id", record.id),
            ]
        )
    firing.require()


def _table(found: list[FiringRecord]) -> None:
    rows = [
        (one.zone, one.by.name, one.state.value, one.reason or one.waits_for, f"{one.created_at:%Y-%m-%d %H:%M}", one.id) for one in found
    ]
    table(["zone", "by", "state", "why", "at (UTC)", "id"], rows, "No firings.")


def _show(zone: Zone, as_json: bool) -> None:
    if as_json:
        show_json({"id": zone.id, **zone.record.model_dump(mode="json")})
    else:
        facts([("zone", zone.name), ("on drop", zones.in_words(zone.policy)), ("id", zone.id)])
