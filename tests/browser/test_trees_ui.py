"""A child's panel says what started it, and whether that was told how it ended."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Lab
from tests.browser.test_board import card, open_tab, worktree


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Lab(tmp_path_factory.mktemp("trees")) as server:
        yield server


def test_a_child_says_what_started_it_and_that_it_was_told(lab, people, board):
    name = "Trees of sessions"
    made = worktree(lab, board, name)
    parent = lab.post("sessions", {"worktreeId": made["id"], "agent": "script", "title": "The whole task"})
    child = {"worktreeId": made["id"], "agent": "script", "title": "A part of it", "parentId": parent["id"], "notify": True}
    lab.post("sessions", {**child, "prompt": "```sh\necho part\n```", "options": {"mode": "auto"}})
    page = people("mira")
    open_tab(page, lab, board)

    card(page, name).get_by_text("A part of it").click()

    head = page.locator(".agor-panel-head")
    expect(head.locator("[data-report=delivered]")).to_have_text(", which was told how it ended", timeout=20_000)
    head.get_by_role("button", name="The whole task").click()
    expect(head.get_by_role("heading")).to_have_text("The whole task")
    expect(page.locator(".agor-panel")).to_contain_text("The session “A part of it”")
