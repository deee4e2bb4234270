"""A board: the live canvas, as a value in a cell."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from agor_jupyter.domain.boards import Board as BoardRecord
from agor_jupyter.domain.boards import BoardEntry, BoardExtend, BoardFile, BoardOpen, Note, NoteAdd, ZoneAdd
from agor_jupyter.domain.boards import Zone as ZoneRecord
from agor_jupyter.domain.costs import LedgerRow
from agor_jupyter.domain.errors import ObjectNotFound
from agor_jupyter.domain.schedules import When
from agor_jupyter.domain.sessions import Session as SessionRecord
from agor_jupyter.domain.worktrees import Worktree as WorktreeRecord
from agor_jupyter.notebook import budgets, costs, firings, passages, rules, schedules, zones
from agor_jupyter.notebook.budgets import Budget
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.firings import Firing
from agor_jupyter.notebook.handles import Handles, checked, columns
from agor_jupyter.notebook.link import Link, reach
from agor_jupyter.notebook.rules import Command, Rule
from agor_jupyter.notebook.schedules import Schedule
from agor_jupyter.notebook.sessions import Session
from agor_jupyter.notebook.worktrees import Worktree
from agor_jupyter.notebook.zones import UNSAID, GateLike, Zone


class Board:
    """The last expression of a cell shows it: live where a page of this server is open, as text elsewhere."""

    def __init__(self, link: Link, path: str) -> None:
        self._link, self.path = link, path
        """The file, relative to the server's root."""

    @property
    def document(self) -> BoardRecord:
        """Everything on it now, and any problems with the file."""
        return BoardRecord.model_validate(self._link.get("board", path=self.path))

    @property
    def zones(self) -> Handles[Zone]:
        found = zones.listing(self._link, self.path)
        return Handles("zone", found, lambda one: columns(one.record), lambda one: one.name, kind=ZoneRecord)

    @property
    def firings(self) -> Handles[Firing]:
        """What cards that arrived in its zones started, newest first."""
        return firings.listed(self._link, board=self.path)

    @property
    def schedules(self) -> Handles[Schedule]:
        """Work of it that starts by itself, by name."""
        return schedules.listed(self._link, self.path)

    def schedule(
        self,
        name: str,
        *,
        cron: str | None = None,
        tz: str = "UTC",
        every: float | None = None,
        at: datetime | None = None,
        on: When | None = None,
        worktree: Worktree | None = None,
        zone: Zone | None = None,
        repo: str | None = None,
        **plan: Any,
    ) -> Schedule:
        """The schedule of this name, made if there is none, with the settings that you give.

        Args:
            cron: five fields, by the clock of `tz`, an IANA time zone.
            every: seconds, at least 60.
            at: one moment.
            on: a record of `domain.schedules`, such as `BranchMoved(branch="main")`.
            worktree: where it runs. Without one, each slot gets a worktree of its own.
            zone: where the worktree's card is dropped instead.
            repo: of which repository those worktrees are. Default: the only one on the board.
            plan: the other fields of `SchedulePlan`, such as `prompt`, `agent`, `script`, `notebook`, `late`, `overlap` and `retries`.

        Raises:
            BadRequest: a value does not fit, or none or several of `cron`, `every`, `at` and `on` are given.

        """
        when = schedules.when_of(cron, tz, every, at, on)
        target = schedules.target_of(self._link, self.path, worktree, zone.id if zone is not None else None, repo)
        return schedules.put(self._link, self.path, name, {"when": when, "target": target, **plan})

    @property
    def notes(self) -> Handles[Note]:
        return Handles(
            "note",
            [one for one in self.document.objects.values() if isinstance(one, Note)],
            columns,
            lambda note: note.text,
            lambda note: f"Note {views.headline(note.text)!r}",
            kind=Note,
        )

    @property
    def worktrees(self) -> Handles[Worktree]:
        found = [Worktree(self._link, WorktreeRecord.model_validate(item)) for item in self._link.items("worktrees", board=self.path)]
        return Handles("worktree", found, lambda one: columns(one.record), lambda one: one.name, kind=WorktreeRecord)

    @property
    def sessions(self) -> Handles[Session]:
        found = [Session(self._link, SessionRecord.model_validate(item)) for item in self._link.items("sessions", board=self.path)]
        return Handles("session", found, lambda one: columns(one.record), lambda one: one.title, kind=SessionRecord)

    def allow(
        self,
        command: Command | None = None,
        *,
        zone: str,
        kind: str | None = None,
        agent: str | None = None,
        hours: float | None = None,
    ) -> Rule:
        """Allow something without asking, for the worktrees whose cards are in the zone of this name. Like `worktree.allow`."""
        found = [one.id for one in self.zones if one.name == zone]
        if not found:
            raise ObjectNotFound(zone, [one.name for one in self.zones])
        return rules.allow(self._link, "zone", found[0], command, kind=kind, agent=agent, hours=hours)

    @property
    def costs(self) -> Handles[LedgerRow]:
        """What turns on this board cost, one row for each turn and model, newest first."""
        return costs.costs(self._link, board=self.path)

    def budget(self, hard: float | None = None, *, soft: float | None = None) -> Budget:
        """Set how many dollars its sessions may spend. Above `soft` you are warned; above `hard` nothing starts or runs."""
        return budgets.put(self._link, "board", self.path, hard, soft)

    def extend(self, template: str, *, allow: bool = False) -> "Board":
        """Add the zones and notes of a template, to the right of what is there.

        Args:
            template: name of a ready one, as `hub.board_templates` lists them; or the path of a file that `export` wrote.
            allow: let the commands of its zones run without asking, in your name. For owners.

        Raises:
            BadRequest: there is no such template, or the file is none.

        """
        path = Path(template)
        is_file = path.suffix == ".agor" or path.is_file()
        with checked():
            body = (
                BoardExtend(text=path.read_text(encoding="utf-8"), allow=allow) if is_file else BoardExtend(template=template, allow=allow)
            )
        self._link.post("board/template", body, path=self.path)
        return self

    def export(self, path: str | os.PathLike[str] | None = None) -> str:
        """Its zones and notes as a template, without cards. With `path` it is also written there, in this process's folder."""
        text = BoardFile.model_validate(self._link.get("board/template", path=self.path)).text
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @classmethod
    def from_file(cls, template: str | os.PathLike[str], path: str | os.PathLike[str] = "main.agor") -> "Board":
        """The board in the file `path`, which begins with the zones of a template if it has no zones yet.

        Args:
            template: path of a file that `export` wrote, or the name of a ready one.
            path: the board, relative to this notebook. Default: `main.agor`.

        On another server: `hub.board(path).extend(template)`.

        """
        board = cls.at(reach(), path)
        return board if board.zones else board.extend(os.fspath(template))

    @classmethod
    def at(cls, link: Link, path: str | os.PathLike[str], title: str = "") -> "Board":
        """The board in this file, relative to this process's folder. The file is created if it does not exist."""
        relative = link.board_path(path)
        with checked():
            body = BoardOpen(path=relative, title=title)
        link.post("boards", body)
        return cls(link, relative)

    def zone(
        self,
        name: str,
        *,
        at: tuple[float, float] | None = None,
        width: float = UNSAID,
        height: float = UNSAID,
        color: str = UNSAID,
        prompt: str = UNSAID,
        agent: str = UNSAID,
        model: str | None = UNSAID,
        mode: str | None = UNSAID,
        options: Mapping[str, str] = UNSAID,
        target: Literal["new", "latest", "ask", "each"] = UNSAID,
        how: Literal["prompt", "fork", "spawn"] = UNSAID,
        limit: int | None = UNSAID,
        before: "GateLike | Sequence[GateLike] | None" = UNSAID,
        gate: "GateLike | Sequence[GateLike] | None" = UNSAID,
        next: Zone | str | None = UNSAID,  # noqa: A002  # the word that the card of a zone has
        on_failure: Zone | str | None = UNSAID,
        asks_first: bool = UNSAID,
        needs_approval: bool = UNSAID,
        budget: float | None = UNSAID,
        agents_may_enter: bool = UNSAID,
        on: bool = UNSAID,
        paused: bool = UNSAID,
        allow: bool = False,
    ) -> Zone:
        """The zone of this name, created if there is none, with the settings that you give. The others stay as they are.

        A card that arrives passes the gates before, then the prompt goes to an agent, then it passes the gates, then it moves on. Without a
        prompt and gates a zone only holds cards.

        Args:
            at: left and top, in board units. Default: a free place, to the right of the zones that are there.
            width: in board units, as `height`. Default: 296 × 560.
            color: a name, or `#rrggbb`.
            prompt: a template, such as `"Review {{ worktree.branch }}."`.
            agent: who runs it. Default: your default agent.
            model: one that the agent offers. `mode` and `options` likewise, as in `worktree.session`.
            target: whom the prompt goes to: a new session, the worktree's latest one, each of its session trees, or you choose.
            how: what happens to a session that is there: it is prompted, forked, or gets a child.
            limit: cards in work at once. The others wait in the order of their arrival.
            before: what has to pass before the prompt: a line of shell, the path of a notebook in the worktree, or a function of this
                kernel that gets the worktree. It fails when it returns `False` or raises. Several in a list.
            gate: the same after the prompt's turn is done.
            next: the zone that the card moves on to when all passed. It has to exist.
            on_failure: the zone that it moves to when something failed. Default: it stays.
            asks_first: you say yes before each run.
            needs_approval: you let the card move on.
            budget: in US dollars, for one card.
            agents_may_enter: agents may bring cards here.
            on: whether arriving starts anything.
            paused: cards that arrive wait.
            allow: let the zone's commands (gates, and the blocks of a prompt for `script`) run without asking, in your name. For owners.

        Raises:
            BadRequest: a value does not fit, or `next` names a zone that is not there.

        """
        given: dict[str, object] = {
            "prompt": prompt,
            "agent": agent,
            "model": model,
            "mode": mode,
            "options": options,
            "target": target,
            "how": how,
        }
        given |= {"limit": limit, "before": before, "gate": gate, "next": next, "on_failure": on_failure, "asks_first": asks_first}
        given |= {"needs_approval": needs_approval, "budget": budget, "agents_may_enter": agents_may_enter, "on": on, "paused": paused}
        policy: dict[str, Any] = {key: value for key, value in given.items() if value is not UNSAID}
        zone = {one.name: one for one in reversed(self.zones)}.get(name)
        if zone is None:
            sizes = {key: value for key, value in (("width", width), ("height", height), ("color", color)) if value is not UNSAID}
            with checked():
                body = ZoneAdd.model_validate({"name": name, "x": at[0] if at else None, "y": at[1] if at else None, **sizes})
            entry = BoardEntry.model_validate(self._link.post("board/zones", body, path=self.path))
            assert isinstance(entry.object, ZoneRecord)
            zone = Zone(self._link, self.path, entry.id, entry.object)
        return zone.change(allow=allow, **policy) if policy or allow else zone

    async def run(self, worktree: Worktree, *, until: Zone | str | None = None, start: Zone | str | None = None) -> Handles[Firing]:
        """Bring a card through the zones, and wait until it has come to its end: `await board.run(worktree, until="Deploy")`.

        Running it again for a card that has arrived starts nothing; it says what happened.

        Args:
            worktree: whose card.
            until: the zone where to stop: when all of it passed, or when the card is there if it starts nothing. Default: where it rests.
            start: the zone to drop it into. Default: the one where it lies, or the first of those that lead to `until`.

        Returns:
            The firings that it went through, the oldest first.

        Raises:
            FiringFailed: one failed, or was withdrawn, and the card did not get there.

        """
        return await passages.run(self._link, self.path, worktree, until=until, start=start)

    def note(self, text: str, *, at: tuple[float, float] | None = None, color: str = "") -> Note:
        """The note with this text, created if there is none."""
        for known in self.notes:
            if known.text == text:
                return known
        with checked():
            body = NoteAdd(text=text, x=at[0] if at else None, y=at[1] if at else None, color=color)
        self._link.post("board/notes", body, path=self.path)
        return self.notes[text]

    def __repr__(self) -> str:
        return f"Board {self.path!r}"

    def _repr_mimebundle_(self, **_: Any) -> Any:  # IPython takes a dict, or a pair of dicts
        from agor_jupyter.notebook.display.canvas import bundle

        return bundle(self.path, repr(self))
