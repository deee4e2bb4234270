"""What kind of picture some bytes are, and how large, from their first bytes alone. Nothing is decoded."""

import struct
from typing import NamedTuple


class Picture(NamedTuple):
    media_type: str
    ending: str
    width: int
    height: int


def read(content: bytes) -> Picture | None:
    """`None`: no PNG, JPEG, GIF or WebP, or one that is cut off before it says its size."""
    try:
        return _png(content) or _gif(content) or _webp(content) or _jpeg(content)
    except (struct.error, IndexError):
        return None


def _png(content: bytes) -> Picture | None:
    """The header chunk is the first: https://www.w3.org/TR/png-3/#11IHDR."""
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        return None
    return Picture("image/png", ".png", *struct.unpack(">II", content[16:24]))


def _gif(content: bytes) -> Picture | None:
    if content[:6] not in {b"GIF87a", b"GIF89a"}:
        return None
    return Picture("image/gif", ".gif", *struct.unpack("<HH", content[6:10]))


def _webp(content: bytes) -> Picture | None:
    """Three forms: lossy, lossless, extended. RFC 9649."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    form = content[12:16]
    if form == b"VP8X":
        return Picture("image/webp", ".webp", 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little"))
    if form == b"VP8L":
        (bits,) = struct.unpack("<I", content[21:25])
        return Picture("image/webp", ".webp", (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
    width, height = struct.unpack("<HH", content[26:30])
    return Picture("image/webp", ".webp", width & 0x3FFF, height & 0x3FFF)


def _jpeg(content: bytes) -> Picture | None:
    """The size is in the frame's header, behind other segments: ITU-T T.81, annex B."""
    if content[:3] != b"\xff\xd8\xff":
        return None
    at = 2
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        (length,) = struct.unpack(">H", content[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return Picture("image/jpeg", ".jpg", width, height)
        at += 2 + length
    return None
