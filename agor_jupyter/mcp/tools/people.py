"""Tools about who is here: you, and the people of your board."""

from agor_jupyter.mcp.paging import Paged, page, shown
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import Delegation

_SHOWN = ("id", "title", "agent", "state")


class Me(Input):
    pass


class List(Paged):
    pass


async def _me(engine: Delegation, _input: Me) -> object:
    own = engine.own
    answer: dict[str, object] = {
        "name": engine.caller.person.name,
        "role": engine.caller.role.value,
        "board": engine.board,
        "limits": {"depth": engine.limits.max_depth, "children": engine.limits.max_children},
    }
    if own is None:
        return answer | {"session": None, "next": "list the worktrees and sessions of the board"}
    session, tree, worktree = await engine.session(own.id), await engine.tree(own.id), await engine.worktree(own.worktree_id)
    me = next((node for node in tree.nodes if node.session.id == own.id), None)
    beside = [one for one in await engine.sessions() if one.worktree_id == own.worktree_id and one.id != own.id]
    parent = next((node.session for node in tree.nodes if node.session.id == session.parent_id), None)
    children = [node.session for node in tree.nodes if node.session.parent_id == own.id]
    return answer | {
        "session": shown(session, *_SHOWN, "parent_id", "root_id", "notify", "turn_count"),
        "depth": me.depth if me else 0,
        "parent": shown(parent, *_SHOWN) if parent else None,
        "children": [shown(one, *_SHOWN) for one in children],
        "siblings_in_worktree": [shown(one, *_SHOWN) for one in beside],
        "worktree": shown(worktree, "id", "name", "branch", "path", "base_ref", "issue_url", "notes"),
        "zone": worktree.zone_id,
        "tree_cost_usd": tree.cost_usd,
        "tree_budget_usd": tree.budget_usd,
    }


async def _list(engine: Delegation, request: List) -> object:
    return page(await engine.people(), request, ("username", "name"))


TOOLS = (
    Tool(
        name="whoami",
        description="Who and where you are: your session, its parent and children, your worktree, who else works in it, and your limits.",
        input=Me,
        run=_me,
        reads_only=True,
    ),
    Tool(
        name="user_list",
        description="The people who made something on your board.",
        input=List,
        run=_list,
        reads_only=True,
    ),
)
