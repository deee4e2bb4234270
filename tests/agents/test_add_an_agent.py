"""The page `docs/how-to/add-an-agent.md` works, word for word."""

import re
from pathlib import Path

import pytest
from traitlets.config import Config as Traits

import agor_jupyter.agents
from agor_jupyter.agents import catalogue
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.config import Config

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-an-agent.md"


@pytest.fixture
def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


async def test_an_agent_of_ones_own(stage, blocks, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "shout.py").write_text(blocks[0])
    traits = Traits()
    exec(blocks[1], {"c": traits})
    configured = tuple(AgentType.model_validate(agent) for agent in traits.AgorApp.agents)

    agent = Agents(Config(data_dir=tmp_path, root_dir=tmp_path, allowed_roots=(), agents=configured)).require_installed("shout")
    session = await stage.start(agent)
    result = await session.prompt("hello")

    assert result.stop_reason == "end_turn"
    assert stage.text == "HELLO"


def test_into_the_catalogue(blocks, tmp_path, monkeypatch):
    (tmp_path / "whisper.py").write_text(blocks[2])
    monkeypatch.setattr(agor_jupyter.agents, "__path__", [*agor_jupyter.agents.__path__, str(tmp_path)])
    catalogue.discover.cache_clear()

    found = catalogue.discover()
    catalogue.discover.cache_clear()

    assert found["whisper"].command == ["whisper", "--acp"]
    assert list(found)[0] == "script"
