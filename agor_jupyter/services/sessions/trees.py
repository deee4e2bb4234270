"""Trees of sessions: how deep and how wide they may be, and what a whole tree looks like."""

from dataclasses import dataclass

from sqlalchemy import Connection

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import SessionId
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.trees import SessionTree, TreeNode
from agor_jupyter.services.money.budgets import Spending
from agor_jupyter.services.money.ledger import root_of
from agor_jupyter.storage import budgets, deliveries, ledger, sessions, worktrees
from agor_jupyter.storage.store import Store


@dataclass(frozen=True, kw_only=True)
class TreeLimits:
    max_depth: int
    """How many steps the lowest session may be below the root."""
    max_children: int
    """How many sessions that are not archived may be right below one."""


class Trees:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, session_id: str) -> SessionTree:
        """The whole tree that a session belongs to.

        Errors:
            SessionNotFound.
        """
        return await self._store.read(_tree, session_id)


def ancestors(connection: Connection, session: Session) -> list[Session]:
    """What it was spawned from, the nearest first."""
    found: list[Session] = []
    seen = {session.id}
    while session.parent_id is not None and session.parent_id not in seen:
        above = sessions.get(connection, session.parent_id)
        if above is None:
            break
        seen.add(above.id)
        found.append(above)
        session = above
    return found


def require_room(connection: Connection, parent: Session, limits: TreeLimits, wanted_usd: float | None, spending: Spending) -> None:
    """Whether one more session may be right below `parent`, with a budget of its own.

    Errors:
        TreeFull.
    """
    if len(ancestors(connection, parent)) + 1 > limits.max_depth:
        raise errors.TreeFull(parent.title, f"a tree of sessions is at most {limits.max_depth} deep below its root")
    if sessions.count_children(connection, parent.id) >= limits.max_children:
        raise errors.TreeFull(parent.title, f"a session has at most {limits.max_children} sessions below it; archive one that is done")
    root = root_of(parent)
    for budget in budgets.of(connection, [("tree", root)]):
        if budget.hard_usd is None or wanted_usd is None:
            continue
        left = max(0.0, budget.hard_usd - budget.spent_usd - spending.get(("tree", root), 0.0))
        if wanted_usd > left:
            raise errors.TreeFull(parent.title, f"a budget of ${wanted_usd:.2f} is more than the ${left:.2f} that its tree has left")


def _tree(connection: Connection, session_id: str) -> SessionTree:
    session = sessions.get(connection, session_id)
    if session is None:
        raise errors.SessionNotFound(session_id)
    root = root_of(session)
    every = {one.id: one for one in sessions.of_tree(connection, root)}
    owed: dict[SessionId, list[int]] = {}
    told = deliveries.of_children(connection, list(every))
    for place, delivery in enumerate(told):
        owed.setdefault(delivery.child_id, []).append(place)
    names: dict[str, str] = {}
    for one in every.values():
        if one.worktree_id not in names:
            worktree = worktrees.find(connection, one.worktree_id)
            names[one.worktree_id] = worktree.name if worktree else one.worktree_id
    below: dict[SessionId | None, list[Session]] = {}
    for one in every.values():
        below.setdefault(_above(one, every), []).append(one)
    nodes: list[TreeNode] = []
    seen: set[SessionId] = set()

    def walk(above: SessionId | None, depth: int) -> None:
        for one in below.get(above, []):
            if one.id in seen:
                continue
            seen.add(one.id)
            mine = [told[place] for place in owed.get(one.id, [])]
            nodes.append(TreeNode(session=one, above=above, depth=depth, worktree=names[one.worktree_id], deliveries=mine))
            walk(one.id, depth + 1)

    walk(None, 0)
    limit = next(iter(budgets.of(connection, [("tree", root)])), None)
    return SessionTree(
        root_id=root,
        nodes=nodes,
        cost_usd=ledger.total(connection, "tree", root),
        budget_usd=limit.hard_usd if limit else None,
    )


def _above(session: Session, every: dict[SessionId, Session]) -> SessionId | None:
    """A fork that an agent made has both: it stands below the session that made it."""
    return next((one for one in (session.parent_id, session.origin_id) if one is not None and one != session.id and one in every), None)
