"""How handles look in a cell. What came from outside is escaped and commands nothing.

The colours are JupyterLab's, so light and dark both work. Nothing here shows an id, a time or a path of this machine: an executed
notebook looks the same on the next one.
"""

import unicodedata
from collections.abc import Sequence
from html import escape as escaped

from agor_jupyter.domain.turns import Patch, PatchFile, Turn

_FONT = "font-family: var(--jp-ui-font-family, system-ui, sans-serif); font-size: var(--jp-ui-font-size1, 13px)"
_CODE = "font-family: var(--jp-code-font-family, monospace); font-size: var(--jp-code-font-size, 12px)"
_BOX = "border: 1px solid var(--jp-border-color2, #bdbdbd); border-radius: 4px; padding: 6px 10px; margin: 2px 0"
_MUTED = "color: var(--jp-ui-font-color2, #757575)"
_TONE = {
    "done": "var(--jp-success-color1, #2e7d32)",
    "ready": "var(--jp-success-color1, #2e7d32)",
    "allowed": "var(--jp-success-color1, #2e7d32)",
    "failed": "var(--jp-error-color1, #c62828)",
    "rejected": "var(--jp-error-color1, #c62828)",
    "missing": "var(--jp-error-color1, #c62828)",
    "trusted": "var(--jp-success-color1, #2e7d32)",
    "refused": "var(--jp-error-color1, #c62828)",
    "changed": "var(--jp-warn-color1, #b26a00)",
    "new": "var(--jp-warn-color1, #b26a00)",
    "needs_you": "var(--jp-warn-color1, #b26a00)",
    "waiting": "var(--jp-warn-color1, #b26a00)",
    "open": "var(--jp-warn-color1, #b26a00)",
    "interrupted": "var(--jp-warn-color1, #b26a00)",
}
_ADDED = "background: color-mix(in srgb, var(--jp-success-color1, #2e7d32) 16%, transparent)"
_DELETED = "background: color-mix(in srgb, var(--jp-error-color1, #c62828) 16%, transparent)"


def visible(text: str) -> str:
    """With a mark in place of each character that would command a terminal, turn the direction of text, or not be seen."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" or unicodedata.category(one) == "Zs" else "\ufffd" for one in text)


def escape(text: str) -> str:
    """As HTML."""
    return escaped(visible(text))


def words(state: str) -> str:
    return state.replace("_", " ")


def headline(text: str, limit: int = 80) -> str:
    """The first line that says something, cut."""
    first = next((line.strip() for line in visible(text).splitlines() if line.strip() and not line.startswith("```")), "")
    return first if len(first) <= limit else first[: limit - 1] + "…"


def beginning(turn: Turn) -> str:
    """What a turn is for: the first line of its prompt, or that it has none."""
    return headline(turn.prompt) if turn.origin == "prompt" else "continued by the agent"


def card(noun: str, name: str, state: str | None, facts: Sequence[tuple[str, str]], body: str = "") -> str:
    """One bordered block: what it is, its state in colour and in words, facts as pairs. `body` is HTML made here."""
    tone = _TONE.get(state or "", "var(--jp-ui-font-color2, #757575)")
    badge = f' <span style="color: {tone}">{escape(words(state))}</span>' if state else ""
    pairs = "".join(
        f'<span style="margin-right: 14px"><span style="{_MUTED}">{escape(label)}</span> {escape(value)}</span>'
        for label, value in facts
        if value
    )
    return (
        f'<div style="{_BOX}; {_FONT}"><div><span style="{_MUTED}">{escape(noun)}</span> <b>{escape(name)}</b>{badge}</div>'
        f"<div>{pairs}</div>{body}</div>"
    )


def block(text: str) -> str:
    """Text as it stands in a file, for the body of a card."""
    return f'<div style="white-space: pre-wrap; max-height: 20em; overflow: auto; {_CODE}">{escape(text)}</div>'


def rows(noun: str, lines: Sequence[str]) -> str:
    items = "".join(f"<div>{escape(line)}</div>" for line in lines) or f'<span style="{_MUTED}">No {escape(noun)}s</span>'
    return f'<div style="{_FONT}">{items}</div>'


def transcript(title: str, state: str, lines: Sequence[tuple[str, str]]) -> str:
    """What a session did: pairs of kind and text, where the kinds are text, tool, output, notice and error."""
    style = {
        "text": "margin: 4px 0; white-space: pre-wrap",
        "tool": f"margin: 4px 0; {_CODE}",
        "output": f"margin: 0 0 4px 12px; white-space: pre-wrap; {_CODE}; {_MUTED}",
        "notice": f"margin: 4px 0; {_MUTED}",
        "error": "margin: 4px 0; color: var(--jp-error-color1, #c62828)",
    }
    body = "".join(f'<div style="{style[kind]}">{escape(text)}</div>' for kind, text in lines)
    return card("Session", title, state, (), body)


def counts(added: int | None, deleted: int | None) -> str:
    return "binary" if added is None or deleted is None else f"+{added} -{deleted}"


def file_line(file: PatchFile) -> str:
    name = f"{file.old_path} → {file.path}" if file.old_path and file.old_path != file.path else file.path
    return f"{file.status.replace('_', ' '):<9} {name}  {counts(file.added, file.deleted)}"


def hunks(patch: Patch) -> dict[str, list[str]]:
    """The lines of each file's hunks, without git's headers, by the file's new path (its old one when it was deleted)."""
    found: dict[str, list[str]] = {}
    order = iter(patch.files)
    current: list[str] = []
    in_hunk = False
    for line in patch.text.splitlines():
        if line.startswith("diff --git "):
            file = next(order, None)
            current, in_hunk = [], False
            if file:
                found[file.path] = current
        elif line.startswith("@@"):
            in_hunk = True
            current.append(line)
        elif in_hunk:
            current.append(line)
    return found


