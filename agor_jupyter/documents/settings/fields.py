"""The fields of the `environment` section, from the records that it becomes. What is a list of named things there is by name here."""

import difflib
from collections.abc import Iterable
from typing import Any

from agor_jupyter.documents.settings.marked import Marked, Path
from agor_jupyter.domain.environments import DataSpec, KernelSpec, LinkSpec, Plan, Ready, ServiceSpec
from agor_jupyter.domain.errors import BadSettings
from agor_jupyter.domain.records import Record

BY_NAME: dict[str, type[Record]] = {"services": ServiceSpec, "links": LinkSpec, "data": DataSpec}
"""Maps from a name to the rest of the record."""
RECORDS: dict[str, type[Record]] = {"kernel": KernelSpec}
INNER: dict[type[Record], dict[str, type[Record]]] = {ServiceSpec: {"ready": Ready}}
LINES = ("setup", "stop", "reset")
"""One line of shell, or several."""
SECTION = ("extends", *LINES, "services", "links", "kernel", "data", "env")
"""Of a variant. The section itself has `variants` too, and extends nothing."""
PLAN_FIELDS = Plan.model_fields


def named(record: type[Record]) -> list[str]:
    return [name for name in record.model_fields if name != "name"]


def nearest(name: str, known: Iterable[str]) -> str:
    """What to write instead."""
    known = list(known)
    close = difflib.get_close_matches(name, known, 1, 0.6)
    return f"did you mean {close[0]!r}?" if close else f"known names are: {', '.join(known)}"


def check(marked: Marked, file: str, section: dict[str, Any], path: Path, known: Iterable[str]) -> None:
    """That all that one variant names is known, wherever it is."""
    refuse_unknown(marked, file, section, path, known)
    for field, record in {**BY_NAME, **RECORDS}.items():
        value = section.get(field)
        if value is None:
            continue
        inside = {(): value} if field in RECORDS else {(name,): each for name, each in mapping(marked, file, value, (*path, field)).items()}
        for where, each in inside.items():
            if each is not None:
                _check_record(marked, file, each, (*path, field, *where), record)
    if section.get("env") is not None:
        mapping(marked, file, section["env"], (*path, "env"))


def _check_record(marked: Marked, file: str, value: Any, path: Path, record: type[Record]) -> None:  # what YAML can say
    fields = mapping(marked, file, value, path)
    refuse_unknown(marked, file, fields, path, named(record) if "name" in record.model_fields else record.model_fields)
    for name, inner in INNER.get(record, {}).items():
        if fields.get(name) is not None:
            _check_record(marked, file, fields[name], (*path, name), inner)
    if fields.get("env") is not None:
        mapping(marked, file, fields["env"], (*path, "env"))


def refuse_unknown(marked: Marked, file: str, found: dict[str, Any], path: Path, known: Iterable[str]) -> None:
    known = list(known)
    for name in found:
        if name not in known:
            raise BadSettings(file, f"{written((*path, name))} is not known{at(marked, (*path, name))}; {nearest(name, known)}")


def mapping(marked: Marked, file: str, value: Any, path: Path) -> dict[str, Any]:  # what YAML can say
    if not isinstance(value, dict):
        raise BadSettings(file, f"{written(path)} must have names below it{at(marked, path)}")
    return value


def at(marked: Marked, path: Path) -> str:
    line = marked.line(path)
    return f" (line {line})" if line else ""


def written(path: Path) -> str:
    """`environment.services.web`, of hostile names the beginning."""
    return repr(".".join(str(part)[:80] for part in path)[:400])
