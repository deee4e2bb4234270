"""What the model says next: found in the conversation itself, so that the server keeps no state.

A prompt carries its scenario: `SAY:` and a JSON list of steps. The step to play is told by how many results of tools stand behind that
prompt, so any number of agents can be killed, brought back and forked, and each gets its own next step. A step:

    {"think": "…", "text": "…", "calls": [CALL, …],   all optional; a step that is itself a CALL is one call
     "times": 1,       the text so many times; {result} in it is what the last tool answered
     "chunk": 12,      characters of text in one event
     "delay": 0.0,     seconds before each event of text
     "drop": 3,        cut the connection after so many events
     "status": 429, "headers": {"retry-after": "7"}}   answer this error instead

`tools.py` says what a CALL is. A prompt without a scenario is echoed.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

_DIRECTIVE = re.compile(r"SAY:\s*(?=\[)")
_ENDED = re.compile(r"\[Request interrupted by user|<turn_aborted>")
"""How agents tell the model that a person broke off the turn before."""
_SUGGESTION = "[SUGGESTION MODE"
"""Claude Code asks what the user would type next."""


@dataclass(frozen=True)
class Said:
    """One piece of a conversation: what `user`, `assistant` or a tool's `result` said."""

    role: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Step:
    think: str = ""
    text: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    chunk: int = 12
    delay: float = 0.0
    drop: int | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def pieces(self) -> Iterator[str]:
        for start in range(0, len(self.text), self.chunk):
            yield self.text[start : start + self.chunk]


def script(*steps: dict[str, Any]) -> str:
    """The prompt that makes the model play `steps`. A script within one of them is for later."""
    later = json.dumps(list(steps)).replace("SAY:", "SAY\\u003a")
    return f"SAY:{later}"


def next_step(conversation: Sequence[Said]) -> Step:
    if conversation and _SUGGESTION in conversation[-1].text:
        return Step(text="ok")
    steps, start = _scenario(conversation)
    if steps is None:
        asked = next((said.text for said in reversed(conversation) if said.role == "user"), "")
        return Step(text=f"You said: {asked[-200:]}")
    played = sum(said.role == "result" for said in conversation[start:])
    for told in steps:
        step = _step(told, next((said.text for said in reversed(conversation) if said.role == "result"), ""))
        if played < len(step.calls) or not step.calls:
            return step
        played -= len(step.calls)
    return Step(text="That was all.")


def _scenario(conversation: Sequence[Said]) -> tuple[list[dict[str, Any]] | None, int]:
    """The newest scenario and where it stands, unless its turn has ended."""
    for index in range(len(conversation) - 1, -1, -1):
        said, behind = conversation[index], conversation[index + 1 :]
        if said.role == "user" and (steps := _read(said.text)):
            return steps, index
        was_answered = said.role == "assistant" and behind and behind[0].role == "user"
        if _ENDED.search(said.text) or (was_answered and all(one.role != "result" for one in behind)):
            break
    return None, 0


def _read(text: str) -> list[dict[str, Any]] | None:
    found = None
    for found in _DIRECTIVE.finditer(text):  # the last: a primed prompt carries older ones
        pass
    if found is None:
        return None
    try:
        return json.JSONDecoder().raw_decode(text[found.end() :])[0]
    except ValueError as error:
        return [{"text": f"That is no scenario: {error}"}]


def _step(told: dict[str, Any], result: str) -> Step:
    known = {name: told[name] for name in Step.__dataclass_fields__ if name in told}
    if "do" in told:
        known["calls"] = [told]
    if "text" in known:
        known["text"] = known["text"].replace("{result}", result) * told.get("times", 1)
    return Step(**known)
