"""A notebook on a worktree: opened from its panel and from the palette, and brought to another worktree by one choice."""

import uuid
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.facts import settles
from tests.browser.test_board import card, open_tab

SOURCE = "import os; print('in', os.environ['AGOR_WORKTREE_NAME'], open('goods.txt').read())"


def made(lab, board: str, name: str) -> dict:
    worktree = lab.post("worktrees", {"repo": "warehouse", "name": name, "board": board})
    lab.wait_for(lambda: lab.get(f"worktrees/{worktree['id']}")["state"] == "ready")
    return lab.get(f"worktrees/{worktree['id']}")


def open_panel(page, name: str):
    card(page, name).locator(".agor-card-t").click()
    page.keyboard.press("d")
    page.locator(".agor-panel h2", has_text=name).wait_for()
    return page.get_by_role("region", name="Notebook", exact=True)


def run_first_cell(page, said: str, source: str | None = None) -> None:
    """The notebook says that it is idle before it can run anything: a key that comes in between is lost."""
    cell = page.locator(".jp-NotebookPanel:visible .jp-CodeCell").first
    cell.locator(".cm-content").click()
    if source is not None:
        page.keyboard.type(source)

    def ran() -> None:
        page.keyboard.press("Control+Enter")
        expect(cell.locator(".jp-OutputArea-output")).to_contain_text(said, timeout=5000)

    settles(ran)


def test_one_notebook_runs_on_either_worktree(lab, people, board, screens):
    mark = uuid.uuid4().hex[:6]
    names = [f"Old goods {mark}", f"New goods {mark}"]
    for name, goods in zip(names, ("flour", "sugar"), strict=True):
        (Path(made(lab, board, name)["path"]) / "goods.txt").write_text(goods)
    page = people("mira")
    open_tab(page, lab, board)

    section = open_panel(page, names[0])
    section.get_by_role("button", name="Notebook on this worktree").click()
    page.locator(".jp-NotebookPanel:visible .jp-KernelName", has_text=f"Python (worktree {names[0]})").wait_for()
    run_first_cell(page, f"in {names[0]} flour", SOURCE)
    page.screenshot(path=screens / "notebook-on-worktree.png")

    page.keyboard.press("Escape")
    page.keyboard.press("Control+Shift+C")
    page.locator(".lm-CommandPalette-input").fill("Notebook on a Worktree")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.locator("select, input").first.wait_for()
    page.screenshot(path=screens / "notebook-which.png")
    dialog.locator("select").select_option(label=f"{names[1]} (warehouse)")
    dialog.get_by_role("button", name="Ok").click()
    page.locator(".jp-NotebookPanel:visible .jp-KernelName", has_text=f"Python (worktree {names[1]})").wait_for()

    page.locator(".lm-TabBar-tab", has_text="Untitled").first.click()
    page.locator(".jp-NotebookPanel:visible .jp-KernelName").click()
    choice = page.get_by_role("dialog").locator("select")
    choice.wait_for()
    page.screenshot(path=screens / "notebook-picker.png")
    choice.select_option(label=f"Python (worktree {names[1]})")
    page.get_by_role("dialog").get_by_role("button", name="Select").click()
    page.locator(".jp-NotebookPanel:visible .jp-KernelName", has_text=f"Python (worktree {names[1]})").wait_for()
    run_first_cell(page, f"in {names[1]} sugar")


def test_files_that_an_owner_has_to_trust_first_are_a_click_away_and_a_viewer_makes_no_kernel(lab, people, board, screens):
    name = f"Unread goods {uuid.uuid4().hex[:6]}"
    one = made(lab, board, name)
    (Path(one["path"]) / "requirements.txt").write_text("six\n")
    page = people("mira", dark=True, width=820)
    open_tab(page, lab, board)

    section = open_panel(page, name)
    section.get_by_role("button", name="Notebook on this worktree").click()
    expect(section.get_by_role("alert")).to_contain_text("requirements.txt")
    section.screenshot(path=screens / "notebook-untrusted-dark.png")
    section.get_by_role("button", name="Read them and decide").click()
    page.get_by_role("dialog").get_by_text("requirements.txt").first.wait_for()

    page = people("vera")
    open_tab(page, lab, board)
    section = open_panel(page, name)
    expect(section.get_by_role("status")).to_contain_text("is made first")
    expect(section.get_by_role("button")).to_have_count(0)
