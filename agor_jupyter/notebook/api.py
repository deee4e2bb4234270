"""`connect()`, and the hub: everything else is reached from it."""

import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from agor_jupyter.client.http import Client
from agor_jupyter.client.paths import absolute
from agor_jupyter.domain.agents import AgentStatus
from agor_jupyter.domain.boards import BoardInfo, BoardTemplate, Me
from agor_jupyter.domain.costs import LedgerRow
from agor_jupyter.domain.errors import AlreadyExists
from agor_jupyter.domain.options import Preference, PreferenceChange
from agor_jupyter.domain.permissions import Permission as PermissionRecord
from agor_jupyter.domain.repos import Repo as RepoRecord
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import Session as SessionRecord
from agor_jupyter.domain.worktrees import Worktree as WorktreeRecord
from agor_jupyter.notebook import agents, budgets, costs, rules, search
from agor_jupyter.notebook.agents import Agent
from agor_jupyter.notebook.backups import Backup, backups
from agor_jupyter.notebook.boards import Board
from agor_jupyter.notebook.budgets import Budget
from agor_jupyter.notebook.destinations import Destinations
from agor_jupyter.notebook.handles import Handles, checked, columns
from agor_jupyter.notebook.link import Link, reach
from agor_jupyter.notebook.options import chosen, preferences
from agor_jupyter.notebook.permissions import Permission
from agor_jupyter.notebook.repos import Repo
from agor_jupyter.notebook.rules import Rule
from agor_jupyter.notebook.search import Hit
from agor_jupyter.notebook.sessions import Session
from agor_jupyter.notebook.tokens import Tokens
from agor_jupyter.notebook.variables import Variables
from agor_jupyter.notebook.worktrees import Worktree

_URL = re.compile(r"^([a-z][a-z+]*://|[\w.-]+@[\w.-]+:)")


def connect(url: str | None = None, token: str | None = None, *, data_dir: str | os.PathLike[str] | None = None) -> "Hub":
    """The hub of the server this notebook belongs to.

    Without `url`: the Jupyter server that started this kernel or this terminal; else the one that has the data open; else a private
    server, on 127.0.0.1 with a token of its own, that ends with this process. Connecting again gives the same server.

    Args:
        url: address of a Jupyter server, with its base URL.
        token: its token.
        data_dir: folder of the data. Default: AGOR_DATA_DIR, else what Jupyter's settings say (`c.AgorApp.data_dir`), else `agor` in
            Jupyter's data folder.

    Raises:
        ServerGone: it does not answer, or the private one did not start.

    """
    hub = Hub(reach(url=url, token=token, data_dir=data_dir))
    hub.me  # noqa: B018  # refuse now, not at the first use
    return hub


