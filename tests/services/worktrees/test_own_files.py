"""What an agent keeps for itself in a worktree is told apart from work, and never lost. The agent is real, so are git and the files."""

import dataclasses
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import WorktreeFiles
from agor_jupyter.domain.own_files import NOBODYS
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.work import WorkKind
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.worktrees.keepers import Keepers
from tests.scene import Scene
from tests.services.sessions.test_continuations import lingering, prompt

STATE, PLAIN = ".tool/state.json", "tool-state.db"


@pytest.fixture
def config(config):
    agents = (
        lingering(name="plain", label="Plain"),
        lingering(f"--keeps={STATE}", f"--keeps={PLAIN}", name="keeper", label="Keeper"),
        lingering(name="named", label="Named Tool", files=WorktreeFiles(own=[".named*", ".cache/named/"])),
    )
    return dataclasses.replace(config, agents=agents, idle_timeout=timedelta(seconds=30), quiet_time=timedelta(seconds=0.3))


def write(scene: Scene, name: str, text: str = "x\n") -> tuple:
    return ("write", str(Path(scene.worktree.path) / name), text)


def tool(name: str = "t", status: str = "in_progress", title: str = "Look", **more) -> tuple:
    return ("tool", name, status, title, more)


async def played(scene: Scene, session, *steps):
    return await scene.ended(await prompt(scene, session, *steps, ("end",)))


async def changed(scene: Scene, turn) -> tuple[list[str], list[str]]:
    """The files that a turn changed, and what is said beside them."""
    patch = await scene.agor.turns.patch(turn.id)
    return [file.path for file in patch.files], patch.not_shown


async def status(scene: Scene):
    [found] = await scene.agor.worktrees.status([scene.worktree.id], 0)
    return found


async def own(scene: Scene) -> list[str]:
    return [name for one in await scene.agor.worktrees.losses(scene.worktree.id) if one.kind is WorkKind.OWN for name in one.names]


async def work(scene: Scene) -> list[str]:
    return [name for one in await scene.agor.worktrees.losses(scene.worktree.id) if one.kind is not WorkKind.OWN for name in one.names]


async def test_what_it_made_before_it_was_prompted_is_no_change_of_a_turn_nor_of_the_card(scene):
    session = await scene.session(agent="keeper")

    turn = await played(scene, session, ("say", "hello"))
    found = await status(scene)

    assert await changed(scene, turn) == ([], [])
    assert (turn.files, turn.dirty_after) == (0, False)
    assert (found.dirty, found.untracked, found.files, found.added) == (False, 0, 0, 0)
    [told] = found.work
    assert (told.kind, told.files, told.names) == (WorkKind.OWN, 2, [STATE, PLAIN])
    assert told.text == f"2 files of Keeper's own: {STATE}, {PLAIN} (10 bytes)"


async def test_its_work_is_counted_beside_it(scene):
    session = await scene.session(agent="keeper")

    turn = await played(scene, session, tool(), write(scene, "model.sql", "select 2\n"), write(scene, "new.sql"), tool(status="completed"))
    found = await status(scene)
    diff = await scene.agor.worktrees.diff(scene.worktree.id)

    assert (await changed(scene, turn))[0] == ["model.sql", "new.sql"]
    assert (turn.files, turn.dirty_after) == (2, True)
    assert (found.dirty, found.untracked, found.unstaged, found.files) == (True, 1, 1, 2)
    assert [file.path for file in diff.files] == ["model.sql", "new.sql"]
    assert STATE not in diff.text
    assert diff.not_shown == [f"2 files of Keeper's own, not shown: {STATE}, {PLAIN}"]


CASES = {
    "hides, well before a tool": (lambda s: [write(s, ".x/state"), ("wait", 1.2), tool()], True),
    "hides deeper, well before a tool": (lambda s: [write(s, "src/.x/state"), ("wait", 1.2), tool()], True),
    "hides, just before a tool": (lambda s: [write(s, ".x/state"), tool()], False),
    "hides, after a tool": (lambda s: [tool(), ("wait", 0.1), write(s, ".x/state")], False),
    "hides, before a tool, and again after it": (
        lambda s: [write(s, ".x/state"), ("wait", 1.2), tool(), write(s, ".x/state", "y\n")],
        False,
    ),
    "hides, without any tool": (lambda s: [write(s, ".x/state"), ("wait", 1.2)], False),
    "hides, before a tool that is told of when it has ended": (
        lambda s: [write(s, ".x/state"), ("wait", 1.2), tool(status="completed")],
        False,
    ),
    "hides, before a tool that names it": (
        lambda s: [write(s, ".x/state"), ("wait", 1.2), tool(locations=[{"path": f"{s.worktree.path}/.x/state"}])],
        False,
    ),
    "hides, before a tool that names it in a command": (
        lambda s: [write(s, ".x/state"), ("wait", 1.2), tool(rawInput={"command": "rm -f .x/state && touch .x/state"})],
        False,
    ),
    "does not hide": (lambda s: [write(s, "state.txt"), ("wait", 1.2), tool()], False),
}


