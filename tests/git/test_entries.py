import os
from pathlib import Path

import pytest

from agor_jupyter.git import entries
from tests.git.conftest import git


def read(checkout: Path) -> entries.Index:
    return entries.parse((checkout / ".git" / "index").read_bytes())


@pytest.fixture
def odd(checkout: Path) -> Path:
    """Files in folders of odd names, with mode bits and lengths of names of all kinds."""
    for name in (
        "deep/er/and/deeper/x",
        "größe/a b",
        "new\nline/x",
        "a" * 250,
        f"{'b' * 200}/{'c' * 200}/{'d' * 200}",
        "run",
        *(f"n/{'y' * i}" for i in range(1, 20)),
    ):
        path = checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (checkout / "run").chmod(0o755)
    (checkout / "link").symlink_to("run")
    git("add", "-A", cwd=checkout)
    return checkout


def folders(checkout: Path) -> set[bytes]:
    listed = git("ls-files", "-z", cwd=checkout).split("\0")
    return {os.fsencode(str(parent)) for name in listed if name for parent in Path(name).parents} - {b"."}


@pytest.mark.parametrize("version", [2, 4])
def test_folders_are_those_that_git_lists(odd: Path, version: int) -> None:
    git("update-index", f"--index-version={version}", cwd=odd)

    found = read(odd)

    assert set(found.folders) == folders(odd)
    assert (found.links, found.set_aside) == ({}, ())


def test_the_quick_way_finds_what_the_thorough_one_does(odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = read(odd)
    content = (odd / ".git" / "index").read_bytes()
    assert entries._parse_plain(content, quick.count) == quick

    monkeypatch.setattr(entries, "_parse_plain", lambda _content, _count: None)

    assert read(odd).count == quick.count
    assert set(read(odd).folders) == set(quick.folders)


def test_entries_without_times_are_read_too(odd: Path) -> None:
    git("read-tree", git("write-tree", cwd=odd), cwd=odd)  # of which git has not looked at any file yet

    assert set(read(odd).folders) == folders(odd)


def test_submodules_and_entries_that_git_does_not_look_at_are_told(odd: Path) -> None:
    sha = git("rev-parse", "HEAD", cwd=odd)
    git("update-index", "--add", "--cacheinfo", f"160000,{sha},vendor/lib", cwd=odd)
    git("update-index", "--assume-unchanged", "run", cwd=odd)
    git("update-index", "--skip-worktree", "a.txt", cwd=odd)

    found = read(odd)

    assert found.links == {b"vendor/lib": sha}
    assert [entry.path for entry in found.set_aside] == [b"a.txt", b"run"]
    assert found.set_aside[0].oid == entries.blob_name((odd / "a.txt").read_bytes())


def test_a_split_or_damaged_one_is_called_odd(odd: Path) -> None:
    content = (odd / ".git" / "index").read_bytes()
    for damaged in (content[:200], b"DIRC" + content[4:40], b"JUNK" * 40, content[:4] + b"\0\0\0\x09" + content[8:]):
        with pytest.raises(entries.OddIndex):
            entries.parse(damaged)
    git("update-index", "--split-index", cwd=odd)
    with pytest.raises(entries.OddIndex):
        read(odd)


@pytest.mark.parametrize("version", [2, 3, 4])
def test_attribute_files_are_counted_in_every_version(checkout, version):
    """In version 4 a name holds only what differs from the one before: `.gitattributes` is nowhere as a whole."""
    for name in (".gita", ".gitattributes", "models/.gitattribute", "models/.gitattributes"):
        (checkout / name).write_text("")
    git("add", "-A", cwd=checkout)
    git("update-index", f"--index-version={version}", cwd=checkout)

    assert entries.read(checkout / ".git").attributes >= 2


def test_an_index_is_read_again_when_it_changed_and_not_before(checkout, monkeypatch):
    git_dir = checkout / ".git"
    os.utime(git_dir / "index", (1_000_000_000, 1_000_000_000))
    monkeypatch.setattr(entries, "is_settled", lambda _: True)
    first = entries.read(git_dir)

    assert entries.read(git_dir) is first
    assert entries.known(git_dir) is first
    (checkout / "new").write_text("new")
    git("add", "-A", cwd=checkout)
    assert entries.known(git_dir) is None
    assert entries.read(git_dir).count == first.count + 1


def test_one_that_is_too_young_to_be_told_from_the_next_is_read_again(checkout, monkeypatch):
    monkeypatch.setattr(entries, "is_settled", lambda _: False)

    assert entries.read(checkout / ".git") == entries.read(checkout / ".git")
    assert entries.known(checkout / ".git") is None


def test_there_is_none(tmp_path):
    assert entries.read(tmp_path) == entries.Index()
