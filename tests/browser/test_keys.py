"""From the keyboard, and what a view does by itself."""

from tests.browser.test_board import HELLO, card, open_tab, session, state_of, worktree


def place_of(lab, board: str) -> tuple[float, float]:
    [found] = [one for one in lab.get(f"board?path={board}")["objects"].values() if one["kind"] == "card"]
    return found["x"], found["y"]


def test_arrows_nudge_what_is_selected_and_escape_puts_a_dragged_card_back(lab, people, board):
    worktree(lab, board, "Nudged")
    page = people("mira")
    open_tab(page, lab, board)
    x, y = place_of(lab, board)
    at = card(page, "Nudged").bounding_box()
    page.mouse.click(at["x"] + 120, at["y"] + 14)
    page.wait_for_selector(".agor-card[data-selected]")

    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    lab.wait_for(lambda: place_of(lab, board) == (x + 4, y + 20))

    at = card(page, "Nudged").bounding_box()
    page.mouse.move(at["x"] + 120, at["y"] + 14)
    page.mouse.down()
    page.mouse.move(at["x"] + 300, at["y"] + 200, steps=5)
    page.wait_for_selector(".agor-card[data-dragging]")
    page.keyboard.press("Escape")
    page.mouse.up()

    page.wait_for_function(
        "([x, y]) => { const at = document.querySelector('.agor-card').getBoundingClientRect(); return Math.hypot(at.x - x, at.y - y) < 1; }",
        arg=[at["x"], at["y"]],
    )
    assert place_of(lab, board) == (x + 4, y + 20)


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

    card(page, "Late order repair").get_by_role("button", name="Make it here").click()

    card(page, "Late order repair").get_by_text("Prompt an agent").wait_for()
    lab.wait_for(lambda: place_of(lab, board) == (40, 60))
    app.locator(".agor-bar").get_by_role("button", name="Filter cards").click()
    page.keyboard.type("nothing like it")
    page.wait_for_selector(".agor-card[data-faded]")
    page.keyboard.press("Escape")
    page.wait_for_selector(".agor-card[data-faded]", state="detached")
    tools, zoom = page.locator(".agor-dock").bounding_box(), page.locator(".agor-zoomer").bounding_box()
    assert zoom["x"] + zoom["width"] <= tools["x"]
