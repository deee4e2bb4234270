"""Zones that act, by hand in the page: made and given a policy, dropped on, asked, approved, read back, and shared."""

import contextlib
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.facts import at_rest, box, heard, listen, settles
from tests.browser.test_board import card, open_tab

WIDTH, APART = 296, 28
LIVE = {"waiting", "asking", "checking", "running", "verifying", "approval"}
NOTE = ".agor-foretelling:not([hidden])"


def zone(lab, board: str, name: str, column: int, policy: dict | None = None, **more) -> str:
    """A zone beside the others, with its commands allowed. Its id."""
    place = {"x": column * (WIDTH + APART), "y": 0, "width": WIDTH, "height": 420, **more}
    made = lab.post(f"board/zones?path={board}", {"name": name, **place, **({"policy": policy} if policy else {})})["id"]
    if policy:
        lab.patch(f"board/zones/{made}?path={board}", {"policy": policy, "allow": True})
    return made


def script(line: str, **more) -> dict:
    return {"agent": "script", "prompt": f"```sh\n{line}\n```\n", **more}


def below(lab, board: str, name: str) -> dict:
    """A worktree with its card below the zones."""
    made = lab.post("worktrees", {"repo": "warehouse", "name": name, "board": board, "x": 0, "y": 460})
    return lab.wait_for(lambda: (found := lab.get(f"worktrees/{made['id']}"))["state"] == "ready" and found)


def zone_of(page, name: str):
    return page.locator(".agor-zone", has=page.locator("h2", has_text=re.compile(f"^{name}$")))


@contextlib.contextmanager
def held(page, name: str, over: str) -> Iterator[None]:
    """A card that is dragged over a zone, and let go of there at the end."""
    at_rest(page)
    start, to = box(card(page, name)), box(zone_of(page, over))
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + 9)
    page.mouse.down()
    page.mouse.move(to["x"] + to["width"] / 2, to["y"] + to["height"] / 2, steps=8)
    yield
    page.mouse.up()


def drag(page, name: str, to: str) -> None:
    with held(page, name, to):
        pass


def firings(lab, board: str, **query: str) -> list[dict]:
    """Newest first."""
    return lab.get("firings?" + "&".join(f"{key}={value}" for key, value in {"board": board, **query}.items()))


def ended(lab, board: str, **query: str):
    """All firings, once there are some and none is live."""
    return lambda: (found := firings(lab, board, **query)) and not any(one["state"] in LIVE for one in found) and found


def test_a_zone_is_drawn_and_given_a_policy_by_hand(lab, people, board, screens):
    review = zone(lab, board, "Review", 3)
    below(lab, board, "Branch of hand")
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "Branch of hand").wait_for()
    at_rest(page)
    around = box(page.locator(".agor-board"))
    page.locator(".agor-board").focus()
    page.keyboard.press("z")
    page.mouse.move(around["x"] + 60, around["y"] + 60)
    page.mouse.down()
    page.mouse.move(around["x"] + 360, around["y"] + 300, steps=5)
    page.mouse.up()
    page.keyboard.type("Test")
    page.keyboard.press("Enter")
    zone_of(page, "Test").wait_for()

    page.locator(".agor-bar-small").get_by_role("button", name="When a card arrives").click()
    dialog = page.get_by_role("dialog", name="Test")
    dialog.get_by_label("Agent", exact=True).select_option("script")
    prompt = dialog.get_by_label("Prompt", exact=True)
    prompt.fill("```sh\necho {{ worktree.bra")
    prompt.press("End")
    expect(dialog.get_by_role("option", name=re.compile("worktree.branch"))).to_be_visible()
    prompt.press("Enter")
    expect(prompt).to_have_value("```sh\necho {{ worktree.branch }}")
    prompt.press("Control+End")
    prompt.type("\n```\n")
    expect(dialog.locator(".agor-preview")).to_contain_text("echo branch-of-hand")
    dialog.get_by_role("button", name="Add a gate").click()
    dialog.get_by_label("Gate 1", exact=True).fill("test -f README.md")
    dialog.get_by_label("When it passes").select_option(label="Move to Review")
    dialog.get_by_label("At once").fill("2")
    expect(dialog.locator("[data-save=saved]")).to_be_visible()
    page.screenshot(path=screens / "zone-settings.png")
    dialog.get_by_role("button", name="Done").click()

    def is_there():
        found = next(one for one in lab.get(f"board?path={board}")["objects"].values() if one.get("name") == "Test")["policy"]
        assert found["prompt"] == "```sh\necho {{ worktree.branch }}\n```\n"
        assert [gate["run"] for gate in found["gates"]] == ["test -f README.md"]
        assert (found["agent"], found["next"], found["limit"]) == ("script", review, 2)

    settles(is_there)
    expect(zone_of(page, "Test").locator(".agor-zone-p")).to_contain_text("test -f README.md")
    expect(zone_of(page, "Test").locator(".agor-zone-p")).to_contain_text("then Review")


