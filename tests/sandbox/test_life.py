"""Agents at work in their sandbox, by the real engine and the script agent: commits come out, people's come in, nothing is lost."""

import asyncio
import dataclasses
from pathlib import Path

from agor_jupyter.services.app import Agor
from tests.sandbox.conftest import git, notices, play
from tests.scene import Scene


async def test_a_commit_is_on_the_branch_after_the_turn_and_not_before(scene, repository):
    session = await scene.session()
    branch, path = scene.worktree.branch, Path(scene.worktree.path)
    turn = await scene.prompt(session, "echo 1 > new.txt; git add new.txt; git commit -qm inside; echo 2 >> README.md; touch made; sleep 2")
    await scene.allow(turn)
    await scene.eventually((path / "made").exists)

    before = git("log", "-1", "--format=%s", branch, cwd=repository)
    turn = await scene.ended(turn)

    assert before == "first"
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "inside"
    assert git("status", "--porcelain", cwd=path) == "M README.md\n?? made"
    assert turn.commit_after == git("rev-parse", branch, cwd=repository)
    assert (turn.files, turn.added) == (3, 2)
    assert (await scene.agor.sessions.get(session.id)).sandbox == "on"
    assert await notices(scene, session) == []


async def test_the_persons_own_settings_are_followed_where_a_variable_says_they_are(scene, tmp_path, monkeypatch):
    (tmp_path / "settings").write_text("[pull]\n\tff = only\n[core]\n\tpager = less\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "settings"))

    _, written = await play(scene, await scene.session(), "git config pull.ff; git config core.pager || echo no pager")

    assert written.split("\n")[:2] == ["only", "no pager"]


async def test_an_agent_amends_rebases_stashes_tags_switches_and_collects_garbage(scene, repository):
    session = await scene.session()
    branch = scene.worktree.branch
    await play(scene, session, "echo 1 > a; git add a; git commit -qm one; echo 2 > b; git add b; git commit -qm two")
    two = git("rev-parse", branch, cwd=repository)

    _, said = await play(
        scene,
        session,
        "git commit -q --amend -m deux",
        "GIT_SEQUENCE_EDITOR=true git rebase -q -i --force-rebase main",
        "echo 3 >> a; git stash -q; git stash pop -q; git checkout -q -- a",
        "git tag v1; git switch -q -c side; echo 4 > c; git add c; git commit -qm four; git switch -q -",
        "git gc -q; git fsck --no-progress --no-dangling; git status --porcelain; git worktree list | wc -l; git log --format=%s",
    )

    assert said.split("\n") == ["2", "deux", "one", "first", ""]
    assert git("log", "--format=%s", branch, cwd=repository).split("\n") == ["deux", "one", "first"]
    kept = f"refs/agor/sandbox/{scene.worktree.id}"
    assert git("log", "-1", "--format=%s", f"{kept}/heads/side", cwd=repository) == "four"
    assert git("rev-parse", f"{kept}/tags/v1", cwd=repository) == git("rev-parse", branch, cwd=repository)
    assert git("rev-parse", f"refs/agor/backup/{scene.worktree.id}.{two[:12]}", cwd=repository) == two
    assert git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags", cwd=repository).split() == [
        f"refs/heads/{branch}",
        "refs/heads/main",
    ]
    assert await notices(scene, session) == ["rewritten"]


async def test_an_agent_that_stays_on_another_branch_is_told_of_and_its_commits_are_kept(scene, repository):
    session = await scene.session()

    await play(scene, session, "git switch -q -c feature/x; echo 4 > c; git add c; git commit -qm four")
    await play(scene, session, "git branch --show-current")

    kept = f"refs/agor/sandbox/{scene.worktree.id}/heads/feature/x"
    assert git("log", "-1", "--format=%s", kept, cwd=repository) == "four"
    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "first"
    assert git("status", "--porcelain", cwd=Path(scene.worktree.path)) == "?? c"
    assert await notices(scene, session) == ["other_branch"]


