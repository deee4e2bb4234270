"""What a turn costs beyond its agent's own time on a large repository, in the sandbox where there is one."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
import uuid
from pathlib import Path

from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import Prompt, Session, SessionCreate
from agor_jupyter.domain.turns import ENDED
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from benchmarks import scratch
from benchmarks.server import row
from benchmarks.worktrees import OWNER, git

FOLDERS, FILES, TURNS = 300, 100, 9
AGENT = AgentType(name="working", label="Working", icon="", command=(sys.executable, str(Path(__file__).with_name("working_agent.py"))))


def make_repository(path: Path) -> None:
    """30,000 small files."""
    path.mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=path)
    for folder in range(FOLDERS):
        (path / f"d{folder:03}").mkdir()
        for file in range(FILES):
            (path / f"d{folder:03}" / f"f{file:02}.txt").write_text(f"{folder} {file}\n" * 20)
    git("add", "-A", cwd=path)
    git("-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "first", cwd=path)
    git("repack", "-adq", cwd=path)


async def turn(app: Agor, session: Session, text: str) -> float:
    """Seconds from the prompt to the end of its turn, without the agent's own."""
    began = time.perf_counter()
    made = await app.sessions.prompt(OWNER, session.id, Prompt(text=text), uuid.uuid4().hex)
    while (await app.turns.get(made.id)).state not in ENDED:
        await asyncio.sleep(0.002)
    taken = time.perf_counter() - began
    items, _ = await app.sessions.events(session.id)
    said = [event["body"]["text"] for event in json.loads(items) if event["turnId"] == made.id and event["body"]["kind"] == "text"]
    return taken - float(said[-1])


async def rows() -> list[dict]:
    folder = scratch.folder()
    make_repository(folder / "root" / "repo")
    config = Config(data_dir=folder / "data", root_dir=folder / "root", allowed_roots=(folder / "root",), agents=(AGENT,))
    async with Agor(config) as app:
        repo = await app.repos.add(OWNER, RepoAdd(path=str(folder / "root" / "repo")), uuid.uuid4().hex)
        made = await app.worktrees.create(OWNER, WorktreeCreate(repo=repo.id, name="large"), uuid.uuid4().hex)
        worktree = await app.worktrees.wait_ready(made.id)
        session = await app.sessions.create(OWNER, SessionCreate(worktree_id=worktree.id, agent="working"), uuid.uuid4().hex)
        await turn(app, session, "work")
        bare, changed, committed = [], [], []
        for _ in range(TURNS):
            began = time.perf_counter()
            subprocess.run(["git", "status"], cwd=worktree.path, check=True, stdout=subprocess.DEVNULL)
            bare.append(time.perf_counter() - began)
            changed.append(await turn(app, session, "work"))
        for _ in range(TURNS):
            committed.append(await turn(app, session, "work and commit"))
        session = await app.sessions.get(session.id)
    reference = f"30,000 files, a changed file, sandbox {session.sandbox}; bare `git status` {statistics.median(bare) * 1000:.0f} ms"
    with_commit = f"the same, with a commit of the agent; median {statistics.median(committed):.2f} s"
    return [
        row("turn_large_s", statistics.median(changed), "s", 0.3, reference),
        row("turn_large_commit_s", statistics.median(committed), "s", 0.6, with_commit),
    ]
