"""Where the front end's files are, and the hash that names their version."""

import json
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"


@cache
def bundle_hash() -> str:
    """The hash of the bundle, or nothing when the front end was not built."""
    try:
        return str(json.loads((STATIC / "manifest.json").read_text())["hash"])
    except (OSError, ValueError, KeyError):
        return ""
