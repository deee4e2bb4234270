"""What an agent does after its turn, as a person sees it: whose it is, what it asks, what it costs, and what goes on behind it."""

import json
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Lab
from tests.browser.facts import at_rest
from tests.browser.test_board import card, open_tab, state_of, worktree

LINGERING = Path(__file__).parents[1] / "lingering_agent.py"
SPAWNED = (
    ["say", "The build folder is stale; I have somebody look for what still needs it."],
    ["spawn", "look", "explore", "Find what still needs build"],
    ["tool", "look", "completed"],
    ["cost", 0.5],
    ["end"],
    ["wait", 0.3],
)
ASKS = (
    *SPAWNED,
    ["ask", "remove", "rm -r build", "look"],
    ["say", "Nothing needs it any more."],
    ["cost", 0.8],
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    marks = {"background_input": "run_in_background", "subagent_input": "subagent_type"}
    agent = {
        "name": "lingering",
        "label": "Lingering",
        "icon": "ag-agent",
        "command": [sys.executable, "-I", "-S", str(LINGERING)],
        "quirks": marks,
    }
    with Lab(tmp_path_factory.mktemp("after"), agents=[agent], quiet_s=0.4) as server:
        yield server


def begin(lab, board: str, name: str, *steps) -> dict:
    made = worktree(lab, board, name)
    return lab.post("sessions", {"worktreeId": made["id"], "agent": "lingering", "prompt": json.dumps(steps)})


def turns(lab, session: dict) -> list[dict]:
    return lab.get(f"sessions/{session['id']}/turns")


@pytest.mark.parametrize("dark", [False, True])
def test_a_turn_that_the_agent_began_is_told_as_such_asked_about_and_costed(lab, people, board, screens, dark):
    name = f"After {'dark' if dark else 'light'}"
    asked = begin(lab, board, name, *ASKS)
    page = people("mira", dark=dark)
    open_tab(page, lab, board)
    shown = card(page, name)
    shown.locator("text=Allow once").wait_for()
    expect(shown).to_contain_text("for subagent explore")
    shown.locator(".agor-s").first.click()

    question = page.locator(".agor-panel [role=alertdialog]")
    question.wait_for()
    second = page.locator(".agor-turn").nth(1)
    expect(second.locator(".agor-turn-head")).to_contain_text("Turn 2")
    expect(second.locator(".agor-turn-head")).to_contain_text("continued by the agent")
    expect(question).to_contain_text("for subagent explore")
    expect(second.locator(".agor-of-subagent")).to_contain_text("Part of: Find what still needs build")
    expect(question).to_contain_text("rm -r build")
    assert second.locator(".agor-you").count() == 0  # nobody prompted it
    at_rest(page)
    page.screenshot(path=screens / f"after-asks-{'dark' if dark else 'light'}.png")

    question.get_by_role("button", name="Allow once").click()

    second.locator("text=Nothing needs it any more.").wait_for()
    lab.wait_for(lambda: state_of(lab, asked["id"]) == "done")
    second.locator(".agor-turn-head", has_text="$0.30").wait_for()
    page.locator(".agor-panel-meta", has_text="$0.80").wait_for()
    expect(second.locator(".agor-settled")).to_contain_text("Mira Okafor allowed")
    at_rest(page)
    page.screenshot(path=screens / f"after-done-{'dark' if dark else 'light'}.png")


@pytest.mark.parametrize("dark", [False, True])
def test_what_goes_on_in_the_background_is_said_on_the_card_and_in_the_panel(lab, people, board, screens, dark):
    name = f"Watch {'dark' if dark else 'light'}"
    found = begin(
        lab,
        board,
        name,
        ["say", "The tests run on while you read."],
        ["detach", "watch", "pytest -q --watch"],
        ["end"],
        ["until_cancelled"],
    )
    page = people("mira", dark=dark)
    open_tab(page, lab, board)
    shown = card(page, name)

    shown.locator("text=Working in the background: pytest -q --watch").wait_for()
    shown.locator(".agor-s").first.click()
    line = page.locator(".agor-panel .agor-waiting", has_text="pytest -q --watch")
    line.wait_for()
    at_rest(page)
    page.screenshot(path=screens / f"background-{'dark' if dark else 'light'}.png")
    assert len(turns(lab, found)) == 1  # by itself that is no turn

    page.locator(".agor-panel").get_by_role("button", name="Stop").click()

    line.wait_for(state="detached")
