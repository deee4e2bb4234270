import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from agor_jupyter.agents import catalogue
from agor_jupyter.domain.agents import AgentType, FailureSigns, Installation, SignIn
from agor_jupyter.domain.errors import AgentNotFound, AgentNotInstalled
from agor_jupyter.executors import environment
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.config import Config

ROOT = Path(__file__).parents[2]
CONFIG = Config(data_dir=Path("/nowhere"), root_dir=Path("/nowhere"), allowed_roots=())


def agents(*configured: AgentType) -> Agents:
    return Agents(dataclasses.replace(CONFIG, agents=configured))


def test_the_catalogue_has_the_built_in_agent_and_the_great_four():
    assert list(catalogue.discover()) == ["script", "claude", "codex", "gemini", "opencode"]


@pytest.mark.parametrize("agent", catalogue.discover().values(), ids=lambda agent: agent.name)
def test_an_entry_says_all_that_a_person_needs(agent):
    assert agent.command
    assert agent.is_builtin or (
        agent.install.package and agent.install.node and agent.install.version_args and agent.sign_in.command and agent.sign_in.files
    )
    assert set(agent.sign_in.key_env) <= set(agent.pass_env)
    assert agent.sign_in.command[:1] == agent.command[:1] or agent.is_builtin
    assert environment.build(agent, "ru_1", source={})["AGOR_RUN_ID"] == "ru_1"


def test_each_icon_of_the_catalogue_and_of_the_docs_is_in_the_set():
    known = set(re.findall(r"^  '(ag-[a-z]+)':", (ROOT / "js" / "src" / "icons.ts").read_text(), re.MULTILINE))
    named = {agent.name: {agent.icon} for agent in catalogue.discover().values()}

    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        named[page.name] = set(re.findall(r"\bag-[a-z]+\b", page.read_text()))

    assert {where: icons - known for where, icons in named.items() if icons - known} == {}
    assert "ag-agent" in named["configuration.md"]


def test_an_agent_that_asks_by_itself_is_put_in_a_mode_that_asks():
    assert catalogue.discover()["codex"].permissions.mode == "read-only"


def test_the_script_agent_is_always_here():
    assert agents().require_installed("script").is_builtin
    assert agents().status("script").origin == "builtin"


def test_an_agent_of_the_configuration_is_added_or_replaces():
    mine = AgentType(name="mine", label="Mine", icon="ag-script", command=[sys.executable, "x.py"])
    claude = AgentType(name="claude", label="Ours", icon="x", command=["no-such-command"])

    listed = {status.agent.name: status for status in agents(mine, claude).list()}

    assert (listed["mine"].is_installed, listed["mine"].path, listed["mine"].origin) == (True, sys.executable, "configuration")
    assert (listed["claude"].agent.label, listed["claude"].is_installed) == ("Ours", False)


def test_an_unknown_agent_says_which_there_are():
    with pytest.raises(AgentNotFound, match="Available: claude, codex, gemini, opencode, script"):
        agents().get("cluade")


