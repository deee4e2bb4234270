"""Board templates: files of zones and notes to begin a board with. Ready ones lie in `templates/`, others are exported boards."""

import functools
from collections.abc import Callable, Mapping
from importlib import resources

from agor_jupyter.documents import boards
from agor_jupyter.documents.boards import Json, View
from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import BoardMeta, BoardObject, BoardTemplate, Zone
from agor_jupyter.domain.ids import ObjectId

_FOLDER = resources.files("agor_jupyter.documents") / "templates"
_SUFFIX = ".agor"
_REFERENCES = ("next", "onFailure")
MAX_OBJECTS = 500


@functools.cache
def ready() -> dict[str, BoardTemplate]:
    """The ready ones by name, in the order of their titles."""
    names = [one.name.removesuffix(_SUFFIX) for one in _FOLDER.iterdir() if one.name.endswith(_SUFFIX)]
    found = [_describe(name, view_of(text_of(name))) for name in names]
    return {one.name: one for one in sorted(found, key=lambda one: one.title)}


def text_of(name: str) -> str:
    """The file of a ready one.

    Errors:
        BadRequest: there is none of this name.
    """
    path = _FOLDER / f"{name}{_SUFFIX}"
    if not name.replace("-", "").isalnum() or not path.is_file():
        known = ", ".join(sorted(one.name.removesuffix(_SUFFIX) for one in _FOLDER.iterdir() if one.name.endswith(_SUFFIX)))
        raise errors.BadRequest([f"template: there is no board template {name[:80]!r}. There are: {known}"])
    return path.read_text(encoding="utf-8")


def view_of(text: str) -> View:
    """Errors:
    BadRequest: it is not a board's file, or something in it cannot be used; nothing of it is taken then.
    """
    try:
        meta, objects = boards.parse(text)
    except boards.Unreadable as error:
        raise errors.BadRequest([f"text: the template cannot be read: {error}"]) from error
    view = boards.view(meta, boards.texts_of(objects))
    if view.problems:
        raise errors.BadRequest([f"text: {problem.object_id or 'meta'}: {problem.text}" for problem in view.problems[:5]])
    kept: dict[ObjectId, BoardObject] = {key: shown for key, shown in view.objects.items() if shown.kind != "card"}
    if len(kept) > MAX_OBJECTS:
        raise errors.BadRequest([f"text: a template has at most {MAX_OBJECTS} zones and notes, this one has {len(kept)}"])
    return View(view.meta, kept, [])


def placed(view: View, ids: Callable[[int], str], left: float, top: float) -> Json:
    """The template's objects as they are added to a board: with ids of their own, which their zones name, and moved as a whole.

    Args:
        view: what `view_of` gave.
        ids: the id of each, by its number.
        left: where the leftmost begins, in board units.
        top: where the topmost begins.

    """
    if not view.objects:
        return {}
    new = {key: ids(number) for number, key in enumerate(view.objects)}
    by_x = left - min(one.x for one in view.objects.values())
    by_y = top - min(one.y for one in view.objects.values())
    found: Json = {}
    for key, shown in view.objects.items():
        fields = plain(shown)
        fields["x"], fields["y"] = round(fields["x"] + by_x), round(fields["y"] + by_y)
        policy = fields.get("policy")
        if policy is not None:
            for name in _REFERENCES:
                if name in policy:
                    policy[name] = new.get(policy[name])
                    if policy[name] is None:
                        del policy[name]
        found[new[key]] = fields
    return found


def export(meta: BoardMeta, objects: Mapping[ObjectId, BoardObject]) -> str:
    """The zones and notes of a board as a template's file, without cards."""
    kept: Json = {str(key): plain(shown) for key, shown in objects.items() if shown.kind != "card"}
    return boards.write({name: value for name, value in meta.model_dump(mode="json").items() if value}, kept)


def plain(shown: BoardObject) -> Json:
    """An object as it is kept in a file: of a policy only what is not the default."""
    fields: Json = boards.normalise(shown.model_dump(mode="json"))
    if isinstance(shown, Zone):
        fields.pop("policy", None)
        if shown.policy is not None:
            fields["policy"] = shown.policy.model_dump(mode="json", exclude_defaults=True)
    return fields


def _describe(name: str, view: View) -> BoardTemplate:
    zones = sorted((one for one in view.objects.values() if isinstance(one, Zone)), key=lambda one: (one.x, one.y))
    return BoardTemplate(name=name, title=view.meta.title, description=view.meta.description, zones=[one.name for one in zones])
