"""What a cell or a terminal shows while it waits: one line or block that changes, and is empty again when the waiting is over.

An executed notebook then holds what came out and not how long it took. The outputs of a cell are the same in number and content
whether the work was done just now or before, so that nbval can compare them.
"""

import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any

from agor_jupyter.domain.events import Event, Failure, Notice, PermissionSettled, Text, ToolCall, ToolOutput
from agor_jupyter.domain.permissions import Permission, PermissionOption
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.notebook.display import views

_EMPTY = {"text/plain": " ", "text/html": "<span></span>"}
"""Shows nothing. Not quite empty, because nbformat does not read an empty output as it wrote it."""
_TAIL = 12


class Line:
    """One display of a cell. Outside IPython, one line of a terminal, and nothing where there is none."""

    def __init__(self) -> None:
        self._handle = _display(_EMPTY)
        self._is_terminal = self._handle is None and sys.stderr.isatty()
        self._shown = _EMPTY["text/plain"]

    def show(self, text: str, html: str) -> None:
        if self._handle and text != self._shown:
            self._shown = text
            self._handle({"text/plain": views.visible(text), "text/html": html})

    def say(self, text: str) -> None:
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            self._write(" ".join(views.visible(text).split())[:width])
        self.show(text, f'<div style="color: var(--jp-ui-font-color2, #757575)">{views.escape(text)}</div>')

    def clear(self) -> None:
        if self._is_terminal and self._shown != _EMPTY["text/plain"]:
            self._write("")
        self.show(_EMPTY["text/plain"], _EMPTY["text/html"])

    def _write(self, text: str) -> None:
        self._shown = text
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


_line: tuple[str, Line] | None = None


def line() -> Line:
    """The changing line of the cell that runs now, the same one for all that waits in it."""
    global _line  # noqa: PLW0603  # one line for each cell, whoever asks first
    request = _request()
    if _line is None or _line[0] != request or not request:
        _line = (request, Line())
    return _line[1]


def _request() -> str:
    """The id of the message that asked for this cell to run. Its number would not do: it stays when history is off."""
    kernel = getattr(_shell(), "kernel", None)
    return str(kernel.get_parent().get("header", {}).get("msg_id", "")) if kernel else ""


def _shell() -> Any:
    interactive = sys.modules.get("IPython")  # if nobody imported it, this is no notebook
    return interactive.get_ipython() if interactive else None


def _display(data: dict[str, str]) -> Callable[[dict[str, str]], None] | None:
    shell = _shell()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    handle: Any = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    return lambda update: handle.update(update, raw=True)


class Transcript:
    """A session's turn as a cell shows it: live in the changing line, and at the end once, for good."""

    def __init__(self, turn: Turn, username: str) -> None:
        self._turn, self._username = turn, username
        self._line = line()
        self._tools: dict[str, ToolCall] = {}
        self._outputs: dict[str, str] = {}
        self._lines: list[tuple[str, str]] = []
        """Kind and text; for a tool, kind `tool` and its id."""

    def add(self, event: Event) -> None:
        match event.body:
            case Text(text=text):
                if self._lines and self._lines[-1][0] == "text":
                    text = self._lines.pop()[1] + text
                self._lines.append(("text", text))
            case ToolCall() as call:
                known = self._tools.get(call.tool_call_id)
                if known is None:
                    self._lines.append(("tool", call.tool_call_id))
                fresh = {name: value for name, value in dict(call).items() if value is not None}
                self._tools[call.tool_call_id] = known.replace(**fresh) if known else call
                if call.output is not None:
                    self._outputs[call.tool_call_id] = call.output
            case ToolOutput(tool_call_id=call_id, text=text):
                self._outputs[call_id] = self._outputs.get(call_id, "") + text
            case PermissionSettled(permission=permission):
                asked = ("notice", f"asked: {wording(permission)} ({settled(permission, self._username)})")
                about = ("tool", permission.tool_call_id or "")  # the question comes before what it was about
                self._lines.insert(self._lines.index(about) if about in self._lines else len(self._lines), asked)
            case Notice(text=text):
                self._lines.append(("notice", text))
            case Failure(text=text):
                self._lines.append(("error", text))

    def _pairs(self, *, live: bool) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        for kind, text in self._lines:
            if kind != "tool":
                pairs.append((kind, text.strip()))
                continue
            call = self._tools[text]
            pairs.append(("tool", f"{_MARKS[call.status or 'pending']} {call.title or call.tool_kind or 'tool'}"))
            output = self._outputs.get(text, "").rstrip()
            if output and (live or call.status == "failed"):
                pairs.append(("output", "\n".join(output.splitlines()[-_TAIL:])))
        return pairs

    def show(self, turn: Turn, questions: Sequence[Permission] = ()) -> None:
        self._turn = turn
        pairs = self._pairs(live=True)
        if turn.state is TurnState.QUEUED:
            pairs.append(("notice", "waits in the queue"))
        for question in questions:
            pairs.append(("notice", f"asks: {wording(question)}. Answer on the canvas, or with: {command(question)}"))
        self._line.show(_plain(turn, pairs), views.transcript(views.beginning(turn), turn.state.value, pairs))

    def finish(self, turn: Turn) -> None:
        """Empty the changing line, and show what stays."""
        self._line.clear()
        pairs = self._pairs(live=False)
        if turn.error and ("error", turn.error) not in pairs:
            pairs.append(("error", turn.error))
        _display({"text/plain": _plain(turn, pairs), "text/html": views.transcript(views.beginning(turn), turn.state.value, pairs)})


