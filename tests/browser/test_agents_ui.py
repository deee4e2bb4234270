"""What a person sees of real agents: which are here, what they let one choose, what they may do, and what they wait for."""

import json
import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.agents.history.kept import place
from tests.browser.conftest import Lab
from tests.browser.facts import command
from tests.browser.test_board import card, open_tab, state_of, worktree

CHOOSER = str(Path(__file__).with_name("choosing_agent.py"))
AGENTS = [
    {"name": "chooser", "label": "Chooser", "icon": "ag-claude", "command": [sys.executable, CHOOSER], "permissions": {"mode": "ask"}},
    {"name": "boxed", "label": "Boxed", "icon": "ag-agent", "command": [sys.executable, CHOOSER], "permissions": {"mode": "ask", "sandbox_mode": "plan"}},
    {"name": "closed", "label": "Closed", "icon": "ag-gemini", "command": [sys.executable], "sign_in": {"command": ["touch", "signed-in"], "files": [".closed"]}},
    {"name": "absent", "label": "Absent", "icon": "ag-codex", "command": ["no-such-agent"], "install": {"package": "@no-such-scope-agor/none@0.0.1", "node": 18}},
]  # fmt: skip


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """One that lets a person choose, one that has another mode in the sandbox, one that nobody has signed in to, and one whose package no network has."""
    with Lab(tmp_path_factory.mktemp("agents"), agents=AGENTS) as server:
        yield server


def session(lab, board: str, name: str, prompt: str) -> dict:
    return lab.post("sessions", {"worktreeId": worktree(lab, board, name)["id"], "agent": "chooser", "prompt": prompt})


def open_session(page, name: str, title: str) -> None:
    card(page, name).locator(f".agor-s >> text={title}").first.click()
    page.wait_for_selector(".agor-session-body")


def menu(page, label: str) -> None:
    page.locator(".agor-panel-head").get_by_role("button", name=label).click()


def test_an_agent_that_cannot_be_installed_says_why_and_can_be_tried_again(lab, people, board):
    page = people("mira")
    app = open_tab(page, lab, board)
    app.locator(".agor-bar").get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Agents").click()
    row = page.locator("[data-agent=absent]")
    expect(row).to_contain_text("Not installed")

    row.get_by_role("button", name="Install Absent").click()

    row.locator("[role=alert] >> text=Nothing was changed").wait_for()
    expect(row.get_by_text("Try again")).to_be_visible()
    expect(page.locator("[data-agent=script]")).to_contain_text("Comes with Agor")


def test_signing_in_opens_a_terminal_with_the_command(lab, people, board):
    page = people("mira")
    frames: list[str] = []
    page.on("websocket", lambda socket: "/terminals/" in socket.url and socket.on("framereceived", lambda frame: frames.append(str(frame))))
    app = open_tab(page, lab, board)
    app.locator("[aria-label='Command menu']").click()
    command(page, "agents", "Agents")
    row = page.locator("[data-agent=closed]")
    expect(row).to_contain_text("not signed in")

    row.get_by_role("button", name="Sign in to Closed").click()

    page.wait_for_selector(".jp-Terminal .xterm:focus-within")
    # The shell echoes what was typed, perhaps letter by letter, on a canvas that says nothing.
    printed = lambda: "".join(frame[1] for frame in map(json.loads, frames) if frame[0] == "stdout")  # noqa: E731
    lab.wait_for(lambda: page.title() and "signed-in" in printed())  # Playwright hears of it while it is asked for something
    assert not (lab.root / "signed-in").exists()
    page.keyboard.press("Enter")
    lab.wait_for((lab.root / "signed-in").exists)


def test_a_variable_is_set_by_name_and_its_value_is_never_shown(lab, people, board):
    page = people("mira")
    app = open_tab(page, lab, board)
    app.locator(".agor-bar").get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Variables").click()
    page.get_by_label("Name", exact=True).fill("COLOUR")
    value = page.get_by_label("Value", exact=True)
    assert value.get_attribute("type") == "password"
    value.fill("ultramarine")

    page.get_by_role("button", name="Set", exact=True).click()

    page.locator("[data-variable=COLOUR]").wait_for()
    expect(value).to_have_value("")
    assert "ultramarine" not in page.content()
    made = session(lab, board, "Coloured", "say hello")
    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    assert not lab.get(f"sessions/{made['id']}")["lastLine"].endswith(", )")  # the agent has it
    assert "ultramarine" not in str(lab.get(f"sessions/{made['id']}/events"))
    page.get_by_role("button", name="Remove COLOUR").click()
    page.locator("[data-variable=COLOUR]").wait_for(state="detached")
    assert lab.get("variables") == []


