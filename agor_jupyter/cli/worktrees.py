"""`jupyter agor worktree`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from agor_jupyter.cli.output import AsJson, changed, facts, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import repo as find_repo
from agor_jupyter.cli.reach import worktree as find
from agor_jupyter.client.paths import absolute
from agor_jupyter.domain.errors import AgorError
from agor_jupyter.domain.history import Conversation, ConversationImport
from agor_jupyter.domain.issues import Issue, PullRequest
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.turns import Patch
from agor_jupyter.domain.work import Work, WorkKind
from agor_jupyter.domain.worktrees import (
    Adoptable,
    Relocate,
    Worktree,
    WorktreeAdopt,
    WorktreeChange,
    WorktreeCreate,
    WorktreeState,
    WorktreeStatus,
)
from agor_jupyter.notebook import issues
from agor_jupyter.notebook.display.views import visible
from agor_jupyter.notebook.following import settle_worktree
from agor_jupyter.notebook.link import Link

app = typer.Typer(no_args_is_help=True)
Which = Annotated[str, typer.Argument(metavar="WORKTREE", help="Name, REPO/NAME, or id.")]


def show_worktree(worktree: Worktree, as_json: bool) -> None:
    if as_json:
        show_json(worktree)
        return
    facts(
        [
            ("name", f"{worktree.repo}/{worktree.name}"),
            ("state", worktree.state),
            ("failure", worktree.failure),
            ("reason", worktree.reason),
            *(("notice", notice) for notice in worktree.notices),
            *((f"mend {way.kind}", way.what) for way in worktree.ways),
            ("branch", worktree.branch),
            ("base", f"{worktree.base_ref} ({worktree.base_sha[:10]})"),
            ("path", worktree.path),
            ("archive", worktree.archive_path),
            ("board", worktree.board),
            ("issue", worktree.issue_url),
            ("pull request", worktree.pull_request_url),
            ("notes", worktree.notes),
            ("context", json.dumps(worktree.context, ensure_ascii=False) if worktree.context else None),
            ("id", worktree.id),
        ]
    )


def show_settled(worktree: Worktree, as_json: bool) -> None:
    """Wait until it is made, and show it. One that could not be made ends the command with 1, and its reason on standard error."""
    settled = settle_worktree(link(), worktree)
    show_worktree(settled, as_json)
    if settled.state is WorktreeState.FAILED:
        print(visible(f"Worktree {settled.name!r} could not be made: {settled.reason or 'the server does not say why'}"), file=sys.stderr)
        raise typer.Exit(1)


def _context(text: str) -> JsonObject:
    try:
        free = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--context") from None
    if not isinstance(free, dict):
        raise typer.BadParameter("must be a JSON object, such as '{\"ticket\": 12}'", param_hint="--context")
    return free


@app.command()
def create(
    repo: str = typer.Argument(metavar="REPO", help="Name, id or path of the repository."),
    name: str | None = typer.Argument(None, metavar="NAME", help="Name of the worktree. Default: made from its issue's number and title."),
    base: str | None = typer.Option(None, help="Branch, tag or commit to start from. Default: the default branch."),
    branch: str | None = typer.Option(None, help="Branch to create. Default: the name."),
    existing_branch: bool = typer.Option(False, help="Use an existing branch, here or on a remote."),
    board: str | None = typer.Option(None, help="Board to put it on, relative to this folder."),
    issue: str | None = typer.Option(None, help="URL of the issue."),
    pull_request: str | None = typer.Option(None, help="URL of the pull request."),
    notes: str = typer.Option("", help="Free-form notes."),
    context: str = typer.Option("{}", help="Free-form JSON object."),
    as_json: AsJson = False,
) -> None:
    """Create a worktree and wait until it is ready."""
    body = WorktreeCreate(
        repo=find_repo(repo).id,
        name=name,
        base=base,
        branch=branch,
        existing_branch=existing_branch,
        board=link().board_path(board) if board else None,
        issue_url=issue,
        pull_request_url=pull_request,
        notes=notes,
        context=_context(context),
    )
    show_settled(Worktree.model_validate(link().post("worktrees", body)), as_json)


@app.command("list")
def list_(
    repo: str | None = typer.Option(None, help="Only those in this repository."),
    board: str | None = typer.Option(None, help="Only those on this board."),
    archived: bool = typer.Option(False, help="Include archived ones."),
    as_json: AsJson = False,
) -> None:
    """List the worktrees."""
    query = {
        "repo": find_repo(repo).id if repo else None,
        "board": link().board_path(board) if board else None,
        "archived": 1 if archived else None,
    }
    found = [Worktree.model_validate(item) for item in link().items("worktrees", **query)]
    if as_json:
        show_json(found)
    else:
        table(
            ["worktree", "state", "branch", "base"],
            [(f"{one.repo}/{one.name}", one.state, one.branch, one.base_ref) for one in found],
            "No worktrees.",
        )


@app.command()
def show(worktree: Which, as_json: AsJson = False) -> None:
    """Show a worktree, and what its host says of its issue and pull request."""
    found = find(worktree)
    show_worktree(found, as_json)
    if not as_json:
        facts([("issue", _told(issues.issue, found)), ("pull request", _told(issues.pull_request, found))])


def _told(read: Callable[[Link, Worktree], Issue | PullRequest | None], worktree: Worktree) -> str | None:
    """What its link leads to in a line, or why nobody knows."""
    try:
        found = read(link(), worktree)
    except AgorError as error:
        return error.message
    if found is None:
        return None
    checks = f", checks {found.checks}" if isinstance(found, PullRequest) else ""
    return f"#{found.number} “{found.title}” ({found.state}{checks}){f'; {found.stale}' if found.stale else ''}"


@app.command()
def status(worktree: Which, as_json: AsJson = False) -> None:
    """Show a worktree's git status."""
    found = WorktreeStatus.model_validate(link().get(f"worktrees/{find(worktree).id}/status"))
    if as_json:
        show_json(found)
        return
    facts(
        [
            ("branch", found.branch),
            ("commit", found.head[:10]),
            ("ahead, behind", f"{found.ahead}, {found.behind}"),
            ("changed", changed(found.files, found.added, found.deleted)),
            ("as of", f"{found.as_of:%Y-%m-%d %H:%M:%S} UTC"),
            ("uncommitted", _uncommitted(found)),
            *(("agents' own" if one.kind is WorkKind.OWN else "work", one.text) for one in found.work),
        ]
    )


