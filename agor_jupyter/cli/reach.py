"""The connection of this command, made when it is first needed and closed at its end."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from agor_jupyter.client.paths import absolute
from agor_jupyter.domain.budgets import Budget
from agor_jupyter.domain.errors import (
    AgorError,
    BudgetNotFound,
    Conflict,
    PermissionNotFound,
    RepoNotFound,
    RuleNotFound,
    SessionNotFound,
    TurnNotFound,
    WorktreeNotFound,
)
from agor_jupyter.domain.permissions import Permission
from agor_jupyter.domain.records import Record
from agor_jupyter.domain.repos import Repo
from agor_jupyter.domain.rules import Rule
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.turns import Turn
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.notebook.link import Link, reach

R = TypeVar("R", bound=Record)

_options: dict[str, str | None] = {}
_link: Link | None = None


def configure(*, url: str | None, token: str | None, data_dir: str | None) -> None:
    _options.update(url=url, token=token, data_dir=data_dir)


def link() -> Link:
    global _link  # noqa: PLW0603  # one connection for the process of a command
    if _link is None:
        _link = reach(**_options)
    return _link


def close() -> None:
    global _link  # noqa: PLW0603
    if _link is not None:
        _link.stop()
        _link = None


def repo(key: str) -> Repo:
    found = [Repo.model_validate(item) for item in link().items("repos")]
    place = str(absolute(key).resolve())
    return _one("repo", key, found, lambda one: [one.id, key if one.path == place else one.path, one.slug], RepoNotFound)


def worktree(key: str) -> Worktree:
    found = [Worktree.model_validate(item) for item in link().items("worktrees", archived=1)]
    return _one("worktree", key, found, lambda one: [one.id, f"{one.repo}/{one.name}", one.name], WorktreeNotFound)


def session(key: str) -> Session:
    if key.startswith("se_"):
        return Session.model_validate(link().get(f"sessions/{key}"))
    found = [Session.model_validate(item) for item in link().items("sessions")]
    return _one("session", key, found, lambda one: [one.id, one.title], SessionNotFound)


def turn(key: str) -> Turn:
    """By its id, or as SESSION:NUMBER."""
    if ":" not in key:
        return Turn.model_validate(link().get(f"turns/{key}"))
    name, _, number = key.rpartition(":")
    turns = [Turn.model_validate(item) for item in link().items(f"sessions/{session(name).id}/turns")]
    return _one("turn", number, turns, lambda one: [str(one.number)], TurnNotFound)


def permission(key: str) -> Permission:
    found = [Permission.model_validate(item) for item in link().items("permissions")]
    return _one("permission", key, found, lambda one: [one.id], PermissionNotFound)


def budget(key: str) -> Budget:
    found = [Budget.model_validate(item) for item in link().items("budgets")]
    return _one("budget", key, found, lambda one: [one.id], BudgetNotFound)


def rule(key: str) -> Rule:
    found = [Rule.model_validate(item) for item in link().items("rules")]
    return _one("rule", key, found, lambda one: [one.id], RuleNotFound)


def _one(noun: str, key: str, items: Sequence[R], names: Callable[[R], list[str]], missing: Callable[[str, list[str]], AgorError]) -> R:
    """By any of its names, else by the end of its id when only one ends so."""
    matches = [item for item in items if key in names(item)] or [item for item in items if len(key) >= 4 and names(item)[0].endswith(key)]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise missing(key, [names(item)[-1] for item in items])
    raise Conflict(f"{key!r} names {len(matches)} {noun}s: {', '.join(names(item)[0] for item in matches)}. Use the id.", subject=key)
