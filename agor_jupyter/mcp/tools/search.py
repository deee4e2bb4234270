"""The tool that searches what was said."""

from pydantic import Field

from agor_jupyter.domain.search import MAX_QUERY, SearchHit, SearchQuery
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import Delegation


class Search(Input):
    words: str = Field(min_length=1, max_length=MAX_QUERY)
    """Words that must all occur, "phrases in quotation marks", and prefixes with an asterisk: migrat*."""
    worktree_id: str | None = None
    agent: str | None = None
    """Such as `claude`."""
    archived: bool = False
    """Include archived sessions."""
    limit: int = Field(default=10, ge=1, le=50)
    next: str | None = Field(default=None, max_length=100)
    """The `next` of the previous answer, for more."""


def _show(hit: SearchHit) -> dict[str, object]:
    text = "".join(f"**{part.text}**" if part.is_match else part.text for part in hit.snippet)
    fields = {"session_id", "title", "turn_id", "turn_number", "state", "found_in", "worktree_id", "worktree", "agent", "at"}
    return {**hit.model_dump(mode="json", by_alias=False, include=fields), "snippet": text}


async def _search(engine: Delegation, request: Search) -> object:
    query = SearchQuery(
        q=request.words,
        worktree=request.worktree_id,
        agent=request.agent,
        archived=request.archived,
        limit=request.limit,
        next=request.next,
    )
    page = await engine.search(query)
    return {"hits": [_show(hit) for hit in page.items], "next": page.next}


TOOLS = (
    Tool(
        name="search_turns",
        description="Search what was asked and answered in all sessions of your board. Read a session that was found with session_read.",
        input=Search,
        run=_search,
        reads_only=True,
    ),
)
