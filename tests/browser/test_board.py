"""A board in a real JupyterLab: in a tab, in a cell, seen by two people."""

import contextlib
import json
import re
import subprocess

import pytest
from playwright import sync_api
from playwright.sync_api import expect

from tests.browser.facts import at_rest, box, new_worktree, settles

HELLO = 'Say hello.\n\n```sh\nprintf "\\033[32mhello\\033[0m\\n"; for i in 1 2 3; do echo line $i; sleep 0.2; done; echo "-- x" >> models/stg_orders.sql\n```\n'


def open_tab(page, lab, board):
    """With what is in its file: what is pressed before is lost."""
    page.goto(f"{lab.url}lab/tree/{board}?reset")
    page.wait_for_selector(".agor-canvas:not(:has(> .agor-opening)) > .agor-board")
    return page.locator(".agor-app")


def notebook(lab, name: str, *cells: str) -> str:
    path = f"{name}.ipynb"
    made = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "outputs": [], "execution_count": None, "source": text}
        for i, text in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    (lab.root / path).write_text(json.dumps({"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    return path


def run_cell(page, index: int) -> None:
    """The notebook says that it is idle before it can run anything: a key that comes in between is lost."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(index)
    for _ in range(5):
        cell.locator(".jp-Cell-inputWrapper").click()
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(sync_api.TimeoutError):
            cell.locator(".jp-InputPrompt", has_text=re.compile(r"\[[*\d]+\]")).wait_for(timeout=4000)
            return
    raise AssertionError(f"cell {index} was never run")


def worktree(lab, board: str, name: str) -> dict:
    made = lab.post("worktrees", {"repo": "warehouse", "name": name, "board": board})
    return lab.wait_for(lambda: (found := lab.get(f"worktrees/{made['id']}"))["state"] == "ready" and found)


def session(lab, board: str, name: str, prompt: str) -> dict:
    return lab.post("sessions", {"worktreeId": worktree(lab, board, name)["id"], "agent": "script", "prompt": prompt})


def state_of(lab, session_id: str) -> str:
    return lab.get(f"sessions/{session_id}")["state"]


def card(page, name: str):
    return page.locator(".agor-card", has_text=name).first


def text_of_room(lab, board: str):
    return lab.get(f"board?path={board}")["objects"].values()


def test_a_board_opens_in_a_tab_of_its_own(lab, people, board):
    page = people("mira")

    app = open_tab(page, lab, board)

    expect(app).to_have_attribute("data-host", "tab")
    expect(page.locator(".agor-faces [aria-label='Mira Okafor']")).to_be_visible()
    assert page.evaluate("globalThis.__agor.evaluations") == 1


def test_a_worktree_is_made_and_prompted_from_the_board(lab, people, board):
    page = people("mira")
    open_tab(page, lab, board)
    new_worktree(page)
    page.get_by_label("Name", exact=True).fill("Say hello")
    page.get_by_label("First prompt (optional)").fill(HELLO)

    page.get_by_role("button", name="Create and prompt").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Allow once").click()

    page.wait_for_selector(".agor-term >> text=line 3")
    page.wait_for_selector(".agor-settled >> text=Mira Okafor allowed")
    expect(page.locator(".agor-ansi-green", has_text="hello")).to_be_visible()
    page.locator(".agor-turn-end button", has_text="Changes").click()
    page.wait_for_selector(".agor-diff-added >> text=-- x")
    card(page, "Say hello").locator("text=/1 file/").wait_for()


def test_the_first_card_of_an_empty_board_keeps_its_distance_for_everybody(lab, people, board):
    page = people("jonas")
    app = open_tab(page, lab, board)
    page.wait_for_selector(".agor-board[data-empty]")

    worktree(lab, board, "Very first")

    card(page, "Very first").wait_for()

    def keeps_its_distance():
        at_rest(page)
        around, inside = box(app.locator(".agor-board")), box(card(page, "Very first"))
        assert inside["x"] - around["x"] >= 24
        assert inside["y"] - around["y"] >= 24

    settles(keeps_its_distance)


def test_an_error_of_the_server_is_said_in_the_dialog(lab, people, board):
    page = people("mira")
    open_tab(page, lab, board)
    new_worktree(page)
    page.get_by_label("Name", exact=True).fill("Bad base")
    page.get_by_label("Base", exact=True).fill("mian")

    page.get_by_role("button", name="Create worktree").click()

    expect(page.locator(".agor-dialog [role=alert]")).to_contain_text("mian")


def test_the_dialog_starts_with_the_repo_in_use_and_goes_on_with_one_that_is_added(lab, people, board):
    folder = lab.root / "aardvark"  # the first of the list
    for argv in (["init", "-q", "-b", "main", str(folder)], ["-C", str(folder), "commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", "-c", "user.name=Test", "-c", "user.email=t@example.org", *argv], check=True)
    page = people("mira")
    open_tab(page, lab, board)
    new_worktree(page)
    repo = page.get_by_label("Repository", exact=True)
    expect(repo).to_have_value("warehouse")
    page.get_by_label("Name", exact=True).fill("Ants")

    page.locator(".agor-dialog").get_by_role("button", name="Add").click()
    page.get_by_label("Folder on the server, or address").fill(str(folder))
    page.keyboard.press("Enter")

    expect(repo).to_have_value("aardvark")
    page.get_by_role("button", name="Create worktree").click()
    card(page, "Ants").wait_for()
    new_worktree(page)
    expect(repo).to_have_value("aardvark")


def test_a_question_is_answered_by_key_and_the_focus_comes_back(lab, people, board):
    made = session(lab, board, "By key", HELLO)
    page = people("mira")
    app = open_tab(page, lab, board)
    card(page, "By key").locator("text=Say hello.").first.click()
    page.wait_for_selector(".agor-panel [role=alertdialog]")

    page.locator(".agor-transcript").focus()
    page.keyboard.press("3")

    page.wait_for_selector(".agor-settled >> text=rejected")
    lab.wait_for(lambda: state_of(lab, made["id"]) in {"done", "failed", "cancelled"})
    page.locator(".agor-transcript:focus").wait_for()
    page.keyboard.press("Control+k")
    page.wait_for_selector(".agor-menu:focus-within")
    page.keyboard.press("Escape")
    expect(app.locator(".agor-menu")).to_have_count(0)
    expect(page.locator(".agor-transcript")).to_be_focused()


def test_prompts_wait_in_a_queue_that_can_be_turned_round(lab, people, board):
    made = session(lab, board, "Queue", HELLO)
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "Queue").locator("text=Say hello.").first.click()
    field = page.get_by_label("Prompt Script")
    for text in ("Then this", "And that"):
        field.fill(text)
        field.press("Enter")
        page.wait_for_selector(f".agor-queue-item >> text={text}")
    expect(page.locator(".agor-prompt-foot", has_text="Waiting behind 3")).to_be_visible()

    page.get_by_label("Move prompt 2", exact=True).press("Alt+ArrowUp")
    expect(page.locator(".agor-queue-item").first).to_contain_text("And that")
    page.get_by_label("Remove prompt 2").click()

    expect(page.locator(".agor-queue-item")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    lab.wait_for(lambda: state_of(lab, made["id"]) != "needs_you")


def test_two_people_see_each_others_cursor_and_drag(lab, people, board):
    worktree(lab, board, "Moved")
    mira, jonas = people("mira"), people("jonas")
    open_tab(mira, lab, board)
    open_tab(jonas, lab, board)
    for page in (mira, jonas):
        card(page, "Moved").wait_for()
        at_rest(page)
    before = box(card(jonas, "Moved"))
    start = box(card(mira, "Moved"))
    x, y = start["x"] + 120, start["y"] + 12

    mira.mouse.move(x, y)
    mira.mouse.down()
    mira.mouse.move(x + 150, y + 90, steps=8)
    jonas.wait_for_selector(".agor-cursor >> text=/Mira/")
    jonas.wait_for_selector(".agor-faces [aria-label='Mira Okafor']")
    mira.mouse.move(x + 200, y + 120, steps=4)
    mira.mouse.up()

    lab.wait_for(lambda: box(card(jonas, "Moved"))["x"] > before["x"] + 120)
    lab.wait_for(lambda: any(o["kind"] == "card" and o["title"] in {"", "Moved"} and o["x"] > 100 for o in text_of_room(lab, board)))


def test_a_reload_in_the_middle_of_a_turn_loses_and_doubles_nothing(lab, people, board):
    lines = "Count.\n\n```sh\nfor i in $(seq 1 60); do echo number $i; sleep 0.05; done\n```\n"
    made = session(lab, board, "Reload", lines)
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "Reload").locator("text=Count.").first.click()
    page.get_by_role("alertdialog").get_by_role("button", name="Allow once").click()
    page.wait_for_selector(".agor-term >> text=number 5")

    page.reload()
    card(page, "Reload").locator("text=Count.").first.click()
    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    page.wait_for_selector(".agor-turn-end, .agor-md >> text=Done")

    def is_whole():
        for more in page.locator(".agor-term-more").all():
            more.click()
        shown = page.locator(".agor-term").inner_text()
        assert re.findall(r"^number (\d+)$", shown, re.MULTILINE) == [str(i) for i in range(1, 61)]

    settles(is_whole)


def test_a_viewer_reads_and_cannot_act(lab, people, board):
    session(lab, board, "Look only", HELLO)
    page = people("vera")
    open_tab(page, lab, board)

    card(page, "Look only").locator("text=Say hello.").first.click()

    page.wait_for_selector("[data-banner=view]")
    page.wait_for_selector(".agor-prompt-closed")
    question = page.locator(".agor-panel [role=alertdialog]")
    question.get_by_text("It waits for an owner").wait_for()
    assert question.get_by_role("button").count() == 0


def test_a_cell_shows_the_board_and_the_notebook_stays_small(lab, people, board):
    worktree(lab, board, "In a cell")
    path = notebook(lab, "cell", f"import agor_jupyter as agor\nboard = agor.connect().board({board!r})\nboard", "board")
    page = people("mira")
    page.goto(f"{lab.url}lab/tree/{path}?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_selector("[data-status='idle'], .jp-Notebook-ExecutionIndicator[data-status='idle']", state="attached")
    run_cell(page, 0)
    page.wait_for_selector(".agor-app[data-host='cell'] .agor-card")
    run_cell(page, 1)
    expect(page.locator(".agor-app[data-host='cell'] .agor-card")).to_have_count(2)

    assert page.evaluate("globalThis.__agor.evaluations") == 1
    assert page.evaluate("globalThis.__agor.shared.size") == 1
    page.keyboard.press("Control+s")
    saved = lab.wait_for(lambda: "vnd.agor.board" in (text := (lab.root / path).read_text()) and text)
    assert len(saved) < 20_000

    jonas = people("jonas")
    jonas.goto(f"{lab.url}lab/tree/{path}?reset")
    jonas.wait_for_selector(".agor-app[data-host='cell'] .agor-card")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pictures(lab, people, screens, dark):
    theme = "dark" if dark else "light"
    board = f"pictures-{theme}.agor"
    lab.post("boards", {"path": board, "title": "warehouse"})
    made = session(lab, board, f"Fix null keys {theme}", HELLO)
    lab.wait_for(lambda: state_of(lab, made["id"]) == "needs_you")
    page = people("mira", dark=dark)
    open_tab(page, lab, board)
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false" if dark else "true")
    card(page, "Fix null keys").locator("text=Say hello.").first.wait_for()
    page.screenshot(path=screens / f"board-{theme}.png")
    card(page, "Fix null keys").locator("text=Say hello.").first.click()
    page.wait_for_selector(".agor-panel [role=alertdialog]")
    page.screenshot(path=screens / f"question-{theme}.png")
    page.locator("[data-inbox]").click()
    page.wait_for_selector(".agor-inbox")
    page.screenshot(path=screens / f"inbox-{theme}.png")
    page.keyboard.press("Escape")
    page.get_by_role("alertdialog").get_by_role("button", name="Allow once").click()
    page.wait_for_selector(".agor-turn-end button")
    page.locator(".agor-turn-end button", has_text="Changes").click()
    page.wait_for_selector(".agor-diff-added")
    page.screenshot(path=screens / f"session-{theme}.png")
    page.keyboard.press("Control+k")
    page.wait_for_selector(".agor-menu")
    page.screenshot(path=screens / f"menu-{theme}.png")
