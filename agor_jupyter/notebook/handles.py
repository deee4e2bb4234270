"""What all handles share: the hub they ask, waiting without an event loop of one's own, and lists that show as tables."""

import asyncio
import contextlib
import contextvars
import functools
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar, get_args, get_origin, overload

from pydantic import ValidationError

from agor_jupyter.domain.errors import BadRequest
from agor_jupyter.domain.records import Record
from agor_jupyter.notebook.display import views

if TYPE_CHECKING:  # pandas takes half a second to load, and only `.df` needs it
    import pandas as pd

T = TypeVar("T")


def wait_for(work: Callable[[], Coroutine[object, object, T]], timeout: float | None, what: str) -> T:
    """Run `work` to its end from plain code, also where an event loop runs already, as in a notebook.

    Raises:
        TimeoutError: after `timeout` seconds. What was awaited goes on.

    """
    done: list[T] = []
    failed: list[BaseException] = []
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = []
    context = contextvars.copy_context()

    async def main() -> None:
        task = asyncio.ensure_future(work())
        running.append((asyncio.get_running_loop(), task))
        try:
            async with asyncio.timeout(timeout):
                done.append(await task)
        except TimeoutError:
            failed.append(TimeoutError(f"{what} did not end within {timeout:g} seconds. It goes on; wait again, or cancel it."))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # the thread's root: raised again below
            failed.append(error)

    thread = threading.Thread(target=lambda: context.run(asyncio.run, main()), name="agor-wait", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.2)
    except KeyboardInterrupt:
        for loop, task in running:
            loop.call_soon_threadsafe(task.cancel)
        thread.join(2)
        raise
    if failed:
        raise failed[0]
    return done[0]


@contextlib.contextmanager
def checked() -> Iterator[None]:
    """What does not fit a request is said as everywhere else, and not in Pydantic's words.

    Raises:
        BadRequest: with one line for each field.

    """
    try:
        yield
    except ValidationError as error:
        raise BadRequest.of(error) from None


@functools.cache
def _nested(kind: type[Record]) -> dict[str, tuple[str, ...] | None]:
    """A record's fields. A nested record has its own fields, also where it may be `None`; a person and a plain value have none."""
    found: dict[str, tuple[str, ...] | None] = {}
    for name, field in kind.model_fields.items():
        choices = get_args(field.annotation) or (field.annotation,)
        inner = next((one for one in choices if isinstance(one, type) and issubclass(one, Record)), None)
        is_list = get_origin(field.annotation) in (list, dict, tuple)
        is_person = inner is not None and "username" in inner.model_fields
        found[name] = tuple(inner.model_fields) if inner and not is_list and not is_person else None
    return found


def column_names(kind: type[Record]) -> list[str]:
    """The columns of such a record, also when there is none."""
    return [f"{name}_{one}" if fields else name for name, fields in _nested(kind).items() for one in fields or [name]]


def columns(record: Record, **more: object) -> dict[str, object]:
    """The record's fields as columns. A nested record gives `name_field`; a person is their name; lists and JSON stay as they are."""
    found: dict[str, object] = {}
    for name, fields in _nested(type(record)).items():
        value = getattr(record, name)
        if fields:
            found |= {f"{name}_{field}": getattr(value, field, None) for field in fields}
        elif isinstance(value, Record):
            found[name] = getattr(value, "name", None)
        else:
            found[name] = str(value) if isinstance(value, str) else value
    return found | more


class Handles(Sequence[T], Generic[T]):
    """A list of handles as it was when you asked. Index it by position or name; `.df` is a DataFrame."""

    def __init__(
        self,
        noun: str,
        items: Sequence[T],
        rows: Callable[[T], dict[str, object]],
        name: Callable[[T], str],
        line: Callable[[T], str] = repr,
        *,
        kind: type[Record] | None = None,
    ) -> None:
        self._noun, self._items, self._row, self._name, self._line = noun, list(items), rows, name, line
        self._columns = column_names(kind) if kind else []

    @overload
    def __getitem__(self, key: int | str) -> T: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[T]: ...
    def __getitem__(self, key: int | str | slice) -> T | Sequence[T]:
        if not isinstance(key, str):
            return self._items[key]
        for item in self._items:
            if self._name(item) == key:
                return item
        known = ", ".join(map(self._name, self._items)) or "none"
        raise KeyError(f"No {self._noun} {key!r}. There are: {known}.")

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __repr__(self) -> str:
        return "\n".join(map(self._line, self._items)) or f"No {self._noun}s"

    def _repr_html_(self) -> str:
        return views.rows(self._noun, [self._line(item) for item in self._items])

    @property
    def df(self) -> "pd.DataFrame":
        """One row for each. If there are none, it still has the columns."""
        from agor_jupyter.notebook.display.frames import frame

        return frame([self._row(item) for item in self._items], self._columns)