def test_a_name_that_is_not_known_is_said_with_its_line_and_the_nearest_is_a_click_away(lab, people, board):
    zone(lab, board, "Ask", 0, script("true"))
    below(lab, board, "Misspelt")
    page = people("mira")
    open_tab(page, lab, board)
    zone_of(page, "Ask").click(position={"x": 20, "y": 60})
    page.locator(".agor-bar-small").get_by_role("button", name="When a card arrives").click()
    dialog = page.get_by_role("dialog", name="Ask")
    dialog.get_by_label("Prompt", exact=True).fill("Read this:\n{{ worktree.brunch }}")

    expect(dialog.locator(".agor-problem")).to_contain_text("Line 2")
    dialog.get_by_role("button", name="Use worktree.branch").click()

    expect(dialog.get_by_label("Prompt", exact=True)).to_have_value("Read this:\n{{ worktree.branch }}")
    expect(dialog.locator(".agor-preview")).to_contain_text("Read this:\nmisspelt")


def pipeline(lab, board: str) -> list[str]:
    """Five zones, from an issue to a merged branch. Their names."""
    names = ["Analyze", "Develop", "Check", "Accept", "Merge"]
    policies = [
        script("echo plan > PLAN.md"),
        script("echo 'select 1' > models/one.sql; git add -A; git commit -qm one"),
        {"gates": [{"kind": "command", "run": "test -f models/one.sql", "when": "after"}]},
        script("git log --oneline | head -1", gates=[{"kind": "command", "run": "git diff --quiet", "when": "before"}]),
        script("git log -1 --format=%s > MERGED"),
    ]
    after = None
    for column in reversed(range(5)):
        after = zone(lab, board, names[column], column, policies[column] | ({"next": after} if after else {}))
    return names


def test_a_card_that_is_dragged_once_runs_through_five_zones(lab, people, board, screens):
    names = pipeline(lab, board)
    made = below(lab, board, "From issue to branch")
    page = people("mira", width=1720)
    open_tab(page, lab, board)
    expect(page.locator(".agor-zone-next")).to_have_count(4)

    with held(page, "From issue to branch", "Analyze"):
        expect(zone_of(page, "Analyze")).to_have_attribute("data-drop", "yes")
        expect(page.locator(NOTE)).to_contain_text("to move without running")
        page.screenshot(path=screens / "zone-drop.png")

    found = lab.wait_for(lambda: (all_ := firings(lab, board)) and len(all_) == 5 and ended(lab, board)(), timeout_s=120)
    assert [(one["zone"], one["state"]) for one in reversed(found)] == [(name, "passed") for name in names]
    assert [one["via"] for one in reversed(found)] == ["canvas"] + ["zone"] * 4
    assert lab.get(f"worktrees/{made['id']}")["arrival"] == 5

    def lies_in_the_last():
        at_rest(page)
        inside, around = box(card(page, "From issue to branch")), box(zone_of(page, "Merge"))
        assert around["x"] < inside["x"] < around["x"] + around["width"]

    settles(lies_in_the_last)
    page.screenshot(path=screens / "zone-pipeline.png")


def test_with_alt_a_card_moves_and_nothing_runs(lab, people, board):
    zone(lab, board, "Quiet", 0, script("true"))
    made = below(lab, board, "Only moved")
    page = people("mira")
    open_tab(page, lab, board)

    with held(page, "Only moved", "Quiet"):
        page.keyboard.down("Alt")
        expect(page.locator(NOTE)).to_have_text("Moves without running")
    page.keyboard.up("Alt")

    lab.wait_for(lambda: lab.get(f"worktrees/{made['id']}")["arrival"] == 1)
    assert firings(lab, board) == []


def test_escape_puts_a_held_card_back(lab, people, board):
    zone(lab, board, "Never", 0, script("true"))
    made = below(lab, board, "Put back")
    page = people("mira")
    open_tab(page, lab, board)
    at_rest(page)
    before = box(card(page, "Put back"))

    with held(page, "Put back", "Never"):
        page.keyboard.press("Escape")

    settles(lambda: _same(before, box(card(page, "Put back"))))
    assert lab.get(f"worktrees/{made['id']}")["zoneId"] is None


def _same(a: dict, b: dict) -> None:
    assert (round(a["x"]), round(a["y"])) == (round(b["x"]), round(b["y"]))


