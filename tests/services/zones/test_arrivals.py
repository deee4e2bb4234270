"""Each arrival fires at most once, however it is sent; what is no arrival fires nothing."""

import asyncio

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import ObjectMove
from agor_jupyter.domain.zones import Gate, ZoneChange, ZoneDrop
from agor_jupyter.services.app import Agor
from tests.services.zones.scene import BOARD, Flow, block

HOLD = Gate(kind="function", run="check")


async def test_the_same_drop_ten_times_with_one_key_fires_once(flow):
    zone = await flow.zone("Hold", gates=[HOLD])

    answers = [await flow.drop(zone, key="one") for _ in range(10)]

    assert len({answer.firing.id for answer in answers}) == 1
    assert len(await flow.firings()) == 1


async def test_ten_drops_with_keys_of_their_own_at_the_same_instant_fire_once(flow):
    zone = await flow.zone("Hold", gates=[HOLD])

    answers = await asyncio.gather(*(flow.drop(zone) for _ in range(10)))

    assert len({answer.firing.id for answer in answers}) == 1
    assert {answer.arrival for answer in answers} == {1}
    assert len(await flow.firings()) == 1


async def test_two_people_at_the_same_instant_onto_the_same_zone_fire_once(flow, steerer):
    zone = await flow.zone("Hold", gates=[HOLD])

    mine, theirs = await asyncio.gather(flow.drop(zone), flow.drop(zone, caller=steerer))

    assert mine.firing.id == theirs.firing.id
    assert mine.firing.by == theirs.firing.by


async def test_two_people_at_the_same_instant_onto_different_zones_leave_one_at_work(flow, steerer):
    """Both arrive, one after the other. What the first one began is withdrawn before it ran."""
    left, right = [await flow.zone(name, prompt=block("sleep 0.1"), is_paused=True) for name in ("Left", "Right")]

    await asyncio.gather(flow.drop(left), flow.drop(right, caller=steerer))

    worktree = await flow.agor.worktrees.get(flow.worktree.id)
    states = {one.zone_id: one.state.value for one in await flow.firings()}
    other = left if worktree.zone_id == right else right
    assert worktree.arrival == 2
    assert states == {worktree.zone_id: "waiting", other: "withdrawn"}
    await flow.eventually(flow.lies_in, worktree.zone_id)


async def test_one_key_for_another_zone_is_refused(flow):
    first, second = await flow.zone("One"), await flow.zone("Two")
    await flow.drop(first, key="k")

    with pytest.raises(errors.KeyReused):
        await flow.drop(second, key="k")


async def test_the_same_command_is_answered_the_same_after_the_card_went_on(flow):
    done = await flow.zone("Done")
    zone = await flow.zone("Build", prompt=block("true"), next=done)
    first = await flow.drop(zone, key="k")
    await flow.settled(first.firing)

    again = await flow.drop(zone, key="k")

    assert again == first
    assert await flow.where() == done
    assert len(await flow.firings()) == 1


async def test_what_is_no_arrival_fires_nothing(flow):
    """A drag inside the zone, other places of the zone, names, a status, an archived session: the card has not arrived."""
    zone = await flow.zone("Hold", gates=[HOLD])
    await flow.drop(zone)
    view = await flow.agor.boards.edits.view(BOARD)
    card = next(key for key, shown in view.objects.items() if shown.kind == "card")
    place = view.objects[zone]

    await flow.agor.boards.move(flow.caller, BOARD, card, ObjectMove(x=place.x + 5, y=place.y + 60))
    await flow.agor.boards.move(flow.caller, BOARD, zone, ObjectMove(x=place.x + 20, y=place.y))
    await flow.agor.zones.change(flow.caller, BOARD, zone, ZoneChange(name="Renamed"))
    await flow.agor.worktrees.status([flow.worktree.id], 0)
    again = await flow.drop(zone)

    assert len(await flow.firings()) == 1
    assert again.arrival == 1
    assert again.firing.zone == "Hold"


