"""A board: the live canvas, as a value in a cell."""

from typing import Any

from agor_jupyter.domain.boards import Board as BoardRecord
from agor_jupyter.domain.boards import Note, NoteAdd, Zone, ZoneAdd
from agor_jupyter.domain.costs import LedgerRow
from agor_jupyter.domain.errors import ObjectNotFound
from agor_jupyter.domain.sessions import Session as SessionRecord
from agor_jupyter.domain.worktrees import Worktree as WorktreeRecord
from agor_jupyter.notebook import budgets, costs, rules, views
from agor_jupyter.notebook.budgets import Budget
from agor_jupyter.notebook.handles import Handles, checked, columns
from agor_jupyter.notebook.link import Link
from agor_jupyter.notebook.rules import Command, Rule
from agor_jupyter.notebook.sessions import Session
from agor_jupyter.notebook.worktrees import Worktree


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
        return Handles(
            "zone",
            [one for one in self.document.objects.values() if isinstance(one, Zone)],
            columns,
            lambda zone: zone.name,
            lambda zone: f"Zone {zone.name!r}",
            kind=Zone,
        )

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
        objects = self.document.objects.items()
        found = [object_id for object_id, one in objects if isinstance(one, Zone) and one.name == zone]
        if not found:
            raise ObjectNotFound(zone, [one.name for _, one in objects if isinstance(one, Zone)])
        return rules.allow(self._link, "zone", found[0], command, kind=kind, agent=agent, hours=hours)

    @property
    def costs(self) -> Handles[LedgerRow]:
        """What turns on this board cost, one row for each turn and model, newest first."""
        return costs.costs(self._link, board=self.path)

    def budget(self, hard: float | None = None, *, soft: float | None = None) -> Budget:
        """Set how many dollars its sessions may spend. Above `soft` you are warned; above `hard` nothing starts or runs."""
        return budgets.put(self._link, "board", self.path, hard, soft)

    def zone(self, name: str, *, at: tuple[float, float] | None = None, width: float = 296, height: float = 560, color: str = "") -> Zone:
        """The zone of this name, created if there is none. Sizes are in board units."""
        for known in self.zones:
            if known.name == name:
                return known
        with checked():
            body = ZoneAdd(name=name, x=at[0] if at else None, y=at[1] if at else None, width=width, height=height, color=color)
        self._link.post("board/zones", body, path=self.path)
        return self.zones[name]

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
        from agor_jupyter.notebook.canvas import bundle

        return bundle(self.path, repr(self))