def _uncommitted(found: WorktreeStatus) -> str | None:
    if found.staged or found.unstaged or found.untracked:
        return f"{found.staged} staged, {found.unstaged} unstaged, {found.untracked} untracked"
    return None if any(one.kind is not WorkKind.OWN for one in found.work) else "nothing"


@app.command()
def losses(worktree: Which, as_json: AsJson = False) -> None:
    """List the work in a worktree's folder: what would be lost with it, and what stays in the repository."""
    found = [Work.model_validate(item) for item in link().items(f"worktrees/{find(worktree).id}/losses")]
    if as_json:
        show_json(found)
        return
    table(["goes with the folder", "work"], [(_goes(one), one.text) for one in found], "Nothing would be lost.")


def _goes(one: Work) -> str:
    if one.kind is WorkKind.OWN:
        return "kept in a backup"
    return "no" if one.stays else "yes"


@app.command()
def diff(worktree: Which, as_json: AsJson = False) -> None:
    """Print what differs from the base, uncommitted changes included."""
    patch = Patch.model_validate(link().get(f"worktrees/{find(worktree).id}/diff"))
    if as_json:
        show_json(patch)
    else:
        print(visible(patch.text), end="")
        for line in patch.not_shown:
            typer.echo(visible(line), err=True)


@app.command()
def history(worktree: Which, as_json: AsJson = False) -> None:
    """List conversations that agents' own programs stored on the server's machine for this folder and its repository."""
    found = [Conversation.model_validate(item) for item in link().items(f"worktrees/{find(worktree).id}/history")]
    if as_json:
        show_json(found)
        return
    rows = [(one.agent, one.agent_session_id, one.turns, _day(one), one.title, one.session_id or "") for one in found]
    table(["agent", "id", "turns", "last", "title", "session"], rows, "No conversations.")


def _day(one: Conversation) -> str:
    return f"{one.updated_at:%Y-%m-%d %H:%M}" if one.updated_at else ""


@app.command("import")
def import_(
    worktree: Which,
    agent: str = typer.Argument(metavar="AGENT", help="Name of the agent."),
    conversation: str = typer.Argument(metavar="ID", help="The agent's id for the conversation, as listed by `history`."),
    as_json: AsJson = False,
) -> None:
    """Turn such a conversation into a session, with its turns. Importing it again returns the same session."""
    body = ConversationImport(agent=agent, agent_session_id=conversation)
    session = Session.model_validate(link().post(f"worktrees/{find(worktree).id}/import", body))
    if as_json:
        show_json(session)
    else:
        facts([("title", session.title), ("agent", session.agent), ("turns", session.turn_count), ("id", session.id)])


