"""The help of a board, read from the app itself: each of its keys is pressed where the help says that it works, and does what it says."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import TOKENS, Lab
from tests.browser.facts import TIMEOUT_S, at_rest, box, heard, listen, settles
from tests.browser.test_board import HELLO, open_tab, state_of

BOARD = "keys.agor"
ROWS = "() => [...document.querySelectorAll('[data-keys]')].map(row => [row.dataset.where, row.dataset.keys])"
ZOOM = ".agor-zoomer .agor-percent"
FOCUSED = "document.activeElement?.closest('[data-id]')?.dataset.id ?? ''"
OBJECTS = "[...document.querySelectorAll('.agor-layer > [data-id]')]"


class Desk:
    """A page with a board, and what a case needs of it."""

    def __init__(self, page, lab: Lab) -> None:
        self.page, self.lab = page, lab

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def see(self, selector: str, text: str = ""):
        found = self.page.locator(selector, has_text=text).first if text else self.page.locator(selector).first
        found.wait_for()
        return found

    def gone(self, selector: str) -> None:
        self.page.wait_for_selector(selector, state="detached")

    def until(self, expression: str, arg: object = None) -> None:
        self.page.wait_for_function(expression, arg=arg)

    def focus_board(self) -> None:
        self.page.locator(".agor-board").focus()

    def card(self, name: str):
        return self.see(".agor-card", name)

    def at(self, name: str) -> str:
        """Gives a card the focus, by the keyboard only, and selects nothing. Answers its id."""
        found = self.card(name)
        found.evaluate("element => element.focus({ preventScroll: true })")
        return found.get_attribute("data-id")

    def select(self, name: str) -> str:
        """Answers its id."""
        at_rest(self.page)
        found = self.card(name)
        found.click(position={"x": 140, "y": 12})
        self.see(".agor-card[data-selected]", name)
        return found.get_attribute("data-id")

    def focused(self, *, than: str = "") -> str:
        """What has the focus, once it is another thing than that."""
        self.until(f"than => ![than, ''].includes({FOCUSED})", than)
        return self.page.evaluate(FOCUSED)

    def hint(self, words: str) -> None:
        heard(self.page, words)

    def place(self, object_id: str) -> tuple[int, int]:
        found = self.lab.get(f"board?path={BOARD}")["objects"][object_id]
        return round(found["x"]), round(found["y"])

    def count(self, kind: str) -> int:
        return sum(one["kind"] == kind for one in self.lab.get(f"board?path={BOARD}")["objects"].values())

    def worktree(self, name: str, **place: int) -> dict:
        made = self.lab.post("worktrees", {"repo": "warehouse", "name": name, "board": BOARD, **place})
        self.lab.wait_for(lambda: self.lab.get(f"worktrees/{made['id']}")["state"] == "ready")
        self.card(name).get_by_text(re.compile("Prompt an agent|No session")).first.wait_for()  # the page knows it too
        return made

    def session(self, name: str, prompt: str | None = HELLO, state: str = "needs_you", **place: int) -> dict:
        """A card with a session that asks, or with one that has done nothing yet."""
        made = self.worktree(name, **place)
        found = self.lab.post("sessions", {"worktreeId": made["id"], "agent": "script", **({"prompt": prompt} if prompt else {})})
        if prompt:
            self.lab.wait_for(lambda: state_of(self.lab, found["id"]) == state)
            self.see(f".agor-card{'.agor-needs' if state == 'needs_you' else ''}", name)
        self.card(name).locator(".agor-agent").first.wait_for(state="attached")  # a small card shows none
        return found

    def panel(self, name: str, focus_in: str = ".agor-transcript") -> None:
        self.at(name)
        self.press("Enter")
        self.see(f".agor-panel {focus_in}").focus()

    def calm(self) -> None:
        """Nothing is open, selected or written."""
        for _ in range(4):
            self.press("Escape")
        self.focus_board()
        for _ in range(4):
            self.press("Escape")
        self.gone(".agor-dialog")
        self.gone(".agor-menu")
        self.gone(".agor-inbox")
        self.gone(".agor-panel")
        self.focus_board()  # a panel that closes may have given it to its card
        self.press("v", "Shift+Digit1")
        self.gone(".agor-layer > [data-selected]")
        at_rest(self.page)
        listen(self.page)


Case = Callable[[Desk], None]
CASES: dict[tuple[str, str], Case] = {}


def at(where: str, keys: str) -> Callable[[Case], Case]:
    def register(case: Case) -> Case:
        CASES[where, keys] = case
        return case

    return register


@dataclass(frozen=True)
class Place:
    """Where a key shall work that works anywhere."""

    go: Callable[[Desk], None]
    name: str


EVERYWHERE = (
    Place(Desk.focus_board, "board"),
    Place(lambda desk: desk.at("First"), "card"),
    Place(lambda desk: desk.panel("First"), "transcript"),
    Place(lambda desk: desk.page.locator("[data-inbox]").focus(), "bar"),
    Place(lambda desk: (desk.page.locator("[data-inbox]").click(), desk.see(".agor-inbox")), "inbox"),
)


def everywhere(case: Case) -> Case:
    def each(desk: Desk) -> None:
        for place in EVERYWHERE:
            desk.calm()
            place.go(desk)
            try:
                case(desk)
            except Exception as error:
                raise AssertionError(f"In {place.name}: {error}") from error

    return each


@at("view", "Ctrl K")
@everywhere
def commands(desk):
    desk.press("Control+k")
    desk.see(".agor-menu:focus-within")
    desk.press("Escape")
    desk.gone(".agor-menu")
    desk.panel("First", ".agor-prompt textarea")
    desk.press("Control+k")
    desk.see(".agor-menu")


@at("view", "/")
@everywhere
def filter_cards(desk):
    desk.press("/")
    desk.until("document.activeElement.matches('input[data-filter]')")
    desk.press("x", "y", "z")
    desk.see(".agor-board-hint", "No card matches “xyz”")
    desk.press("Escape")
    desk.gone(".agor-board-hint")


@at("view", "G I")
@everywhere
def inbox(desk):
    desk.press("g", "i")
    desk.see(".agor-inbox")


@at("view", "G N")
@everywhere
def next_need(desk):
    desk.press("g", "n")
    desk.until("document.activeElement.matches('.agor-card.agor-needs')")


@at("view", "?")
@everywhere
def keys(desk):
    desk.press("?")
    desk.see(".agor-dialog .agor-keys")


@at("board", "W")
def new_worktree(desk):
    desk.focus_board()
    desk.press("w")
    desk.see(".agor-dialog", "New worktree")


@at("board", "V H Z N")
def tools(desk):
    desk.focus_board()
    for key, tool in {"h": "hand", "z": "zone", "n": "note", "v": "select"}.items():
        desk.press(key)
        expect(desk.page.locator(".agor-board")).to_have_attribute("data-tool", tool)


@at("board", "Tab")
def next_card(desk):
    desk.focus_board()
    desk.press("Tab")
    first = desk.focused()
    desk.press("Tab")
    assert desk.focused(than=first)


@at("board", "Shift Tab")
def card_before(desk):
    desk.focus_board()
    desk.press("Tab")
    first = desk.focused()
    desk.press("Tab")
    second = desk.focused(than=first)
    desk.press("Shift+Tab")
    assert desk.focused(than=second) == first


@at("board", "← ↑ → ↓")
def arrows(desk):
    first = desk.at("First")
    ways = {"ArrowLeft": "ArrowRight", "ArrowRight": "ArrowLeft", "ArrowUp": "ArrowDown", "ArrowDown": "ArrowUp"}
    gone = set()
    for key in ways:
        desk.at("First")
        desk.press(key)
        gone |= {desk.focused()} - {first}  # it goes while the key is told, or stays where nothing lies that way
    assert len(gone) >= 2

    desk.select("First")
    x, y = desk.place(first)
    desk.press("ArrowRight", "ArrowDown", "ArrowDown")
    desk.lab.wait_for(lambda: desk.place(first) == (x + 4, y + 8))
    desk.press("ArrowLeft", "ArrowUp", "ArrowUp")
    desk.lab.wait_for(lambda: desk.place(first) == (x, y))


@at("board", "Shift ← ↑ → ↓")
def far_arrows(desk):
    first = desk.select("First")
    x, y = desk.place(first)
    desk.press("Shift+ArrowRight", "Shift+ArrowDown")
    desk.lab.wait_for(lambda: desk.place(first) == (x + 20, y + 20))
    desk.press("Shift+ArrowLeft", "Shift+ArrowUp")
    desk.lab.wait_for(lambda: desk.place(first) == (x, y))


@at("board", "Ctrl A")
def select_all(desk):
    desk.focus_board()
    desk.press("Control+a")
    desk.until(f"{OBJECTS}.filter(one => one.dataset.kind !== 'zone').every(one => one.dataset.selected)")


@at("board", "Ctrl D")
def copies(desk):
    notes, cards = desk.count("note"), desk.count("card")
    desk.focus_board()
    desk.press("Control+a", "Control+d")
    desk.lab.wait_for(lambda: desk.count("note") == notes + 1)
    desk.until("document.activeElement.matches('.agor-note[data-selected]')")
    assert desk.count("card") == cards
    desk.press("Control+z")
    desk.lab.wait_for(lambda: desk.count("note") == notes)
    desk.calm()
    desk.at("First")
    desk.press("Control+d")
    desk.hint("one card")


@at("board", "Delete")
def delete(desk):
    notes, cards = desk.count("note"), desk.count("card")
    desk.focus_board()
    desk.press("Control+a", "Delete")
    desk.lab.wait_for(lambda: desk.count("note") == notes - 1)
    said = desk.see(".agor-toast", "Deleted a note")
    expect(said).to_contain_text("cards stay")
    assert desk.count("card") == cards
    said.get_by_role("button", name="Undo").click()
    desk.lab.wait_for(lambda: desk.count("note") == notes)
    desk.calm()
    desk.at("First")
    desk.press("Delete")
    desk.hint("E archives its worktree")


@at("board", "Esc")
def close_and_clear(desk):
    desk.select("First")
    desk.press("Enter")
    desk.see(".agor-panel")
    desk.card("First").focus()
    desk.press("Escape")
    desk.gone(".agor-panel")
    expect(desk.page.locator(".agor-card[data-selected]")).to_have_count(1)
    desk.press("Escape")
    desk.gone(".agor-card[data-selected]")


@at("board", "Space")
def pan(desk):
    desk.focus_board()
    before = box(desk.card("First"))
    board = box(desk.page.locator(".agor-board"))
    x, y = board["x"] + board["width"] - 60, board["y"] + 60
    desk.page.keyboard.down("Space")
    desk.page.mouse.move(x, y)
    desk.page.mouse.down()
    desk.page.mouse.move(x - 120, y + 40, steps=4)
    desk.page.mouse.up()
    desk.page.keyboard.up("Space")

    def is_moved():
        after = box(desk.card("First"))
        assert (round(after["x"] - before["x"]), round(after["y"] - before["y"])) == (-120, 40)

    settles(is_moved)


@at("board", "+ −")  # noqa: RUF001
def zoom(desk):
    desk.focus_board()
    before = desk.page.locator(ZOOM).inner_text()
    desk.press("-")
    desk.until(f"before => parseInt(document.querySelector('{ZOOM}').innerText) < parseInt(before)", before)
    desk.press("+")
    expect(desk.page.locator(ZOOM)).to_have_text(before)


@at("board", "0")
def actual_size(desk):
    desk.focus_board()
    desk.press("-")
    expect(desk.page.locator(ZOOM)).not_to_have_text("100%")
    desk.press("0")
    expect(desk.page.locator(ZOOM)).to_have_text("100%")


@at("board", "Shift 1")
def fit(desk):
    desk.focus_board()
    desk.press("0", "+", "+")
    expect(desk.page.locator(ZOOM)).to_have_text("156%")
    desk.press("Shift+Digit1")

    def shows_all():
        at_rest(desk.page)
        board = box(desk.page.locator(".agor-board"))
        things = desk.page.locator(".agor-layer > [data-id]").all()
        assert things
        for place in map(box, things):
            assert board["x"] <= place["x"]
            assert place["x"] + place["width"] <= board["x"] + board["width"]

    settles(shows_all)


@at("board", "Shift 2")
def fit_selection(desk):
    desk.focus_board()
    desk.press("Shift+Digit2")
    desk.hint("Nothing is selected")
    desk.select("First")
    desk.press("-", "-", "-")
    expect(desk.page.locator(ZOOM)).not_to_have_text("100%")
    desk.press("Shift+Digit2")
    expect(desk.page.locator(ZOOM)).to_have_text("100%")


@at("board", "Ctrl Z")
def undo(desk):
    first = desk.select("First")
    x, y = desk.place(first)
    desk.press("ArrowRight")
    desk.lab.wait_for(lambda: desk.place(first) == (x + 4, y))
    desk.press("Control+z")
    desk.lab.wait_for(lambda: desk.place(first) == (x, y))


@at("board", "Ctrl Shift Z")
def redo(desk):
    first = desk.select("First")
    x, y = desk.place(first)
    desk.press("ArrowRight", "Control+z", "Control+Shift+Z")
    desk.lab.wait_for(lambda: desk.place(first) == (x + 4, y))
    desk.press("Control+z")
    desk.lab.wait_for(lambda: desk.place(first) == (x, y))


def both_ways(desk, name: str) -> Iterator[None]:
    """A card that has the focus, and one that is selected while the focus is elsewhere on the board."""
    desk.at(name)
    yield
    desk.calm()
    desk.select(name)
    desk.focus_board()
    yield


def needs_a_card(desk, key: str) -> None:
    desk.calm()
    desk.press(key)
    desk.hint("Choose a card first")


@at("card", "Enter")
def open_card(desk):
    for _ in both_ways(desk, "First"):
        desk.press("Enter")
        desk.see(".agor-panel[aria-label=Session]")
    needs_a_card(desk, "Enter")


@at("card", "S")
def new_session(desk):
    for _ in both_ways(desk, "First"):
        desk.press("s")
        desk.see(".agor-dialog", "First")
    needs_a_card(desk, "s")


@at("card", "P")
def prompt(desk):
    for _ in both_ways(desk, "First"):
        desk.press("p")
        desk.until("document.activeElement.matches('.agor-prompt textarea')")
    needs_a_card(desk, "p")


@at("card", "D")
def changes(desk):
    for _ in both_ways(desk, "First"):
        desk.press("d")
        desk.see(".agor-panel[aria-label=Worktree]")
    needs_a_card(desk, "d")


@at("card", "M")
def carry(desk):
    desk.at("Third")
    desk.press("m")
    desk.hint("Carrying Third")
    desk.press("ArrowLeft", "Enter")
    desk.hint("Third is in Zone")
    lies = f"worktrees/{next(one['worktree'] for one in desk.lab.get(f'board?path={BOARD}')['objects'].values() if one.get('title') == 'Third')}"
    desk.lab.wait_for(lambda: desk.lab.get(lies)["zoneId"])
    desk.press("Control+z")
    desk.lab.wait_for(lambda: desk.lab.get(lies)["zoneId"] is None)


@at("card", "E")
def archive(desk):
    made = desk.worktree("Put away")
    desk.at("Put away")
    desk.press("e")
    desk.lab.wait_for(lambda: desk.lab.get(f"worktrees/{made['id']}")["state"] == "archived")
    desk.see(".agor-toast", "Archived “Put away”").get_by_role("button", name="Undo").click()
    desk.lab.wait_for(lambda: desk.lab.get(f"worktrees/{made['id']}")["state"] == "ready")
    needs_a_card(desk, "e")


@at("card", "1")
def allow_on_card(desk):
    made = desk.session("Allowed on its card")
    desk.at("Allowed on its card")
    desk.press("1")
    desk.lab.wait_for(lambda: state_of(desk.lab, made["id"]) == "done")
    needs_a_card(desk, "1")


@at("card", "2")
def question_of_card(desk):
    desk.at("Second")
    desk.press("2")
    desk.see(".agor-panel [role=alertdialog]")
    needs_a_card(desk, "2")


@at("card", "3")
def reject_on_card(desk):
    made = desk.session("Rejected on its card")
    desk.at("Rejected on its card")
    desk.press("3")
    desk.lab.wait_for(lambda: state_of(desk.lab, made["id"]) == "cancelled")
    desk.calm()
    desk.at("First")
    desk.press("3")
    desk.hint("has no question")


@at("panel", "Esc")
def close_panel(desk):
    first = desk.at("First")
    for focus_in in (".agor-transcript", ".agor-prompt textarea", "[aria-label='Close panel']"):
        desk.panel("First", focus_in)
        desk.press("Escape")
        desk.gone(".agor-panel")
        desk.until("id => document.activeElement.dataset.id === id", first)


@at("panel", "1 2 3")
def answers(desk):
    places = (".agor-transcript", "[aria-label='Close panel']", ".agor-panel-head button")
    for key, said, place in (("1", "allowed", places[0]), ("2", "allowed", places[1]), ("3", "rejected", places[2])):
        made = desk.session(f"Answer {key}")
        desk.panel(f"Answer {key}", place)
        desk.see(".agor-panel [role=alertdialog]")
        desk.press(key)
        desk.see(".agor-settled", said)
        desk.lab.wait_for(lambda made=made: state_of(desk.lab, made["id"]) in {"done", "cancelled"})
        desk.calm()


@at("transcript", "Alt ↑ ↓")
def turns(desk):
    made = desk.session("Many turns", None)
    path = f"sessions/{made['id']}"
    for number in range(1, 8):
        desk.lab.post(f"{path}/prompt", {"text": "\n\n".join(f"line {line} of {number}" for line in range(30))})
        desk.lab.wait_for(lambda number=number: state_of(desk.lab, made["id"]) == "done" and len(desk.lab.get(f"{path}/turns")) == number)
    desk.panel("Many turns")
    desk.until("document.querySelectorAll('.agor-turn').length === 7")
    # The last turn ends at the lower edge: it is written, and the view follows it.
    desk.until("(at => at.scrollHeight - at.scrollTop - at.clientHeight < 3)(document.querySelector('.agor-transcript'))")
    at_top = """() => { const top = document.querySelector('.agor-transcript').getBoundingClientRect().top;
        return [...document.querySelectorAll('.agor-turn')].findIndex(turn => Math.abs(turn.getBoundingClientRect().top - top) < 5); }"""
    desk.press("Alt+ArrowUp")
    desk.until(f"({at_top})() > 1")
    at_rest(desk.page)  # it goes again in the next frame, when what came into view has its height
    first = desk.page.evaluate(at_top)
    for key, turn in (("Alt+ArrowUp", first - 1), ("Alt+ArrowUp", first - 2), ("Alt+ArrowDown", first - 1)):
        desk.press(key)
        desk.until(f"turn => ({at_top})() === turn", turn)
        at_rest(desk.page)
        assert desk.page.evaluate(at_top) == turn


@at("prompt", "Enter")
def send(desk):
    made = desk.session("Sent", None)
    desk.panel("Sent", ".agor-prompt textarea")
    desk.page.keyboard.type("Nothing to run here")
    desk.press("Enter")
    desk.lab.wait_for(lambda: len(desk.lab.get(f"sessions/{made['id']}/turns")) == 1)
    desk.until("document.querySelector('.agor-prompt textarea').value === ''")


@at("prompt", "Shift Enter")
def new_line(desk):
    desk.panel("First", ".agor-prompt textarea")
    desk.page.keyboard.type("one")
    desk.press("Shift+Enter")
    desk.page.keyboard.type("two")
    field = desk.page.locator(".agor-prompt textarea")
    expect(field).to_have_value("one\ntwo")
    field.fill("")


def queued(desk, name: str) -> list[str]:
    """A session that waits for an answer, with three prompts behind it."""
    made = desk.session(name)
    for text in ("First thing", "Second thing"):
        desk.lab.post(f"sessions/{made['id']}/prompt", {"text": text})
    desk.panel(name, ".agor-prompt textarea")
    desk.see(".agor-queue-item", "Second thing")
    desk.page.keyboard.type("Third thing")
    return desk.page.locator(".agor-queue-item").all_inner_texts()


def has_order(desk, *words: str) -> None:
    desk.until(
        "words => { const rows = [...document.querySelectorAll('.agor-queue-item')];"
        " return rows.length === words.length && rows.every((row, at) => row.innerText.includes(words[at])); }",
        list(words),
    )


@at("prompt", "Alt ↑ ↓")
def move_last(desk):
    queued(desk, "Moved from the box")
    # No pause: the keys come before the server has told of the prompt.
    desk.press("Enter", "Alt+ArrowUp", "Alt+ArrowUp")
    has_order(desk, "Third", "First", "Second")
    desk.press("Alt+ArrowDown")
    has_order(desk, "First", "Third", "Second")


@at("queue", "Alt ↑ ↓")
def move_in_queue(desk):
    queued(desk, "Moved in the queue")
    desk.page.get_by_label("Move prompt 2", exact=True).focus()
    desk.press("Alt+ArrowUp")
    has_order(desk, "Second", "First")
    desk.press("Alt+ArrowDown")
    has_order(desk, "First", "Second")


def write_note(desk, text: str):
    note = desk.see(".agor-note")
    note.dblclick(position={"x": 20, "y": 20})
    desk.see(".agor-edit-note:focus")
    desk.press("Control+a")
    desk.page.keyboard.type(text)
    return note


@at("note", "Esc")
def leave_note(desk):
    write_note(desk, "Kept by Escape")
    desk.press("Escape")
    desk.gone(".agor-edit-note")
    desk.see(".agor-note", "Kept by Escape")


@at("note", "Ctrl Enter")
def finish_note(desk):
    write_note(desk, "Kept by Enter")
    desk.press("Control+Enter")
    desk.gone(".agor-edit-note")
    desk.see(".agor-note", "Kept by Enter")


@at("dialog", "Esc")
def close_dialog(desk):
    for key, field in (("w", "First prompt (optional)"), ("s", "First prompt")):
        desk.at("First")
        desk.press(key)
        desk.page.get_by_label(field).first.fill("Typed and not sent")
        desk.press("Escape")
        desk.gone(".agor-dialog")
        desk.at("First")
        desk.press(key)
        expect(desk.page.get_by_label(field).first).to_have_value("Typed and not sent")
        desk.page.locator(".agor-dialog").get_by_role("button", name="Cancel").click()
        desk.gone(".agor-dialog")
        desk.at("First")
        desk.press(key)
        expect(desk.page.get_by_label(field).first).to_have_value("")
        desk.press("Escape")
        desk.gone(".agor-dialog")


@at("dialog", "Ctrl Enter")
def send_dialog(desk):
    desk.focus_board()
    desk.press("w")
    desk.page.get_by_label("Name", exact=True).fill("By Ctrl Enter")
    desk.page.get_by_label("First prompt (optional)").fill("Nothing to run")
    desk.press("Control+Enter")
    desk.gone(".agor-dialog")
    desk.card("By Ctrl Enter")


@pytest.fixture
def second_attempt() -> None:
    """Goes on at the same desk, which `calm` clears."""


@pytest.fixture(scope="module")
def desk(lab, chromium) -> Iterator[Desk]:
    lab.post("boards", {"path": BOARD, "title": ""})
    context = chromium.new_context(viewport={"width": 1600, "height": 1000}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_S * 1000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{lab.url}agor-login-not-here?token={TOKENS['mira']}")
    found = Desk(page, lab)
    open_tab(page, lab, BOARD)
    # What is made later comes to the right of them.
    lab.post(f"board/zones?path={BOARD}", {"name": "Zone", "x": -360, "y": 300, "width": 300, "height": 300})
    lab.post(f"board/notes?path={BOARD}", {"text": "A note", "x": -340, "y": 0})
    found.session("First", None, x=0, y=0)
    found.session("Second", x=320, y=0)
    found.worktree("Third", x=0, y=360)
    found.see(".agor-note", "A note")
    yield found
    context.close()
    assert not [problem for problem in problems if "agor" in problem.lower()]


def test_each_key_of_the_help_has_a_case_here(desk):
    desk.calm()
    desk.press("?")
    desk.see(".agor-keys")

    listed = [tuple(row) for row in desk.page.evaluate(ROWS)]

    assert len(listed) == len(set(listed))
    assert set(listed) == set(CASES)


@pytest.mark.parametrize(("where", "keys"), CASES, ids=[f"{where}: {keys}" for where, keys in CASES])
def test_a_key_does_what_the_help_says_where_it_says(desk, where, keys):
    desk.calm()

    CASES[where, keys](desk)
