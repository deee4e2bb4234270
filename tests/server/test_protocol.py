"""What is generated from the records: the TypeScript types and the OpenAPI document."""

import importlib.util
import json
from pathlib import Path

import pytest

from agor_jupyter.server import openapi
from agor_jupyter.server.routes import ROUTES

SCRIPT = Path(__file__).parents[2] / "scripts/make_types.py"


@pytest.fixture(scope="module")
def make_types():
    spec = importlib.util.spec_from_file_location("make_types", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_types_of_the_front_end_are_those_of_the_records(make_types):
    assert make_types.TARGET.read_text() == make_types.generate()


def test_the_check_says_when_the_types_are_stale_and_writes_nothing(make_types, tmp_path, monkeypatch, capsys):
    stale = tmp_path / "generated.ts"
    stale.write_text("// old\n")
    monkeypatch.setattr(make_types, "TARGET", stale)

    code = make_types.main(["--check"])

    assert code == 1
    assert stale.read_text() == "// old\n"
    assert "make types" in capsys.readouterr().err


def test_every_route_has_its_operation_in_the_document():
    found = openapi.document("/user/ann/")

    described = {(path, method.upper()) for path, methods in found["paths"].items() for method in methods}
    expected = {(f"/{route.path}", method) for route in ROUTES for method in route.methods}
    assert described == expected
    assert found["servers"] == [{"url": "/user/ann/agor"}]
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            assert {"403", "503"} <= set(operation["responses"]), (path, method)
            assert {"200", "204"} & set(operation["responses"]), (path, method)
            assert all(f"{{{each['name']}}}" in path for each in operation["parameters"] if each["in"] == "path")
            keys = [each for each in operation["parameters"] if each["name"] == "Idempotency-Key"]
            assert len(keys) == (method in ("post", "delete")), (path, method)


def test_every_reference_of_the_document_leads_somewhere_and_ids_are_unique():
    found = openapi.document()

    def references(node):
        if isinstance(node, dict):
            yield from [node["$ref"]] if "$ref" in node else []
            for each in node.values():
                yield from references(each)
        elif isinstance(node, list):
            for each in node:
                yield from references(each)

    schemas = found["components"]["schemas"]
    missing = {each for each in references(found) if each.removeprefix("#/components/schemas/") not in schemas}
    ids = [operation["operationId"] for methods in found["paths"].values() for operation in methods.values()]
    assert missing == set()
    assert len(ids) == len(set(ids))


def test_the_document_is_valid_openapi():
    validator = pytest.importorskip("openapi_spec_validator")

    validator.validate(json.loads(json.dumps(openapi.document())))


def test_the_document_is_served(server):
    found = server.client("carol").get("openapi.json")

    assert found["openapi"].startswith("3.1")
    assert found["servers"] == [{"url": "/user/ann/agor"}]
