"""Trust: files of a worktree that agents obey by themselves, and what an owner said of their content.

Such files decide what an agent runs, loads, or may do unasked: instructions, settings, hooks, MCP servers, skills. Whoever can write
into a repository can write them, an agent too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from agor_jupyter.domain.ids import RepoId, TrustId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import Moment, Record, Request

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
TrustState = Literal["trusted", "refused", "changed", "new"]
"""`changed`: nobody decided about this content, but about another one of this file."""


class ProjectFile(Record):
    """A file of a worktree that agents obey, as it is now."""

    path: str
    """Below the worktree, with `/`."""
    agents: list[str] = Field(default_factory=list)
    """Whose agents' names."""
    sha256: Sha256 | None = None
    """Of its content, or of the place that a link out of the worktree names. `None`: it cannot be trusted."""
    size: int = 0
    """In bytes."""
    text: str | None = None
    """How it begins; `None` when it is not text."""
    is_cut: bool = False
    problem: str | None = None
    """Why it cannot be trusted."""
    state: TrustState = "new"
    decided_by: Person | None = None
    decided_at: Moment | None = None


class Trust(Record):
    """*Saved.* What an owner said of one content of one file, in all worktrees of a repository. The newest counts."""

    id: TrustId
    repo_id: RepoId
    path: str
    sha256: Sha256
    is_trusted: bool
    decided_at: Moment
    decided_by: Person


class TrustRequest(Request):
    files: dict[str, Sha256] = Field(min_length=1, max_length=1000)
    """The content that was looked at, by paths below the worktree."""
    is_trusted: bool = True


@dataclass(frozen=True)
class Sight:
    """What of a worktree one agent would obey."""

    files: tuple[ProjectFile, ...]

    @property
    def open(self) -> tuple[ProjectFile, ...]:
        """Those to ask about: nobody has decided about their content."""
        return tuple(file for file in self.files if file.state in {"new", "changed"} and file.sha256 is not None)

    @property
    def untrusted(self) -> tuple[ProjectFile, ...]:
        """Those that must not be obeyed now."""
        return tuple(file for file in self.files if file.state != "trusted")

    def differences(self, other: "Sight") -> list[str]:
        """The paths whose content is not the same there."""
        ours, theirs = ({(file.path, file.sha256) for file in sight.files} for sight in (self, other))
        return sorted({path for path, _ in ours ^ theirs})


def lies_in(path: str, names: Iterable[str]) -> bool:
    """Whether it is one of these files, or below one of these folders, which end with `/`."""
    return any(path == name or (name.endswith("/") and f"{path}/".startswith(name)) for name in names)
