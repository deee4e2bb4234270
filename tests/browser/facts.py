"""Facts of a page that come when they come: each of these waits for one, however busy the machine is."""

import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

TIMEOUT_S = 45
"""A test that passes never waits for so long."""
HINT = ".agor-board-hint"
LISTENS = """(() => {
    if (globalThis.hints) return;
    globalThis.hints = [];
    new MutationObserver(() => {
        const said = document.querySelector('.agor-board-hint')?.innerText;
        if (said && said !== hints.at(-1)) hints.push(said);
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
})()"""
RESTS = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(
    () => done(!document.querySelector('.agor-board').dataset.moving))))"""


def settles(check: Callable[[], object]) -> None:
    """`check` asserts nothing that is not so. For what is true of several elements at once; for one there is `expect`."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            check()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def box(found: Locator) -> dict:
    """Where it is on the screen."""
    place = found.bounding_box()
    assert place, f"{found} is not shown"
    return place


def at_rest(page: Page) -> None:
    """The view stands still, and is drawn as it stands."""
    while True:
        page.wait_for_function("!document.querySelector('.agor-board').dataset.moving")
        if page.evaluate(RESTS):
            return


def command(page: Page, words: str, found: str) -> None:
    """From the command menu, which is open or opens just now: the first entry, which says `found`."""
    page.wait_for_selector(".agor-menu:focus-within")
    page.keyboard.type(words)
    expect(page.locator(".agor-menu [role=option][aria-selected=true]")).to_contain_text(found)
    page.keyboard.press("Enter")


def new_worktree(page: Page) -> None:
    """Its dialog, by the command menu."""
    page.locator(".agor-app [aria-label='Command menu']").click()
    command(page, "new worktree", "New worktree")
    page.wait_for_selector(".agor-dialog:focus-within")


def listen(page: Page) -> None:
    """From here on each hint of the board is kept: it goes by itself, and a test may look too late."""
    page.evaluate(LISTENS)
    page.evaluate("hints.length = 0")


def heard(page: Page, words: str) -> None:
    page.wait_for_function(
        "words => hints.some(one => one.includes(words)) || document.querySelector('.agor-board-hint')?.innerText.includes(words)",
        arg=words,
    )
