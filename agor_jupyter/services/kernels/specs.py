"""Kernel specs of worktrees: files in the data directory, in a folder that kernel spec managers search beside their own."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from agor_jupyter.domain.kernels import Kernel
from agor_jupyter.domain.worktrees import Worktree

# Any server runs a notebook's kernel in the notebook's folder; this one has the worktree's.
_LAUNCH = (
    "import os, runpy, sys; os.chdir(sys.argv.pop(1)); sys.path[0] = os.getcwd(); "
    "sys.argv[0] = 'ipykernel_launcher'; runpy.run_module('ipykernel_launcher', run_name='__main__', alter_sys=True)"
)


def folder_of(data_dir: Path) -> Path:
    """Where the specs are. It need not be there."""
    return Path(os.path.realpath(data_dir)) / "jupyter" / "kernels"


def write(data_dir: Path, kernel: Kernel, worktree: Worktree, environment: Path | None, variables: Mapping[str, str]) -> None:
    """All at once: nobody reads half of it. `environment` `None`: the server's packages."""
    python = Path(sys.executable) if environment is None else environment / "bin" / "python"
    env = {"AGOR_WORKTREE_PATH": worktree.path, "AGOR_WORKTREE_NAME": worktree.name, "AGOR_BRANCH": worktree.branch, **variables}
    if environment is not None:
        env |= {"VIRTUAL_ENV": str(environment), "PATH": f"{environment / 'bin'}{os.pathsep}${{PATH}}"}
    spec = {
        "argv": [str(python), "-c", _LAUNCH, worktree.path, "-f", "{connection_file}"],
        "display_name": kernel.display_name,
        "language": "python",
        "interrupt_mode": "signal",
        "env": env,
        "metadata": {"debugger": True, "agor": {"worktree": worktree.id}},
    }
    folder = folder_of(data_dir) / kernel.spec_name
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f".kernel.json.{os.getpid()}"
    new.write_text(json.dumps(spec, indent=1))
    new.replace(folder / "kernel.json")


def remove(data_dir: Path, spec_name: str) -> None:
    shutil.rmtree(folder_of(data_dir) / spec_name, ignore_errors=True)
