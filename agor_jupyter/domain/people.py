"""Who asks: a person or an agent, and what their role lets them do."""

from enum import StrEnum

from agor_jupyter.domain.errors import NotAllowed
from agor_jupyter.domain.records import Moment, Record


class Role(StrEnum):
    """From least to most. An agent's own rights come with its token, not with a role."""

    VIEWER = "viewer"
    STEERER = "steerer"
    OWNER = "owner"


_RANK = {Role.VIEWER: 0, Role.STEERER: 1, Role.OWNER: 2}


def lesser(one: Role, other: Role) -> Role:
    """The one that may do less."""
    return min(one, other, key=_RANK.__getitem__)


class Person(Record):
    """A named person, as the identity provider of the server knows them."""

    username: str
    name: str
    initials: str = ""
    color: str | None = None


class Refusal(Record):
    """*Saved.* A command that somebody was not allowed."""

    at: Moment
    username: str
    action: str
    """What was tried, such as `POST sessions/se_…/prompt`. No body is kept."""
    surface: str


class Caller(Record):
    """A person with the role that the server's authorizer gave them for this request."""

    person: Person
    role: Role

    def require(self, role: Role, action: str) -> None:
        """Refuse unless the caller has at least `role`. `action` completes "may not …"."""
        if _RANK[self.role] < _RANK[role]:
            raise NotAllowed(who=self.person.name, action=action, needs=role.value)