async def test_a_restart_fires_nothing(config, owner, key, repository):
    async with Agor(config) as app:
        flow = await _scene(app, owner, key, repository)
        zone = await flow.zone("Hold", gates=[HOLD])
        firing = (await flow.drop(zone)).firing
        await flow.waits(firing, "check")
        before = (await flow.agor.worktrees.get(flow.worktree.id)).arrival
    async with Agor(config) as app:
        again = Flow(app, owner, key, flow.worktree)
        await asyncio.sleep(0.3)

        assert len(await again.firings()) == 1
        assert (await app.worktrees.get(flow.worktree.id)).arrival == before == 1
        assert (await app.firings.get(firing.id)).state == "verifying"


async def test_a_move_that_shall_not_run_never_fires(flow):
    zone = await flow.zone("Hold", gates=[HOLD])

    moved = await flow.drop(zone, run=False)
    again = await flow.drop(zone)

    assert (moved.arrival, moved.firing, again.firing) == (1, None, None)
    assert await flow.firings() == []


async def test_a_card_that_comes_back_arrives_anew(flow):
    zone = await flow.zone("Build", prompt=block("true"))
    first = await flow.fire(zone)

    out = await flow.drop(None)
    second = await flow.fire(zone)

    assert (out.zone_id, out.arrival) == (None, 1)
    assert (first.arrival, second.arrival) == (1, 2)
    assert first.id != second.id


async def test_a_card_is_placed_where_it_was_dropped_or_else_in_the_zone(flow):
    zone = await flow.zone("Hold")
    place = (await flow.agor.boards.edits.view(BOARD)).objects[zone]
    at = (place.x + 10, place.y + 200)

    await flow.drop(zone, x=at[0], y=at[1])
    there = await flow.agor.boards.card_at(BOARD, flow.worktree.id)
    await flow.drop(None)
    await flow.drop(zone, x=-5000, y=-5000)

    assert there == at
    assert await flow.lies_in() == zone


async def test_via_is_what_the_server_knows(flow):
    """Nobody says of themselves that they are an agent or a zone."""
    zone = await flow.zone("Hold", gates=[HOLD])

    dropped = await flow.drop(zone, via="zone")

    assert dropped.firing.via == "api"


@pytest.mark.parametrize("missing", ["zone", "card", "board"])
async def test_what_is_not_there_is_refused(flow, missing):
    zone = await flow.zone("Hold")
    with pytest.raises(errors.AgorError) as caught:
        if missing == "zone":
            await flow.drop("ob_none")
        elif missing == "card":
            view = await flow.agor.boards.edits.view(BOARD)
            await flow.drop(next(key for key, shown in view.objects.items() if shown.kind == "card"))
        else:
            from agor_jupyter.domain.worktrees import WorktreeChange

            await flow.agor.worktrees.change(flow.caller, flow.worktree.id, WorktreeChange(board=None))
            await flow.drop(zone)

    assert isinstance(caught.value, errors.CardElsewhere if missing == "board" else errors.ObjectNotFound)
    assert await flow.where() is None


async def test_who_may_only_look_moves_nothing(flow, viewer):
    zone = await flow.zone("Hold")

    with pytest.raises(errors.NotAllowed):
        await flow.drop(zone, caller=viewer)
    preview = await flow.agor.zones.preview(viewer, flow.worktree.id, ZoneDrop(zone_id=zone))

    assert preview.text == "Moves the card. Nothing starts."
    assert await flow.where() is None


async def _scene(app, owner, key, repository):
    from agor_jupyter.domain.repos import RepoAdd
    from agor_jupyter.domain.worktrees import WorktreeCreate

    repo = await app.repos.add(owner, RepoAdd(path=str(repository)), key())
    made = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
    return await Flow(app, owner, key, await app.worktrees.wait_ready(made.id)).open()