def test_model_and_mode_are_picked_by_keyboard_and_hold_for_the_next_turn(lab, people, board):
    made = session(lab, board, "Picked", "say first")
    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    page = people("mira")
    open_tab(page, lab, board)
    open_session(page, "Picked", "say first")
    page.locator(".agor-md >> text=first (small, ask").wait_for()
    button = page.get_by_role("button", name="Model: Small")
    button.focus()

    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitemradio", name="Small")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.get_by_role("button", name="Model: Large").wait_for()
    menu(page, "Mode: Ask before edits")
    page.get_by_role("menuitemradio", name="Plan only").click()
    page.get_by_role("button", name="Mode: Plan only").wait_for()
    page.get_by_label("Prompt Chooser").fill("say second")
    page.keyboard.press("Enter")
    page.locator(".agor-md >> text=second (large, plan").wait_for()


def test_a_menu_gives_the_focus_back_and_a_viewer_cannot_open_it(lab, people, board):
    made = session(lab, board, "Looked at", "say hello")
    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    mira, vera = people("mira"), people("vera")
    for page in (mira, vera):
        open_tab(page, lab, board)
        open_session(page, "Looked at", "say hello")

    menu(mira, "Model: Small")
    mira.get_by_role("menu", name="Model: Small").locator(":focus").wait_for()
    mira.keyboard.press("Escape")
    vera_button = vera.get_by_role("button", name="Model: Small")
    expect(vera_button).to_have_attribute("aria-disabled", "true")
    vera_button.click(force=True)  # disabled for Playwright too

    expect(mira.get_by_role("menu")).to_have_count(0)
    expect(mira.get_by_role("button", name="Model: Small")).to_be_focused()
    expect(vera_button).to_be_focused()  # it was pressed
    assert vera.get_by_role("menu").count() == 0
    assert "Ask an owner" in vera_button.get_attribute("title")


@pytest.fixture
def no_defaults(lab):
    yield
    lab.patch("preferences/chooser", {"options": {}})


@pytest.mark.usefixtures("no_defaults")
def test_a_default_is_kept_and_offered_with_the_next_session(lab, people, board):
    made = worktree(lab, board, "Defaults")
    first = lab.post("sessions", {"worktreeId": made["id"], "agent": "chooser", "prompt": "say hello"})
    lab.wait_for(lambda: state_of(lab, first["id"]) == "done")
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "Defaults").hover()
    card(page, "Defaults").get_by_role("button", name="Session").click()
    page.get_by_label("Agent", exact=True).select_option("chooser")
    page.get_by_label("Model", exact=True).select_option("large")
    page.get_by_label("Use as my default for Chooser").check()
    page.get_by_label("First prompt").fill("say chosen")

    page.get_by_role("button", name="Prompt Chooser").click()

    page.locator(".agor-md >> text=chosen (large, ask").wait_for()
    lab.wait_for(lambda: [one["options"] for one in lab.get("preferences") if one["agent"] == "chooser"] == [{"model": "large"}])
    second = lab.post("sessions", {"worktreeId": made["id"], "agent": "chooser", "prompt": "say again"})
    lab.wait_for(lambda: state_of(lab, second["id"]) == "done")
    assert lab.get(f"sessions/{second['id']}")["chosen"]["model"] == "large"


def test_the_mode_of_the_sandbox_is_shown_and_is_sent_when_it_is_picked(lab, people, board):
    made = worktree(lab, board, "Boxed in")
    first = lab.post("sessions", {"worktreeId": made["id"], "agent": "boxed", "prompt": "say hello"})
    lab.wait_for(lambda: state_of(lab, first["id"]) == "done")
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "Boxed in").hover()
    card(page, "Boxed in").get_by_role("button", name="Session").click()
    page.get_by_label("Agent", exact=True).select_option("boxed")
    mode = page.get_by_label("Mode", exact=True)
    expect(mode.locator("option:checked")).to_have_text("Plan only (default)")

    mode.select_option("plan")
    page.get_by_label("First prompt").fill("say picked")
    page.get_by_role("button", name="Prompt Boxed").click()

    page.locator(".agor-md >> text=picked (small, plan").wait_for()
    chosen = lambda: {one["lastLine"].split(" ")[0]: one["chosen"] for one in lab.get(f"sessions?worktree={made['id']}")["items"]}  # noqa: E731
    lab.wait_for(lambda: chosen() == {"hello": {}, "picked": {"mode": "plan"}})


