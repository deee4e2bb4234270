"""`python -m harness.services`: makes an environment for each data tool whose web server the tests open. What is there stays."""

import os
import subprocess
import time
from pathlib import Path

from agor_jupyter.executors import packages

CACHE = Path(os.environ.get("AGOR_SERVICES_CACHE") or Path.home() / ".cache" / "agor-jupyter" / "services")
# Since 1.11 dbt gets a part of itself from GitHub, which not every network reaches.
TOOLS = {
    "dbt": ["dbt-core>=1.10,<1.11", "dbt-duckdb>=1.9,<1.11"],
    "streamlit": ["streamlit>=1.50"],
    "dagster": ["dagster>=1.12", "dagster-webserver>=1.12"],
    "airflow": ["apache-airflow>=3.1"],
}


def main() -> None:
    uv = packages.find_uv()
    if uv is None:
        raise SystemExit("This needs uv: pip install uv")
    for tool, wanted in TOOLS.items():
        folder, mark = CACHE / tool, CACHE / f"{tool}.made"
        if mark.is_file() and mark.read_text().split("\n") == wanted:
            continue
        began = time.monotonic()
        subprocess.run([uv, "venv", "-q", "--clear", "--python", "3.11", folder], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", folder / "bin" / "python", *wanted], check=True)
        mark.write_text("\n".join(wanted))
        print(f"{tool} is there ({time.monotonic() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
