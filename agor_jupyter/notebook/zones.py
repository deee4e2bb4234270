"""A zone of a board, from a cell: its policy, cards that are brought to it, and its firings."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from agor_jupyter.domain.boards import BoardEntry
from agor_jupyter.domain.boards import Zone as ZoneRecord
from agor_jupyter.domain.errors import BadRequest
from agor_jupyter.domain.zones import Gate, ZoneChange, ZoneDrop, ZoneDropped, ZonePolicy, ZonePreview
from agor_jupyter.notebook import gates
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.firings import Firing, listed
from agor_jupyter.notebook.handles import Handles, checked
from agor_jupyter.notebook.link import Link
from agor_jupyter.notebook.sessions import Session

if TYPE_CHECKING:  # they use each other
    from agor_jupyter.notebook.worktrees import Worktree

GateLike: TypeAlias = "str | Gate | Callable[[Worktree], object]"
"""A line of shell; the path of a notebook in the worktree, which ends with `.ipynb`; a function that gets the worktree; or the record."""

UNSAID: Any = object()
"""Not given, so it stays as it is. `Any`, so that an argument keeps its own type."""


class Zone:
    """A named rectangle of a board. With a policy, a card that arrives starts something."""

    def __init__(self, link: Link, board: str, zone_id: str, record: ZoneRecord) -> None:
        self._link, self.board, self.id, self.record = link, board, zone_id, record

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def x(self) -> float:
        return self.record.x

    @property
    def y(self) -> float:
        return self.record.y

    @property
    def width(self) -> float:
        return self.record.width

    @property
    def height(self) -> float:
        return self.record.height

    @property
    def color(self) -> str:
        return self.record.color

    @property
    def policy(self) -> ZonePolicy | None:
        """What happens to a card that arrives. `None`: it only holds cards."""
        return self.record.policy

    @property
    def firings(self) -> Handles[Firing]:
        """Its history: one for each card that arrived and started something, newest first."""
        return listed(self._link, board=self.board, zone=self.id)

    def drop(
        self,
        worktree: "Worktree",
        *,
        run: bool = True,
        prompt: str | None = None,
        session: Session | None = None,
        agent: str | None = None,
        via: Literal["cell", "shell"] = "cell",
    ) -> Firing | None:
        """Bring a worktree's card here, exactly as dragging it does.

        A card that is here already stays, and nothing starts a second time: you get the firing of its arrival.

        Args:
            run: `False` moves the card and starts nothing.
            prompt: in place of the zone's template, sent as it is.
            session: whom the prompt goes to, where the zone asks.
            agent: who runs it, where the zone asks.
            via: how the record says that the card came.

        Returns:
            What the arrival started; `None` if this zone starts nothing, or with `run=False`.

        Raises:
            BadTemplate: the prompt names something that does not exist; with the line and the nearest name. The card stays where it was.

        """
        with checked():
            body = ZoneDrop.model_validate(
                {
                    "zone_id": self.id,
                    "run": run,
                    "via": via,
                    "prompt": prompt,
                    "session_id": session.record.id if session is not None else None,
                    "agent": agent,
                }
            )
        dropped = ZoneDropped.model_validate(self._link.put(f"worktrees/{worktree.record.id}/zone", body))
        worktree.refresh()
        return None if dropped.firing is None else Firing(self._link, dropped.firing)

    def preview(self, worktree: "Worktree") -> ZonePreview:
        """What dropping this worktree here would do now, with the rendered prompt. Nothing is changed."""
        body = ZoneDrop.model_validate({"zone_id": self.id, "via": "cell"})
        return ZonePreview.model_validate(self._link.post(f"worktrees/{worktree.record.id}/zone/preview", body))

    def change(self, *, name: str | None = None, color: str | None = None, allow: bool = False, **policy: Any) -> "Zone":
        """Change its name, its color, or parts of its policy, named as the arguments of `board.zone`.

        What is not given stays. `policy=None` leaves a place that only holds cards.
        """
        with checked():
            asked: dict[str, object] = {key: value for key, value in (("name", name), ("color", color)) if value is not None}
            if "policy" in policy:
                asked["policy"] = policy.pop("policy")
            if policy:
                asked["policy"] = self._policy(policy)
            body = ZoneChange.model_validate({**asked, "allow": allow} if allow else asked)
        entry = BoardEntry.model_validate(self._link.patch(f"board/zones/{self.id}", body, path=self.board))
        assert isinstance(entry.object, ZoneRecord)
        self.record = entry.object
        return self

    def pause(self) -> "Zone":
        """Let cards that arrive wait. What runs goes on."""
        return self.change(paused=True)

    def resume(self) -> "Zone":
        """Start what waits, in the order of arrival."""
        return self.change(paused=False)

    def _policy(self, parts: dict[str, Any]) -> ZonePolicy:
        kept = self.record.policy or ZonePolicy()
        return kept.replace(**fields(self._link, self.board, self.id, parts, kept))

    def __repr__(self) -> str:
        policy = self.record.policy
        return views.visible(f"Zone {self.name!r}" + (f": {in_words(policy)}" if policy is not None else ""))

    def _repr_html_(self) -> str:
        policy = self.record.policy
        facts = [] if policy is None else [("on drop", in_words(policy))]
        return views.card("Zone", self.name, "paused" if policy is not None and policy.is_paused else None, facts)


_FIELDS = {
    "prompt": "prompt",
    "agent": "agent",
    "options": "options",
    "target": "target",
    "how": "how",
    "limit": "limit",
    "next": "next",
    "on_failure": "on_failure",
    "asks_first": "asks_first",
    "needs_approval": "needs_approval",
    "budget": "budget_usd",
    "agents_may_enter": "agents_may_enter",
    "on": "is_on",
    "paused": "is_paused",
}
"""An argument in a cell, and the field of a policy."""


def fields(link: Link, board: str, zone_id: str, parts: dict[str, Any], kept: ZonePolicy) -> dict[str, object]:
    """The fields of a policy that the arguments `parts` set. A function that is a gate is served from this kernel from now on.

    Raises:
        BadRequest: an argument has a name that does not exist, or names a zone that is not on the board.

    """
    unknown = sorted(parts.keys() - _FIELDS.keys() - {"gate", "before", "model", "mode"})
    if unknown:
        raise BadRequest(
            [f"{name}: a zone has no such setting. It has {', '.join([*_FIELDS, 'gate', 'before', 'model', 'mode'])}" for name in unknown]
        )
    found: dict[str, object] = {_FIELDS[name]: value for name, value in parts.items() if name in _FIELDS}
    for name in ("next", "on_failure"):
        if name in found and found[name] is not None:
            found[name] = _zone_id(link, board, found[name])
    chosen = {name: parts[name] for name in ("model", "mode") if parts.get(name) is not None}
    if chosen or "options" in found:
        given = found.get("options", kept.options)
        assert isinstance(given, dict)
        found["options"] = {**given, **chosen}
    if "gate" in parts or "before" in parts:
        before = _gates(parts["before"], "before") if "before" in parts else [(one, None) for one in kept.gates if one.when == "before"]
        after = _gates(parts["gate"], "after") if "gate" in parts else [(one, None) for one in kept.gates if one.when == "after"]
        found["gates"] = [gate for gate, _ in (*before, *after)]
        gates.serve(link, board, zone_id, {gate.run: function for gate, function in (*before, *after) if function is not None})
    return found


def _gates(given: "GateLike | Sequence[GateLike] | None", when: str) -> list[tuple[Gate, Callable[..., object] | None]]:
    several = [given] if given is None or isinstance(given, str | Gate) or callable(given) else list(given)
    return [_gate(one, when) for one in several if one is not None]


def _gate(one: "GateLike", when: str) -> tuple[Gate, Callable[..., object] | None]:
    if isinstance(one, Gate):
        return one.replace(when=when), None
    if isinstance(one, str):
        return Gate.model_validate({"kind": "notebook" if one.strip().endswith(".ipynb") else "command", "run": one, "when": when}), None
    return Gate.model_validate({"kind": "function", "run": getattr(one, "__name__", "gate"), "when": when}), one


def _zone_id(link: Link, board: str, wanted: object) -> str:
    if isinstance(wanted, Zone):
        return wanted.id
    known = listing(link, board)
    for one in known:
        if wanted in {one.name, one.id}:
            return one.id
    names = ", ".join(one.name for one in known) or "none yet"
    raise BadRequest([f"next: the board has no zone {wanted!r}. There are: {names}. Create that zone first"])


def listing(link: Link, board: str) -> list[Zone]:
    """In reading order: from the top, from the left."""
    objects = link.get("board", path=board)["objects"]
    found = [Zone(link, board, key, ZoneRecord.model_validate(one)) for key, one in objects.items() if one["kind"] == "zone"]
    return sorted(found, key=lambda one: (one.y, one.x, one.id))


def in_words(policy: ZonePolicy | None) -> str:
    """What happens to a card that arrives, in one line."""
    if policy is None:
        return "holds cards"
    parts = []
    if policy.prompt.strip():
        parts.append(f"{policy.agent or 'your agent'}, {_TO_WHOM[policy.target]}")
    parts += [one.run for one in policy.gates]
    parts += [f"{policy.limit} at once"] if policy.limit else []
    parts += [f"${policy.budget_usd:g} for each card"] if policy.budget_usd else []
    parts += ["asks first"] if policy.asks_first else []
    parts += ["moves on with your approval"] if policy.needs_approval else []
    state = "off" if not policy.is_on else "paused" if policy.is_paused else ""
    return ", ".join([*([state] if state else []), *parts]) or "starts nothing"


_TO_WHOM = {"new": "new session", "latest": "latest session", "ask": "you choose", "each": "each session tree"}
