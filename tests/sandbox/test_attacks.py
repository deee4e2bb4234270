"""An agent does its worst in its sandbox. Afterwards the real repository is as sound as it was, and nothing of it ran outside."""

from pathlib import Path

import pytest

from agor_jupyter.git import private
from tests.sandbox.conftest import git, notices, play

_HOOKS = (
    "post-checkout pre-commit post-commit post-index-change reference-transaction pre-auto-gc fsmonitor-watchman post-rewrite post-merge "
    "pre-receive update post-receive post-update proc-receive"
)

CONFIG = [
    *("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.gitProxy", "core.askPass", "core.alternateRefsCommand"),
    *("uploadpack.packObjectsHook", "diff.external", "credential.helper", "gpg.program", "interactive.diffFilter", "sequence.editor"),
    *("filter.x.clean", "filter.x.smudge", "filter.x.process", "diff.x.command", "diff.x.textconv", "merge.x.driver"),
    *("remote.origin.uploadpack", "remote.origin.vcs", "remote.origin.receivepack"),
]


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """Made by whatever runs a trap outside. Inside, that folder is not there."""
    return tmp_path / "root" / "MARKER"


def trap(marker: Path) -> list[str]:
    """A script in the worktree, where the server's git would find it too."""
    return [f"printf '#!/bin/sh\\ntouch {marker} ran-inside\\ncat 2>/dev/null\\nexit 0\\n' > trap; chmod 755 trap; T=$PWD/trap"]


async def everything(scene) -> None:
    """All that the server does with a worktree."""
    app, worktree = scene.agor, scene.worktree
    await app.worktrees.status([worktree.id], 0)
    await app.worktrees.diff(worktree.id)
    await app.worktrees.checkpoint(worktree.id)
    await app.sandboxes.refresh(worktree.id)
    await app.sandboxes.collect(worktree.id)


def is_sound(repository: Path) -> bool:
    git("fsck", "--strict", "--full", "--no-progress", cwd=repository)
    git("gc", "-q", "--prune=now", cwd=repository)
    git("fsck", "--strict", "--full", "--no-progress", cwd=repository)
    return git("status", "--porcelain", cwd=repository) == ""


def refs(repository: Path) -> str:
    return git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags", "refs/remotes", cwd=repository)


