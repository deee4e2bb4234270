"""What is written on a board and in its panels: prompts, notes and titles as they look, and text that is being typed."""

import pytest
from playwright.sync_api import expect

from tests.browser.facts import at_rest, box, settles
from tests.browser.test_board import card, open_tab, session, state_of, worktree

TABLE = (
    "| model | what it says about the customers | p95 |\n|---|---|---|\n"
    + "| stg_orders | warehouse_connection_identifier is null | 12 ms |\n" * 3
)
PROMPT = f"**Fix** the `null` keys\n\n1. look at\n   - orders\n   - customers 👩‍👩‍👧‍👦\n2. mend\n\n{TABLE}\n"
LONG = PROMPT + "\n".join(f"- line {n}" for n in range(60))
WORDS_BROKEN = """() => [...document.querySelectorAll('.agor-md-table td')].some(cell => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    const lines = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
    return lines.size > cell.innerText.split(/\\s+/).length;
})"""
SCROLLS = """() => [...document.querySelectorAll('.agor-you, .agor-you *')].filter(one =>
    ['auto', 'scroll'].includes(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight + 1).length"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_prompt_is_read_as_it_was_meant(lab, people, board, screens, dark):
    made = session(lab, board, f"Meant {dark}", PROMPT)
    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    lab.post(f"sessions/{made['id']}/prompt", {"text": LONG})
    lab.wait_for(lambda: len(lab.get(f"sessions/{made['id']}/turns")) == 2 and state_of(lab, made["id"]) == "done")
    page = people("mira", dark=dark)
    open_tab(page, lab, board)

    card(page, "Meant").get_by_text("Fix the null keys").click()
    page.locator(".agor-you").nth(1).wait_for()

    expect(page.locator(".agor-panel-title h2")).to_have_text("Fix the null keys")
    expect(page.locator(".agor-turn-title").first).to_have_text("Fix the null keys")
    first = page.locator(".agor-you").first
    expect(first.locator("ol > li > ul > li")).to_have_text(["orders", "customers 👩‍👩‍👧‍👦"])
    expect(first.locator("ol > li")).to_have_count(2)
    signs = [each.evaluate("item => getComputedStyle(item).listStyleType") for each in first.locator("li").all()]
    assert signs == ["decimal", "circle", "circle", "decimal"]
    lab.wait_for(lambda: not page.evaluate(WORDS_BROKEN) and page.evaluate(SCROLLS) == 0)
    page.screenshot(path=screens / f"prompt-{'dark' if dark else 'light'}.png")
    long = page.locator(".agor-you").nth(1)
    before = box(long)["height"]
    long.get_by_role("button", name="Show the whole prompt").click()
    lab.wait_for(lambda: box(long)["height"] > before + 400 and page.evaluate(SCROLLS) == 0)
    long.get_by_role("button", name="Show its beginning").click()
    lab.wait_for(lambda: box(long)["height"] == before)


RICH = """# Why orders are late

