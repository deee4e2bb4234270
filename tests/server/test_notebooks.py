"""Two people and an agent in one notebook at once: real rooms, a real kernel, and an agent's tools over the wire."""

import asyncio
import json
import sys
from urllib.parse import quote

import pytest
from jupyter_ydoc import YNotebook

from agor_jupyter.documents import notebooks
from agor_jupyter.documents.ynotebook import LiveNotebook
from harness.room_client import Client, ask, until
from harness.servers import serve, stop
from tests.mcp.test_mcp import AGENT, Scene, wait_for

COLLABORATION = "--ServerApp.jpserver_extensions={'agor_jupyter': True, 'jupyter_server_ydoc': True, 'jupyter_server_fileid': True}"


class World:
    """A server below whose root the worktrees are, and the tools of an agent that works in one of them."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.ann, self.server = scene, scene.ann, scene.server
        self.root = scene.server.folder / "root"
        self.folder = self.root / "agor" / "worktrees"
        self.worktree = scene.worktree

    def notebook(self, name, *sources, minor=5):
        """A new one in the agent's worktree; its path there."""
        cells = [notebooks.new_cell(f"c{number}", "code", source) for number, source in enumerate(sources)]
        if minor < 5:
            cells = [{key: value for key, value in cell.items() if key != "id"} for cell in cells]
        (self.file(name)).write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": minor}))
        return name

    def file(self, name):
        return self.root.parent / self.worktree["path"] / name

    def on_disk(self, name):
        """`None` in the moment in which it is written."""
        try:
            return [(cell["id"], cell["source"]) for cell in notebooks.parse(self.file(name).read_text())["cells"]]
        except notebooks.Unreadable:
            return None

    async def call(self, tool, path, **arguments):
        [answer] = await asyncio.to_thread(self.scene.use, (tool, {"worktree_id": self.worktree["id"], "path": path, **arguments}))
        return answer

    async def ok(self, tool, path, **arguments):
        failed, answer = await self.call(tool, path, **arguments)
        assert not failed, answer
        return answer

    async def refused(self, tool, path, **arguments):
        failed, answer = await self.call(tool, path, **arguments)
        assert failed, answer
        return answer

    async def ok_list(self):
        [(failed, answer)] = await asyncio.to_thread(self.scene.use, ("notebook_list", {"worktree_id": self.worktree["id"]}))
        assert not failed, answer
        return answer

    async def seen(self, path, cell_id):
        [cell] = (await self.ok("notebook_read", path, cell_id=cell_id))["items"]
        return cell["seen"]

    def open(self, name, user, below=None):
        path = f"{below}/{name}" if below else self.file(name).relative_to(self.root).as_posix()
        session = ask(
            self.server.url, f"api/collaboration/session/{quote(path)}", f"{user}-token", {"format": "json", "type": "notebook"}, "PUT"
        )
        room = {"room": f"json:notebook:{session['fileId']}", "params": {"sessionId": session["sessionId"]}}
        return Person(self.server.url, room, user, f"{user}-token")


