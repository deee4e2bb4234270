"""Named points at which a test kills the server. Without `AGOR_CRASH_AT` a point costs one comparison.

`AGOR_CRASH_AT=name` kills at the first passage, `name:3` at the third.
"""

import os
import signal

CRASH_POINTS = (
    "prompt.before_commit",
    "prompt.after_commit",
    "claim.after_commit",
    "run.recorded",
    "run.spawned",
    "prompt.sent",
    "permission.asked",
    "permission.answered",
    "turn.before_finish",
    "turn.after_finish",
    "sandbox.fetched",
    "sandbox.moved",
    "sandbox.aligned",
    "park.before_commit",
    "park.after_commit",
    "delivery.before_commit",
    "delivery.after_commit",
    "continued.before_commit",
    "continued.after_commit",
    "zone.dropped",
    "zone.before_commit",
    "zone.after_commit",
    "zone.placed",
    "environment.setup",
    "environment.recorded",
    "environment.spawned",
    "environment.healthy",
    "environment.ended",
    "slot.due",
    "slot.planned",
    "slot.before_commit",
    "slot.after_commit",
    "slot.made",
    "slot.ended",
    "message.stored",
    "message.sent",
    "follow.before_reaction",
    "follow.before_commit",
    "follow.after_commit",
    "worktree.added",
    "worktree.setup",
    "relocate.begun",
    "relocate.linked",
    "relocate.recorded",
    "archive.pinned",
    "archive.told",
    "archive.files_moved",
    "archive.admin_moved",
    "archive.recorded",
    "restore.filled",
    "restore.headed",
    "restore.admin_moved",
    "restore.files_moved",
    "restore.recorded",
    "remove.told",
    "remove.recorded",
    "purge.emptied",
    "data.before_copy",
    "data.after_copy",
    "data.noted",
)

_armed, _, _count = os.environ.get("AGOR_CRASH_AT", "").partition(":")
_left = int(_count or 1)


def crash_point(name: str) -> None:
    """Die here, as if the power went, if this is the point a test asked for."""
    if name != _armed:
        return
    global _left  # noqa: PLW0603 one process dies once
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