async def test_what_an_agent_staged_shows_as_work_that_is_not_staged(scene, repository):
    session = await scene.session()

    await play(scene, session, "echo 1 >> README.md; echo 2 > new; git add -A; git commit -qm x; echo 3 >> load.py; git add load.py")

    status = await scene.agor.worktrees.status([scene.worktree.id], 0)
    assert (status[0].staged, status[0].unstaged, status[0].untracked, status[0].ahead) == (0, 1, 0, 1)


async def test_a_persons_commit_between_turns_is_there_in_the_next(scene, repository):
    session = await scene.session()
    path = Path(scene.worktree.path)
    await play(scene, session, "echo 1 > a; git add a; git commit -qm inside")
    (path / "mine").write_text("x\n")
    git("add", "mine", cwd=path)
    git("commit", "-qm", "by a person", cwd=path)
    git("tag", "v9", cwd=repository)
    git("commit", "--allow-empty", "-qm", "main moved", cwd=repository)

    _, said = await play(scene, session, "git log --format=%s; git status --porcelain; git log -1 --format=%s main; git tag")

    assert said.split("\n") == ["by a person", "inside", "first", "main moved", "v9", ""]
    assert await notices(scene, session) == []


async def test_a_person_who_switches_the_branch_takes_the_agent_along(scene, repository):
    session = await scene.session()
    path = Path(scene.worktree.path)
    await play(scene, session, "git status")
    git("switch", "-q", "-c", "other", cwd=path)

    _, said = await play(scene, session, "echo 1 > a; git add a; git commit -qm inside; git branch --show-current")

    assert said.strip() == "other"
    assert git("log", "-1", "--format=%s", "other", cwd=repository) == "inside"
    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "first"


async def test_commits_of_both_sides_at_once_are_both_kept_until_they_are_merged(scene, repository):
    session = await scene.session()
    branch, path = scene.worktree.branch, Path(scene.worktree.path)
    turn = await scene.prompt(session, "echo 1 > a; git add a; git commit -qm inside; touch done; while [ ! -e go ]; do sleep 0.05; done")
    await scene.allow(turn)
    await scene.eventually((path / "done").exists)
    (path / "mine").write_text("x\n")
    git("add", "mine", cwd=path)
    git("commit", "-qm", "by a person", cwd=path)
    (path / "go").touch()
    await scene.ended(turn)
    kept = f"refs/agor/sandbox/{scene.worktree.id}/heads/{branch}"

    assert await notices(scene, session) == ["diverged"]
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "by a person"
    assert git("log", "-1", "--format=%s", kept, cwd=repository) == "inside"
    for name in ("a", "done", "go"):  # in the way of the merge, as git says
        (path / name).unlink()
    git("merge", "-q", "--no-edit", kept, cwd=path)
    _, said = await play(
        scene, session, "git status --porcelain; git log --format=%s --no-merges; echo 2 > b; git add b; git commit -qm then"
    )
    assert sorted(said.split()) == sorted(["by", "a", "person", "inside", "first"])
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "then"
    assert await notices(scene, session) == ["diverged"]


async def test_a_person_who_commits_first_and_an_agent_that_merges_it_meet_without_a_word(scene, repository):
    session = await scene.session()
    path = Path(scene.worktree.path)
    git("commit", "--allow-empty", "-qm", "on main", cwd=repository)

    await play(scene, session, "git merge -q --no-edit main", "echo 1 > a; git add a; git commit -qm inside")

    assert git("log", "-2", "--format=%s", cwd=path).split("\n") == ["inside", "on main"]
    assert await notices(scene, session) == []


async def test_two_sessions_of_one_worktree_share_its_repository(scene, repository):
    one, two = await scene.session(), await scene.session()
    await play(scene, one, "git switch -q -c shared; git switch -q -; echo 1 > a; git add a; git commit -qm one")

    _, said = await play(scene, two, "git branch --list shared | wc -l; echo 2 > b; git add b; git commit -qm two")
    await play(scene, one, "echo 3 > c; git add c; git commit -qm three")

    assert said.strip() == "1"
    assert git("log", "--format=%s", scene.worktree.branch, cwd=repository).split("\n") == ["three", "two", "one", "first"]


