import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agor_jupyter.domain import errors
from agor_jupyter.git import names

PIECES = st.sampled_from([*"aZ09._/-", ".lock", "..", "//", "HEAD", "refs/heads/", "con", "@{-1}", "~1", " ", "ü", "x" * 60])


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6).map("".join))
def test_what_passes_is_a_branch_for_git(name: str) -> None:
    try:
        names.check_branch(name)
    except errors.BadName as error:
        assert error.details["suggestion"] is None or names.check_branch(error.details["suggestion"])
        return

    done = subprocess.run(["git", "check-ref-format", "--branch", name], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.strip()) == (0, name)


@pytest.mark.parametrize("title", ["a\nb", "a\u202eb", "a\u200bb", "\x1b[31m", "  ", "x" * 201, "a\0b"])
def test_a_title_that_hides_something_is_refused(title: str) -> None:
    with pytest.raises(errors.BadName):
        names.check_title(title)


def test_titles_are_free_text() -> None:
    assert names.check_title(" Préparer l’été: 50 % / Ω ") == "Préparer l’été: 50 % / Ω"
    assert names.slugify("Préparer l’été: 50 %") == "preparer-lete-50"
    assert names.slugify("CON") == "con-1"
    assert names.slugify("日本") == ""


ODD = st.sampled_from(
    [
        *"aZ09._/-#@+(){}!=,;$%&'\"|<>",
        ".lock",
        "..",
        "//",
        "HEAD",
        "refs/heads/",
        "@{",
        "~",
        "^",
        ":",
        "?",
        "*",
        "[",
        "\\",
        " ",
        "ü",
        "日本",
        "\x7f",
        "\x1b",
        "\u202e",
        "\x85",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ODD, min_size=1, max_size=6).map("".join))
def test_what_exists_may_have_every_name_that_git_takes(name: str) -> None:
    done = subprocess.run(["git", "check-ref-format", "--branch", name], capture_output=True, check=False)

    try:
        names.check_existing(name)
        is_taken = True
    except errors.BadName:
        is_taken = False

    assert is_taken == (done.returncode == 0 and done.stdout == f"{name}\n".encode() and name != "@")


def test_a_name_that_is_not_utf_8_is_shown_escaped() -> None:
    latin = b"gr\xf6\xdfe".decode("utf-8", "surrogateescape")

    assert names.shown(latin) == "gr\\xf6\\xdfe"
    assert names.shown("größe") == "größe"
    for name in (latin, names.shown(latin)):
        with pytest.raises(errors.BadName):
            names.check_existing(name)
