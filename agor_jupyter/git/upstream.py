"""A branch that only a remote has: found by what the repository fetches, and made here so that it tracks that one, as `git switch` does."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agor_jupyter.domain import errors
from agor_jupyter.git import run
from agor_jupyter.git.repository import Repository, Setting, read_settings

_FETCH = re.compile(rb"remote\.(.+)\.fetch")


@dataclass(frozen=True, kw_only=True)
class Upstream:
    remote: str
    ref: str
    """Where it is kept here: `refs/remotes/origin/fix`."""
    sha: str


async def find(repository: Repository, branch: str) -> Upstream | None:
    """The one remote branch of this name that was fetched. `None`: no remote has it, as far as is known here.

    Errors:
        Conflict: several remotes have it, and `checkout.defaultRemote` names none of them.
    """
    settings = await read_settings(repository.common_dir / "config")
    wanted = {ref: remote for remote, ref in _tracking(settings, f"refs/heads/{branch}")}
    if not wanted:
        return None
    output = await repository.git(
        "look for the branch on remotes", "for-each-ref", "--format=%(refname)%00%(objecttype) %(objectname)", *wanted
    )
    found = []
    for line in output.text.split("\n"):
        name, _, what = line.partition("\0")
        if name in wanted and what.startswith("commit "):
            found.append(Upstream(remote=wanted[name], ref=name, sha=what.removeprefix("commit ")))
    if len(found) > 1:
        preferred = os.fsdecode(dict(settings).get(b"checkout.defaultremote", b""))
        found = [one for one in found if one.remote == preferred] or found
    if len(found) > 1:
        names = [one.ref.removeprefix("refs/remotes/") for one in found]
        raise errors.Conflict(
            f"Branch {branch!r} is on several remotes: {', '.join(names)}. Nothing was created. Create the one you mean with "
            f"`git branch --track {branch} {names[0]}`, or set `checkout.defaultRemote`, then try again.",
            subject=branch,
        )
    return found[0] if found else None


def _tracking(settings: Iterable[Setting], full: str) -> Iterator[tuple[str, str]]:
    """Each remote, and the ref in which it keeps the branch `full` of it here."""
    for key, value in settings:
        named = _FETCH.fullmatch(key)
        source, colon, target = os.fsdecode(value).removeprefix("+").partition(":")
        if named is None or not colon or not target.startswith("refs/"):
            continue
        before, star, after = source.partition("*")
        if not star and source == full:
            yield os.fsdecode(named[1]), target
        elif star and full.startswith(before) and full.endswith(after) and len(full) > len(before) + len(after):
            yield os.fsdecode(named[1]), target.replace("*", full[len(before) : len(full) - len(after)], 1)


async def track(repository: Repository, branch: str, upstream: Upstream) -> None:
    """Make `branch` where `upstream` is, and let git know that it follows it. The caller holds the repository's lock.

    Errors:
        GitFailed: there is such a branch now, or somebody has the settings locked.
    """
    full = f"refs/heads/{branch}"
    await repository.git(
        "make the branch", "update-ref", "-m", f"branch: Created from {upstream.ref}", full, upstream.sha, "0" * len(upstream.sha)
    )
    await _set(repository, f"branch.{branch}.remote", upstream.remote)
    await _set(repository, f"branch.{branch}.merge", full)


async def untrack(repository: Repository, branch: str) -> None:
    """Undo what `track` wrote into the settings. Silent when there is nothing."""
    await _config(repository, "--remove-section", f"branch.{branch}")


async def _set(repository: Repository, name: str, value: str) -> None:
    await _config(repository, "--replace-all", name, value, ok=(0,))


async def _config(repository: Repository, *arguments: str, ok: tuple[int, ...] = (0, 5, 128)) -> None:
    """On the repository's own file, of which nothing is obeyed; through no link."""
    file = repository.common_dir / "config"
    if not file.is_symlink():
        what, cwd = "set what the branch tracks", repository.view
        await run.run(what, ["config", "--file", str(file), *arguments], cwd=cwd, pins={"GIT_DIR": os.devnull}, ok=ok)
