"""What goes with a prompt from a cell: files, figures, pictures."""

import base64
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agor_jupyter.domain import pictures
from agor_jupyter.domain.attachments import MAX_SIDE, Attachment, AttachmentCreate
from agor_jupyter.domain.errors import BadRequest
from agor_jupyter.domain.ids import AttachmentId
from agor_jupyter.domain.sessions import MAX_PROMPT
from agor_jupyter.notebook.handles import checked
from agor_jupyter.notebook.link import Link

Attached = Any
"""A file's path, its bytes, a matplotlib figure, or a Pillow image: the last two are recognised by what they can do, not by type."""


def upload(link: Link, worktree_id: str, attach: Sequence[Attached]) -> list[AttachmentId]:
    """Send them to the server. A picture that is too large is scaled down if Pillow is installed."""
    found = []
    for number, one in enumerate(attach, start=1):
        name, data = _read(one, number)
        with checked():
            body = AttachmentCreate(name=name, data=base64.b64encode(_scaled(name, data)))
        found.append(Attachment.model_validate(link.post(f"worktrees/{worktree_id}/attachments", body)).id)
    return found


def check_length(prompt: str | None) -> None:
    """Raises `BadRequest` for a text that is too long for a prompt, with what would work."""
    if isinstance(prompt, str) and len(prompt) > MAX_PROMPT:
        remedy = 'Write the long part into a file, and hand it over: session.prompt("Look at this log.", attach=["run.log"])'
        raise BadRequest([f"the prompt has {len(prompt):,} characters; {MAX_PROMPT:,} is the limit. {remedy}"])


def _read(one: Attached, number: int) -> tuple[str, bytes]:
    if isinstance(one, str | os.PathLike):
        path = Path(one).expanduser()
        return path.name, path.read_bytes()
    if isinstance(one, bytes):
        return f"attached-{number}", one
    target = io.BytesIO()
    if hasattr(one, "savefig"):
        one.savefig(target, format="png")
    elif hasattr(one, "save"):
        one.save(target, format="PNG")
    else:
        raise BadRequest([f"attach: {type(one).__name__!r} is no path, bytes, figure or picture"])
    return f"figure-{number}.png", target.getvalue()


def _scaled(name: str, data: bytes) -> bytes:
    picture = pictures.read(data)
    if picture is None or max(picture.width, picture.height) <= MAX_SIDE:
        return data
    try:
        from PIL import Image  # type: ignore[import-not-found,unused-ignore]  # it may be installed
    except ImportError:
        why = f"{name}: it has {picture.width} × {picture.height} pixels; {MAX_SIDE} is the limit. Scale it down, or `pip install pillow`"
        raise BadRequest([why]) from None
    image = Image.open(io.BytesIO(data))
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    target = io.BytesIO()
    image.save(target, format="PNG")
    return target.getvalue()
