"""Notebooks as JSON: ids, what stands after two changed one at once, and outputs as an agent reads them."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyter_ydoc import YNotebook

from agor_jupyter.documents import notebooks
from agor_jupyter.documents.notebooks import Outputs, Unreadable, merge, new_cell, normal, shown
from agor_jupyter.documents.ynotebook import LiveNotebook


def notebook(*cells):
    return normal({"cells": [new_cell(name, "code", source) for name, source in cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def sources(found):
    return [(cell["id"], cell["source"]) for cell in found["cells"]]


edits = st.lists(
    st.tuples(st.sampled_from(["edit", "insert", "delete", "swap"]), st.integers(0, 9), st.text("abc\n", min_size=1, max_size=4)),
    max_size=6,
)


def changed(base, steps, who):
    """By somebody whose every letter can be told from another's."""
    found = copy.deepcopy(base)
    cells = found["cells"]
    for number, (what, place, text) in enumerate(steps):
        if what == "insert":
            cells.insert(place % (len(cells) + 1), new_cell(f"{who}{number}", "code", f"{who}: {text}"))
        elif cells and what == "edit":
            cells[place % len(cells)]["source"] = f"{who}: {text}"
        elif cells and what == "delete":
            del cells[place % len(cells)]
        elif len(cells) > 1:
            first, second = place % len(cells), (place + 1) % len(cells)
            cells[first], cells[second] = cells[second], cells[first]
    return found


@settings(deadline=None, max_examples=150)
@given(count=st.integers(0, 5), on_disk=edits, by_people=edits)
def test_whatever_two_do_to_a_notebook_all_that_either_wrote_is_there_and_a_live_document_becomes_it(count, on_disk, by_people):
    base = notebook(*((f"c{number}", f"base {number}") for number in range(count)))
    disk, live = changed(base, on_disk, "disk"), changed(base, by_people, "live")

    merged = merge(base, disk, live)

    text = "\0".join(cell["source"] for cell in merged.notebook["cells"])
    written = [cell["source"] for one in (disk, live) for cell in one["cells"] if not cell["source"].startswith("base")]
    assert [one for one in written if one not in text] == []
    ids = [cell["id"] for cell in merged.notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert set(merged.conflicts) <= set(ids)
    assert sources(merge(base, base, live).notebook) == sources(live)
    assert sources(merge(base, disk, base).notebook) == sources(disk)
    assert sources(merge(disk, disk, merged.notebook).notebook) == sources(merged.notebook)
    document = YNotebook()
    document.set(live)
    shared = LiveNotebook(document)
    if live["cells"]:  # an empty one gets a cell of its own
        shared.apply(merged.notebook)
        assert sources(shared.notebook) == sources(merged.notebook)


def test_outputs_of_one_side_stay_and_those_of_both_are_peoples():
    base = notebook(("a", "1"), ("b", "2"))
    disk, live = copy.deepcopy(base), copy.deepcopy(base)
    disk["cells"][0] |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "disk"}], "execution_count": 3}
    disk["cells"][1] |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "disk"}], "execution_count": 4}
    live["cells"][1] |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "live"}], "execution_count": 5}

    merged = merge(base, disk, live).notebook

    assert [(cell["outputs"][0]["text"], cell["execution_count"]) for cell in merged["cells"]] == [("disk", 3), ("live", 5)]
    document = YNotebook()
    document.set(live)
    LiveNotebook(document).apply(merged)
    assert [cell["outputs"][0]["text"] for cell in LiveNotebook(document).cells()] == ["disk", "live"]


def test_cells_without_ids_are_found_again_by_what_they_hold():
    old = notebook(("a", "one"), ("b", "two"), ("c", "three"))
    bare = {"cells": [{"cell_type": "code", "source": text} for text in ("new", "one", "two changed", "three")]}

    named = notebooks.with_ids_of(bare, old)

    assert [cell["id"] for cell in named["cells"]] == ["cell-1", "a", "b", "c"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"cells": [], "nbformat": 3}', '{"cells": [1], "nbformat": 4}', '{"cells": [{}], "nbformat": 4}', "[" * 99_999],
)
def test_what_is_no_notebook_is_refused(text):
    with pytest.raises(Unreadable):
        notebooks.parse(text)


def test_ids_that_are_missing_or_there_twice_are_made_and_lines_are_joined():
    cells = [
        {"cell_type": "code", "source": ["a\n", "b"], "id": "x"},
        {"cell_type": "markdown", "source": "m", "id": "x"},
        {"cell_type": "raw"},
    ]

    found = notebooks.parse(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 2}))

    assert sources(found) == [("x", "a\nb"), ("cell-2", "m"), ("cell-3", "")]
    assert sources(notebooks.parse(notebooks.dump(found))) == sources(found)


def test_a_run_is_collected_as_a_notebook_keeps_it():
    outputs = Outputs(1000)
    outputs.take("execute_input", {"execution_count": 7})
    for text in ("a", "b"):
        outputs.take("stream", {"name": "stdout", "text": text})
    outputs.take("display_data", {"data": {"text/plain": "old"}, "metadata": {}, "transient": {"display_id": "d"}})
    outputs.take("update_display_data", {"data": {"text/plain": "new"}, "metadata": {}, "transient": {"display_id": "d"}})

    assert outputs.count == 7
    assert outputs.final() == [
        {"output_type": "stream", "name": "stdout", "text": "ab"},
        {"output_type": "display_data", "data": {"text/plain": "new"}, "metadata": {}},
    ]
    outputs.take("clear_output", {"wait": True})
    assert len(outputs.final()) == 2
    outputs.take("stream", {"name": "stdout", "text": "x" * 2000})
    outputs.take("stream", {"name": "stdout", "text": "y"})
    assert [one["text"] for one in outputs.final()] == ["[More was shown than is kept of one run.]\n"]


def test_outputs_are_shown_short_and_plain_with_kind_and_size_of_what_is_no_text():
    picture = {"output_type": "display_data", "data": {"image/png": "A" * 5000, "text/plain": "<Figure>"}}
    error = {"output_type": "error", "ename": "E", "evalue": "\x1b[31mred", "traceback": ["\x1b[1mline 1", "x" * 500]}

    assert shown(picture, 100) == {"kind": "display", "text": "<Figure>", "also": ["image/png, 5000 characters"]}
    assert shown(error, 100)["evalue"] == "red"
    assert len(shown(error, 100)["traceback"]) < 150
    assert "\x1b" not in json.dumps(shown(error, 100))
