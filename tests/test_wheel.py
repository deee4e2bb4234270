"""What is in the wheel: everything that an installation without Node needs, and nothing that it does not."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import agor_jupyter

ROOT = Path(__file__).parent.parent
BUILT = (ROOT / "agor_jupyter/static/manifest.json").exists() and (ROOT / "agor_jupyter/labextension/package.json").exists()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    if not BUILT:
        pytest.skip("the front end is not built here")
    folder = tmp_path_factory.mktemp("wheel")
    program = f"import hatchling.build; print(hatchling.build.build_wheel({str(folder)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=os.environ | {"AGOR_SKIP_JS": "1"}, capture_output=True, text=True, check=False
    )
    if "No module named 'hatchling'" in done.stderr:
        command = [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT]
        done = subprocess.run(command, env=os.environ | {"AGOR_SKIP_JS": "1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        yield archive


@pytest.mark.timeout(120)
def test_the_wheel_has_all_that_runs(wheel):
    names = set(wheel.namelist())
    version = agor_jupyter.__version__
    shared = f"agor_jupyter-{version}.data/data/"

    assert {
        "agor_jupyter/static/canvas.js",
        "agor_jupyter/static/later.js",
        "agor_jupyter/static/loader.js",
        "agor_jupyter/static/manifest.json",
        "agor_jupyter/notebook/quickstart.ipynb",
        "agor_jupyter/notebook/pipeline.ipynb",
        "agor_jupyter/notebook/warehouse/seeds/raw_orders.csv",
        "agor_jupyter/notebook/warehouse/dot-agor.yml",
        "agor_jupyter/storage/migrations/env.py",
        "agor_jupyter/storage/migrations/versions/0001_first.py",
        "agor_jupyter/documents/templates/fix-a-failing-test.agor",
        "agor_jupyter/py.typed",
        f"{shared}etc/jupyter/jupyter_server_config.d/agor_jupyter.json",
        f"{shared}share/jupyter/labextensions/agor-jupyter/install.json",
        f"{shared}share/jupyter/labextensions/agor-jupyter/package.json",
        f"agor_jupyter-{version}.dist-info/licenses/LICENSE",
    } <= names
    entry = json.loads(wheel.read("agor_jupyter/labextension/package.json"))["jupyterlab"]["_build"]["load"]
    assert f"{shared}share/jupyter/labextensions/agor-jupyter/{entry}" in names
    sample = {file.relative_to(ROOT).as_posix() for file in (ROOT / "agor_jupyter/notebook/warehouse").rglob("*") if file.is_file()}
    assert {name for name in sample if "__pycache__" not in name} <= names


def test_the_wheel_has_nothing_else(wheel):
    for name in wheel.namelist():
        assert name.startswith("agor_jupyter")
        assert not any(part in name for part in ("node_modules", "__pycache__", "tests/test_services", "js/src", ".map"))


def test_the_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == agor_jupyter.__version__ == json.loads((ROOT / "js/package.json").read_text())["version"]
    assert project["license"] == "BSD-3-Clause"
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_no_path_of_a_machine_and_no_registry_is_in_the_tree():
    words = ["registry" + ".npmjs", "files.python" + "hosted", "pypi" + ".org", "/home" + "/"]
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(
        ["git", "grep", "-lIE", "|".join(word.replace(".", r"\.") for word in words), "--", ".", ":!tests"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert listed.stdout == ""


def test_a_bare_make_says_what_there_is():
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    for target in ("demo", "test", "check", "fix", "types", "bench"):
        assert any(line.startswith(f"{target} ") and len(line.split()) > 3 for line in said.splitlines()), target
    assert "make test" in (ROOT / ".ci/run").read_text()
