"""Installing an agent, by the real npm from a registry of our own."""

import asyncio
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType, Installation, SignIn
from agor_jupyter.executors import installer
from agor_jupyter.processes import table
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.agents.installs import Installs
from agor_jupyter.services.config import Config
from tests.npm_registry import Registry, link_node

pytestmark = pytest.mark.timeout(90)

KIND = AgentType(
    name="tiny",
    label="Tiny",
    icon="ag-agent",
    command=["tiny-acp", "--acp"],
    install=Installation(package="@acme/tiny-acp@2.0.0", node=18, disk_mb=1, version_args=["--version"]),
    sign_in=SignIn(command=["tiny-acp", "login"]),
)


@pytest.fixture
def registry(monkeypatch):
    found = Registry()
    monkeypatch.setenv("npm_config_registry", found.url)
    yield found
    found.close()


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder that has this machine's Node as its own, so that none is fetched."""
    link_node(tmp_path / "data")
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "data"


@pytest.fixture
def installs(data):
    return Installs(data)


async def quiet(_: str) -> None:
    pass


def left(data: Path) -> list[str]:
    """What lies where new things are made."""
    new = data / "agents" / ".new"
    return os.listdir(new) if new.exists() else []


async def test_the_pinned_version_is_put_in_place_and_starts(registry, data, installs):
    registry.put("@acme/tiny-acp", "2.0.0")
    registry.put("@acme/tiny-acp", "3.0.0")
    steps = []

    async def step(text):
        steps.append(text)

    ready = await installs.install(KIND, step)

    node, script, *rest = ready.command
    assert subprocess.check_output([node, script, "--version"], text=True).strip() == "2.0.0"
    assert (Path(script).is_relative_to(data / "agents/tiny/2.0.0"), rest) == (True, ["--acp"])
    assert ready.sign_in.command == [node, script, "login"]
    assert ready.path == [str(Path(node).parent)]
    assert any("npm install @acme/tiny-acp@2.0.0" in text for text in steps)
    assert left(data) == []
    assert os.listdir(data.parent / "home") == [".npm"] or os.listdir(data.parent / "home") == []


async def test_what_is_there_is_not_fetched_again(registry, installs):
    registry.put("@acme/tiny-acp", "2.0.0")
    await installs.install(KIND, quiet)
    asked = len(registry.asked)

    await installs.install(KIND, quiet)

    assert len(registry.asked) == asked


async def test_two_at_once_do_one(registry, installs):
    registry.put("@acme/tiny-acp", "2.0.0")

    first, second = await asyncio.gather(installs.install(KIND, quiet), installs.install(KIND, quiet))

    assert first == second
    assert [path for path in registry.asked if path.endswith(".tgz")] == ["@acme/tiny-acp/-/2.0.0.tgz"]


async def test_an_engine_that_does_not_fit_is_refused_and_nothing_older_is_taken(registry, data, installs):
    registry.put("@acme/tiny-acp", "1.0.0")
    registry.put("@acme/tiny-acp", "2.0.0", engine=">=99")

    with pytest.raises(errors.InstallFailed, match=r"does not run on this Node \(EBADENGINE\)"):
        await installs.install(KIND, quiet)

    assert installs.find(KIND) is None
    assert not (data / "agents" / "tiny").exists()
    assert left(data) == []


async def test_another_version_than_was_asked_for_is_refused(registry, data, installs):
    registry.put("@acme/tiny-acp", "2.0.0", says="1.0.0")

    with pytest.raises(errors.InstallFailed, match=r"version 2\.0\.0 was requested, but 1\.0\.0 was installed"):
        await installs.install(KIND, quiet)

    assert installs.find(KIND) is None
    assert left(data) == []


async def test_a_program_that_does_not_run_is_refused(registry, installs):
    registry.put("@acme/tiny-acp", "2.0.0", program="throw new Error('no binary for this machine, %(version)s');")

    with pytest.raises(errors.InstallFailed, match=r"(?s)does not run on this machine.*no binary for this machine"):
        await installs.install(KIND, quiet)


async def test_only_the_named_script_of_a_package_is_run(registry, data, installs):
    write = "require('fs').writeFileSync(%r, JSON.stringify(process.env));"
    ran, bad = data / "ran", data / "bad"
    files = {"fit.js": write % str(ran)}
    registry.put("@acme/tiny-acp", "2.0.0", files=files, scripts={"postinstall": f'echo x > "{bad}"'})

    await installs.install(KIND.replace(install=KIND.install.replace(post_install="fit.js")), quiet)

    assert not bad.exists()
    assert "npm_config_registry" not in json.loads(ran.read_text())