Some **bold**, *slanted*, ~~old~~ and `code`, with [a link](https://example.org/orders), https://example.org/bare and
a second line. <b>Raw **HTML**</b> is text, and ![a plot](https://example.org/plot.png) is not fetched.

- [x] read the model
- [ ] mend it
  1. first

     ```sql
     select customer_id,
            count(*) as orders
     ```
  2. second
     - deep

> A quote of two paragraphs.
>
> The second one.

| model | rows | state |
|:--|--:|:-:|
| `stg_orders` | 1,204 | ok |
| orders | 98 | **late** |

---
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_markdown_is_drawn_whole_and_fetches_nothing(lab, people, board, screens, dark):
    made = session(lab, board, f"Rich {dark}", RICH)
    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    page = people("mira", dark=dark)
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    open_tab(page, lab, board)

    card(page, "Rich").get_by_text("Why orders are late").click()
    shown = page.locator(".agor-you .agor-md").first
    shown.wait_for()
    more = page.get_by_role("button", name="Show the whole prompt")
    if more.count():
        more.click()

    assert shown.locator("del").inner_text() == "old"
    assert shown.locator("a").all_inner_texts() == ["a link", "https://example.org/bare", "a plot (image)"]
    assert "<b>Raw HTML</b> is text" in shown.inner_text()
    assert shown.locator("li.agor-md-task > ol > li").count() == 2
    assert "       count(*) as orders" in shown.locator("li li pre").inner_text()
    assert shown.locator("td").nth(1).evaluate("cell => getComputedStyle(cell).textAlign") == "right"
    assert shown.locator("blockquote p").count() == 2
    page.screenshot(path=screens / f"markdown-{'dark' if dark else 'light'}.png")
    assert not [url for url in fetched if "example.org" in url]


def written(page, text: str):
    field = page.locator(".agor-edit-note")
    expect(field).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    return field


NOTE = (
    "# Plan\n\n- **first** the keys\n  - then `stg_orders`\n- [ ] look at it\n- [x] done\n1. one\n"
    + "A long line that says a good deal more than has room here. " * 4
)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_note_is_written_where_it_lies_and_fades_where_it_does_not_fit(lab, people, board, screens, dark):
    lab.post(f"board/notes?path={board}", {"text": NOTE.replace("Plan", "More than fits"), "x": 0, "y": 0})
    lab.post(f"board/notes?path={board}", {"text": "At the edge", "x": 1300, "y": 0})
    page = people("mira", dark=dark)
    open_tab(page, lab, board)
    page.locator(".agor-note", has_text="At the edge").wait_for()
    page.locator(".agor-board").focus()
    page.keyboard.press("0")
    at_rest(page)
    around = box(page.locator(".agor-board"))
    edge = page.locator(".agor-note", has_text="At the edge")
    # Drag the board until the note sticks out of the view by half.
    half = around["x"] + around["width"] - 130
    page.mouse.move(around["x"] + 500, around["y"] + 500)
    page.mouse.wheel(box(edge)["x"] - half, 0)
    lab.wait_for(lambda: abs(box(edge)["x"] - half) < 2)
    at_rest(page)

    edge.dblclick(position={"x": 40, "y": 20})
    field = written(page, NOTE)

    at_rest(page)
    lies, seen = box(page.locator(".agor-note[data-editing]")), box(field)
    assert (round(lies["x"]), round(lies["y"])) == (round(seen["x"]), round(seen["y"]))
    assert round(lies["width"]) == round(seen["width"])
    assert seen["x"] + seen["width"] <= around["x"] + around["width"]
    assert field.evaluate("field => field.scrollHeight <= field.clientHeight")
    page.screenshot(path=screens / f"note-written-{'dark' if dark else 'light'}.png")
    page.keyboard.press("Escape")
    field.wait_for(state="detached")
    note = page.locator(".agor-note", has_text="Plan")
    note.wait_for()
    expect(note.locator("li strong")).to_have_text("first")

    # It has grown with what was written; one that was made with more than fits fades.
    def has_grown():
        assert box(note)["height"] > lies["height"] + 60
        assert note.get_attribute("data-clipped") is None

    settles(has_grown)
    page.keyboard.press("Shift+Digit1")
    page.wait_for_selector(".agor-note[data-clipped] >> text=More than fits")
    at_rest(page)
    page.screenshot(path=screens / f"note-{'dark' if dark else 'light'}.png")


def test_text_of_a_note_that_fits_at_full_size_does_not_look_whole_where_it_does_not(lab, people, board):
    lab.post(f"board/notes?path={board}", {"text": "one\ntwo\nthree\nfour\nfive", "x": 0, "y": 0})
    page = people("mira")
    open_tab(page, lab, board)
    page.locator(".agor-note", has_text="five").wait_for()
    page.locator(".agor-board").focus()
    page.keyboard.press("0")
    page.get_by_text("100%").wait_for()
    page.wait_for_selector(".agor-note[data-clipped]", state="detached")

    for _ in range(2):
        page.keyboard.press("-")
    page.get_by_text("64%").wait_for()

    page.wait_for_selector(".agor-note[data-clipped]")


def test_what_is_typed_in_the_notes_of_a_worktree_is_kept_by_escape(lab, people, board):
    made = worktree(lab, board, "Noted")
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "Noted").get_by_text("Prompt an agent").wait_for()
    card(page, "Noted").evaluate("element => element.focus()")
    page.keyboard.press("d")
    page.locator(".agor-panel").get_by_label("Notes").fill("Ask Jonas first")

    page.keyboard.press("Escape")

    lab.wait_for(lambda: lab.get(f"worktrees/{made['id']}")["notes"] == "Ask Jonas first")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_list_of_keys_can_be_read(lab, people, board, screens, dark):
    page = people("mira", dark=dark)
    open_tab(page, lab, board)
    page.locator(".agor-board").focus()

    page.keyboard.press("?")
    page.wait_for_selector(".agor-keys")

    page.screenshot(path=screens / f"keys-{'dark' if dark else 'light'}.png")
    assert page.locator(".agor-dialog-body").evaluate("body => body.scrollWidth <= body.clientWidth")
    assert page.evaluate(
        "[...document.querySelectorAll('.agor-keys dt')].every(keys => keys.scrollWidth <= keys.clientWidth && keys.clientHeight < 30)"
    )
