"""A private server has what the person's settings give the extension, and nothing else of them."""

import json

import pytest

from agor_jupyter.client import Client, PrivateServer
from agor_jupyter.server import settings

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

    found = settings.read()

    assert {name: found.AgorApp[name] for name in found.AgorApp} == {"max_running": 4, "quiet_s": 1, "sandbox": "required"}
    assert set(found) == {"AgorApp"}


def test_a_file_that_cannot_be_read_is_left_out(folder, caplog):
    (folder / "jupyter_server_config.py").write_text("c.AgorApp.max_running = 1 / 0\n")
    (folder / "agor_jupyter_config.json").write_text(json.dumps({"AgorApp": {"max_running": 5}}))

    assert settings.read().AgorApp.max_running == 5
    assert "jupyter_server_config.py were left out: division by zero" in caplog.text


def test_none_are_read_where_jupyter_is_told_to_read_none(folder, monkeypatch):
    (folder / "jupyter_server_config.json").write_text(json.dumps({"AgorApp": {"max_running": 3}}))
    monkeypatch.setenv("JUPYTER_NO_CONFIG", "1")

    assert not settings.read()


@pytest.mark.timeout(60)
def test_a_private_server_has_the_configured_agents_and_not_the_address_of_another(folder, tmp_path):
    other = {"port": 1, "ip": "0.0.0.0", "token": "known", "base_url": "/other/"}
    (folder / "jupyter_server_config.json").write_text(json.dumps({"AgorApp": {"agents": [ENTRY]}, "ServerApp": other}))

    with PrivateServer(tmp_path, data_dir=tmp_path / "data") as server:
        agents = Client(server.url, server.token).get("agents")

    assert "mine" in {one["agent"]["name"] for one in agents}
    assert server.url.startswith("http://127.0.0.1:")
    assert not server.url.endswith("/other/")
