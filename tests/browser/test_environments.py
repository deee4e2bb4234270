"""Environments in the browser: started on a card, opened in a tab, seen to fail and to come back, and their log read."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.facts import settles
from tests.browser.test_board import card, open_tab

SERVICE = Path(__file__).parents[1] / "services" / "environments" / "service.py"


def repository(lab, name: str) -> None:
    """One whose worktrees have a site, and a worker that only writes."""
    path = lab.root / name
    path.mkdir()
    web = f"{sys.executable} {SERVICE} 'say=Warehouse is open'"
    (path / ".agor.yml").write_text(
        "environment:\n"
        "  services:\n"
        f"    web:\n      command: {web!r}\n      ports: [web]\n      ready: {{http: /}}\n"
        "    ticker:\n      command: 'i=0; while :; do i=$((i+1)); printf \"\\033[33mtick %d\\033[0m\\n\" $i; sleep 0.05; done'\n"
        "  links:\n"
        "    site: {port: web, path: /home}\n"
    )
    for argv in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run(["git", "-c", "user.name=Test", "-c", "user.email=t@example.org", *argv], cwd=path, check=True)
    lab.post("repos", {"path": str(path), "slug": name})


@pytest.fixture
def repo(lab) -> str:
    if not (lab.root / "shop").exists():
        repository(lab, "shop")
    return "shop"


def made(lab, board: str, repo: str, name: str) -> dict:
    worktree = lab.post("worktrees", {"repo": repo, "name": name, "board": board, "x": 0, "y": 0})
    lab.wait_for(lambda: lab.get(f"worktrees/{worktree['id']}")["state"] == "ready")
    return worktree


def environment(lab, worktree: dict) -> dict:
    return lab.get(f"worktrees/{worktree['id']}/environment")


def service(lab, worktree: dict, name: str = "web") -> dict:
    return next(one for one in environment(lab, worktree)["services"] if one["name"] == name)


def test_it_is_started_on_its_card_opened_in_a_tab_and_comes_back_when_it_is_killed(lab, people, board, repo, screens):
    worktree = made(lab, board, repo, "Site of the shop")
    page = people("mira")
    open_tab(page, lab, board)
    line = card(page, "Site of the shop").locator(".agor-card-e")
    expect(line).to_contain_text("Stopped")
    expect(line).to_contain_text("web, ticker")  # what there is to start

    line.get_by_role("button", name="Start the environment").click()
    expect(line).to_contain_text("Healthy")
    port = environment(lab, worktree)["ports"]["web"]
    expect(line).to_contain_text(f"web {port}")
    page.screenshot(path=screens / "environment-card.png")

    line.get_by_role("button", name="Open site").click()
    frame = page.frame_locator(".agor-page-view iframe")
    expect(frame.locator("body")).to_contain_text(f"/home on {port}")
    expect(page.get_by_label("Address, below the server")).to_have_value(f"/proxy/{port}/home")
    page.screenshot(path=screens / "environment-page.png")
    page.get_by_label("Size of the page").select_option("390x844")
    expect(page.locator(".agor-page-view iframe")).to_have_css("width", "390px")
    page.locator(".lm-TabBar-tab", has_text="site, Site of the shop").locator(".lm-TabBar-tabCloseIcon").click()

    line.get_by_role("button", name=re.compile("^Environment: Healthy")).click()
    section = page.get_by_role("region", name="Environment")
    row = section.locator("[data-service=web]")
    expect(row).to_contain_text("Healthy")
    before = service(lab, worktree)
    os.kill(before["pid"], signal.SIGKILL)
    expect(row).to_contain_text("1 restart")
    settles(lambda: _is_another(service(lab, worktree), before))
    expect(row).to_contain_text("Healthy")

    row.get_by_role("button", name="Log of web").click()
    log = page.get_by_role("log", name="Log of web")
    expect(log).to_contain_text("Warehouse is open")
    expect(log.locator(".agor-ansi-green").first).to_contain_text("asked for /")
    page.screenshot(path=screens / "environment-panel.png")

    section.get_by_role("button", name="Stop", exact=True).click()
    expect(section.locator("[data-state=stopped]")).to_have_count(2)
    expect(line).to_contain_text("Stopped")


def last(lab, worktree: dict) -> int:
    """The number in the last whole line of the ticker's log."""
    return int(re.findall(r"tick (\d+)\x1b\[0m\n", lab.get(f"worktrees/{worktree['id']}/environment/logs?service=ticker")["text"])[-1])