def test_always_in_this_session_makes_a_rule_that_is_seen_and_revoked(lab, people, board):
    made = session(lab, board, "Ruled", "run echo one two")
    page = people("mira")
    open_tab(page, lab, board)
    open_session(page, "Ruled", "run echo one two")
    question = page.get_by_role("alertdialog")
    expect(question).to_contain_text("starts with “echo one”")
    page.locator(".agor-transcript").focus()

    page.keyboard.press("2")

    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    page.get_by_label("Prompt Chooser").fill("run echo one three")
    page.keyboard.press("Enter")
    page.locator(".agor-settled >> text=Allowed by a rule of Mira Okafor").wait_for()
    menu(page, "More")
    page.get_by_role("menuitem", name="Rules").click()
    row = page.locator("[data-rule]")
    row.get_by_text("echo one …").wait_for()
    expect(row).to_contain_text("In this session")
    expect(row).to_contain_text("used once")
    row.get_by_role("button", name="Revoke: echo one").click()
    page.get_by_text("No rules. A person answers").wait_for()
    page.wait_for_selector(".agor-dialog:focus-within")
    page.keyboard.press("Escape")
    page.wait_for_selector(".agor-dialog", state="detached")
    page.get_by_label("Prompt Chooser").fill("run echo one four")
    page.keyboard.press("Enter")
    page.get_by_role("alertdialog").get_by_role("button", name="Reject").click()


def test_what_is_remembered_is_read_and_changed_first(lab, people, board):
    made = session(lab, board, "Narrowed", "run echo one two")
    page = people("mira")
    open_tab(page, lab, board)
    open_session(page, "Narrowed", "run echo one two")
    page.get_by_role("button", name="More ways to remember").click()
    words = page.get_by_label("Commands that start with")
    words.fill("echo two")
    expect(page.get_by_role("button", name="Allow and remember")).to_be_disabled()
    words.fill("echo one two")
    page.get_by_label("Allow without asking").select_option("worktree")
    page.get_by_label("For", exact=True).select_option("3600")

    page.get_by_role("button", name="Allow and remember").click()

    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    [rule] = lab.get(f"rules?worktree={made['worktreeId']}")
    assert (rule["scope"], rule["commandPrefix"]) == ("worktree", ["echo", "one", "two"])
    assert rule["expiresAt"] is not None


def test_a_command_that_joins_others_can_only_be_remembered_as_every_command(lab, people, board):
    made = session(lab, board, "Joined", "run echo one; echo two")
    page = people("mira")
    open_tab(page, lab, board)
    open_session(page, "Joined", "run echo one")
    question = page.get_by_role("alertdialog")
    question.get_by_text("only a rule for every command").wait_for()

    question.get_by_role("button", name="Every command in this session").click()

    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    [rule] = lab.get(f"rules?session={made['id']}")
    assert (rule["scope"], rule["toolKind"], rule["commandPrefix"]) == ("session", "execute", None)


def test_a_parked_turn_counts_down_on_card_and_panel_and_is_tried_again(lab, people, board):
    made = session(lab, board, "Parked", "busy 600 tried")
    lab.wait_for(lambda: state_of(lab, made["id"]) == "parked")
    page = people("mira")
    open_tab(page, lab, board)
    strip = card(page, "Parked").locator(".agor-rest")
    strip.get_by_text("Rate limited by the model").wait_for()
    open_session(page, "Parked", "busy 600")
    block = page.locator("[data-parked=rate_limited]")
    following = block.locator("[data-next]")
    before = following.inner_text()
    assert re.match(r"Retrying in (1\d|[5-9])\D", before)
    block.get_by_text("kept: 1 file").wait_for()
    expect(following).not_to_have_text(before)
    expect(card(page, "Parked").locator("[aria-label=Parked]").first).to_be_visible()

    block.get_by_role("button", name="Retry now").click()

    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    block.wait_for(state="detached")
    page.locator(".agor-md >> text=600 tried (small").wait_for()


def test_a_parked_turn_is_given_up_from_its_card(lab, people, board):
    made = session(lab, board, "Given up", "busy 600 tried")
    page = people("mira")
    open_tab(page, lab, board)

    card(page, "Given up").locator(".agor-rest").get_by_role("button", name="Cancel").click()

    lab.wait_for(lambda: state_of(lab, made["id"]) == "cancelled")
    card(page, "Given up").locator(".agor-rest").wait_for(state="detached")