@app.command()
def change(
    worktree: Which,
    name: str | None = typer.Option(None, help="New name. The branch keeps its own."),
    board: str | None = typer.Option(None, help="Board to put it on, relative to this folder. Empty: none."),
    issue: str | None = typer.Option(None, help="URL of the issue. Empty: none."),
    pull_request: str | None = typer.Option(None, help="URL of the pull request. Empty: none."),
    notes: str | None = typer.Option(None, help="Free-form notes."),
    context: str | None = typer.Option(None, help="Free-form JSON object."),
    as_json: AsJson = False,
) -> None:
    """Change the given fields, and nothing else."""
    given = {
        "name": name,
        "board": link().board_path(board) if board else board,
        "issue_url": issue,
        "pull_request_url": pull_request,
        "notes": notes,
        "context": _context(context) if context is not None else None,
    }
    clearable = {"board", "issue_url", "pull_request_url"}
    changes = {field: None if value == "" and field in clearable else value for field, value in given.items() if value is not None}
    show_worktree(Worktree.model_validate(link().patch(f"worktrees/{find(worktree).id}", WorktreeChange.model_validate(changes))), as_json)


@app.command()
def retry(worktree: Which, as_json: AsJson = False) -> None:
    """Create a worktree again after it failed or its folder disappeared."""
    show_settled(Worktree.model_validate(link().post(f"worktrees/{find(worktree).id}/retry")), as_json)


@app.command()
def adoptable(repo: str = typer.Argument(metavar="REPO", help="Name, id or path of the repository."), as_json: AsJson = False) -> None:
    """List worktrees that git knows and Agor does not: those made by other tools or `git worktree add`."""
    found = [Adoptable.model_validate(item) for item in link().items(f"repos/{find_repo(repo).id}/adoptable")]
    if as_json:
        show_json(found)
    else:
        rows = [(one.path, one.branch or (one.head or "")[:12], one.reason or "") for one in found]
        table(["path", "branch", "why not"], rows, "No other worktrees.")


@app.command()
def adopt(
    repo: str = typer.Argument(metavar="REPO", help="Name, id or path of the repository."),
    path: Path = typer.Argument(metavar="PATH", help="The worktree's folder. It stays where it is."),
    name: str | None = typer.Option(None, help="Name of the worktree. Default: the folder's."),
    board: str | None = typer.Option(None, help="Board to put it on, relative to this folder."),
    as_json: AsJson = False,
) -> None:
    """Adopt a worktree made by another tool."""
    where = link().board_path(board) if board else None
    body = WorktreeAdopt(repo=find_repo(repo).id, path=str(absolute(path)), name=name, board=where)
    show_worktree(Worktree.model_validate(link().post("worktrees/adopt", body)), as_json)


@app.command()
def release(worktree: Which, as_json: AsJson = False) -> None:
    """Forget a worktree, and leave its folder, branch and files as they are."""
    one = find(worktree)
    link().post(f"worktrees/{one.id}/release")
    if as_json:
        show_json(one)
    else:
        print(f"Released {one.repo}/{one.name}. Its folder is {one.path}.")


@app.command()
def relocate(
    worktree: Which,
    path: Path | None = typer.Argument(None, metavar="[PATH]", help="Where its folder is now. Default: where it is found."),
    as_json: AsJson = False,
) -> None:
    """Follow a worktree whose folder was moved or renamed by hand."""
    body = Relocate(path=str(absolute(path)) if path else None)
    show_worktree(Worktree.model_validate(link().post(f"worktrees/{find(worktree).id}/relocate", body)), as_json)


@app.command("stop")
def stop_setup(worktree: Which, as_json: AsJson = False) -> None:
    """Stop the running setup command, with all its processes."""
    show_worktree(Worktree.model_validate(link().post(f"worktrees/{find(worktree).id}/stop-setup")), as_json)


@app.command()
def ways(worktree: Which, as_json: AsJson = False) -> None:
    """List the remedies for a worktree that is stuck."""
    found = find(worktree).ways
    if as_json:
        show_json(found)
    else:
        table(["way", "problem", "what it does"], [(one.kind, one.why, one.what) for one in found], "Nothing is wrong with it.")


@app.command()
def mend(
    worktree: Which,
    way: str = typer.Argument(metavar="WAY", help="One of those listed by `ways`."),
    as_json: AsJson = False,
) -> None:
    """Apply one of the remedies listed by `ways`."""
    mended = Worktree.model_validate(link().post(f"worktrees/{find(worktree).id}/ways/{quote(way, safe='')}"))
    show_settled(mended, as_json)
