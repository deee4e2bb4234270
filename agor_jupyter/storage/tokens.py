"""Personal tokens, with the hashes of their secrets."""

import sqlalchemy as sa

from agor_jupyter.domain.tokens import Token
from agor_jupyter.storage.store import Transaction
from agor_jupyter.storage.tables import tokens

_C = tokens.c
_INSERT = sa.insert(tokens)
_UPDATE = sa.update(tokens).where(_C.id == sa.bindparam("key")).values(record=sa.bindparam("record"))
_REHASH = sa.update(tokens).where(_C.id == sa.bindparam("key")).values(token_hash=sa.bindparam("hash"))
_GET = sa.select(_C.record).where(_C.id == sa.bindparam("key"))
_FIND = sa.select(_C.record).where(_C.token_hash == sa.bindparam("hash"))
_ALL = sa.select(_C.record).order_by(_C.id)
_OF = _ALL.where(_C.account == sa.bindparam("account"))
_DELETE = sa.delete(tokens).where(_C.id == sa.bindparam("key"))


def insert(transaction: Transaction, token: Token, token_hash: str) -> None:
    row = {"id": token.id, "account": token.account, "token_hash": token_hash, "record": token.model_dump_json()}
    transaction.connection.execute(_INSERT, row)


def save(transaction: Transaction, token: Token) -> None:
    transaction.connection.execute(_UPDATE, {"key": token.id, "record": token.model_dump_json()})


def rehash(transaction: Transaction, token_id: str, token_hash: str) -> bool:
    """Give it another secret. `False`: it is gone."""
    return transaction.connection.execute(_REHASH, {"key": token_id, "hash": token_hash}).rowcount == 1


def get(connection: sa.Connection, token_id: str) -> Token | None:
    return _read(connection.execute(_GET, {"key": token_id}).scalar_one_or_none())


def find(connection: sa.Connection, token_hash: str) -> Token | None:
    return _read(connection.execute(_FIND, {"hash": token_hash}).scalar_one_or_none())


def of(connection: sa.Connection, account: str | None) -> list[Token]:
    """The oldest first. `None`: everybody's."""
    found = connection.execute(_ALL) if account is None else connection.execute(_OF, {"account": account})
    return [Token.model_validate_json(record) for record in found.scalars()]


def delete(transaction: Transaction, token_id: str) -> None:
    transaction.connection.execute(_DELETE, {"key": token_id})


def _read(record: str | None) -> Token | None:
    return None if record is None else Token.model_validate_json(record)
