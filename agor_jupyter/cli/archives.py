"""`jupyter agor worktree`: what puts a worktree away, and brings it back."""

from datetime import datetime

import typer

from agor_jupyter.cli.output import AsJson, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import worktree as find
from agor_jupyter.cli.worktrees import Which, show_settled, show_worktree
from agor_jupyter.domain.archives import Backup
from agor_jupyter.domain.errors import WorktreeNotFound
from agor_jupyter.domain.worktrees import Removal, Worktree
from agor_jupyter.notebook.display.views import visible


def archive(worktree: Which, as_json: AsJson = False) -> None:
    """Archive the folder with everything in it."""
    show_worktree(Worktree.model_validate(link().post(f"worktrees/{find(worktree).id}/archive")), as_json)


def restore(worktree: Which, as_json: AsJson = False) -> None:
    """Restore an archived worktree as it was, or a removed one while its backup is kept."""
    removed = {one.worktree_id for one in _backups() if worktree in {one.worktree_id, f"{one.repo}/{one.name}", one.name}}
    one = removed.pop() if len(removed) == 1 and not _is_known(worktree) else find(worktree).id
    show_settled(Worktree.model_validate(link().post(f"worktrees/{one}/restore")), as_json)


def backups(as_json: AsJson = False) -> None:
    """List the removed worktrees that can still be restored, latest first."""
    found = _backups()
    if as_json:
        show_json(found)
    else:
        table(
            ["worktree", "held", "until", "folder", "id"],
            [
                (
                    f"{one.repo}/{one.name}",
                    "; ".join(one.held),
                    f"{one.until:%Y-%m-%d}" if one.until else "for ever",
                    one.folder,
                    one.worktree_id,
                )
                for one in found
            ],
            "No backups.",
        )


def _until(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "for ever"


def _backups() -> list[Backup]:
    return [Backup.model_validate(item) for item in link().items("backups")]


def _is_known(worktree: str) -> bool:
    try:
        find(worktree)
    except WorktreeNotFound:
        return False
    return True


def remove(
    worktree: Which,
    force: bool = typer.Option(False, help="Remove it even if work would be lost. Everything is kept for a while."),
    as_json: AsJson = False,
) -> None:
    """Remove a worktree. If work would be lost, refuse and list it."""
    one = find(worktree)
    removal = Removal.model_validate(link().delete(f"worktrees/{one.id}", force=1 if force else None))
    if as_json:
        show_json(removal)
    else:
        kept = f" Everything is kept in {removal.folder}, until: {_until(removal.until)}."
        print(visible(f"Removed {one.repo}/{one.name}.{kept if removal.folder else ''}"))
        for line in removal.own:
            print(visible(f"Kept, although it is not work: {line}"))
        if removal.folder:
            print(f"To restore it: jupyter agor worktree restore {one.id}")
