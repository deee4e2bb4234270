"""What a person sees of files that an agent keeps for itself: beside the work, never as work."""

import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Lab
from tests.browser.test_board import card, open_tab, state_of, worktree

AGENT = {
    "name": "keeper", "label": "Keeper", "icon": "ag-agent", "files": {"own": [".keeper/"]},
    "command": [sys.executable, "-I", "-S", str(Path(__file__).parents[1] / "lingering_agent.py"), "--keeps=.keeper/permissions.json", "--keeps=.history"],
}  # fmt: skip
TOLD = "2 files of Keeper's own: .history, .keeper/permissions.json (10 bytes)"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Lab(tmp_path_factory.mktemp("own"), agents=[AGENT]) as server:
        yield server


@pytest.mark.parametrize("dark", [False, True])
def test_they_are_told_beside_the_work_and_a_removal_keeps_them_without_a_warning(lab, people, board, screens, dark):
    name = "Kept dark" if dark else "Kept"
    made = worktree(lab, board, name)
    session = lab.post("sessions", {"worktreeId": made["id"], "agent": "keeper", "prompt": '[["say", "I only talk."], ["end"]]'})
    lab.wait_for(lambda: state_of(lab, session["id"]) == "done")
    lab.get(f"worktrees/{made['id']}/status")
    page = people("mira", dark=dark)
    open_tab(page, lab, board)
    shown = card(page, name)
    shown.get_by_text("No changes").wait_for()
    assert shown.get_by_text("own").count() == 0
    shown.hover()
    shown.get_by_role("button", name="Changes").click()
    panel = page.get_by_role("complementary", name="Worktree")
    panel.get_by_text(TOLD).wait_for()
    panel.screenshot(path=screens / f"own-files-panel-{'dark' if dark else 'light'}.png")

    panel.get_by_role("button", name="Remove").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Nothing in its folder would be lost").wait_for()
    dialog.get_by_text(TOLD).wait_for()
    dialog.get_by_text("This is not your work").wait_for()
    page.screenshot(path=screens / f"own-files-remove-{'dark' if dark else 'light'}.png")
    expect(dialog.get_by_role("button", name="Remove", exact=True)).to_be_enabled()
    dialog.get_by_role("button", name="Remove", exact=True).click()

    page.get_by_text("Everything is kept in").wait_for()
    [backup] = [one for one in lab.get("backups") if one["worktreeId"] == made["id"]]
    assert backup["held"] == [TOLD]
    assert (Path(backup["folder"]) / "files" / ".keeper" / "permissions.json").read_text() == "kept\n"
