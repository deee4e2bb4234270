"""From an HTTP request to a function of `handlers/` and back. Loads the records."""

import contextlib
import functools
import inspect
import json
import typing
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pydantic

from agor_jupyter.domain import errors
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.records import Record
from agor_jupyter.server.base import Handler
from agor_jupyter.services.app import Agor
from agor_jupyter.services.commands import MAX_KEY

Function = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a function of `handlers/` is given besides the parameters of its path, its body and its query."""

    caller: Caller
    agor: Agor
    base_url: str
    """Of the server, as `/user/ann/`."""
    key: str
    """The command's idempotency key. A POST has to bring one; for others one is made when it is missing."""
    is_plain: bool
    """Whether the caller is known by name alone, so that the server's authorizer can be asked about them also when they are not here."""
    may: Callable[[str, str], Awaitable[bool]]
    """Whether the server's authorizer lets the caller do an action (`read`, `write`, `execute`) on a resource of Jupyter's."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A function with what its signature says."""

    function: Function
    role: Role
    summary: str
    body: type[Record] | None
    query: type[Record] | None
    answers: Any
    """A record, a list of one, or `None`. A type, so nothing narrower than `Any`."""


def operation(role: Role = Role.VIEWER, *, answers: Any = None) -> Callable[[Function], Function]:
    """Mark a function as reachable over HTTP for `role` and above.

    `answers` says what lies in the `bytes` that a function returns when the service has encoded the answer already.
    """

    def mark(function: Function) -> Function:
        hints = typing.get_type_hints(function)
        found = Operation(
            function=function,
            role=role,
            summary=(inspect.getdoc(function) or function.__name__).partition("\n")[0].rstrip("."),
            body=hints.get("body"),
            query=hints.get("query"),
            answers=answers or hints.get("return"),
        )
        function.__dict__["operation"] = found
        return function

    return mark


@functools.cache
def of(function: Function) -> Operation:
    found = function.__dict__["operation"]
    assert isinstance(found, Operation)
    return found


async def run(handler: Handler, operation: Operation, path: Sequence[str]) -> None:
    """Authorise, parse, call, answer. Raises what `errors.translate` knows. Keeps a row of what a person was refused."""
    try:
        await _run(handler, operation, path)
    except errors.NotAllowed:
        if (agor := handler.lifetime.agor) is not None:
            action = f"{handler.request.method} {handler.request.path.partition('/agor/api/')[2]}"
            with contextlib.suppress(errors.Unavailable):  # a full disk does not make it another answer
                await agor.refusals.note(handler.person()["username"], action, "http")
        raise


async def _run(handler: Handler, operation: Operation, path: Sequence[str]) -> None:
    role = await handler.role()
    person = Person(**handler.person())
    if role is None:
        raise errors.NotAllowed(who=person.name, action="read this server's boards", needs=Role.VIEWER.value)
    caller = Caller(person=person, role=Role(role))
    caller.require(operation.role, operation.summary[:1].lower() + operation.summary[1:])
    arguments: dict[str, Any] = {}
    if operation.body is not None:
        arguments["body"] = _parse_body(operation.body, handler.body)
    if operation.query is not None:
        arguments["query"] = _parse_query(operation.query, handler)
    key = handler.request.headers.get("Idempotency-Key", "")
    if len(key) > MAX_KEY or (handler.request.method == "POST" and not key):
        raise errors.BadRequest([f"the header Idempotency-Key is needed, with 1 to {MAX_KEY} characters that are new for each command"])
    agor = await handler.lifetime.ready()
    call = Call(
        caller=caller,
        agor=agor,
        base_url=handler.base_url,
        key=key or uuid.uuid4().hex,
        is_plain=handler.is_plain,
        may=handler.may,
    )
    result = await operation.function(call, *path, **arguments)
    if result is None:
        handler.set_status(204)
        handler.clear_header("Content-Type")
        handler.finish()
        return
    handler.set_header("Content-Type", "application/json")
    handler.set_header("Cache-Control", "no-store")
    handler.finish(encode(result))


def encode(result: Any) -> bytes:
    """JSON of a record, a list of records, plain JSON, or bytes that are JSON already."""
    if isinstance(result, bytes):
        return result
    if isinstance(result, Record):
        return result.encode()
    if isinstance(result, list | tuple):
        return b"[" + b",".join(encode(item) for item in result) + b"]"
    return json.dumps(result).encode()


def _parse_body(model: type[Record], body: bytes) -> Record:
    try:
        return model.model_validate_json(body or b"{}")
    except pydantic.ValidationError as error:
        raise errors.BadRequest.of(error) from None


def _parse_query(model: type[Record], handler: Handler) -> Record:
    found = {
        name: handler.get_query_argument(name) for name in handler.request.query_arguments if name not in ("_xsrf", "no_track_activity")
    }
    try:
        return model.model_validate(found)
    except pydantic.ValidationError as error:
        raise errors.BadRequest.of(error) from None