@pytest.mark.parametrize("case", CASES)
async def test_what_comes_between_the_prompt_and_the_first_tool_is_its_own_only_if_it_cannot_be_work(scene, case):
    steps, is_own = CASES[case]
    session = await scene.session(agent="plain")

    turn = await played(scene, session, *steps(scene))

    assert ((await changed(scene, turn))[0] == []) is is_own
    assert (await own(scene) != []) is is_own
    assert (await work(scene) == []) is is_own
    assert (await status(scene)).dirty is not is_own


async def test_it_stays_its_own_while_it_writes_on_and_until_a_tool_names_it(scene):
    session = await scene.session(agent="keeper")
    await played(scene, session, ("say", "hello"))

    written = await played(scene, session, tool(), write(scene, STATE, "more\n"))
    named = await played(scene, session, tool(title=f"Write {STATE}"), write(scene, STATE, "by a tool\n"))

    assert await changed(scene, written) == ([], [f"1 file of Keeper's own, not shown: {STATE}"])
    assert await changed(scene, named) == ([STATE], [])
    assert (await own(scene), await work(scene)) == ([PLAIN], [STATE])


async def test_what_is_committed_is_everybodys_and_what_is_gone_is_forgotten(scene):
    folder = Path(scene.worktree.path)
    session = await scene.session(agent="keeper")
    await played(scene, session, ("say", "hello"))
    who = ("-c", "user.name=t", "-c", "user.email=t@t")
    subprocess.run(["git", "add", "-f", STATE], cwd=folder, check=True)
    subprocess.run(["git", *who, "commit", "-qm", "its state"], cwd=folder, check=True)
    (folder / PLAIN).unlink()

    changed_by = await played(scene, session, tool(), write(scene, STATE, "mine\n"))
    (folder / PLAIN).write_text("a person's\n")

    assert (await changed(scene, changed_by))[0] == [STATE]
    assert (await scene.agor.worktrees.get(scene.worktree.id)).own_files == {}
    assert await own(scene) == []
    assert sorted(name for name in await work(scene) if name) == [STATE, PLAIN]


async def test_while_another_session_works_there_it_may_be_anybodys(scene):
    other, session = await scene.session(agent="plain"), await scene.session(agent="keeper")
    theirs = await prompt(scene, other, ("until_cancelled",))
    await scene.until(theirs, "running")

    turn = await played(scene, session, ("say", "hello"))
    await scene.agor.turns.cancel(scene.caller, theirs.id)
    await scene.ended(theirs)

    assert await own(scene) == []
    assert (await work(scene), (await status(scene)).dirty) == ([STATE, PLAIN], True)
    assert turn.files == 0  # it was there before the prompt


async def test_what_was_there_before_its_process_is_work_whoever_made_it(scene):
    folder = Path(scene.worktree.path)
    (folder / STATE).parent.mkdir()
    (folder / STATE).write_text("a person's\n")
    session = await scene.session(agent="keeper")

    await played(scene, session, ("say", "hello"))

    assert (await own(scene), await work(scene)) == ([PLAIN], [STATE])


# By its entry


async def test_what_its_entry_names_is_its_own_whenever_it_was_written(scene):
    session = await scene.session(agent="named")

    steps = [write(scene, ".named.log"), write(scene, ".cache/named/a"), write(scene, ".cache/other"), write(scene, "a.sql")]
    turn = await played(scene, session, tool(), *steps)

    assert await changed(scene, turn) == (
        [".cache/other", "a.sql"],
        ["2 files of Named Tool's own, not shown: .cache/named/a, .named.log"],
    )
    assert await own(scene) == [".cache/named/a", ".named.log"]
    assert (await status(scene)).untracked == 2


async def test_where_that_agent_never_worked_it_is_a_persons(scene):
    (Path(scene.worktree.path) / ".named.log").write_text("mine\n")
    await played(scene, await scene.session(agent="plain"), ("say", "hello"))
    session = await scene.session(agent="named")
    before = await work(scene)

    await played(scene, session, ("say", "hello"))

    assert before == [".named.log"]
    assert (await own(scene), await work(scene)) == ([".named.log"], [])


async def test_an_ignored_file_that_its_entry_names_is_its_own_and_no_ignored_work(scene):
    folder = Path(scene.worktree.path)
    (folder / ".gitignore").write_text(".named*\n.cache/\n")
    subprocess.run(["git", "add", ".gitignore"], cwd=folder, check=True)
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "ignore"], cwd=folder, check=True)
    session = await scene.session(agent="named")

    await played(scene, session, tool(), write(scene, ".named/data"), write(scene, ".named-state"))

    found = await status(scene)
    assert sorted(await own(scene)) == [".named-state", ".named/data"]
    assert [one.kind for one in found.work] == [WorkKind.COMMITS, WorkKind.OWN]
    assert not found.dirty


