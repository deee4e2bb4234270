"""Tells the git in a sandbox who commits there: what git finds outside, in the worktree itself, also when it changed meanwhile."""

from collections.abc import Awaitable, Callable

from agor_jupyter.domain import errors
from agor_jupyter.git import identity
from agor_jupyter.git.private import Finding, Inside, Private, run_inside

_NOBODY = (
    "Git knows no name and e-mail address for commits in this worktree, so an agent that has none of its own cannot commit. Set them with "
    "`git config --global user.name` and `git config --global user.email`; they apply from the agent's next start."
)
_NOT_TOLD = (
    "The name or e-mail address for commits changed, but the sandbox could not be updated. It is tried again at the agent's next start."
)


async def introduce(private: Private, look: Callable[[], Awaitable[Inside]]) -> list[Finding]:
    """Before a process starts. What the agents set themselves inside stays, as long as nothing changes outside."""
    found = await identity.of(private.repository, private.worktree)
    now, known = identity.plain(found), identity.noted(private.folder)
    findings = [] if found.is_complete else [Finding(code="nobody", text=_NOBODY)]
    changed = [key for key in sorted({*known, *now}) if known.get(key) != now.get(key)]
    if changed:
        inside = await look()
        try:
            for key in changed:
                change = ["--replace-all", key, now[key]] if key in now else ["--unset-all", key]
                await run_inside(private, inside.changing, "tell who commits", "config", "--local", *change, ok=(0, 5))
        except errors.GitFailed as error:
            return [*findings, Finding(code="not_introduced", text=f"{_NOT_TOLD} {error.message}")]
        identity.note(private.folder, found)
    return findings
