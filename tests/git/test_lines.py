"""The lines that are counted without git are the lines that git counts."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agor_jupyter.git import lines

LINES = st.lists(st.sampled_from([b"", b"a", b"b", b"}", b"return", b"x = 1", b"y = 2", b"crlf\r", b"e", b"f", b"g"]), max_size=30)


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    return b"\n".join(draw(LINES)) + draw(st.sampled_from([b"\n", b""]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines")


def by_git(folder: Path, old: bytes, new: bytes) -> tuple[int, int]:
    (folder / "old").write_bytes(old)
    (folder / "new").write_bytes(new)
    ended = subprocess.run(
        ["git", "diff", "--no-index", "--numstat", "old", "new"], cwd=folder, capture_output=True, text=True, check=False
    )
    added, deleted, *_ = [*ended.stdout.split(), "0", "0"] if ended.stdout else ["0", "0"]
    return (int(added) if added.isdigit() else 0, int(deleted) if deleted.isdigit() else 0)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=contents(), new=contents())
def test_any_two_contents(folder: Path, old: bytes, new: bytes) -> None:
    counted = lines.differing(old, new)

    assert counted in {None, by_git(folder, old, new)}


@pytest.mark.parametrize(
    ("old", "new", "counted"),
    [
        (b"", b"", (0, 0)),
        (b"a", b"a\n", (1, 1)),
        (b"a\nb\n", b"a\nx\nb\n", (1, 0)),
        (b"a\n" * 60, b"b\n" * 70, (70, 60)),
        (b"\0", b"a\n", (0, 0)),
        (b"one\ntwo\nthree\n", b"three\ntwo\none\n", (2, 2)),
    ],
)
def test_simple_ones_are_counted(folder: Path, old: bytes, new: bytes, counted: tuple[int, int]) -> None:
    assert lines.differing(old, new) == counted == by_git(folder, old, new)


def test_what_only_git_knows_is_left_to_it() -> None:
    usual = b"}\n" * 40
    assert lines.differing(b"x\n" + usual + b"y\n", b"z\n" + usual + b"}\nw\n") is None
