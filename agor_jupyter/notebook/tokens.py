"""Personal tokens, from a cell: they connect Claude Code, Codex or another MCP client of your own to a board."""

import os

from agor_jupyter.domain.tokens import Token as TokenRecord
from agor_jupyter.domain.tokens import TokenCreate, TokenMade
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.handles import Handles, checked, columns
from agor_jupyter.notebook.link import Link


class Token:
    """Lets your own client act on one board, in your name. `revoke()` ends it.

    The secret is in `secret` of a token that was just made, and nowhere else. It is not shown by itself: outputs are saved with a notebook.
    """

    def __init__(self, link: Link, record: TokenRecord, made: TokenMade | None = None) -> None:
        self._link, self.record, self._made = link, record, made

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def secret(self) -> str | None:
        """`None` unless this handle created it."""
        return self._made.secret if self._made else None

    @property
    def url(self) -> str | None:
        """The MCP address; `None` unless this handle created it."""
        return self._made.url if self._made else None

    @property
    def lines(self) -> dict[str, str]:
        """For each client, the command that connects it, including the secret. Empty unless this handle created it."""
        return {one.label: one.line for one in self._made.lines} if self._made else {}

    def revoke(self) -> None:
        """It no longer gives access to anything."""
        self._link.delete(f"tokens/{self.record.id}")

    def __repr__(self) -> str:
        until = f", until {self.record.expires_at:%Y-%m-%d}" if self.record.expires_at else ""
        return views.visible(f"Token {self.record.name!r} for the board {self.record.board}{until}")

    def _repr_html_(self) -> str:
        record = self.record
        facts = [("for", record.board), ("until", f"{record.expires_at:%Y-%m-%d}" if record.expires_at else "it is revoked")]
        body = (
            f"<div>{views.escape('print(token.secret) shows the secret, print(token.lines) how clients take it.')}</div>"
            if self._made
            else ""
        )
        return views.card("Token", record.name, None, facts, body)


class Tokens(Handles[Token]):
    """Your own; for an owner, everyone's. `hub.tokens.create("laptop", board)` makes one."""

    def __init__(self, link: Link) -> None:
        found = [Token(link, TokenRecord.model_validate(item)) for item in link.items("tokens")]
        super().__init__("token", found, lambda one: columns(one.record), lambda one: one.name, kind=TokenRecord)
        self._link = link

    def create(self, name: str, board: "str | os.PathLike[str]", *, days: int = 90) -> Token:
        """Create a token with which your own client can see this board and act on it in your name.

        Args:
            name: what it is for, such as "laptop".
            board: its file, relative to this notebook; `board.path` of a handle is one too.
            days: how long it counts. 0: until it is revoked.

        """
        with checked():
            body = TokenCreate(name=name, board=self._link.board_path(board), days=days, address=self._link.url.rstrip("/"))
        made = TokenMade.model_validate(self._link.post("tokens", body))
        return Token(self._link, made.token, made)