def patch_text(patch: Patch, limit: int = 200) -> str:
    """File by file; at most `limit` lines, and it says how many were left out."""
    if not patch.files:
        return visible("\n".join(patch.not_shown)) or "No changes"
    by_file = hunks(patch)
    lines: list[str] = []
    for file in patch.files:
        lines += [file_line(file), *(f"    {line}" for line in by_file.get(file.path, []))]
    left = len(lines) - limit
    shown = lines[:limit] + ([f"... {left} more lines"] if left > 0 else [])
    return visible("\n".join([*shown, *(["The patch was cut at 2 MB."] if patch.is_cut else []), *patch.not_shown]))


def patch_html(patch: Patch, limit: int = 400) -> str:
    """As `patch_text`, in colour. A file folds away under its name."""
    left = "".join(f'<div style="{_FONT}; {_MUTED}">{escape(line)}</div>' for line in patch.not_shown)
    if not patch.files:
        return left or f'<div style="{_FONT}; {_MUTED}">No changes</div>'
    by_file, room, blocks = hunks(patch), limit, []
    for file in patch.files:
        lines = by_file.get(file.path, [])
        shown, room = lines[: max(room, 0)], room - len(lines)
        body = "".join(f'<div style="white-space: pre; {_line_style(line)}">{escape(line) or "&nbsp;"}</div>' for line in shown)
        if len(lines) > len(shown):
            body += f'<div style="{_MUTED}">... {len(lines) - len(shown)} more lines</div>'
        blocks.append(
            f'<details open><summary style="{_FONT}">{escape(file_line(file))}</summary>'
            f'<div style="{_CODE}; overflow-x: auto; line-height: 1.4">{body}</div></details>'
        )
    cut = f'<div style="{_MUTED}">The patch was cut at 2 MB.</div>' if patch.is_cut else ""
    return f'<div style="{_BOX}">{"".join(blocks)}{cut}{left}</div>'


def _line_style(line: str) -> str:
    if line.startswith("+"):
        return _ADDED
    if line.startswith("-"):
        return _DELETED
    return _MUTED if line.startswith("@@") else ""
