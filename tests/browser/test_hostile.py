"""Texts that would like to be more than text, and files that are no boards: shown for what they are, and nothing else happens."""

import json

from playwright.sync_api import expect

from tests.browser.test_board import card, open_tab, session, state_of

BIDI = "\u202e"
EVIL = f'<img src=x onerror="window.hit=1"> <script>window.hit=1</script> {BIDI}gpj.exe'
LINK = "[press](javascript:window.hit=1) ![pixel](https://evil.example/pixel.png)"
PRINTED = r"""printf '\033]0;taken\007\033]52;c;aGk=\007\033]8;;javascript:window.hit=1\007press\033]8;;\007 \033[31mred\033[0m \342\200\256gpj.exe <img src=x onerror="window.hit=1">\n'"""


def is_harmless(page) -> bool:
    found = page.evaluate(
        "() => ({hit: window.hit === undefined, made: document.querySelectorAll('.agor-app :is(img, script, iframe, object)').length,"
        " links: [...document.querySelectorAll('.agor-app a')].map(a => a.href), title: document.title})"
    )
    asked = [link for link in found["links"] if not link.startswith(("http:", "https:"))]
    return found["hit"] and found["made"] == 0 and not asked and "taken" not in found["title"]


def test_hostile_texts_are_shown_and_do_nothing(lab, people, board):
    objects = {
        "ob_card": {
            "kind": "card",
            "x": 0,
            "y": 0,
            "worktree": "wt_notherexxxxxxxxxxxx",
            "repo": EVIL[:60],
            "branch": f"a{BIDI}b",
            "title": EVIL,
        },
        "ob_zone": {"kind": "zone", "x": 400, "y": 0, "width": 296, "height": 200, "name": EVIL},
        "ob_note": {"kind": "note", "x": 400, "y": 220, "width": 264, "height": 200, "text": f"{EVIL}\n{LINK}"},
    }
    (lab.root / board).write_text(json.dumps({"agor": 1, "meta": {"title": EVIL}, "objects": objects}))
    made = session(lab, board, "Hostile", f"{EVIL}\n\n{LINK}\n\n```sh\n{PRINTED}\n```\n")
    lab.wait_for(lambda: state_of(lab, made["id"]) == "needs_you")
    page = people("mira")
    requests = []
    page.on("request", lambda request: requests.append(request.url))

    open_tab(page, lab, board)
    card(page, "Hostile").locator(".agor-s").first.click()
    page.locator(".agor-panel [role=alertdialog]").get_by_role("button", name="Allow once").click()
    page.locator(".agor-term", has_text="press").wait_for()

    for place in (
        ".agor-missing .agor-card-t",
        ".agor-missing code",
        ".agor-zone h2",
        ".agor-note",
        ".agor-bar-title",
        ".agor-you",
        ".agor-tool code",
    ):
        shown = page.locator(place).first
        shown.wait_for()
        if place != ".agor-tool code":
            expect(shown).to_contain_text("⟨202E⟩")
        assert BIDI not in shown.inner_text(), place
    expect(page.locator(".agor-term")).to_contain_text('<img src=x onerror="window.hit=1">')
    printed = page.locator(".agor-term").inner_text()
    assert BIDI not in printed
    assert "\033" not in printed
    assert is_harmless(page)
    assert not [url for url in requests if "evil.example" in url or url.startswith("javascript")]


def test_a_file_that_cannot_be_read_says_why_and_is_left_as_it_is(lab, people, board):
    text = '<<<<<<< ours\n{"agor": 1}\n=======\n{"agor": 2}\n>>>>>>> theirs\n'
    (lab.root / "conflict.agor").write_text(text)
    page = people("mira")

    open_tab(page, lab, "conflict.agor")

    page.locator("[data-banner=view]", has_text="merge marker of git").wait_for()
    expect(page.locator(".agor-board-empty")).to_be_hidden()
    assert (lab.root / "conflict.agor").read_text() == text


def test_what_is_broken_in_a_board_is_listed_and_the_rest_is_shown(lab, people, board):
    objects = '"ob_1": {"kind": "zone", "x": NaN, "y": 0, "width": -5, "height": "tall"}, "ob_2": [], "ob_3": {"kind": "rocket"}'
    good = '"ob_4": {"kind": "note", "x": 0, "y": 0, "width": 264, "height": 120, "text": "Still here"}'
    (lab.root / board).write_text(f'{{"agor": 1, "meta": {{}}, "objects": {{{objects}, {good}}}}}')
    page = people("mira")

    open_tab(page, lab, board)

    page.locator(".agor-problems", has_text="3 things in this board cannot be read").wait_for()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".agor-problems li")).to_have_count(3)
    page.locator(".agor-note", has_text="Still here").wait_for()
