"""The board in a cell: what is sent to the page, and what is left in the notebook."""

import json

import nbformat
import pytest
from nbclient import NotebookClient

from agor_jupyter import _assets
from agor_jupyter.notebook.display import canvas

built = pytest.mark.skipif(not _assets.bundle_hash(), reason="the front end was not built")


@built
def test_the_widget_carries_a_loader_and_not_the_bundle():
    widget = canvas.Canvas("team.agor")

    assert len(widget._esm) < 4000
    assert "__HASH__" not in widget._esm
    assert _assets.bundle_hash() in widget._esm


@built
def test_the_bundle_is_sent_over_the_comm_when_the_page_asks():
    widget = canvas.Canvas("team.agor")
    sent = []
    widget.send = lambda content, buffers: sent.append((content, buffers))

    widget._on_message(widget, {"agor": "bundle"}, [])
    widget._on_message(widget, {"other": 1}, [])

    assert sent == [({"agor": "bundle"}, [(_assets.STATIC / "canvas.js").read_bytes()])]


@built
def test_showing_a_board_again_makes_no_second_widget():
    first, second = canvas.bundle("twice.agor", "Board"), canvas.bundle("twice.agor", "Board")

    widget = "application/vnd.jupyter.widget-view+json"
    assert first[widget]["model_id"] == second[widget]["model_id"]
    assert first[canvas.MIME] == {"version": 1, "path": "twice.agor"}


def test_without_a_front_end_it_is_text(monkeypatch):
    monkeypatch.setattr(_assets, "bundle_hash", lambda: "")

    assert canvas.bundle("plain.agor", "Board 'plain.agor'") == {
        "text/plain": "Board 'plain.agor'",
        canvas.MIME: {"version": 1, "path": "plain.agor"},
    }


@pytest.mark.timeout(90)
def test_a_saved_notebook_with_a_board_is_small(hub, here):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("import agor_jupyter as agor\nagor.connect().board('saved.agor')"), nbformat.v4.new_code_cell("_")]
    )

    done = NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(here)}}, store_widget_state=True).execute()

    text = nbformat.writes(done)
    assert len(text) < 12_000
    assert done.cells[0].outputs[0].data["text/plain"] == "Board 'saved.agor'"
    assert json.loads(text)["cells"][0]["outputs"][0]["data"][canvas.MIME]["path"] == "saved.agor"
