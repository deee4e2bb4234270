"""`pyproject.toml` and `uv.lock`: what they need, as a file that names packages only, so that nothing of a worktree is built."""

import json
import posixpath
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_NAME = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[([^\]]*)\])?")
_WRITTEN = re.compile(r"[-_.]+")
_SETTINGS = """
index index-url extra-index-url no-index index-strategy keyring-provider find-links exclude-newer exclude-newer-package prerelease
resolution override-dependencies constraint-dependencies build-constraint-dependencies no-build no-build-package no-binary
no-binary-package required-version config-settings no-build-isolation-package
"""
_OF_INDEXES = frozenset(_SETTINGS.split())
"""What of `tool.uv` counts where packages are installed by their names."""


@dataclass(kw_only=True)
class Project:
    """`text` is a `pyproject.toml` with its packages and its settings of uv alone. `None`: the file says no packages.

    `folders` are those of the worktree that it takes packages from, below the worktree; `files` are requirement files that it names
    instead.
    """

    text: str | None = None
    requires_python: str | None = None
    folders: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    """Names of members of a workspace that it needs."""
    problem: str | None = None
    """Why its packages cannot be read, with what to do."""


def read(text: str, folder: str = ".", extras: tuple[str, ...] = ()) -> Project:
    """Raises `ValueError`: it is no TOML, or leads out of the worktree."""
    found = _table(tomllib.loads(text))
    project, tool = _table(found.get("project")), _table(found.get("tool"))
    dynamic = project.get("dynamic") or []
    read = Project(requires_python=_text(project.get("requires-python")))
    if "dependencies" in dynamic:
        setuptools = _table(_table(_table(tool.get("setuptools")).get("dynamic")).get("dependencies"))
        files = setuptools.get("file")
        names = [files] if isinstance(files, str) else _texts(files)
        read.files = [_beneath(folder, name) for name in names]
        if not names:
            read.problem = "its dependencies are dynamic, so that only code of the repository knows them. Write uv.lock with: uv lock"
        return read
    needed = _texts(project.get("dependencies"))
    if not needed and not extras:
        if "dependencies" in _table(tool.get("poetry")):
            read.problem = "its dependencies are written for Poetry. Write a requirements.txt with: poetry export -o requirements.txt"
        return read
    needed += _extra(project, extras)
    uv = _table(tool.get("uv"))
    sources = {_normal(name): source for name, source in _table(uv.get("sources")).items()}
    local = set[str]()
    for name, source in sources.items():
        for one in source if isinstance(source, list) else [source]:
            if isinstance(path := _table(one).get("path"), str):
                read.folders.append(_beneath(folder, path))
                local.add(name)
            elif _table(one).get("workspace"):
                read.members.append(name)
                local.add(name)
    kept = [one for one in needed if _named(one) not in local]
    others = {name: source for name, source in sources.items() if name not in local}
    read.text = _written(_text(project.get("name")) or "worktree", read.requires_python, kept, uv, others)
    return read


def locals_of(lock: str) -> tuple[list[str], list[str]]:
    """The folders that a `uv.lock` takes packages from, and the archives, below its own folder.

    Raises `ValueError`: it is no TOML, or leads elsewhere.
    """
    folders, archives = list[str](), list[str]()
    for package in tomllib.loads(lock).get("package", []):
        source = _table(_table(package).get("source"))
        for kind, into in (("editable", folders), ("directory", folders), ("virtual", folders), ("path", archives)):
            if isinstance(path := source.get(kind), str):
                into.append(_beneath(".", path))
    return sorted(set(folders)), sorted(set(archives))


def requires_python(lock: str) -> str | None:
    """What a `uv.lock` asks of Python. Raises `ValueError`: it is no TOML."""
    return _text(tomllib.loads(lock).get("requires-python"))


def has_settings(text: str) -> bool:
    """Whether it has settings of uv. Raises `ValueError`: it is no TOML."""
    return "uv" in _table(tomllib.loads(text).get("tool"))


def _written(name: str, python: str | None, needed: list[str], uv: Mapping[str, Any], sources: Mapping[str, Any]) -> str:
    settings = {key: value for key, value in uv.items() if key in _OF_INDEXES}
    project: dict[str, Any] = {"name": name, "version": "0", "dependencies": needed}
    if python is not None:
        project["requires-python"] = python
    lines = ["[project]", *(f"{_toml(key)} = {_toml(value)}" for key, value in project.items()), "[tool.uv]"]
    lines += [f"{_toml(key)} = {_toml(value)}" for key, value in ({**settings, "sources": sources} if sources else settings).items()]
    return "\n".join([*lines, ""])


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str | bool | int | float):
        return json.dumps(value).replace("\x7f", "\\u007f")
    return json.dumps(str(value))


def _extra(project: Mapping[str, Any], extras: tuple[str, ...]) -> list[str]:
    """What these extras need; one may name others of its own project."""
    own, found, open_, seen = _normal(_text(project.get("name")) or ""), list[str](), list(extras), set[str]()
    optional = {_normal(name): value for name, value in _table(project.get("optional-dependencies")).items()}
    while open_:
        extra = _normal(open_.pop())
        if extra in seen:
            continue
        seen.add(extra)
        for one in _texts(optional.get(extra)):
            parts = _NAME.match(one)
            if parts is not None and _normal(parts[1]) == own:
                open_ += [name.strip() for name in (parts[2] or "").split(",") if name.strip()]
            else:
                found.append(one)
    return found


def _named(requirement: str) -> str:
    name = _NAME.match(requirement)
    return _normal(name[1]) if name is not None else ""


def _normal(name: str) -> str:
    return _WRITTEN.sub("-", name).lower()


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _beneath(folder: str, path: str) -> str:
    whole = posixpath.normpath(posixpath.join(folder, path))
    if posixpath.isabs(whole) or whole == ".." or whole.startswith("../"):
        raise ValueError(f"“{path[:120]}” leads out of the worktree")
    return whole
