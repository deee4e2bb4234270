"""A private server has what the person's settings give the extension, and nothing else of them."""

import json
import os

import pytest

import agor_jupyter
from agor_jupyter.client import Client, PrivateServer, discovery, settings
from agor_jupyter.server.extension import AgorApp

ENTRY = {"name": "mine", "label": "Mine", "icon": "ag-agent", "command": ["my-agent", "--acp"]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    found = tmp_path / "config"
    found.mkdir()
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(found))
    monkeypatch.delenv("JUPYTER_NO_CONFIG", raising=False)
    return found


def test_all_files_that_a_server_reads_count_and_the_more_special_wins(folder):
    (folder / "jupyter_server_config.json").write_text(json.dumps({"AgorApp": {"max_running": 3, "quiet_s": 1}, "ServerApp": {"port": 1}}))
    (folder / "jupyter_server_config.d").mkdir()
    (folder / "jupyter_server_config.d" / "site.json").write_text(json.dumps({"AgorApp": {"sandbox": "required"}}))
    (folder / "jupyter_lab_config.py").write_text("c.AgorApp.max_running = 4\nc.LabApp.dev_mode = True\n")

    found = settings.read(folder)

    assert {name: found.AgorApp[name] for name in found.AgorApp} == {"max_running": 4, "quiet_s": 1, "sandbox": "required"}
    assert set(found) == {"AgorApp"}


def test_a_file_that_cannot_be_read_is_left_out(folder, caplog):
    (folder / "jupyter_server_config.py").write_text("c.AgorApp.max_running = 1 / 0\n")
    (folder / "agor_jupyter_config.json").write_text(json.dumps({"AgorApp": {"max_running": 5}}))

    assert settings.read(folder).AgorApp.max_running == 5
    assert "jupyter_server_config.py were left out: division by zero" in caplog.text


def test_none_are_read_where_jupyter_is_told_to_read_none(folder, monkeypatch):
    (folder / "jupyter_server_config.json").write_text(json.dumps({"AgorApp": {"max_running": 3}}))
    monkeypatch.setenv("JUPYTER_NO_CONFIG", "1")

    assert not settings.read(folder)


@pytest.mark.timeout(60)
def test_a_private_server_has_the_configured_agents_and_not_the_address_of_another(folder, tmp_path):
    other = {"port": 1, "ip": "0.0.0.0", "token": "known", "base_url": "/other/"}
    (folder / "jupyter_server_config.json").write_text(json.dumps({"AgorApp": {"agents": [ENTRY]}, "ServerApp": other}))

    with PrivateServer(tmp_path, data_dir=tmp_path / "data") as server:
        agents = Client(server.url, server.token).get("agents")

    assert "mine" in {one["agent"]["name"] for one in agents}
    assert server.url.startswith("http://127.0.0.1:")
    assert not server.url.endswith("/other/")


def test_relative_paths_begin_in_the_folder_where_it_is_started(folder, tmp_path):
    places = {"data_dir": "data", "key_file": "~/key", "allowed_roots": ["repos", "/srv"], "sandbox_read": [], "sandbox_write": ["../out"]}
    (folder / "jupyter_server_config.json").write_text(json.dumps({"AgorApp": places}))

    found = settings.read(tmp_path / "here").AgorApp

    here = tmp_path / "here"
    assert found.data_dir == str(here / "data")
    assert found.key_file == os.path.expanduser("~/key")
    assert found.allowed_roots == [str(here / "repos"), "/srv"]
    assert found.sandbox_read == []
    assert found.sandbox_write == [str(here / "../out")]
    assert set(places) == set(settings.PLACES)


def test_every_setting_that_names_a_file_or_a_folder_is_known_as_one():
    words = ("Folder for", "File with", "Folders and files", "Folders in which")
    named = {name for name, trait in AgorApp.class_own_traits(config=True).items() if any(word in trait.help for word in words)}

    assert named == set(settings.PLACES)


@pytest.mark.parametrize("odd", [7, None, ["a"], {"a": 1}])
def test_a_data_folder_that_is_no_text_is_refused_by_the_server_and_not_by_who_looks_for_it(folder, odd):
    (folder / "jupyter_server_config.json").write_text(json.dumps({"AgorApp": {"data_dir": odd}}))

    assert settings.data_dir(folder) is None


@pytest.fixture
def alone(folder, tmp_path, monkeypatch):
    """A process that no server told where it is."""
    for name in ("AGOR_SERVER_FILE", "JPY_PARENT_PID", "AGOR_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.mark.timeout(60)
def test_connecting_finds_the_configured_data_folder_and_all_else_that_is_configured(folder, alone):
    lines = ["c.AgorApp.data_dir = 'state/agor'", f"c.AgorApp.agents = [{ENTRY}]", "c.AgorApp.backup_days = 3", "c.ServerApp.port = 1"]
    (folder / "jupyter_server_config.py").write_text("\n".join(lines))

    hub = agor_jupyter.connect()
    try:
        kept, agents = hub.me.data_dir, [one.name for one in hub.agents]
        again = agor_jupyter.connect()
        held = discovery.holder(alone / "state" / "agor")
    finally:
        hub.stop()

    assert kept == str(alone / "state" / "agor")
    assert "mine" in agents
    assert again.url == hub.url
    assert held is not None
    assert held.url == hub.url


@pytest.mark.timeout(60)
def test_a_server_that_has_the_configured_data_is_found(folder, alone, tmp_path):
    (folder / "jupyter_server_config.json").write_text(json.dumps({"AgorApp": {"data_dir": str(tmp_path / "shared")}}))

    with PrivateServer(tmp_path) as running:
        Client(running.url, running.token).get("me")
        found = agor_jupyter.connect()

        assert found.url == running.url
        assert found.me.data_dir == str(tmp_path / "shared")


def test_the_environment_overrides_the_settings(folder, alone, monkeypatch):
    (folder / "jupyter_server_config.json").write_text(json.dumps({"AgorApp": {"data_dir": "of-the-settings"}}))
    by_settings = discovery.data_dir()
    monkeypatch.setenv("AGOR_DATA_DIR", "of-the-environment")

    assert by_settings == alone / "of-the-settings"
    assert discovery.data_dir() == alone / "of-the-environment"


def test_without_either_it_is_jupyters_data_folder(folder, alone, tmp_path):
    assert discovery.data_dir() == tmp_path / "jupyter" / "agor"