class Hub:
    """One server, and the way to everything on it: `hub.repo(…)`, `hub.board(…)`, `hub.sessions`, `hub.permissions`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @property
    def url(self) -> str:
        return self._link.url

    @property
    def http(self) -> Client:
        """The HTTP API itself, for anything without a handle: `hub.http.get("openapi.json")` describes it."""
        return self._link.http

    @property
    def me(self) -> Me:
        """Who you are to the server, and what you may do."""
        return self._link.me

    def repo(self, place: str | os.PathLike[str], *, name: str | None = None) -> Repo:
        """The repository at a path or a git URL: registered if it is not yet, and cloned if it is a URL. Waits for the clone.

        Args:
            place: a checkout, relative to this notebook, or a URL such as https://…, ssh://… or git@host:path.
            name: short name for boards and shells. Default: made from the place.

        """
        text = os.fspath(place)
        is_url = _URL.match(text) is not None
        with checked():
            body = RepoAdd(url=text, slug=name) if is_url else RepoAdd(path=str(absolute(text)), slug=name)
        known = self._known_url(text) if is_url else self._known_path(text)
        return (known or self._registered(body)).ready()

    def _registered(self, body: RepoAdd) -> Repo:
        try:
            return Repo(self._link, RepoRecord.model_validate(self._link.post("repos", body)))
        except AlreadyExists as error:  # reached by another path: a linked worktree, a folder in it
            known = error.details.get("known")
            if known is None:
                raise
            return Repo(self._link, RepoRecord.model_validate(self._link.get(f"repos/{known}")))

    def _known_path(self, place: str) -> Repo | None:
        path = absolute(place).resolve()
        return next((one for one in self.repos if Path(one.path).resolve() == path), None)

    def _known_url(self, url: str) -> Repo | None:
        bare = re.sub(r"//[^/@]*@", "//", url)  # stored without a user's name and password
        return next((one for one in self.repos if one.record.url in (url, bare)), None)

    def board(self, path: str | os.PathLike[str] = "main.agor", *, title: str = "") -> Board:
        """The board in this file, relative to this notebook. The file is created if it does not exist."""
        return Board.at(self._link, path, title)

    @property
    def board_templates(self) -> Handles[BoardTemplate]:
        """Ready zones to begin a board with: `hub.board("team.agor").extend("fix-a-failing-test")`."""
        found = [BoardTemplate.model_validate(item) for item in self._link.items("board/templates")]
        return Handles(
            "board template", found, columns, lambda one: one.name, lambda one: f"{one.name}: {one.description}", kind=BoardTemplate
        )

    @property
    def repos(self) -> Handles[Repo]:
        found = [Repo(self._link, RepoRecord.model_validate(item)) for item in self._link.items("repos")]
        return Handles("repo", found, lambda one: columns(one.record), lambda one: one.name, kind=RepoRecord)

    @property
    def boards(self) -> Handles[Board]:
        found = [BoardInfo.model_validate(item) for item in self._link.items("boards")]
        by_path = {one.path: one for one in found}
        boards = [Board(self._link, one.path) for one in found]
        return Handles("board", boards, lambda one: columns(by_path[one.path]), lambda one: one.path, kind=BoardInfo)

    @property
    def worktrees(self) -> Handles[Worktree]:
        """The worktrees of all repositories, except archived ones."""
        found = [Worktree(self._link, WorktreeRecord.model_validate(item)) for item in self._link.items("worktrees")]
        return Handles("worktree", found, lambda one: columns(one.record), lambda one: one.name, kind=WorktreeRecord)

    @property
    def costs(self) -> Handles[LedgerRow]:
        """What turns cost, one row for each turn and model, newest first."""
        return costs.costs(self._link)

    def budget(self, hard: float | None = None, *, soft: float | None = None, user: str | None = None) -> Budget:
        """Set how many dollars a person, by default you, may spend. Above `soft` you are warned; above `hard` nothing starts or runs."""
        return budgets.put(self._link, "user", user or self.me.person.username, hard, soft)

    @property
    def budgets(self) -> Handles[Budget]:
        """All, by the id of a session or worktree, the path of a board, or a username."""
        return budgets.budgets(self._link)

    @property
    def sessions(self) -> Handles[Session]:
        found = [Session(self._link, SessionRecord.model_validate(item)) for item in self._link.items("sessions")]
        return Handles("session", found, lambda one: columns(one.record), lambda one: one.title, kind=SessionRecord)

    def search(
        self,
        words: str,
        *,
        board: str | os.PathLike[str] | None = None,
        worktree: Worktree | None = None,
        agent: str | None = None,
        state: str | None = None,
        since: datetime | None = None,
        archived: bool = False,
        limit: int = 50,
    ) -> Handles[Hit]:
        """Turns whose prompt or answer has all these words, and sessions with them in their title; the best and newest first.

        Args:
            words: words, "phrases", and beginnings of words with a star: `hub.search('migrat* "load orders"')`.
            board: only on this board, relative to this notebook.
            worktree: only in this one.
            agent: only of this agent.
            state: only turns that ended so: done, failed, cancelled or interrupted.
            since: only what ended then or later, an aware time.
            archived: in sessions that were put away, too.
            limit: at most so many.

        Raises:
            SearchUnavailable: the server's database is not SQLite.

        """
        place = self._link.board_path(board) if board is not None else None
        inside = worktree.record.id if worktree is not None else None
        query = search.make_query(words, limit, board=place, worktree=inside, agent=agent, state=state, since=since, archived=archived)
        return search.search(self._link, query, limit)

    @property
    def agents(self) -> Handles[Agent]:
        """Kinds of coding assistants: `hub.agents["claude"].install()`."""
        found = [Agent(self._link, AgentStatus.model_validate(item)) for item in self._link.items("agents")]
        return Handles("agent", found, agents.columns_of, lambda one: one.name)

    @property
    def preferences(self) -> Handles[Preference]:
        """Your preferences for each agent."""
        return preferences([Preference.model_validate(item) for item in self._link.items("preferences")])

    def prefer(
        self, agent: str, *, model: str | None = None, mode: str | None = None, options: Mapping[str, str] | None = None
    ) -> Preference:
        """Set what your new sessions with this agent start with, replacing your earlier preference. With nothing given, clear it."""
        with checked():
            body = PreferenceChange(options=chosen(model, mode, options))
        return Preference.model_validate(self._link.patch(f"preferences/{agent}", body))

    @property
    def permissions(self) -> Handles[Permission]:
        """The open questions of all sessions."""
        found = [Permission(self._link, PermissionRecord.model_validate(item)) for item in self._link.items("permissions")]
        return Handles("permission", found, lambda one: columns(one.record), lambda one: one.title, kind=PermissionRecord)

    @property
    def rules(self) -> Handles[Rule]:
        """All rules, including revoked and expired ones. `session.allow(…)` makes one."""
        return rules.of(self._link)

    @property
    def variables(self) -> Variables:
        """Environment variables for the agents in your sessions: their names, `.set(name)` and `.remove(name)`."""
        return Variables(self._link)

    @property
    def destinations(self) -> Destinations:
        """Places outside of JupyterLab that are told when something needs you: `.add(name)`; each has `.test()` and `.pause()`."""
        return Destinations(self._link)

    @property
    def tokens(self) -> Tokens:
        """Tokens that connect your own MCP client, such as Claude Code, to a board: `.create(name, board)`; each has `.revoke()`."""
        return Tokens(self._link)

    @property
    def backups(self) -> Handles[Backup]:
        """Removed worktrees of which everything is kept for a while: `hub.backups["fix"].restore()`."""
        return backups(self._link)

    def stop(self) -> None:
        """Stop a private server. Any other server keeps running; only the connections are closed."""
        self._link.stop()

    def __repr__(self) -> str:
        return f"Hub of {'a private server' if self._link.is_private else 'this Jupyter server'}, as {self.me.role.value}"
