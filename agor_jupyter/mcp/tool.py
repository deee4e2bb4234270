"""A tool: a name, a model of its input, and one call of the engine."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from agor_jupyter.services.sessions.delegation import Delegation


class Input(BaseModel):
    """What a tool takes. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


@dataclass(frozen=True, kw_only=True)
class Tool:
    name: str
    description: str
    input: type[Input]
    run: Callable[[Delegation, Any], Awaitable[object]]
    """Gets the validated input (`Any`: each tool has its own model); answers plain JSON."""
    reads_only: bool
    """Agents run such a tool without asking."""

    def describe(self) -> dict[str, Any]:
        """As MCP lists it."""
        return {
            "name": self.name,
            "description": self.description,
            "inputSchema": self.input.model_json_schema(),
            "annotations": {"readOnlyHint": self.reads_only, "destructiveHint": False, "openWorldHint": False},
        }
