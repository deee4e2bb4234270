"""The tool that lists agents with what can be chosen of each."""

from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import Delegation


class List(Input):
    all: bool = False
    """Include those that are not installed."""


async def _list(engine: Delegation, request: List) -> object:
    return [
        {
            "name": one.agent.name,
            "label": one.agent.label,
            "is_installed": one.is_installed,
            "options": {option.id: [choice.id for choice in option.choices] for option in one.options},
        }
        for one in engine.agents()
        if one.is_installed or request.all
    ]


TOOLS = (
    Tool(
        name="agent_list",
        description="The agents that can be started here, with the models, modes and other options that each offered last.",
        input=List,
        run=_list,
        reads_only=True,
    ),
)
