"""What comes to the address of a schedule: it is believed only with the schedule's own secret, and counts once.

GitHub signs what it sends with the secret; GitLab sends the secret itself. What was signed is told apart by what it says, so that it cannot
be sent again under another delivery id.
"""

import hashlib
import hmac
import json
import re
import time
from collections import OrderedDict, deque
from collections.abc import Mapping

from agor_jupyter.domain import errors
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.schedules import HOOKED, MAX_EVENT_BYTES, CheckFailed, Schedule
from agor_jupyter.domain.slots import Slot
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.schedules import slots as kept
from agor_jupyter.services.schedules.schedules import Schedules
from agor_jupyter.storage import schedules
from agor_jupyter.storage.store import Store, Transaction

RATE, SPAN_S = 30, 60.0
"""Requests to one address in so many seconds."""
_MOST_ADDRESSES = 1_000
_EVENT = re.compile(r"[A-Za-z][A-Za-z_ ]{0,59}")
_FAILED = frozenset({"failure", "timed_out", "startup_failure", "action_required", "failed"})


class Webhooks:
    def __init__(self, store: Store, clock: Clock, given: Schedules) -> None:
        self._store, self._clock, self._schedules = store, clock, given
        self._came: OrderedDict[str, deque[float]] = OrderedDict()

    def is_flooded(self, schedule_id: str) -> bool:
        """Whether so much comes to this address that nothing of it is read."""
        now = time.monotonic()
        came = self._came.setdefault(schedule_id, deque())
        self._came.move_to_end(schedule_id)
        while len(self._came) > _MOST_ADDRESSES:
            self._came.popitem(last=False)
        while came and now - came[0] > SPAN_S:
            came.popleft()
        if len(came) >= RATE:
            return True
        came.append(now)
        return False

    async def take(self, schedule_id: str, headers: Mapping[str, str], body: bytes) -> Slot | None:
        """A slot for it. `None`: it is not what the schedule waits for, or came before, or the schedule is paused.

        Errors:
            ScheduleNotFound: there is no such address, or the signature is wrong; which of the two is not said.
            BadRequest: it is no JSON object, or too long.
        """
        schedule = await self._store.read(schedules.get, schedule_id)
        secret = await self._schedules.secret_of(schedule_id) if schedule is not None else None
        is_there = schedule is not None and secret is not None and schedule.when.kind in HOOKED and not schedule.is_removed
        if not _is_signed(headers, body, secret or "nobody knows this") or not is_there or schedule is None:
            raise errors.ScheduleNotFound(schedule_id)
        if len(body) > MAX_EVENT_BYTES:
            raise errors.BadRequest([f"the body has more than {MAX_EVENT_BYTES >> 10} KiB"])
        payload = _parsed(body)
        if isinstance(schedule.when, CheckFailed) and not _has_failed(payload, schedule.when.branch):
            return None
        what = headers.get("X-GitHub-Event") or headers.get("X-Gitlab-Event") or ""
        what = what if _EVENT.fullmatch(what) else "a message"  # nobody signed it
        is_token = "X-Hub-Signature-256" not in headers
        delivery = headers.get("X-Gitlab-Event-UUID") or headers.get("Idempotency-Key") if is_token else None
        key = f"hook {hashlib.sha256(delivery.encode() if delivery else body).hexdigest()}"
        return await self._store.write(self._add, schedule, key, f"{what} came to its address", payload)

    def _add(self, transaction: Transaction, seen: Schedule, key: str, why: str, payload: JsonObject) -> Slot | None:
        at = self._clock.now()
        schedule = schedules.hold(transaction, seen.id)
        if schedule is None or not schedule.is_waiting:
            return None
        happening = kept.Happening(key=key, planned_at=at, cause="event", caused_by=why, payload=payload)
        schedule, slot = kept.add(transaction, schedule, happening, at)
        if slot is not None:
            kept.save_schedule(transaction, schedule, at)
        return slot


def _is_signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Each comparison takes the same time, however much is right."""
    if (signature := headers.get("X-Hub-Signature-256")) is not None:
        wanted = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(signature.encode(), wanted.encode())
    return hmac.compare_digest(headers.get("X-Gitlab-Token", "").encode(), secret.encode())


def _parsed(body: bytes) -> JsonObject:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise errors.BadRequest(["the body is no JSON"]) from None
    if not isinstance(found, dict):
        raise errors.BadRequest(["the body is no JSON object"])
    return found


def _has_failed(payload: JsonObject, branch: str) -> bool:
    """A check of GitHub or a pipeline or job of GitLab that failed, on this branch if one is named."""
    for name in ("check_run", "check_suite", "workflow_run"):
        if isinstance(found := payload.get(name), dict):
            suite = found.get("check_suite")
            on = found.get("head_branch") or (suite.get("head_branch") if isinstance(suite, dict) else None)
            return payload.get("action") == "completed" and found.get("conclusion") in _FAILED and branch in {"", on}
    found = payload.get("object_attributes")
    if payload.get("object_kind") == "pipeline" and isinstance(found, dict):
        return found.get("status") in _FAILED and branch in {"", found.get("ref")}
    return payload.get("object_kind") == "build" and payload.get("build_status") in _FAILED and branch in {"", payload.get("ref")}