def test_a_zone_that_asks_shows_what_it_would_send_and_to_whom(lab, people, board, screens):
    zone(lab, board, "Question", 0, script("echo {{ worktree.name }}", target="ask"))
    made = below(lab, board, "Asked for")
    page = people("mira")
    open_tab(page, lab, board)

    drag(page, "Asked for", "Question")
    dialog = page.get_by_role("dialog", name=re.compile("Asked for"))
    prompt = dialog.get_by_label("Prompt", exact=True)
    expect(prompt).to_have_value(re.compile("echo Asked for"))
    expect(dialog.get_by_role("radio", name="New session")).to_be_checked()
    page.screenshot(path=screens / "zone-ask.png")
    dialog.get_by_role("button", name="Not now").click()
    expect(page.locator(".agor-card.agor-needs", has_text="Asked for")).to_be_visible()
    card(page, "Asked for").get_by_role("button", name="Start…").click()
    prompt.fill("```sh\necho edited > EDITED\n```\n")
    dialog.get_by_role("button", name=re.compile("^(Prompt|Start)")).click()

    question = page.get_by_role("alertdialog")
    card(page, "Asked for").get_by_role("button", name=re.compile("Allow once|Review")).first.click()
    if question.count():
        question.get_by_role("button", name="Allow once").click()
    (found,) = lab.wait_for(ended(lab, board), timeout_s=60)
    assert (found["state"], found["decidedBy"]["username"]) == ("passed", "mira")
    assert "edited" in found["prompt"]
    assert lab.get(f"worktrees/{made['id']}")["arrival"] == 1


