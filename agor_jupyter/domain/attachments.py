"""What comes with a prompt beside its text: a picture that the agent sees, or a long text that it reads as a file."""

from typing import Annotated, Literal

from pydantic import Base64Bytes, Field

from agor_jupyter.domain.ids import AttachmentId
from agor_jupyter.domain.records import Record, Request

MAX_BYTES = 10 * 1024 * 1024
"""Of one attachment."""
MAX_ATTACHMENTS = 20
"""With one prompt."""
MAX_SIDE = 1568
"""Pixels of a picture's longer side. Models scale larger ones down, and some end a conversation for good over many of them."""
LONG_TEXT = 20_000
"""Characters. A longer text that is pasted becomes a file."""


class Attachment(Record):
    """*Saved*, in the data folder. The same content has the same id."""

    id: AttachmentId
    kind: Literal["image", "text"]
    name: str
    """Of the file, with its ending."""
    media_type: str
    size: int
    """Bytes."""
    width: int | None = None
    height: int | None = None
    """Pixels."""
    characters: int | None = None
    """Of a text."""


class AttachmentCreate(Request):
    name: str = Field(min_length=1, max_length=200)
    data: Base64Bytes = Field(repr=False)
    """At most 10 MiB: PNG, JPEG, GIF or WebP of at most 1568 pixels, or text in UTF-8."""


class AttachmentContent(Record):
    attachment: Attachment
    data: str = Field(repr=False)
    """In base64."""


AttachmentIds = Annotated[list[AttachmentId], Field(max_length=MAX_ATTACHMENTS)]
