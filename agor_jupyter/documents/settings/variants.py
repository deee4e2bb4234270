"""The `environment` section of `.agor.yml`: its variants, what each extends, and the plan that one of them is.

The section itself is the variant `default`, unless it has nothing but `variants`.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from agor_jupyter.documents.settings import fields, imported
from agor_jupyter.documents.settings.fields import at, check, mapping, written
from agor_jupyter.documents.settings.marked import Marked, Path
from agor_jupyter.domain.environments import Plan, ServiceSpec
from agor_jupyter.domain.errors import BadSettings

FILE = ".agor.yml"
DEFAULT = "default"
_AT: Path = ("environment",)
_MAX_VARIANTS = 50


def plan(marked: Marked, variant: str | None = None) -> Plan | None:
    """The variant of this name. `None`: the one that is called `default`, else the first. No plan: the file has no such section.

    Errors:
        BadSettings: it cannot be used, or has no such variant.
    """
    section = marked.value.get("environment") if isinstance(marked.value, dict) else None
    if section is None:
        return None
    section = mapping(marked, FILE, section, _AT)
    left_out: list[str] = []
    if imported.is_earlier(marked.value, section):
        variants, left_out = imported.variants(FILE, section, variant)
        places = dict.fromkeys(variants, _AT)
    else:
        variants, places = _variants(marked, section)
    names = list(variants)
    chosen = variant if variant is not None and variant in variants else None
    if variant not in {None, DEFAULT} and chosen is None:
        raise BadSettings(FILE, f"its environment has no variant {str(variant)[:80]!r}; {fields.nearest(str(variant), names)}")
    chosen = chosen or (DEFAULT if DEFAULT in variants else names[0])
    chain = _chain(marked, variants, places, chosen)
    merged: dict[str, Any] = {}
    for name in reversed(chain):
        merged = _merge(merged, variants[name])
    merged.pop("extends", None)
    return make(marked, merged, [places[name] for name in chain], variant=chosen, variants=names, left_out=left_out)


def _variants(marked: Marked, section: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, Path]]:
    """All of them, and where each lies in the file."""
    own = {name: value for name, value in section.items() if name != "variants"}
    check(marked, FILE, own, _AT, [*(name for name in fields.SECTION if name != "extends"), "variants"])
    found: dict[str, dict[str, Any]] = {}
    places: dict[str, Path] = {}
    more = section.get("variants")
    more = {} if more is None else mapping(marked, FILE, more, (*_AT, "variants"))
    if own or not more:
        found[DEFAULT], places[DEFAULT] = own, _AT
    for name, value in more.items():
        path = (*_AT, "variants", name)
        if name in found:
            what = f"the section itself is the variant {name!r}, so {written(path)} must have another name"
            raise BadSettings(FILE, f"{what}{at(marked, path)}")
        found[name], places[name] = {} if value is None else mapping(marked, FILE, value, path), path
        check(marked, FILE, found[name], path, fields.SECTION)
    if len(found) > _MAX_VARIANTS:
        raise BadSettings(FILE, f"it has more than {_MAX_VARIANTS} variants")
    return found, places


def _chain(marked: Marked, variants: dict[str, dict[str, Any]], places: dict[str, Path], name: str) -> list[str]:
    """The variant, what it extends, what that extends, and so on."""
    chain = [name]
    while (following := variants[chain[-1]].get("extends")) is not None:
        where = at(marked, (*places[chain[-1]], "extends"))
        if not isinstance(following, str) or following not in variants:
            hint = fields.nearest(str(following), variants)
            raise BadSettings(FILE, f"the variant {chain[-1][:80]!r} extends {str(following)[:80]!r}, which is not there{where}; {hint}")
        if following in chain:
            circle = " → ".join([*chain[chain.index(following) :], following])
            raise BadSettings(FILE, f"variants extend each other in a circle: {circle[:400]}{where}")
        chain.append(following)
    return chain


def _merge(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """What is by name is merged by name, a field that is said counts, and `null` for something by name takes it out."""
    merged = dict(base)
    for name, value in own.items():
        before = merged.get(name)
        if name in fields.BY_NAME and isinstance(value, dict):
            merged[name] = _merge_named(before if isinstance(before, dict) else {}, value)
        elif name in {"env", "kernel"} and isinstance(value, dict) and isinstance(before, dict):
            merged[name] = {**before, **value}
        else:
            merged[name] = value
    return merged


def _merge_named(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in own.items():
        before = merged.get(name)
        if value is None:
            merged.pop(name, None)
        elif isinstance(before, dict) and isinstance(value, dict):
            both = {**before, **value}
            for inner in ("env", "ready"):
                if isinstance(before.get(inner), dict) and isinstance(value.get(inner), dict):
                    both[inner] = {**before[inner], **value[inner]}
            merged[name] = both
        else:
            merged[name] = value
    return merged


def make(
    marked: Marked,
    merged: dict[str, Any],
    places: Sequence[Path] = (_AT,),
    *,
    variant: str = DEFAULT,
    variants: Sequence[str] = (DEFAULT,),
    left_out: Sequence[str] = (),
) -> Plan:
    """Errors:
    BadSettings.
    """
    given = {name: value for name, value in merged.items() if value is not None}
    for name in fields.LINES:
        if isinstance(given.get(name), str):
            given[name] = [given[name]]
    for name in fields.BY_NAME:
        given[name] = [{"name": key, **value} for key, value in given.get(name, {}).items() if value is not None]
    keys = {name: [each["name"] for each in given[name]] for name in fields.BY_NAME}
    try:
        made = Plan.model_validate({**given, "variant": variant, "variants": list(variants), "left_out": list(left_out)[:100]}, strict=True)
    except ValidationError as error:
        raise BadSettings(FILE, _explain(marked, places, keys, error)) from None
    services = _checked(made)
    return made.replace(services=services)


def _explain(marked: Marked, places: Sequence[Path], keys: dict[str, list[str]], error: ValidationError) -> str:
    said = []
    for problem in error.errors(include_url=False, include_context=False):
        location = list(problem["loc"])
        if len(location) > 1 and location[0] in keys and isinstance(location[1], int):
            location[1] = keys[str(location[0])][location[1]]
        path = tuple(location)
        line = _line(marked, places, path)
        what = "it is missing" if problem["type"] == "missing" else problem["msg"]
        if problem["type"] == "string_type" and isinstance(problem["input"], int | float):
            what += "; put it in quotes"
        said.append(f"{written((*_AT, *path))}: {what}{f' (line {line})' if line else ''}")
    return "; ".join(dict.fromkeys(said[:5]))


def _line(marked: Marked, places: Sequence[Path], path: Path) -> int | None:
    """Of what lies there in the last variant that says it, else of what is around it."""
    for end in range(len(path), 0, -1):
        for place in places:
            if (line := marked.lines.get((*place, *path[:end]))) is not None:
                return line
    return None


def _checked(plan: Plan) -> list[ServiceSpec]:
    """In an order that each service comes after those it depends on."""
    by_name = {service.name: service for service in plan.services}
    owners: dict[str, str] = {}
    for service in plan.services:
        _check_service(service, by_name, owners)
    for link in plan.links:
        if link.port not in owners:
            what = f"the link {link.name!r} names the port {link.port!r}, which no service has"
            raise BadSettings(FILE, f"{what}; {fields.nearest(link.port, owners)}")
    if plan.kernel is not None and plan.kernel.requirements is not None:
        _below("kernel: requirements", plan.kernel.requirements)
    for item in plan.data:
        if item.path is not None:
            _below(f"the data {item.name!r}: path", item.path)
        if item.kind == "postgresql" and item.connection is None:
            raise BadSettings(FILE, f"the data {item.name!r} needs `connection`: the name of the variable with the server's address")
    return _ordered(by_name)


def _check_service(service: ServiceSpec, by_name: dict[str, ServiceSpec], owners: dict[str, str]) -> None:
    where = f"the service {service.name!r}"
    for port in service.ports:
        if port in owners:
            whose = "twice" if owners[port] == service.name else f"too, as {owners[port]!r} does"
            raise BadSettings(FILE, f"{where} names the port {port!r} {whose}; a port belongs to one service")
        owners[port] = service.name
    for other in service.depends_on:
        if other not in by_name:
            raise BadSettings(FILE, f"{where} depends on {other!r}, which is no service; {fields.nearest(other, by_name)}")
    if service.ready.port is not None and service.ready.port not in service.ports:
        raise BadSettings(FILE, f"{where} is to be ready at the port {service.ready.port!r}, which is none of its ports")
    if service.ready.http is not None and not service.ports:
        raise BadSettings(FILE, f"{where} is to be ready by HTTP and has no port; write `ports: [web]`")
    _below(f"{where}: cwd", service.cwd)


def _ordered(by_name: dict[str, ServiceSpec]) -> list[ServiceSpec]:
    ordered: dict[str, ServiceSpec] = {}
    while len(ordered) < len(by_name):
        free = [one for one in by_name.values() if one.name not in ordered and all(other in ordered for other in one.depends_on)]
        if not free:
            raise BadSettings(FILE, f"services depend on each other in a circle: {_circle(by_name, ordered)}")
        ordered |= {one.name: one for one in free}
    return list(ordered.values())


def _circle(by_name: dict[str, ServiceSpec], ordered: dict[str, ServiceSpec]) -> str:
    trail = [next(name for name in by_name if name not in ordered)]
    while True:
        following = next(other for other in by_name[trail[-1]].depends_on if other not in ordered)
        if following in trail:
            return " → ".join([*trail[trail.index(following) :], following])
        trail.append(following)


def _below(what: str, path: str) -> None:
    if path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise BadSettings(FILE, f"{what} {path[:80]!r} is not below the worktree")
