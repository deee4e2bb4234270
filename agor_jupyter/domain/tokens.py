"""A personal token: by it a person's own MCP client, such as Claude Code on a laptop, reaches one board and acts there in their name."""

from typing import Annotated

from pydantic import Field

from agor_jupyter.domain.ids import TokenId
from agor_jupyter.domain.people import Person, Role
from agor_jupyter.domain.records import Moment, Record, Request

MAX_TOKENS = 50
"""For each person."""
Address = Annotated[str, Field(max_length=2000, pattern=r"^https?://[A-Za-z0-9.\-:\[\]]+(?:/[A-Za-z0-9._~%@+\-]*)*$")]


class Token(Record):
    """*Saved.* The secret is never part of it, and is kept as a hash only."""

    id: TokenId
    name: str
    """What it is for: "laptop"."""
    account: str
    """Whose it is."""
    person: Person
    role: Role
    """What the person might do when it was made: no use of it may do more."""
    is_asked: bool = True
    """The server's authorizer is asked again at each use. Not where it needs more of a person than their name to answer."""
    board: str
    """Path of the only board that it reaches."""
    created_at: Moment
    expires_at: Moment | None = None
    used_at: Moment | None = None
    """To the minute."""


class TokenCreate(Request):
    name: str = Field(min_length=1, max_length=100)
    board: str
    days: int = Field(default=90, ge=0, le=3660)
    """How long it counts. 0: until it is revoked."""
    address: Address | None = None
    """The server's address, with its base URL, as the client will reach it. Default: as the server knows itself."""


class ClientLine(Record):
    """How a client is connected: a command line of its own."""

    label: str
    line: str = Field(repr=False)


class TokenMade(Record):
    """The one time that the secret is told."""

    token: Token
    secret: str = Field(repr=False)
    url: str
    """Where MCP answers."""
    lines: list[ClientLine] = Field(repr=False)
