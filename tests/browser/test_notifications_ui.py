"""What needs a person while nobody sees the board reaches the notification centre; and places outside are named on the board."""

import uuid

import pytest
from playwright.sync_api import expect

from tests.browser.test_board import card, open_tab
from tests.browser.test_schedules_ui import schedule, worktree
from tests.receiver import Receiver


def unique(name: str) -> str:
    """A rerun meets nothing of the first attempt."""
    return f"{name}-{uuid.uuid4().hex[:6]}"


def test_each_kind_reaches_the_notification_centre_while_the_board_is_hidden(lab, people, board, screens):
    name = unique("hidden")
    where = worktree(lab, board, name)
    page = people("mira")
    open_tab(page, lab, board)
    card(page, name).wait_for()
    page.keyboard.press("Control+Shift+L")  # the launcher, in front of the board
    page.locator(".jp-Launcher:visible").wait_for()
    toast = page.locator(".Toastify__toast")

    lab.post("sessions", {"worktreeId": where["id"], "agent": "script", "prompt": "```sh\nexit 3\n```", "allow": True})
    expect(toast).to_contain_text(f"Script failed in {name}, on {board}")
    slot = schedule(lab, board, unique("nightly"), where)
    lab.post(f"schedules/{slot['id']}/run", {})
    expect(toast).to_contain_text(f"1 failure and 1 finished slot on {board}")
    lab.post("sessions", {"worktreeId": where["id"], "agent": "script", "prompt": "```sh\necho hi\n```"})
    expect(toast).to_contain_text(f"1 question, 1 failure and 1 finished slot on {board}")
    page.screenshot(path=screens / "notification-centre.png")
    toast.get_by_role("button", name="Show the board").click()

    card(page, name).wait_for()
    expect(page.locator(".Toastify__toast")).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_place_is_named_tried_paused_and_removed_from_the_canvas(lab, people, board, screens, dark):
    name = unique("phone")
    page = people("mira", dark=dark, width=560 if dark else 1440)
    app = open_tab(page, lab, board)
    app.locator(".agor-bar").get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Notifications").click()
    dialog = page.get_by_role("dialog", name="Notifications")
    expect(dialog.get_by_label("Name")).to_be_focused()
    with Receiver(500) as place:
        dialog.get_by_label("Name").fill(name)
        dialog.get_by_label("Address").fill("syslog://")
        page.keyboard.press("Enter")
        expect(dialog.get_by_role("alert")).to_contain_text("syslog:// is not taken")
        dialog.get_by_label("Address").fill(place.address)
        dialog.get_by_label("Finished slots").uncheck()
        dialog.get_by_label("Only this board").check()
        dialog.get_by_label("Quiet hours").check()
        dialog.get_by_role("button", name="Add").click()
        row = dialog.locator("[data-destination]", has_text=name)
        expect(row).to_contain_text("quiet 22:00 to 07:00")
        row.get_by_role("button", name=f"Send a test message to {name}").click()
        expect(dialog.get_by_role("status")).to_have_text(f"The test message to {name} did not arrive: it answered with status 500.")
        row.get_by_role("button", name=f"Send a test message to {name}").click()
        expect(dialog.get_by_role("status")).to_have_text(f"The test message to {name} arrived.")
        page.screenshot(path=screens / f"destinations-{'dark' if dark else 'light'}.png")

    row.get_by_role("button", name=f"Pause {name}").click()
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name=f"Remove {name}").click()
    expect(row).to_have_count(0)
    assert all(one["name"] != name for one in lab.get("destinations"))
