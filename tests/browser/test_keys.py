"""From the keyboard, and what a view does by itself."""

import pytest
from playwright.sync_api import expect

from tests.browser.facts import at_rest, box, command, heard, listen
from tests.browser.test_board import HELLO, card, notebook, open_tab, run_cell, session, state_of, worktree


def place_of(lab, board: str) -> tuple[float, float]:
    [found] = [one for one in lab.get(f"board?path={board}")["objects"].values() if one["kind"] == "card"]
    return found["x"], found["y"]


def test_arrows_nudge_what_is_selected_and_escape_puts_a_dragged_card_back(lab, people, board):
    worktree(lab, board, "Nudged")
    page = people("mira")
    open_tab(page, lab, board)
    x, y = place_of(lab, board)
    card(page, "Nudged").click(position={"x": 120, "y": 14})
    page.wait_for_selector(".agor-card[data-selected]")
    at_rest(page)
    before = box(card(page, "Nudged"))

    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    lab.wait_for(lambda: place_of(lab, board) == (x + 4, y + 20))

    at_rest(page)
    lab.wait_for(lambda: (at := box(card(page, "Nudged"))) and at == before | {"x": before["x"] + 4, "y": before["y"] + 20})
    at = box(card(page, "Nudged"))
    page.mouse.move(at["x"] + 120, at["y"] + 14)
    page.mouse.down()
    page.mouse.move(at["x"] + 300, at["y"] + 200, steps=5)
    page.wait_for_selector(".agor-card[data-dragging]")
    page.keyboard.press("Escape")
    page.mouse.up()

    lab.wait_for(lambda: box(card(page, "Nudged")) == at)
    # What it had changed would come to the server before this does.
    page.keyboard.press("ArrowRight")
    lab.wait_for(lambda: place_of(lab, board) == (x + 8, y + 20))


def test_one_on_a_card_allows_once(lab, people, board):
    made = session(lab, board, "One", HELLO)
    lab.wait_for(lambda: state_of(lab, made["id"]) == "needs_you")
    page = people("mira")
    open_tab(page, lab, board)
    page.wait_for_selector(".agor-card.agor-needs")
    page.locator(".agor-board").focus()

    page.keyboard.press("Tab")
    page.keyboard.press("1")

    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    page.wait_for_selector(".agor-card.agor-needs", state="detached")


def test_a_card_that_is_not_here_is_made_in_its_place_and_a_small_bar_has_its_filters_behind_a_button(lab, people, board):
    (lab.root / board).write_text(
        '{"agor": 1, "meta": {}, "objects": {"ob_1": {"kind": "card", "x": 40, "y": 60, "worktree": "wt_elsewherexxxxxxxxxx",'
        ' "repo": "warehouse", "branch": "late-orders", "title": "Late order repair", "base": "main"}}}'
    )
    page = people("mira", width=760)
    app = open_tab(page, lab, board)

    card(page, "Late order repair").get_by_role("button", name="Create it here").click()

    card(page, "Late order repair").get_by_text("Prompt an agent").wait_for()
    lab.wait_for(lambda: place_of(lab, board) == (40, 60))
    app.locator(".agor-bar").get_by_role("button", name="Filter cards").click()
    page.keyboard.type("nothing like it")
    page.wait_for_selector(".agor-card[data-faded]")
    page.keyboard.press("Escape")
    page.wait_for_selector(".agor-card[data-faded]", state="detached")
    tools, zoom = box(page.locator(".agor-dock")), box(page.locator(".agor-zoomer"))
    assert zoom["x"] + zoom["width"] <= tools["x"]


@pytest.mark.parametrize("width", [1440, 800], ids=["wide", "narrow"])
def test_the_focus_stays_with_what_is_open_and_goes_back_to_its_card(lab, people, board, width):
    name = f"Focused {width}"
    session(lab, board, name, HELLO)
    page = people("mira", width=width)
    open_tab(page, lab, board)
    card(page, name).locator("text=Allow once").wait_for()
    card(page, name).evaluate("element => element.focus()")
    at_card = "document.activeElement.matches('.agor-card')"

    page.keyboard.press("p")
    page.wait_for_function("document.activeElement.matches('.agor-prompt textarea')")
    page.keyboard.press("Escape")
    page.wait_for_function(at_card)

    page.keyboard.press("Enter")
    page.locator(".agor-panel [aria-label=Changes]").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.matches('.agor-panel[aria-label=Worktree]')")
    page.keyboard.press("Escape")
    page.wait_for_selector(".agor-panel", state="detached")
    page.wait_for_function(at_card)

    page.keyboard.press("Enter")
    page.get_by_label("Close panel").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(at_card)


