"""Caches: ignored files and folders that a program makes again by itself, so that nobody calls them work."""

import functools
import re
from collections.abc import Iterable
from fnmatch import translate

_WORDS = """
__pycache__ *.pyc *.pyo .venv venv .tox .nox .eggs *.egg-info *.egg .pixi .conda __pypackages__
.mypy_cache .pytest_cache .ruff_cache .pytype .pyre .hypothesis .coverage .coverage.* htmlcov .cache
.ipynb_checkpoints .virtual_documents .jupyter_ystore.db
target dbt_packages dbt_modules .user.yml *.log spark-warehouse metastore_db .dlt .sqlmesh .terraform
node_modules bower_components .next .nuxt .turbo .parcel-cache .svelte-kit .angular .astro .vite .docusaurus dist build
.eslintcache .stylelintcache *.tsbuildinfo .sass-cache .pnpm-store .npm .yarn
.gradle .bundle .dart_tool .metals .bloop .ccls-cache CMakeFiles *.o *.class *.so *.pyd *.dll
.agor .DS_Store Thumbs.db desktop.ini *.swp *~
"""
NAMES = tuple(_WORDS.split())
"""Patterns of one part of a path, as in a shell."""
_MAGIC = re.compile(r"[*?\[]")


class Caches:
    """The declared list, with what a repository adds in `caches:` of its `.agor.yml`.

    A pattern without a slash is meant for a file or folder of that name anywhere, one with a slash for a path below the worktree.
    """

    def __init__(self, more: Iterable[str] = ()) -> None:
        patterns = [pattern.strip("/") if pattern.count("/") == pattern.endswith("/") else f"/{pattern.strip('/')}" for pattern in more]
        names = (*NAMES, *(pattern for pattern in patterns if not pattern.startswith("/")))
        self._plain = frozenset(name for name in names if not _MAGIC.search(name))
        self._name = _compiled(tuple(name for name in names if name not in self._plain))
        self._path = _compiled(tuple(pattern[1:] for pattern in patterns if pattern.startswith("/")))

    def has_name(self, name: str) -> bool:
        """Whether a file or folder of this name is one, wherever it lies."""
        return name in self._plain or self._name.fullmatch(name) is not None

    def skips(self, path: str) -> bool:
        """As `has`, for a path whose folders are known to be none."""
        return self.has_name(path.rpartition("/")[2]) or self._path.fullmatch(path) is not None

    def has(self, path: str) -> bool:
        """Whether the file or folder at `path`, or one above it, is one."""
        parts = path.strip("/").split("/")
        return any(self.has_name(part) for part in parts) or any(
            self._path.fullmatch("/".join(parts[:end])) is not None for end in range(1, len(parts) + 1)
        )


@functools.cache
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern) for pattern in patterns) or r"(?!)")