async def test_a_newer_version_replaces_and_a_failed_one_does_not(registry, installs):
    registry.put("@acme/tiny-acp", "2.0.0")
    await installs.install(KIND, quiet)
    newer = KIND.replace(install=KIND.install.replace(package="@acme/tiny-acp@3.0.0"))

    with pytest.raises(errors.InstallFailed, match="no such version"):
        await installs.install(newer, quiet)

    assert installs.find(newer).version == "2.0.0"
    registry.put("@acme/tiny-acp", "3.0.0")
    await installs.install(newer, quiet)
    assert installs.find(newer).version == "3.0.0"
    assert installs.find(KIND).version == "2.0.0"  # an agent that runs keeps its files
    await installs.clear([newer])
    assert installs.find(newer).version == installs.find(KIND).version == "3.0.0"


async def test_a_node_that_no_agent_runs_on_goes(registry, data, installs):
    registry.put("@acme/tiny-acp", "2.0.0")
    nodes = data / "agents" / ".node"
    (nodes / installer.NODE_VERSION).rename(nodes / "18.0.0")
    (nodes / installer.NODE_VERSION).symlink_to("18.0.0")
    await installs.install(KIND, quiet)
    manifest = data / "agents" / "tiny" / "2.0.0" / "agor.json"
    manifest.write_text(manifest.read_text().replace(installer.NODE_VERSION, "18.0.0"))
    (nodes / "16.0.0").mkdir()

    await installs.clear([KIND])

    assert sorted(os.listdir(nodes)) == sorted(["18.0.0", installer.NODE_VERSION])
    assert installs.find(KIND).version == "2.0.0"


async def test_without_a_registry_it_says_so(data, installs, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")

    with pytest.raises(errors.InstallFailed, match="ECONNREFUSED"):
        await installs.install(KIND, quiet)

    assert left(data) == []


async def test_a_full_disk_is_said_before_anything_is_begun(registry, installs, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))

    with pytest.raises(errors.InstallFailed, match="1 MB are free"):
        await installs.install(KIND, quiet)

    assert registry.asked == []


async def test_a_data_folder_that_cannot_be_written_is_said(registry, data, installs):
    registry.put("@acme/tiny-acp", "2.0.0")
    (data / "agents" / ".new").write_text("in the way")

    with pytest.raises(errors.InstallFailed, match="File exists"):
        await installs.install(KIND, quiet)


async def test_the_secrets_of_the_server_stay_here(registry, installs, monkeypatch):
    monkeypatch.setenv("JUPYTER_TOKEN", "jupyter-secret-1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "anthropic-secret-1")
    monkeypatch.setenv("NPM_TOKEN", "registry-secret-1")
    seen = []
    real = installer.run

    async def watched(argv, **keywords):
        seen.append(keywords["env"])
        return await real(argv, **keywords)

    monkeypatch.setattr(installer, "run", watched)
    registry.put("@acme/tiny-acp", "2.0.0", program="console.error('%(version)s'); console.error(process.env); process.exit(3)")

    with pytest.raises(errors.InstallFailed) as caught:
        await installs.install(KIND, quiet)

    npm, program = seen
    assert {"npm_config_registry", "NPM_TOKEN"} <= npm.keys()
    assert "NPM_TOKEN" not in program
    assert not any({"JUPYTER_TOKEN", "ANTHROPIC_API_KEY"} & env.keys() for env in seen)
    assert not any(secret in caught.value.message for secret in ("jupyter-secret-1", "anthropic-secret-1", "registry-secret-1"))


async def test_a_cancel_leaves_nothing_and_no_process(registry, data, installs):
    registry.put("@acme/tiny-acp", "2.0.0")
    registry.hold.clear()
    work = asyncio.create_task(installs.install(KIND, quiet))
    await asyncio.to_thread(registry.wait_asked, ".tgz")
    mark = f"install.tiny.{os.getpid()}"
    assert table.marked(mark)

    work.cancel()
    await asyncio.gather(work, return_exceptions=True)

    assert table.marked(mark) == set()
    assert left(data) == []
    assert installs.find(KIND) is None


SERVER = """
import asyncio, sys
from pathlib import Path
from agor_jupyter.services.agents.installs import Installs
from tests.services.agents.test_installs import KIND, quiet
asyncio.run(Installs(Path(sys.argv[1])).install(KIND.replace(install=KIND.install.replace(package="@acme/tiny-acp@3.0.0")), quiet))
"""


async def test_a_killed_server_leaves_the_old_one_and_no_process(registry, data, installs):
    registry.put("@acme/tiny-acp", "2.0.0")
    await installs.install(KIND, quiet)
    registry.put("@acme/tiny-acp", "3.0.0")
    registry.hold.clear()
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(data)])
    await asyncio.to_thread(registry.wait_asked, "3.0.0.tgz")

    server.send_signal(signal.SIGKILL)
    server.wait()

    async with asyncio.timeout(10):
        while table.marked(f"install.tiny.{server.pid}"):
            await asyncio.sleep(0.05)
    later = Installs(data)
    assert later.find(KIND.replace(install=KIND.install.replace(package="@acme/tiny-acp@3.0.0"))).version == "2.0.0"
    assert left(data) != []
    await later.clear()
    assert left(data) == []


