"""Ready board templates, and what becomes of one on a board."""

import itertools
import json

import pytest

from agor_jupyter.documents import boards, templates
from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import Zone
from agor_jupyter.executors.renderer import Renderer

READY = sorted(templates.ready())


def zones_of(name):
    return {key: one for key, one in templates.view_of(templates.text_of(name)).objects.items() if isinstance(one, Zone)}


def test_there_are_five():
    assert len(READY) == 5
    assert all(one.title and one.description and len(one.zones) >= 4 for one in templates.ready().values())


@pytest.mark.parametrize("name", READY)
def test_each_leads_every_card_to_a_zone_that_starts_nothing(name):
    zones = zones_of(name)
    for key in zones:
        for is_passed in itertools.product((True, False), repeat=4):
            at, steps = key, 0
            while (policy := zones[at].policy) is not None and policy.starts:
                following = policy.next if is_passed[steps % 4] else policy.on_failure
                if following is None:
                    break  # it stays, and its firing says why
                at, steps = following, steps + 1
                assert steps < 10, "a circle"
                assert at in zones


@pytest.mark.parametrize("name", READY)
def test_each_is_written_as_a_board_is(name):
    text = templates.text_of(name)
    assert boards.write(*boards.parse(text)) == text


@pytest.mark.parametrize("name", READY)
async def test_its_prompts_render_with_and_without_what_may_be_missing(name):
    renderer = Renderer()
    worktree = {"name": "late-orders", "branch": "late-orders", "path": "/w", "base_ref": "main", "base_sha": "0" * 40}
    try:
        for is_full in (True, False):
            links = {
                "issue_url": "https://example.org/1" if is_full else None,
                "pull_request_url": "https://example.org/2" if is_full else None,
            }
            context = {
                "worktree": {**worktree, **links, "notes": "eda.ipynb" if is_full else "", "context": {}},
                "repo": {"slug": "warehouse", "path": "/r", "default_branch": "main"},
            }
            for zone in zones_of(name).values():
                if zone.policy is not None and zone.policy.prompt:
                    text = await renderer.render(zone.policy.prompt, context)
                    assert "{{" not in text
                    assert ("https://example.org" in text) is (is_full and "_url" in zone.policy.prompt)
    finally:
        await renderer.close()


def test_what_is_added_names_its_own_zones_and_keeps_its_layout():
    view = templates.view_of(templates.text_of("nightly-data-quality"))
    added = templates.placed(view, lambda number: f"new-{number}", 1000, 50)
    zones = {key: one for key, one in added.items() if one["kind"] == "zone"}
    named = {one["policy"][way] for one in zones.values() for way in ("next", "onFailure") if way in one.get("policy", {})}
    assert named <= zones.keys()
    assert min(one["x"] for one in added.values()) == 1000
    assert min(one["y"] for one in added.values()) == 50
    widths = sorted(one["x"] for one in zones.values())
    assert {right - left for left, right in itertools.pairwise(widths)} == {344}


def test_a_zone_that_is_not_in_the_template_is_not_named():
    text = json.dumps(
        {"objects": {"a": {"kind": "zone", "x": 0, "y": 0, "width": 9, "height": 9, "policy": {"prompt": "p", "next": "elsewhere"}}}}
    )
    [zone] = templates.placed(templates.view_of(text), str, 0, 0).values()
    assert zone["policy"] == {"prompt": "p"}


def test_cards_are_left_out():
    card = {"kind": "card", "x": 0, "y": 0, "worktree": "wt_1", "repo": "r", "branch": "b"}
    view = boards.view({}, boards.texts_of({"c": card, "n": {"kind": "note", "x": 0, "y": 0, "text": "hi"}}))
    exported = json.loads(templates.export(view.meta, view.objects))
    assert [one["kind"] for one in exported["objects"].values()] == ["note"]
    assert list(templates.view_of(json.dumps({"objects": {"c": card}})).objects) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "not an object"),
        ("{", "not JSON"),
        ('{"objects": {"a": {"kind": "zone"}}}', "a: "),
        ('{"objects": {"a": {"kind": "zone", "x": 0, "y": 0, "width": 9, "height": 9, "policy": {"prmpt": "x"}}}}', "prmpt"),
    ],
)
def test_a_text_that_is_no_template_is_refused(text, said):
    with pytest.raises(errors.BadRequest, match=said):
        templates.view_of(text)


@pytest.mark.parametrize("name", ["nothing", "../boards", "", "a/b", "fix-a-failing-test.agor"])
def test_a_name_that_there_is_not_is_refused_with_those_that_there_are(name):
    with pytest.raises(errors.BadRequest, match="fix-a-failing-test"):
        templates.text_of(name)
