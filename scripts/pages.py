"""Pages that are partly made from the code: puts a table in its place, and writes what is new or says that it is stale."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs/guide"


def put(page: str, name: str, table: str) -> str:
    """The page with the table of this name as it is now."""
    begin, end = f"<!-- {name}: made by scripts/{Path(sys.argv[0]).name} -->", f"<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"there is no place for {name}: {begin} … {end}")
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"


def main(doc: str | None, make: Callable[[], dict[Path, str]]) -> None:
    """The command line of such a script; `make` returns what each file has to be."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when something is stale")
    is_check = parser.parse_args().check
    for path, new in make().items():
        if path.exists() and path.read_text() == new:
            continue
        if is_check:
            sys.exit(f"{path.relative_to(ROOT)} is stale: run python scripts/{Path(sys.argv[0]).name}")
        path.write_text(new)
