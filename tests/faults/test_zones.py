"""A card goes through five zones, from an issue to a merged branch, while the server is killed again and again between two steps."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from agor_jupyter.domain.turns import Turn
from agor_jupyter.domain.zones import Firing
from agor_jupyter.services.crash import CRASH_POINTS
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import sqlite_url

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

STAGES = ("Analyze", "Develop", "Test", "Review", "Deploy")

VICTIM = """
import asyncio, sys
from pathlib import Path
from agor_jupyter.domain.boards import BoardOpen, ZoneAdd
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.turns import TurnState
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.domain.zones import Gate, ZoneChange, ZoneDrop, ZonePolicy
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from agor_jupyter.storage import firings, turns

data, root, repository = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
ann = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)
BOARD = "flow.agor"
merge = 'cd "$(git rev-parse --git-common-dir)/.." && git merge -q --ff-only fix'
blocks = {
    "Analyze": "echo analyze >> trail; echo {{ worktree.issue_url }} > issue",
    "Develop": "echo develop >> trail; git add -A; git commit -qm work",
    "Review": "echo review >> trail; git add -A; git commit -qm review",
    "Deploy": "git diff --quiet HEAD; " + merge,
}
gates = {"Develop": [Gate(run="git log -1 --format=%s | grep -q work")], "Test": [Gate(run="test -s issue", when="before"), Gate(run="test -s trail")]}

async def prepare(app):
    repo = await app.repos.add(ann, RepoAdd(path=repository), "repo")
    url = "https://example.org/issues/12"
    made = await app.worktrees.create(ann, WorktreeCreate(repo=repo.id, name="fix", board=BOARD, issue_url=url), "worktree")
    await app.boards.open(ann, BoardOpen(path=BOARD))
    following = None
    for number, name in reversed(list(enumerate(["Analyze", "Develop", "Test", "Review", "Deploy", "Done"]))):
        entry = await app.boards.add_zone(ann, BOARD, ZoneAdd(name=name, x=400 * number, y=1000), f"zone-{name}")
        if name != "Done":
            prompt = f"```sh\\n{blocks[name]}\\n```" if name in blocks else ""
            policy = ZonePolicy(prompt=prompt, agent="script", options={"mode": "auto"}, gates=gates.get(name, []), next=following)
            await app.zones.change(ann, BOARD, entry.id, ZoneChange(policy=policy, allow=True))
        following = entry.id
    return (await app.worktrees.wait_ready(made.id)), following, entry.id

async def main():
    config = Config(data_dir=data, root_dir=root, allowed_roots=(root,), sandbox="off")
    async with Agor(config) as app:
        worktree, first, last = await prepare(app)
        view = await app.boards.edits.view(BOARD)
        named = {zone.name: key for key, zone in view.objects.items() if zone.kind == "zone"}
        await app.zones.drop(ann, worktree.id, ZoneDrop(zone_id=named["Analyze"]), "the-drop")
        retried = 0
        while True:
            now = await app.worktrees.get(worktree.id)
            live = await app.store.read(firings.live)
            for firing in live:
                for run in firing.runs:
                    turn = await app.turns.get(run.turn_id)
                    if turn.is_unresolved:  # a person sees that it was interrupted, and sends it again
                        await app.turns.retry(ann, turn.id, f"again-{turn.id}")
            is_placed = await app.boards.zone_of(now) == named["Done"] and not await app.store.read(firings.unplaced)
            if now.zone_id == named["Done"] and not live and is_placed:
                break
            await asyncio.sleep(0.02)
    print("done")

asyncio.run(main())
"""

POINTS = (
    "zone.dropped:1",
    "zone.after_commit:1",
    "zone.before_commit:2",
    "zone.placed:2",
    "claim.after_commit:2",
    "prompt.sent:2",
    "turn.before_finish:2",
    "turn.after_finish:1",
)


def test_all_points_of_zones_are_among_them():
    assert {one for one in CRASH_POINTS if one.startswith("zone.")} <= {point.partition(":")[0] for point in POINTS}


@pytest.mark.parametrize("point", POINTS)
def test_a_pipeline_of_five_zones_survives_a_kill_at_every_step(tmp_path, repository, point):
    """Each start of the server makes a step more and dies."""
    data, url = tmp_path / "data", sqlite_url(tmp_path / "data" / "agor.db")

    def run(crash_at: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", VICTIM, str(data), str(repository.parent), str(repository)]
        env = {**os.environ, "AGOR_CRASH_AT": crash_at}
        return subprocess.run(command, env=env, check=False, timeout=120, capture_output=True, text=True)

    kills = 0
    while (ended := run(point)).returncode == -signal.SIGKILL and kills < 60:
        kills += 1

    assert ended.returncode == 0, ended.stderr[-3000:]
    assert kills >= 1
    with sa.create_engine(url).connect() as connection:
        fired = [
            Firing.model_validate_json(one)
            for one in connection.execute(sa.select(tables.firings.c.record).order_by(tables.firings.c.n)).scalars()
        ]
        turns = [Turn.model_validate_json(one) for one in connection.execute(sa.select(tables.turns.c.record)).scalars()]
    assert [one.zone for one in fired] == list(STAGES)  # nothing fired twice, nothing was forgotten
    assert {one.state.value for one in fired} == {"passed"}
    assert [one.arrival for one in fired] == [1, 2, 3, 4, 5]
    for one in fired:
        sent = [turn for turn in turns if turn.firing_id == one.id and turn.retry_of is None]
        assert len(sent) == len(one.runs) == bool(one.policy.prompt) + len(one.policy.gates)
        assert {run.outcome for run in one.runs} == {"passed"}
    log = subprocess.run(["git", "log", "--format=%s", "main"], cwd=repository, check=True, capture_output=True, text=True).stdout.split(
        "\n"
    )
    assert list(dict.fromkeys(log))[:2] == ["review", "work"]  # what was sent again may have committed before it was interrupted
    if not any(turn.state == "interrupted" for turn in turns):
        assert log[:2] == ["review", "work"]
        trail = subprocess.run(["git", "show", "main:trail"], cwd=repository, check=True, capture_output=True, text=True).stdout
        assert trail.split() == ["analyze", "develop", "review"]
    assert json.loads((Path(repository.parent) / "flow.agor").read_text())["agor"] == 1
