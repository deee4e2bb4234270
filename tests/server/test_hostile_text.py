"""Every address of the API is given text that no program likes, in every place where it takes text: a sentence of ours comes back."""

import http.client
import json
import typing
from urllib.parse import quote, urlsplit

import pytest

from agor_jupyter.domain.records import Record
from agor_jupyter.server import operations
from agor_jupyter.server.routes import ROUTES, function_of
from harness.servers import serve, stop
from tests.server.test_errors_over_http import Place

TEXTS = {
    "NUL": "a\0b",
    "newline": "a\nb",
    "escape": "a\x1b]0;x\x07\x1b[31mb",
    "surrogate": "a\ud800b",
    "turned": "a\u202eb",
    "long": "x" * 10_000,
    "long path": "x/" * 5_000,
    "option": "--upload-pack=touch MARKER",
}
OURS = ("embedded null", "surrogate", "codec can't", "Traceback", "utf-8", "Errno", "byte", "fatal:")
"""Words of Python and git that no sentence of ours has."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    process, server = serve(tmp_path_factory.mktemp("hostile"))
    yield Place(server)
    stop(process)


def places(model: type[Record], prefix: tuple[str, ...] = ()):
    """Where a body takes text: the way to each."""
    for name, field in model.model_fields.items():
        way, kinds = (*prefix, name), _kinds(field.annotation)
        if str in kinds:
            yield way
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, Record):
                yield from places(kind, way)


def _kinds(annotation):
    inner = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        return _kinds(inner[0])
    if hasattr(annotation, "__supertype__"):  # an id
        return [str]
    return [kind for one in inner for kind in _kinds(one)] if inner else [annotation]


def with_text(body: dict, way: tuple[str, ...], text: str) -> dict:
    name, *rest = way
    inner = with_text(body.get(name) or {}, tuple(rest), text) if rest else text
    return {**body, name: inner}


def bases(place) -> dict[str, dict]:
    """Bodies that are right but for the text, where nearly nothing is."""
    session = place.client.post("sessions", {"worktreeId": place.worktree["id"], "agent": "script"})
    place.session = session["id"]
    return {
        "worktrees.create": {"repo": "warehouse", "name": "new"},
        "sessions.create": {"worktree_id": place.worktree["id"], "agent": "script"},
        "boards.open_board": {"path": "b.agor"},
    }


def ask(place, method, path, body):
    parts = urlsplit(place.server.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    place.count += 1
    headers = {"Authorization": "token alice-token", "Content-Type": "application/json", "Idempotency-Key": f"hostile-{place.count}"}
    try:
        connection.request(method, f"{parts.path}agor/{path}", body=None if body is None else json.dumps(body), headers=headers)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None
    finally:
        connection.close()


def flaw(status, answer) -> str | None:
    error = answer.get("error") if isinstance(answer, dict) else None
    if status < 400:
        return None
    if error is None:
        return f"{status} without an error: {str(answer)[:200]}"
    message = error["message"]
    if status >= 500 and error["code"] != "git_failed":
        return f"{status} {message[:300]}"
    if not message.isprintable() or len(message) > 1500 or not message.rstrip().endswith((".", "”", "?")):
        return f"no sentence: {message[:300]!r} ({len(message)})"
    return next((f"{word!r} in {message[:300]!r}" for word in OURS if word in message), None)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", TEXTS)
def test_each_place_answers_with_a_sentence(place, kind):
    text, found = TEXTS[kind], []
    in_path = quote(text.encode("utf-8", "surrogatepass"), safe="")
    known = bases(place)
    usual = {"repo": "warehouse", "worktree": place.worktree["id"], "session": place.session, "agent": "script"}
    for route in ROUTES:
        for method, name in route.methods.items():
            if (route.module, name, method) in {("openapi", "document", "GET"), ("agents", "install", "POST"), ("agents", "check", "POST")}:
                continue
            operation = operations.of(function_of(route.module, name))
            right = "/".join(usual.get(part[1:-1], "none") if part.startswith("{") else part for part in route.path.split("/"))
            base = known.get(f"{route.module}.{name}", {})
            asked = [
                (right.replace(f"/{usual.get(one, 'none')}", f"/{in_path}", 1), base if method != "GET" else None)
                for one in route.parameters
            ]
            if operation.query is not None:
                asked += [(f"{right}?{way[0]}={in_path}", None) for way in places(operation.query)]
            if operation.body is not None:
                asked += [(right, with_text(base, way, text)) for way in places(operation.body)]
            for path, body in asked:
                if method == "DELETE" and in_path not in path:
                    continue
                problem = flaw(*ask(place, method, path, body))
                if problem:
                    found.append(f"{method} {path[:80]} {str(body)[:120]}: {problem}")

    assert found == [], "\n".join(found)
