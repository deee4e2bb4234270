"""What all handles share: the hub they ask, waiting without an event loop of one's own, and lists that show as tables."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from agor_jupyter.domain.records import Record
from agor_jupyter.notebook import views

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


def columns(record: Record, **more: object) -> dict[str, object]:
    """The record's fields as columns. A nested record gives `name_field`; a person is their name; lists and JSON stay as they are."""
    found: dict[str, object] = {}
    for name in type(record).model_fields:
        value = getattr(record, name)
        if isinstance(value, Record):
            fields = type(value).model_fields
            if "username" in fields:
                found[name] = getattr(value, "name", None)
            else:
                found |= {f"{name}_{field}": getattr(value, field) for field in fields}
        else:
            found[name] = str(value) if isinstance(value, str) else value
    return found | more


class Handles(Sequence[T], Generic[T]):
    """A list of handles as it was when you asked. By position or by name; `.df` is a DataFrame."""

    def __init__(
        self,
        noun: str,
        items: Sequence[T],
        rows: Callable[[T], dict[str, object]],
        name: Callable[[T], str],
        line: Callable[[T], str] = repr,
    ) -> None:
        self._noun, self._items, self._row, self._name, self._line = noun, list(items), rows, name, line

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
        """One row for each."""
        from agor_jupyter.notebook.frames import frame

        return frame([self._row(item) for item in self._items])
