import json

import pytest

from agor_jupyter.documents import boards

CARD = {"kind": "card", "x": 10, "y": 20, "worktree": "wt_1", "repo": "shop", "branch": "fix"}
ZONE = {"kind": "zone", "x": 0, "y": 0, "width": 296, "height": 560, "name": "Review", "color": "#ff0000"}
NOTE = {"kind": "note", "x": 5, "y": 5, "width": 264, "height": 120, "text": "Grüße\nzwei", "color": ""}


def test_a_file_reads_and_writes_back_to_the_same_bytes():
    text = boards.write({"title": "Shop"}, {"ob_2": ZONE, "ob_1": CARD, "ob_3": NOTE})

    assert boards.write(*boards.parse(text)) == text
    assert text.endswith("}\n")
    assert (
        text
        == json.dumps(
            {"agor": 1, "meta": {"title": "Shop"}, "objects": {"ob_1": CARD, "ob_2": ZONE, "ob_3": NOTE}},
            indent=1,
            sort_keys=True,
            ensure_ascii=False,
        )
        + "\n"
    )


def test_an_empty_file_is_an_empty_board():
    assert boards.parse("") == ({}, {})
    assert boards.write({}, {}) == '{\n "agor": 1,\n "meta": {},\n "objects": {}\n}\n'


def test_numbers_from_a_browser_become_whole():
    text = boards.write({}, {"a": {**CARD, "x": 10.0, "y": 20.4}})

    assert '"x": 10,' in text
    assert '"y": 20\n' in text or '"y": 20' in text


def test_broken_objects_stay_in_the_file():
    text = boards.write(
        {}, {"a": CARD, "b": {"kind": "ghost", "deep": {"k": [1, 2.5, None]}}, "c": "text", "d": None, "e": {**CARD, "x": float("nan")}}
    )

    assert boards.write(*boards.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n", "line 1 is a merge marker"),
        ('{"agor": 1,', "not JSON"),
        ("[]", "not an object"),
        ('{"agor": 2}', "supports 1"),
        ('{"objects": []}', "“objects” is not an object"),
        ('{"meta": 1}', "“meta” is not an object"),
        ('{"surprise": 1}', "unknown entry"),
        ('{"objects": {"a": {"x": 1000000000000000000000000}}}', "digits"),
        ('{"objects": {"a": {"text": "\\ud800"}}}', "Unicode"),
        ("[" * 100_000, "nested too deeply"),
        ('{"objects": {"a": ' + '{"a": ' * 50 + "1" + "}" * 50 + "}}", "nested too deeply"),
        (" " * 3 + "x" * (9 * 2**20), "9 MiB"),
    ],
)
def test_a_text_that_is_no_board_says_why(text, says):
    with pytest.raises(boards.Unreadable) as caught:
        boards.parse(text)

    assert says in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        {**CARD, "x": float("nan")},
        {**CARD, "x": float("inf")},
        {**CARD, "x": "10"},
        {**CARD, "x": True},
        {**CARD, "x": 10**9},
        {key: value for key, value in CARD.items() if key != "worktree"},
        {**CARD, "kind": "ghost"},
        {**CARD, "surprise": 1},
        {**NOTE, "text": "x" * 30_000},
        {**ZONE, "width": -1},
        {**ZONE, "color": "url(https://example.org)"},
        None,
        "text",
        [],
    ],
)
def test_an_object_that_does_not_fit_is_left_out_and_named(entry):
    view = boards.view({}, boards.texts_of({"good": CARD, "bad": entry}))

    assert list(view.objects) == ["good"]
    assert [problem.object_id for problem in view.problems] == ["bad"]
    assert "kept in the file" in view.problems[0].text


def test_problems_are_bounded_and_counted():
    view = boards.view({}, boards.texts_of({f"b{n}": {} for n in range(5_000)}))

    assert len(view.problems) == boards.MAX_PROBLEMS + 1
    assert "5000 objects are broken" in view.problems[-1].text


def test_a_board_shows_no_more_than_its_limit():
    view = boards.view({}, boards.texts_of({f"c{n}": CARD for n in range(boards.MAX_OBJECTS + 7)}))

    assert len(view.objects) == boards.MAX_OBJECTS
    assert view.problems[-1].text.startswith("7 objects are not shown")