async def test_what_is_not_whole_is_not_there_and_is_made_again(registry, data, installs):
    registry.put("@acme/tiny-acp", "2.0.0")
    script = Path((await installs.install(KIND, quiet)).command[1])
    manifest = data / "agents" / "tiny" / "2.0.0" / "agor.json"
    whole = manifest.read_text()

    for broken in ("{", "[]", "{}", json.dumps({**json.loads(whole), "node": "/nowhere/node"})):
        manifest.write_text(broken)
        assert installs.find(KIND) is None
    manifest.write_text(whole)
    assert installs.find(KIND).version == "2.0.0"
    script.unlink()
    assert installs.find(KIND) is None
    await installs.install(KIND, quiet)

    assert installs.find(KIND).version == "2.0.0"
    assert left(data) == []


def test_what_cannot_be_installed_says_why(installs, monkeypatch):
    with pytest.raises(errors.NotInstallable, match="built in"):
        installs.check(KIND.replace(is_builtin=True))
    with pytest.raises(errors.NotInstallable, match="names no npm package; install it with: brew it"):
        installs.check(KIND.replace(install=Installation(by_hand="brew it")))
    monkeypatch.setattr("platform.machine", lambda: "s390x")
    with pytest.raises(errors.NotInstallable, match="x86-64 and ARM64 only"):
        installs.check(KIND)


async def test_a_machine_without_pip_and_uv_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(errors.InstallFailed, match="Install pip for this Python, or Node 22 or newer"):
        await Installs(tmp_path).install(KIND, quiet)

    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("says", "npm", "fits"),
    [
        ("v18.1.0", "npm-cli.js", False),
        ("v22.1.0", "npm-cli.js", True),
        ("v22.1.0", "volta-shim", False),
        ("nonsense", "npm-cli.js", False),
    ],
)
async def test_the_machines_node_is_used_when_it_fits(tmp_path, says, npm, fits):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "node").write_text(f"#!/bin/sh\necho {says}\n")
    (tools / npm).write_text("")
    (tools / "npm").symlink_to(npm)
    for file in ("node", npm):
        (tools / file).chmod(0o755)
    env = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(tmp_path / "home")}

    node = await installer.find_node(20, cwd=tmp_path, env=env)

    assert (node is not None) is fits
    assert await installer.find_node(20, cwd=tmp_path, env={**env, "HOME": str(tmp_path)}) is None  # a sandbox hides it


# As the service says it


@pytest.fixture
async def agents(data):
    told = []
    found = Agents(dataclasses.replace(Config(data_dir=data, root_dir=data, allowed_roots=()), agents=(KIND,)))

    async def announce(name):
        told.append(found.status(name))

    found.announce = announce
    found.told = told
    await found.start()
    yield found
    await found.close()


async def wait_done(agents):
    async with asyncio.timeout(60):
        while agents.status("tiny").install_state == "installing":
            await asyncio.sleep(0.02)
    return agents.status("tiny")


async def test_an_installation_is_followed_by_news(registry, agents, owner, steerer):
    registry.put("@acme/tiny-acp", "2.0.0")
    with pytest.raises(errors.NotAllowed):
        await agents.install(steerer, "tiny")

    begun = await agents.install(owner, "tiny")
    done = await wait_done(agents)

    assert (begun.install_state, begun.is_installed, begun.pinned) == ("installing", False, "2.0.0")
    assert (done.install_state, done.is_installed, done.is_managed, done.version) == (None, True, True, "2.0.0")
    await asyncio.sleep(0)
    assert agents.told[0].install_state == "installing"
    assert agents.told[-1] == done
    assert (await agents.install(owner, "tiny")).install_state is None
    assert agents.require_installed("tiny").command[1:] == [done.path, "--acp"]


async def test_a_failure_stays_until_it_is_tried_again(registry, agents, owner):
    await agents.install(owner, "tiny")
    failed = await wait_done(agents)
    registry.put("@acme/tiny-acp", "2.0.0")

    await agents.install(owner, "tiny")
    done = await wait_done(agents)

    assert failed.install_state == "failed"
    assert failed.install_step.startswith("the npm registry has no such package (E404)")
    assert (done.install_state, done.install_step) == (None, None)


