"""The environment of an agent: built from an allow-list, never inherited.

`VIRTUAL_ENV` is not on the list: `uv` and `poetry` in a worktree would install into the server's own environment. `PATH` is passed,
with the folder of the server's Python at its end, so that the tools of the server's environment are found last. Proxies and
certificates are passed, since behind a company's proxy no agent works without them; a proxy with a password in it only when it is
named in `pass_env`.
"""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.errors import BadName
from agor_jupyter.executors.devices import GPU_ENV
from agor_jupyter.processes.table import MARK

_ALLOWED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TERM|COLORTERM|TZ|TMPDIR|XDG_[A-Z_]+"
    r"|SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE"
)
_PROXY = re.compile(r"(?:https?|all|no)_proxy", re.IGNORECASE)
_INSTALLER = re.compile(
    r"(?:https?|all|no)_proxy|npm_config_(?!node_options$|script_shell$|ignore_scripts$).+|npm_token|node_auth_token"
    r"|pip_.+|uv_(?:default_index|index|index_url|extra_index_url|native_tls|cache_dir|find_links|offline|no_index|index_.+)|netrc",
    re.IGNORECASE,
)
_NEVER = re.compile(r"(?:JUPYTER|JPY_|HUB_|LD_|DYLD_|PYTHON|GIT_|AGOR_).*|NODE_OPTIONS|BASH_ENV|ENV|IFS|SHELLOPTS|BASHOPTS|BASH_FUNC_.*")
"""What no configuration can hand to an agent: the server's own tokens, and what makes another program load code."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")


def check_name(name: str) -> None:
    """Refuse a variable that may never be passed on. Raises `BadName`."""
    if not _NAME.fullmatch(name):
        raise BadName("The environment variable", name, "a name is letters, digits and underscores")
    if _NEVER.fullmatch(name.upper()):
        raise BadName("The environment variable", name, "it is reserved for the server, or makes other programs load code")


def is_allowed_name(name: str) -> bool:
    """Whether an agent may be given a variable of this name."""
    return bool(_NAME.fullmatch(name)) and not _NEVER.fullmatch(name.upper()) and name.upper() != "PATH"


def check_variables(variables: Mapping[str, str]) -> None:
    """Refuse what a person may not set for an agent. Raises `BadName`."""
    for name, value in variables.items():
        check_name(name)
        if name.upper() == "PATH":
            raise BadName("The environment variable", name, "it decides which programs run; set the agent's command to a full path instead")
        if "\0" in value:
            raise BadName("The environment variable", name, "its value has a NUL character")


def build(
    agent: AgentType,
    run_id: str,
    *,
    pass_env: Iterable[str] = (),
    variables: Mapping[str, str] | None = None,
    source: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The whole environment of one run.

    `pass_env` are the administrator's further names, `variables` what people set for this session, `source` the server's own
    environment (default `os.environ`). Raises `BadName` for a name that may not be passed.
    """
    source = os.environ if source is None else source
    named = {*agent.pass_env, *pass_env, *GPU_ENV}
    for name in named:
        check_name(name)
    env = {name: value for name, value in source.items() if name in named or _is_allowed(name, value)}
    for given in (variables or {}, agent.env):  # a person's variable does not change how the agent asks
        check_variables(given)
        env.update(given)
    env["PATH"] = os.pathsep.join([_with_own_tools(env.get("PATH", os.defpath)), *agent.path])
    env[MARK] = run_id
    return env


def for_service(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a service of a worktree knows of the server's environment: no more than an agent. Python writes its output at once."""
    source = os.environ if source is None else source
    env = {name: value for name, value in source.items() if _is_allowed(name, value)}
    return {**env, "PATH": _with_own_tools(env.get("PATH", os.defpath)), "PYTHONUNBUFFERED": "1"}


def for_installer(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """What `pip` and `npm` may know: as an agent, and how this machine reaches its registries. They run no code of a package."""
    source = os.environ if source is None else source
    return {name: value for name, value in source.items() if _ALLOWED.fullmatch(name) or _INSTALLER.fullmatch(name)}


def for_sender(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """What may be known that sends messages: as an agent, and the proxy of this machine."""
    source = os.environ if source is None else source
    return {name: value for name, value in source.items() if _ALLOWED.fullmatch(name) or _PROXY.fullmatch(name)}


def _is_allowed(name: str, value: str) -> bool:
    return bool(_ALLOWED.fullmatch(name)) or (bool(_PROXY.fullmatch(name)) and "@" not in value)


def _with_own_tools(path: str) -> str:
    own = str(Path(sys.executable).parent)
    return path if own in path.split(os.pathsep) else f"{path}{os.pathsep}{own}"
