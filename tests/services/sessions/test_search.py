"""Search over what was said, on real SQLite: what is found, by whom, how it is kept current, and that nothing typed breaks it."""

import asyncio
import dataclasses
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.search import SearchQuery
from agor_jupyter.domain.sessions import Prompt, SessionChange
from agor_jupyter.domain.tokens import Token
from agor_jupyter.domain.worktrees import WorktreeChange, WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.sessions import search as service
from agor_jupyter.storage import search as kept
from agor_jupyter.storage import sessions
from tests.scene import Scene
from tests.services.sessions import test_masking as masking

HOSTILE = [
    '"', '""', '"""', "'", "''", "*", "**", '"*', '*"', "a*b", "(", ")", "()", "((((", "{", "}", "{prompt}", "{prompt} : x", "title:x", "- x", "-x",
    "^x", "^", "AND", "OR", "NOT", "AND AND", "x AND", "NOT x", "NEAR", "NEAR(", "NEAR(x y, 2)", "x NEAR y", "+", "x + y", "x +", "'; DROP TABLE sessions; --",
    '" OR 1=1 --', "\\", "\\x00", "\x00", "a\x00b", "%", "_", "%s %d", ":match", "?1", "\u202ex", "\u0301", "e\u0301\u0301", "🎉", "漢字",
    "𝕏", "İ", "ß", "\n", "\t x \r\n", "x" * 1000, "x " * 500, '"x ' * 300, "x* " * 300, "place:stdone", "search_words", "rank", "/*", "--", ";", "$(id)",
]  # fmt: skip


async def find(scene, words, worktrees=None, **fields):
    return (await scene.agor.search.find(SearchQuery(q=words, **fields), worktrees)).items


async def talk(scene, prompt, *answers, session=None, finish=True):
    """A turn of a fake agent that says `answers`, a message each."""
    session = session or await scene.session()
    turn, agent = await scene.running(session, prompt)
    for number, answer in enumerate(answers):
        await agent.say(answer, f"{turn.id}-{number}")
    if finish:
        agent.finish()
        turn = await scene.ended(turn)
    return session, turn, agent


def marked(hit):
    return [part.text for part in hit.snippet if part.is_match]


async def test_words_of_a_prompt_and_of_an_answer_are_found_when_the_turn_has_ended(fake):
    scene = await fake()
    session, turn, agent = await talk(scene, "Load the orders", "They are loa", finish=False)
    await agent.say("ded at night.", f"{turn.id}-0")
    assert [hit.turn_id for hit in await find(scene, "orders")] == [None]  # the title, which is the prompt's first line

    agent.finish()
    turn = await scene.ended(turn)

    [title, hit] = sorted(await find(scene, "orders"), key=lambda one: one.turn_id is not None)
    assert (hit.session_id, hit.turn_id, hit.turn_number, hit.found_in, hit.state) == (session.id, turn.id, 1, "prompt", "done")
    assert (hit.worktree, hit.worktree_id, hit.board, hit.agent) == ("fix", scene.worktree.id, None, "script")
    assert (hit.at, marked(hit)) == (turn.ended_at, ["orders"])
    assert (title.found_in, title.turn_number) == ("title", None)
    [hit] = await find(scene, "loaded NIGHT")
    assert (hit.found_in, marked(hit)) == ("answer", ["loaded", "night"])
    assert await find(scene, "loaded missing") == []


async def test_phrases_and_beginnings_of_words(fake):
    scene = await fake()
    _, turn, _ = await talk(scene, "go", "We migrate load_orders.py soon")

    for words in ('"load orders"', "load_orders.py", "migr*", '"migrate loa"*', "MIGRATE"):
        assert [hit.turn_id for hit in await find(scene, words)] == [turn.id], words
    for words in ('"orders load"', "migr", "igrate*", '"we soon"'):
        assert await find(scene, words) == [], words


async def test_all_messages_of_a_turn_are_found_and_those_of_others_are_not_taken_for_them(fake):
    scene = await fake()
    session, first, agent = await talk(scene, "one", "alpha", "beta")
    second = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="two"), scene.key())
    await scene.until(second, "running")
    await scene.eventually(lambda: agent.prompts[-1] == "two" and agent._turn)
    waiting = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="never sent"), scene.key())
    await agent.say("gamma", "later")
    await scene.agor.turns.cancel(scene.caller, waiting.id)
    agent.finish()
    await scene.ended(second)

    assert {words: [hit.turn_number for hit in await find(scene, words)] for words in ("alpha", "beta", "gamma", "sent")} == {
        "alpha": [1],
        "beta": [1],
        "gamma": [2],
        "sent": [3],
    }
    assert await find(scene, '"alpha beta"')  # one text, though two messages
    assert first.id != second.id


