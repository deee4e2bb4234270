"""Every tool with the official client: what it answers, that each call is written down, and what an agent is refused."""

import asyncio
import json
import subprocess

import httpx
import pytest
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from pydantic import TypeAdapter

from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import BoardOpen, ZoneAdd
from agor_jupyter.domain.budgets import BudgetSet
from agor_jupyter.domain.schedules import Interval, InWorktree, Schedule, ScheduleChange, ScheduleCreate
from agor_jupyter.domain.sessions import SessionCreate, SessionState, Usage
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.domain.zones import ZonePolicy
from agor_jupyter.mcp import app
from agor_jupyter.mcp.app import ENGINE, call
from agor_jupyter.mcp.tools import discover
from agor_jupyter.storage import deliveries
from tests.mcp.test_personal_tokens import team, use  # noqa: F401  # a fixture


@pytest.fixture
async def board(fake, owner, key, repository):
    """A scene on a board, with a session whose agent works; `call` is made by that agent."""
    scene = await fake()
    await scene.agor.boards.open(owner, BoardOpen(path="team.agor"))
    made = await scene.agor.worktrees.create(
        owner, WorktreeCreate(repo=scene.worktree.repo_id, name="on the board", board="team.agor"), key()
    )
    scene.elsewhere, scene.worktree = scene.worktree, await scene.agor.worktrees.wait_ready(made.id)
    scene.session_ = await scene.session(agent="script", title="Root")
    scene.turn, scene.agent = await scene.running(scene.session_, "work")
    reset = ENGINE.set(await scene.agor.delegate(scene.session_.id))
    yield scene
    ENGINE.reset(reset)


json_schedules = TypeAdapter(list[Schedule]).validate_json


async def ok(tool, **arguments):
    answer = await call(tool, arguments)
    assert not answer["isError"], answer
    return json.loads(answer["content"][0]["text"])


async def refused(tool, **arguments):
    answer = await call(tool, arguments)
    assert answer["isError"], answer
    return answer["content"][0]["text"]


async def audit(scene):
    await asyncio.sleep(0.01)
    await scene.agor.store.write(lambda _transaction: None)  # after those that nobody waited for
    frame, _ = await scene.agor.events.since(0, 5000)
    return [one["body"] for one in json.loads(frame) if one["body"]["kind"] == "tool_used"]


async def finish(scene, session_id, **fields):
    [turn] = await scene.agor.turns.list(session_id)
    await scene.until(turn, "running")
    fakes = scene.agor.fakes.started  # the turn says that it runs before the agent has read the prompt
    theirs = lambda: [one for one in fakes if one.prompts[-1:] == [turn.prompt] and one is not scene.agent and one._turn]  # noqa: E731
    await scene.eventually(theirs)
    theirs()[0].finish(**fields)
    return await scene.ended(turn)


async def test_one_call_says_who_and_where_it_is(board):
    beside = await board.session(agent="script", title="Beside")
    child = await ok("session_spawn", prompt="below")

    me = await ok("whoami")

    assert (me["board"], me["worktree"]["id"], me["limits"]) == ("team.agor", board.worktree.id, {"depth": 3, "children": 8})
    assert (me["session"]["id"], me["depth"], me["parent"], me["zone"]) == (board.session_.id, 0, None, None)
    assert [one["id"] for one in me["children"]] == [child["id"]]
    assert {one["id"] for one in me["siblings_in_worktree"]} == {beside.id, child["id"]}


async def test_answers_are_paged_and_have_the_fields_that_were_asked_for(board):
    for number in range(5):
        await board.session(agent="script", title=f"s{number}")

    first = await ok("session_list", limit=4, fields=["title"])
    second = await ok("session_list", limit=4, fields=["title"], next=first["next"])

    assert (first["total"], first["next"], second["next"]) == (6, "4", None)
    assert {one["title"] for one in first["items"] + second["items"]} == {"Root", *(f"s{number}" for number in range(5))}
    assert set(await ok("session_get", session_id=board.session_.id, fields=["all"])) >= {"chosen", "sandbox", "imported_id"}
    assert "there are id, worktree_id" in await refused("session_list", fields=["titel"])
    assert "begin anew" in await refused("session_list", next="x")


