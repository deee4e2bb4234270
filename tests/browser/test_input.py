"""What a person puts in: words of an input method, a trackpad's pinch, a pasted picture, a log that is too long for the box."""

import base64
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Lab
from tests.browser.facts import at_rest
from tests.browser.test_board import card, open_tab, worktree
from tests.real_use.test_pictures_and_long_texts import png

SEEING = str(Path(__file__).parents[1] / "seeing_agent.py")
PASTE = """([selector, picture, text]) => {
    const data = new DataTransfer();
    if (picture) data.items.add(new File([Uint8Array.from(atob(picture), one => one.charCodeAt(0))], 'screenshot.png', { type: 'image/png' }));
    if (text) data.setData('text/plain', text.repeat(60000));
    const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
    return document.querySelector(selector).dispatchEvent(event);
}"""
ENTER = """([selector, how]) => {
    const event = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...how });
    if (how.keyCode) Object.defineProperty(event, 'keyCode', { value: how.keyCode });
    document.querySelector(selector).dispatchEvent(event);
}"""
PINCH = """scales => {
    const root = document.querySelector('.agor-board');
    const { x, y, width, height } = root.getBoundingClientRect();
    const events = ['gesturestart', ...scales.map(() => 'gesturechange'), 'gestureend'].map((name, index) => Object.assign(
        new Event(name, { bubbles: true, cancelable: true }), { scale: scales[index - 1] ?? 1, clientX: x + width / 2, clientY: y + height / 2 }));
    return events.map(event => !root.dispatchEvent(event));
}"""
BOX = ".agor-prompt textarea"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """One with an agent that tells what it sees."""
    agents = [{"name": "seeing", "label": "Seeing", "icon": "ag-agent", "command": [sys.executable, SEEING]}]
    with Lab(tmp_path_factory.mktemp("input"), agents=agents, sandbox_read=[SEEING]) as server:
        yield server


def open_session(page, lab, board, name: str, agent: str) -> dict:
    made = lab.post("sessions", {"worktreeId": worktree(lab, board, name)["id"], "agent": agent})
    open_tab(page, lab, board)
    card(page, name).locator(".agor-s").first.click()
    page.wait_for_selector(BOX)
    return made


def test_enter_that_confirms_a_word_neither_sends_nor_closes(lab, people, board):
    page = people("mira")
    made = open_session(page, lab, board, "Words", "seeing")
    page.locator(BOX).fill("にほんご")

    for how in ({"isComposing": True}, {"isComposing": False, "keyCode": 229}):
        page.evaluate(ENTER, [BOX, how])

    assert page.locator(BOX).input_value() == "にほんご"
    page.locator(BOX).press("Enter")
    expect(page.locator(BOX)).to_have_value("")
    # One was sent, and it is the last: what had been sent before had come before.
    lab.wait_for(lambda: lab.get(f"sessions/{made['id']}/turns"))
    assert len(lab.get(f"sessions/{made['id']}/turns")) == 1

    lab.post(f"board/zones?path={board}", {"name": "Zone", "x": 0, "y": 400, "width": 400, "height": 200})
    zone = page.locator(".agor-zone").first
    zone.wait_for()
    zone.dblclick(position={"x": 20, "y": 12})
    field = page.locator(".agor-edit-zone")
    field.wait_for()
    page.evaluate(ENTER, [".agor-edit-zone", {"isComposing": True}])
    assert field.is_visible()  # a key closes it at once
    field.press("Enter")
    field.wait_for(state="detached")


def test_a_pinch_in_webkit_zooms_the_board_and_not_the_page(lab, people, board):
    page = people("mira")
    open_tab(page, lab, board)
    page.get_by_text("100%").wait_for()
    at_rest(page)

    kept = page.evaluate(PINCH, [1.25, 1.5])

    page.get_by_text("150%").wait_for()
    assert all(kept)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_pasted_picture_and_a_long_log_go_with_the_prompt(lab, people, board, screens, dark):
    page = people("mira", dark=dark)
    made = open_session(page, lab, board, f"Seen {dark}", "seeing")

    assert not page.evaluate(PASTE, [BOX, base64.b64encode(png(3000, 1500, 90)).decode(), ""])
    assert not page.evaluate(PASTE, [BOX, "", "line "])
    page.locator(".agor-attached li[data-state=ready]").nth(1).wait_for()
    page.locator(BOX).fill("What is wrong in this picture?")
    page.screenshot(path=screens / f"attached-{'dark' if dark else 'light'}.png")
    page.locator(BOX).press("Enter")

    [turn] = lab.wait_for(lambda: [one for one in lab.get(f"sessions/{made['id']}/turns") if one["state"] == "done"])
    picture, log = turn["attachments"]
    assert (picture["width"], picture["height"]) == (1568, 784)
    assert (log["name"], log["characters"]) == ("pasted-1.txt", 300_000)
    page.locator(".agor-you .agor-attached img").wait_for()
    page.get_by_text("file of 300000").wait_for()
    expect(page.locator(".agor-prompt .agor-attached")).to_have_count(0)
    page.screenshot(path=screens / f"attached-sent-{'dark' if dark else 'light'}.png")


def test_an_agent_that_takes_no_pictures_says_so_at_once(lab, people, board):
    page = people("mira")
    open_session(page, lab, board, "Blind", "script")

    page.evaluate(PASTE, [BOX, base64.b64encode(png()).decode(), ""])

    page.locator("[role=alert]", has_text="does not accept pictures").wait_for()
    expect(page.locator(".agor-attached")).to_have_count(0)
