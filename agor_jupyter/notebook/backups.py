"""Removed worktrees of which everything is kept for a while."""

from agor_jupyter.domain.archives import Backup as BackupRecord
from agor_jupyter.domain.worktrees import Worktree as WorktreeRecord
from agor_jupyter.notebook.handles import Handles, columns
from agor_jupyter.notebook.link import Link
from agor_jupyter.notebook.worktrees import Worktree


class Backup:
    """A worktree that was removed with work in it. Its files are in `folder`, its last commit is `ref`."""

    def __init__(self, link: Link, record: BackupRecord) -> None:
        self._link, self.record = link, record

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def folder(self) -> str:
        return self.record.folder

    @property
    def ref(self) -> str | None:
        return self.record.ref

    def restore(self) -> Worktree:
        """Restore the worktree as it was."""
        answer = self._link.post(f"worktrees/{self.record.worktree_id}/restore")
        return Worktree(self._link, WorktreeRecord.model_validate(answer)).ready()

    def __repr__(self) -> str:
        until = f"until {self.record.until:%Y-%m-%d}" if self.record.until else "for ever"
        return f"Backup of worktree {self.record.name!r} of {self.record.repo}, kept {until}"


def backups(link: Link) -> Handles[Backup]:
    """Latest first."""
    found = [Backup(link, BackupRecord.model_validate(item)) for item in link.items("backups")]
    return Handles("backup", found, lambda one: columns(one.record), lambda one: one.name, kind=BackupRecord)
