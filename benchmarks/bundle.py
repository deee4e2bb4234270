"""How much a browser loads before the canvas stands."""

import gzip
from pathlib import Path

STATIC = Path("agor_jupyter/static")


def rows() -> list[dict]:
    files = [STATIC / "canvas.js", STATIC / "loader.js"]
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) / 1000
    plain = sum(path.stat().st_size for path in files) / 1000
    return [
        {"name": "bundle_kb", "value": size, "unit": "kB gzip", "bar": "≤ 150", "reference": f"{plain:.0f} kB plain", "met": size <= 150}
    ]
