"""What the services need of the Jupyter server for notebooks: the document of one that people have open, and kernels."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from agor_jupyter.documents.notebooks import Json
from agor_jupyter.domain import errors
from agor_jupyter.domain.people import Person


class Notebook(Protocol):
    """The live document, or a file that is about to be written. Nobody else changes it between two calls that do not wait."""

    @property
    def is_open(self) -> bool: ...

    def cells(self) -> list[Json]:
        """Each with its id."""

    def insert(self, index: int, cell: Json) -> None: ...

    def set_source(self, index: int, source: str) -> None: ...

    def delete(self, index: int) -> None: ...

    def set_outputs(self, index: int, outputs: Sequence[Json], count: int | None, *, is_running: bool) -> None: ...


class Kernel(Protocol):
    """A kernel that a notebook has."""

    @property
    def name(self) -> str:
        """Of its spec."""

    @property
    def is_busy(self) -> bool: ...

    async def run(self, source: str, tell: Callable[[str, Json], None]) -> None:
        """Run it, and come back when it has ended. `tell` gets the kind and content of each message about it.

        Errors:
            Unavailable: the kernel died, or does not answer.
        """

    async def interrupt(self) -> None: ...


class Jupyter(Protocol):
    """Notebooks are named by the absolute paths of their files."""

    async def get_document(self, file: Path) -> Notebook | None:
        """`None`: nobody has it open, so its file is the truth. Never keep one: its room may be gone in the next moment."""

    async def show(self, file: Path, person: Person) -> None:
        """Let people who have it open see for a while who else is at work there."""

    async def get_kernel(self, file: Path) -> Kernel | None:
        """The one that the notebook has now."""

    async def start_kernel(self, file: Path, spec: str) -> Kernel:
        """For the notebook, where people see it and can stop it."""


class NoJupyter:
    """Where no server of Jupyter is: nobody has anything open, and nothing can run."""

    async def get_document(self, file: Path) -> Notebook | None:  # noqa: ARG002
        return None

    async def show(self, file: Path, person: Person) -> None:
        pass

    async def get_kernel(self, file: Path) -> Kernel | None:  # noqa: ARG002
        return None

    async def start_kernel(self, file: Path, spec: str) -> Kernel:  # noqa: ARG002
        raise errors.Conflict("No server of Jupyter is here that could start a kernel.")
