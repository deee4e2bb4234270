"""The cards of worktrees on boards. The database knows which worktrees lie where, and a board that lost a card gets it back."""

import asyncio

from agor_jupyter.documents import boards as document_boards
from agor_jupyter.documents import files, placement
from agor_jupyter.documents.boards import Json, View
from agor_jupyter.documents.placement import free_place
from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import CARD_HEIGHT, CARD_WIDTH, BoardObject, Card, Zone
from agor_jupyter.domain.ids import ObjectId, WorktreeId
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.services.boards.edits import Edits
from agor_jupyter.services.boards.rooms import Changes
from agor_jupyter.services.clock import Clock
from agor_jupyter.storage import boards as storage
from agor_jupyter.storage.store import Store

_LOOK_S = 0.05


class Cards:
    def __init__(self, clock: Clock, store: Store, edits: Edits) -> None:
        self._clock, self._store, self._edits = clock, store, edits

    async def place(self, worktree: Worktree, x: float | None = None, y: float | None = None, card: ObjectId | None = None) -> None:
        """Give a worktree its card: this one where it lies, else a new one at the place or a free one. A board that cannot be read gets it
        when it is repaired.
        """
        if worktree.board is None:
            return
        path = files.check(worktree.board)
        if not await self._edits.is_there(path):
            await self._edits.make(path)

        def plan(view: View) -> Changes:
            held = [key for key, shown in view.objects.items() if isinstance(shown, Card) and shown.worktree == worktree.id]
            if not held and card is not None and isinstance(view.objects.get(card), Card):
                held = [card]
            if held:
                return {held[0]: _fields(worktree)}
            return {self._clock.new_id("object"): _card(worktree, list(view.objects.values()), x, y)}

        await self._edits.attempt(path, plan)

    async def bring(self, worktree: Worktree, zone_id: ObjectId | None, x: float | None = None, y: float | None = None) -> None:
        """Have the worktree's card lie in a zone, or with `None` anywhere: at the place, else where it is if that is there, else at a free
        one. A zone that is gone, and a board that cannot be read, leave it where it is.
        """
        if worktree.board is None:
            return

        def plan(view: View) -> Changes:
            zone = view.objects.get(zone_id) if zone_id is not None else None
            if zone_id is not None and not isinstance(zone, Zone):
                return {}
            around = zone if isinstance(zone, Zone) else None
            held = next((key for key, shown in view.objects.items() if isinstance(shown, Card) and shown.worktree == worktree.id), None)
            if held is None:
                fields = _card(worktree, list(view.objects.values()), x, y)
                if around is not None and not placement.is_inside(around, fields["x"], fields["y"]):
                    fields["x"], fields["y"] = placement.place_in_zone(view.objects.values(), around)
                return {self._clock.new_id("object"): fields}
            card = view.objects[held]
            if x is not None and y is not None and (around is None or placement.is_inside(around, x, y)):
                is_there = (round(card.x), round(card.y)) == (round(x), round(y))
                return {} if is_there else {held: {"x": round(x), "y": round(y)}}
            if around is None or placement.is_inside(around, card.x, card.y):
                return {}
            left, top = placement.place_in_zone((shown for key, shown in view.objects.items() if key != held), around)
            return {held: {"x": left, "y": top}}

        await self._edits.attempt(files.check(worktree.board), plan)

    async def lies_at(self, worktree: Worktree, x: float | None, y: float | None, patience_s: float) -> bool:
        """Whether the worktree's card lies at this place, or comes to within so many seconds: what a page did is on its way."""
        if worktree.board is None or x is None or y is None:
            return False
        for pause_s in (*[_LOOK_S] * round(patience_s / _LOOK_S), 0):
            try:
                objects = (await self._edits.view(files.check(worktree.board))).objects.values()
            except errors.BoardNotFound:
                return False
            places = [(round(one.x), round(one.y)) for one in objects if isinstance(one, Card) and one.worktree == worktree.id]
            if (round(x), round(y)) in places:
                return True
            await asyncio.sleep(pause_s)
        return False

    async def mark(self, worktree: Worktree) -> None:
        """Have the board at `worktree.board` show what is stored of the worktree now: a fresh card, or none if it is not there any more."""
        if worktree.board is None:
            return
        placed = {each.id: each for each in await self._store.read(storage.placed, files.check(worktree.board))}
        if worktree.id not in placed:
            await self.take(worktree.board, worktree.id)
        elif placed[worktree.id].state != WorktreeState.ARCHIVED:
            await self.place(worktree)

    async def take(self, path: str, worktree_id: WorktreeId) -> None:
        """Take a worktree's cards off the board at `path`: it was removed, or lies on another board now."""

        def plan(view: View) -> Changes:
            return {key: None for key, shown in view.objects.items() if isinstance(shown, Card) and shown.worktree == worktree_id}

        if await self._edits.is_there(path):
            await self._edits.attempt(path, plan)

    async def repair(self, path: str) -> None:
        """Put back the cards that should be there, and leave one of each worktree.

        Errors:
            BadPath, BoardNotFound: there is no such board, and no worktree lies on it.
        """
        placed = {each.id: each for each in await self._store.read(storage.placed, files.check(path))}
        if not await self._edits.is_there(path):
            if not placed:
                raise errors.BoardNotFound(path)
            await self._edits.make(path)

        def plan(view: View) -> Changes:
            changes: dict[str, Json | None] = {}
            seen: set[str] = set()
            for key, shown in view.objects.items():
                if isinstance(shown, Card) and shown.worktree in seen:
                    changes[key] = None
                elif isinstance(shown, Card):
                    seen.add(shown.worktree)
            objects = [shown for key, shown in view.objects.items() if key not in changes]
            for worktree_id in sorted(placed.keys() - seen) if len(view.objects) < document_boards.MAX_OBJECTS else ():
                if placed[worktree_id].state == WorktreeState.ARCHIVED:
                    continue
                card = _card(Worktree.model_validate_json(placed[worktree_id].record), objects, None, None)
                objects.append(Card.model_validate(card))
                changes[self._clock.new_id("object")] = card
            return changes

        await self._edits.attempt(path, plan)


def _fields(worktree: Worktree) -> Json:
    return {
        "worktree": worktree.id,
        "repo": worktree.repo[:200],
        "branch": worktree.branch[:200],
        "title": worktree.name[:400],
        "base": worktree.base_ref[:200],
    }


def _card(worktree: Worktree, objects: list[BoardObject], x: float | None, y: float | None) -> Json:
    near = (x, y) if x is not None and y is not None else None
    left, top = free_place(objects, CARD_WIDTH, CARD_HEIGHT, near)
    return {"kind": "card", "x": left, "y": top, **_fields(worktree)}
