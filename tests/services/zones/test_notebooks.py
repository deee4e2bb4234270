"""A gate that is a notebook: papermill runs it in the worktree, with the worktree's names as parameters."""

import subprocess
from pathlib import Path

import nbformat
import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.worktrees import WorktreeChange
from agor_jupyter.domain.zones import Gate, ZoneDrop
from agor_jupyter.services.zones import gates

CHECK = Gate(kind="notebook", run="checks/check it.ipynb")


def write(flow, code):
    """As a file of the worktree that is committed."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells = [nbformat.v4.new_code_cell("name = notes = None", metadata={"tags": ["parameters"]}), nbformat.v4.new_code_cell(code)]
    path = Path(flow.worktree.path) / CHECK.run
    path.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, path)
    for command in (["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "check"]):
        subprocess.run(["git", *command], cwd=flow.worktree.path, check=True)


@pytest.mark.parametrize("passes", [True, False])
async def test_a_notebook_passes_or_not_and_leaves_nothing_in_the_worktree(flow, passes):
    pytest.importorskip("papermill")
    notes = "{{ worktree.path }} ''' $(id) \\n"
    await flow.agor.worktrees.change(flow.caller, flow.worktree.id, WorktreeChange(notes=notes))
    write(flow, f"assert notes == {notes!r}\nassert (name, zone) == ('fix', 'Check')\nassert {passes}, 'too few rows'")
    zone = await flow.zone("Check", gates=[CHECK])

    firing = await flow.fire(zone)

    assert firing.state == ("passed" if passes else "failed"), firing.reason
    status = await flow.agor.worktrees.status([flow.worktree.id], 0)
    assert status[0].dirty is False
    said = await flow.agor.sessions.events(firing.runs[0].session_id)
    assert passes or b"too few rows" in said[0]


async def test_without_papermill_nothing_starts_and_it_says_what_to_install(flow, monkeypatch):
    monkeypatch.setattr(gates, "has_papermill", lambda: False)
    zone = await flow.zone("Check", gates=[CHECK])
    preview = await flow.agor.zones.preview(flow.caller, flow.worktree.id, ZoneDrop(zone_id=zone))

    with pytest.raises(errors.NotebookGate, match=r"pip install 'agor-jupyter\[zones\]'"):
        await flow.drop(zone)

    assert "papermill is not installed" in preview.problem
    assert await flow.where() is None
