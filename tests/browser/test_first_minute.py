"""A newcomer's first minute: the shipped notebook in a new browser, on a new demo folder, started as `make demo` starts it.

From the first paint to the last cell no error, no stale output, and the board live in its cell: with Run All, cell by cell, with the
server restarted in between, and with the board's file taken away and made again.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright import sync_api
from playwright.sync_api import expect

SHIPPED = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
LAST_CELL = "Keep the order ids of the old shop"
WATCH = """
globalThis.seen = [];
const wrong = {
  'a refusal of the board': ".agor-await[role='alert']",
  'an error output': ".jp-OutputArea-output[data-mime-type*='error'], .jp-RenderedText[data-mime-type*='stderr']",
  'a dialog': '.jp-Dialog',
  'a notification': '.Toastify__toast',
  'a failure toast': '.agor-toast.agor-bad',
};
globalThis.looks = 0;
setInterval(() => {
  globalThis.looks += 1;
  for (const [what, where] of Object.entries(wrong))
    for (const found of document.querySelectorAll(where)) {
      const text = `${what}: ${found.innerText.slice(0, 300)}`;
      if (!globalThis.seen.includes(text)) globalThis.seen.push(text);
    }
}, 40);
"""


class Demo:
    """`jupyter agor demo` on a new folder, for a person who has never used JupyterLab here."""

    def __init__(self, home: Path) -> None:
        self.home, self.folder = home, home / "demo"
        self.address = ""

    def start(self) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGOR_", "JUPYTER", "JPY_"))}
        command = [sys.executable, "-m", "agor_jupyter.cli", "demo", "--folder", str(self.folder), "--port", "18700"]
        self.log = (self.home / "log").open("a+")
        self.process = subprocess.Popen(
            command, env=kept | {"HOME": str(self.home)}, stdout=self.log, stderr=self.log, start_new_session=True
        )
        self.address = self._wait(lambda: (found := re.findall(r"http://127\.0\.0\.1:\d+/lab\S+", self.text())) and found[-1])

    def text(self) -> str:
        return (self.home / "log").read_text()

    def _wait(self, found, timeout_s: float = 60):
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if result := found():
                return result
            time.sleep(0.1)
        raise AssertionError(self.text())

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def at(self, notebook: str) -> str:
        return self.address.replace("/tree/quickstart.ipynb?", f"/tree/{notebook}?reset&")

    def theme(self, *, dark: bool) -> None:
        """What this person has set in JupyterLab goes on counting in the demo."""
        file = self.home / ".jupyter" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"theme": f"JupyterLab {'Dark' if dark else 'Light'}"}))

    def story(self, name: str, *, with_outputs: bool) -> str:
        """The notebook in a folder of its own, as our repository has it or as the demo gives it."""
        (self.folder / name).mkdir()
        text = (SHIPPED if with_outputs else self.folder / "quickstart.ipynb").read_text()
        text = text.replace('"path": "quickstart.agor"', f'"path": "{name}/quickstart.agor"')
        (self.folder / name / "quickstart.ipynb").write_text(text)
        return f"{name}/quickstart.ipynb"


@pytest.fixture
def demo(tmp_path_factory):
    made = Demo(tmp_path_factory.mktemp("newcomer"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def newcomer(chromium, demo):
    """A page of a new browser profile."""
    contexts = []

    def open_page(address: str, *, dark: bool = False):
        demo.theme(dark=dark)
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.add_init_script(WATCH)
        deadline = time.monotonic() + 60
        while True:  # the address is printed before the server listens
            try:
                page.goto(address)
                break
            except sync_api.Error:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", state="attached", timeout=60_000)
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", state="attached", timeout=60_000)
        return page

    yield open_page
    for context in contexts:
        context.close()


def begin_all(page) -> None:
    """The notebook says that it is idle before it can run anything: what is asked in between is lost."""
    begun = page.locator(".jp-Notebook .jp-InputPrompt", has_text=re.compile(r"\[[*\d]+\]")).first
    for _ in range(5):
        page.locator(".jp-Notebook .jp-CodeCell .jp-Cell-inputWrapper").first.click()
        page.locator(".lm-MenuBar-itemLabel", has_text="Run").click()
        page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
        with contextlib.suppress(sync_api.TimeoutError):
            begun.wait_for(timeout=5000)
            return
    raise AssertionError("no cell was ever run")


def run_all(page) -> None:
    begin_all(page)
    assert_ran(page)


def assert_ran(page) -> None:
    page.locator(".jp-OutputArea", has_text=LAST_CELL).last.wait_for(timeout=90_000)


def look_at(page, where: str):
    """JupyterLab hides what is scrolled out of its window."""
    page.locator(".jp-Notebook .jp-CodeCell").nth(1).scroll_into_view_if_needed()  # the board's cell
    found = page.locator(where).first
    found.wait_for(state="attached")
    found.scroll_into_view_if_needed()
    found.wait_for()
    return found


def assert_live(page) -> None:
    """The board in its cell, with what the cells made."""
    board = look_at(page, ".agor-app[data-host='cell']")
    for name in ("check", "fix-null-keys"):
        board.locator(".agor-card", has_text=name).first.wait_for()
    expect(page.locator(".agor-await")).to_have_count(0)


def assert_calm(page) -> None:
    """The page has looked at what stands there now, and so has the kernel: what a cell began to say late has come."""
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", state="attached")
    page.evaluate("globalThis.looks = 0")
    page.wait_for_function("globalThis.looks > 1")
    assert page.evaluate("globalThis.seen") == []


def test_run_all(demo, newcomer, screens):
    page = newcomer(demo.address)
    page.screenshot(path=screens / "first-paint-light.png")
    assert page.locator(".jp-OutputArea-output").count() == 0

    run_all(page)

    assert_live(page)
    page.screenshot(path=screens / "first-minute-light.png")
    assert_calm(page)


def run_next(page) -> None:
    """The cell that is active, as Shift+Enter does; then the next one is. What is pressed before the notebook can run anything is lost."""
    active = "document.querySelector('.jp-Notebook .jp-Cell.jp-mod-active')?.dataset.windowedListIndex"
    before = page.evaluate(active)
    for _ in range(5):
        page.keyboard.press("Shift+Enter")
        with contextlib.suppress(sync_api.TimeoutError):
            page.wait_for_function(f"before => ![before, undefined].includes({active})", arg=before, timeout=5000)
            return
    raise AssertionError(f"cell {before} was never run")


def start_at_the_top(page) -> None:
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Escape")


def test_cell_by_cell_in_a_notebook_that_was_saved_with_a_board_in_it(demo, newcomer, screens):
    page = newcomer(demo.at(demo.story("saved", with_outputs=True)), dark=True)
    expect(look_at(page, ".agor-await[data-opening='board']")).to_contain_text("appears here as soon")
    page.screenshot(path=screens / "first-wait-dark.png")

    start_at_the_top(page)
    for number in range(13):
        run_next(page)
        if number == 3:  # the board's own cell
            look_at(page, ".agor-board")
            expect(page.locator(".agor-await")).to_have_count(0)
    assert_ran(page)

    assert_live(page)
    page.screenshot(path=screens / "first-minute-dark.png")
    assert_calm(page)


def test_with_the_server_restarted_in_between(demo, newcomer, screens):
    page = newcomer(demo.at(demo.story("restart", with_outputs=False)))
    start_at_the_top(page)
    for _ in range(4):
        run_next(page)
    look_at(page, ".agor-board[data-empty]")

    demo.stop()
    look_at(page, "[data-banner='lost']")
    demo.start()

    page.locator("[data-banner='lost']").wait_for(state="detached")
    look_at(page, ".agor-board[data-empty]")
    page.screenshot(path=screens / "restarted-light.png")
    theirs = ("connection to the Jupyter server could not be established", "Collaboration extension updated")
    assert [said for said in page.evaluate("globalThis.seen") if not any(words in said for words in theirs)] == []

    page.reload()  # as JupyterLab's dialog says: the kernel ended with its server
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", state="attached", timeout=60_000)
    run_all(page)

    assert_live(page)
    assert_calm(page)


def test_with_the_board_taken_away_and_made_again(demo, newcomer, screens):
    page = newcomer(demo.at(demo.story("again", with_outputs=False)))
    run_all(page)
    assert_live(page)

    (demo.folder / "again" / "quickstart.agor").unlink()
    expect(look_at(page, ".agor-await[data-opening='gone']")).to_contain_text("kept")
    page.screenshot(path=screens / "taken-away-light.png")
    page.locator(".jp-Notebook .jp-CodeCell .jp-Cell-inputWrapper").nth(1).click()
    page.keyboard.press("Control+Enter")

    assert_live(page)
    assert_calm(page)