async def test_a_child_is_told_about_and_one_that_was_waited_for_is_not(board):
    told, awaited = [await ok("session_spawn", prompt=text, notify=True) for text in ("first", "second")]
    await finish(board, told["id"])
    await board.eventually_async(lambda: _queued(board), 1)
    waiting = asyncio.create_task(ok("session_wait", session_id=awaited["id"], timeout_s=30))
    await finish(board, awaited["id"], usage=Usage(cost_usd=0.5))

    outcome = await waiting

    assert (outcome["last_turn"]["state"], outcome["last_turn"]["cost_usd"]) == ("done", 0.5)
    await board.eventually_async(lambda: _pending(board), 0)
    [late] = await board.agor.store.read(deliveries.of_children, [awaited["id"]])
    await board.eventually_async(lambda: _queued(board), 1)
    assert (late.state, late.turn_id, late.reason) == ("delivered", None, "It waited for the end itself.")
    tree = await ok("session_tree", session_id=told["id"])
    assert [one["state"] for one in tree["sessions"][1]["reports"]] == ["delivered"]


async def _queued(scene):
    return len((await scene.agor.sessions.get(scene.session_.id)).queue)


async def _pending(scene):
    return len(await scene.agor.store.read(deliveries.pending))


async def test_an_agent_steers_only_what_it_started(board):
    other = await board.session(agent="script", title="A person's")
    child = await ok("session_spawn", prompt="below")

    for tool, more in (
        ("session_prompt", {"prompt": "x"}),
        ("session_cancel", {}),
        ("session_update", {"title": "x"}),
        ("session_archive", {}),
    ):
        for target in (other.id, board.session_.id):
            assert "a session that it did not spawn" in await refused(tool, session_id=target, **more)
    assert (await ok("session_update", session_id=child["id"], title="Renamed"))["title"] == "Renamed"
    await board.until((await board.agor.turns.list(child["id"]))[0], "running")
    assert (await ok("session_cancel", session_id=child["id"]))["state"] == "stopping"
    await board.ended((await board.agor.turns.list(child["id"]))[0])
    assert (await ok("session_archive", session_id=child["id"]))["id"] == child["id"]


async def test_a_fork_by_an_agent_counts_below_it_and_may_have_a_worktree_of_its_own(board):
    fork = await ok("session_fork", session_id=board.session_.id, prompt="another way", new_worktree="another way")

    session = await board.agor.sessions.get(fork["id"])

    assert (session.parent_id, session.origin_id, session.root_id) == (board.session_.id,) * 3
    worktree = await board.agor.worktrees.get(session.worktree_id)
    assert (worktree.name, worktree.board, worktree.created_by.username) == ("another way", "team.agor", f"agent:{board.session_.id}")


async def test_an_agent_changes_its_worktree_and_puts_away_what_it_made(board, owner, key):
    made = await ok("worktree_create", name="Made here")
    theirs = await board.agor.worktrees.create(owner, WorktreeCreate(repo=board.worktree.repo_id, name="theirs", board="team.agor"), key())
    await board.agor.worktrees.wait_ready(theirs.id)

    assert (await ok("worktree_update", worktree_id="on the board", notes="look here"))["notes"] == "look here"
    assert "it did not make" in await refused("worktree_update", worktree_id=theirs.id, notes="x")
    assert "it did not make" in await refused("worktree_archive", worktree_id=board.worktree.id)
    assert (await ok("worktree_archive", worktree_id=made["id"]))["state"] == "archived"
    assert {one["name"] for one in (await ok("worktree_list"))["items"]} == {"on the board", "theirs"}


