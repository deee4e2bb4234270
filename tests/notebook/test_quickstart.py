"""The quick start runs as it is stored, against the private server that it starts itself, and leaves a small notebook."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"


@pytest.fixture
def environment(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGOR_", "JPY_", "JUPYTER"))}
    return kept | {"AGOR_DATA_DIR": str(tmp_path / "data"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"), "PYTHONPATH": ""}


def nbval(folder, environment):
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "quickstart.ipynb"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.timeout(300)
def test_it_compares_under_nbval_and_again_with_the_work_done(tmp_path, environment):
    shutil.copy(NOTEBOOK, tmp_path / "quickstart.ipynb")

    for _ in range(2):
        done = nbval(tmp_path, environment)
        assert done.returncode == 0, done.stdout[-4000:]

    log = subprocess.check_output(["git", "-C", tmp_path / "warehouse", "log", "--format=%s", "-1", "fix-null-keys"], text=True)
    assert log == "Keep the order ids of the old shop\n"


def test_it_is_stored_with_its_outputs_and_without_the_bundle():
    text = NOTEBOOK.read_text()
    notebook = json.loads(text)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]

    assert len(code) == 8
    assert all(cell["outputs"] and cell["execution_count"] for cell in code)
    assert len(text) < 40_000
    assert "_esm" not in text
    for trace in (str(Path.home()), "/tmp/", "wt_", "se_", "T0", "seconds"):
        assert trace not in text
