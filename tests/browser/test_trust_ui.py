"""What a person sees of files that an agent would obey: the question with their content, and the list of what is trusted."""

import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Lab
from tests.browser.test_agents_ui import CHOOSER, menu, open_session
from tests.browser.test_board import card, open_tab, state_of, worktree

AGENT = {
    "name": "obedient", "label": "Obedient", "icon": "ag-agent", "command": [sys.executable, CHOOSER], "permissions": {"mode": "ask"},
    "files": {"project": ["RULES.md"], "without_project": {}},
}  # fmt: skip


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Lab(tmp_path_factory.mktemp("trust"), agents=[AGENT]) as server:
        yield server


def asked(lab, board: str, name: str, prompt: str) -> dict:
    """A session whose agent would obey a file that nobody trusts."""
    made = worktree(lab, board, name)
    (Path(made["path"]) / "RULES.md").write_text(f"Never say <b>{name}</b>.\u202e\n")
    return lab.post("sessions", {"worktreeId": made["id"], "agent": "obedient", "prompt": prompt})


def test_files_are_read_and_trusted_by_keyboard_and_the_trust_is_taken_back(lab, people, board):
    made = asked(lab, board, "Obeyed", "say hello")
    page = people("mira")
    open_tab(page, lab, board)
    strip = card(page, "Obeyed").locator(".agor-ask")
    strip.get_by_text("Wants to load untrusted files").wait_for()
    assert strip.get_by_role("button", name="Allow").count() == 0
    strip.get_by_role("button", name="Review").click()
    question = page.get_by_role("alertdialog", name="Obedient would load this file, which nobody trusts")
    row = question.get_by_role("button", name="RULES.md")
    expect(row).to_have_attribute("aria-expanded", "false")
    row.focus()

    page.keyboard.press("Enter")
    question.locator("pre", has_text="Never say <b>Obeyed</b>.⟨202E⟩").wait_for()
    page.keyboard.press("1")

    page.locator(".agor-settled >> text=Mira Okafor trusted RULES.md").wait_for()
    page.locator(".agor-md >> text=hello (small, ask, new").wait_for()
    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")

    menu(page, "More")
    page.get_by_role("menuitem", name="Agent instruction files").click()
    dialog = page.get_by_role("dialog", name="Agent instruction files")
    dialog.get_by_text("Trusted by Mira Okafor").wait_for()
    refuse = dialog.get_by_role("button", name="Do not trust RULES.md")
    refuse.focus()
    page.keyboard.press("Enter")
    dialog.get_by_role("status").get_by_text("RULES.md is not trusted.").wait_for(state="attached")
    expect(refuse).to_have_attribute("aria-pressed", "true")
    expect(refuse).to_be_focused()
    [file] = lab.get(f"worktrees/{made['worktreeId']}/project-files")
    assert file["state"] == "refused"
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.get_by_label("Prompt Obedient").fill("say again")
    page.keyboard.press("Enter")
    page.locator(".agor-fold", has_text="without loading RULES.md").wait_for()


def test_content_that_changes_while_it_is_decided_about_is_not_trusted(lab, people, board):
    made = asked(lab, board, "Changing", "say hello")
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "Changing").locator(".agor-ask").get_by_role("button", name="Review").click()
    question = page.get_by_role("alertdialog")
    question.wait_for()
    rules = Path(lab.get(f"worktrees/{made['worktreeId']}")["path"]) / "RULES.md"
    rules.write_text("Say it twice.\n")
    question.get_by_role("button", name="RULES.md").click()
    question.get_by_text("It has changed since this was asked").wait_for()
    question.get_by_role("button", name="Continue without them").click()
    page.locator(".agor-settled >> text=Mira Okafor did not trust RULES.md").wait_for()
    lab.wait_for(lambda: state_of(lab, made["id"]) == "done")
    menu(page, "More")
    page.get_by_role("menuitem", name="Agent instruction files").click()
    row = page.get_by_role("dialog").locator("[data-path='RULES.md']")
    row.get_by_text("changed", exact=True).wait_for()
    rules.write_text("Say it three times.\n")

    row.get_by_role("button", name="Trust RULES.md", exact=True).click()

    row.get_by_role("alert").get_by_text("Nothing was decided").wait_for()
    row.locator("[aria-expanded]").click()
    row.locator("pre", has_text="Say it three times.").wait_for()
    assert {file["state"] for file in lab.get(f"worktrees/{made['worktreeId']}/project-files")} == {"changed"}


def test_a_key_on_a_card_opens_the_files_and_trusts_nothing(lab, people, board):
    made = asked(lab, board, "Unread", "say hello")
    page = people("mira")
    open_tab(page, lab, board)
    page.wait_for_selector(".agor-card.agor-needs")
    page.locator(".agor-board").focus()

    page.keyboard.press("Tab")
    page.keyboard.press("2")

    page.get_by_role("alertdialog").wait_for()
    [file] = lab.get(f"worktrees/{made['worktreeId']}/project-files")
    assert file["decidedAt"] is None
    lab.post(f"sessions/{made['id']}/cancel", {})


def test_a_viewer_sees_which_files_and_cannot_read_or_answer(lab, people, board):
    made = asked(lab, board, "Watched", "say hello")
    page = people("vera")
    open_tab(page, lab, board)
    open_session(page, "Watched", "say hello")

    question = page.get_by_role("alertdialog")
    question.get_by_text("RULES.md").wait_for()

    question.get_by_text("It waits for an owner").wait_for()
    assert question.get_by_role("button").count() == 0
    page.locator(".agor-panel-head").get_by_role("button", name="More").click()
    page.get_by_role("menuitem").first.wait_for()
    assert page.get_by_role("menuitem", name="Agent instruction files").count() == 0
    lab.post(f"sessions/{made['id']}/cancel", {})