async def test_filters(fake):
    scene = await fake()
    _, turn, _ = await talk(scene, "find me")
    now = scene.agor.clock.now()

    async def numbers(**fields):
        return [hit.turn_number for hit in await find(scene, "find", **fields) if hit.turn_id]

    for fields in ({"worktree": scene.worktree.id}, {"agent": "script"}, {"state": "done"}, {"since": turn.ended_at}):
        assert await numbers(**fields) == [1], fields
    for fields in (
        {"board": "a.agor"},
        {"worktree": "wt_none"},
        {"agent": "claude"},
        {"state": "failed"},
        {"since": now + timedelta(days=1)},
    ):
        assert await find(scene, "find", **fields) == [], fields


async def test_a_board_is_that_of_the_worktree_now(fake, tmp_path):
    scene = await fake()
    await talk(scene, "find me")
    (tmp_path / "root" / "a.agor").write_text("")

    await scene.agor.worktrees.change(scene.caller, scene.worktree.id, WorktreeChange(board="a.agor"))

    assert len(await find(scene, "find", board="a.agor")) == 2
    assert await find(scene, "find", board="b.agor") == []


async def test_what_was_put_away_is_found_when_asked_for(fake):
    scene = await fake()
    session, turn, _ = await talk(scene, "find me")
    await scene.agor.sessions.archive(scene.caller, session.id)

    assert await find(scene, "find") == []
    assert {hit.turn_id for hit in await find(scene, "find", archived=True)} == {turn.id, None}


async def test_a_new_title_is_found_and_the_old_one_is_not(fake):
    scene = await fake()
    session = await scene.session(title="Old name")

    await scene.agor.sessions.change(scene.caller, session.id, SessionChange(title="New name"))

    assert await find(scene, "old") == []
    [hit] = await find(scene, "new name")
    assert (hit.session_id, hit.title, hit.found_in, hit.turn_id) == (session.id, "New name", "title", None)


async def test_who_sees_some_worktrees_finds_nothing_of_others(fake):
    scene = await fake()
    await talk(scene, "find me")
    [repo] = await scene.agor.repos.list()
    other = await scene.agor.worktrees.create(scene.caller, WorktreeCreate(repo=repo.id, name="other"), scene.key())

    assert len(await find(scene, "find", [scene.worktree.id])) == 2
    assert await find(scene, "find", [other.id]) == []
    assert await find(scene, "find", []) == []
    assert await find(scene, "find", [other.id], worktree=scene.worktree.id) == []


async def test_an_agent_and_a_client_find_what_lies_on_their_board(fake, tmp_path):
    scene = await fake()
    (tmp_path / "root" / "a.agor").write_text("")
    session, _, _ = await talk(scene, "find me")
    [repo] = await scene.agor.repos.list()
    made = await scene.agor.worktrees.create(scene.caller, WorktreeCreate(repo=repo.id, name="other"), scene.key())
    other = await scene.agor.worktrees.wait_ready(made.id)
    elsewhere = await scene.session(title="find the other")
    await scene.agor.store.write(_move, elsewhere.id, other.id)
    token = Token(
        id="tk_1", name="c", person=scene.caller.person, account="ann", board="a.agor", role=Role.VIEWER, created_at=scene.agor.clock.now()
    )

    agent = await scene.agor.delegate(session.id)
    client = scene.agor.represent(token, Role.VIEWER)

    assert {hit.worktree for hit in (await agent.search(SearchQuery(q="find"))).items} == {"fix"}
    assert (await client.search(SearchQuery(q="find"))).items == []
    await scene.agor.worktrees.change(scene.caller, scene.worktree.id, WorktreeChange(board="a.agor"))
    assert {hit.worktree for hit in (await client.search(SearchQuery(q="find"))).items} == {"fix"}


def _move(transaction, session_id, worktree_id):
    """As if it had been made there."""
    session = sessions.get(transaction.connection, session_id).replace(worktree_id=worktree_id)
    sessions.save(transaction, session)


