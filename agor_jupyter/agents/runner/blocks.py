"""Finds the fenced blocks of a prompt that can be run."""

import re
from dataclasses import dataclass

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^\s`{]*)[^`\n]*")
_LANGUAGES = {"sh": "sh", "shell": "sh", "bash": "bash", "python": "python", "python3": "python", "py": "python"}
_TITLE = 100


@dataclass(frozen=True)
class Block:
    language: str
    """sh, bash or python."""
    code: str

    @property
    def title(self) -> str:
        """The first line that says something."""
        lines = [line.strip() for line in self.code.splitlines() if line.strip()]
        first = next((line for line in lines if not line.startswith("#")), lines[0] if lines else "nothing")
        more = len(lines) > 1 or len(first) > _TITLE
        return f"{first[:_TITLE]}{' …' if more else ''}"


def find(prompt: str) -> list[Block]:
    """In order. A fence of another language is text; one that is not closed goes on to the end, as in Markdown."""
    found: list[Block] = []
    fence, language, lines = "", "", list[str]()
    for line in prompt.splitlines():
        match = _FENCE.fullmatch(line)
        if not fence:
            if match:
                fence, language, lines = match[1], match[2].lower(), []
        elif match and match[1].startswith(fence) and line.strip() == match[1]:
            _add(found, language, lines)
            fence = ""
        else:
            lines.append(line)
    if fence:
        _add(found, language, lines)
    return found


def _add(found: list[Block], language: str, lines: list[str]) -> None:
    if language in _LANGUAGES and any(line.strip() for line in lines):
        found.append(Block(_LANGUAGES[language], "\n".join(lines) + "\n"))
