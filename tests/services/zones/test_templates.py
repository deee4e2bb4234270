"""The prompt of a zone is filled in, or it is not sent; and what is filled in is never a template again."""

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.worktrees import WorktreeChange
from tests.services.zones.scene import block

ATTACKS = {
    "classes": "{{ ''.__class__.__mro__ }}",
    "attribute": "{{ worktree.__class__ }}",
    "globals": "{{ self.__init__.__globals__ }}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}",
    "loop": "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}",
    "output": "{% for a in range(2000) %}{{ 'x' * 1000 }}{% endfor %}",
    "memory": "{{ 'x' * 1000000000000 }}",
    "unknown": "{{ worktree.nmae }}",
    "unknown in a branch": "{% if false %}{{ secret }}{% endif %}",
    "syntax": "{{ worktree.name",
    "empty": "{{ '' }}",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=list(ATTACKS))
async def test_a_template_that_cannot_be_filled_in_moves_nothing(flow, attack):
    zone = await flow.zone("Attack", allow=False, prompt=ATTACKS[attack])

    with pytest.raises(errors.BadTemplate):
        await flow.drop(zone)

    assert await flow.where() is None
    assert await flow.firings() == []
    assert (await flow.agor.sessions.page())[0] == b"[]"


async def test_an_error_says_the_line_and_the_nearest_name(flow):
    zone = await flow.zone("Typo", allow=False, prompt="one\ntwo {{ zone.nam }}")

    with pytest.raises(errors.BadTemplate) as caught:
        await flow.drop(zone)

    assert caught.value.details["line"] == 2
    assert "zone.name" in str(caught.value)


async def test_a_template_that_is_bad_when_another_zone_sends_the_card_fails_the_firing(flow):
    bad = await flow.zone("Bad", allow=False, prompt="{{ nothing }}")
    zone = await flow.zone("First", prompt=block("true"), next=bad)

    await flow.drop(zone)

    async def last():
        return (await flow.firings(limit=1))[0].state.value, len(await flow.firings())

    await flow.eventually(last, ("failed", 2))
    found = (await flow.firings(limit=1))[0]
    assert "nothing" in found.reason
    assert (found.runs, await flow.where()) == ([], bad)


async def test_values_are_not_filled_in_again(flow):
    await flow.agor.worktrees.change(flow.caller, flow.worktree.id, WorktreeChange(notes="{{ worktree.path }} {% raw %} $(id)"))
    zone = await flow.zone("Values", allow=False, prompt="{{ worktree.notes }}", asks_first=True)

    firing = (await flow.drop(zone)).firing

    assert firing.prompt == "{{ worktree.notes }}".replace("{{ worktree.notes }}", "{{ worktree.path }} {% raw %} $(id)")


async def test_a_prompt_that_a_person_wrote_is_sent_as_it_is(flow):
    zone = await flow.zone("Own words", allow=False, prompt="{{ worktree.name }}")

    firing = await flow.fire(zone, prompt="{{ not a template }}")

    assert firing.prompt == "{{ not a template }}"
    assert [turn.prompt for turn in await flow.turns(firing)] == ["{{ not a template }}"]


async def test_all_names_of_a_zone_are_there(flow, steerer):
    source = "{{ zone.name }} {{ firing.arrival }} {{ firing.by }} {{ firing.via }} {{ session.agent }} {{ session.title }} {{ user.name }}"
    zone = await flow.zone("Names", allow=False, prompt=source)

    firing = await flow.fire(zone, caller=steerer, via="canvas")

    assert firing.prompt == "Names 1 ben canvas script Names Ben"
