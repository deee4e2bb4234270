"""The notebook API against a real private server."""

import asyncio
import subprocess
from pathlib import Path

import pytest

import agor_jupyter as agor
from agor_jupyter.notebook.display.canvas import MIME
from tests.agents.history.kept import IDS, place

pytestmark = pytest.mark.timeout(90)
HELLO = "Say it.\n```sh\necho hello\n```"


def test_connecting_again_gives_the_same_server(hub):
    again = agor.connect()

    assert again.url == hub.url
    assert again.me.role == "owner"


def test_a_wrong_address_is_refused_with_what_would_work():
    with pytest.raises(agor.errors.BadUrl, match="https://"):
        agor.connect("localhost:8888")


def test_a_repo_is_registered_once(hub, repo, here):
    again = hub.repo(here / "warehouse")

    assert again.record.id == repo.record.id
    assert len([one for one in hub.repos if one.name == "warehouse"]) == 1
    assert repr(repo) == "Repo 'warehouse' (checkout, default branch main)"


def test_a_url_is_cloned_once(hub, repo, here):
    with pytest.raises(agor.errors.Invalid):
        hub.repo("ext::sh -c true")


def test_a_folder_that_is_no_repository_is_refused(hub, here):
    (here / "no repository").mkdir()

    with pytest.raises(agor.errors.NotARepository, match="git init"):
        hub.repo(here / "no repository")


def test_what_would_be_lost_is_a_list_of_sentences(repo):
    worktree = repo.worktree("losing")
    inner = Path(worktree.path) / "frontend"
    subprocess.run(["git", "init", "-q", str(inner)], check=True)
    (inner / "app.js").write_text("work")

    [piece] = worktree.losses

    assert (piece.kind, piece.path, piece.files, piece.stays) == ("repository", "frontend", 1, False)
    assert "1 repository inside (frontend): 1 file not committed" in repr(worktree.losses)
    assert repr(worktree.diff) == "frontend: a repository inside, not shown"
    assert "not shown" in worktree.diff._repr_html_()
    with pytest.raises(agor.errors.WouldLoseWork, match="frontend"):
        worktree.remove()


def test_a_misspelt_keyword_is_a_type_error(repo):
    with pytest.raises(TypeError):
        repo.worktree("x", bord="x.agor")


def test_what_does_not_fit_is_said_in_our_words(repo):
    worktree = repo.worktree("fits")

    with pytest.raises(TypeError):
        worktree.change(nots="x")
    for wrong in (lambda: worktree.session(prompt=3), lambda: worktree.session("script", "x").prompt(""), lambda: repo.worktree(7)):
        with pytest.raises(agor.errors.BadRequest, match="is not valid: (prompt|text|name)"):
            wrong()
    with pytest.raises(agor.errors.BadRequest, match="not JSON"):
        worktree.change(context={"when": object()})


def test_a_worktree_is_changed_field_by_field(repo):
    worktree = repo.worktree("changes", issue="https://example.com/1", context={"ticket": 1})

    worktree.change(notes="look", issue_url=None)

    assert (worktree.record.notes, worktree.record.issue_url, worktree.record.context) == ("look", None, {"ticket": 1})


def test_a_table_has_its_columns_without_rows(hub, repo):
    worktree = repo.worktree("empty")

    assert len(worktree.sessions.df) == 0
    assert {"state", "agent", "usage_cost_usd", "created_by"} <= set(worktree.sessions.df.columns)
    with_rows = list(hub.worktrees.df.columns)
    assert with_rows == list(hub.board("columns.agor").worktrees.df.columns)
    assert {"status_dirty", "base_sha"} <= set(with_rows)
    assert "columns.agor" in list(hub.boards.df["path"])


def test_a_worktree_is_made_once_and_found_again(hub, repo):
    board = hub.board("once.agor")

    made = repo.worktree("once", board=board, base="main", issue="https://example.com/1", context={"ticket": 1})
    again = repo.worktree("once", board=board)

    assert again.record.id == made.record.id
    assert made.state == "ready"
    assert made.record.context == {"ticket": 1}
    assert [one.name for one in board.worktrees] == ["once"]
    assert repr(made) == "Worktree 'once' of warehouse on branch once"


def test_a_worktree_that_was_made_otherwise_says_what_differs(repo):
    repo.worktree("differs", base="main")

    with pytest.raises(agor.errors.AlreadyExists, match="base is 'main', not 'HEAD~1'"):
        repo.worktree("differs", base="HEAD~1")


def test_a_misspelt_base_names_the_near_ones(repo):
    with pytest.raises(agor.errors.RefNotFound, match="Did you mean main"):
        repo.worktree("nowhere", base="mian")

    assert "nowhere" not in [one.name for one in repo.worktrees]