def _is_after(line: str, number: int) -> None:
    assert int(line.removeprefix("tick ")) > number


def _is_another(now: dict, before: dict) -> None:
    assert now["state"] == "healthy"
    assert now["pid"] != before["pid"]


def test_a_log_is_followed_searched_and_left_where_it_is_read(lab, people, board, repo):
    worktree = made(lab, board, repo, "Log of the shop")
    lab.post(f"worktrees/{worktree['id']}/environment/start", {"services": ["ticker"]})
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "Log of the shop").get_by_role("button", name=re.compile("^Environment: ")).click()
    page.get_by_role("button", name="Log of ticker").click()
    log = page.get_by_role("log", name="Log of ticker")
    expect(log).to_contain_text(re.compile(r"tick \d\d\d"))
    assert log.locator(".agor-log-line").count() < 80

    page.get_by_role("searchbox", name="Search in the log").fill("tick 1")
    page.keyboard.press("Enter")

    expect(log.locator("[data-chosen]")).to_contain_text("tick 1")
    expect(page.get_by_role("checkbox", name="Follow")).not_to_be_checked()
    lines = log.locator(".agor-log-line").all_text_contents()
    later = last(lab, worktree) + 50
    lab.wait_for(lambda: last(lab, worktree) > later)
    assert log.locator(".agor-log-line").all_text_contents()[:5] == lines[:5]

    page.get_by_role("checkbox", name="Follow").check()
    settles(lambda: _is_after(log.locator(".agor-log-line").last.text_content(), later))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the log").click()
    assert "tick 1\x1b[0m\n" in Path(download.value.path()).read_text()
    lab.post(f"worktrees/{worktree['id']}/environment/stop", {})


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_looks_as_drawn_and_a_member_only_reads_it(lab, people, board, repo, screens, dark):
    worktree = made(lab, board, repo, f"Seen {'dark' if dark else 'light'}")
    lab.post(f"worktrees/{worktree['id']}/environment/start", {"services": ["web"]})
    lab.wait_for(lambda: service(lab, worktree)["state"] == "healthy")
    page = people("vera", dark=dark, width=1440 if dark else 700)
    open_tab(page, lab, board)
    shown = card(page, worktree["name"])
    expect(shown.get_by_role("button", name="Stop the environment")).to_have_count(0)
    shown.get_by_role("button", name=re.compile("^Environment: ")).click()
    section = page.get_by_role("region", name="Environment")

    expect(section).to_contain_text("An owner starts and stops it.")
    expect(section.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    section.get_by_role("button", name="Log of web").click()
    expect(section.get_by_role("log")).to_contain_text("listens")
    page.screenshot(path=screens / f"environment-{'dark' if dark else 'light'}.png")
    lab.post(f"worktrees/{worktree['id']}/environment/stop", {})


def test_a_mistake_in_the_settings_is_said_on_the_card_and_in_the_panel_until_it_is_mended(lab, people, board, screens):
    path = lab.root / f"mistaken-{os.urandom(4).hex()}"
    path.mkdir()
    wrong = "environment:\n  servces:\n    web: {command: sleep 60}\n"
    (path / ".agor.yml").write_text(wrong)
    for argv in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run(["git", "-c", "user.name=Test", "-c", "user.email=t@example.org", *argv], cwd=path, check=True)
    lab.post("repos", {"path": str(path), "slug": path.name})
    worktree = made(lab, board, path.name, "Mistaken")
    page = people("mira")
    open_tab(page, lab, board)
    line = card(page, "Mistaken").locator(".agor-card-e")
    expect(line).to_contain_text("Cannot start")
    expect(line).to_contain_text("'environment.servces' is not known (line 2)")
    expect(line.get_by_role("button", name="Start the environment")).to_have_count(0)

    line.get_by_role("button", name=re.compile("^Environment: Cannot start")).click()

    section = page.get_by_role("region", name="Environment")
    expect(section.get_by_role("alert")).to_contain_text("did you mean 'services'")
    page.screenshot(path=screens / "environment-mistaken.png")
    (Path(lab.get(f"worktrees/{worktree['id']}")["path"]) / ".agor.yml").write_text(wrong.replace("servces", "services"))
    section.get_by_role("button", name="Look again").click()
    expect(section.locator("[data-service=web]")).to_contain_text("Stopped")
    expect(line).not_to_contain_text("Cannot start")
