"""Reads what an agent lets a person choose, whatever it says, and which request sets which.

Pure. Agents advertise in three ways: `configOptions`, and the older `modes` and `models`. Here all are options; what is a model or a mode
has that id, however it is set. What cannot be read is left out: an option that is not understood cannot be chosen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast, get_args

from agor_jupyter.domain.options import MODE, MODEL, OptionChoice, SessionOption

Message = Mapping[str, Any]
"""An object of the protocol. `Any`: nothing in it can be trusted to have its type."""

MAX_OPTIONS = 30
MAX_CHOICES = 200
_MAX_ID = 200
_MAX_NAME = 100
_MAX_DESCRIPTION = 300
_SWITCH = {"true": True, "false": False}
_Category = Literal["model", "mode", "thought_level", "other"]
_CATEGORIES = get_args(_Category)
_Way = Literal["config", "switch", "mode", "model"]


@dataclass(frozen=True, kw_only=True)
class _Setter:
    way: _Way
    own_id: str
    """What the agent calls the option."""


@dataclass(frozen=True)
class Offer:
    """What an agent offers in one conversation, and the values it has there."""

    options: tuple[SessionOption, ...] = ()
    setters: Mapping[str, _Setter] = field(default_factory=dict)

    def get(self, option_id: str) -> SessionOption | None:
        return next((option for option in self.options if option.id == option_id), None)

    def request(self, session_id: str, option_id: str, value: str) -> tuple[str, dict[str, Any]]:
        """The method and the parameters that set it. A mode can be set though none was advertised; older agents do not tell."""
        setter = self.setters.get(option_id) or _Setter(way="model" if option_id == MODEL else "mode", own_id=option_id)
        match setter.way:
            case "mode":
                return "session/set_mode", {"sessionId": session_id, "modeId": value}
            case "model":
                return "session/set_model", {"sessionId": session_id, "modelId": value}
            case "switch":
                chosen: object = _SWITCH.get(value, value)
                return _CONFIG, {"sessionId": session_id, "configId": setter.own_id, "type": "boolean", "value": chosen}
            case "config":
                return _CONFIG, {"sessionId": session_id, "configId": setter.own_id, "value": value}

    def after(self, option_id: str, value: str, answer: Message) -> "Offer":
        """Once a request was answered: what the answer says, else the value that was asked for."""
        told = self.told(answer)
        return told if told is not self else self.having(option_id, value)

    def having(self, option_id: str, value: str) -> "Offer":
        """With this value, if there is such an option."""
        options = tuple(option.replace(value=value) if option.id == option_id else option for option in self.options)
        return self if options == self.options else replace(self, options=options)

    def told(self, message: Message) -> "Offer":
        """After an update or an answer with `configOptions`, which is always the whole list, or with `currentModeId`."""
        if isinstance(message.get("configOptions"), list):
            older = {option.id: option for option in self.options if self.setters[option.id].way in ("mode", "model")}
            fresh = _read_config(message)
            kept = tuple(option for option in older.values() if fresh.get(option.id) is None)
            return Offer((*fresh.options, *kept), {**{one.id: self.setters[one.id] for one in kept}, **fresh.setters})
        mode = message.get("currentModeId")
        return self.having(MODE, mode[:_MAX_ID]) if isinstance(mode, str) else self


_CONFIG = "session/set_config_option"


def read(answer: Message) -> Offer:
    """What the answer that opened a conversation advertises. `configOptions` win over what the older ways say of the same."""
    offer = _read_config(answer)
    for option_id, many, current, one in (
        (MODE, "modes", "currentModeId", ("availableModes", "id")),
        (MODEL, "models", "currentModelId", ("availableModels", "modelId")),
    ):
        told = answer.get(many)
        if offer.get(option_id) is None and isinstance(told, dict) and (option := _older(option_id, told, current, one)):
            way: _Way = "mode" if option_id == MODE else "model"
            offer = Offer((*offer.options, option), {**offer.setters, option_id: _Setter(way=way, own_id=option_id)})
    return offer


def in_order(chosen: Iterable[str]) -> list[str]:
    """As they are set: the model first, since others depend on it, the mode last."""
    return sorted(chosen, key=lambda one: (one == MODE, one != MODEL, one))


def brief(options: tuple[SessionOption, ...]) -> list[SessionOption]:
    """Without the descriptions: a session's record is sent at each of its changes."""
    return [option.replace(description=None, choices=[choice.replace(description=None) for choice in option.choices]) for option in options]


def _read_config(answer: Message) -> Offer:
    listed = answer.get("configOptions")
    options: dict[str, SessionOption] = {}
    setters: dict[str, _Setter] = {}
    for item in listed[:MAX_OPTIONS] if isinstance(listed, list) else []:
        if not isinstance(item, dict) or (option := _config_option(item)) is None:
            continue
        own_id = option.id
        if option.category in (MODEL, MODE) and option.category not in options:
            option = option.replace(id=option.category)
        if option.id not in options:
            options[option.id] = option
            setters[option.id] = _Setter(way="switch" if item.get("type") == "boolean" else "config", own_id=own_id)
    return Offer(tuple(options.values()), setters)


def _config_option(item: Message) -> SessionOption | None:
    own_id, name, current = item.get("id"), item.get("name"), item.get("currentValue")
    if not isinstance(own_id, str) or not 0 < len(own_id) <= _MAX_ID:
        return None
    if item.get("type") == "boolean" and isinstance(current, bool):
        value = "true" if current else "false"
        choices = [OptionChoice(id="true", name="On"), OptionChoice(id="false", name="Off")]
    elif item.get("type", "select") == "select" and isinstance(current, str):
        value, choices = current[:_MAX_ID], _choices(item.get("options"), "value")
    else:
        return None
    category = item.get("category")
    return SessionOption(
        id=own_id,
        name=_short(name, _MAX_NAME) or own_id[:_MAX_NAME],
        description=_short(item.get("description"), _MAX_DESCRIPTION),
        category=cast("_Category", category) if category in _CATEGORIES else "other",  # one of _CATEGORIES, which is all there are
        value=value,
        choices=choices,
    )


def _older(option_id: str, told: Message, current: str, one: tuple[str, str]) -> SessionOption | None:
    value, (many, key) = told.get(current), one
    choices = _choices(told.get(many), key)
    if not choices:
        return None
    return SessionOption(
        id=option_id,
        name=option_id.capitalize(),
        category=cast("_Category", option_id),  # model or mode
        value=value[:_MAX_ID] if isinstance(value, str) else "",
        choices=choices,
    )


def _choices(listed: object, key: str) -> list[OptionChoice]:
    """Also those that are given in groups."""
    found: dict[str, OptionChoice] = {}
    for item in listed[:MAX_CHOICES] if isinstance(listed, list) else []:
        if not isinstance(item, dict):
            continue
        inner = item.get("options")
        for one in inner[:MAX_CHOICES] if isinstance(inner, list) else [item]:
            if isinstance(one, dict) and len(found) < MAX_CHOICES and (choice := _choice(one, key)):
                found.setdefault(choice.id, choice)
    return list(found.values())


def _choice(item: Message, key: str) -> OptionChoice | None:
    choice_id = item.get(key)
    if not isinstance(choice_id, str) or not 0 < len(choice_id) <= _MAX_ID:
        return None
    name = _short(item.get("name"), _MAX_NAME) or choice_id[:_MAX_NAME]
    return OptionChoice(id=choice_id, name=name, description=_short(item.get("description"), _MAX_DESCRIPTION))


def _short(value: object, limit: int) -> str | None:
    return value[:limit] if isinstance(value, str) and value else None
