import random

import pytest

from agor_jupyter.documents.placement import box, free_place
from agor_jupyter.domain.boards import CARD_HEIGHT, CARD_WIDTH, GAP, Card, Note, Zone


def card(x, y, n=0):
    return Card(x=x, y=y, worktree=f"wt_{n}", repo="r", branch="b")


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_the_first_goes_to_the_origin_and_the_next_beside_it():
    assert free_place([]) == (0, 0)
    assert free_place([card(0, 0)]) == (CARD_WIDTH + GAP, 0)


def test_a_zone_is_kept_free_unless_the_place_was_given():
    zone = Zone(x=0, y=0, width=296, height=560)

    x, y = free_place([zone])

    assert not overlap(box(zone), box(card(x, y)))
    assert free_place([zone], near=(20, 40)) == (20, 40)
    assert free_place([zone, card(20, 40)], near=(20, 40)) == (20, 40 + CARD_HEIGHT + GAP)


@pytest.mark.parametrize("seed", range(20))
def test_nothing_ever_overlaps(seed):
    dice = random.Random(seed)
    objects = [
        dice.choice(
            [
                card(dice.randint(-999, 999), dice.randint(-999, 999)),
                Zone(x=dice.uniform(-999, 999), y=dice.uniform(-999, 999), width=dice.randint(1, 900), height=dice.randint(1, 900)),
                Note(x=dice.uniform(-999, 999), y=dice.uniform(-999, 999)),
            ]
        )
        for _ in range(40)
    ]
    there = len(objects)
    for n in range(20):
        objects.append(card(*free_place(objects), n))

    placed = objects[there:]
    assert not any(overlap(box(one), box(other)) for one in placed for other in objects if one is not other)


@pytest.mark.timeout(5)
def test_a_hostile_board_costs_no_more_than_a_moment():
    far = [card(0, 1_000_000, n) for n in range(10_000)]
    tall = [Zone(x=n % 7, y=-1_000_000, width=100_000, height=100_000) for n in range(10_000)]

    for objects in (far, tall, far + tall):
        x, y = free_place(objects)
        card(x, y)