async def test_an_agent_sees_which_kernel_its_worktree_has(board):
    found = await ok("kernel_get", worktree_id="on the board")

    assert (found["state"], found["spec_name"]) == ("none", "agor-on-the-board")
    assert "does not exist" in await refused("kernel_get", worktree_id="nowhere")


async def test_a_worktree_of_plain_git_is_offered_and_only_an_owners_client_takes_it_in(board, repository):
    plain = repository.parent / "plain"
    subprocess.run(["git", "worktree", "add", "-q", "-b", "plain", str(plain)], cwd=repository, check=True)

    [offered] = await ok("worktree_adoptable")
    assert (offered["branch"], offered["path"]) == ("plain", str(plain))
    assert "may not adopt" in await refused("worktree_adopt", path=str(plain))


async def test_the_board_can_be_read_and_written_on(board):
    note = await ok("note_write", text="Ask before you merge.")

    read = await ok("board_read")

    assert read["notes"] == [{"id": note["id"], "text": "Ask before you merge."}]
    assert [one["worktree_id"] for one in read["cards"]] == [board.worktree.id]
    assert await ok("zone_list") == []
    assert (await ok("board_list"))[0]["path"] == "team.agor"


async def test_an_agent_brings_its_card_to_a_zone_where_it_may(board, owner, key):
    add = board.agor.boards.add_zone
    shelf = await add(owner, "team.agor", ZoneAdd(name="Shelf"), key())
    closed = ZonePolicy(prompt="Review {{ worktree.branch }}", agent="script")
    await add(owner, "team.agor", ZoneAdd(name="Review", policy=closed), key())
    await add(owner, "team.agor", ZoneAdd(name="Open", policy=closed.replace(agents_may_enter=True, asks_first=True)), key())

    assert (await ok("zone_drop", worktree_id="on the board", zone="Shelf")) == {"zone_id": shelf.id, "arrival": 1, "firing": None}
    assert "does not let agents in" in await refused("zone_drop", worktree_id="on the board", zone="Review")
    assert "Shelf" in await refused("zone_drop", worktree_id="on the board", zone="Sehlf")
    started = await ok("zone_drop", worktree_id="on the board", zone="Open")
    assert started["firing"]["state"] == "asking"
    assert "approval" in await refused("zone_drop", worktree_id="on the board", zone=None)
    [listed] = (await ok("firing_list", worktree_id="on the board"))["items"]
    assert (listed["zone"], listed["arrival"], listed["state"]) == ("Open", 2, "asking")
    assert (await board.agor.worktrees.get(board.worktree.id)).zone_id == started["zone_id"]


async def test_costs_agents_and_people(board):
    child = await ok("session_spawn", prompt="below", budget_usd=2)
    await finish(board, child["id"], usage=Usage(cost_usd=0.5, input_tokens=10))

    assert (await ok("cost_summary", by="session"))["items"][0]["session"] == child["id"]
    assert (await ok("budget_list"))["items"][0]["hard_usd"] == 2.0
    assert "script" in [one["name"] for one in await ok("agent_list")]
    assert [one["username"] for one in (await ok("user_list"))["items"]] == ["ann"]
    turns = await ok("turn_list", session_id=child["id"])
    assert turns["items"][0]["cost_usd"] == 0.5
    assert (await ok("turn_get", turn_id=turns["items"][0]["id"], max_characters=10))["patch"] == ""


async def test_every_call_is_written_down_with_its_caller_and_not_what_it_said(board):
    await ok("session_spawn", prompt="a word nobody else says: kumquat")
    await refused("permission_answer", permission_id="pe_1", option_id="yes")

    first, second = (await audit(board))[-2:]

    assert (first["tool"], first["refusal"], first["sessionId"], first["board"]) == ("session_spawn", None, board.session_.id, "team.agor")
    assert first["by"]["username"] == f"agent:{board.session_.id}"
    assert first["milliseconds"] > 0
    assert (second["tool"], second["refusal"].startswith("There is no tool 'permission_answer'")) == ("permission_answer", True)
    assert "kumquat" not in json.dumps(await audit(board))


