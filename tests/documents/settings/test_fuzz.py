"""Whatever a stranger writes: a plan, or `BadSettings`."""

import contextlib
import json

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agor_jupyter.documents.settings import compose, devcontainer, fields, procfile, variants
from agor_jupyter.documents.settings.marked import read
from agor_jupyter.domain.environments import Plan
from agor_jupyter.domain.errors import BadSettings
from agor_jupyter.services.worktrees.settings import check

NAMES = st.sampled_from(
    [
        "services",
        "links",
        "data",
        "env",
        "setup",
        "variants",
        "extends",
        "default",
        "ready",
        "ports",
        "command",
        "depends_on",
        "web",
        "port",
        "kind",
    ]
    + ["duckdb", "cwd", "start", "health", "up", "app", "environment", "version", "kernel", "include", "image", "target", "x\0", "é" * 50]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | NAMES
    | st.text(max_size=20)
    | st.just("http://localhost:{{add 9000 worktree.unique_id}}/x"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=4),
    max_leaves=25,
)
TREES = st.dictionaries(NAMES, VALUES, max_size=5)


def every(content: bytes) -> None:
    with contextlib.suppress(BadSettings):
        found = read(content, ".agor.yml")
        check(found)
        for variant in (None, "web"):
            with contextlib.suppress(BadSettings):
                made = variants.plan(found, variant)
                assert made is None or Plan.model_validate_json(made.model_dump_json()) == made
    for parse in (procfile.plan, devcontainer.plan, lambda content: compose.plan(content, "compose.yaml", ["docker", "compose"], "p")):
        with contextlib.suppress(BadSettings):
            assert isinstance(parse(content), Plan)


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_any_section_is_a_plan_or_refused(tree):
    every(yaml.safe_dump({"environment": tree}, allow_unicode=True).encode())
    every(yaml.safe_dump(tree).encode())
    every(json.dumps(tree).encode())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>#'\"%@\n\t ?,0<.é\0", max_size=120).map(str.encode))
def test_any_bytes_are_a_plan_or_refused(content):
    every(content)
    every(b"environment: " + content)


def test_every_field_of_the_records_can_be_written():
    assert set(fields.SECTION) - {"extends"} <= set(Plan.model_fields)
