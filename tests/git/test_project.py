"""What agents obey is found as an agent would find it, and read without leaving the worktree."""

import hashlib
import os

import pytest

from agor_jupyter.git import project


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "worktree"
    root.mkdir()
    (tmp_path / "outside.md").write_text("a secret of somebody else\n")
    return root


def write(root, name, text="x\n"):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_files_and_what_is_below_folders_are_found(root):
    for name in ("CLAUDE.md", "README.md", ".claude/skills/a/SKILL.md", ".claude/skills/a/deep/run.sh", ".claude/other.json"):
        write(root, name, name)

    found = project.find(root, ["CLAUDE.md", "missing.md", ".claude/skills/", "no/such/"])

    assert [file.path for file in found] == [".claude/skills/a/SKILL.md", ".claude/skills/a/deep/run.sh", "CLAUDE.md"]
    assert [file.sha256 for file in found] == [sha256(file.path) for file in found]
    assert [(file.text, file.is_cut, file.size, file.problem) for file in found] == [
        (file.path, False, len(file.path), None) for file in found
    ]


def test_a_link_in_the_worktree_counts_as_what_it_leads_to(root):
    write(root, "AGENTS.md", "be good\n")
    (root / "CLAUDE.md").symlink_to("AGENTS.md")
    write(root, "tools/skills/a/SKILL.md", "a skill\n")
    (root / ".claude").symlink_to("tools")

    found = project.find(root, ["CLAUDE.md", ".claude/skills/"])

    assert {file.path: file.sha256 for file in found} == {
        "CLAUDE.md": sha256("be good\n"),
        ".claude/skills/a/SKILL.md": sha256("a skill\n"),
    }


@pytest.mark.parametrize("target", ["../outside.md", "{tmp}/outside.md", "sub/../../outside.md"])
def test_of_a_link_out_only_the_place_is_told(root, tmp_path, target):
    (root / "CLAUDE.md").symlink_to(target.format(tmp=tmp_path))

    [file] = project.find(root, ["CLAUDE.md"])

    assert file.sha256 is not None
    assert file.sha256 != sha256("a secret of somebody else\n")
    assert "secret of somebody" not in file.model_dump_json()
    assert str(tmp_path) in file.text


def test_another_place_of_a_link_is_another_content(root, tmp_path):
    (tmp_path / "other.md").write_text("a secret of somebody else\n")
    (root / "CLAUDE.md").symlink_to("../outside.md")
    [first] = project.find(root, ["CLAUDE.md"])

    (root / "CLAUDE.md").unlink()
    (root / "CLAUDE.md").symlink_to("../other.md")
    [second] = project.find(root, ["CLAUDE.md"])

    assert first.sha256 != second.sha256


def test_a_folder_that_leads_out_is_one_file_and_not_read(root, tmp_path):
    write(tmp_path, "elsewhere/skills/a.md", "a secret of somebody else\n")
    (root / ".claude").symlink_to("../elsewhere")

    found = project.find(root, [".claude/skills/"])

    assert [file.path for file in found] == [".claude/skills"]
    assert "secret of somebody" not in found[0].model_dump_json()


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        lambda path: path.mkdir(),
        lambda path: path.write_bytes(b"x" * (project.MAX_FILE + 1)),
    ],
    ids=["pipe", "folder", "huge"],
)
def test_what_cannot_be_read_cannot_be_trusted(root, make):
    make(root / "CLAUDE.md")

    [file] = project.find(root, ["CLAUDE.md"])

    assert file.sha256 is None
    assert "cannot be read" in file.problem


def test_a_link_to_nothing_is_no_file(root):
    (root / "CLAUDE.md").symlink_to("nowhere")

    assert project.find(root, ["CLAUDE.md"]) == []


def test_links_in_a_circle_end(root):
    (root / "CLAUDE.md").symlink_to("CLAUDE.local.md")
    (root / "CLAUDE.local.md").symlink_to("CLAUDE.md")
    (root / ".claude").mkdir()
    (root / ".claude" / "skills").symlink_to(".")

    assert {file.path for file in project.find(root, ["CLAUDE.md"])} == {"CLAUDE.md"}
    assert len(project.find(root, [".claude/skills/"])) <= 1


def test_too_many_files_are_one_that_cannot_be_trusted(root):
    for number in range(project.MAX_FILES + 1):
        write(root, f".claude/skills/{number:04}.md")

    found = {file.path: file for file in project.find(root, [".claude/skills/"])}

    assert len(found) == project.MAX_FILES + 1
    assert found[".claude/skills/"].sha256 is None
    assert str(project.MAX_FILES) in found[".claude/skills/"].problem


def test_what_is_not_text_is_not_shown(root):
    (root / "CLAUDE.md").write_bytes(b"\0\1\2" * 100)
    write(root, "CLAUDE.local.md", "é" * 10_000)

    binary, long = sorted(project.find(root, ["CLAUDE.md", "CLAUDE.local.md"]), key=lambda file: file.size)

    assert (binary.text, binary.is_cut) == (None, True)
    assert (set(long.text), long.is_cut, long.size) == ({"é"}, True, 20_000)