class Person(Client):
    """A client of a notebook's room."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.notebook = YNotebook(self.doc)
        self.live = LiveNotebook(self.notebook)

    def sources(self):
        return [(cell["id"], cell["source"]) for cell in self.live.cells()]

    def type(self, cell_id, text):
        """At the beginning of a cell, letter by letter."""
        for letter in reversed(text):
            next(cell for cell in self.notebook.ycells if cell["id"] == cell_id)["source"].insert(0, letter)

    def add(self, cell_id, source):
        self.notebook.append_cell(notebooks.new_cell(cell_id, "code", source))

    def outputs(self, cell_id):
        [cell] = [cell for cell in self.live.cells() if cell["id"] == cell_id]
        return cell["outputs"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder, shown = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("shown")
    agents = [
        {"name": "curious", "label": "Curious", "icon": "ag-script", "command": [sys.executable, str(AGENT), str(shown / "shown.json")]}
    ]
    (folder / "jupyter").mkdir()  # the ids of files are kept there
    options = {"agents": agents, "idle_timeout_s": 0, "sandbox_write": [str(shown)]}
    process, server = serve(folder, COLLABORATION, data_dir=folder / "root" / "agor", AGOR_TEST_CONFIG=json.dumps(options))
    yield World(Scene(server, shown / "shown.json"))
    stop(process)


async def test_two_people_and_an_agent_work_in_one_notebook_and_nothing_is_lost(world):
    path = world.notebook("shared.ipynb", "one", "two", "three")
    async with world.open(path, "alice") as alice, world.open(path, "bob") as bob:
        alice.type("c0", "alice ")
        await until(lambda: bob.sources()[0] == ("c0", "alice one"))

        [listed] = [one for one in (await world.ok("notebook_read", path))["items"] if one["id"] == "c0"]
        assert listed["source"] == "alice one"  # what nobody has saved yet
        seen = await world.seen(path, "c2")
        calls = asyncio.gather(
            world.ok("notebook_insert_cell", path, source="agent", after="c1"),
            world.ok("notebook_edit_cell", path, cell_id="c2", seen=seen, source="three by the agent"),
        )
        for number in range(20):  # while the agent's calls are under way
            alice.type("c0", f"{19 - number} ")
            bob.type("c1", "bob " if number == 19 else "")
            await asyncio.sleep(0.05)
        alice.add("a1", "alice's cell")
        added, edited = await calls

        typed = "".join(f"{number} " for number in range(20))
        wanted = [
            ("c0", f"{typed}alice one"),
            ("c1", "bob two"),
            (added["id"], "agent"),
            ("c2", "three by the agent"),
            ("a1", "alice's cell"),
        ]
        await until(lambda: alice.sources() == bob.sources() == world.on_disk(path) == wanted)
        assert edited["source"] == "three by the agent"
        await until(lambda: alice.users() == bob.users() == [f"agent:{world.scene.session['id']}"])


async def test_what_somebody_changed_since_the_agent_looked_is_left_alone(world):
    path = world.notebook("changed.ipynb", "one", "two")
    async with world.open(path, "alice") as alice:
        old = await world.seen(path, "c0")
        alice.type("c0", "x")
        await until(lambda: world.on_disk(path) == [("c0", "xone"), ("c1", "two")])

        for tool, more in (("notebook_edit_cell", {"source": "lost"}), ("notebook_delete_cell", {}), ("notebook_run_cell", {})):
            assert "not as you saw it" in await world.refused(tool, path, cell_id="c0", seen=old, **more)
        assert "does not exist. Available: c0, c1" in await world.refused("notebook_delete_cell", path, cell_id="c9", seen=old)
        left = await world.ok("notebook_delete_cell", path, cell_id="c0", seen=await world.seen(path, "c0"))

        assert left == {"cells": ["c1"]}
        await until(lambda: alice.sources() == [("c1", "two")])


async def test_a_notebook_that_nobody_has_open_is_changed_in_its_file_and_gets_ids(world):
    path = world.notebook("closed.ipynb", "one", "two", minor=4)

    first, second = (await world.ok("notebook_read", path))["items"]
    await world.ok("notebook_edit_cell", path, cell_id=second["id"], seen=second["seen"], source="changed")

    assert world.on_disk(path) == [(first["id"], "one"), (second["id"], "changed")]
    assert json.loads(world.file(path).read_text())["nbformat_minor"] == 5


async def test_a_write_to_the_file_of_an_open_notebook_is_merged_with_what_people_typed(world):
    path = world.notebook("direct.ipynb", "one", "two", "three")
    async with world.open(path, "alice") as alice:
        written = notebooks.parse(world.file(path).read_text())
        written["cells"][0]["source"] = "one by the file"
        written["cells"][1]["source"] = "two by the file"
        written["cells"].insert(1, notebooks.new_cell("f1", "code", "the file's cell"))
        del written["cells"][3]
        world.file(path).write_text(notebooks.dump(written))
        alice.type("c1", "alice ")
        alice.add("a1", "alice's cell")

        await until(lambda: "f1" in dict(alice.sources()) and world.on_disk(path) == alice.sources())
        ids, sources = zip(*alice.sources(), strict=True)
        assert (ids[:3], ids[-1]) == (("c0", "f1", "c1"), "a1")
        assert sources[:3] == ("one by the file", "the file's cell", "alice two")
        assert sources[3].endswith("\ntwo by the file")
        assert len(ids) == 5
    notices = [
        one["body"] for one in world.ann.get(f"sessions/{world.scene.session['id']}/events")["items"] if one["body"]["kind"] == "notice"
    ]
    assert [one for one in notices if one["code"] == "notebook_merged" and "direct.ipynb" in one["text"] and "1 cell" in one["text"]]


async def test_a_file_that_is_no_notebook_is_put_aside_and_a_link_out_of_the_worktree_leads_nowhere(world):
    path = world.notebook("broken.ipynb", "one")
    private = world.root / "private.ipynb"
    private.write_text(notebooks.dump(notebooks.normal({"cells": [notebooks.new_cell("p", "code", "private")], "nbformat": 4})))
    async with world.open(path, "alice") as alice:
        world.file(path).write_text("no notebook")
        await until(lambda: "cannot be read" in world.server.log.read_text())
        alice.type("c0", "still ")
        await until(lambda: world.on_disk(path) == [("c0", "still one")])
        [aside] = world.file(path).parent.glob("broken.unreadable-*.txt")
        assert aside.read_text() == "no notebook"

        world.file(path).unlink()
        world.file(path).symlink_to(private)  # as an agent may do
        alice.type("c0", "and ")
        await until(lambda: "leads out of its worktree" in world.server.log.read_text())
        assert "does not exist" in await world.refused("notebook_read", path)
        assert "private" in private.read_text()
        assert alice.sources() == [("c0", "and still one")]
        assert len(list(world.file(path).parent.glob("broken.unreadable-*"))) == 1
    for escape in ("../../../private.ipynb", str(private), ".git/x.ipynb", "a//b.ipynb", "readme.md"):
        assert "cannot be used" in await world.refused("notebook_insert_cell", escape, source="x")


async def test_who_opened_the_notebook_below_a_link_sees_the_agent_work_too(world):
    path = world.notebook("linked.ipynb", "one")
    (world.root / "link").symlink_to(world.file(path).parent)
    async with world.open(path, "alice", below="link") as alice:
        added = await world.ok("notebook_insert_cell", path, source="by the agent")

        await until(lambda: alice.sources() == [(added["id"], "by the agent"), ("c0", "one")])


async def test_a_cell_runs_only_after_a_persons_yes_and_everybody_sees_its_output(world):
    path = world.notebook("run.ipynb", "import os\nprint(os.getcwd())\n6 * 7", "1 / 0", "import time\ntime.sleep(600)")
    async with world.open(path, "alice") as alice, world.open(path, "bob") as bob:
        assert "said no" in await asked(world, "no", "notebook_run_cell", path, cell_id="c0", seen=await world.seen(path, "c0"))
        assert alice.outputs("c0") == []

        run = await asked(world, "run", "notebook_run_cell", path, cell_id="c0", seen=await world.seen(path, "c0"))

        assert (run["state"], run["cell"]["execution_count"], run["kernel"]) == ("done", 1, "agor-own")
        assert run["outputs"] == [{"kind": "stdout", "text": f"{world.file(path).parent}\n"}, {"kind": "result", "text": "42"}]
        await until(lambda: [one["output_type"] for one in alice.outputs("c0")] == ["stream", "execute_result"])
        await until(lambda: alice.outputs("c0") == bob.outputs("c0"))

        failed = await asked(world, "run", "notebook_run_cell", path, cell_id="c1", seen=await world.seen(path, "c1"))
        assert (failed["state"], failed["outputs"][0]["ename"]) == ("failed", "ZeroDivisionError")
        assert "\x1b" not in failed["outputs"][0]["traceback"]

        stopped = await asked(world, "run", "notebook_run_cell", path, cell_id="c2", seen=await world.seen(path, "c2"), timeout_s=1)
        assert (stopped["state"], stopped["outputs"][0]["ename"]) == ("interrupted", "KeyboardInterrupt")
        [listed] = [one for one in (await world.ok_list())["items"] if one["path"] == path]
        assert (listed["is_open"], listed["kernel"]) == (True, "agor-own")


async def asked(world, option, tool, path, **arguments):
    """Call a tool that asks a person, and answer."""
    calling = asyncio.create_task(world.call(tool, path, **arguments))
    question = await asyncio.to_thread(wait_for, lambda: world.ann.get("permissions"))
    assert question[0]["command"] == dict(world.on_disk(path))[arguments["cell_id"]]
    assert "outside of the sandbox" in question[0]["title"]
    await asyncio.to_thread(world.ann.post, f"permissions/{question[0]['id']}/answer", {"optionId": option})
    return (await calling)[1]
