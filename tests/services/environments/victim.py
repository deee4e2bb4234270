"""A server that is killed: it starts a worktree's environment, says when it is healthy, and then stops it or waits."""

import asyncio
import sys
import uuid
from datetime import timedelta
from pathlib import Path

from agor_jupyter.domain.environments import EnvironmentCommand
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config


async def main(data_dir: Path, root: Path, first_port: int, worktree_id: str, then: str) -> None:
    ann = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)
    config = Config(
        data_dir=data_dir,
        root_dir=root,
        allowed_roots=(root,),
        sandbox="off",
        environment_ports=(first_port, first_port + 19),
        environment_stop_grace=timedelta(seconds=1),
    )
    async with Agor(config) as app:
        await app.environments.start(ann, worktree_id, EnvironmentCommand(), uuid.uuid4().hex)
        print("begun", flush=True)
        while (await app.environments.get(ann, worktree_id)).state.value != "healthy":
            await asyncio.sleep(0.02)
        print("healthy", flush=True)
        if then == "stop":
            await app.environments.stop(ann, worktree_id, EnvironmentCommand(), uuid.uuid4().hex)
        await asyncio.sleep(600)


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]))
