"""Where a new object goes: a free place, near what is there."""

import math
from collections.abc import Iterable, Mapping

from agor_jupyter.domain.boards import CARD_HEIGHT, CARD_WIDTH, GAP, BoardObject, Card, Zone
from agor_jupyter.domain.ids import ObjectId, WorktreeId

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_COLUMNS = 4
_MAX_PLACE = 900_000
_ZONE_HEAD = 44
"""Where a zone's name stands."""
_ASIDE = 12
_MAX_ROW = 500
"""More objects than this beside each other are no layout: the new one goes below all."""


def box(shown: BoardObject) -> Box:
    width, height = (CARD_WIDTH, CARD_HEIGHT) if isinstance(shown, Card) else (shown.width, shown.height)
    return (shown.x, shown.y, shown.x + width, shown.y + height)


def zone_of(objects: Mapping[ObjectId, BoardObject], worktree_id: WorktreeId) -> ObjectId | None:
    """The zone in which the middle of this worktree's card lies; of several, the smallest."""
    card = card_of(objects, worktree_id)
    if card is None:
        return None
    around = [
        (zone.width * zone.height, zone_id)
        for zone_id, zone in objects.items()
        if isinstance(zone, Zone) and is_inside(zone, card.x, card.y)
    ]
    return min(around)[1] if around else None


def card_of(objects: Mapping[ObjectId, BoardObject], worktree_id: WorktreeId) -> Card | None:
    return next((one for one in objects.values() if isinstance(one, Card) and one.worktree == worktree_id), None)


def is_inside(zone: Zone, x: float, y: float) -> bool:
    """Whether the middle of a card whose top left corner is there lies in the zone."""
    x, y = x + CARD_WIDTH / 2, y + CARD_HEIGHT / 2
    return zone.x <= x <= zone.x + zone.width and zone.y <= y <= zone.y + zone.height


def place_in_zone(objects: Iterable[BoardObject], zone: Zone) -> tuple[int, int]:
    """The top left corner of a free place for a card in a zone, row by row. In a full zone: over another, a little aside."""
    taken = [box(shown) for shown in objects if not isinstance(shown, Zone)]
    left = round(zone.x + min(GAP, max(0.0, (zone.width - CARD_WIDTH) / 2)))
    top = round(zone.y + min(_ZONE_HEAD, max(0.0, (zone.height - CARD_HEIGHT) / 2)))
    columns = max(1, int((zone.width - GAP) // (CARD_WIDTH + GAP)))
    rows = max(1, int((zone.height - (top - zone.y)) // (CARD_HEIGHT + GAP)))
    for place in range(rows * columns):
        x, y = left + place % columns * (CARD_WIDTH + GAP), top + place // columns * (CARD_HEIGHT + GAP)
        if is_inside(zone, x, y) and not any(_overlap((x, y, x + CARD_WIDTH, y + CARD_HEIGHT), each) for each in taken):
            return x, y
    aside = sum(is_inside(zone, each[0], each[1]) for each in taken) % _ASIDE * 8
    middle = round(zone.x + (zone.width - CARD_WIDTH) / 2), round(zone.y + (zone.height - CARD_HEIGHT) / 2)
    return (left + aside, top + aside) if is_inside(zone, left + aside, top + aside) else middle


def free_place(
    objects: Iterable[BoardObject],
    width: float = CARD_WIDTH,
    height: float = CARD_HEIGHT,
    near: tuple[float, float] | None = None,
) -> tuple[int, int]:
    """The top left corner of a free place of this size.

    With `near`: that very place if it is free, inside a zone too; else the next one below it, in its zone while there is room.
    Without: the first free place in rows of four from the top left of what is there, outside zones.
    """
    everything = list(objects)
    if near is not None and math.isfinite(near[0]) and math.isfinite(near[1]):
        return _below([box(shown) for shown in everything if not isinstance(shown, Zone)], width, height, near)
    boxes = sorted((box(shown) for shown in everything), key=lambda each: each[1])
    left = round(min((each[0] for each in boxes), default=0))
    row_top = round(boxes[0][1]) if boxes else 0
    row: list[Box] = []
    following = 0
    while True:
        while following < len(boxes) and boxes[following][1] < row_top + height + GAP:
            row.append(boxes[following])
            following += 1
        row = [each for each in row if each[3] + GAP > row_top]
        if len(row) > _MAX_ROW:
            return left, min(_MAX_PLACE, math.ceil(max(each[3] for each in boxes)) + GAP)
        for column in range(_COLUMNS):
            x = left + column * (round(width) + GAP)
            if not any(_overlap((x, row_top, x + width, row_top + height), each) for each in row):
                return x, row_top
        row_top = math.ceil(min(each[3] for each in row)) + GAP
        if row_top > _MAX_PLACE:
            return left, round(boxes[0][1])


def _below(taken: list[Box], width: float, height: float, near: tuple[float, float]) -> tuple[int, int]:
    x, y = round(near[0]), round(near[1])
    column = sorted((other for other in taken if other[0] < x + width + GAP and other[2] + GAP > x), key=lambda other: other[3])
    for other in column:
        if any(_overlap((x, y, x + width, y + height), each) for each in column):
            y = max(y, math.ceil(other[3]) + GAP)
        else:
            break
    return x, y


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] + GAP and other[0] < one[2] + GAP and one[1] < other[3] + GAP and other[1] < one[3] + GAP
