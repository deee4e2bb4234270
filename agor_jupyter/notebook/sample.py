"""The sample repository of the quick start: a small data project with a history of its own and one test that fails.

It stands for a repository that you brought yourself, so it is made as you would make it: by git, once, before anything of
Agor looks at it.
"""

import os
import subprocess
from pathlib import Path

from agor_jupyter.client.paths import absolute
from agor_jupyter.domain.errors import BadPath

FILES = Path(__file__).parent / "warehouse"
HISTORY = (
    ("Load the exports into DuckDB", ["README-first.md", "load.py", "seeds/raw_customers.csv", "seeds/raw_orders.csv", "dot-gitignore"]),
    ("Give orders and customers real types", ["models/staging/stg_customers.sql", "models/staging/stg_orders.sql"]),
    ("Add revenue by customer and by day", ["models/marts/customer_revenue.sql", "models/marts/daily_revenue.sql", "README.md"]),
    ("Test the models", ["tests/test_models.py", "pytest.ini"]),
    ("Set up a worktree by itself", ["dot-agor-first.yml", "dot-worktreeinclude"]),
    ("Serve a page on the revenue", ["page.py", "dot-agor.yml"]),
)
"""Subject and files of each commit. `dot-` stands for a leading dot, `-first` for an earlier version."""


def sample(folder: str | os.PathLike[str] = "./warehouse") -> Path:
    """Create the sample repository in `folder`, or leave it as it is if it exists, and return its absolute path.

    Raises:
        BadPath: the folder holds something else.

    """
    target = absolute(folder).resolve()
    if (target / ".git").exists():
        return target
    if target.exists() and any(target.iterdir()):
        raise BadPath(str(folder), "it is not empty and not a git repository. Name a folder that does not exist yet")
    target.mkdir(parents=True, exist_ok=True)
    _git(target, "init", "--quiet", "--initial-branch=main")
    _git(target, "config", "user.name", "Warehouse team")
    _git(target, "config", "user.email", "team@warehouse.example")
    for day, (subject, files) in enumerate(HISTORY, start=2):
        for file in files:
            place = target / file.replace("dot-", ".").replace("-first", "")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes((FILES / file).read_bytes())
        _git(target, "add", "--all")
        _git(target, "commit", "--quiet", "--no-gpg-sign", "--message", subject, moment=f"2026-03-{day:02}T09:30:00+00:00")
    return target


def _git(folder: Path, *arguments: str, moment: str = "") -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    if moment:
        environment |= {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, env=environment, capture_output=True)
