"""The tools for Jupyter AI's personas: `jupyter-server-mcp` finds them by the entry point `jupyter_server_mcp.tools`.

They run inside the Jupyter server, as its owner who steers, and each takes the board to act on. What they do is what the tools of a
person's own client do, and is written down as such.
"""

import inspect
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any

from pydantic import Field

from agor_jupyter.domain.ids import TokenId
from agor_jupyter.domain.people import Person, Role
from agor_jupyter.domain.tokens import Token
from agor_jupyter.mcp.app import ENGINE, OPEN, call
from agor_jupyter.mcp.tool import Tool
from agor_jupyter.mcp.tools import discover
from agor_jupyter.services.sessions.delegation import Delegation

_PREFIX = "agor_"
Function = Callable[..., Coroutine[object, object, str]]


def names() -> Sequence[str]:
    """As `jupyter-server-mcp` wants them: module and function."""
    return [f"{__name__}:{_PREFIX}{name}" for name in discover()]


def __getattr__(name: str) -> Function:
    tool = discover().get(name.removeprefix(_PREFIX)) if name.startswith(_PREFIX) else None
    if tool is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _function(tool)


def _engine(board: str) -> Delegation:
    """As the server's owner, who steers. Raises `RuntimeError`, in a sentence for the model, and `BadPath`."""
    if not OPEN:
        raise RuntimeError("Agor does not run in this server, or is still starting. Enable the server extension agor_jupyter.")
    agor = OPEN[-1]
    owner = agor.config.only_account
    if owner is None:
        raise RuntimeError("This server knows several people, and this call does not say whose it is. Use a personal token at agor/mcp.")
    token = Token(
        id=TokenId("tk_personas"),
        name="Jupyter AI",
        account=owner,
        person=Person(username=owner, name=owner),
        role=Role.STEERER,
        board=agor.boards.check(board),
        created_at=agor.clock.now(),
    )
    return agor.represent(token, Role.STEERER)


def _function(tool: Tool) -> Function:
    """With a signature of its own: the board, then what the tool takes."""

    async def run(board: str, **arguments: object) -> str:
        reset = ENGINE.set(_engine(board))
        try:
            answer = await call(tool.name, arguments)
        finally:
            ENGINE.reset(reset)
        text: str = answer["content"][0]["text"]
        if answer["isError"]:
            raise ValueError(text)
        return text

    where = Annotated[str, Field(description="Path of the board, relative to the server's root, such as team.agor.")]
    parameters = [inspect.Parameter("board", inspect.Parameter.KEYWORD_ONLY, annotation=where)]
    for name, field in tool.input.model_fields.items():
        default: Any = inspect.Parameter.empty if field.is_required() else field.get_default(call_default_factory=True)
        annotation = Annotated[field.annotation, Field(description=field.description or name)]  # type: ignore[name-defined]  # at run time
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation))
    run.__name__ = run.__qualname__ = f"{_PREFIX}{tool.name}"
    run.__doc__ = tool.description
    run.__dict__["__signature__"] = inspect.Signature(parameters, return_annotation=str)
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {"return": str}
    return run
