"""Agent instruction files, reviewed and trusted from a cell."""

from pathlib import Path

import pytest

import agor_jupyter as agor

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def repo(hub, here, request):
    """One of its own, because trust counts in all worktrees of a repository."""
    return hub.repo(agor.sample(here / request.node.name))


@pytest.fixture
def opencode(here):
    """On the server's `PATH`; it ends at once."""
    program = here / "bin" / "opencode"
    program.write_text("#!/bin/sh\nexit 4\n")
    program.chmod(0o755)
    yield "opencode"
    program.unlink()


def write(worktree, **files):
    """`AGENTS="…"` is the text of `AGENTS.md`."""
    for name, text in files.items():
        (Path(worktree.path) / f"{name}.md").write_text(text)


def test_without_such_files_there_is_nothing_to_trust(repo):
    worktree = repo.worktree("trust-nothing")

    assert repr(worktree.project_files) == repr(worktree.trust()) == repr(worktree.distrust()) == "No project files"
    assert {"path", "agents", "state", "decided_by"} <= set(worktree.project_files.df.columns)


def test_files_are_listed_with_what_was_said_of_them(hub, repo):
    worktree = repo.worktree("trust-lists")
    write(worktree, AGENTS="Be <b>kind</b>.\n", CLAUDE="Be brief.\n")
    me = hub.me.person.name

    before = worktree.project_files
    worktree.trust("AGENTS.md")
    write(worktree, AGENTS="Be quick.\n")
    worktree.trust("CLAUDE.md")

    assert repr(before) == "AGENTS.md: new (codex, opencode)\nCLAUDE.md: new (claude, opencode)"
    assert (before["AGENTS.md"].text, before["AGENTS.md"].decided_by) == ("Be <b>kind</b>.\n", None)
    assert "Be &lt;b&gt;kind&lt;/b&gt;." in before["AGENTS.md"]._repr_html_()
    assert repr(worktree.project_files) == f"AGENTS.md: changed (codex, opencode)\nCLAUDE.md: trusted by {me} (claude, opencode)"
    assert list(worktree.project_files.df["state"]) == ["changed", "trusted"]


def test_without_a_name_all_are_meant_and_a_second_time_changes_nothing(hub, repo):
    worktree = repo.worktree("trust-all")
    write(worktree, AGENTS="1\n", CLAUDE="2\n")
    (Path(worktree.path) / ".mcp.json").mkdir()

    trusted = worktree.trust()
    again = worktree.trust()
    refused = worktree.distrust("CLAUDE.md")
    rest = worktree.distrust()

    assert [(file.path, file.state) for file in trusted] == [(".mcp.json", "new"), ("AGENTS.md", "trusted"), ("CLAUDE.md", "trusted")]
    assert repr(trusted[0]).startswith(".mcp.json: cannot be trusted: It cannot be read as a file")
    assert again.df["decided_at"].equals(trusted.df["decided_at"])
    assert repr(refused) == f"CLAUDE.md: refused by {hub.me.person.name} (claude, opencode)"
    assert [file.state for file in rest] == ["new", "refused", "refused"]
    with pytest.raises(agor.errors.BadRequest, match=r"\.mcp\.json cannot be trusted: It cannot be read"):
        worktree.trust(".mcp.json")


def test_a_folder_is_all_below_it(repo):
    worktree = repo.worktree("trust-folder")
    write(worktree, CLAUDE="x\n")
    commands = Path(worktree.path) / ".claude" / "commands"
    commands.mkdir(parents=True)
    (commands / "one.md").write_text("1\n")

    assert [file.path for file in worktree.trust(".claude/")] == [".claude/commands/one.md"]
    assert [file.state for file in worktree.project_files] == ["trusted", "new"]


def test_a_path_that_is_not_there_is_refused_with_those_that_are(repo):
    worktree = repo.worktree("trust-typo")
    write(worktree, AGENTS="x\n", CLAUDE="x\n")

    for wrong in (worktree.trust, worktree.distrust):
        with pytest.raises(agor.errors.FileMissing, match=r"'CLAUD.md' does not exist. Available: AGENTS.md, CLAUDE.md"):
            wrong("AGENTS.md", "CLAUD.md")
    assert [file.state for file in worktree.project_files] == ["new", "new"]


def test_a_file_is_trusted_as_it_was_seen(repo):
    worktree = repo.worktree("trust-seen")
    write(worktree, AGENTS="as seen\n")
    seen = worktree.project_files["AGENTS.md"]
    write(worktree, AGENTS="another\n")

    with pytest.raises(agor.errors.ProjectFileChanged, match="AGENTS.md"):
        worktree.trust(seen)

    write(worktree, AGENTS="as seen\n")
    assert [file.state for file in worktree.trust(seen)] == ["trusted"]


def test_a_question_shows_its_files_and_is_answered_as_any_other(hub, repo, opencode):
    worktree = repo.worktree("trust-asks")
    write(worktree, AGENTS="once\n")
    worktree.trust()
    write(worktree, AGENTS="twice\n")
    (Path(worktree.path) / "opencode.json").write_text("{}")
    session = worktree.session(opencode, "hello", allow=True)

    question = session.wait_question(60)
    shown, html = repr(question), question._repr_html_()
    with pytest.raises(agor.errors.BadRequest, match="kept without `remember`"):
        question.allow(remember="session")
    with pytest.raises(TimeoutError):  # `allow=True` does not trust files
        session.wait(2)
    question.reject()

    assert shown == (
        "Permission 'opencode wants to load instruction files that nobody trusts': open\n    AGENTS.md (changed)\n    opencode.json"
    )
    assert "AGENTS.md (changed)" in html
    assert [(file.path, file.state) for file in question.files] == [("AGENTS.md", "changed"), ("opencode.json", "new")]
    turn = session.wait(60)
    assert (turn.state, "cannot be kept from loading opencode.json" in turn.error) == ("failed", True)
    assert [file.state for file in worktree.project_files] == ["refused", "refused"]
    other = worktree.session(opencode, "hello", again=True)
    assert other.wait(60).state == "failed"  # nobody was asked again


def test_a_yes_to_the_question_trusts(hub, repo, opencode):
    worktree = repo.worktree("trust-yes")
    write(worktree, AGENTS="once\n")
    session = worktree.session(opencode, "hello")

    question = session.wait_question(60).allow()

    assert repr(question).startswith("Permission 'opencode wants to load instruction files that nobody trusts': allowed by you")
    assert repr(worktree.project_files) == f"AGENTS.md: trusted by {hub.me.person.name} (codex, opencode)"
    session.wait(60)
