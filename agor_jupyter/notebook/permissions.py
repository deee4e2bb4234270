"""A permission question, answered from a cell in your name."""

from agor_jupyter.domain.errors import AlreadyAnswered, BadRequest
from agor_jupyter.domain.permissions import Permission as PermissionRecord
from agor_jupyter.domain.permissions import PermissionOption, PermissionState
from agor_jupyter.domain.sessions import Answer
from agor_jupyter.notebook import live, views
from agor_jupyter.notebook.link import Link

_WISHES = {"allow": ("allow_once", "allow_always"), "always": ("allow_always",), "reject": ("reject_once", "reject_always")}


class Permission:
    """What an agent asks before it acts. The first valid answer counts; a later one raises `AlreadyAnswered`."""

    def __init__(self, link: Link, record: PermissionRecord) -> None:
        self._link, self.record = link, record

    @property
    def title(self) -> str:
        return self.record.title

    @property
    def command(self) -> str | None:
        """The real command or path, where there is one."""
        return self.record.command

    @property
    def options(self) -> list[PermissionOption]:
        return list(self.record.options)

    @property
    def state(self) -> str:
        return self.record.state.value

    @property
    def answered_by(self) -> str | None:
        """The name of the person who answered."""
        return self.record.answered_by.name if self.record.answered_by else None

    def allow(self, *, note: str | None = None) -> "Permission":
        """Yes, this once."""
        return self._wish("allow", note)

    def always(self, *, note: str | None = None) -> "Permission":
        """Yes, and the agent need not ask for the like again in this session."""
        return self._wish("always", note)

    def reject(self, *, note: str | None = None) -> "Permission":
        """No."""
        return self._wish("reject", note)

    def answer(self, option_id: str, *, note: str | None = None) -> "Permission":
        """Choose one of `options` by its id. A `note` is kept beside the answer."""
        body = Answer(option_id=option_id, note=note)
        self.record = PermissionRecord.model_validate(self._link.post(f"permissions/{self.record.id}/answer", body))
        return self

    def _wish(self, wish: str, note: str | None) -> "Permission":
        if self.record.state is not PermissionState.OPEN:
            raise AlreadyAnswered(self.record.id, self.state, self.answered_by)
        for kind in _WISHES[wish]:
            for option in self.record.options:
                if option.kind == kind:
                    return self.answer(option.id, note=note)
        offered = ", ".join(f"answer({option.id!r}) “{option.name}”" for option in self.record.options)
        raise BadRequest([f"this question has no option for {wish}(); it offers {offered}"])

    def _settled(self) -> str:
        return live.settled(self.record, self._link.me.person.username)

    def __repr__(self) -> str:
        return views.visible(f"Permission {self.title!r}: {self._settled()}")

    def _repr_html_(self) -> str:
        facts = (
            [("", self._settled())] if self.record.answered_by else [("options", ", ".join(option.name for option in self.record.options))]
        )
        return views.card("Permission", self.title, self.state, facts)