ATTACKS = {
    "settings": [f"for key in {' '.join(CONFIG)}; do git config $key $T; done; git config filter.x.required false"],
    "settings of the worktree": [
        "git config extensions.worktreeConfig true",
        f"for key in {' '.join(CONFIG)}; do git config --worktree $key $T; done",
    ],
    "included settings": ["printf '[core]\\n\\tfsmonitor = %s\\n' $T > evil; git config include.path $PWD/evil"],
    "hooks": [f'h="$(git rev-parse --git-common-dir)/hooks"; mkdir -p "$h"; for n in {_HOOKS}; do cp trap "$h/$n"; done'],
    "a folder of hooks": [f"mkdir h; for n in {_HOOKS}; do cp trap h/$n; done; git config core.hooksPath $PWD/h"],
    "attributes": [
        "git config filter.x.clean $T; git config filter.x.smudge $T; git config diff.x.command $T; git config diff.x.textconv $T",
        "echo '* filter=x diff=x merge=x' > .gitattributes; echo '* filter=x' > \"$(git rev-parse --git-common-dir)/info/attributes\"",
    ],
    "a promisor remote": [
        'git config remote.evil.url "ext::sh -c $T"; git config remote.evil.promisor true; git config extensions.partialClone evil',
        "git config protocol.ext.allow always; git config core.repositoryFormatVersion 1",
    ],
    "another repository": [
        "c=$(git rev-parse --git-common-dir); git init -q other; printf '[core]\\n\\tfsmonitor = %s\\n' $T >> other/.git/config",
        'g=$(git rev-parse --git-dir); echo "$PWD/other/.git" > "$g/commondir"',
    ],
    "a link for its folder": ['g=$(git rev-parse --git-dir); mv "$g" "$g.moved"; ln -s /etc "$g"'],
    "links for its files": [
        "c=$(git rev-parse --git-common-dir); g=$(git rev-parse --git-dir)",
        'for n in "$c/config" "$c/HEAD" "$c/packed-refs" "$c/info/exclude" "$g/HEAD" "$g/index"; do rm -f "$n"; ln -s /etc/passwd "$n"; done',
    ],
    "pipes for its files": [
        'c=$(git rev-parse --git-common-dir); g=$(git rev-parse --git-dir); rm -f "$c/packed-refs" "$g/HEAD"; mkfifo "$c/packed-refs" "$g/HEAD"'
    ],
    "nothing at all": ['c=$(git rev-parse --git-common-dir); rm -rf "$c"/* 2>/dev/null || true'],
    "alternates": ['c=$(git rev-parse --git-common-dir); printf "/etc\\n/run/agor/home\\n../../..\\n" > "$c/objects/info/alternates"'],
    "odd names of refs": [
        'c=$(git rev-parse --git-common-dir); s=$(git rev-parse HEAD); mkdir -p "$c/refs/heads/x"',
        'printf "%s refs/heads/a..b\\n%s refs/heads/--upload-pack=touch\\n%s refs/heads/@{-1}\\n%s refs/../../config\\n" $s $s $s $s >> "$c/packed-refs"',
        'echo $s > "$c/refs/heads/x/.lock"; echo "ref: refs/heads/main" > "$c/refs/heads/loop"',
    ],
    "a bad loose object": [
        'c=$(git rev-parse --git-common-dir); mkdir -p "$c/objects/ab"; printf junk > "$c/objects/ab/cdef0123456789abcdef0123456789abcdef01"',
        't=$(printf "100644 blob deadbeef\\n" | git hash-object -t blob -w --stdin)',
    ],
    "a planted object": [
        "c=$(git rev-parse --git-common-dir); b=$(git rev-parse HEAD:README.md); f=$c/objects/$(echo $b | cut -c1-2)/$(echo $b | cut -c3-)",
        'mkdir -p "$(dirname $f)"; o=$(echo evil | git hash-object -w --stdin); cp -f "$c/objects/$(echo $o | cut -c1-2)/$(echo $o | cut -c3-)" "$f"',
    ],
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ATTACKS)
async def test_nothing_of_an_attack_reaches_the_real_repository(name, scene, repository, marker, monkeypatch):
    monkeypatch.setattr(private, "INSIDE_S", 3.0)  # one of them makes git wait for ever
    monkeypatch.setattr(private, "PATIENCE_S", 4.0)
    before, session = refs(repository), await scene.session()

    await play(scene, session, *trap(marker), *ATTACKS[name])
    await everything(scene)
    await play(scene, await scene.session(), "true")
    await everything(scene)
    git("status", cwd=Path(scene.worktree.path))
    await scene.agor.worktrees.archive(scene.caller, scene.worktree.id, scene.key())

    assert not marker.exists()
    assert refs(repository) == before
    assert is_sound(repository)


@pytest.mark.parametrize("name", ["settings", "hooks", "attributes", "a folder of hooks"])
async def test_a_commit_comes_out_of_a_repository_full_of_traps(name, scene, repository, marker):
    session = await scene.session()

    await play(
        scene,
        session,
        *trap(marker),
        *ATTACKS[name],
        "echo 1 > a; git -c core.fsmonitor= -c core.hooksPath=/dev/null add a",
        "git -c core.fsmonitor= -c core.hooksPath=/dev/null commit -qm inside",
    )
    await everything(scene)

    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "inside"
    assert not marker.exists()
    assert is_sound(repository)


BAD_COMMITS = {
    "a tree with .git in it": [
        "b=$(echo x | git hash-object -w --stdin); t=$(printf '100644 blob %s\\t.git\\n' $b | git mktree)",
        "git update-ref HEAD $(git commit-tree -m bad -p HEAD $t)",
    ],
    "a tree that climbs": [
        "b=$(echo x | git hash-object -w --stdin); t=$(printf '100644 blob %s\\t..\\n' $b | git mktree)",
        "git update-ref HEAD $(git commit-tree -m bad -p HEAD $t)",
    ],
    "a commit without an author": [
        "printf 'tree %s\\n\\nbad\\n' $(git rev-parse HEAD^{tree}) | git hash-object -t commit -w --stdin --literally > /tmp/c",
        "git update-ref HEAD $(cat /tmp/c)",
    ],
    "a tree that is missing": [
        "t=$(printf '040000 tree 1111111111111111111111111111111111111111\\tgone\\n' | git mktree --missing)",
        "git update-ref HEAD $(git commit-tree -m bad -p HEAD $t)",
    ],
    "a submodule with a bad URL": [
        "printf '[submodule \"x\"]\\n\\tpath = x\\n\\turl = --upload-pack=touch\\n' > .gitmodules; git add .gitmodules; git commit -qm bad",
    ],
    "no commit at all": [
        'b=$(echo x | git hash-object -w --stdin); echo $b > "$(git rev-parse --git-common-dir)/$(git symbolic-ref HEAD)"'
    ],
}


