"""Run git, and only git: argument lists, a scrubbed environment, a deadline, a cap on what it says; its failures in words."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.processes import once
from agor_jupyter.processes.once import MAX_OUTPUT, Output

TIMEOUT_S = 120.0
_SCARCE_BYTES = 32 * 1024 * 1024

_PASSED = ("PATH", "HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "TMPDIR")
_PASSED_TO_PERSONAL = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
"""Where the user's own settings stand, if not in the usual places."""
_PASSED_TO_NETWORK = (
    *("SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"),
    *(name for lower in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") for name in (lower, lower.upper())),
)
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=20",
    "GIT_EDITOR": "false",
    "GIT_PAGER": "cat",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": "/dev/null/none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LITERAL_PATHSPECS": "1",
}
_IMPERSONAL = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_ATTR_NOSYSTEM": "1"}

# The second net. The first is that git is never shown the configuration of a repository: see `repository.py`.
_OPTIONS = (
    "--no-pager",
    "--no-optional-locks",
    *(
        part
        for setting in (
            *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.untrackedCache=false", "core.splitIndex=false"),
            *("core.pager=cat", "core.sshCommand=", "core.gitProxy=", "core.askPass=", "core.alternateRefsCommand="),
            *("core.quotePath=false", "diff.external=", "diff.ignoreSubmodules=all", "submodule.recurse=false"),
            *("gc.auto=0", "maintenance.auto=false", "commit.gpgSign=false", "credential.interactive=never"),
        )
        for part in ("-c", setting)
    ),
)
_NO_NETWORK = ("-c", "protocol.allow=never", "-c", "credential.helper=")


def quiet(pins: Mapping[str, str]) -> dict[str, str]:
    """Variables with which another program's git is as hardened as ours, on the repository that `pins` name."""
    given = [part for part in (*_OPTIONS, *_NO_NETWORK) if "=" in part and part != "diff.external="]  # alone that is an empty command
    settings = {}
    for at, one in enumerate(given):
        settings[f"GIT_CONFIG_KEY_{at}"], _, settings[f"GIT_CONFIG_VALUE_{at}"] = one.partition("=")
    kept = {name: value for name, value in _ENVIRONMENT.items() if name != "GIT_LITERAL_PATHSPECS"}
    more = {"GIT_ALLOW_PROTOCOL": "", "GIT_OPTIONAL_LOCKS": "0", "GIT_CONFIG_COUNT": str(len(given))}
    return kept | _IMPERSONAL | more | settings | dict(pins)


async def run(
    action: str,
    arguments: Sequence[str],
    *,
    cwd: Path,
    pins: Mapping[str, str] | None = None,
    protocols: Sequence[str] = (),
    is_personal: bool = False,
    inside: Sequence[str] = (),
    stdin: bytes = b"",
    ok: Collection[int] = (0,),
    timeout_s: float = TIMEOUT_S,
    cap: int = MAX_OUTPUT,
    on_progress: Callable[[bytes], None] | None = None,
) -> Output:
    """Run `git arguments` in `cwd`. An exit code that is not in `ok` raises `GitFailed`; `action` completes "git could not …".

    `pins` says which repository, as `GIT_*` variables: none comes from the server's own environment. `protocols` says what the
    network may be used for. With `is_personal` the git settings of the server's own user count too, where proxies, credential
    helpers and safe folders stand. `inside` comes before git: the command line of a sandbox, which has its own variables. Of the
    output `cap` bytes are kept; git is stopped when it writes more, and `is_cut` says so. `on_progress` gets pieces of stderr, from
    another thread.
    """
    argv = [*inside, "git", *_OPTIONS, *(() if protocols else _NO_NETWORK), *arguments]
    passed = (*_PASSED, *(_PASSED_TO_NETWORK if protocols else ()), *(_PASSED_TO_PERSONAL if is_personal else ()))
    environment = {name: os.environ[name] for name in passed if name in os.environ}
    environment |= _ENVIRONMENT
    environment |= {"GIT_ALLOW_PROTOCOL": ":".join(protocols)}
    environment |= {} if is_personal else _IMPERSONAL
    environment |= pins or {}
    try:
        output = await once.run(argv, cwd=cwd, env=environment, stdin=stdin, timeout_s=timeout_s, cap=cap, on_progress=on_progress)
    except FileNotFoundError as error:
        if not cwd.is_dir():
            raise errors.GitFailed(action, f"the folder {str(cwd)!r} does not exist") from error
        raise errors.GitFailed(action, "git was not found on PATH. Install git, then try again") from error
    except TimeoutError as error:
        raise errors.GitFailed(action, f"it took longer than {timeout_s:g} s and was stopped") from error
    if output.code not in ok and not output.is_cut:
        if is_full(Path((pins or {}).get("GIT_WORK_TREE", cwd))):
            raise errors.StorageFull(str(cwd))
        raise errors.GitFailed(action, output.err.decode("utf-8", "replace").strip() or f"exit code {output.code}")
    return output


def is_full(folder: Path) -> bool:
    """So little is left, or no inode, that a write which failed will have failed for this reason. git tidies up after itself,
    so that it is never quite full.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize < _SCARCE_BYTES or (room.f_files > 0 and room.f_favail == 0)
