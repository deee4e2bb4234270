"""What a template may name. The documentation of templates is made from these models, and so is the context that is rendered."""

from pydantic import Field

from agor_jupyter.domain.issues import CheckState, Issue, PullRequest, marked, marked_lines
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import JsonObject, Record, Request
from agor_jupyter.domain.repos import Repo
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
    """Or none."""
    pull_request_url: str | None
    """Or none."""
    notes: str
    context: JsonObject = Field(default_factory=dict)
    """Its free-form JSON."""


class RepoNames(_Names):
    slug: str
    path: str
    default_branch: str | None


class BoardNames(_Names):
    path: str | None


class SessionNames(_Names):
    title: str
    agent: str


class ZoneNames(_Names):
    name: str


class FiringNames(_Names):
    arrival: int
    by: str
    """Username of who brought the card."""
    via: str
    """How: `canvas`, `cell`, `shell`, `agent`, `zone` or `api`."""


class ScheduleNames(_Names):
    name: str


class SlotNames(_Names):
    number: int
    """Counts the slots of the schedule, from 1."""
    planned_at: str
    """The planned moment in UTC, such as `2026-11-30T02:00:00.000Z`; or when it happened."""
    date: str
    """Its day in the schedule's time zone, such as `2026-11-30`."""
    attempt: int
    """From 1."""
    cause: str
    """What it follows from, in words."""
    payload: JsonObject = Field(default_factory=dict)
    """What came to the schedule's address, as somebody outside wrote it: treat it as their text, not as yours."""


class UserNames(_Names):
    username: str
    name: str


class IssueNames(_Names):
    """Of its issue link. What people outside wrote is marked as theirs."""

    title: str
    body: str
    labels: list[str]
    """Letters, digits and `.:/+-_` of each."""
    number: int
    state: str
    """`open` or `closed`."""
    author: str
    url: str


class PullRequestNames(IssueNames):
    """Of its pull request link."""

    state: str
    """`open`, `closed` or `merged`."""
    base: str
    """The branch that it would go into."""
    head: str
    """The branch with its commits."""
    draft: bool
    checks: CheckState
    """Of its last commit: `success`, `failure`, `pending` or `none`."""


class TemplateContext(_Names):
    """All that a template can see."""

    worktree: WorktreeNames
    repo: RepoNames
    board: BoardNames
    session: SessionNames | None = None
    """In a zone, before there is a session: the agent that gets the prompt, and the title that its session will have. Not in the values
    of an environment's variables."""
    user: UserNames
    issue: IssueNames | None = None
    """None without an issue link. It is read from its host when a template names it."""
    pull_request: PullRequestNames | None = None
    """None without a pull request link. A merge request is one too."""
    zone: ZoneNames | None = None
    """Only in the prompt of a zone."""
    firing: FiringNames | None = None
    """Only in the prompt of a zone."""
    schedule: ScheduleNames | None = None
    """Only in the prompt of a schedule."""
    slot: SlotNames | None = None
    """Only in the prompt of a schedule."""

    def plain(self) -> JsonObject:
        """Names as a template writes them. What is not there is not known either."""
        absent = {name for name in ("session", "zone", "firing", "schedule", "slot") if getattr(self, name) is None}
        return self.model_dump(mode="json", by_alias=False, exclude=absent)


class EnvironmentContext(TemplateContext):
    """All that the value of an environment's variable can see."""

    ports: dict[str, int] = Field(default_factory=dict)
    """By name."""


class BranchContext(_Names):
    """All that the name of a branch can see that a schedule makes."""

    schedule: ScheduleNames
    slot: SlotNames
    repo: RepoNames
    user: UserNames

    def plain(self) -> JsonObject:
        return self.model_dump(mode="json", by_alias=False)


def make_context(
    *,
    worktree: Worktree,
    repo: Repo,
    person: Person,
    session: SessionNames | None = None,
    zone: ZoneNames | None = None,
    firing: FiringNames | None = None,
    schedule: ScheduleNames | None = None,
    slot: SlotNames | None = None,
) -> TemplateContext:
    return TemplateContext(
        worktree=WorktreeNames(**{name: getattr(worktree, name) for name in WorktreeNames.model_fields}),
        repo=RepoNames(**{name: getattr(repo, name) for name in RepoNames.model_fields}),
        board=BoardNames(path=worktree.board),
        session=session,
        user=UserNames(username=person.username, name=person.name),
        zone=zone,
        firing=firing,
        schedule=schedule,
        slot=slot,
    )


def issue_names(found: Issue | PullRequest) -> IssueNames:
    return IssueNames.model_validate(_outside(found))


def pull_request_names(found: PullRequest) -> PullRequestNames:
    more = {"base": marked(found.base), "head": marked(found.head), "draft": found.draft, "checks": found.checks}
    return PullRequestNames.model_validate(_outside(found) | more)


def _outside(found: Issue | PullRequest) -> JsonObject:
    return {
        "title": marked(found.title),
        "body": marked_lines(found.body, found.url) if found.body else "",
        "labels": list(found.labels),
        "number": found.number,
        "state": found.state,
        "author": marked(found.author),
        "url": found.url,
    }


class TemplateRender(Request):
    """Render `source` as a prompt for this session would be, without sending it."""

    source: str = Field(max_length=MAX_SOURCE_BYTES)


class Rendered(Record):
    text: str
