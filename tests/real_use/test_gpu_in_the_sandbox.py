"""Training fell back to the processor in silence: the sandbox hid the GPU, and nobody said so."""

import dataclasses
import os
import stat
from pathlib import Path

import pytest
from traitlets import TraitError

from agor_jupyter.domain.agents import AgentType
from agor_jupyter.executors import devices, environment
from agor_jupyter.server.extension import AgorApp
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from tests.sandbox.conftest import notices, play
from tests.sandbox.test_life import open_scene

NULL = os.makedev(1, 3)


def node(path: Path) -> Path:
    """A device that behaves as /dev/null does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mknod(path, 0o666 | stat.S_IFCHR, NULL)
    path.chmod(0o666)
    return path


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        ([], []),
        (["null", "zero", "nvram"], []),
        (["nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"], ["nvidia-uvm", "nvidia0", "nvidia1", "nvidiactl"]),
        (["kfd", "dri/renderD128", "dri/card0"], ["dri", "kfd"]),
        (["dri/card0"], []),  # a screen that computes nothing
        (["dxg"], ["dxg"]),
    ],
)
def test_a_gpu_is_known_by_its_devices(tmp_path, nodes, found):
    for name in nodes:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert sorted(path.name for path in devices.gpus(tmp_path)) == found


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Path:
    """A machine with a GPU, as far as its devices tell."""
    if os.geteuid() != 0:
        pytest.skip("only root makes device nodes, and a machine with a GPU is not at hand")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(devices, "DEV", tmp_path / "dev")
    return node(tmp_path / "dev" / "nvidia0")


LOOK = 'if [ -c "{0}" ]; then echo 1 > "{0}" && echo usable; else echo hidden; fi'


async def turns(config: Config, repository, owner, key, *lines: str):
    async with Agor(dataclasses.replace(config, sandbox="required")) as app:
        scene = await open_scene(app, repository, owner, key)
        session = await scene.session()
        said = [(await play(scene, session, line))[1].strip() for line in lines]
        return await app.sessions.get(session.id), said, await notices(scene, session)


async def test_a_hidden_gpu_is_told_once_in_a_session(machine, config, repository, owner, key):
    session, said, told = await turns(config, repository, owner, key, LOOK.format(machine), LOOK.format(machine))

    assert said == ["hidden", "hidden"]
    assert told.count("gpu_hidden") == 1
    assert session.sandbox_devices == []


async def test_agents_use_the_gpu_where_the_administrator_lets_them_and_the_session_says_so(machine, config, repository, owner, key):
    config = dataclasses.replace(config, sandbox_devices=("gpu", "/dev/agor-missing"))

    session, said, told = await turns(config, repository, owner, key, LOOK.format(machine))

    assert said == ["usable"]
    assert "gpu_hidden" not in told
    assert session.sandbox_devices == ["gpu"]


async def test_a_device_by_its_path(machine, config, repository, owner, key):
    other = node(machine.with_name("accelerator"))

    session, said, _ = await turns(
        dataclasses.replace(config, sandbox_devices=(str(other),)), repository, owner, key, f"{LOOK.format(other)}; {LOOK.format(machine)}"
    )

    assert said == ["usable\nhidden"]
    assert session.sandbox_devices == [str(other)]


@pytest.mark.parametrize("name", ["GPU", "nvidia0", "/etc/passwd", "/dev/../etc", "/devices"])
def test_what_is_no_device_is_refused_when_the_server_starts(name):
    with pytest.raises(TraitError, match=r"neither `gpu` nor the path of a device"):
        AgorApp(sandbox_devices=[name])


def test_the_variables_that_choose_a_gpu_reach_agents():
    agent = AgentType(name="a", label="A", icon="a", command=["a"])

    env = environment.build(agent, "run", source={"CUDA_VISIBLE_DEVICES": "1", "PATH": "/bin"})

    assert env["CUDA_VISIBLE_DEVICES"] == "1"
