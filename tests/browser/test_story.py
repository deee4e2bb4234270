"""The whole story with two people: create, watch, answer, drag, see the other's cursor, reload, kill the server, go on."""

import re

from playwright.sync_api import expect

from tests.browser.facts import at_rest, box, new_worktree, settles
from tests.browser.test_board import card, open_tab, state_of

# The first run is killed in the middle; the second finds what the first left, and is short.
COUNT = (
    "Count.\n\n```sh\nlast=12; [ -e begun ] || last=4000; touch begun\nfor i in $(seq $last); do echo number $i; sleep 0.05; done\n```\n"
)
MANY = "[...document.querySelectorAll('.agor-term')].some(term => term.innerText.includes('number 8'))"


def events_of(lab, session_id: str) -> list[dict]:
    answer = lab.get(f"sessions/{session_id}/events?limit=1000")
    assert [event["seq"] for event in answer["items"]] == list(range(1, answer["lastSeq"] + 1))
    return answer["items"]


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"^number (\d+)$", text, re.MULTILINE)]


def shown_turns(page) -> list[list[int]]:
    """What each turn of the open transcript printed, with nothing folded."""
    for more in page.locator(".agor-term-more").all():
        more.click()
    return [numbers("\n".join(turn.locator(".agor-term").all_inner_texts())) for turn in page.locator(".agor-turn").all()]


def shows(page, turns: list[list[int]]) -> None:
    def check():
        assert shown_turns(page) == turns

    settles(check)


def stored_turns(events: list[dict]) -> list[list[int]]:
    turns: dict[str, str] = {}
    for event in events:
        body = event["body"]
        text = turns.setdefault(event["turnId"], "") if event.get("turnId") else ""
        if body["kind"] == "tool_output":
            turns[event["turnId"]] = text + body["text"]
    return [numbers(text) for text in turns.values()]


def test_two_people_make_watch_answer_drag_reload_and_go_on_after_a_crash(lab, people, board):
    mira, jonas = people("mira"), people("jonas")
    open_tab(jonas, lab, board)

    # Mira makes a worktree and prompts; the card comes to Jonas by itself.
    open_tab(mira, lab, board)
    new_worktree(mira)
    mira.get_by_label("Name", exact=True).fill("Count orders")
    mira.get_by_label("First prompt (optional)").fill(COUNT)
    mira.get_by_role("button", name="Create and prompt").click()
    card(jonas, "Count orders").get_by_role("button", name="Allow once").wait_for()
    made = next(one for one in lab.get(f"sessions?board={board}")["items"] if one["title"].startswith("Count"))

    # Jonas answers on the card; both watch, and Mira reads who answered.
    card(jonas, "Count orders").get_by_role("button", name="Allow once").click()
    mira.wait_for_selector(".agor-settled >> text=Jonas Lind allowed")
    mira.wait_for_function(MANY)
    card(jonas, "Count orders").locator(".agor-s").first.click()
    jonas.wait_for_function(MANY)
    jonas.wait_for_selector(".agor-readers [aria-label='Mira Okafor']")

    # Jonas drags the card; Mira sees his cursor and the card where he put it.
    mira.get_by_label("Close panel").click()
    jonas.get_by_label("Close panel").click()
    for page in (mira, jonas):
        page.wait_for_selector(".agor-panel", state="detached")
        at_rest(page)
    before = box(card(mira, "Count orders"))
    start = box(card(jonas, "Count orders"))
    jonas.mouse.move(start["x"] + 150, start["y"] + 14)
    jonas.mouse.down()
    jonas.mouse.move(start["x"] + 230, start["y"] + 94, steps=6)
    mira.wait_for_selector(".agor-cursor >> text=Jonas")
    jonas.mouse.up()
    lab.wait_for(lambda: (at := box(card(mira, "Count orders"))) and at["x"] > before["x"] + 40 and at["y"] > before["y"] + 40)

    # Mira loads the page anew, in the middle of the turn.
    mira.reload()
    mira.wait_for_selector(".agor-card")
    card(mira, "Count orders").locator(".agor-s").first.click()
    mira.wait_for_function(MANY)
    assert state_of(lab, made["id"]) == "running"

    # The server is killed. Both browsers say so, and come back by themselves when it does.
    for page in (mira, jonas):
        # JupyterLab has a word of its own about it, which is closed by hand.
        said = page.locator(".jp-Dialog", has_text="Server Connection Error")
        page.add_locator_handler(said, lambda dialog: dialog.locator("button").last.click())
    lab.kill()
    for page in (mira, jonas):
        page.wait_for_selector("[data-banner=lost]")
    lab.start()
    for page in (mira, jonas):
        page.wait_for_selector("[data-banner=lost]", state="detached")
        card(page, "Count orders").get_by_text("Interrupted in turn 1").wait_for()
    expect(card(jonas, "Count orders").get_by_role("button", name="Discard")).to_be_visible()
    said = mira.locator(".agor-outcome[data-outcome=interrupted]")
    expect(said.get_by_role("button")).to_have_text(["Resume", "Retry", "Discard"])
    assert mira.locator(".agor-panel .agor-fail-strip").count() == 0
    killed = stored_turns(events_of(lab, made["id"]))
    shows(mira, killed)
    assert killed[0] == list(range(1, len(killed[0]) + 1))
    assert 8 <= len(killed[0]) < 4000

    # Mira tries again, Jonas answers again; it ends well, and both transcripts are what the server keeps.
    said.get_by_role("button", name="Retry").click()
    card(jonas, "Count orders").get_by_role("button", name="Allow once").click()
    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    card(jonas, "Count orders").locator(".agor-s").first.click()
    for page in (mira, jonas):
        page.locator(".agor-panel .agor-pill", has_text="Done").wait_for()
        shows(page, [killed[0], list(range(1, 13))])
    assert stored_turns(events_of(lab, made["id"])) == [killed[0], list(range(1, 13))]