@pytest.mark.parametrize("name", BAD_COMMITS)
async def test_what_git_finds_to_be_bad_does_not_come_out(name, scene, repository):
    before, session = refs(repository), await scene.session()

    await play(scene, session, *BAD_COMMITS[name])

    assert "not_collected" in await notices(scene, session)
    assert refs(repository) == before
    assert is_sound(repository)


async def test_the_real_repository_the_home_and_other_worktrees_are_out_of_reach(scene, repository, config, tmp_path, marker):
    from agor_jupyter.domain.worktrees import WorktreeCreate

    other = await scene.agor.worktrees.create(scene.caller, WorktreeCreate(repo=scene.worktree.repo_id, name="other"), scene.key())
    other = await scene.agor.worktrees.wait_ready(other.id)
    session = await scene.session()
    before = refs(repository)

    _, said = await play(
        scene,
        session,
        f"cat {tmp_path}/root/person/.ssh/id 2>&1 || true",
        "ls -A ~; ls -A /root 2>/dev/null; ls /home 2>/dev/null || true",
        f"ls -A {other.path} 2>&1 || true; ls {config.data_dir}/agor.db 2>&1 || true; ls {config.data_dir}/sandboxes 2>&1 || true",
        f"ls -A {repository}",
        "cat /etc/shadow 2>/dev/null | wc -l",
        f"touch {marker} {config.data_dir}/x {repository}/x 2>/dev/null || true",
        "touch /usr/x 2>&1 | grep -o 'Read-only' || true; touch /run/agor/objects/x 2>&1 | grep -o 'Read-only' || true",
        "echo x > .git 2>&1 || true; mv .git y 2>/dev/null || rm -f .git 2>/dev/null || echo kept",
        "git branch -D main -q || true; git update-ref refs/heads/main HEAD; git update-ref refs/heads/evil HEAD; git worktree prune",
    )

    assert "a secret" not in said
    assert "No such file" in said
    assert said.count("Read-only") >= 2
    assert "kept" in said
    assert not marker.exists()
    assert not (repository / "x").exists()
    assert not (config.data_dir / "x").exists()
    assert refs(repository) == before
    assert Path(other.path, "README.md").exists()


async def test_processes_of_the_machine_are_out_of_sight_and_its_network_is_not(scene):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        session = await scene.session()
        port = server.getsockname()[1]

        _, said = await play(
            scene,
            session,
            "ls -d /proc/[0-9]* | wc -l; id -u",
            f"python3 -c \"import socket; socket.create_connection(('127.0.0.1', {port})).close(); print('reached')\"",
            "tr '\\0' '\\n' < /proc/1/environ | grep -c JUPYTER_TOKEN || true; whoami; echo $HOME; echo $TMPDIR",
        )

    count, uid, reached, tokens, name, home, tmp, _ = said.split("\n")
    assert int(count) < 12
    assert uid != "0"
    assert (reached, tokens, name, home, tmp) == ("reached", "0", "agor", "/run/agor/home", "")


async def test_a_link_that_an_agent_leaves_in_its_home_leads_nowhere(scene, config, tmp_path):
    """Mount points are made by following links: the next start must not make any outside."""
    session = await scene.session()
    await play(scene, session, f"cd ~; rm -rf .cache .config .local; for n in .cache .config .local; do ln -s {tmp_path}/root $n; done")
    before = sorted(str(path) for path in (tmp_path / "root").rglob("*") if ".git" not in path.parts)

    await scene.agor.runner.dismiss([session.id])
    await play(scene, session, "true")

    assert sorted(str(path) for path in (tmp_path / "root").rglob("*") if ".git" not in path.parts) == before


async def test_a_worktrees_git_file_that_somebody_replaced_is_refused(scene):
    path = Path(scene.worktree.path) / ".git"
    kept = path.read_text()
    path.unlink()
    path.symlink_to("/etc/passwd")
    session = await scene.session()

    turn = await scene.prompt(session, "true")
    turn = await scene.ended(turn)
    path.unlink()
    path.write_text(kept)

    assert (turn.state.value, turn.error_code) == ("failed", "sandbox_failed")


async def test_a_list_of_submodules_is_in_what_a_turn_changed(scene):
    session = await scene.session()

    turn, _ = await play(scene, session, "printf '[submodule \"x\"]\\n\\tpath = x\\n\\turl = ../other.git\\n' > .gitmodules")

    assert turn.files == 1
