"""Schedules in the browser: made with their next times in view, run, paused, read back, and seen in a week."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_board import card, open_tab


def worktree(lab, board: str, name: str) -> dict:
    made = lab.post("worktrees", {"repo": "warehouse", "name": name, "board": board, "x": 0, "y": 0})
    return lab.wait_for(lambda: (found := lab.get(f"worktrees/{made['id']}"))["state"] == "ready" and found)


def schedule(lab, board: str, name: str, where: dict, **more: object) -> dict:
    plan = {"name": name, "when": {"kind": "cron", "expression": "0 7 * * *", "zone": "UTC"}, "script": "echo done", "allow": True, **more}
    return lab.post("schedules", {"board": board, "target": {"kind": "worktree", "worktreeId": where["id"]}, **plan})["schedule"]


def shown(page, lab, board: str, name: str):
    """The dialog, opened where anyone finds it. `name`: a card of the board."""
    open_tab(page, lab, board)
    card(page, name).wait_for()
    page.locator(".agor-bar").get_by_role("button", name="Command menu").click()
    page.wait_for_selector(".agor-menu:focus-within")
    page.keyboard.type("Schedules")
    page.keyboard.press("Enter")
    return page.get_by_role("dialog", name="Schedules")


def listed(lab, board: str) -> list[dict]:
    return lab.get(f"schedules?board={board}")


def test_one_is_made_run_paused_and_read_back(lab, people, board):
    worktree(lab, board, "Scheduled")
    page = people("mira")
    dialog = shown(page, lab, board, "Scheduled")
    expect(dialog).to_contain_text("No schedule yet")

    dialog.get_by_role("button", name="New schedule").click()
    form = page.get_by_role("dialog", name="New schedule")
    expect(form.locator(".agor-next-times li")).to_have_count(5)
    form.get_by_role("button", name="Create schedule").click()
    expect(form.get_by_role("alert")).to_contain_text("Give it a name")
    form.get_by_label("Name", exact=True).fill("Nightly build")
    form.get_by_label("Often").select_option("Other times")
    form.get_by_label("Cron expression").fill("61 * * * *")
    expect(form.get_by_role("alert").first).to_be_visible()
    form.get_by_label("Cron expression").fill("30 5 * * *")
    form.get_by_label("Time zone").fill("Europe/Vienna")
    expect(form.locator(".agor-next-times")).to_contain_text("each day at 05:30, Europe/Vienna")
    form.get_by_label("Worktree").select_option("Scheduled")
    form.get_by_label("What", exact=True).select_option("Lines of shell")
    form.get_by_role("textbox", name="Lines of shell").fill("echo built > BUILT")
    form.get_by_text("Limits, and what happens").click()
    form.get_by_label("Ask nobody before its agents act").check()
    form.get_by_role("button", name="Create schedule").click()

    row = dialog.locator("[data-schedule]", has_text="Nightly build")
    expect(row).to_contain_text("Each day at 05:30")
    expect(row).to_contain_text("It has not run yet")
    (made,) = listed(lab, board)
    assert made["when"] == {"kind": "cron", "expression": "30 5 * * *", "zone": "Europe/Vienna"}
    assert made["script"] == "echo built > BUILT"

    row.get_by_role("button", name="Run Nightly build now").click()
    expect(row).to_contain_text("Last: passed")
    row.get_by_role("button", name="Pause Nightly build").click()
    expect(row).to_contain_text("Paused")
    row.get_by_role("button", name="History of Nightly build").click()
    history = page.get_by_role("dialog", name="History of Nightly build")
    expect(history.locator("[data-slot]")).to_have_count(1)
    expect(history.locator("[data-slot]")).to_contain_text("Passed")
    history.get_by_role("button", name="Close").click()

    row.get_by_role("button", name="Edit Nightly build").click()
    form = page.get_by_role("dialog", name="Edit Nightly build")
    expect(form.get_by_role("textbox", name="Lines of shell")).to_have_value("echo built > BUILT")
    form.get_by_label("Name", exact=True).fill("Daily build")
    form.get_by_role("button", name="Save").click()
    row = dialog.locator("[data-schedule]", has_text="Daily build")
    row.get_by_role("button", name="Remove Daily build").click()
    row.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog).to_contain_text("No schedule yet")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_looks_as_drawn_and_a_viewer_changes_nothing(lab, people, board, screens, dark):
    where = worktree(lab, board, f"Week {'dark' if dark else 'light'}")
    passed = schedule(lab, board, "Build of the warehouse", where)
    failed = schedule(lab, board, "Check of sources", where, script="exit 3", when={"kind": "interval", "seconds": 43_200})
    schedule(lab, board, "Release notes", where, when={"kind": "cron", "expression": "0 9 * * 1-5", "zone": "Europe/Vienna"})
    for one in (passed, failed):
        lab.post(f"schedules/{one['id']}/run", {})
        lab.wait_for(lambda one=one: lab.get(f"schedules/{one['id']}/slots")[0]["state"] in {"passed", "failed"})
    page = people("vera" if dark else "mira", dark=dark)
    dialog = shown(page, lab, board, where["name"])

    expect(dialog.locator("[data-schedule]", has_text="Check of sources")).to_contain_text("Last: failed")
    expect(dialog.get_by_role("button", name="New schedule")).to_have_count(0 if dark else 1)
    page.screenshot(path=screens / f"schedules-{'dark' if dark else 'light'}.png")
    dialog.get_by_role("button", name="Week").click()
    expect(dialog.locator(".agor-week-entry").first).to_be_visible()
    expect(dialog.locator(".agor-week li")).to_have_count(7)
    page.screenshot(path=screens / f"schedules-week-{'dark' if dark else 'light'}.png")
    dialog.get_by_role("button", name="Next week").click()
    expect(dialog.locator(".agor-week-entry[data-planned]", has_text="Release notes")).to_have_count(5)
