"""Load the CSV files into DuckDB and build the models: python load.py [warehouse.duckdb]."""

import sys
from pathlib import Path

import duckdb

HERE = Path(__file__).parent


def load(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """One table for each file in seeds/, every column as text, as it came."""
    tables = []
    for file in sorted((HERE / "seeds").glob("*.csv")):
        connection.execute(
            f"create or replace table {file.stem} as select * from read_csv(?, header = true, all_varchar = true)", [str(file)]
        )
        tables.append(file.stem)
    return tables


def build(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """One view for each model: staging first, then the marts that read it."""
    models = []
    for folder in ("staging", "marts"):
        for file in sorted((HERE / "models" / folder).glob("*.sql")):
            connection.execute(f"create or replace view {file.stem} as {file.read_text()}")
            models.append(file.stem)
    return models


if __name__ == "__main__":
    with duckdb.connect(sys.argv[1] if len(sys.argv) > 1 else ":memory:") as warehouse:
        print("loaded", *load(warehouse))
        print("built", *build(warehouse))
