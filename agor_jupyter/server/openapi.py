"""The OpenAPI 3.1 document, made from the table of routes and the signatures of its functions."""

import functools
import inspect
from typing import Any

import pydantic
from pydantic.json_schema import models_json_schema

from agor_jupyter._version import __version__
from agor_jupyter.domain import errors
from agor_jupyter.domain.records import Record
from agor_jupyter.server import operations
from agor_jupyter.server.routes import ROUTES, Route, function_of

_REF = "#/components/schemas/{model}"
_STATUSES = {
    "400": "The input is not valid.",
    "403": "Not logged in, from another origin, or the role does not allow it.",
    "404": "It does not exist.",
    "409": "Valid, but not possible right now.",
    "503": "Try again later, or repair the machine.",
    "507": "The disk is full; nothing was changed.",
}
_ROOT = "Agor for Jupyter. A POST carries an Idempotency-Key, a DELETE may: the same key again gives the same answer."


class ErrorBody(Record):
    """What went wrong, and what would work."""

    code: str
    """Stable; for programs."""
    message: str
    """For people."""
    subject: str | None
    details: dict[str, Any]


class ErrorAnswer(Record):
    error: ErrorBody


@functools.cache
def document(base_url: str = "/") -> dict[str, Any]:
    schemas: dict[str, Any] = {"ErrorAnswer": _components(ErrorAnswer)}
    paths: dict[str, Any] = {}
    for route in ROUTES:
        found = paths.setdefault("/" + route.path, {})
        for method, name in route.methods.items():
            operation = operations.of(function_of(route.module, name))
            found[method.lower()] = _operation(route, method, name, operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Agor for Jupyter", "version": __version__, "description": _ROOT},
        "servers": [{"url": base_url.rstrip("/") + "/agor"}],
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": _flatten(schemas),
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`token …`, the server's token."},
                "cookie": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-XSRFToken",
                    "description": "With the login's cookie; the value of the `_xsrf` cookie.",
                },
            },
        },
        "x-error-codes": {error.code: inspect.getdoc(error) or "" for error in _all(errors.AgorError)},
    }


def _operation(route: Route, method: str, name: str, operation: operations.Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    parameters = [{"name": each, "in": "path", "required": True, "schema": {"type": "string"}} for each in route.parameters]
    if operation.query is not None:
        parameters += _query(operation.query, schemas)
    if method in ("POST", "DELETE"):
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": method == "POST",
                "description": "New for each command, the same when it is sent again.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 200},
            }
        )
    described: dict[str, Any] = {
        "operationId": f"{route.module}_{name}",
        "tags": [route.module],
        "summary": operation.summary,
        "x-role": operation.role.value,
        "parameters": parameters,
        "responses": {
            **_success(operation.answers, schemas),
            **{
                status: {
                    "description": text,
                    "content": {"application/json": {"schema": {"$ref": _REF.format(model="ErrorAnswer")}}},
                }
                for status, text in _STATUSES.items()
            },
        },
    }
    if operation.body is not None:
        schemas[operation.body.__name__] = _components(operation.body)
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REF.format(model=operation.body.__name__)}}},
        }
    return described


def _success(answers: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if answers is None or answers is type(None):
        return {"204": {"description": "Done."}}
    schema = pydantic.TypeAdapter(answers).json_schema(mode="serialization", ref_template=_REF)
    for key, definition in schema.pop("$defs", {}).items():
        schemas.setdefault(key, definition)
    if isinstance(answers, type) and issubclass(answers, Record):
        schemas[answers.__name__] = {**schema, "$defs": {}}
        schema = {"$ref": _REF.format(model=answers.__name__)}
    return {"200": {"description": "The answer.", "content": {"application/json": {"schema": schema}}}}


def _query(model: type[Record], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    schema = model.model_json_schema(ref_template=_REF)
    schemas.update(schema.get("$defs", {}))
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "description": field.pop("description", ""),
            "schema": field,
        }
        for name, field in schema["properties"].items()
    ]


def _components(model: type[Record]) -> dict[str, Any]:
    _, schema = models_json_schema([(model, "validation")], ref_template=_REF)
    definitions = schema["$defs"]
    own = definitions.pop(model.__name__)
    return {**own, "$defs": definitions}


def _flatten(schemas: dict[str, Any]) -> dict[str, Any]:
    """Every definition at the top, where `$ref` finds it."""
    flat: dict[str, Any] = {}
    for name, schema in schemas.items():
        flat.update(schema.pop("$defs", {}))
        flat[name] = schema
    return dict(sorted(flat.items()))


def _all(kind: type[errors.AgorError]) -> list[type[errors.AgorError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in _all(child))]