def test_a_worktree_is_archived_restored_and_removed(repo):
    from pathlib import Path

    worktree = repo.worktree("short-life")
    assert worktree.archive().state == "archived"
    with pytest.raises(agor.errors.AlreadyExists, match="restore"):
        repo.worktree("short-life")
    assert worktree.restore().state == "ready"
    (Path(worktree.path) / "new.txt").write_text("new\n")
    assert worktree.status.dirty
    assert "new.txt" in repr(worktree.diff)

    with pytest.raises(agor.errors.WouldLoseWork, match="force=True"):
        worktree.remove()
    removal = worktree.remove(force=True)

    assert removal.backup_ref
    assert "short-life" not in [one.name for one in repo.worktrees]


async def test_a_turn_is_awaited_and_leaves_a_commit(repo):
    worktree = repo.worktree("commits")
    prompt = "Add a file.\n```sh\necho one > one.txt && git add one.txt && git commit -qm 'Add one'\n```"
    session = worktree.session("script", prompt, allow=True)

    turn = await session

    assert (turn.state, turn.files, turn.number) == ("done", 1, 1)
    assert turn.commit == worktree.status.head
    assert [file.path for file in turn.diff.files] == ["one.txt"]
    assert turn.diff.hunks == {"one.txt": ["@@ -0,0 +1 @@", "+one"]}
    assert turn.seconds > 0
    assert "Done." in turn.text
    assert repr(turn) == "Turn 1 done: changed 1 file +1 -0; committed yes"


def test_the_same_prompt_again_is_the_same_session(repo):
    worktree = repo.worktree("again")
    first = worktree.session("script", HELLO, allow=True)
    first.wait(60)

    again = worktree.session("script", HELLO)
    other = worktree.session("script", HELLO, again=True)

    assert again.record.id == first.record.id
    assert again.wait(1).text == first.wait(1).text
    assert other.record.id != first.record.id
    other.cancel()


def test_a_failed_turn_is_not_taken_again(repo):
    worktree = repo.worktree("fails")
    prompt = "```sh\necho before; exit 3\n```"
    first = worktree.session("script", prompt, allow=True)

    turn = first.wait(60)
    again = worktree.session("script", prompt, allow=True)

    assert turn.state == "failed"
    assert "code 3" in turn.error
    assert "before" in turn.output
    assert again.record.id != first.record.id
    assert again.wait(60).state == "failed"


async def test_a_question_is_answered_by_name(hub, repo):
    session = repo.worktree("asks").session("script", HELLO)

    question = await asyncio.wait_for(session.question(), 60)
    assert [one.record.id for one in session.permissions] == [question.record.id]
    assert question.record.id in [one.record.id for one in hub.permissions]
    question.allow()
    turn = await session

    assert turn.state == "done"
    assert question.answered_by == hub.me.person.name
    assert repr(question) == "Permission 'echo hello': allowed by you"
    assert await session.question() is None
    with pytest.raises(agor.errors.AlreadyAnswered):
        question.reject()


def test_a_rejected_question_fails_the_turn(repo):
    session = repo.worktree("rejects").session("script", HELLO, again=True)

    session.wait_question(60).reject()

    assert session.wait(60).state in {"failed", "cancelled"}


def test_waiting_gives_up_and_the_turn_goes_on(repo):
    session = repo.worktree("waits").session("script", HELLO, again=True)

    with pytest.raises(TimeoutError, match="goes on"):
        session.wait(1)

    assert session.state in {"starting", "running", "needs_you"}
    session.cancel()
    assert session.wait(60).state == "cancelled"


def test_prompts_queue_and_can_be_taken_out(repo):
    session = repo.worktree("queues").session("script", HELLO, again=True)
    session.wait_question(60)
    second, third, fourth = (session.prompt(f"```sh\necho {number}\n```") for number in (2, 3, 4))

    session.reorder(fourth, second, third)
    second.cancel()

    assert [turn.number for turn in session.queue] == [4, 3]
    assert second.wait(30).state == "cancelled"
    session.wait_question(60).answer("allow_always")
    assert third.wait(60).output == "3\n"
    assert [turn.state for turn in session.turns] == ["done", "cancelled", "done", "done"]


async def test_events_come_in_order_without_gaps(repo):
    session = repo.worktree("events").session("script", HELLO, allow=True, again=True)

    seen = [event async for event in session]

    assert [event.seq for event in seen] == list(range(1, len(seen) + 1))
    assert seen[0].body.kind == "prompt"
    assert seen[-1].body.kind == "turn_ended"
    assert [event.n for event in session.events] == [event.n for event in seen]


