"""What an agent left unfinished in its sandbox, and what is kept beside the branch, where a person sees it and takes it."""

import subprocess
from pathlib import Path

import pytest

from tests.browser.test_board import card, open_tab, state_of, worktree

GIT = "git -c user.name=Agent -c user.email=agent@example.org"
MAKES = f"""```sh
{GIT} switch -q -c side
echo 1 > one.sql; git add one.sql; {GIT} commit -qm 'Add the first model'
echo 2 > two.sql; git add two.sql; {GIT} commit -qm 'Add the second model'
{GIT} switch -q -
echo draft > README.md; {GIT} stash -q
rm -f one.sql two.sql
```"""
CLASHES = f"""```sh
{GIT} switch -q -c other; for f in README.md models/stg_orders.sql; do echo a > $f; done; {GIT} commit -qam a
{GIT} switch -q -; for f in README.md models/stg_orders.sql; do echo b > $f; done; {GIT} commit -qam b
{GIT} merge other > /dev/null 2>&1 || true
```"""


@pytest.fixture
def played(lab, board):
    def play(name: str, prompt: str) -> dict:
        made = worktree(lab, board, name)
        session = lab.post("sessions", {"worktreeId": made["id"], "agent": "script", "prompt": prompt, "allow": True})
        lab.wait_for(lambda: state_of(lab, session["id"]) == "done")
        return made

    return play


def _open_panel(page, name: str) -> None:
    card(page, name).locator(".agor-card-t").click()
    page.keyboard.press("d")
    page.locator(".agor-panel h2", has_text=name).wait_for()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_is_kept_is_taken_after_its_consequences_were_read(lab, people, board, played, screens, dark):
    name = f"Kept {'dark' if dark else 'light'}"
    branch = name.lower().replace(" ", "-")
    made = played(name, MAKES)
    page = people("mira", dark=dark)
    open_tab(page, lab, board)
    _open_panel(page, name)
    row = page.locator(".agor-kept li", has_text=f"The agent's branch side: 2 commits that branch {branch} has not")
    row.wait_for()
    page.locator(".agor-kept li", has_text="The agent's stash").locator("code", has_text="git stash apply").wait_for()
    page.locator(".agor-panel").screenshot(path=screens / f"kept-{'dark' if dark else 'light'}.png")

    row.get_by_role("button", name="Take…").click()
    dialog = page.get_by_role("dialog", name=f"Take commits onto {branch}")
    dialog.get_by_text(f"{branch} moves forward by 2 commits").wait_for()
    dialog.get_by_role("list", name="2 files in the folder are written:").get_by_text("one.sql").wait_for()
    page.screenshot(path=screens / f"take-{'dark' if dark else 'light'}.png")
    dialog.get_by_role("button", name="Take", exact=True).click()

    page.get_by_text(f"Taken onto {branch}.").wait_for()
    page.locator(".agor-kept li", has_text=f"branch {branch} has all of it").wait_for()
    log = subprocess.run(["git", "log", "-1", "--format=%s"], cwd=made["path"], capture_output=True, text=True, check=True).stdout
    assert log == "Add the second model\n"
    assert (Path(made["path"]) / "two.sql").read_text() == "2\n"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_conflicts_in_the_sandbox_are_on_the_card_and_in_the_panel(lab, people, board, played, screens, dark):
    name = f"Clash {'dark' if dark else 'light'}"
    played(name, CLASHES)
    page = people("mira", dark=dark)
    open_tab(page, lab, board)

    card(page, name).locator(".agor-inside", has_text="Merge under way in the sandbox: 2 files in conflict").wait_for()
    page.screenshot(path=screens / f"clash-{'dark' if dark else 'light'}.png")
    _open_panel(page, name)

    page.get_by_role("list", name="What is in its folder").get_by_text(
        "merge under way in the sandbox: 2 files in conflict (README.md, models/stg_orders.sql)"
    ).wait_for()
    page.locator(".agor-panel-meta", has_text="2 conflicts in the sandbox").wait_for()
    page.locator(".agor-panel").screenshot(path=screens / f"clash-panel-{'dark' if dark else 'light'}.png")
