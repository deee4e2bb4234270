"""Whatever an agent commits in its sandbox is outside after the turn: on the branch, or under a ref that holds exactly it."""

import re
from pathlib import Path

from agor_jupyter.domain.worktrees import TakeRequest
from tests.sandbox.conftest import git, notices, play

COMMIT = "echo {0} > {0}; git add {0}; git commit -qm {0}; git rev-parse HEAD > /tmp/{0}; echo {0}=$(git rev-parse HEAD)"


def commit(name: str) -> str:
    return COMMIT.format(name)


def committed(said: str) -> dict[str, str]:
    return dict(line.split("=") for line in said.split() if "=" in line)


def kept(scene, repository) -> dict[str, str]:
    below = f"refs/agor/sandbox/{scene.worktree.id}/"
    lines = git("for-each-ref", "--format=%(refname) %(objectname)", below, cwd=repository).splitlines()
    return {name.removeprefix(below): sha for name, sha in (line.split() for line in lines) if f"{below}base/" not in name}


async def texts(scene, session) -> list[str]:
    return [event["body"]["text"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]


def named_refs(said: list[str]) -> list[str]:
    return [ref.rstrip(".:,;") for text in said for ref in re.findall(r"refs/agor/\S+", text)]


async def test_commits_on_no_branch_are_kept_under_the_ref_that_the_notice_names(scene, repository):
    session = await scene.session()

    _, said = await play(scene, session, "git switch -q --detach", commit("one"), commit("two"))

    made = committed(said)
    [ref] = named_refs(await texts(scene, session))
    assert git("rev-parse", ref, cwd=repository) == made["two"]
    assert git("log", "--format=%s", ref, cwd=repository).split() == ["two", "one", "first"]
    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "first"


async def test_every_ref_that_a_notice_names_holds_what_the_agent_committed(scene, repository):
    session = await scene.session()

    _, one = await play(scene, session, "git switch -q -c side", commit("one"))
    _, two = await play(scene, session, "git switch -q --detach HEAD~1", commit("two"))
    _, three = await play(scene, session, f"git switch -q {scene.worktree.branch}", commit("three"))
    _, four = await play(scene, session, "git commit -q --amend -m four; echo four=$(git rev-parse HEAD)")

    made = committed(one) | committed(two) | committed(three) | committed(four)
    refs = {ref: git("rev-parse", ref, cwd=repository) for ref in named_refs(await texts(scene, session)) if not ref.endswith("/HEAD")}
    assert set(refs.values()) == {made["one"], made["three"]}
    assert made["two"] in kept(scene, repository).values()  # its HEAD went on, so it has another name now
    assert git("rev-parse", scene.worktree.branch, cwd=repository) == made["four"]


async def test_tags_notes_stashes_and_other_refs_are_kept(scene, repository):
    session = await scene.session()

    _, said = await play(
        scene,
        session,
        commit("one"),
        "git tag -a -m release v1; git tag v0; git notes add -m remark HEAD; git update-ref refs/mine/x HEAD",
        "for n in 1 2 3; do echo $n > README.md; git stash -q; done; git branch -m side",
        "for r in v1 v0 refs/notes/commits refs/mine/x stash@{0} stash@{1} stash@{2} side; do echo $r=$(git rev-parse $r); done",
    )

    made, found = committed(said), kept(scene, repository)
    assert found["tags/v1"] == made["v1"]
    assert found["tags/v0"] == made["v0"]
    assert found["notes/commits"] == made["refs/notes/commits"]
    assert found["other/mine/x"] == made["refs/mine/x"]
    assert found["heads/side"] == made["side"]
    assert found["stash"] == made["stash@{0}"]
    assert {sha for name, sha in found.items() if name.startswith("stashes/")} == {made["stash@{1}"], made["stash@{2}"]}
    git("fsck", "--strict", cwd=repository)


async def test_a_persons_notes_are_there_inside(scene, repository):
    git("notes", "add", "-m", "a remark", "main", cwd=repository)

    _, said = await play(scene, await scene.session(), "git notes show main")

    assert said.strip() == "a remark"


async def test_commits_that_only_a_reflog_names_are_kept(scene, repository):
    session = await scene.session()

    _, said = await play(
        scene,
        session,
        *(commit("one"), "git commit -q --amend -m again", commit("two"), commit("three"), "git reset -q --hard HEAD~2"),
        *("git switch -q -c gone", commit("four"), f"git switch -q {scene.worktree.branch}; git branch -q -D gone"),
    )

    made, found = committed(said), {sha for name, sha in kept(scene, repository).items() if name.startswith("lost/")}
    assert found == {made["one"], made["three"], made["four"]}  # "two" is below "three"
    assert await notices(scene, session) == []

    await play(scene, session, "git log -1")
    assert {sha for name, sha in kept(scene, repository).items() if name.startswith("lost/")} == found


async def test_a_branch_that_is_deleted_in_a_later_turn_is_kept_by_another_name(scene, repository):
    session = await scene.session()
    _, said = await play(scene, session, "git switch -q -c side", commit("one"), "git switch -q -")

    await play(scene, session, "git branch -q -D side; git branch side/below")

    found = kept(scene, repository)
    assert "heads/side" not in found
    assert committed(said)["one"] in found.values()


async def test_commits_in_worktrees_that_the_agent_makes_are_kept(scene, repository):
    session = await scene.session()

    _, said = await play(
        scene,
        session,
        "git worktree add -q --detach /tmp/w; git worktree add -q -b inner ./inner",
        f"cd /tmp/w; {commit('one')}; cd - > /dev/null; cd inner; {commit('two')}",
    )

    made, found = committed(said), kept(scene, repository)
    assert found["worktrees/w/HEAD"] == made["one"]
    assert found["heads/inner"] == made["two"]


async def test_one_broken_tag_keeps_nothing_else_back(scene, repository):
    session = await scene.session()

    _, said = await play(
        scene,
        session,
        "t=$(printf '040000 tree 1111111111111111111111111111111111111111\\tgone\\n' | git mktree --missing); git tag broken $t",
        *("git switch -q -c side", commit("one"), "git switch -q -"),
    )

    assert kept(scene, repository)["heads/side"] == committed(said)["one"]
    assert "not_collected" in await notices(scene, session)


async def test_a_lock_that_a_dead_agent_left_is_cleared(scene):
    session = await scene.session()
    await play(scene, session, 'touch "$(git rev-parse --git-dir)/index.lock" "$(git rev-parse --git-common-dir)/refs/heads/x.lock"')
    await scene.agor.runner.dismiss([session.id])

    _, said = await play(scene, session, commit("one"), "git branch x && echo made")

    assert "made" in said


async def test_conflicts_inside_are_told_once_and_until_they_change(scene):
    session = await scene.session()
    await play(
        scene,
        session,
        *("git switch -q -c side; echo a > load.py; git commit -qam a", "git switch -q -; echo b > load.py; git commit -qam b"),
        "git rebase side > /dev/null 2>&1 || true",
    )
    await play(scene, session, "git status > /dev/null")

    told = [text for text in await texts(scene, session) if "under way" in text]
    assert len(told) == 1
    assert told[0].startswith("A rebase is under way in the agent's sandbox, 1 file in conflict: load.py.")


# What a person does meanwhile


async def _meanwhile(scene, session, before: str, person, after: str = "true"):
    path = Path(scene.worktree.path)
    turn = await scene.prompt(session, before, "touch .git-done; while [ ! -e .git-go ]; do sleep 0.05; done; rm .git-done .git-go", after)
    await scene.allow(turn)
    await scene.eventually((path / ".git-done").exists)
    person(path)
    (path / ".git-go").touch()
    turn = await scene.ended(turn)
    assert turn.state.value == "done", turn
    return turn


async def test_a_commit_in_the_middle_of_a_turn_is_told(scene, repository):
    session = await scene.session()

    await _meanwhile(scene, session, "true", lambda path: git("commit", "--allow-empty", "-qm", "by a person", cwd=path))

    assert await notices(scene, session) == ["followed"]
    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "by a person"


async def test_a_reset_in_the_middle_of_a_turn_is_not_undone(scene, repository):
    session = await scene.session()
    path, branch = Path(scene.worktree.path), scene.worktree.branch
    _, said = await play(scene, session, commit("one"))

    await _meanwhile(scene, session, commit("two"), lambda path: git("reset", "-q", "--hard", "HEAD~1", cwd=path))

    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "first"
    assert await notices(scene, session) == ["reset"]
    [ref, *_] = named_refs(await texts(scene, session))
    assert git("log", "--format=%s", ref, cwd=repository).split() == ["two", "one", "first"]
    _, said = await play(scene, session, "git log --format=%s")
    assert said.split() == ["first"]

    taken = await scene.agor.sandboxes.kept_commits.take(scene.caller, scene.worktree.id, TakeRequest(ref=ref), scene.key())
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "two"
    assert git("status", "--porcelain", cwd=path) == ""
    assert taken.left == []
    assert (path / "one").read_text() == "one\n"


async def test_a_switch_in_the_middle_of_a_turn_is_not_undone(scene, repository):
    session = await scene.session()
    path = Path(scene.worktree.path)

    await _meanwhile(scene, session, "true", lambda path: git("switch", "-q", "-c", "other", cwd=path), commit("one"))

    assert git("branch", "--show-current", cwd=path) == "other"
    assert git("log", "-1", "--format=%s", "other", cwd=repository) == "first"
    assert kept(scene, repository)[f"heads/{scene.worktree.branch}"]
    assert await notices(scene, session) == ["other_branch"]


async def test_what_a_person_staged_stays_staged_while_the_agent_commits(scene, repository):
    session = await scene.session()
    path = Path(scene.worktree.path)

    def stage(path):
        (path / "load.py").write_text("staged\n")
        git("add", "load.py", cwd=path)
        (path / "load.py").write_text("later\n")

    await _meanwhile(scene, session, "true", stage, commit("one"))

    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "one"
    assert git("show", ":load.py", cwd=path) == "staged"
    assert (path / "load.py").read_text() == "later\n"
    assert git("status", "--porcelain", cwd=path) == "MM load.py"
    assert await notices(scene, session) == []


async def test_another_staged_version_of_what_the_agent_committed_is_kept(scene, repository):
    session = await scene.session()
    path = Path(scene.worktree.path)

    def stage(path):
        (path / "load.py").write_text("staged\n")
        git("add", "load.py", cwd=path)

    await _meanwhile(scene, session, "true", stage, "echo agent > load.py; git commit -qam agent")

    [ref] = named_refs(await texts(scene, session))
    assert git("show", f"{ref}:load.py", cwd=repository) == "staged"
    assert git("status", "--porcelain", cwd=path) == ""


async def test_a_merge_of_a_person_is_not_disturbed(scene, repository):
    session = await scene.session()
    path, branch = Path(scene.worktree.path), scene.worktree.branch
    git("branch", "topic", cwd=repository)
    git("commit", "--allow-empty", "-qm", "on main", cwd=repository)

    await _meanwhile(scene, session, "true", lambda path: git("merge", "-q", "--no-ff", "--no-commit", "main", cwd=path), commit("one"))
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "first"
    assert await notices(scene, session) == ["under_way"]

    git("commit", "-qm", "merged", cwd=path)
    taken = await scene.agor.sandboxes.kept_commits.take(scene.caller, scene.worktree.id, TakeRequest(), scene.key())
    assert sorted(git("log", "--format=%s", "--no-merges", branch, cwd=repository).split("\n")) == ["first", "on main", "one"]
    assert taken.ref == f"refs/agor/sandbox/{scene.worktree.id}/heads/{branch}"
    assert git("status", "--porcelain", cwd=path) == ""
    await play(scene, session, commit("two"))
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "two"


async def test_the_advice_of_a_notice_works_though_files_stand_in_the_way(scene, repository):
    session = await scene.session()
    path, branch = Path(scene.worktree.path), scene.worktree.branch

    def person(path):
        (path / "mine").write_text("mine\n")
        git("add", "mine", cwd=path)
        git("commit", "-qm", "by a person", cwd=path)
        (path / "model.sql").write_text("select 2\n")  # not committed

    await _meanwhile(scene, session, "true", person, f"{commit('one')}; echo more >> one; echo 2 > load.py; git commit -qm two load.py")
    assert await notices(scene, session) == ["diverged"]
    [ref, _] = named_refs(await texts(scene, session))

    key = scene.key()
    taken = await scene.agor.sandboxes.kept_commits.take(scene.caller, scene.worktree.id, TakeRequest(ref=ref), key)
    again = await scene.agor.sandboxes.kept_commits.take(scene.caller, scene.worktree.id, TakeRequest(ref=ref), key)

    assert again == taken
    assert taken.left == ["one"]
    assert sorted(git("log", "--format=%s", "--no-merges", branch, cwd=repository).split("\n")) == ["by a person", "first", "one", "two"]
    assert git("status", "--porcelain", cwd=path).split("\n") == ["M model.sql", " M one"]
    _, said = await play(scene, session, "git status --porcelain; git log -1 --format=%s")
    assert said.split("\n")[-2].startswith("Merge what was made in the sandbox")


# Tags


async def test_an_annotated_tag_is_kept_also_when_it_is_moved_or_deleted(scene, repository):
    session = await scene.session()
    _, said = await play(
        scene,
        session,
        commit("one"),
        "git tag -a -m first v1; echo first=$(git rev-parse v1)",
        "git tag -a -m gone v2; echo gone=$(git rev-parse v2)",
    )
    made = committed(said)

    await play(scene, session, "git tag -f -a -m second v1; git tag -d v2")

    found = kept(scene, repository)
    git("gc", "-q", "--prune=now", cwd=repository)
    for name in ("first", "gone"):
        assert made[name] in found.values(), name
        assert git("cat-file", "-p", made[name], cwd=repository).endswith(name)
    assert git("cat-file", "-p", found["tags/v1"], cwd=repository).endswith("second")


async def test_a_tag_of_a_tag_a_tree_or_a_file_is_kept(scene, repository):
    session = await scene.session()

    _, said = await play(
        scene,
        session,
        "git tag -a -m inner t1; git tag -a -m outer t2 t1; git tag -a -m tree t3 HEAD^{tree}; git tag -a -m file t4 HEAD:load.py; git tag t5 HEAD:load.py",
        "for t in t1 t2 t3 t4; do echo $t=$(git rev-parse $t); done",
    )

    found = kept(scene, repository)
    git("gc", "-q", "--prune=now", cwd=repository)
    assert {name: found[f"tags/{name}"] for name in ("t1", "t2", "t3", "t4")} == committed(said)
    listed = {one.ref.rpartition("/")[2]: one for one in await scene.agor.sandboxes.kept_commits.list(scene.worktree.id)}
    assert {listed[name].can_take for name in ("t1", "t2", "t3", "t4")} == {False}
    git("fsck", "--strict", cwd=repository)
