"""GitPython's `Repo` for what agents made, opened so that git runs nothing that they wrote.

Its commands get the repository as the server's git sees it: the real objects, refs and index, and settings that only the server wrote. What
GitPython reads by itself is data. It is imported when it is first asked for.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from agor_jupyter.domain.errors import GitFailed, Unavailable
from agor_jupyter.domain.repos import GitPlace

if TYPE_CHECKING:  # GitPython takes a tenth of a second to load, and looks for a git program
    import git


def open_repo(place: GitPlace) -> "git.Repo":
    """The repository at a place that the server named.

    Raises:
        Unavailable: it lies on another machine or is another user's, or GitPython does not load.
        GitFailed: it is not what the server knows.

    """
    if not os.access(place.view, os.R_OK | os.X_OK) or not os.access(place.git_dir, os.R_OK | os.X_OK):
        raise Unavailable(
            f"{place.path!r} cannot be read from here: GitPython works on the server's machine, as the server's user. "
            "`worktree.diff`, `worktree.status` and `turn.diff` work from everywhere.",
            subject=place.path,
        )
    try:
        from agor_jupyter.notebook.quiet_repo import QuietRepo
    except ImportError as error:  # also without a git program
        raise Unavailable(f"GitPython does not load: {error}. Install git and GitPython where this kernel runs.") from error
    repo = QuietRepo(place.path, expand_vars=False)
    found = [Path(os.path.realpath(folder)) for folder in (repo.git_dir, repo.common_dir)]
    if found != [Path(place.git_dir), Path(place.common_dir)]:
        repo.close()
        raise GitFailed("open the repository", f"what git keeps for {place.path} was changed by another program")
    repo.git.update_environment(**place.environment)
    return repo