@pytest.mark.parametrize(("pattern", "path"), [("*.own", "a.own"), ("?ool/", "tool/a"), (".x/y/", ".x/")])
async def test_whatever_a_pattern_begins_with_it_is_looked_for(scene, pattern, path):
    """`.x/` is a folder whose files were not listed."""
    await played(scene, await scene.session(agent="plain"), ("say", "hello"))
    keepers = Keepers(scene.agor.store, {"plain": lingering(name="plain", label="Plain", files=WorktreeFiles(own=[pattern]))})

    found = await keepers.of(await scene.agor.worktrees.get(scene.worktree.id), ["b.sql", path])

    assert found.entries == {"Plain": [pattern]}
    assert await keepers.of(await scene.agor.worktrees.get(scene.worktree.id), ["b.sql"]) == NOBODYS


async def test_a_rename_into_its_own_hides_no_deletion(scene):
    folder = Path(scene.worktree.path)
    session = await scene.session(agent="named")

    turn = await played(scene, session, tool(), ("run", "mv", str(folder / "README.md"), str(folder / ".named.md")), ("wait", 0.3))

    assert [(file.path, file.status) for file in (await scene.agor.turns.patch(turn.id)).files] == [("README.md", "deleted")]


# Never lost


async def test_a_removal_needs_no_force_and_keeps_it_and_says_so(scene):
    folder, session = Path(scene.worktree.path), await scene.session(agent="keeper")
    await played(scene, session, ("say", "hello"))

    removal = await scene.agor.worktrees.remove(scene.caller, scene.worktree.id, scene.key())

    assert removal.own == [f"2 files of Keeper's own: {STATE}, {PLAIN} (10 bytes)"]
    assert removal.until is not None
    assert (Path(removal.folder) / "files" / STATE).read_text() == "kept\n"
    assert not folder.exists()
    [backup] = await scene.agor.worktrees.archives.backups.list()
    assert backup.held == removal.own
    restored = await scene.agor.worktrees.restore(scene.caller, scene.worktree.id, scene.key())
    assert restored.own_files == {STATE: "keeper", PLAIN: "keeper"}
    assert (folder / STATE).read_text() == "kept\n"


async def test_a_removal_with_work_is_refused_for_the_work_alone(scene):
    session = await scene.session(agent="keeper")
    await played(scene, session, tool(), write(scene, "a.sql"))

    with pytest.raises(errors.WouldLoseWork) as refused:
        await scene.agor.worktrees.remove(scene.caller, scene.worktree.id, scene.key())

    assert refused.value.details["losses"] == ["1 untracked file: a.sql (2 bytes)"]


async def test_an_archive_keeps_it_and_so_does_its_removal(scene):
    folder, session = Path(scene.worktree.path), await scene.session(agent="keeper")
    await played(scene, session, ("say", "hello"))
    await scene.agor.worktrees.archive(scene.caller, scene.worktree.id, scene.key())
    await scene.agor.worktrees.restore(scene.caller, scene.worktree.id, scene.key())
    brought_back = (folder / STATE).read_text(), await own(scene), (await status(scene)).dirty
    await scene.agor.worktrees.archive(scene.caller, scene.worktree.id, scene.key())

    removal = await scene.agor.worktrees.remove(scene.caller, scene.worktree.id, scene.key())

    assert brought_back == ("kept\n", [STATE, PLAIN], False)
    assert removal.own == [f"2 files of Keeper's own: {STATE}, {PLAIN} (10 bytes)"]
    assert (Path(removal.folder) / "files" / STATE).read_text() == "kept\n"


async def test_a_repository_below_its_own_folder_is_work_all_the_same(scene):
    session = await scene.session(agent="named")
    inner = Path(scene.worktree.path) / ".named" / "clone"
    await played(scene, session, tool(), write(scene, ".named/log"), ("run", "git", "init", "-q", str(inner)), ("wait", 0.3))
    (inner / "a.txt").write_text("x\n")

    with pytest.raises(errors.WouldLoseWork, match="repository inside"):
        await scene.agor.worktrees.remove(scene.caller, scene.worktree.id, scene.key())


async def test_the_servers_next_start_still_knows_it(config, owner, key, repository):
    async with Agor(config) as app:
        repo = await app.repos.add(owner, RepoAdd(path=str(repository)), key())
        made = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
        scene = Scene(app, owner, key, await app.worktrees.wait_ready(made.id))
        await played(scene, await scene.session(agent="keeper"), ("say", "hello"))
    async with Agor(config) as app:
        scene = Scene(app, owner, key, scene.worktree)

        assert (await own(scene), await work(scene)) == ([STATE, PLAIN], [])
