"""Search: find turns by what was said in them."""

from agor_jupyter.domain.search import SearchPage, SearchQuery
from agor_jupyter.server.operations import Call, operation


@operation()
async def find(call: Call, query: SearchQuery) -> SearchPage:
    """Search the prompts, answers and titles of all sessions for words."""
    return await call.agor.search.find(query)
