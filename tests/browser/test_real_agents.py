"""The story with each real agent and two people, one in a tab and one in a narrow cell: ask, answer, watch, lose the agent, lose the server."""

import contextlib
import os
import signal

import pytest
from playwright import sync_api

from harness.kits import CACHE, KITS
from harness.model_server import ModelServer
from harness.process_table import ProcessTable
from tests.browser.conftest import Lab
from tests.browser.test_board import card, notebook, open_tab, run_cell, state_of, worktree
from tests.browser.test_hosts import IDLE

pytestmark = [pytest.mark.agent, pytest.mark.timeout(400)]
WRITES = """number => [...document.querySelectorAll('.agor-panel .agor-turn')].slice(number - 1)
  .some(turn => [...turn.querySelectorAll(':scope > .agor-md')].some(text => text.innerText.includes('Heron 7 has')))"""
"""The agent has said so much in that turn; its prompt says it too, and is no child of the turn."""
HERONS = " ".join(f"Heron {number} has {number * 37 % 101} fish." for number in range(1, 41))
"""No two sentences are the same: an agent that hears itself repeat stops."""
SLOW_MS = 90_000
"""A real agent starts for seconds, and for a minute when one that was killed left a lock behind."""


@pytest.fixture(params=[name for name in KITS if name != "script"])
def kit(request):
    return KITS[request.param]


@pytest.fixture
def table(tmp_path):
    return ProcessTable(tmp_path)


@pytest.fixture
def lab(kit, table, tmp_path, monkeypatch):
    """With one agent, in a home of its own, and without a sandbox: there some ask for less."""
    installed = CACHE / "agents"
    assert (installed / kit.name).is_dir(), f"No {kit.name} in {installed}. Run `make test-agents`."
    with ModelServer() as model:
        for name, value in kit.prepare(tmp_path, model.url).items():
            monkeypatch.setenv(name, value)
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "agents").symlink_to(installed)
        with Lab(tmp_path, sandbox="off") as server:
            yield server


def in_cell(page, lab, board: str) -> None:
    path = notebook(lab, "narrow", f"import agor_jupyter as agor\nagor.connect().board({board!r})")
    page.goto(f"{lab.url}lab/tree/{path}?reset")
    page.wait_for_selector(IDLE, state="attached", timeout=40_000)
    page.locator(".jp-SideBar .lm-TabBar-tab.lm-mod-current").first.click()  # the file browser takes the room
    run_cell(page, 0)
    page.locator(".agor-app[data-host='cell']").scroll_into_view_if_needed()


def answer(lab, session, button) -> None:
    button.wait_for(timeout=SLOW_MS)
    button.click()
    lab.wait_for(lambda: state_of(lab, session["id"]) != "needs_you")


def kill_the_agent(table: ProcessTable) -> None:
    agents = table.agents()
    assert agents
    for agent in agents:
        os.kill(agent.pid, signal.SIGKILL)


def test_two_people_work_with_it_and_go_on_after_it_and_the_server_were_killed(lab, kit, table, people, board, screens):
    label = kit.agent.label
    prompt = kit.prompt(
        {"do": "shell", "cmd": "echo '-- counted' >> models/stg_orders.sql; echo it was counted", "asks": True},
        {"text": HERONS, "chunk": 3, "delay": 0.05},
    )
    worktree(lab, board, "Count orders")
    mira, jonas = people("mira"), people("jonas", dark=True, width=720)
    open_tab(mira, lab, board)
    in_cell(jonas, lab, board)

    # Mira prompts it; Jonas reads in his cell what it wants, and answers there.
    card(mira, "Count orders").hover()
    card(mira, "Count orders").get_by_role("button", name="Session").click()
    mira.get_by_label("Agent", exact=True).select_option(kit.name)
    mira.get_by_label("First prompt").fill(prompt)
    mira.screenshot(path=screens / f"{kit.name}-dialog.png")
    mira.get_by_role("button", name=f"Prompt {label}").click()
    asked = card(jonas, "Count orders").get_by_role("button", name="Allow once")
    asked.wait_for(timeout=SLOW_MS)
    mira.screenshot(path=screens / f"{kit.name}-asked.png")
    jonas.screenshot(path=screens / f"{kit.name}-asked-cell.png")
    [made] = lab.get(f"sessions?board={board}")["items"]
    answer(lab, made, asked)
    mira.wait_for_selector(".agor-settled >> text=Jonas Lind allowed")

    # Both watch it write, until it is killed.
    card(jonas, "Count orders").locator(".agor-s").first.click()
    for page in (mira, jonas):
        page.wait_for_function(WRITES, arg=1, timeout=SLOW_MS)
    mira.screenshot(path=screens / f"{kit.name}-writes.png")
    jonas.screenshot(path=screens / f"{kit.name}-writes-cell.png")
    kill_the_agent(table)
    for page in (mira, jonas):
        page.locator(".agor-panel .agor-outcome").get_by_role("button", name="Retry").wait_for()
    mira.screenshot(path=screens / f"{kit.name}-killed.png")
    jonas.screenshot(path=screens / f"{kit.name}-killed-cell.png")

    # Jonas tries again, Mira answers; then the server is killed.
    jonas.locator(".agor-outcome").get_by_role("button", name="Retry").click()
    answer(lab, made, mira.get_by_role("alertdialog").get_by_role("button", name="Allow once").first)
    jonas.wait_for_function(WRITES, arg=2, timeout=SLOW_MS)
    for page in (mira, jonas):  # JupyterLab has a word of its own about it, which is closed by hand
        said = page.locator(".jp-Dialog")
        page.add_locator_handler(said, lambda dialog: dialog.locator("button").last.click())
    lab.kill()
    mira.wait_for_selector("[data-banner=lost]")
    assert table.survivors(within_s=10) == []
    lab.start()
    mira.wait_for_selector("[data-banner=lost]", state="detached")
    resume = mira.locator(".agor-outcome[data-outcome=interrupted]").get_by_role("button", name="Resume")
    resume.wait_for()
    mira.screenshot(path=screens / f"{kit.name}-interrupted.png")

    # It goes on in the same conversation.
    resume.click()
    while state_of(lab, made["id"]) not in ("done", "failed"):
        with contextlib.suppress(sync_api.TimeoutError):
            mira.get_by_role("alertdialog").get_by_role("button", name="Allow once").first.click(timeout=1000)
    mira.locator(".agor-panel .agor-pill", has_text="Done").wait_for()
    mira.screenshot(path=screens / f"{kit.name}-done.png")
    turns = lab.get(f"sessions/{made['id']}/turns")
    states = [(turn["state"], turn["errorCode"], turn["resolution"]) for turn in turns]
    assert states == [("failed", "agent_failed", None), ("interrupted", "interrupted", "resumed"), ("done", None, None)]
