"""The quick start as a person runs it, and Notebook 7."""

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.test_board import card, notebook, run_cell, worktree
from tests.browser.test_first_minute import begin_all

QUICK_START = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
IDLE = "[data-status='idle'], .jp-Notebook-ExecutionIndicator[data-status='idle']"


def test_the_quick_start_runs_in_the_page_and_a_button_answers(lab, people):
    story = json.loads(QUICK_START.read_text())
    for cell in story["cells"]:
        # Here the person answers, on the card.
        cell["source"] = "".join(cell["source"]).replace("if question := await repair.question():\n    question.always()", "pass")
    folder = lab.root / "quick"
    folder.mkdir()
    (folder / "start.ipynb").write_text(json.dumps(story))
    page = people("mira")
    page.goto(f"{lab.url}lab/tree/quick/start.ipynb?reset")
    page.wait_for_selector(IDLE, state="attached")

    begin_all(page)
    canvas = page.locator(".agor-app[data-host='cell']")
    canvas.first.wait_for(timeout=60_000)
    canvas.first.scroll_into_view_if_needed()
    for name in ("check", "fix-null-keys"):
        card(page, name).wait_for()

    def is_in_view(found):
        box, place = canvas.first.bounding_box(), found.bounding_box()
        return (
            place
            and box["x"] <= place["x"] <= box["x"] + box["width"] - place["width"]
            and box["y"] <= place["y"] <= box["y"] + box["height"] - place["height"]
        )

    # what came to an empty board is brought into view
    lab.wait_for(lambda: all(is_in_view(found) for found in page.locator(".agor-card").all()))
    for _ in range(2):  # two blocks, two questions
        answer = page.locator("[data-act=answer]").first
        answer.wait_for(timeout=60_000)
        question = answer.get_attribute("data-of")
        answer.evaluate("button => button.click()")
        page.locator(f"[data-act=answer][data-of='{question}']").first.wait_for(state="detached")  # else the next is the same one

    page.locator(".jp-OutputArea", has_text="Keep the order ids of the old shop").last.wait_for(timeout=60_000)
    assert page.locator(".jp-OutputArea-output[data-mime-type*=error], .jp-RenderedText[data-mime-type*=stderr]").count() == 0


def test_notebook_7_shows_a_board_in_a_cell_and_opens_one(lab, people, board):
    worktree(lab, board, "Seven")
    path = notebook(lab, "seven", f"import agor_jupyter as agor\nagor.connect().board({board!r})")
    page = people("mira")
    page.goto(f"{lab.url}notebooks/{path}")
    has_kernel = (
        f"fetch('/api/sessions').then(r => r.json()).then(all => all.some(s => s.path === {path!r} && s.kernel.execution_state === 'idle'))"
    )
    lab.wait_for(lambda: page.evaluate(has_kernel))

    run_cell(page, 0)
    page.wait_for_selector(".agor-app[data-host='cell'] .agor-card >> text=Seven")

    page.goto(f"{lab.url}edit/{board}")
    page.wait_for_selector(".agor-app[data-host='tab'] .agor-card >> text=Seven")
    expect(page.locator(".agor-dock")).to_be_visible()
