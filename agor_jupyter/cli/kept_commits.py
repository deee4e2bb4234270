"""`jupyter agor worktree`: commits that were kept from an agent's sandbox, and how to get them."""

import typer

from agor_jupyter.cli.output import AsJson, facts, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import worktree as find
from agor_jupyter.cli.worktrees import Which
from agor_jupyter.domain.worktrees import Kept, Taken, TakeRequest, Taking


def kept(worktree: Which, as_json: AsJson = False) -> None:
    """List what refs keep for a worktree's agents beside its branch: other branches, tags, stashes, commits on no branch."""
    found = [Kept.model_validate(item) for item in link().items(f"worktrees/{find(worktree).id}/kept")]
    if as_json:
        show_json(found)
        return
    rows = [(one.text, f"jupyter agor worktree take {worktree} {one.ref}" if one.can_take else one.line) for one in found]
    table(["what", "how to get it"], rows, "Nothing is kept beside the branch.")


def take(
    worktree: Which,
    ref: str | None = typer.Argument(None, metavar="REF", help="What to take, as listed by `kept`. Default: what is kept for its branch."),
    dry_run: bool = typer.Option(False, help="Only show what would be done."),
    as_json: AsJson = False,
) -> None:
    """Merge commits kept from an agent's sandbox into the worktree's branch."""
    if dry_run:
        _show_taking(Taking.model_validate(link().get(f"worktrees/{find(worktree).id}/take", ref=ref)), as_json)
        return
    taken = Taken.model_validate(link().post(f"worktrees/{find(worktree).id}/take", TakeRequest(ref=ref)))
    if as_json:
        show_json(taken)
        return
    facts(
        [
            ("branch", taken.branch),
            ("commit", taken.commit[:10]),
            ("not committed", _listed(taken.left)),
            ("what was staged", taken.staged_ref),
        ]
    )


def _show_taking(found: Taking, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    how = "merged with the branch's own commits" if found.is_merge else None
    facts(
        [
            ("ref", found.ref),
            ("not possible", found.refusal),
            ("branch", found.branch),
            ("commits", None if found.refusal else found.commits),
            ("how", how),
            *(("", subject) for subject in found.subjects),
            ("written", _listed(found.written)),
            ("there already", _listed(found.there)),
            ("stays as it is", _listed(found.left)),
        ]
    )


def _listed(paths: list[str]) -> str | None:
    return f"{len(paths)}: {', '.join(paths[:10])}{', …' if len(paths) > 10 else ''}" if paths else None
