import pytest

from tests.services.zones.scene import Flow


@pytest.fixture
async def flow(agor, owner, key, worktree) -> Flow:
    return await Flow(agor, owner, key, worktree).open()
