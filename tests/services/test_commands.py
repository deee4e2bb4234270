"""A command with the same id is carried out once."""

from datetime import UTC, datetime

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.sessions import Prompt
from agor_jupyter.services.commands import once
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Store, sqlite_url

ANN = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)
BEN = Caller(person=Person(username="ben", name="Ben"), role=Role.OWNER)
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def store(tmp_path):
    store = Store(sqlite_url(tmp_path / "db"))
    tables.metadata.create_all(store._writer_engine)
    store.start()
    yield store
    store.close()


def _command(store, key, text, *, caller=ANN, action="prompt", calls=None):
    def job(transaction):
        if calls is not None:
            calls.append(text)
        return Prompt(text=text)

    return store.write(lambda t: once(t, key, caller, action, ["se_1", Prompt(text=text)], AT, job, Prompt))


async def test_the_same_id_gives_the_same_answer_and_one_effect(store):
    calls = []

    outcomes = [await _command(store, "k1", "hello", calls=calls) for _ in range(3)]

    assert calls == ["hello"]
    assert [o.is_new for o in outcomes] == [True, False, False]
    assert [o.record for o in outcomes] == [Prompt(text="hello")] * 3


@pytest.mark.parametrize("change", [{"text": "other"}, {"caller": BEN}, {"action": "cancel"}])
async def test_an_id_is_not_taken_for_another_command(store, change):
    await _command(store, "k1", "hello")

    with pytest.raises(errors.KeyReused):
        await _command(store, "k1", **{"text": "hello", **change})


async def test_a_command_that_fails_leaves_its_id_free(store):
    def bad(transaction):
        raise errors.SessionNotFound("se_1")

    with pytest.raises(errors.SessionNotFound):
        await store.write(lambda t: once(t, "k1", ANN, "prompt", None, AT, bad, Prompt))

    outcome = await _command(store, "k1", "hello")
    assert outcome.is_new


@pytest.mark.parametrize("key", ["", "x" * 101, "a\nb", "é"])
async def test_a_bad_id_is_refused(store, key):
    with pytest.raises(errors.BadRequest):
        await _command(store, key, "hello")
