"""An engine, a worktree, an agent with a home of its own, a model, and the process table from before."""

import dataclasses
from pathlib import Path

import pytest

from agor_jupyter.services.config import Config
from harness.kits import CACHE, KITS, Kit
from harness.model_server import ModelServer
from harness.process_table import ProcessTable
from tests.faults.server import Server
from tests.real_agents.stage import Stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(params=[name if name == "script" else pytest.param(name, marks=pytest.mark.agent) for name in KITS])
def kit(request: pytest.FixtureRequest) -> Kit:
    return KITS[request.param]


@pytest.fixture
def table(tmp_path: Path) -> ProcessTable:
    return ProcessTable(tmp_path)


@pytest.fixture
def model():
    with ModelServer() as server:
        yield server


@pytest.fixture
def home(kit: Kit, table: ProcessTable, model: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The agent's own, as the server's environment says from now on."""
    home = tmp_path / "home"
    for name, value in kit.prepare(home, model.url).items():
        monkeypatch.setenv(name, value)
    for name in ("ANTHROPIC_AUTH_TOKEN", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def sandbox() -> str:
    """As the product has it. A module that is about what agents ask for has its own."""
    return "auto"


@pytest.fixture
def config(config: Config, kit: Kit, home: Path, sandbox: str) -> Config:
    """With the agents of the cache in its data folder."""
    installed = CACHE / "agents"
    assert kit.name == "script" or (installed / kit.name).is_dir(), f"No {kit.name} in {installed}. Run `make test-agents`."
    config.data_dir.mkdir()
    (config.data_dir / "agents").symlink_to(installed)
    return dataclasses.replace(config, sandbox=sandbox)


@pytest.fixture
def stage(agor, owner, key, worktree, kit: Kit, model: ModelServer, table: ProcessTable) -> Stage:
    return Stage(agor, owner, key, worktree, kit=kit, model=model, table=table)


@pytest.fixture
def server(config: Config, tmp_path: Path):
    """A real one, which can be killed."""
    server = Server(config.root_dir, config.data_dir, log=tmp_path / "server.log")
    server.start()
    server.wait_ready()
    yield server
    server.kill()