async def test_what_it_may_not_do_is_refused_and_an_owner_sees_it(board, owner, key):
    foreign = await board.agor.sessions.create(owner, SessionCreate(worktree_id=board.elsewhere.id, agent="script"), key())
    await board.agor.budgets.set(owner, BudgetSet(scope="tree", subject=board.session_.id, hard_usd=5), key())
    tried = {
        "another board": ("session_read", {"session_id": foreign.id}),
        "a permission": ("permission_answer", {"permission_id": "pe_1"}),
        "more than its tree has": ("session_spawn", {"prompt": "x", "budget_usd": 6}),
        "somebody else's": ("session_prompt", {"session_id": board.session_.id, "prompt": "x"}),
    }
    for tool, arguments in tried.values():
        await refused(tool, **arguments)
    for _ in range(8):
        await ok("session_spawn", prompt="x")
    assert "at most 8" in await refused("session_spawn", prompt="the ninth")
    ENGINE.set(await board.agor.delegate(await _deep(board)))
    assert "at most 3 deep" in await refused("session_spawn", prompt="depth four")

    noted = [one.action for one in await board.agor.refusals.list(owner) if one.surface == "mcp"]

    wanted = [tool for tool, _ in tried.values()] + ["session_spawn", "session_spawn"]
    assert sorted(noted) == sorted(f"tool {tool}" for tool in wanted)
    assert (await board.agor.sessions.get(board.session_.id)).state is SessionState.RUNNING


async def _deep(scene):
    session = await scene.session(agent="script")
    for _ in range(3):
        session = await scene.session(agent="script", parent_id=session.id)
    return session.id


async def test_resources_and_prompts(board):
    [content] = await app._read("agor://board")
    [entries] = await app._read(f"agor://session/{board.session_.id}")
    [diff] = await app._read(f"agor://worktree/{board.worktree.id}/diff")

    assert json.loads(content["text"])["sessions"][0]["id"] == board.session_.id
    assert "work" in [one.get("text") for one in json.loads(entries["text"])]
    assert (diff["mimeType"], diff["text"]) == ("text/x-diff", "")
    with pytest.raises(Exception, match="there is no resource"):
        await app._read("file:///etc/passwd")
    with pytest.raises(errors.BadRequest, match="task: needed"):
        app.prompts.render("delegate", {})
    assert "{agent}" in app.prompts.render("delegate", {"task": "do {agent}"})["messages"][0]["content"]["text"]


def test_the_official_client_lists_and_reads_everything(team):  # noqa: F811  # the fixture
    made = team.make()

    async def run():
        async with (
            httpx.AsyncClient(headers={"Authorization": f"Bearer {made['secret']}"}, timeout=60) as web,
            streamable_http_client(made["url"], http_client=web) as streams,
            ClientSession(streams[0], streams[1]) as client,
        ):
            await client.initialize()
            tools = (await client.list_tools()).tools
            found = (await client.list_resources()).resources
            board = await client.read_resource(found[0].uri)
            templates = (await client.list_resource_templates()).resource_templates
            prompts = (await client.list_prompts()).prompts
            filled = await client.get_prompt("look_over", {"session_id": "se_1"})
            try:
                await client.read_resource("agor://nothing")
            except Exception as error:
                wrong = str(error)
            return tools, board, templates, prompts, filled, wrong

    tools, board, templates, prompts, filled, wrong = asyncio.run(run())

    assert [tool.name for tool in tools] == list(discover())
    for tool in tools:
        schema = tool.model_dump(by_alias=True)["inputSchema"]
        assert (schema["type"], schema["additionalProperties"]) == ("object", False)
        assert len(tool.description) > 20
    assert json.loads(board.contents[0].text)["path"] == "team.agor"
    assert [one.name for one in templates] == ["session", "diff"]
    assert [one.name for one in prompts] == ["delegate", "look_over"]
    assert "se_1" in filled.messages[0].content.text
    assert "there is no resource" in wrong
    [(failed, me)] = use(made["url"], made["secret"], ("whoami", {}))
    assert (failed, me["session"], me["role"]) == (False, None, "owner")


