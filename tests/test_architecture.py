"""Layers, the public names, and a schema for every kind of event."""

import graphlib
import re
import subprocess
import sys
import typing
from pathlib import Path

import grimp
import pydantic

import agor_jupyter
from agor_jupyter.domain import events

ROOT = Path(__file__).parent.parent


def test_imports_point_down():
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


IN_ANOTHER_PROCESS = {
    "agents/runner/running.py",  # the script agent's blocks, within that agent
    "cli/demo.py",  # becomes the server
    "cli/doctor.py",
    "client/discovery.py",
    "client/private.py",  # the server itself
    "notebook/sample.py",
    "server/private.py",
    "services/crash.py",  # this process itself, in tests
}


def test_only_processes_starts_a_program_or_signals_one():
    package = ROOT / "agor_jupyter"
    means = re.compile(
        r"\b(?:import subprocess|asyncio\.subprocess|create_subprocess_\w+|os\.(?:kill|killpg|fork|posix_spawn\w*|system|popen|exec\w+)\()"
    )
    found = {str(path.relative_to(package)) for path in package.rglob("*.py") if means.search(path.read_text())}

    assert {path for path in found if not path.startswith("processes/")} == IN_ANOTHER_PROCESS


def test_the_public_names_are_these():
    assert agor_jupyter.__all__ == [
        "Board",
        "Diff",
        "Hub",
        "Permission",
        "Repo",
        "Session",
        "Turn",
        "Worktree",
        "connect",
        "errors",
        "sample",
    ]
    assert len(agor_jupyter.__all__) <= 12


def test_every_public_name_is_there():
    for name in agor_jupyter.__all__:
        assert getattr(agor_jupyter, name).__name__.rpartition(".")[2] == name


def test_importing_loads_nothing_else():
    program = "import sys, agor_jupyter; print([m for m in sys.modules if m.split('.')[0] in {'pydantic', 'pandas', 'anywidget', 'IPython', 'tornado'}])"

    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_the_handles_load_without_pandas_and_widgets():
    program = (
        "import sys, agor_jupyter as a; [getattr(a, n) for n in a.__all__];"
        "print([m for m in sys.modules if m.split('.')[0] in {'pandas', 'anywidget', 'IPython', 'jupyter_server', 'sqlalchemy'}])"
    )

    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def _bodies(union):
    return typing.get_args(typing.get_args(union)[0])


def test_every_kind_of_event_is_one_of_the_union_and_has_a_schema():
    classes = {
        one
        for one in vars(events).values()
        if isinstance(one, type) and one.__module__ == events.__name__ and "kind" in getattr(one, "model_fields", {})
    }

    schema = pydantic.TypeAdapter(events.Body).json_schema()

    assert classes == set(_bodies(events.Body))
    assert set(_bodies(events.Body)) == set(_bodies(events.TranscriptBody)) | set(_bodies(events.NewsBody))
    assert set(schema["discriminator"]["mapping"]) == {one.model_fields["kind"].default for one in classes}


def test_every_error_has_a_code_of_its_own():
    from agor_jupyter.domain import errors

    kinds = [
        one
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, errors.AgorError) and not one.__name__.startswith("_")
    ]

    assert len({one.code for one in kinds}) == len(kinds)


def test_no_module_imports_one_that_imports_it():
    """Not through others either, and not for a checker alone."""
    graph = grimp.build_graph("agor_jupyter")

    order = graphlib.TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules})

    order.prepare()  # raises with the circle


GENERATED = {"js/src/protocol/generated.ts"}


def test_a_long_file_says_at_its_top_why_it_is_long():
    files = [
        path
        for folder, ending in (("agor_jupyter", "*.py"), ("js/src", "*.ts"), ("js/src", "*.tsx"))
        for path in (ROOT / folder).rglob(ending)
    ]
    assert len(files) > 500
    unsaid = []
    for path in files:
        lines = path.read_text().splitlines()
        name = str(path.relative_to(ROOT))
        if len(lines) > 400 and name not in GENERATED and not re.search(r"\blong\b", "\n".join(lines[:15])):
            unsaid.append(name)

    assert not unsaid
