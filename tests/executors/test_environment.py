"""What an agent sees of the server's environment, and what nobody can give it."""

import json
import os
import sys

import pytest

from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.errors import BadName
from agor_jupyter.executors import environment
from agor_jupyter.executors.local import LocalExecutor

AGENT = AgentType(name="x", label="X", icon="x", command=["x"], env={"QUIRK": "1"}, pass_env=["X_API_KEY"])
CANARIES = [
    "JUPYTER_TOKEN", "JUPYTER_PATH", "JPY_API_TOKEN", "JPY_PARENT_PID", "HUB_TOKEN", "JUPYTERHUB_API_TOKEN", "AGOR_SERVER_FILE", "AGOR_DATA_DIR",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_CLIENT_SECRET", "DATABASE_URL", "PGPASSWORD",
    "LD_PRELOAD", "LD_LIBRARY_PATH", "GIT_DIR", "GIT_SSH_COMMAND", "PYTHONPATH", "PYTHONSTARTUP", "NODE_OPTIONS", "BASH_ENV", "ENV",
    "OTHER_API_KEY", "SSH_AUTH_SOCK", "VIRTUAL_ENV", "GH_TOKEN", "HTTPS_PROXY",
]  # fmt: skip
SOURCE = {
    **dict.fromkeys(CANARIES, "http://canary:canary@x"),
    **{
        name: name
        for name in (
            "PATH",
            "HOME",
            "USER",
            "LANG",
            "LC_ALL",
            "TERM",
            "TZ",
            "TMPDIR",
            "XDG_CONFIG_HOME",
            "SSL_CERT_FILE",
            "X_API_KEY",
            "MORE",
        )
    },
    "http_proxy": "http://proxy:3128",
}


def test_only_what_is_on_the_list_and_what_is_named_is_passed():
    env = environment.build(AGENT, "ru_1", pass_env=["MORE"], variables={"MINE": "2"}, source=SOURCE)

    assert env.pop("PATH") == f"PATH:{os.path.dirname(sys.executable)}"
    assert env == {
        **{
            name: name
            for name in ("HOME", "USER", "LANG", "LC_ALL", "TERM", "TZ", "TMPDIR", "XDG_CONFIG_HOME", "SSL_CERT_FILE", "X_API_KEY", "MORE")
        },
        "http_proxy": "http://proxy:3128",
        "QUIRK": "1",
        "MINE": "2",
        "AGOR_RUN_ID": "ru_1",
    }


async def test_a_running_agent_has_none_of_the_canaries(tmp_path):
    env = environment.build(AGENT, "ru_canary", source={**os.environ, **SOURCE, "PATH": os.environ["PATH"]})

    process = await LocalExecutor().spawn(
        [sys.executable, "-c", "import os, json; print(json.dumps(dict(os.environ)))"], tmp_path, env, "ru_canary"
    )
    seen = json.loads(await process.stdout.read())
    await process.stop()

    assert not set(seen) & set(CANARIES)
    assert "canary:" not in json.dumps(seen)
    assert "AGOR_SERVER_PID" not in seen


@pytest.mark.parametrize(
    "name",
    ["LD_PRELOAD", "PYTHONPATH", "PATH", "GIT_DIR", "NODE_OPTIONS", "JUPYTER_TOKEN", "BASH_ENV", "A=B", "", "1A", "A B", "ld_preload"],
)
def test_people_may_not_set_what_loads_code(name):
    with pytest.raises(BadName):
        environment.build(AGENT, "ru_1", variables={name: "x"}, source={})


def test_a_value_with_nul_is_refused():
    with pytest.raises(BadName):
        environment.check_variables({"A": "x\0y"})


@pytest.mark.parametrize("name", ["JUPYTER_TOKEN", "LD_PRELOAD", "JPY_API_TOKEN", "AGOR_SERVER_FILE"])
def test_the_configuration_may_not_pass_the_servers_own(name):
    with pytest.raises(BadName):
        environment.build(AGENT, "ru_1", pass_env=[name], source={name: "x"})


def test_a_proxy_with_a_password_is_passed_only_by_name():
    source = {"HTTPS_PROXY": "http://me:secret@proxy"}

    assert "HTTPS_PROXY" not in environment.build(AGENT, "ru_1", source=source)
    assert "HTTPS_PROXY" in environment.build(AGENT, "ru_1", pass_env=["HTTPS_PROXY"], source=source)


def test_an_installer_gets_the_way_to_its_registry_and_no_secret_of_the_server():
    source = {
        "PATH": "/usr/bin",
        "HOME": "/home/ann",
        "https_proxy": "http://ann:pw@proxy:3128",
        "npm_config_registry": "https://registry.example.org/",
        "NPM_CONFIG_CAFILE": "/ca.pem",
        "npm_config_node_options": "--require=/tmp/x.js",
        "NPM_CONFIG_IGNORE_SCRIPTS": "false",
        "NODE_EXTRA_CA_CERTS": "/ca.pem",
        "NODE_OPTIONS": "--require=/tmp/x.js",
        "PIP_INDEX_URL": "https://index.example.org/",
        "JUPYTER_TOKEN": "x",
        "ANTHROPIC_API_KEY": "x",
        "PYTHONPATH": "/x",
        "LD_PRELOAD": "/x.so",
    }

    assert environment.for_installer(source).keys() == {
        "PATH", "HOME", "https_proxy", "npm_config_registry", "NPM_CONFIG_CAFILE", "NODE_EXTRA_CA_CERTS", "PIP_INDEX_URL",
    }  # fmt: skip


def test_an_agents_own_folders_come_last_on_its_path():
    agent = AgentType(name="mine", label="Mine", icon="x", command=["x"], path=["/data/node/bin"])

    path = environment.build(agent, "ru_1", source={"PATH": "/usr/bin"})["PATH"].split(":")

    assert (path[0], path[-1]) == ("/usr/bin", "/data/node/bin")


def test_a_persons_variable_does_not_change_what_the_catalogue_sets():
    agent = AgentType(name="x", label="X", icon="x", command=["x"], env={"X_PERMISSION": "ask"})

    built = environment.build(agent, "ru_1", variables={"X_PERMISSION": "allow", "MINE": "1"}, source={})

    assert (built["X_PERMISSION"], built["MINE"]) == ("ask", "1")