async def test_an_agent_makes_schedules_that_wait_for_a_person_and_runs_and_pauses_no_others(board):
    hourly, where = {"kind": "interval", "seconds": 3600}, {"worktree_id": board.worktree.name}
    target = InWorktree(worktree_id=board.worktree.id)
    plan = ScheduleCreate(name="of a person", board="team.agor", when=Interval(seconds=3600), target=target, script="true", allow=True)
    await board.agor.schedules.create(board.caller, plan, board.key())

    made = await ok("schedule_create", name="nightly", when=hourly, prompt="go", agent="script", **where)

    assert made["needs_yes"] is True
    assert [one["name"] for one in (await ok("schedule_list"))["items"]] == ["nightly", "of a person"]
    assert "waits for a person's yes" in await refused("schedule_run", schedule_id="nightly")
    for tool in ("schedule_run", "schedule_pause"):
        assert "a schedule that it did not make" in await refused(tool, schedule_id="of a person")
        assert "nowhere" in await refused(tool, schedule_id="nowhere")
    await board.agor.schedules.approve(board.caller, made["id"])
    slot = await ok("schedule_run", schedule_id=made["id"])
    assert (slot["schedule_id"], slot["number"]) == (made["id"], 1)
    await board.agor.schedules.change(board.caller, made["id"], ScheduleChange(allow=True))
    assert "run a schedule that asks nobody" in await refused("schedule_run", schedule_id="nightly")
    assert (await ok("schedule_pause", schedule_id="nightly"))["is_paused"] is True


async def test_an_agents_schedule_says_all_that_a_persons_does(board, owner, key):
    shelf = await board.agor.boards.add_zone(owner, "team.agor", ZoneAdd(name="Shelf"), key())
    where = {"when": {"kind": "cron", "expression": "0 3 * * *", "zone": "UTC"}, "worktree_id": board.worktree.name}

    dropped = await ok("schedule_create", name="to the shelf", zone="Shelf", late="all", overlap="queue", **where)
    run = await ok("schedule_create", name="a notebook", notebook="report.ipynb", retries=2, budget_usd=0.5, fresh=True, **where)

    known = {one.id: one for one in json_schedules(await board.agor.schedules.list("team.agor"))}
    first, second = known[dropped["id"]], known[run["id"]]
    assert (first.target.kind, first.target.zone_id, first.late, first.overlap) == ("zone", shelf.id, "all", "queue")
    assert (second.target.kind, second.notebook, second.retries, second.budget_usd) == ("fresh", "report.ipynb", 2, 0.5)


@pytest.mark.parametrize(("changes", "why"), [
    ({"when": {"kind": "interval", "seconds": 60}}, "more often than every 15 minutes"),
    ({"when": {"kind": "webhook"}}, "is made by a person"),
    ({"script": "true"}, "prompt and script are set"),
    ({"prompt": ""}, "set one of prompt"),
    ({"worktree_id": "nowhere"}, "nowhere"),
    ({"prompt": "", "zone": "nowhere"}, "nowhere"),
    ({"prompt": "", "zone": "Shelf", "fresh": True}, "Leave out zone or fresh"),
    ({"prompt": "", "notebook": "../of others.ipynb"}, "path of a notebook in the worktree"),
])  # fmt: skip
async def test_a_schedule_that_an_agent_may_not_make_is_refused(board, changes, why):
    given = {"name": "nightly", "when": {"kind": "interval", "seconds": 3600}, "prompt": "go", "worktree_id": board.worktree.name}

    assert why in await refused("schedule_create", **given | changes)
    assert (await ok("schedule_list"))["total"] == 0
