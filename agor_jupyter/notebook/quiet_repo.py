"""A `git.Repo` that runs no hooks. Imports GitPython: only `gitpython.py` imports this."""

from typing import Any

import git


class QuietIndex(git.IndexFile):
    """Hooks lie where an agent can write them."""

    def commit(self, message: str, *arguments: Any, **options: Any) -> git.Commit:  # GitPython's own, whatever its version takes
        return super().commit(message, *arguments, **{**options, "skip_hooks": True})


class QuietRepo(git.Repo):
    @property
    def index(self) -> git.IndexFile:
        return QuietIndex(self)
