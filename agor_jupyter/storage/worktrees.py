"""How worktrees are kept."""

from collections.abc import Sequence

import sqlalchemy as sa

from agor_jupyter.domain.ids import RepoId, WorktreeId
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.storage import tables

_T = tables.worktrees
_GET = sa.select(_T.c.record).where(_T.c.id == sa.bindparam("id"))
_NAMED = sa.select(_T.c.record).where(_T.c.name_key == sa.bindparam("name_key")).order_by(_T.c.id)
_TAKEN = sa.select(_T.c.id).where(_T.c.repo_id == sa.bindparam("repo_id"), _T.c.name_key == sa.bindparam("name_key"))
_INSERT = sa.insert(_T)
_UPDATE = (
    sa.update(_T)
    .where(_T.c.id == sa.bindparam("b_id"))
    .values({name: sa.bindparam(name) for name in ("name_key", "board", "state", "updated_at", "record")})
)
_DELETE = sa.delete(_T).where(_T.c.id == sa.bindparam("id"))


def name_key(name: str) -> str:
    """Names that differ only in case are one name."""
    return name.casefold()[:200]


def find(connection: sa.Connection, worktree_id: WorktreeId) -> Worktree | None:
    text = connection.execute(_GET, {"id": worktree_id}).scalar_one_or_none()
    return None if text is None else Worktree.model_validate_json(text)


def named(connection: sa.Connection, name: str) -> list[Worktree]:
    """Those of this name, at most one per repo."""
    return [Worktree.model_validate_json(text) for text in connection.execute(_NAMED, {"name_key": name_key(name)}).scalars()]


def is_taken(connection: sa.Connection, repo_id: RepoId, name: str) -> bool:
    return connection.execute(_TAKEN, {"repo_id": repo_id, "name_key": name_key(name)}).first() is not None


def many(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Worktree]:
    """Those that exist, by id."""
    found: dict[str, Worktree] = {}
    for start in range(0, len(ids), 500):
        query = sa.select(_T.c.id, _T.c.record).where(_T.c.id.in_(ids[start : start + 500]))
        found |= {row.id: Worktree.model_validate_json(row.record) for row in connection.execute(query)}
    return found


def page(
    connection: sa.Connection,
    *,
    repo_id: RepoId | None = None,
    board: str | None = None,
    states: Sequence[WorktreeState] = tuple(WorktreeState),
) -> list[Worktree]:
    """Oldest first."""
    query = sa.select(_T.c.record).where(_T.c.state.in_([state.value for state in states])).order_by(_T.c.id)
    if repo_id is not None:
        query = query.where(_T.c.repo_id == repo_id)
    if board is not None:
        query = query.where(_T.c.board == board)
    return [Worktree.model_validate_json(text) for text in connection.execute(query).scalars()]


def insert(connection: sa.Connection, worktree: Worktree) -> None:
    connection.execute(_INSERT, {"id": worktree.id, "repo_id": worktree.repo_id, **_columns(worktree)})


def update(connection: sa.Connection, worktree: Worktree) -> None:
    connection.execute(_UPDATE, {"b_id": worktree.id, **_columns(worktree)})


def delete(connection: sa.Connection, worktree_id: WorktreeId) -> None:
    connection.execute(_DELETE, {"id": worktree_id})


def _columns(worktree: Worktree) -> dict[str, object]:
    return {
        "name_key": name_key(worktree.name),
        "board": worktree.board,
        "state": worktree.state.value,
        "updated_at": worktree.updated_at.isoformat(timespec="milliseconds"),
        "record": worktree.model_dump_json(),
    }
