"""What of conda's files is taken, and as what."""

import pytest

from agor_jupyter.documents.packages import conda


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("pandas", "pandas"),
        ("pandas=2.1", "pandas==2.1.*"),
        ("pandas=2.1.*", "pandas==2.1.*"),
        ("pandas 2.1", "pandas==2.1.*"),
        ("pandas==2.1.4", "pandas==2.1.4"),
        ("pandas=2.1.4=py311_0", "pandas==2.1.4"),
        ("pandas >=2, <3", "pandas>=2,<3"),
        ("conda-forge::Pandas>=2", "pandas>=2"),
        ("pytorch=2.3", "torch==2.3.*"),
    ],
)
def test_a_known_package_is_written_as_pip_writes_it(entry, wanted):
    found = conda.read(f"dependencies: ['{entry}']".encode(), "environment.yml")

    assert (found.requirements, found.left_out) == ([wanted], [])


def test_what_only_conda_knows_is_left_out_and_told():
    found = conda.read(b"dependencies: [python=3.12, pip, gdal, 'numpy=1.2|1.3', r-base, {pip: [dbt-duckdb]}]", "environment.yml")

    assert found.left_out == ["gdal", "numpy=1.2|1.3", "r-base"]
    assert (found.requirements, found.requires_python) == (["dbt-duckdb"], "==3.12.*")
