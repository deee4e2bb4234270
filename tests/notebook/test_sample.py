import subprocess
import sys

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.notebook.sample import HISTORY, sample


@pytest.fixture
def warehouse(tmp_path):
    return sample(tmp_path / "warehouse")


def test_it_has_a_history_and_nothing_uncommitted(warehouse):
    log = subprocess.check_output(["git", "-C", warehouse, "log", "--format=%s", "--reverse"], text=True).splitlines()

    assert log == [subject for subject, _ in HISTORY]
    assert subprocess.check_output(["git", "-C", warehouse, "status", "--porcelain"], text=True) == ""


def test_it_is_the_same_repository_on_every_machine(warehouse, tmp_path):
    other = sample(tmp_path / "other")

    heads = {subprocess.check_output(["git", "-C", one, "rev-parse", "HEAD"], text=True) for one in (warehouse, other)}

    assert len(heads) == 1


def test_exactly_one_of_its_tests_fails(warehouse):
    done = subprocess.run([sys.executable, "-m", "pytest", "-qq", "--tb=no"], cwd=warehouse, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stdout.splitlines()[0].split()[0] == ".F.."
    assert "test_every_order_has_an_id" in done.stdout


def test_its_set_up_builds_the_warehouse(warehouse):
    done = subprocess.run([sys.executable, "load.py", "warehouse.duckdb"], cwd=warehouse, capture_output=True, text=True, check=False)

    assert done.stdout.splitlines()[1] == "built stg_customers stg_orders customer_revenue daily_revenue"


def test_a_second_time_leaves_it_as_it_is(warehouse):
    (warehouse / "mine.txt").write_text("mine")

    again = sample(warehouse)

    assert (again / "mine.txt").read_text() == "mine"


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")

    with pytest.raises(errors.BadPath, match="not empty"):
        sample(tmp_path)