async def test_the_servers_stop_ends_an_installation(registry, agents, owner, data):
    registry.put("@acme/tiny-acp", "2.0.0")
    registry.hold.clear()
    await agents.install(owner, "tiny")
    await asyncio.to_thread(registry.wait_asked, ".tgz")

    await agents.close()

    assert left(data) == []
    assert table.marked(f"install.tiny.{os.getpid()}") == set()


async def test_a_check_finds_out_what_no_longer_runs_and_an_installation_repairs_it(registry, agents, owner, steerer):
    registry.put("@acme/tiny-acp", "2.0.0")
    await agents.install(owner, "tiny")
    script = Path((await wait_done(agents)).path)
    before = await agents.check(steerer, "tiny")
    script.write_text("#!/usr/bin/env node\nconsole.error('a module is missing')\nprocess.exit(1)\n")

    broken = await agents.check(steerer, "tiny")
    await agents.install(owner, "tiny")
    repaired = await wait_done(agents)

    assert (before.is_installed, broken.is_installed, repaired.is_installed) == (True, False, True)
    assert (before.problem, broken.problem, repaired.problem) == (None, "it ended with code 1. Its last output: a module is missing", None)
    assert (await agents.check(steerer, "tiny")).is_installed


async def test_the_users_own_npm_settings_are_heard_but_cannot_bend_it(registry, data, installs, tmp_path, monkeypatch):
    registry.put("@acme/tiny-acp", "2.0.0")
    monkeypatch.delenv("npm_config_registry")
    bent = f"registry={registry.url}\nprefix={tmp_path / 'elsewhere'}\nglobal=true\nomit[]=optional\nignore-scripts=false\nengine-strict=false\n"
    (tmp_path / "home" / ".npmrc").write_text(bent + "package-lock=false\ninstall-strategy=linked\n")

    ready = await installs.install(KIND, quiet)

    assert Path(ready.command[1]).is_relative_to(data)
    assert not (tmp_path / "elsewhere").exists()


async def test_the_one_of_this_server_comes_before_the_one_on_the_path(registry, agents, owner, steerer, tmp_path, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "tiny-acp").write_text("#!/bin/sh\necho tiny-acp version 1.9.0; echo x >> $0.ran\n")
    (tools / "tiny-acp").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    registry.put("@acme/tiny-acp", "2.0.0")

    before = agents.status("tiny")
    asked = await agents.check(steerer, "tiny")
    await agents.check(steerer, "tiny")
    await agents.install(owner, "tiny")
    after = await wait_done(agents)

    assert (before.path, before.version, before.is_managed) == (str(tools / "tiny-acp"), None, False)
    assert (asked.version, agents.require_installed("tiny").command[-1]) == ("1.9.0", "--acp")
    assert (tools / "tiny-acp.ran").read_text() == "x\nx\n"
    assert (after.version, after.is_managed) == ("2.0.0", True)


async def test_a_program_of_the_machine_is_run_by_every_check_and_says_why_it_does_not_run(agents, steerer, tmp_path, monkeypatch):
    tools, library = tmp_path / "tools", tmp_path / "library"
    tools.mkdir()
    program = tools / "tiny-acp"
    program.write_text(f"#!/bin/sh\ncat {library} && exit $(cat {library})\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")

    broken = await agents.check(steerer, "tiny")
    library.write_text("0 # 1.9.0")
    repaired = await agents.check(steerer, "tiny")
    library.write_text("3 # 1.9.0")
    again = await agents.check(steerer, "tiny")
    program.write_text("#!/bin/sh\necho 1.9.1\n")
    os.utime(program, (1, 1))
    changed = agents.status("tiny")

    assert (broken.is_installed, broken.version, broken.state) == (True, None, "does not run")
    assert broken.problem.startswith("it ended with code 1. Its last output: cat: ")
    assert agents.told[0].problem == broken.problem
    assert (repaired.version, repaired.problem) == ("1.9.0", None)
    assert (again.version, again.problem) == (None, "it ended with code 3. Its last output: 3 # 1.9.0")
    assert (changed.version, changed.problem) == (None, None)


async def test_the_reason_shows_no_key(data, steerer, tmp_path, monkeypatch):
    program = tmp_path / "loud"
    program.write_text("#!/bin/sh\necho refused: $OUR_KEY $SET_HERE\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("OUR_KEY", "key-0123456789")
    kind = AgentType(
        name="loud", label="Loud", icon="x", command=[str(program)], env={"SET_HERE": "hidden-987654"}, pass_env=["OUR_KEY"],
        install=Installation(version_args=["-v"]),
    )  # fmt: skip
    agents = Agents(dataclasses.replace(Config(data_dir=data, root_dir=data, allowed_roots=()), agents=(kind,)))

    checked = await agents.check(steerer, "loud")

    assert checked.problem.startswith("it ended with code 1. Its last output: refused: ")
    assert "0123456789" not in checked.problem
    assert "987654" not in checked.problem
