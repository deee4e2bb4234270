"""The command menu finds turns by what was said in them, and opens the session at that turn."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_board import open_tab, worktree


@pytest.mark.parametrize("dark", [False, True])
def test_a_turn_is_found_by_its_words_and_its_session_opens_there(lab, people, board, screens, dark):
    made = worktree(lab, board, f"Search {'dark' if dark else 'light'}")
    session = lab.post("sessions", {"worktreeId": made["id"], "agent": "script", "title": "Fruit", "allow": True})
    for number in range(6):
        fruit = "pineapple" if number == 1 else "other"
        lab.post(f"sessions/{session['id']}/prompt", {"text": f"```sh\nseq 40; echo {fruit}{number}\n```"})
    lab.wait_for(lambda: all(turn["state"] == "done" for turn in lab.get(f"sessions/{session['id']}/turns")), 60)
    page = people("mira", dark=dark)
    app = open_tab(page, lab, board)
    app.locator("[aria-label='Command menu']").click()
    page.wait_for_selector(".agor-menu:focus-within")

    page.keyboard.type("pineap")
    found = page.locator("[role=option]:has(mark)")
    found.first.wait_for()
    page.screenshot(path=screens / f"search-{'dark' if dark else 'light'}.png")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("Fruit, turn 2")
    expect(found.locator("mark").first).to_contain_text("pineapple1")
    found.click()

    turn = page.locator(".agor-turn[data-pointed]")
    turn.wait_for()
    page.screenshot(path=screens / f"search-opened-{'dark' if dark else 'light'}.png")
    expect(turn.locator(".agor-turn-head")).to_contain_text("Turn 2")
    expect(turn.locator(".agor-turn-head")).to_be_in_viewport()
