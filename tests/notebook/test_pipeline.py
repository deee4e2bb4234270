"""The pipeline notebook runs as it is stored: five zones take a card from an issue to a merged branch."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.notebook.test_quickstart import environment  # noqa: F401  a fixture

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "pipeline.ipynb"


@pytest.mark.timeout(300)
def test_it_compares_under_nbval_and_again_with_the_work_done(tmp_path, environment):  # noqa: F811
    shutil.copy(NOTEBOOK, tmp_path / "pipeline.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "pipeline.ipynb"]

    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-4000:]

    log = subprocess.check_output(["git", "-C", tmp_path / "warehouse", "log", "--format=%s", "-1", "main"], text=True)
    assert log == "Keep the order ids of the old shop\n"


def test_it_is_stored_with_its_outputs():
    text = NOTEBOOK.read_text()
    code = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]

    assert all(cell["outputs"] and cell["execution_count"] for cell in code)
    assert len(text) < 40_000
    for trace in ("_esm", re.escape(str(Path.home())), "/tmp/", r"\b(wt|se|ob|fi)_", "T0", "seconds"):
        assert not re.search(trace, text)
