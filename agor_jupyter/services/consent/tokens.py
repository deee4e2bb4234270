"""Personal tokens: made, listed and revoked by people, and looked up when a client comes with one.

256 random bits, told once; at rest there is the SHA-256. `docs/decisions/personal-tokens.md` says what a client may do with one.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta

from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.ids import TokenId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.tokens import MAX_TOKENS, ClientLine, Token, TokenCreate, TokenMade
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.config import Config
from agor_jupyter.services.consent.grants import hash_of
from agor_jupyter.storage import tokens
from agor_jupyter.storage.store import Store, Transaction

PREFIX = "agor_"
"""So that a person, and a program that looks for secrets, knows one by sight."""
_SEEN = timedelta(minutes=1)


class Tokens:
    """`check_board` refuses what is no board's path; `agents` are the catalogue; `url` is where the MCP server answers."""

    def __init__(  # noqa: PLR0917  # wired in one place
        self,
        store: Store,
        clock: Clock,
        config: Config,
        check_board: Callable[[str], str],
        agents: Callable[[], Sequence[AgentType]],
        url: str | None,
    ) -> None:
        self._store, self._clock, self._only_account = store, clock, config.only_account
        self._check_board, self._agents, self._url = check_board, agents, url

    async def list(self, caller: Caller) -> list[Token]:
        """The caller's own; everybody's for an owner. The oldest first; expired ones too."""
        return await self._store.read(tokens.of, None if caller.role is Role.OWNER else self._account(caller))

    async def create(self, caller: Caller, request: TokenCreate, key: str, *, is_asked: bool = True) -> TokenMade:
        """Make one. The same command sent again makes no second, but tells another secret, since the first was not kept.

        Errors:
            BadPath: that is no board's path.
            BadRequest: the caller has too many.
        """
        board, now = self._check_board(request.board), self._clock.now()
        if self._url is None and request.address is None:
            raise errors.BadRequest(["address: this server does not know its own MCP address; pass it"])
        secret = PREFIX + secrets.token_urlsafe(32)
        token = Token(
            id=TokenId(self._clock.new_id("token")),
            name=request.name.strip() or "client",
            account=self._account(caller),
            person=caller.person,
            role=caller.role,
            is_asked=is_asked,
            board=board,
            created_at=now,
            expires_at=now + timedelta(days=request.days) if request.days else None,
        )

        def insert(transaction: Transaction) -> Token:
            if len(tokens.of(transaction.connection, token.account)) >= MAX_TOKENS:
                raise errors.BadRequest([f"a person has at most {MAX_TOKENS} tokens; revoke one"])
            tokens.insert(transaction, token, hash_of(secret))
            return token

        def job(transaction: Transaction) -> Token:
            made = once(transaction, key, caller, "tokens.create", request, now, insert, Token).record
            if not tokens.rehash(transaction, made.id, hash_of(secret)):
                raise errors.TokenNotFound(made.id)
            return made

        made = await self._store.write(job)
        url = f"{request.address.rstrip('/')}/agor/mcp" if request.address is not None else str(self._url)
        lines = [
            ClientLine(label=agent.label, line=agent.mcp.connect.replace("{url}", url).replace("{token}", secret))
            for agent in self._agents()
            if agent.mcp.connect
        ]
        return TokenMade(token=made, secret=secret, url=url, lines=lines)

    async def revoke(self, caller: Caller, token_id: str) -> None:
        """From now on it opens nothing. An owner may revoke anybody's.

        Errors:
            TokenNotFound: the caller has none of this id.
        """
        account, is_owner = self._account(caller), caller.role is Role.OWNER

        def job(transaction: Transaction) -> None:
            found = tokens.get(transaction.connection, token_id)
            if found is None or not (is_owner or found.account == account):
                raise errors.TokenNotFound(token_id)
            tokens.delete(transaction, token_id)

        await self._store.write(job)

    async def authenticate(self, secret: str) -> Token | None:
        """The token whose secret this is, if it still counts."""
        if not secret.startswith(PREFIX):
            return None
        found, now = await self._store.read(tokens.find, hash_of(secret)), self._clock.now()
        if found is None or (found.expires_at is not None and found.expires_at <= now):
            return None
        if found.used_at is None or now - found.used_at >= _SEEN:
            found = found.replace(used_at=now)
            await self._store.write(tokens.save, found)
        return found

    def _account(self, caller: Caller) -> str:
        return self._only_account or caller.person.username
