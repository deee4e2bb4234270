"""Dialogs in which people steer: fork at a turn, ask beside a session, choose how a zone's prompt is given, and say when a schedule comes."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Lab
from tests.browser.test_agents_ui import open_session, state_of
from tests.browser.test_board import card, open_tab, worktree
from tests.browser.test_schedules_ui import listed, shown
from tests.browser.test_zones import firings, zone, zone_of

CHOOSER = str(Path(__file__).with_name("choosing_agent.py"))
AGENTS = [
    {"name": "chooser", "label": "Chooser", "icon": "ag-claude", "command": [sys.executable, CHOOSER], "permissions": {"mode": "ask"}}
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """One whose agent says what it is told, and whether it was told a transcript."""
    with Lab(tmp_path_factory.mktemp("dialogs"), agents=AGENTS) as server:
        yield server


def session(lab, board: str, name: str, *prompts: str) -> dict:
    """With a turn for each prompt, all of them over."""
    made = lab.post("sessions", {"worktreeId": worktree(lab, board, name)["id"], "agent": "chooser", "prompt": prompts[0]})
    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    for prompt in prompts[1:]:
        lab.post(f"sessions/{made['id']}/prompt", {"text": prompt})
        lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    return made


def forks(lab, origin: dict) -> list[dict]:
    found = lab.get("sessions?archived=true")
    return [one for one in (found if isinstance(found, list) else found["items"]) if one["originId"] == origin["id"]]


def turn_menu(page, number: int, choice: str) -> None:
    """By the keyboard, as by the mouse: it opens, and takes the focus."""
    page.get_by_role("button", name=f"More for turn {number}").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu", name=f"More for turn {number}").get_by_role("menuitem").first).to_be_focused()
    page.get_by_role("menuitem", name=choice).click()


def test_a_turn_is_forked_into_a_worktree_of_its_own_and_asked_about_beside_the_session(lab, people, board, screens):
    made = session(lab, board, "Two turns", "say first", "say second")
    here = Path(lab.get(f"worktrees/{made['worktreeId']}")["path"])
    (here / "DRAFT.md").write_text("not committed\n")
    turns = lab.get(f"sessions/{made['id']}/turns")
    page = people("mira")
    open_tab(page, lab, board)
    open_session(page, "Two turns", "say first")

    turn_menu(page, 1, "Fork from here")
    dialog = page.get_by_role("dialog", name="Fork say first")
    expect(dialog.get_by_label("After turn")).to_have_value(turns[0]["id"])
    expect(dialog.get_by_label("After turn").locator("option")).to_have_text(["The last one that ended", "2: say second", "1: say first"])
    dialog.get_by_label("After turn").select_option("The last one that ended")
    dialog.get_by_label("Prompt", exact=True).fill("say elsewhere")
    dialog.get_by_text("New worktree", exact=True).click()
    expect(dialog.get_by_label("Name of the new worktree")).to_have_value("Two turns-2")
    expect(dialog.get_by_label("Bring uncommitted work along")).to_be_checked()
    page.screenshot(path=screens / "fork-dialog.png")
    dialog.get_by_label("Name of the new worktree").fill("")
    dialog.get_by_role("button", name="Fork", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Give the new worktree a name")
    dialog.get_by_label("Name of the new worktree").fill("Elsewhere")
    dialog.get_by_role("button", name="Fork", exact=True).click()
    page.locator(".agor-md >> text=elsewhere (small, ask, told").wait_for()
    (fork,) = forks(lab, made)
    there = lab.get(f"worktrees/{fork['worktreeId']}")
    assert there["name"] == "Elsewhere"
    assert (Path(there["path"]) / "DRAFT.md").read_text() == "not committed\n"
    assert (
        subprocess.run(["git", "status", "--porcelain"], cwd=there["path"], check=True, capture_output=True, text=True).stdout
        == "?? DRAFT.md\n"
    )

    page.locator(".agor-origin").get_by_role("button", name="say first").click()
    page.locator(".agor-panel-head").get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Ask a side question").click()
    expect(page.get_by_role("dialog", name="Ask beside say first").get_by_label("After turn")).to_have_value("")
    page.keyboard.press("Escape")
    turn_menu(page, 1, "Ask a side question")
    dialog = page.get_by_role("dialog", name="Ask beside say first")
    expect(dialog.get_by_label("Side question")).to_be_checked()
    expect(dialog.get_by_role("radiogroup", name="Where")).to_have_count(0)
    dialog.get_by_label("Question", exact=True).fill("say answered")
    page.screenshot(path=screens / "side-question-dialog.png")
    dialog.get_by_role("button", name="Ask Chooser").click()
    side = page.get_by_role("region", name="Side question to Chooser: say answered")
    expect(side).to_contain_text("answered")
    lab.wait_for(lambda: [one for one in forks(lab, made) if one["isSide"] and one["archivedAt"] and one["originTurnId"] == turns[0]["id"]])
    page.screenshot(path=screens / "side-question.png")
    expect(card(page, "Two turns").locator(".agor-s")).to_have_count(1)
    side.get_by_role("button", name="Fold away").click()
    expect(side).to_have_count(0)


def test_who_is_asked_by_a_zone_chooses_how_a_session_gets_its_prompt(lab, people, board, screens):
    made = session(lab, board, "Asked how", "say before")
    target = zone(lab, board, "Ask how", 0, {"agent": "chooser", "prompt": "say from zone", "target": "ask"})
    lab.put(f"worktrees/{made['worktreeId']}/zone", {"zoneId": target})
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "Asked how").get_by_role("button", name="Start").first.click()
    dialog = page.get_by_role("dialog", name="Asked how → Ask how")
    expect(dialog.get_by_role("radio", name="Prompt it")).to_be_checked()
    expect(dialog.get_by_label("Agent", exact=True)).to_have_count(0)

    dialog.get_by_text("Fork it", exact=True).click()

    expect(dialog).to_contain_text("A fork that knows what this session knows")
    expect(dialog.get_by_label("Agent", exact=True)).to_have_value("chooser")
    page.screenshot(path=screens / "ask-how.png")
    dialog.get_by_role("button", name="Prompt Chooser").click()
    lab.wait_for(lambda: forks(lab, made))
    (firing,) = firings(lab, board)
    assert (firing["how"], firing["policy"]["how"]) == ("fork", "prompt")


def test_a_prompt_is_seen_as_its_card_makes_it_before_anyone_else_has_it(lab, people, board, screens):
    target = zone(lab, board, "Preview", 0, {"agent": "script", "prompt": "saved"})
    made = worktree(lab, board, "Read live")
    lab.put(f"worktrees/{made['id']}/zone", {"zoneId": target, "run": False})
    page = people("mira")
    open_tab(page, lab, board)
    zone_of(page, "Preview").click(position={"x": 20, "y": 400})
    page.locator(".agor-bar-small").get_by_role("button", name="When a card arrives").click()
    dialog = page.get_by_role("dialog", name="Preview")
    expect(dialog.locator(".agor-preview")).to_have_text("saved")
    page.route("**/board/zones/**", lambda route: route.abort())  # nothing is saved from here on

    prompt = dialog.get_by_label("Prompt", exact=True)
    prompt.fill("typed for {{ worktree.name }}")
    expect(dialog.locator(".agor-preview")).to_have_text("typed for Read live")
    prompt.fill("one\n{{ worktree.nam }}")
    expect(dialog.get_by_role("alert").first).to_contain_text("Line 2")
    expect(dialog.get_by_role("button", name="Use worktree.name")).to_be_visible()
    page.screenshot(path=screens / "zone-live-preview.png")
    assert lab.get(f"board?path={board}")["objects"][target]["policy"]["prompt"] == "saved"


def test_a_schedule_waits_for_what_happens_and_its_address_has_a_secret_shown_once(lab, people, board, screens):
    worktree(lab, board, "Eventful")
    zone(lab, board, "Eventful zone", 1)
    page = people("mira")
    dialog = shown(page, lab, board, "Eventful")
    kinds = {
        "branch_moved": (
            {"Branch": "release", "Looked at": "At the remote, origin"},
            {"branch": "release", "remote": True, "everySeconds": 300},
        ),
        "path_changed": ({"Files": "models/**"}, {"path": "models/**"}),
        "session_finished": ({"How it ends": "Failed", "Only of sessions titled": "Nightly"}, {"outcome": "failed", "title": "Nightly"}),
        "zone_finished": ({"Zone that is through": "Eventful zone"}, {"outcome": "passed"}),
        "check_failed": ({"Only on the branch": "main"}, {"branch": "main"}),
    }
    for number, (kind, (fields, made)) in enumerate(kinds.items()):
        dialog.get_by_role("button", name="New schedule").click()
        form = page.get_by_role("dialog", name="New schedule")
        form.get_by_label("Name", exact=True).fill(f"On {kind}")
        form.get_by_label("When", exact=True).select_option(kind)
        for label, value in fields.items():
            field = form.get_by_label(label, exact=True)
            field.select_option(value) if field.evaluate("one => one.tagName") == "SELECT" else field.fill(value)
        form.get_by_role("textbox", name="Prompt").fill("Look at it")
        if not number:
            expect(form.locator(".agor-next-times")).to_contain_text("Comes when release moves at the remote.")
            page.screenshot(path=screens / "schedule-event.png")
        form.get_by_role("button", name="Create schedule").click()
        if kind == "check_failed":
            once = page.get_by_role("dialog", name="Address of On check_failed")
            secret = once.locator("dd").nth(1).text_content()
            expect(once).to_contain_text("/agor/hooks/")
            page.screenshot(path=screens / "schedule-secret.png")
            once.get_by_role("button", name="Done").click()
        expect(dialog.locator("[data-schedule]", has_text=f"On {kind}")).to_be_visible()
        (found,) = [one["when"] for one in listed(lab, board) if one["name"] == f"On {kind}"]
        assert {**found, **made} == found

    page.screenshot(path=screens / "schedules-events.png")
    dialog.get_by_role("button", name="Edit On check_failed").click()
    form = page.get_by_role("dialog", name="Edit On check_failed")
    expect(form).not_to_contain_text(secret)
    form.get_by_role("button", name="New secret").click()
    once = page.get_by_role("dialog", name="Address of On check_failed")
    assert once.locator("dd").nth(1).text_content() not in {secret, ""}