def test_a_card_is_marked_however_its_session_was_opened(lab, people, board):
    for name in ("Found by words", "Another"):
        session(lab, board, name, HELLO)
    page = people("mira")
    open_tab(page, lab, board)
    for name in ("Found by words", "Another"):
        card(page, name).locator("text=Allow once").wait_for()
    page.locator(".agor-board").focus()
    for words, name in (("found by", "Found by words"), ("another", "Another")):
        page.keyboard.press("Control+k")
        command(page, words, name)
        page.locator(".agor-card[data-selected]", has_text=name).wait_for()
        expect(page.locator(".agor-card[data-selected]")).to_have_count(1)
        page.locator(".agor-panel[aria-label=Worktree] h2", has_text=name).wait_for()
    page.locator(".agor-panel").focus()
    page.keyboard.press("Escape")
    page.wait_for_selector(".agor-panel", state="detached")
    page.locator(".agor-board").focus()
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.locator(".agor-inbox-row", has_text="Found by words").get_by_role("button", name="Open").click()
    page.locator(".agor-card[data-selected]", has_text="Found by words").wait_for()


def test_escape_in_add_a_repository_goes_back_to_what_was_typed(lab, people, board):
    page = people("mira")
    open_tab(page, lab, board)
    page.locator(".agor-board").focus()
    page.keyboard.press("w")
    page.get_by_label("Name", exact=True).fill("Half typed")
    page.locator(".agor-dialog").get_by_role("button", name="Add", exact=True).click()
    page.locator(".agor-dialog:focus-within", has_text="Add a repository").wait_for()

    page.keyboard.press("Escape")

    page.locator(".agor-dialog", has_text="New worktree").wait_for()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Half typed")


def test_a_filter_that_fits_no_card_says_so_for_as_long_as_it_does(lab, people, board):
    made = worktree(lab, board, "Calm")
    page = people("mira")
    app = open_tab(page, lab, board)
    card(page, "Calm").wait_for()
    page.clock.install()
    said = page.locator(".agor-board-hint")

    app.locator(".agor-bar").get_by_role("button", name="Needs me").click()
    said.get_by_text("Nothing on this board needs you").wait_for()
    page.clock.run_for(3000)  # a word of the moment would be gone
    expect(said).to_have_text("Nothing on this board needs you")

    found = lab.post("sessions", {"worktreeId": made["id"], "agent": "script", "prompt": HELLO})
    lab.wait_for(lambda: state_of(lab, found["id"]) == "needs_you")
    said.wait_for(state="detached")
    expect(page.locator(".agor-card[data-faded]")).to_have_count(0)


