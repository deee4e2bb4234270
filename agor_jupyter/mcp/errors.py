"""An error of the engine as a tool's answer: the agent reads the same sentence as a person."""

from pydantic import ValidationError

from agor_jupyter.domain.errors import AgorError, BadRequest
from agor_jupyter.domain.text import plain
from agor_jupyter.mcp.tool import Input

_MOST = 2000


def explain(error: AgorError | ValidationError, taken: type[Input] | None = None) -> str:
    """`taken` is what the tool takes, to be named where something else was given."""
    if isinstance(error, AgorError):
        return sendable(error.message)
    message = BadRequest.of(error).message
    if taken is not None and any(problem["type"] == "extra_forbidden" for problem in error.errors()):
        message += f" It takes {', '.join(taken.model_fields) or 'nothing'}."
    return sendable(message)


def sendable(text: str) -> str:
    """What another program or person may have written in it commands no terminal, and it is text that can be encoded."""
    whole = plain(text).encode("utf-8", "replace").decode()
    return whole if len(whole) <= _MOST else f"{whole[:_MOST]} …"
