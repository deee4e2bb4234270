"""A turn: one prompt and everything the agent did for it, from a cell."""

from collections.abc import Generator
from typing import Any

from agor_jupyter.domain.events import Event, Text, ToolCall, ToolOutput
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.turns import ENDED, Patch, PatchFile
from agor_jupyter.domain.turns import Turn as TurnRecord
from agor_jupyter.notebook import following
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.handles import Handles, wait_for
from agor_jupyter.notebook.link import Link


class Diff:
    """What changed, according to git, uncommitted changes included. Shown file by file."""

    def __init__(self, patch: Patch) -> None:
        self.patch = patch

    @property
    def files(self) -> list[PatchFile]:
        return list(self.patch.files)

    @property
    def hunks(self) -> dict[str, list[str]]:
        """The lines of the hunks of each file, by path."""
        return views.hunks(self.patch)

    @property
    def text(self) -> str:
        """The patch as git makes it; `git apply` accepts it unless `patch.is_cut`."""
        return self.patch.text

    @property
    def added(self) -> int:
        return sum(file.added or 0 for file in self.patch.files)

    @property
    def deleted(self) -> int:
        return sum(file.deleted or 0 for file in self.patch.files)

    def __len__(self) -> int:
        return len(self.patch.files)

    def __bool__(self) -> bool:
        return bool(self.patch.files)

    def __str__(self) -> str:
        return views.visible(self.patch.text)

    def __repr__(self) -> str:
        return views.patch_text(self.patch)

    def _repr_html_(self) -> str:
        return views.patch_html(self.patch)


class Turn:
    """Awaitable: `await turn` streams into the cell until the turn has ended and returns it. `.wait()` does the same in plain code.

    Interrupting the cell does not stop the agent; `cancel()` does.
    """

    def __init__(self, link: Link, record: TurnRecord) -> None:
        self._link, self.record = link, record

    def __await__(self) -> Generator[Any, None, "Turn"]:
        return self._run(shown=True).__await__()

    def wait(self, timeout: float | None = None) -> "Turn":
        """Wait until it has ended.

        Raises:
            TimeoutError: after `timeout` seconds. The turn goes on.

        """
        return wait_for(lambda: self._run(shown=True), timeout, f"Turn {self.number}")

    async def _run(self, *, shown: bool) -> "Turn":
        self.record = await following.run(self._link, self.record, shown=shown)
        return self

    def refresh(self) -> "Turn":
        """Read it again from the server, into `record`."""
        self.record = TurnRecord.model_validate(self._link.get(f"turns/{self.record.id}"))
        return self

    def _now(self) -> TurnRecord:
        if self.record.state not in ENDED or self.record.resolution is None:
            self.refresh()
        return self.record

    @property
    def number(self) -> int:
        """From 1 within its session."""
        return self.record.number

    @property
    def prompt(self) -> str:
        return self.record.prompt

    @property
    def state(self) -> str:
        """Now: `queued`, `starting`, `running`, `waiting`, `parked`, `stopping`, `done`, `failed`, `cancelled` or `interrupted`."""
        return self._now().state.value

    @property
    def error(self) -> str | None:
        """Why it failed, was interrupted or is parked."""
        return self._now().error

    @property
    def commit(self) -> str | None:
        """The commit it left behind, `None` if it made none."""
        now = self._now()
        return now.commit_after if now.commit_after != now.commit_before else None

    @property
    def files(self) -> int:
        """How many files changed."""
        return self._now().files

    @property
    def seconds(self) -> float | None:
        """Working time. The time its questions waited for an answer is `waited`."""
        return self._now().seconds

    @property
    def waited(self) -> float:
        """Seconds for which its questions waited for a person."""
        return self._now().waited_seconds

    @property
    def cost(self) -> float | None:
        """US dollars; `None` if unknown."""
        return self._now().cost_usd

    @property
    def diff(self) -> Diff:
        return Diff(Patch.model_validate(self._link.get(f"turns/{self.record.id}/patch")))

    @property
    def events(self) -> Handles[Event]:
        """Its part of the transcript, in order."""
        mine = [event for event in following.read(self._link, self.record.session_id) if event.turn_id == self.record.id]
        return Handles("event", mine, following.columns_of, lambda event: event.body.kind, following.line_of)

    @property
    def text(self) -> str:
        """What the agent said."""
        return "".join(event.body.text for event in self.events if isinstance(event.body, Text))

    @property
    def output(self) -> str:
        """What its tools printed, one after another."""
        found: dict[str, str] = {}
        for event in self.events:
            if isinstance(event.body, ToolOutput):
                found[event.body.tool_call_id] = found.get(event.body.tool_call_id, "") + event.body.text
            elif isinstance(event.body, ToolCall) and event.body.output is not None:
                found[event.body.tool_call_id] = event.body.output
        return "".join(found.values())

    def cancel(self) -> "Turn":
        """Take it out of the queue, or stop the agent's work on it."""
        return self._do("cancel")

    def resume(self) -> "Turn":
        """Continue an interrupted or failed turn from where it was. Returns the new turn."""
        return self._do("resume")

    def retry(self) -> "Turn":
        """Send the same prompt again. Returns the new turn; a parked turn is retried now, and stays the same turn."""
        return self._do("retry")

    def discard(self) -> "Turn":
        """Leave an interrupted turn as it is, and continue with the queue."""
        return self._do("discard")

    def _do(self, action: str) -> "Turn":
        answer: JsonObject = self._link.post(f"turns/{self.record.id}/{action}")
        record = TurnRecord.model_validate(answer)
        if record.id == self.record.id:
            self.record = record
            return self
        return Turn(self._link, record)

    def _facts(self) -> list[tuple[str, str]]:
        record = self.record
        files = (
            f"{record.files} file{'' if record.files == 1 else 's'} {views.counts(record.added, record.deleted)}"
            if record.files
            else "no files"
        )
        commit = "yes" if record.commit_after and record.commit_after != record.commit_before else ""
        cost = f"${record.cost_usd:.4f}{' (estimate)' if record.cost_is_estimate else ''}" if record.cost_usd else ""
        return [("changed", files), ("committed", commit), ("cost", cost), ("", record.error or "")]

    def __repr__(self) -> str:
        facts = "; ".join(f"{label} {value}".strip() for label, value in self._facts() if value)
        return views.visible(f"Turn {self.number} {views.words(self.record.state)}: {facts}")

    def _repr_html_(self) -> str:
        return views.card("Turn", f"{self.number}: {views.beginning(self.record)}", self.record.state, self._facts())