def test_what_is_archived_or_taken_off_comes_back_to_its_place_by_undo(lab, people, board):
    made = worktree(lab, board, "Comes back")
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "Comes back").get_by_text("Prompt an agent").wait_for()
    card(page, "Comes back").evaluate("element => element.focus()")
    began = place_of(lab, board)
    page.keyboard.press("Control+a")
    page.wait_for_selector(".agor-card[data-selected]")
    for key in ("Shift+ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    x, y = began[0] + 20, began[1] + 20
    lab.wait_for(lambda: place_of(lab, board) == (x, y))

    page.keyboard.press("e")
    page.locator(".agor-card.agor-archived").wait_for()
    page.keyboard.press("Delete")
    lab.wait_for(lambda: lab.get(f"worktrees/{made['id']}")["board"] is None)
    page.locator(".agor-toast", has_text="off the board").get_by_role("button", name="Undo").click()
    page.locator(".agor-card.agor-archived").wait_for()
    lab.wait_for(lambda: place_of(lab, board) == (x, y))

    page.locator(".agor-toast", has_text="Archived").get_by_role("button", name="Undo").click()
    lab.wait_for(lambda: lab.get(f"worktrees/{made['id']}")["state"] == "ready")


def test_a_tab_that_was_opened_has_the_keyboard_and_leaves_jupyterlab_its_own_keys(lab, people, board):
    worktree(lab, board, "Open")
    page = people("mira")
    open_tab(page, lab, board)

    page.wait_for_function("document.activeElement.matches('.agor-board')")
    page.keyboard.press("?")
    page.wait_for_selector(".agor-dialog:focus-within .agor-keys")
    page.keyboard.press("Escape")
    page.wait_for_selector(".agor-board:focus")
    page.wait_for_selector(".jp-FileBrowser")
    page.keyboard.press("Control+b")
    page.wait_for_selector(".jp-FileBrowser", state="hidden")
    page.wait_for_selector(".agor-board:focus")
    listen(page)
    page.keyboard.press("Control+d")
    heard(page, "")


def test_keys_of_a_board_in_a_cell_are_not_the_notebooks(lab, people, board):
    session(lab, board, "Keys in a cell", HELLO)
    path = notebook(lab, "keys", f"import agor_jupyter as agor\nboard = agor.connect().board({board!r})\nboard", "'second'")
    page = people("mira")
    page.goto(f"{lab.url}lab/tree/{path}?reset")
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", state="attached")
    run_cell(page, 0)
    card(page, "Keys in a cell").locator("text=Allow once").wait_for()
    card(page, "Keys in a cell").evaluate("element => element.focus()")

    page.keyboard.press("d")
    page.keyboard.press("d")
    page.wait_for_selector(".agor-panel[aria-label=Worktree]")
    page.keyboard.press("Escape")
    page.wait_for_selector(".agor-panel", state="detached")
    page.wait_for_selector(".agor-card:focus")
    page.keyboard.press("Enter")
    page.locator(".agor-transcript").focus()
    for key in ("d", "d", "x", "z", "a", "b"):
        page.keyboard.press(key)
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_selector(".agor-inbox:focus-within")
    page.keyboard.press("Escape")
    page.wait_for_selector(".agor-inbox", state="detached")
    page.wait_for_selector(".agor-transcript:focus")
    page.keyboard.press("?")
    page.wait_for_selector(".agor-dialog:focus-within .agor-keys")

    assert page.locator(".jp-Notebook .jp-CodeCell").count() == 2  # a key of a notebook would have come before the dialog
    page.keyboard.press("Escape")
    page.wait_for_selector(".agor-dialog", state="detached")
    page.locator(".agor-transcript").focus()
    page.keyboard.press("Control+b")
    page.wait_for_selector(".jp-FileBrowser", state="hidden")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_delete_takes_what_it_can_and_says_what_stays(lab, people, board, screens, dark):
    theme = "dark" if dark else "light"
    lab.post("worktrees", {"repo": "warehouse", "name": f"Stays {theme}", "board": board, "x": 0, "y": 0})
    lab.post(f"board/zones?path={board}", {"name": "Later", "x": 320, "y": 0, "width": 300, "height": 200})
    lab.post(f"board/notes?path={board}", {"text": "**Ask** Jonas", "x": 0, "y": 260})
    page = people("mira", dark=dark)
    app = open_tab(page, lab, board)
    card(page, "Stays").get_by_text("Prompt an agent").wait_for()
    card(page, "Stays").click(position={"x": 120, "y": 12})
    page.locator(".agor-zone").click(position={"x": 200, "y": 12}, modifiers=["Shift"])
    page.locator(".agor-note").click(position={"x": 100, "y": 12}, modifiers=["Shift"])
    page.wait_for_function("document.querySelectorAll('[data-selected]').length === 3")

    page.keyboard.press("Delete")

    said = page.locator(".agor-toast", has_text="Deleted 2 items. 1 card stays: E archives its worktree")
    said.wait_for()
    page.wait_for_function("document.querySelectorAll('[data-selected]').length === 1")
    page.wait_for_selector(".agor-zone", state="detached")
    page.screenshot(path=screens / f"deleted-{theme}.png")
    said.get_by_role("button", name="Undo").click()
    page.locator(".agor-zone").wait_for()
    page.locator(".agor-note").wait_for()
    app.locator(".agor-bar").get_by_role("button", name="Needs me").click()
    page.locator(".agor-board-hint").wait_for()
    page.screenshot(path=screens / f"no-hit-{theme}.png")


def test_keys_that_change_something_say_to_a_viewer_why_they_do_not(lab, people, board):
    made = worktree(lab, board, "Only looked at")
    lab.post(f"board/notes?path={board}", {"text": "A note", "x": 400, "y": 0})
    page = people("vera")
    open_tab(page, lab, board)
    page.wait_for_selector("[data-banner=view]")
    said = page.locator(".agor-board-hint")

    for key in ("w", "s", "e", "Delete"):
        card(page, "Only looked at").evaluate("element => element.focus()")
        listen(page)
        page.keyboard.press(key)
        heard(page, "change")
        assert page.locator(".agor-dialog").count() == 0  # it opens or the hint comes: both while the key is told
        said.wait_for(state="detached")
    page.keyboard.press("Enter")
    page.wait_for_selector(".agor-panel[aria-label=Worktree]")

    assert lab.get(f"worktrees/{made['id']}")["state"] == "ready"
