"""Where things are on the screen: as a designer would measure them, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.facts import at_rest, box, settles
from tests.browser.test_board import card, notebook, open_tab, run_cell, session

HELLO = "Say hello.\n\n```sh\necho hi\n```\n"
ZONES = ("Backlog", "Analyze", "Develop", "Review")


def zones(lab, board: str) -> None:
    for position, name in enumerate(ZONES):
        place = {"x": 320 * position, "y": 0, "width": 296, "height": 560}
        lab.post(f"board/zones?path={board}", {"name": name, **place})


def put(lab, board: str, name: str, x: int, y: int) -> dict:
    made = lab.post("worktrees", {"repo": "warehouse", "name": name, "board": board, "x": x, "y": y})
    return lab.wait_for(lambda: (found := lab.get(f"worktrees/{made['id']}"))["state"] == "ready" and found)


def place_of(lab, board: str, title: str) -> tuple[float, float]:
    """As the server has it."""
    [found] = [one for one in lab.get(f"board?path={board}")["objects"].values() if one.get("title") == title]
    return found["x"], found["y"]


def camera(page) -> tuple[float, ...]:
    """Once it stands still."""
    at_rest(page)
    style = page.locator(".agor-world").get_attribute("style") or ""
    found = re.match(r"transform: translate\((.+?)px, (.+?)px\) scale\((.+?)\)", style)
    assert found, style
    return tuple(round(float(part), 2) for part in found.groups())


def percent(page) -> int:
    return int(page.locator(".agor-percent").inner_text().rstrip("%"))


def zoom_out_to(page, most: int) -> None:
    page.locator(".agor-board").focus()
    page.keyboard.press("0")
    camera(page)
    while percent(page) > most:
        before = percent(page)
        page.keyboard.press("-")
        expect(page.locator(".agor-percent")).not_to_have_text(f"{before}%")
        camera(page)


def holds(outer: dict, inner: dict, margin: float = 0) -> bool:
    return (
        inner["x"] >= outer["x"] + margin
        and inner["y"] >= outer["y"] + margin
        and inner["x"] + inner["width"] <= outer["x"] + outer["width"] - margin
        and inner["y"] + inner["height"] <= outer["y"] + outer["height"] - margin
    )


def test_a_new_card_is_in_line_in_view_and_apart(lab, people, board):
    for column in range(3):
        put(lab, board, f"Here {column}", 284 * column, 0)
        session(lab, board, f"Session {column}", HELLO)  # higher than what was reserved for it
    page = people("mira")
    app = open_tab(page, lab, board)
    for column in range(3):
        card(page, f"Session {column}").locator("text=Allow once").wait_for()
    page.locator(".agor-board").focus()
    camera(page)
    page.keyboard.press("w")
    page.get_by_label("Name", exact=True).fill("Brand new")

    page.get_by_role("button", name="Create worktree").click()

    card(page, "Brand new").locator("text=Prompt an agent").wait_for()

    def is_in_line_in_view_and_apart():
        camera(page)
        scale = percent(page) / 100
        new = box(card(page, "Brand new"))
        others = [box(one) for one in page.locator(".agor-card").filter(has_not_text="Brand new").all()]
        assert len(others) == 6
        assert holds(box(app.locator(".agor-board")), new, 8)
        assert new["y"] + new["height"] <= box(app.locator(".agor-dock"))["y"]
        assert any(abs(new["x"] - other["x"]) < 1 for other in others)
        for other in others:
            beside = max(new["x"] - other["x"] - other["width"], other["x"] - new["x"] - new["width"])
            above = max(new["y"] - other["y"] - other["height"], other["y"] - new["y"] - new["height"])
            assert max(beside, above) >= 11.5 * scale

    settles(is_in_line_in_view_and_apart)


def test_a_zone_that_grows_keeps_its_distance_from_what_lies_below(lab, people, board):
    lab.post(f"board/zones?path={board}", {"name": "Small", "x": 0, "y": 0, "width": 296, "height": 190})
    lab.post(f"board/zones?path={board}", {"name": "Below", "x": 0, "y": 214, "width": 296, "height": 300})
    put(lab, board, "Under", 12, 268)
    made = put(lab, board, "Grows", 12, 54)
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "Under").wait_for()
    zone = lambda name: box(page.locator(".agor-zone", has_text=name))  # noqa: E731
    under = lambda: box(card(page, "Under"))  # noqa: E731

    lab.post("sessions", {"worktreeId": made["id"], "agent": "script", "prompt": HELLO})

    card(page, "Grows").locator("text=Allow once").wait_for()
    page.locator(".agor-board").focus()
    page.keyboard.press("0")

    def keeps_its_distance():
        camera(page)
        assert holds(zone("Small"), box(card(page, "Grows")), 11.5)
        assert zone("Below")["y"] - (zone("Small")["y"] + zone("Small")["height"]) == pytest.approx(12, abs=1)
        assert holds(zone("Below"), under(), 11.5)

    settles(keeps_its_distance)
    # A card that is moved within the zone stays where it was put.
    before = under()
    page.mouse.move(before["x"] + 120, before["y"] + 12)
    page.mouse.down()
    page.keyboard.down("Control")
    page.mouse.move(before["x"] + 120, before["y"] + 72, steps=6)
    page.mouse.up()
    page.keyboard.up("Control")

    def stays():
        assert under()["y"] == pytest.approx(before["y"] + 60, abs=2)
        assert holds(zone("Below"), under())

    settles(stays)
    lab.wait_for(lambda: place_of(lab, board, "Under")[1] == pytest.approx(268 + 60, abs=2))
    camera(page)
    stays()


def shows_all(page, width: int, height: int) -> None:
    camera(page)
    around = box(page.locator(".agor-board"))
    assert holds({"x": 0, "y": 0, "width": width, "height": height}, around)
    for name in ZONES:
        assert holds(around, box(page.locator(".agor-zone", has_text=name)))


def test_the_view_shows_all_at_any_size(lab, people, board):
    zones(lab, board)
    put(lab, board, "Corner", 972, 380)
    page = people("mira", width=1440, height=900)
    open_tab(page, lab, board)
    page.locator(".agor-zone", has_text="Review").wait_for()
    whole = camera(page)

    for width, height in ((1000, 700), (800, 620), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        settles(lambda: shows_all(page, width, height))

    lab.wait_for(lambda: camera(page) == pytest.approx(whole, abs=0.5))


def test_the_pan_for_a_panel_is_taken_back(lab, people, board):
    zones(lab, board)
    made = put(lab, board, "Far right", 860, 60)
    lab.post("sessions", {"worktreeId": made["id"], "agent": "script", "prompt": HELLO})
    page = people("mira")
    app = open_tab(page, lab, board)
    card(page, "Far right").locator("text=Allow once").wait_for()
    page.locator(".agor-board").focus()
    page.keyboard.press("0")
    before = camera(page)

    card(page, "Far right").locator("text=Say hello.").click()
    page.wait_for_selector(".agor-panel [role=alertdialog]")

    def lies_beside():
        assert camera(page) != before
        assert holds(box(app.locator(".agor-board")), box(card(page, "Far right")), 8)

    settles(lies_beside)
    page.get_by_label("Close panel").click()
    page.wait_for_selector(".agor-panel", state="detached")

    lab.wait_for(lambda: camera(page) == before)


def test_a_cell_on_the_full_screen_has_what_a_tab_has(lab, people, board):
    zones(lab, board)
    page = people("mira")
    page.goto(
        f"{lab.url}lab/tree/{notebook(lab, f'full-{board[:-5]}', f'import agor_jupyter as agor; agor.connect().board({board!r})')}?reset"
    )
    page.wait_for_selector(".jp-Notebook")
    run_cell(page, 0)
    page.wait_for_selector(".agor-app[data-host=cell] .agor-zone")
    before = camera(page)
    expect(page.get_by_label("Undo")).to_be_hidden()

    page.get_by_label("Full screen").click()
    page.wait_for_selector(".agor-full")

    expect(page.get_by_label("Undo")).to_be_visible()
    settles(lambda: shows_all(page, 1440, 900))
    page.get_by_label("Full screen").click()
    page.wait_for_selector(".agor-full", state="detached")
    lab.wait_for(lambda: camera(page) == pytest.approx(before, abs=1))


def test_names_of_zones_are_whole_however_far_out(lab, people, board):
    zones(lab, board)
    page = people("mira")
    open_tab(page, lab, board)
    names = page.locator(".agor-zone h2")
    expect(names).to_have_count(4)

    def are_whole():
        boxes = [box(one) for one in names.all()]
        assert [one.inner_text() for one in names.all()] == list(ZONES)
        assert all(one.evaluate("one => one.scrollWidth <= one.clientWidth") for one in names.all())
        assert all(one["height"] >= 12 for one in boxes)
        for one in boxes:
            others = [other for other in boxes if other is not one and abs(other["y"] - one["y"]) < 14]
            assert not any(one["x"] < other["x"] + other["width"] and other["x"] < one["x"] + one["width"] for other in others)

    for most in (45, 22, 5):
        zoom_out_to(page, most)

        settles(are_whole)


def test_small_cards_say_their_title_and_are_no_higher_than_what_they_say(lab, people, board):
    for row, name in enumerate(("many cards", "Fix null keys", "Backfill refunds")):
        put(lab, board, name, 0, 180 * row)
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "many cards").wait_for()

    def say_their_title():
        assert page.locator(".agor-compact").count() == 3
        for shown in page.locator(".agor-compact").all():
            whole = "one => one.scrollHeight <= one.clientHeight + 1 && one.scrollWidth <= one.clientWidth + 1"
            assert shown.locator("h3").evaluate(whole)
            assert shown.locator(".agor-fact").evaluate(whole)
            outside, said = box(shown), box(shown.locator(".agor-lines"))
            assert outside["height"] - said["height"] < 25  # its margins
            assert outside["height"] < 70

    for most in (66, 52, 42):
        zoom_out_to(page, most)

        settles(say_their_title)


def test_a_lost_connection_moves_nothing(lab, people, board):
    put(lab, board, "Idle", 0, 0)
    made = put(lab, board, "Asks", 284, 0)
    lab.post("sessions", {"worktreeId": made["id"], "agent": "script", "prompt": HELLO})
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "Asks").locator("text=Allow once").wait_for()
    for name in ("Idle", "Asks"):
        card(page, name).get_by_text("No changes").wait_for()
    camera(page)
    heights = (
        "Object.fromEntries([...document.querySelectorAll('.agor-card')].map(one => [one.querySelector('h3').innerText, one.offsetHeight]))"
    )
    before = page.evaluate(heights)

    lab.kill()
    try:
        page.wait_for_selector(".agor-as-of")

        assert page.evaluate(heights) == before
        assert card(page, "Idle").locator(".agor-as-of").count() == 0
    finally:
        lab.start()


def test_a_press_on_the_faces_says_who_is_here_and_goes_to_where_they_look(lab, people, board):
    put(lab, board, "Here", 0, 0)
    put(lab, board, "There", 6000, 4000)
    mira, jonas = people("mira"), people("jonas", dark=True)
    open_tab(jonas, lab, board)
    jonas.locator(".agor-layer > [data-id]").nth(1).wait_for()
    jonas.locator(".agor-board").focus()
    jonas.keyboard.press("Control+a")
    jonas.keyboard.press("Escape")
    jonas.keyboard.press("0")
    camera(jonas)
    open_tab(mira, lab, board)
    mira.locator(".agor-faces [aria-label='Jonas Lind']").wait_for()

    mira.get_by_label("2 people are here").click()
    mira.get_by_role("menuitem", name="Jonas Lind").click()

    seen = "(() => { const b = document.querySelector('.agor-board'); const [, x, y, z] = /translate\\((.+?)px, (.+?)px\\) scale\\((.+?)\\)/.exec(document.querySelector('.agor-world').style.transform).map(Number); return [(b.clientWidth / 2 - x) / z, (b.clientHeight / 2 - y) / z]; })()"
    lab.wait_for(lambda: camera(mira) and mira.evaluate(seen) == pytest.approx(jonas.evaluate(seen), abs=4))
    lab.wait_for(lambda: percent(mira) > 50)  # all of this board is far smaller


def test_a_person_has_one_colour(lab, people, board):
    made = put(lab, board, "Mine", 0, 0)
    found = lab.post("sessions", {"worktreeId": made["id"], "agent": "script", "prompt": HELLO})
    mira, jonas = people("mira"), people("jonas", dark=True)
    for page in (mira, jonas):
        open_tab(page, lab, board)
        card(page, "Mine").locator("text=Allow once").wait_for()
    card(mira, "Mine").locator("text=Say hello.").click()
    mira.wait_for_selector(".agor-panel")
    card(jonas, "Mine").locator("text=Say hello.").click()
    jonas.wait_for_selector(".agor-readers [aria-label='Mira Okafor']")
    mira.mouse.move(500, 400)
    mira.mouse.move(520, 430, steps=4)
    jonas.wait_for_selector(".agor-cursor")

    find = """() => {
        const of = (selector, name) => [...document.querySelectorAll(selector)].map(one => getComputedStyle(one)[name]);
        return [...of("[aria-label='Mira Okafor']", 'backgroundColor'), ...of('.agor-cursor path', 'fill'), ...of('.agor-cursor span', 'backgroundColor')];
    }"""
    colours = lab.wait_for(lambda: len(found := jonas.evaluate(find)) >= 5 and found)

    assert len(set(colours)) == 1, colours
    assert found["worktreeId"] == made["id"]


def test_a_board_is_made_from_the_file_menu(lab, people):
    page = people("mira")
    page.goto(f"{lab.url}lab?reset")
    page.locator(".jp-Launcher").wait_for()  # what comes while JupyterLab starts takes the focus, and that closes a menu
    page.locator(".lm-MenuBar-itemLabel", has_text="File").click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^New$")).hover()

    page.locator(".lm-Menu-itemLabel", has_text="Agor Board").click()

    page.wait_for_selector(".agor-board[data-empty]")


def test_the_bar_is_the_first_thing_of_its_tab(lab, people, board):
    page = people("mira")
    app = open_tab(page, lab, board)

    tab = page.locator(".jp-Document:visible")

    lab.wait_for(lambda: box(app.locator(".agor-bar"))["y"] == pytest.approx(box(tab)["y"], abs=1))


def test_the_ring_of_the_board_goes_over_what_lies_at_its_edge(lab, people, board):
    put(lab, board, "At the edge", 0, 0)
    page = people("mira")
    app = open_tab(page, lab, board)
    shown = card(page, "At the edge")
    shown.wait_for()
    page.locator(".agor-board").focus()
    page.keyboard.press("0")
    camera(page)
    around = box(app.locator(".agor-board"))
    page.mouse.move(around["x"] + 500, around["y"] + 400)
    while (x := box(shown)["x"]) > around["x"] - 60:
        page.mouse.wheel(80, 0)
        lab.wait_for(lambda x=x: box(shown)["x"] < x)
    camera(page)
    page.keyboard.press("Escape")
    edge = box(shown)

    pixel = lambda y: page.screenshot(clip={"x": around["x"] + 0.5, "y": y, "width": 1, "height": 1})  # noqa: E731

    lab.wait_for(lambda: pixel(edge["y"] + 60) == pixel(edge["y"] + edge["height"] + 60))
