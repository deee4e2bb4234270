"""Agents from a cell and a shell, on a server of their own that has an npm registry of our own."""

import subprocess
import sys
from pathlib import Path

import pytest

import agor_jupyter as agor
from agor_jupyter.agents import catalogue
from tests.npm_registry import Registry, link_node

pytestmark = pytest.mark.timeout(90)


@pytest.fixture(scope="module")
def registry():
    found = Registry()
    yield found
    found.close()


@pytest.fixture(scope="module")
def own(here, registry):
    data = here / "own"
    link_node(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("npm_config_registry", registry.url)
        patch.setenv("HOME", str(here))
        for name in catalogue.discover()["gemini"].sign_in.key_env:
            patch.delenv(name, raising=False)
        hub = agor.connect(data_dir=data)
        yield hub
        hub.stop()


def put(registry, agent, version=None):
    """Something small in the place of the real package."""
    kind = catalogue.discover()[agent]
    name, _, pinned = kind.install.package.rpartition("@")
    registry.put(name, version or pinned, bin={kind.command[0]: "run.js"})


def test_an_agent_is_installed_from_a_cell(own, registry):
    put(registry, "gemini")
    before = own.agents["gemini"]

    done = own.agents["gemini"].install()

    pinned = catalogue.discover()["gemini"].install.package.rpartition("@")[2]
    assert done.record.pinned == pinned
    assert (done.is_installed, done.version, done.is_signed_in) == (True, pinned, False)
    assert done.check().version == pinned
    assert done.sign_in.endswith("run.js")
    assert repr(done) == f"Agent 'gemini' (Gemini CLI {pinned}), installed, not signed in"
    assert "not signed in" in done._repr_html_()
    assert own.agents.df.set_index("name")["is_managed"]["gemini"]
    assert before.record.is_managed is False


def test_what_went_wrong_is_said(own):
    with pytest.raises(agor.errors.InstallFailed, match=r"no such package \(E404\)"):
        own.agents["codex"].install()

    assert own.agents["codex"].record.install_state == "failed"
    with pytest.raises(agor.errors.NotInstallable, match="built in"):
        own.agents["script"].install()


def test_a_shell_waits_for_the_end_of_an_installation(own, registry, here):
    put(registry, "opencode")
    broken = subprocess.run(
        [sys.executable, "-m", "agor_jupyter.cli", "--data-dir", here / "own", "agent", "install", "opencode"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    put(registry, "claude")
    done = subprocess.run(
        [sys.executable, "-m", "agor_jupyter.cli", "--data-dir", here / "own", "agent", "install", "claude"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert broken.returncode == 1
    assert "its script postinstall.mjs failed" in broken.stderr
    assert done.returncode == 0, done.stderr
    assert "sign in with" in done.stdout
    assert Path(own.agents["claude"].record.path).is_relative_to(here / "own")


def test_a_stored_key_is_a_sign_in(own):
    own.http.request("PATCH", "variables/GEMINI_API_KEY", body={"value": "gemini-secret-1"})

    assert own.agents["gemini"].is_signed_in
    own.http.request("DELETE", "variables/GEMINI_API_KEY", key="forget")
    assert own.agents["gemini"].is_signed_in is False