def test_tables(hub, repo):
    board = hub.board("tables.agor")
    worktree = repo.worktree("tables", board=board)
    session = worktree.session("script", HELLO, allow=True)
    session.wait(60)

    assert list(board.worktrees.df["name"]) == ["tables"]
    assert list(board.sessions.df["agent"]) == ["script"]
    assert list(session.turns.df["state"]) == ["done"]
    assert str(session.turns.df["created_at"].dtype).startswith("datetime64")
    assert "text" in session.events.df
    assert "warehouse" in list(hub.repos.df["slug"])
    assert "script" in list(hub.agents.df["name"])


def test_a_board_takes_zones_and_notes_once(hub):
    board = hub.board("laid.agor")

    for _ in range(2):
        board.zone("Review", at=(0, 0))
        board.note("Look here")

    assert [zone.name for zone in board.zones] == ["Review"]
    assert [note.text for note in board.notes] == ["Look here"]
    assert repr(board.zones) == "Zone 'Review'"


def test_a_board_shows_as_text_and_as_our_type(hub):
    data = hub.board("shown.agor")._repr_mimebundle_()

    assert data["text/plain"] == "Board 'shown.agor'"
    assert data[MIME] == {"version": 1, "path": "shown.agor"}


def test_what_is_shown_has_no_ids_and_paths(hub, repo, here):
    worktree = repo.worktree("clean", board=hub.board("clean.agor"))
    turn = worktree.session("script", HELLO, allow=True).wait(60)

    shown = [repr(one) for one in (hub, repo, worktree, worktree.sessions, turn, turn.events, worktree.diff, repo.branches, hub.agents)]
    shown += [one._repr_html_() for one in (repo, worktree, worktree.sessions, turn, turn.events, worktree.diff)]

    for text in shown:
        assert str(here) not in text
        for prefix in ("wt_", "se_", "tu_", "re_", "pe_"):
            assert prefix not in text


def test_what_an_agent_says_is_escaped(repo):
    turn = repo.worktree("hostile").session("script", "```sh\necho '<script>alert(1)</script>' > '<b>.txt'\n```", allow=True).wait(60)

    assert "<script>" not in turn.diff._repr_html_()
    assert "<b>" not in turn._repr_html_().replace("<b>1:", "")


def test_options_of_a_session_are_chosen_and_changed(hub, repo):
    worktree = repo.worktree("options")
    session = worktree.session("script", HELLO, mode="auto", options={"on_failure": "go_on"})
    assert session.mode == "auto"
    session.wait(60)

    session.mode = "ask"
    session.choose(options={"on_failure": "stop"})

    assert (session.mode, session.model) == ("ask", None)
    assert session.record.chosen == {"mode": "ask", "on_failure": "stop"}
    assert repr(session.options) == "on_failure = stop  (or go_on)\nmode = ask  (or auto)"
    assert list(session.options.df["value"]) == ["stop", "ask"]
    with pytest.raises(agor.errors.BadOption, match="It offers: ask, auto"):
        session.mode = "yolo"
    assert worktree.session("script", HELLO, mode="auto").record.id != session.record.id


def test_what_you_prefer_is_what_new_sessions_begin_with(hub, repo):
    hub.prefer("script", mode="auto", options={"on_failure": "go_on"})

    session = repo.worktree("preferred").session("script")

    assert session.record.chosen == {"mode": "auto", "on_failure": "go_on"}
    assert repr(hub.preferences) == "script: mode=auto, on_failure=go_on"
    hub.prefer("script")
    assert repr(hub.preferences) == "No preferences"


def test_a_variable_is_set_and_never_shown(hub, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"typed at {prompt}")
    typed = hub.variables.set("TYPED")
    hub.variables.set("GIVEN", "value-in-a-cell")

    assert typed.name == "TYPED"
    assert repr(hub.variables) == "Variable GIVEN\nVariable TYPED"
    assert list(hub.variables.df["name"]) == ["GIVEN", "TYPED"]
    assert "value-in-a-cell" not in hub.variables._repr_html_() + str(hub.variables.df) + repr(hub.variables["GIVEN"])
    with pytest.raises(agor.errors.BadRequest, match="at least 8"):
        hub.variables.set("SHORT", "1234567")
    hub.variables.remove("TYPED")
    hub.variables.remove("GIVEN")
    assert repr(hub.variables) == "No variables"


def test_a_fork_and_a_child_have_the_options_of_their_origin(repo):
    session = repo.worktree("fork").session("script", HELLO, mode="auto")
    session.wait(60)

    fork = session.fork(HELLO)
    fork.wait(60)
    child = session.spawn(worktree=repo.worktree("spawn"))

    assert (fork.refresh().record.fork, fork.mode) == ("native", "auto")
    assert (child.record.parent_id, child.mode) == (session.record.id, "auto")
    assert "The agent copied its conversation" in repr(fork.events)


