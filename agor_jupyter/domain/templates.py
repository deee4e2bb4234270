"""What a template may name. The documentation of templates is made from these models, and so is the context that is rendered."""

from pydantic import Field

from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import JsonObject, Record, Request
from agor_jupyter.domain.repos import Repo
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.worktrees import Worktree

MAX_SOURCE_BYTES = MAX_OUTPUT_BYTES = 64 << 10
MAX_SECONDS = 1.0


class _Names(Record):
    """Plain values only, snake_case, so that a template reads like one of dbt or Airflow."""


class WorktreeNames(_Names):
    name: str
    branch: str
    path: str
    base_ref: str
    base_sha: str
    issue_url: str | None
    pull_request_url: str | None
    notes: str
    context: JsonObject = Field(default_factory=dict)


class RepoNames(_Names):
    slug: str
    path: str
    default_branch: str | None


class BoardNames(_Names):
    path: str | None


class SessionNames(_Names):
    title: str
    agent: str


class UserNames(_Names):
    username: str
    name: str


class TemplateContext(_Names):
    """All that a template can see."""

    worktree: WorktreeNames
    repo: RepoNames
    board: BoardNames
    session: SessionNames
    user: UserNames

    def plain(self) -> JsonObject:
        """Names as a template writes them."""
        return self.model_dump(mode="json", by_alias=False)


def make_context(*, worktree: Worktree, repo: Repo, session: Session, person: Person) -> TemplateContext:
    return TemplateContext(
        worktree=WorktreeNames(**{name: getattr(worktree, name) for name in WorktreeNames.model_fields}),
        repo=RepoNames(**{name: getattr(repo, name) for name in RepoNames.model_fields}),
        board=BoardNames(path=worktree.board),
        session=SessionNames(title=session.title, agent=session.agent),
        user=UserNames(username=person.username, name=person.name),
    )


class TemplateRender(Request):
    """Render `source` as a prompt for this session would be, without sending it."""

    source: str = Field(max_length=MAX_SOURCE_BYTES)


class Rendered(Record):
    text: str
