"""Makes text of other programs fit to be shown: nothing in it commands a terminal, turns the direction of writing, or is a password."""

import re

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: title, clipboard, links
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # DCS and its like
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]"
)
_CREDENTIALS = re.compile(r"(?<=://)[^\s/@'\"]+@")


def plain(text: str) -> str:
    """Without terminal control sequences, other control characters, and marks that change the direction of writing."""
    return _CONTROL.sub("", text)


def quoted(text: str) -> str:
    """What another program said, as it can stand in a sentence of ours: plain, and without credentials in URLs."""
    return _CREDENTIALS.sub("…@", plain(text)).strip()
