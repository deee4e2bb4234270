"""Gates as prompts of the built-in agent that runs blocks: so a gate is asked about, recorded, cancelled and paid for like any turn."""

import base64
import importlib.util
import json
import re
import shlex

from agor_jupyter.domain.templates import WorktreeNames
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.domain.zones import Firing, Gate, ZonePolicy

_TITLE = 120
_TICKS = re.compile(r"`+")


def title(zone: str, gate: Gate) -> str:
    return f"{zone or 'Zone'}: {' '.join(gate.run.split())}"[:_TITLE]


def prompt(gate: Gate, firing: Firing, worktree: Worktree) -> str:
    return fenced(command(gate, firing, worktree))


def command(gate: Gate, firing: Firing, worktree: Worktree) -> str:
    """The line of shell of a gate that is no function."""
    if gate.kind == "command":
        return gate.run
    values = {name: getattr(worktree, name) for name in WorktreeNames.model_fields} | {"zone": firing.zone}
    # YAML, of which JSON is a part; in base64 no value can be read as anything else
    encoded = base64.b64encode(json.dumps(values).encode()).decode()
    return f"{' '.join(notebook_words(gate))} -b {encoded}"


def notebook_words(gate: Gate) -> list[str]:
    """How the line of a notebook's gate begins. What the cells print goes to the transcript, and nothing into the worktree."""
    return [shlex.quote(word) for word in (*notebook_prefix(gate), "--no-progress-bar", "--log-output")]


def notebook_prefix(gate: Gate) -> list[str]:
    """What a rule says of it. The path is one in the worktree, and never an option or a URL."""
    return ["python", "-m", "papermill", f"./{gate.run}", "/dev/null"]


def fenced(code: str) -> str:
    """A block whose fence no line of the code can close."""
    fence = "`" * max(3, 1 + max((len(found) for found in _TICKS.findall(code)), default=0))
    return f"{fence}sh\n{code}\n{fence}"


def needs_papermill(policy: ZonePolicy) -> bool:
    return any(gate.kind == "notebook" for gate in policy.gates)


def has_papermill() -> bool:
    return importlib.util.find_spec("papermill") is not None