def test_a_fork_is_told_the_transcript_and_hangs_on_the_session_it_came_from(lab, people, board):
    made = session(lab, board, "Forked", "say hello")
    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    page = people("mira")
    open_tab(page, lab, board)
    open_session(page, "Forked", "say hello")
    page.get_by_label("Prompt Chooser").fill("say forked")

    page.locator(".agor-prompt").get_by_role("button", name="Fork").click()

    dialog = page.get_by_role("dialog", name="Fork say hello")
    expect(dialog.get_by_label("Prompt", exact=True)).to_have_value("say forked")
    expect(dialog).to_contain_text("given the transcript")
    dialog.get_by_role("button", name="Fork", exact=True).click()
    page.locator(".agor-origin >> text=given the transcript").wait_for()
    page.locator(".agor-md >> text=forked (small, ask, told").wait_for()
    card(page, "Forked").locator(".agor-tree .agor-fork [aria-label=Fork]").wait_for()
    page.locator(".agor-origin").get_by_role("button", name="say hello").click()
    page.locator(".agor-md >> text=hello (small, ask, new").wait_for()


def test_a_parked_turn_is_handed_to_another_agent(lab, people, board):
    made = session(lab, board, "Handed on", "busy 600 tried")
    lab.wait_for(lambda: state_of(lab, made["id"]) == "parked")
    page = people("mira")
    open_tab(page, lab, board)
    open_session(page, "Handed on", "busy 600")

    page.locator("[data-parked]").get_by_role("button", name="Fork to").click()
    page.get_by_role("menuitem", name="Fork to Script").click()

    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Agent", exact=True)).to_have_value("script")
    dialog.get_by_label("Prompt", exact=True).fill("Go on.")
    dialog.get_by_role("button", name="Fork to Script").click()
    page.locator(".agor-origin").wait_for()
    assert state_of(lab, made["id"]) == "parked"
    lab.post(f"sessions/{made['id']}/cancel", {})


@pytest.mark.parametrize("name", ["Agents", "Variables", "Budget of this board", "Keys"])
def test_a_dialog_keeps_the_focus_and_gives_it_back_to_the_button_of_its_menu(lab, people, board, name):
    page = people("mira")
    app = open_tab(page, lab, board)
    button = app.locator(".agor-bar").get_by_role("button", name="More")
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name=name).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    for _ in range(12):
        page.wait_for_selector("[role=dialog]:focus-within")
        page.keyboard.press("Tab")
    nameless = "[...document.querySelectorAll('.agor-dialog :is(button, input, select)')].filter(e => !(e.ariaLabel || e.textContent.trim() || e.labels?.length))"
    assert page.evaluate(f"{nameless}.length") == 0

    page.keyboard.press("Escape")

    dialog.wait_for(state="detached")
    expect(button).to_be_focused()


def test_a_conversation_that_was_had_elsewhere_becomes_a_session(lab, people, board):
    made = worktree(lab, board, "Imported")
    place("claude", lab.home, made["path"])
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "Imported").hover()
    card(page, "Imported").get_by_role("button", name="Changes").click()
    menu(page, "More")
    page.get_by_role("menuitem", name="Conversations on this machine").click()
    dialog = page.get_by_role("dialog", name="Conversations on this machine")
    row = dialog.locator("li", has=page.get_by_role("img", name="Claude Code"))

    row.get_by_role("button", name="Import").click()

    page.wait_for_selector(".agor-session-body .agor-turn")
    [session] = lab.get(f"sessions?worktree={made['id']}")["items"]
    assert session["agent"] == "claude"
    assert session["turnCount"] > 0
    expect(page.locator(".agor-turn")).to_have_count(session["turnCount"])


def test_a_budget_stops_the_work_and_raising_it_lets_it_go_on(lab, people, board):
    made = session(lab, board, "Costly", "say hello")
    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    page = people("mira")
    open_tab(page, lab, board)
    open_session(page, "Costly", "say hello")
    menu(page, "More")
    page.get_by_role("menuitem", name="Budget").click()
    page.get_by_label("Stop at, in $").fill("nothing")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").get_by_text("Enter at least one amount").wait_for()
    page.get_by_label("Stop at, in $").fill("1")
    page.get_by_role("button", name="Save").click()
    page.locator(".agor-panel-head >> text=of $1.00").wait_for()

    page.get_by_label("Prompt Chooser").fill("spend 2")
    page.keyboard.press("Enter")

    outcome = page.locator(".agor-outcome[data-code=budget_exhausted]")
    outcome.get_by_text("The budget is used up").wait_for()
    page.locator(".agor-panel-head >> text=$2.00 of $1.00").wait_for()
    card(page, "Costly").get_by_role("button", name="Raise the budget").click()
    expect(page.get_by_text("$2.00 of $1.00 used")).to_be_visible()
    page.get_by_label("Stop at, in $").fill("5")
    page.get_by_role("button", name="Save").click()
    page.locator(".agor-panel-head >> text=$2.00 of $5.00").wait_for()
    page.get_by_label("Prompt Chooser").fill("say on")
    page.keyboard.press("Enter")
    page.locator(".agor-md >> text=on (small").wait_for()
