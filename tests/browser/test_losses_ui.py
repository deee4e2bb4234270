"""Each act says first what it does: archive and remove list what lies in the folder, a clean one goes at once and comes back with one click, and
what is wrong with a worktree, the server or a repository is on the screen with a way on.
"""

import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.facts import at_rest, new_worktree
from tests.browser.test_board import card, open_tab, session, worktree

both = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


def git(*argv: str, cwd) -> str:
    person = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run(["git", *person, *argv], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


def state(lab, made: dict) -> str:
    return lab.get(f"worktrees/{made['id']}")["state"]


def shot(page, screens: Path, name: str, dark: bool) -> None:  # noqa: FBT001 of the fixture
    at_rest(page)
    page.screenshot(path=screens / f"{name}-{'dark' if dark else 'light'}.png")


def with_work(made: dict) -> None:
    folder = Path(made["path"])
    (folder / "README.md").write_text("# Warehouse, changed\n")
    (folder / "new").mkdir()
    for number in range(4):
        (folder / "new" / f"table-{number}.csv").write_text("a,b\n" * 4000)
    git("add", "README.md", cwd=folder)
    git("commit", "-qm", "mine", cwd=folder)
    (folder / "README.md").write_text("# Warehouse, changed again\n")


def choose(page, name: str) -> None:
    card(page, name).locator(".agor-card-f").wait_for()
    at_rest(page)
    card(page, name).click(position={"x": 60, "y": 12})


def panel(page, name: str):
    choose(page, name)
    page.keyboard.press("d")
    return page.locator(".agor-panel")


def test_a_clean_one_is_archived_at_once_by_its_key_and_comes_back_with_undo(lab, people, board):
    page = people("mira")
    made = worktree(lab, board, "Clean")
    open_tab(page, lab, board)
    choose(page, "Clean")

    page.keyboard.press("e")

    page.locator(".agor-toast", has_text="Archived “Clean”").wait_for()
    assert page.get_by_role("dialog").count() == 0  # one would have come before
    assert state(lab, made) == "archived"
    page.locator(".agor-toast").get_by_role("button", name="Undo").click()
    lab.wait_for(lambda: state(lab, made) == "ready")


@both
@pytest.mark.parametrize("how", ["key", "card", "panel"])
def test_one_with_work_says_what_is_kept_before_it_is_archived(lab, people, board, screens, dark, how):
    page = people("mira", dark=dark)
    name = f"Late orders {how} {'dark' if dark else 'light'}"
    made = worktree(lab, board, name)
    with_work(made)
    open_tab(page, lab, board)
    if how == "key":
        choose(page, name)
        page.keyboard.press("e")
    elif how == "card":
        card(page, name).hover()
        card(page, name).locator("[data-act=archive]").click()
    else:
        panel(page, name).get_by_role("button", name="Archive").click()

    dialog = page.get_by_role("dialog", name=f"Archive {name}")
    kept = dialog.get_by_label("This is kept")

    expect(kept).to_contain_text(re.compile(r"1 changed file, not committed: README\.md \(\d+ bytes\)"))
    expect(kept).to_contain_text("4 untracked files: new/table-0.csv")
    expect(kept).to_contain_text("(64 kB)")
    expect(kept).to_contain_text(f"1 commit of branch {made['branch']}, on no other branch")
    if how == "card":
        shot(page, screens, "archive-dialog", dark)
    dialog.get_by_role("button", name="Cancel").click()
    dialog.wait_for(state="detached")
    assert state(lab, made) == "ready"
    page.keyboard.press("Escape")
    choose(page, name)
    page.keyboard.press("e")
    page.get_by_role("dialog").get_by_role("button", name="Archive", exact=True).click()
    page.locator(".agor-toast", has_text=f"Archived “{name}”").get_by_role("button", name="Undo").click()
    lab.wait_for(lambda: state(lab, made) == "ready")
    assert (Path(made["path"]) / "README.md").read_text() == "# Warehouse, changed again\n"


@both
def test_a_session_at_work_is_named_and_ended_before_its_worktree_is_archived(lab, people, board, screens, dark):
    page = people("mira", dark=dark)
    name = f"Busy {'dark' if dark else 'light'}"
    made = session(lab, board, name, "```sh\nsleep 300\n```")
    open_tab(page, lab, board)
    page.wait_for_selector(".agor-card.agor-needs")
    choose(page, name)

    page.keyboard.press("e")

    dialog = page.get_by_role("dialog", name=f"Archive {name}")
    dialog.get_by_text("A session is working here. Stop it first:").wait_for()
    expect(dialog.get_by_role("button", name="Archive", exact=True)).to_be_disabled()
    shot(page, screens, "archive-busy", dark)
    dialog.get_by_role("button", name="Stop it").click()
    dialog.get_by_text("A session is working here").wait_for(state="detached")
    dialog.get_by_role("button", name="Archive", exact=True).click()
    page.locator(".agor-toast", has_text=f"Archived “{name}”").wait_for()
    assert lab.get(f"worktrees/{made['worktreeId']}")["state"] == "archived"


@both
def test_a_removal_lists_what_would_be_lost_and_says_where_it_is_kept(lab, people, board, screens, dark):
    page = people("mira", dark=dark)
    name = f"Refunds {'dark' if dark else 'light'}"
    made = worktree(lab, board, name)
    with_work(made)
    open_tab(page, lab, board)
    panel(page, name).get_by_role("button", name="Remove").click()

    dialog = page.get_by_role("dialog", name=f"Remove {name}")
    dialog.get_by_label("This is deleted with its folder").wait_for()

    expect(dialog).to_contain_text("4 untracked files")
    shot(page, screens, "remove-dialog", dark)
    dialog.get_by_role("button", name="Remove anyway").click()
    page.locator(".agor-toast", has_text="Everything is kept in").wait_for()
    assert [one["name"] for one in lab.get("backups") if one["worktreeId"] == made["id"]] == [name]


@both
def test_a_branch_that_was_reset_by_hand_is_told_and_its_commits_become_a_branch(lab, people, board, screens, dark):
    page = people("mira", dark=dark)
    name = f"Reset {'dark' if dark else 'light'}"
    made = worktree(lab, board, name)
    for number in range(3):
        git("commit", "-q", "--allow-empty", "-m", f"step {number}", cwd=made["path"])
    tip = git("rev-parse", "HEAD", cwd=made["path"])
    git("reset", "-q", "--hard", made["baseSha"], cwd=made["path"])
    open_tab(page, lab, board)

    card(page, name).get_by_text(f"was moved from {tip[:7]} to {made['baseSha'][:7]} outside of Agor").wait_for()

    shot(page, screens, "moved-card", dark)
    opened = panel(page, name)
    opened.get_by_text("Nothing else moves").wait_for()
    shot(page, screens, "moved-panel", dark)
    opened.get_by_role("button", name="Make a branch").click()
    opened.get_by_text("Nothing else moves").wait_for(state="detached")
    assert git("rev-parse", f"{made['branch']}-at-{tip[:7]}", cwd=made["path"]) == tip


@both
def test_a_lock_of_another_tool_is_told_before_and_taken_off_where_it_is_in_the_way(lab, people, board, screens, dark):
    page = people("mira", dark=dark)
    name = f"On a stick {'dark' if dark else 'light'}"
    made = worktree(lab, board, name)
    git("worktree", "unlock", made["path"], cwd=made["path"])
    git("worktree", "lock", "--reason", "on a stick of mine", made["path"], cwd=made["path"])
    open_tab(page, lab, board)
    card(page, name).get_by_text("Locked by another tool").wait_for()
    choose(page, name)
    page.keyboard.press("e")

    dialog = page.get_by_role("dialog", name=f"Archive {name}")
    dialog.get_by_text("with the reason “on a stick of mine”").wait_for()

    shot(page, screens, "locked", dark)
    dialog.get_by_role("button", name="Unlock").click()
    dialog.get_by_text("on a stick of mine").wait_for(state="detached")
    dialog.get_by_role("button", name="Archive", exact=True).click()
    page.locator(".agor-toast", has_text=f"Archived “{name}”").wait_for()


@both
def test_the_panel_says_what_is_in_the_way_of_git_and_removes_it(lab, people, board, screens, dark):
    page = people("mira", dark=dark)
    name = f"Wedged {'dark' if dark else 'light'}"
    made = worktree(lab, board, name)
    admin = Path(git("rev-parse", "--path-format=absolute", "--git-dir", cwd=made["path"]))
    (admin / "index.lock").touch()
    subprocess.run(["touch", "-d", "10 minutes ago", admin / "index.lock"], check=True)
    open_tab(page, lab, board)
    opened = panel(page, name)

    opened.get_by_text("left index.lock behind").wait_for()

    shot(page, screens, "stuck-panel", dark)
    opened.get_by_role("button", name="Remove the lock").click()
    opened.get_by_text("left index.lock behind").wait_for(state="detached")
    assert not (admin / "index.lock").exists()


@both
def test_worktrees_of_other_tools_are_listed_and_adopted(lab, people, board, screens, dark):
    page = people("mira", dark=dark)
    name = f"theirs-{'dark' if dark else 'light'}"
    git("worktree", "add", "-q", "-b", name, str(lab.root / name), cwd=lab.root / "warehouse")
    git("worktree", "add", "-q", "--detach", str(lab.home / f"outside-{name}"), cwd=lab.root / "warehouse")
    open_tab(page, lab, board)
    new_worktree(page)
    page.get_by_text("Adopt a worktree made by another tool").click()

    row = page.get_by_role("listitem").filter(has_text=str(lab.root / name))
    row.wait_for()

    row.scroll_into_view_if_needed()
    expect(page.get_by_role("listitem").filter(has_text=f"outside-{name}").get_by_role("button", name="Adopt")).to_be_disabled()
    shot(page, screens, "adopt", dark)
    row.get_by_role("button", name="Adopt").click()
    card(page, name).wait_for()
    panel(page, name).get_by_role("button", name="Release").wait_for()


@both
def test_checks_of_the_server_and_its_repositories_are_on_the_screen(lab, people, board, screens, dark):
    page = people("vera", dark=dark)
    lock = lab.root / "warehouse" / ".git" / "packed-refs.lock"
    lock.touch()
    subprocess.run(["touch", "-d", "1 hour ago", lock], check=True)
    app = open_tab(page, lab, board)
    app.locator(".agor-bar").get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Check server and repositories").click()

    dialog = page.get_by_role("dialog", name="Check server and repositories")
    found = dialog.locator("[data-verdict=warn]", has_text="packed-refs.lock is 60 minutes old")
    found.wait_for()

    dialog.get_by_role("region", name="This server").locator("li", has_text="git").first.wait_for()
    shot(page, screens, "checks", dark)
    lock.unlink()
    dialog.get_by_role("button", name="Check again").click()
    found.wait_for(state="detached")


def test_a_branch_that_only_a_remote_has_is_offered_by_its_name(lab, people, board, tmp_path):
    page = people("mira")
    repository = lab.root / "warehouse"
    git("clone", "-q", "--bare", str(repository), str(tmp_path / "origin.git"), cwd=tmp_path)
    git("remote", "add", "origin", str(tmp_path / "origin.git"), cwd=repository)
    sha = git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "a colleague's", cwd=repository)
    git("push", "-q", "origin", f"{sha}:refs/heads/colleague", cwd=repository)
    git("fetch", "-q", "origin", cwd=repository)
    open_tab(page, lab, board)
    new_worktree(page)
    page.get_by_label("Name", exact=True).fill("Review")
    page.get_by_label("Branch", exact=True).fill("colleague")

    page.get_by_text("It exists on a remote (origin/colleague)").wait_for()
    page.get_by_role("button", name="Create worktree").click()

    card(page, "Review").wait_for()
    made = lab.wait_for(lambda: next((one for one in lab.get(f"worktrees?board={board}") if one["state"] == "ready"), None))
    assert git("rev-parse", "HEAD", cwd=made["path"]) == sha