def test_a_missing_agent_says_how_to_install_it(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(AgentNotInstalled, match="Install it with: jupyter agor agent install claude"):
        agents().require_installed("claude")


@pytest.mark.parametrize("package", ["x@latest", "x@^1.2.3", "x", "x@1.2", "../x@1.2.3", "git+https://example.org/x@1.2.3", "-x@1.2.3"])
def test_a_package_is_pinned_to_one_version_or_refused(package):
    with pytest.raises(ValidationError, match="package"):
        AgentType(name="mine", label="Mine", icon="x", command=["x"], install=Installation(package=package))


@pytest.mark.parametrize("name", ["", "../x", ".node", "a/b", "a b"])
def test_a_name_that_is_no_folder_is_refused(name):
    with pytest.raises(ValidationError, match="name"):
        AgentType(name=name, label="Mine", icon="x", command=["x"])


def test_a_pattern_that_does_not_compile_is_refused():
    with pytest.raises(ValidationError, match="not a regular expression: unterminated"):
        AgentType(name="mine", label="Mine", icon="x", command=["x"], failures=FailureSigns(chatter="[a"))
    with pytest.raises(ValidationError, match="not a regular expression"):
        FailureSigns(patterns=["ok", "("])


def test_who_is_signed_in_has_a_key_or_a_file(tmp_path, monkeypatch):
    kind = AgentType(
        name="mine",
        label="Mine",
        icon="x",
        command=["x"],
        pass_env=["MINE_KEY"],
        sign_in=SignIn(key_env=["MINE_KEY", "OTHER_KEY"], files=["$MINE_HOME/auth.json", ".mine/auth.json"]),
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("MINE_KEY", "OTHER_KEY", "MINE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def is_signed_in(variables=()):
        return agents(kind).status("mine", variables).is_signed_in

    assert is_signed_in() is False
    assert is_signed_in(["OTHER_KEY"]) is True
    monkeypatch.setenv("OTHER_KEY", "x")  # the server has it, and does not pass it on
    assert is_signed_in() is False
    monkeypatch.setenv("MINE_KEY", "x")
    assert is_signed_in() is True
    monkeypatch.setenv("MINE_KEY", "")
    assert is_signed_in() is False
    (tmp_path / ".mine").mkdir()
    (tmp_path / ".mine" / "auth.json").write_text("{}")
    assert is_signed_in() is True
    (tmp_path / ".mine" / "auth.json").rename(tmp_path / "auth.json")
    assert is_signed_in() is False
    monkeypatch.setenv("MINE_HOME", str(tmp_path))
    assert is_signed_in() is True
    assert agents().status("script").is_signed_in is None


def test_who_is_signed_in_may_keep_the_file_where_a_variable_says(tmp_path, monkeypatch):
    for name in catalogue.discover()["opencode"].sign_in.key_env:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "data" / "opencode").mkdir(parents=True)

    before = agents().status("opencode").is_signed_in
    (tmp_path / "data" / "opencode" / "auth.json").write_text("{}")
    after = agents().status("opencode").is_signed_in
    monkeypatch.delenv("XDG_DATA_HOME")
    below_home = agents().status("opencode").is_signed_in

    assert (before, after, below_home) == (False, True, False)


def test_listing_starts_no_process(monkeypatch):
    def refuse(*_args, **_keywords):
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)

    assert len(agents().list()) == 5


def test_the_script_agent_loads_nothing_it_does_not_need():
    program = (
        "import sys; sys.path.append(sys.argv[1]); import agor_jupyter.agents.runner.agent;"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'pydantic', 'asyncio', 'acp', 'sqlalchemy', 'pathlib'}))"
    )
    root = str(Path(catalogue.__file__).parents[2])

    loaded = subprocess.run([sys.executable, "-I", "-S", "-c", program, root], capture_output=True, text=True, check=True).stdout

    assert loaded == "[]\n"


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"key_env": ["MINE_KEY"]}, '`key_env` is sign_in.key_env: write "sign_in": {"key_env": …}'),
        ({"sign_in_files": [".mine"]}, '`sign_in_files` is sign_in.files: write "sign_in": {"files": …}'),
        ({"sign_in": ["mine", "login"]}, '`sign_in` is sign_in.command: write "sign_in": {"command": …}'),
        ({"install": "brew install mine"}, '`install` is install.by_hand: write "install": {"by_hand": …}'),
        ({"failure_signs": {}}, "`failure_signs` is called `failures`"),
    ],
)
def test_a_field_beside_its_record_is_refused_with_its_place(given, place):
    with pytest.raises(ValueError, match=re.escape(place)):
        AgentType.model_validate({"name": "mine", "label": "Mine", "icon": "x", "command": ["x"], **given})


def test_a_field_that_is_none_is_refused_by_its_name():
    with pytest.raises(ValueError, match="sign_inn"):
        AgentType.model_validate({"name": "mine", "label": "Mine", "icon": "x", "command": ["x"], "sign_inn": ["mine"]})
