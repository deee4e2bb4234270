"""A person connects an agent of their own with the board from the canvas: the secret is shown once, works, and is taken back."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_board import open_tab
from tests.mcp.test_personal_tokens import status


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_token_is_made_used_and_revoked_from_the_canvas(lab, people, board, screens, dark):
    page = people("mira", dark=dark, width=720 if dark else 1440)
    app = open_tab(page, lab, board)
    app.locator(".agor-bar").get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Connect your own agent").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("laptop")

    dialog.get_by_role("button", name="Create a token").click()

    made = page.locator(".agor-secret dd")
    made.nth(1).wait_for()
    secret, url = made.nth(0).inner_text(), made.nth(1).inner_text()
    page.screenshot(path=screens / f"token-{'dark' if dark else 'light'}.png")
    assert url == f"{lab.url}agor/mcp"
    assert status(url, secret).status_code == 200
    dialog.get_by_role("button", name="Revoke laptop").click()
    dialog.get_by_text("No tokens yet").wait_for()
    expect(page.locator(".agor-secret")).to_have_count(0)
    assert status(url, secret).status_code == 401
