"""Finds a secret in bytes, however it is written. It shares no code with what takes secrets out."""

import base64
import json
import re
from pathlib import Path
from urllib.parse import quote, quote_plus


def forms(secret: str) -> set[bytes]:
    plain = secret.encode()
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], plain.hex(), repr(secret)[1:-1]}
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + plain + b"xxx").decode()
        found.add(encoded[4:-8])
    return {form.encode() for form in found}


def traces(secret: str, content: bytes) -> list[bytes]:
    """The ways in which the secret is in `content`, also broken into lines. Half of it is too much already."""
    flat = re.sub(rb"\\\\n|\\n|\s", b"", content)
    half = [form for form in {*forms(secret), *forms(secret[: len(secret) // 2]), *forms(secret[len(secret) // 2 :])} if len(form) >= 12]
    return sorted(form for form in half if form in content or form in flat)


def in_database(secret: str, data_dir: Path) -> list[bytes]:
    """In the file of the database, its write-ahead log, and what was deleted of both but not overwritten."""
    return sorted({trace for file in data_dir.glob("agor.db*") for trace in traces(secret, file.read_bytes())})
