"""A tree of sessions from a cell: as text, and as a DataFrame."""

from agor_jupyter.domain.trees import SessionTree, TreeNode
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.handles import Handles, columns


class Tree(Handles[TreeNode]):
    """What was spawned and forked from one session, as it was when you asked. `.df` has a row for each session."""

    def __init__(self, record: SessionTree) -> None:
        self.record = record
        super().__init__("session", record.nodes, row, lambda node: node.session.title, line)

    def __repr__(self) -> str:
        limit = f" of ${self.record.budget_usd:.2f}" if self.record.budget_usd is not None else ""
        return views.visible(f"{super().__repr__()}\n${self.record.cost_usd:.2f}{limit} spent")


def line(node: TreeNode) -> str:
    """“  spawned “Tests”, script in fix: done; report delivered”."""
    one = node.session
    how = "" if node.above is None else "spawned " if one.parent_id else "forked "
    told = [f"report {delivery.state}{f' ({delivery.reason})' if delivery.reason else ''}" for delivery in node.deliveries]
    awaited = ["report asked for"] if one.notify and not told else []
    facts = "; ".join([views.words(one.state), *(["archived"] if one.archived_at else []), *awaited, *told])
    return f"{'  ' * node.depth}{how}“{one.title}”, {one.agent} in {node.worktree}: {facts}"


def row(node: TreeNode) -> dict[str, object]:
    last = node.deliveries[-1] if node.deliveries else None
    return {
        "depth": node.depth,
        "above": node.above,
        "worktree": node.worktree,
        "report": last.state if last else None,
        "report_reason": last.reason if last else None,
        **columns(node.session),
    }