def test_a_card_waits_for_a_person_and_is_let_on_from_the_inbox(lab, people, board, screens):
    target = zone(lab, board, "Deploy", 1)
    zone(lab, board, "Approve", 0, script("true", needsApproval=True, next=target))
    made = below(lab, board, "Let me on")
    page = people("mira")
    open_tab(page, lab, board)

    drag(page, "Let me on", "Approve")
    expect(card(page, "Let me on").get_by_role("button", name="Move on to Deploy")).to_be_visible()
    page.locator(".agor-board").focus()
    page.keyboard.press("g")
    page.keyboard.press("n")
    expect(page.locator(".agor-card:focus", has_text="Let me on")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("i")
    row = page.locator(".agor-inbox [data-firing]", has_text="Let me on")
    page.screenshot(path=screens / "zone-approval.png")
    row.get_by_role("button", name="Move on to Deploy").click()

    lab.wait_for(lambda: lab.get(f"worktrees/{made['id']}")["zoneId"] == target)
    expect(row).to_have_count(0)
    (found,) = firings(lab, board)
    assert (found["state"], found["movedTo"], found["decidedBy"]["username"]) == ("passed", target, "mira")


def test_a_gate_that_fails_is_said_on_the_card_and_can_be_run_again(lab, people, board):
    zone(lab, board, "Gate", 0, {"gates": [{"kind": "command", "run": "test -f THERE", "when": "after"}]})
    made = below(lab, board, "Not yet")
    page = people("mira")
    open_tab(page, lab, board)

    drag(page, "Not yet", "Gate")
    expect(card(page, "Not yet")).to_contain_text("Gate failed: test -f THERE")
    lab.wait_for(ended(lab, board))
    path = lab.get(f"worktrees/{made['id']}")["path"]
    open(f"{path}/THERE", "w").close()  # noqa: PTH123, SIM115 as a person would by hand
    card(page, "Not yet").get_by_role("button", name="Run again").click()

    lab.wait_for(lambda: [one["state"] for one in firings(lab, board)] == ["passed", "failed"])
    expect(card(page, "Not yet")).not_to_contain_text("Gate failed")


def test_the_history_of_a_zone_is_live_and_takes_back(lab, people, board, screens):
    zone(lab, board, "Slow", 0, script("sleep 600", limit=1))
    first, second = below(lab, board, "Runs first"), below(lab, board, "Waits for it")
    page = people("mira")
    open_tab(page, lab, board)
    drag(page, "Runs first", "Slow")
    lab.wait_for(lambda: [one["state"] for one in firings(lab, board)] == ["running"])
    drag(page, "Waits for it", "Slow")
    expect(zone_of(page, "Slow").locator(".agor-lim")).to_have_text("1 of 1 · 1 waiting")
    expect(card(page, "Waits for it")).to_contain_text("Waits for")

    zone_of(page, "Slow").click(position={"x": 20, "y": 12})
    page.locator(".agor-bar-small").get_by_role("button", name="History").click()
    dialog = page.get_by_role("dialog", name="History of Slow")
    expect(dialog.locator("[data-firing]")).to_have_count(2)
    page.screenshot(path=screens / "zone-history.png")
    dialog.locator("[data-firing]", has_text="Waits for it").get_by_role("button", name="Take back").click()
    expect(dialog.locator("[data-firing]", has_text="Waits for it")).to_contain_text("Taken back")
    dialog.locator("[data-firing]", has_text="Runs first").get_by_role("button", name="Take back").click()

    expect(dialog.locator("[data-state=withdrawn]")).to_have_count(2)
    lab.wait_for(lambda: [lab.get(f"worktrees/{one['id']}")["zoneId"] for one in (first, second)] == [None, None])


def test_two_people_who_drop_the_same_card_start_it_once(lab, people, board):
    zone(lab, board, "Once", 0, script("true"))
    made = below(lab, board, "Wanted by both")
    pages = [people("mira"), people("jonas")]
    for page in pages:
        open_tab(page, lab, board)
        card(page, "Wanted by both").wait_for()

    with held(pages[0], "Wanted by both", "Once"), held(pages[1], "Wanted by both", "Once"):
        pass

    (found,) = lab.wait_for(ended(lab, board))
    assert found["state"] == "passed"
    assert lab.get(f"worktrees/{made['id']}")["arrival"] == 1
    for page in pages:
        expect(card(page, "Wanted by both")).not_to_contain_text("Not moved")


def test_a_page_that_is_loaded_again_in_the_middle_shows_what_goes_on(lab, people, board):
    last = zone(lab, board, "After", 1)
    zone(lab, board, "Middle", 0, script("while [ ! -f GO ]; do sleep 0.1; done", next=last))
    made = below(lab, board, "Loaded again")
    page = people("mira")
    open_tab(page, lab, board)
    drag(page, "Loaded again", "Middle")
    lab.wait_for(lambda: [one["state"] for one in firings(lab, board)] == ["running"])

    open_tab(page, lab, board)
    expect(card(page, "Loaded again").locator("[aria-label=Running]").first).to_be_visible()
    open(f"{lab.get('worktrees/' + made['id'])['path']}/GO", "w").close()  # noqa: PTH123, SIM115 as a person would by hand

    lab.wait_for(lambda: lab.get(f"worktrees/{made['id']}")["zoneId"] == last)
    assert len(firings(lab, board)) == 1


def test_a_viewer_sees_the_policy_and_can_change_nothing(lab, people, board):
    zone(lab, board, "Seen", 0, script("true", needsApproval=True))
    made = below(lab, board, "Watched")
    lab.put(f"worktrees/{made['id']}/zone", {"zoneId": next(iter(_zones(lab, board)))})
    page = people("vera")
    open_tab(page, lab, board)
    expect(card(page, "Watched")).to_contain_text("It waits for a person")
    expect(card(page, "Watched").get_by_role("button", name=re.compile("Move on|Approve|Reject"))).to_have_count(0)

    page.keyboard.press("Control+k")
    page.wait_for_selector(".agor-menu:focus-within")
    page.keyboard.type("Seen when a card arrives")
    page.keyboard.press("Enter")

    dialog = page.get_by_role("dialog", name="Seen")
    expect(dialog.get_by_label("Agent", exact=True)).to_be_disabled()
    expect(dialog.get_by_role("button", name="Try on one card")).to_have_count(0)


def _zones(lab, board: str) -> list[str]:
    return [key for key, one in lab.get(f"board?path={board}")["objects"].items() if one["kind"] == "zone"]


def test_a_card_is_carried_by_the_keyboard_and_told_of(lab, people, board):
    zone(lab, board, "Carried", 0, script("true"))
    made = below(lab, board, "By keys")
    page = people("mira")
    open_tab(page, lab, board)
    card(page, "By keys").evaluate("one => one.focus()")
    listen(page)

    page.keyboard.press("m")
    heard(page, "Carrying By keys")
    page.keyboard.press("ArrowUp")
    expect(page.locator(NOTE)).to_be_visible()
    page.keyboard.press("Enter")

    lab.wait_for(lambda: lab.get(f"worktrees/{made['id']}")["arrival"] == 1)
    lab.wait_for(ended(lab, board))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_looks_as_drawn(lab, people, board, screens, dark):
    pipeline(lab, board)
    zone(lab, board, "Sorting", 0, None, y=660, height=180)
    zone(lab, board, "Paused", 1, script("true", isPaused=True, limit=1), y=660, height=180)
    below(lab, board, f"Looks {'dark' if dark else 'light'}")
    page = people("mira", dark=dark, width=1720)
    open_tab(page, lab, board)
    at_rest(page)

    expect(zone_of(page, "Sorting")).to_contain_text("A place to sort cards. Nothing runs.")
    expect(zone_of(page, "Paused")).to_contain_text("Paused")
    page.screenshot(path=screens / f"zones-{'dark' if dark else 'light'}.png")
