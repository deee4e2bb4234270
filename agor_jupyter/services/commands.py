"""Idempotency: a command with the same client-made id is carried out once and answered the same each time.

It works inside the transaction of the command itself, so there is no moment in which one is stored without the other.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy import Connection

from agor_jupyter.domain import errors
from agor_jupyter.domain.people import Caller
from agor_jupyter.domain.records import Record
from agor_jupyter.storage import commands
from agor_jupyter.storage.store import Transaction

MAX_KEY = 100

R = TypeVar("R", bound=Record)


class CommandResult(NamedTuple, Generic[R]):
    record: R
    is_new: bool
    """Whether this call did the work. What follows it (a task, a process) is started only then."""


def check_key(key: str) -> str:
    """The id of a command: 1 to 100 printable ASCII characters."""
    if not 0 < len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        raise errors.BadRequest([f"the command id must have 1 to {MAX_KEY} printable ASCII characters"])
    return key


def fingerprint(action: str, username: str, request: object) -> str:
    """`request` is a record, plain JSON, or a sequence of both."""
    text = json.dumps([action, username, request], default=_plain, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def once(  # noqa: PLR0917 it reads as a sentence: once, for this key, this caller does this
    transaction: Transaction,
    key: str,
    caller: Caller,
    action: str,
    request: object,
    at: datetime,
    job: Callable[[Transaction], R],
    answer: type[R],
) -> CommandResult[R]:
    """Run `job(transaction)` unless `key` was used before; then give the stored answer, read as `answer`.

    Errors:
        KeyReused: the key belongs to another command, another request, or another person.
    """
    mark = fingerprint(action, caller.person.username, request)
    known = commands.find(transaction, check_key(key))
    if known is not None:
        if known.fingerprint != mark or known.answer is None:
            raise errors.KeyReused(key)
        return CommandResult(answer.model_validate_json(known.answer), is_new=False)
    record = job(transaction)
    commands.insert(transaction, key, commands.Command(caller.person.username, action, mark, record.model_dump_json()), at)
    return CommandResult(record, is_new=True)


def stored(connection: Connection, key: str, caller: Caller, action: str, request: object) -> str | None:
    """What this command was answered before, so that a repeated one is not checked against a world that it changed itself."""
    known = commands.find(Transaction(connection), check_key(key))
    if known is None:
        return None
    if known.fingerprint != fingerprint(action, caller.person.username, request) or known.answer is None:
        raise errors.KeyReused(key)
    return known.answer


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return value.model_dump(mode="json", by_alias=True)
    raise TypeError(f"a request is made of records and JSON, not {type(value).__name__}")
