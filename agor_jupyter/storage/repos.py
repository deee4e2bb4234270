"""How repos are kept."""

import sqlalchemy as sa

from agor_jupyter.domain.ids import RepoId
from agor_jupyter.domain.repos import Repo
from agor_jupyter.storage import tables

_T = tables.repos
_GET = sa.select(_T.c.record).where(sa.or_(_T.c.id == sa.bindparam("name"), _T.c.slug == sa.bindparam("slug")))
_ALL = sa.select(_T.c.record).order_by(_T.c.id)
_SLUGS = sa.select(_T.c.slug).order_by(_T.c.slug)
_INSERT = sa.insert(_T)
_UPDATE = (
    sa.update(_T).where(_T.c.id == sa.bindparam("b_id")).values({name: sa.bindparam(name) for name in ("slug", "path", "state", "record")})
)
_DELETE = sa.delete(_T).where(_T.c.id == sa.bindparam("id"))


def find(connection: sa.Connection, name: str) -> Repo | None:
    """By id or slug."""
    text = connection.execute(_GET, {"name": name, "slug": name.lower()}).scalar_one_or_none()
    return None if text is None else Repo.model_validate_json(text)


def every(connection: sa.Connection) -> list[Repo]:
    """Oldest first."""
    return [Repo.model_validate_json(text) for text in connection.execute(_ALL).scalars()]


def slugs(connection: sa.Connection) -> list[str]:
    return list(connection.execute(_SLUGS).scalars())


def insert(connection: sa.Connection, repo: Repo) -> None:
    connection.execute(_INSERT, {"id": repo.id, **_columns(repo)})


def update(connection: sa.Connection, repo: Repo) -> None:
    connection.execute(_UPDATE, {"b_id": repo.id, **_columns(repo)})


def delete(connection: sa.Connection, repo_id: RepoId) -> None:
    connection.execute(_DELETE, {"id": repo_id})


def _columns(repo: Repo) -> dict[str, object]:
    return {"slug": repo.slug, "path": repo.path, "state": repo.state.value, "record": repo.model_dump_json()}
