"""A cell that is given text which no program likes gets an error of ours, with a sentence."""

import pytest

import agor_jupyter as agor

TEXTS = [
    "a\0b",
    "a\nb",
    "a\x1b[31mb",
    "a\ud800b",
    "a\u202eb",
    "x" * 10_000,
    "~nobody-here/x",
    "--upload-pack=x",
    "https://h/\0",
    "git@h:\x1b",
    "",
]
PLACES = {
    "a repository": lambda hub, repo, text: hub.repo(text),
    "its name": lambda hub, repo, text: hub.repo(repo.path + "/other", name=text),
    "a board": lambda hub, repo, text: hub.board(text),
    "a board's title": lambda hub, repo, text: hub.board("fine.agor", title=text * 300),
    "a worktree": lambda hub, repo, text: repo.worktree(text, base="no-such-base"),
    "a branch": lambda hub, repo, text: repo.worktree("w", branch=text, base="no-such-base"),
    "a branch that is there": lambda hub, repo, text: repo.worktree("w", branch=text or "x", existing_branch=True),
    "a base": lambda hub, repo, text: repo.worktree("w", base=text),
    "a board for a worktree": lambda hub, repo, text: repo.worktree("w", board=text or "x", base="no-such-base"),
    "an issue": lambda hub, repo, text: repo.worktree("w", issue=text or "x", base="no-such-base"),
    "an address": lambda hub, repo, text: agor.connect(text or "x"),
}


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
@pytest.mark.parametrize("place", PLACES)
def test_it_is_told_in_a_sentence(hub, repo, place, text):
    try:
        PLACES[place](hub, repo, text)
    except agor.errors.AgorError as error:
        message = str(error)
        assert message.isprintable(), message
        assert len(message) < 1500
        assert "embedded null" not in message
    else:
        assert place in {"a board", "a board's title"}, "it was taken"