def wording(permission: Permission) -> str:
    """What a question asks for, on one line."""
    by = permission.asked_by
    who = "" if by is None else " (asked by a subagent)" if by == "subagent" else f" (asked by subagent {by})"
    return f"{permission.title}: {', '.join(names(permission))}" if permission.files else f"{permission.title}{who}"


def names(permission: Permission) -> list[str]:
    """Of the files that it asks to trust."""
    return [file.path + (" (changed)" if file.state == "changed" else "") for file in permission.files or ()]


_REACHES = {
    "once": "",
    "session": " (until its conversation ends)",
    "worktree": " (for every session in this worktree: the agent writes it into {})",
    "repository": " (for every session in this repository: the agent writes it into {})",
    "home": " (for every session of yours on that machine: the agent writes it into {})",
    "unknown": " (how far it goes, the agent does not say)",
}


def reach(option: PermissionOption) -> str:
    """How far the answer goes, behind its name; nothing for one that is for this call."""
    return _REACHES[option.reach].format(option.kept_in or "its settings") if option.kind == "allow_always" else ""


def command(permission: Permission) -> str:
    """What answers it from a shell."""
    choice = "allow" if permission.files is None else " or ".join(option.id for option in permission.options)
    return f"jupyter agor permission answer {permission.id} {choice}"


def settled(permission: Permission, username: str) -> str:
    """What became of a question, and by whom; `username` is you."""
    by = permission.answered_by
    name = None if by is None else "you" if by.username == username else by.name
    rule = "your rule" if name == "you" else f"a rule of {name}"
    who = "" if name is None else f" by {rule}" if permission.rule_id else f" by {name}"
    return views.words(permission.state.value) + who + covering(permission)


def covering(permission: Permission) -> str:
    """What a yes covers besides this one question."""
    wish = permission.remembered
    if wish is not None:
        kind = "command" if permission.rule_kind == "execute" else f"use of a tool of the kind {permission.rule_kind!r}"
        what = f"command that begins with {' '.join(wish.command_prefix)!r}" if wish.command_prefix else kind
        return f", and every {what} in this {wish.scope}"
    option = next((one for one in permission.options if one.id == permission.option_id), None)
    return f", as the agent offers it: “{option.name}”" if option is not None and option.kind == "allow_always" else ""


_MARKS = {"pending": "·", "in_progress": "…", "completed": "✓", "failed": "✗"}


def _plain(turn: Turn, pairs: Sequence[tuple[str, str]]) -> str:
    indent = {"output": "    "}
    body = [f"{indent.get(kind, '')}{row}" for kind, text in pairs for row in text.splitlines()]
    return views.visible("\n".join([f"{views.beginning(turn)} ({views.words(turn.state.value)})", *body]))