async def test_a_turn_that_is_cancelled_brings_out_what_was_committed(scene, repository):
    session = await scene.session()
    turn = await scene.prompt(session, "echo 1 > a; git add a; git commit -qm inside; touch done; sleep 60")
    await scene.allow(turn)
    await scene.eventually((Path(scene.worktree.path) / "done").exists)

    await scene.agor.turns.cancel(scene.caller, turn.id, scene.key())
    turn = await scene.ended(turn)

    assert turn.state.value == "cancelled"
    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "inside"


async def test_what_was_committed_when_the_server_stopped_comes_out_by_its_next_start(config, repository, owner, key):
    async with Agor(config) as app:
        scene = await open_scene(app, repository, owner, key)
        session = await scene.session()
        turn = await scene.prompt(session, "echo 1 > a; git add a; git commit -qm inside; touch done; sleep 60")
        await scene.allow(turn)
        await scene.eventually((Path(scene.worktree.path) / "done").exists)
        app.sandboxes.collect = _nothing  # as if it had been killed

    async with Agor(config) as app:

        async def tip():
            return git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository)

        await scene.eventually_async(tip, "inside")
        await scene.eventually(lambda: not (config.data_dir / "sandboxes" / scene.worktree.id / "open").exists())


async def test_a_private_side_that_an_agent_broke_is_made_again(scene, repository):
    session = await scene.session()
    await play(scene, session, "echo 1 > a; git add a; git commit -qm inside")
    await play(scene, session, "c=$(git rev-parse --git-common-dir); rm -rf $c/worktrees $c/config $c/HEAD")

    path = Path(scene.worktree.path)
    git("commit", "--allow-empty", "-qm", "by a person", cwd=path)
    _, said = await play(scene, session, "git log --format=%s")

    assert said.split("\n") == ["by a person", "inside", "first", ""]
    assert "not_collected" in await notices(scene, session)
    assert "remade" in await notices(scene, session)


async def test_archiving_takes_the_sandbox_along_and_restoring_begins_a_new_one(scene, repository, config):
    session = await scene.session()
    await play(scene, session, "echo 1 > a; git add a; git commit -qm inside; echo 2 > loose; echo hi > ~/cache")
    folder = config.data_dir / "sandboxes" / scene.worktree.id
    assert (folder / "home" / "cache").exists()

    await scene.agor.worktrees.archive(scene.caller, scene.worktree.id, scene.key())
    is_gone = not folder.exists()
    await scene.agor.worktrees.restore(scene.caller, scene.worktree.id, scene.key())
    await scene.agor.worktrees.wait_ready(scene.worktree.id)
    _, said = await play(scene, await scene.session(), "git log -1 --format=%s; cat loose; ls ~")

    assert is_gone
    assert said.split("\n") == ["inside", "2", ""]


async def test_nothing_is_left_of_a_process(config, repository, owner, key):
    async with Agor(dataclasses.replace(config, idle_timeout=config.idle_timeout * 0)) as app:
        scene = await open_scene(app, repository, owner, key)
        session = await scene.session()
        await play(scene, session, "echo 1 > a; git add a; git commit -qm inside; (setsid sleep 300 &) ; touch /tmp/x")
        folder = config.data_dir / "sandboxes" / scene.worktree.id
        await scene.eventually(lambda: not list((folder / "tmp").iterdir()) and not (folder / "open").exists())

        assert _with(str(folder)) == []
    assert not app.sandboxes._live[scene.worktree.id]


def _with(text: str) -> list[str]:
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                found += [process.name] if text.encode() in (process / "cmdline").read_bytes() else []
            except OSError:
                continue
    return found


async def _nothing(*_arguments):
    await asyncio.sleep(0)
    return []


async def open_scene(app, repository, owner, key) -> Scene:
    from agor_jupyter.domain.repos import RepoAdd
    from agor_jupyter.domain.worktrees import WorktreeCreate

    repo = await app.repos.add(owner, RepoAdd(path=str(repository)), key())
    made = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
    return Scene(app, owner, key, await app.worktrees.wait_ready(made.id))
