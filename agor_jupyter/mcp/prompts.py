"""Prompts that a client can offer to its person: how to hand a task to another agent, and how to look over what one did."""

import re
from typing import Any

from agor_jupyter.domain.errors import BadRequest

_DELEGATE = """\
Hand this to another agent: {task}

Call whoami first. Write a brief that says all it needs: the goal, the files, how to check the outcome, and what to leave alone; it knows
nothing of what was said here. Give it a worktree of its own with worktree_create if you go on editing. Then call session_spawn with notify
set{agent}, and go on with what does not depend on it."""
_LOOK_OVER = """\
Look over what the session {session_id} did. Read its turns with turn_list, its last turn's patch with turn_get, and the whole change with
worktree_diff. Say what is right, what is wrong and what is missing, with file and line, and change nothing."""
_TEXTS = {
    "delegate": (
        "Hand a part of the work to another agent",
        {"task": "What it should do.", "agent": "Which agent; see agent_list. Default: the same as you."},
        _DELEGATE,
    ),
    "look_over": ("Look over what a session changed", {"session_id": "Which session."}, _LOOK_OVER),
}
_OPTIONAL = {"agent"}
LISTED: list[dict[str, Any]] = [
    {
        "name": name,
        "title": title,
        "description": title + ".",
        "arguments": [{"name": key, "description": text, "required": key not in _OPTIONAL} for key, text in arguments.items()],
    }
    for name, (title, arguments, _) in _TEXTS.items()
]
_MAX = 10_000


def render(name: str, given: dict[str, str]) -> dict[str, Any]:
    """In MCP's wire form.

    Errors:
        BadRequest: there is no such prompt, or an argument is missing or unknown.
    """
    if name not in _TEXTS:
        raise BadRequest([f"there is no prompt {name[:60]!r}; there are {', '.join(_TEXTS)}"])
    title, arguments, text = _TEXTS[name]
    problems = [f"{key}: needed" for key in arguments if key not in given and key not in _OPTIONAL]
    problems += [f"{key[:60]!r}: not known; it takes {', '.join(arguments)}" for key in given if key not in arguments]
    problems += [f"{key}: at most {_MAX} characters" for key in arguments if len(given.get(key, "")) > _MAX]
    if problems:
        raise BadRequest(problems)
    agent = f" and agent “{given['agent']}”" if given.get("agent") else ""
    values = {**given, "agent": agent}
    filled = re.sub(r"\{(\w+)\}", lambda found: values[found[1]], text)
    return {"description": title, "messages": [{"role": "user", "content": {"type": "text", "text": filled}}]}