def test_what_is_allowed_beforehand_is_not_asked(hub, repo):
    worktree = repo.worktree("ruled")
    session = worktree.session("script")
    rule = session.allow("echo hello", hours=1)

    turn = session.prompt(HELLO).wait(60)

    assert turn.state == "done"
    assert rule.refresh().uses == 1
    assert repr(rule).startswith(f"Rule of {hub.me.person.name} for this session: echo hello, until ")
    assert [one.record.id for one in session.rules] == [rule.record.id]
    assert list(worktree.rules) == []
    assert session.rules.df["uses"][0] == 1
    assert f"revoked by {hub.me.person.name}" in repr(rule.revoke())
    settled = [event.body.permission for event in session.events if event.body.kind == "permission_settled"]
    assert [one.rule_id for one in settled] == [rule.record.id]
    with pytest.raises(agor.errors.BadRequest, match="one simple command"):
        repo.allow("a | b")
    with pytest.raises(agor.errors.BadRequest, match="could do anything"):
        worktree.allow(kind="other")


def test_an_answer_is_remembered_for_the_whole_command_or_its_beginning(repo):
    worktree = repo.worktree("remembered")
    session = worktree.session("script", HELLO)
    question = session.wait_question(60)
    with pytest.raises(agor.errors.BadRequest, match="remember"):
        question.allow(command="echo")
    with pytest.raises(agor.errors.BadRequest, match="no command that starts with"):
        question.allow(remember="session", command="rm")
    question.allow(remember="worktree")
    session.wait(60)

    assert session.prompt(HELLO).wait(60).state == "done"
    assert [one.allows for one in worktree.rules] == ["echo hello"]
    session.prompt("```sh\necho other; echo two\n```")
    with pytest.raises(agor.errors.BadRequest, match="cannot be remembered"):
        session.wait_question(60).allow(remember="session")


def test_a_zone_allows_what_lies_in_it(hub, repo):
    board = hub.board("zoned.agor")
    worktree = repo.worktree("zoned", board=board, at=(1010, 1050))
    board.zone("free", at=(1000, 1000))

    board.allow("echo", zone="free")

    assert worktree.session("script", HELLO).wait(60).state == "done"
    assert [one.record.scope for one in worktree.rules] == ["zone"]
    with pytest.raises(agor.errors.ObjectNotFound, match="free"):
        board.allow("echo", zone="other")


def test_a_conversation_from_before_is_imported(hub, repo, tmp_path_factory):
    worktree = repo.worktree("before")
    home = tmp_path_factory.mktemp("home")
    place("codex", home, worktree.path)
    hub.variables.set("CODEX_HOME", str(home / ".codex"))

    session = worktree.import_conversation(worktree.history[IDS["codex"]])

    assert repr(worktree.history) == "codex: Make hello.txt. (2 turns, imported)"
    assert [turn.prompt for turn in session.turns] == ["Make hello.txt.", "Thank you"]
    assert session.turns[1].text == "You are welcome."
    assert worktree.import_conversation(IDS["codex"], "codex").record.id == session.record.id
    hub.variables.remove("CODEX_HOME")


def test_what_was_said_is_found(hub, repo):
    worktree = repo.worktree("search")
    session = worktree.session("script", "```sh\necho pineapple\n```", allow=True)
    session.wait(60)

    found = hub.search("pineap*", worktree=worktree, state="done")

    assert [(hit.session, hit.turn) for hit in found] == [(session.record.id, 1)]
    assert "echo pineapple" in found[0].text
    assert repr(found).endswith("turn 1: ```sh echo pineapple ```")
    assert list(found.df.turn_number) == [1]
    assert len(hub.search("pineapple", limit=1)) == 1
    assert len(hub.search("pineapple", agent="claude")) == 0
    assert "snippet" in hub.search("nothing of the kind").df.columns
    with pytest.raises(agor.errors.BadRequest, match="state"):
        hub.search("x", state="running")


def test_budgets_and_costs(hub, repo):
    worktree = repo.worktree("costs")
    session = worktree.session("script", HELLO, allow=True)
    session.wait(60)

    budget = session.budget(5, soft=4)

    assert (budget.spent, budget.state) == (0, "ok")
    assert repr(budget) == f"Budget of session {session.record.id}: $0.00 spent, soft $4.00, hard $5.00; ok"
    assert worktree.budget(10).set(20).record.hard_usd == 20
    assert hub.budget(7).record.subject
    assert hub.budgets[session.record.id].record.soft_usd == 4
    assert list(hub.budgets.df.scope) == ["session", "worktree", "user"]
    budget.remove()
    assert len(hub.budgets) == 2
    for handle in (session, worktree, hub):
        assert len(handle.costs) == 0
        assert "cost_usd" in handle.costs.df.columns
    with pytest.raises(agor.errors.BadRequest, match="soft_usd"):
        session.budget(1, soft=2)
    for one in hub.budgets:
        one.remove()
