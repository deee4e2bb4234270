"""Attachments: kept as files by content, outside of the worktree and of the database, and handed to agents by path or as pictures.

An agent in a sandbox sees those of its worktree at their own paths, and can change none of them.
"""

import asyncio
import base64
import hashlib
import os
import re
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from agor_jupyter.domain import errors, pictures
from agor_jupyter.domain.attachments import MAX_BYTES, MAX_SIDE, Attachment, AttachmentContent, AttachmentCreate
from agor_jupyter.domain.events import Event, Removed
from agor_jupyter.domain.ids import AttachmentId, WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.turns import Turn
from agor_jupyter.services.config import Config
from agor_jupyter.services.events import Events
from agor_jupyter.services.followers import Follower

_ID = re.compile(r"at_[0-9a-f]{32}")
_RECORD = "attachment.json"


def folder_of(data_dir: Path, worktree_id: WorktreeId) -> Path:
    """Where those of a worktree are. It need not be there."""
    return Path(os.path.realpath(data_dir)) / "attachments" / worktree_id


class Attachments:
    def __init__(self, config: Config, events: Events) -> None:
        self._data_dir, self._events = config.data_dir, events

    async def start(self) -> Follower:
        """Those of a worktree go with it. Close what this returns."""
        return await self._events.follow("attachments", Removed, self._drop)

    async def _drop(self, removed: Removed, _event: Event) -> None:
        if removed.noun == "worktree":
            await asyncio.to_thread(shutil.rmtree, folder_of(self._data_dir, WorktreeId(removed.id)), ignore_errors=True)

    async def create(self, caller: Caller, worktree_id: WorktreeId, request: AttachmentCreate) -> Attachment:
        """Keep it. The same content again is the same attachment.

        Errors:
            BadRequest: it is too large, or neither a picture of a known kind nor text.
        """
        caller.require(Role.STEERER, "attach a file")
        attachment = await asyncio.to_thread(_read, request)
        await asyncio.to_thread(self._keep, worktree_id, attachment, request.data)
        return attachment

    async def content(self, worktree_id: WorktreeId, attachment_id: str) -> AttachmentContent:
        """Errors:
        AttachmentNotFound.
        """
        [attachment] = await self.find(worktree_id, [attachment_id])
        data = await asyncio.to_thread(self.path(worktree_id, attachment).read_bytes)
        return AttachmentContent(attachment=attachment, data=base64.b64encode(data).decode())

    async def find(self, worktree_id: WorktreeId, ids: Sequence[str]) -> list[Attachment]:
        """In the order of `ids`.

        Errors:
            AttachmentNotFound: one of them is not of this worktree.
        """
        return await asyncio.to_thread(lambda: [self._find(worktree_id, one) for one in ids])

    def path(self, worktree_id: WorktreeId, attachment: Attachment) -> Path:
        return folder_of(self._data_dir, worktree_id) / attachment.id / attachment.name

    async def prompt(self, turn: Turn, text: str) -> tuple[str, list[dict[str, str]]]:
        """`text` with a line for each file, and the pictures as ACP's content blocks. An agent that is asked to go on has them already."""
        if turn.has_acted:
            return text, []
        lines = [
            f"[Attached file: {self.path(turn.worktree_id, one)} ({one.characters:,} characters)]"
            for one in turn.attachments
            if one.kind == "text"
        ]
        blocks = []
        for one in turn.attachments:
            if one.kind == "image":
                content = await self.content(turn.worktree_id, one.id)
                blocks.append({"type": "image", "mimeType": one.media_type, "data": content.data})
        return "\n\n".join([text, *lines]), blocks

    def _keep(self, worktree_id: WorktreeId, attachment: Attachment, data: bytes) -> None:
        """The record comes last: what has none was not written whole."""
        folder = folder_of(self._data_dir, worktree_id) / attachment.id
        if (folder / _RECORD).exists():
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in ((attachment.name, data), (_RECORD, attachment.encode())):
            new = folder / f".{name}.new"
            with new.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(folder / name)

    def _find(self, worktree_id: WorktreeId, attachment_id: str) -> Attachment:
        if not _ID.fullmatch(attachment_id):
            raise errors.AttachmentNotFound(attachment_id)
        try:
            return Attachment.model_validate_json((folder_of(self._data_dir, worktree_id) / attachment_id / _RECORD).read_bytes())
        except OSError as error:
            raise errors.AttachmentNotFound(attachment_id) from error


def _read(request: AttachmentCreate) -> Attachment:
    data = request.data
    if len(data) > MAX_BYTES:
        raise errors.BadRequest([f"data: it has {len(data) / 2**20:.1f} MiB; {MAX_BYTES // 2**20} is the limit. Put it in the worktree"])
    picture = pictures.read(data)
    name = _name(request.name, picture.ending if picture else "")
    attachment_id = AttachmentId("at_" + hashlib.sha256(name.encode() + b"\0" + data).hexdigest()[:32])
    if picture is not None:
        if not 0 < max(picture.width, picture.height) <= MAX_SIDE:
            raise errors.BadRequest(
                [f"data: the picture has {picture.width} × {picture.height} pixels; {MAX_SIDE} is the limit. Scale it down"]
            )
        return Attachment(
            id=attachment_id,
            kind="image",
            name=name,
            media_type=picture.media_type,
            size=len(data),
            width=picture.width,
            height=picture.height,
        )
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise errors.BadRequest(["data: it is neither a PNG, JPEG, GIF or WebP, nor text in UTF-8. Put it in the worktree, and name it"])
    return Attachment(id=attachment_id, kind="text", name=name, media_type="text/plain", size=len(data), characters=len(text))


def _name(given: str, ending: str) -> str:
    """A plain name for a file, whatever was given."""
    plain = unicodedata.normalize("NFKD", given).encode("ascii", "ignore").decode()
    stem, _, last = re.sub(r"[^A-Za-z0-9._-]+", "-", plain.rpartition("/")[2]).strip(".-")[-80:].rpartition(".")
    if ending:
        return f"{stem or last or 'picture'}{ending}"
    return f"{stem}.{last}" if stem else f"{last or 'text'}.txt"
