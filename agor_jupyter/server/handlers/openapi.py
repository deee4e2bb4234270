"""The description of the API, for programs that read OpenAPI."""

from agor_jupyter.domain.records import JsonObject
from agor_jupyter.server import openapi
from agor_jupyter.server.operations import Call, operation


@operation()
async def document(call: Call) -> JsonObject:
    """Get this description as OpenAPI 3.1."""
    return openapi.document(call.base_url)
