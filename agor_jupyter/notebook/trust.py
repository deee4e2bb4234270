"""Agent instruction files, from a cell: what is there, and what you decide about it."""

from collections.abc import Sequence

from agor_jupyter.domain.errors import BadRequest, FileMissing
from agor_jupyter.domain.trust import ProjectFile as ProjectFileRecord
from agor_jupyter.domain.trust import TrustRequest, TrustState, lies_in
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.handles import Handles, checked, columns
from agor_jupyter.notebook.link import Link


class ProjectFile:
    """An agent instruction file, as it was when you asked. `worktree.trust(file)` trusts this content and no other."""

    def __init__(self, record: ProjectFileRecord) -> None:
        self.record = record

    @property
    def path(self) -> str:
        """Relative to the worktree."""
        return self.record.path

    @property
    def agents(self) -> list[str]:
        """The names of the agents that load it."""
        return list(self.record.agents)

    @property
    def state(self) -> TrustState:
        """`trusted`, `refused`, `new`, or `changed`: someone decided about its earlier content, but nobody about this one."""
        return self.record.state

    @property
    def text(self) -> str | None:
        """How it begins. `None`: it is not text, or is only named in a question."""
        return self.record.text

    @property
    def decided_by(self) -> str | None:
        """The name of the person who decided about this content."""
        return self.record.decided_by.name if self.record.decided_by else None

    @property
    def standing(self) -> str:
        """Its state, or why it cannot be trusted."""
        return f"cannot be trusted: {self.record.problem}" if self.record.problem else self.state

    def __repr__(self) -> str:
        by = f" by {self.decided_by}" if self.decided_by else ""
        return views.visible(f"{self.path}: {self.standing}{by} ({', '.join(self.agents)})")

    def _repr_html_(self) -> str:
        facts = [("agents", ", ".join(self.agents)), ("by", self.decided_by or ""), ("", self.record.problem or "")]
        text = self.text + ("\n…" if self.record.is_cut else "") if self.text else ""
        return views.card("File", self.path, None if self.record.problem else self.state, facts, views.block(text) if text else "")


def of(link: Link, worktree_id: str) -> Handles[ProjectFile]:
    """Those in the worktree now, in order of their paths."""
    found = [ProjectFileRecord.model_validate(item) for item in link.items(f"worktrees/{worktree_id}/project-files")]
    return listed([ProjectFile(record) for record in found])


def listed(files: Sequence[ProjectFile]) -> Handles[ProjectFile]:
    return Handles("project file", files, lambda one: columns(one.record), lambda one: one.path, kind=ProjectFileRecord)


def decide(link: Link, worktree_id: str, chosen: Sequence[str | ProjectFile], *, is_trusted: bool) -> Handles[ProjectFile]:
    """Trust these, or refuse to, and give them back as they are then. A path that ends with `/` is all below that folder.

    None chosen: trust all that can be trusted, or refuse all that are trusted; you get all.

    Raises:
        FileMissing: there is no such file that agents obey.
        BadRequest: one cannot be trusted; it says why.
        ProjectFileChanged: one has another content by now.

    """
    there = of(link, worktree_id)
    picked = [file for one in chosen for file in _picked(there, one)]
    if broken := [file for file in picked if file.record.sha256 is None]:
        raise BadRequest([f"{file.path} {file.standing.rstrip('.')}" for file in broken])
    asked = picked if chosen else [file for file in there if is_trusted or file.state == "trusted"]
    is_so = {(file.path, file.record.sha256) for file in there if file.state == ("trusted" if is_trusted else "refused")}
    contents = {file.path: file.record.sha256 for file in asked if file.record.sha256 and (file.path, file.record.sha256) not in is_so}
    if contents:
        with checked():
            body = TrustRequest(files=contents, is_trusted=is_trusted)
        link.post(f"worktrees/{worktree_id}/project-files", body)
    paths = {file.path for file in picked}
    return listed([file for file in of(link, worktree_id) if not chosen or file.path in paths])


def _picked(there: Handles[ProjectFile], one: str | ProjectFile) -> list[ProjectFile]:
    if isinstance(one, ProjectFile):
        return [one]
    found = [file for file in there if lies_in(file.path, [one])]
    if not found:
        raise FileMissing(one, [file.path for file in there])
    return found