async def test_what_fits_better_and_is_newer_comes_first(fake):
    scene = await fake()
    session, much, _ = await talk(scene, "x", "orders orders orders")
    _, little, _ = await talk(scene, "y", "orders " + "and many other things " * 60, session=session)
    _, newest, _ = await talk(scene, "z", "orders orders orders", session=session)

    assert [hit.turn_id for hit in await find(scene, "orders")] == [newest.id, much.id, little.id]


async def test_pages_lead_through_all_without_a_gap(scene, monkeypatch):
    monkeypatch.setattr(kept, "WINDOW", 5)
    monkeypatch.setattr(service, "WINDOW", 5)
    made = [await scene.session(title=f"find {number}") for number in range(12)]
    pages, following = [], None

    while True:
        page = await scene.agor.search.find(SearchQuery(q="find", limit=2, next=following))
        pages.append([hit.session_id for hit in page.items])
        await scene.session(title="find a newer one")
        following = page.next
        if following is None:
            break

    assert sorted(sum(pages, [])) == sorted(session.id for session in made)
    with pytest.raises(errors.BadRequest, match="cursor"):
        await scene.agor.search.find(SearchQuery(q="find", next="1~x"))


async def test_nothing_that_is_typed_breaks_it(scene):
    await scene.session(title="x y z title AND OR NOT NEAR place stdone a b rank")

    for words in HOSTILE:
        page = await scene.agor.search.find(SearchQuery(q=words))
        assert len(page.items) <= 1, words
    assert await find(scene, "stdone x")  # of the title
    assert await find(scene, "agscript") == []  # what narrows is no word


async def test_a_masked_secret_is_not_found(config, owner, key, repository, monkeypatch):
    agent = masking.leaking(env={"CANARY_KEY": masking.CANARY})
    async with Agor(dataclasses.replace(config, agents=(agent,))) as app:
        repo = await app.repos.add(owner, RepoAdd(path=str(repository)), key())
        made = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
        scene = Scene(app, owner, key, await app.worktrees.wait_ready(made.id))
        session = await scene.session(agent="leaking")
        turn = await masking.play(scene, session, "text")

        assert turn.id in [hit.turn_id for hit in await find(scene, "CANARY_KEY")]
        for words in (masking.CANARY, "0123456789abcdef" * 5, "0123456789abcdef*", '"canary ü 0123456789abcdef"*'):
            assert await find(scene, words) == [], words


async def test_what_was_said_before_there_was_an_index_is_found_after_a_start(fake, config, monkeypatch):
    monkeypatch.setattr(service, "ENTRIES", 7)
    monkeypatch.setattr(service, "TITLES", 2)
    scene = await fake()
    talks = [(await talk(scene, f"prompt {number}", f"answer {number}", "the end"))[0] for number in range(3)]
    first = talks[0]
    await talk(scene, "prompt again", "answer again", session=first)
    await scene.session(title="prompt of nothing")
    everything = await find(scene, "prompt", limit=100)
    answers = await find(scene, "answer", limit=100)
    await scene.agor.__aexit__(None, None, None)
    with closing(sqlite3.connect(config.data_dir / "agor.db")) as connection, connection:
        connection.execute("DELETE FROM search_docs")
        connection.execute("INSERT INTO search_words (search_words) VALUES ('delete-all')")
        connection.execute("INSERT INTO search_backlog VALUES (1, (SELECT max(n) + 1 FROM events), '')")

    async with Agor(config) as app:
        scene.agor = app
        new = await scene.session(title="prompt meanwhile")
        while not (page := await app.search.find(SearchQuery(q="prompt", limit=100))).is_complete:
            await asyncio.sleep(0.01)
        again = await find(scene, "answer", limit=100)

    def keys(hits):
        return sorted((hit.session_id, hit.turn_number or 0, hit.found_in, hit.at) for hit in hits)

    assert keys(hit for hit in page.items if hit.session_id != new.id) == keys(everything)
    assert [hit.turn_id for hit in again] == [hit.turn_id for hit in answers]
    assert len([hit for hit in page.items if hit.session_id == new.id]) == 1


async def test_the_index_keeps_no_text(fake, config):
    scene = await fake()
    await talk(scene, "go", "A sentence that stands once in the log.")
    await scene.agor.__aexit__(None, None, None)

    with closing(sqlite3.connect(config.data_dir / "agor.db")) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'search_words%'")}

    assert tables == {"search_words", "search_words_config", "search_words_data", "search_words_docsize", "search_words_idx"}
