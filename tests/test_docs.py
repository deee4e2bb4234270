"""What the README and the guide show is run; every command, option and trait is documented."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import typer.main

from agor_jupyter.cli.app import app

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "guide"
PAGES = [ROOT / "README.md", *sorted(GUIDE.glob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

RUNNER = """
import ast, asyncio, json, sys
from agor_jupyter.notebook.sample import sample
sample("warehouse")
space = {}
async def main():
    for number, block in enumerate(json.loads(sys.stdin.read())):
        code = compile(block, f"block {number}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = eval(code, space)
        if asyncio.iscoroutine(result):
            await result
asyncio.run(main())
"""


def blocks(page, language):
    return [code for found, code in FENCE.findall(page.read_text()) if found == language]


@pytest.fixture
def environment(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGOR_", "JPY_", "JUPYTER"))}
    bin_dir = Path(sys.executable).parent
    return kept | {
        "AGOR_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "AGOR_KEY_FILE": str(tmp_path / "keys" / "key"),
        "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}",
    }


@pytest.mark.timeout(240)
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_the_python_of_the_docs_runs(page, tmp_path, environment):
    import json

    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(blocks(page, "python")),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")], ids=lambda page: page.name)
def test_the_commands_of_the_docs_run(page, tmp_path, environment):
    subprocess.run([sys.executable, "-c", "import agor_jupyter; agor_jupyter.sample('warehouse')"], cwd=tmp_path, check=True)
    script = "set -e\n" + "\n".join(blocks(page, "sh"))

    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]


def commands(command, path=()):
    """Every command with its words; duck typing, because typer carries its own click in later versions."""
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from commands(child, (*path, name))
    else:
        yield path, command


COMMANDS = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[" ".join(path) for path, _ in COMMANDS])
def test_every_command_and_option_is_documented(path, command):
    page = (GUIDE / "shell.md").read_text()
    start = re.search(rf"^`jupyter agor {' '.join(path)}[ `]", page, re.MULTILINE)
    assert start, f"docs/guide/shell.md does not have: jupyter agor {' '.join(path)}"
    section = page[start.start() :].split("\n`jupyter agor ", 1)[0]

    for parameter in command.params:
        if parameter.param_type_name == "option" and parameter.name not in {"help", "as_json"}:
            assert f"`{parameter.opts[0]}`" in section


def test_every_command_of_a_noun_prints_json():
    without = {path[-1] for path, command in COMMANDS if "as_json" not in {parameter.name for parameter in command.params}}

    assert without == {"demo"}


def test_the_documented_commands_exist():
    page = (GUIDE / "shell.md").read_text()
    documented = {
        tuple(re.match(r"((?:[a-z]+ ?)+)", line)[1].split()) for line in re.findall(r"^`jupyter agor ([^`]+)`", page, re.MULTILINE)
    }

    assert documented == {path for path, _ in COMMANDS}


def test_every_trait_is_documented_with_its_help():
    from agor_jupyter.server.extension import AgorApp

    page = (GUIDE / "configuration.md").read_text()

    for name, trait in AgorApp.class_own_traits(config=True).items():
        assert f"| `AgorApp.{name}` | {trait.help} |" in page, f"docs/guide/configuration.md does not say what AgorApp.{name} does"


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"(?<!!)\[[^]]*\]\(([^)#]+)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_the_guide_says_what_roles_cannot_do():
    assert "the same Unix user; the roles stop mistakes, not malice" in (GUIDE / "security.md").read_text()


def test_every_tool_for_agents_and_every_name_of_a_template_is_documented() -> None:
    from agor_jupyter.domain.templates import TemplateContext
    from agor_jupyter.mcp.tools import discover

    tools = (ROOT / "docs/guide/workflows.md").read_text()
    templates = (ROOT / "docs/guide/templates.md").read_text()

    assert [name for name in discover() if f"`{name}`" not in tools] == []
    nouns = [get_args(noun.annotation) or (noun.annotation,) for noun in TemplateContext.model_fields.values()]
    fields = {name for noun in nouns for name in noun[0].model_fields}
    assert [name for name in {*TemplateContext.model_fields, *fields} if f"`{name}`" not in templates] == []


@pytest.mark.parametrize("folder", ["guide", "how-to", "decisions"])
def test_every_page_can_be_found(folder):
    home = ROOT / "docs" / folder
    index = ROOT / "README.md" if folder == "how-to" else home / ("index.md" if folder == "guide" else "README.md")
    listed = {(index.parent / target).resolve() for target in re.findall(r"\]\(([^)#]+\.md)", index.read_text())}

    assert {page.resolve() for page in home.glob("*.md")} - {index.resolve()} <= listed


def test_the_tables_of_agents_are_those_of_the_catalogue():
    done = subprocess.run(
        [sys.executable, "scripts/make_agents_table.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_the_table_of_tools_is_that_of_the_code():
    done = subprocess.run(
        [sys.executable, "scripts/make_workflow_tables.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_every_field_of_an_agent_is_documented():
    from agor_jupyter.domain.agents import AgentType

    page = (ROOT / "docs/how-to/add-an-agent.md").read_text()
    table = "".join(line.partition("| ")[2].partition(" |")[0] for line in page.splitlines() if line.startswith("| `"))

    subjects = {
        name: field.annotation.model_fields for name, field in AgentType.model_fields.items() if hasattr(field.annotation, "model_fields")
    }
    names = [name for name in AgentType.model_fields if name not in subjects]
    names += [f"{subject}.{name}" for subject, fields in subjects.items() for name in fields]

    assert len(names) > 50
    assert [name for name in names if f"`{name}`" not in table] == []


def test_every_term_of_the_glossary_is_in_the_file_that_it_names():
    page = (ROOT / "docs/how-to/words.md").read_text()
    rows = re.findall(r"^\| (.+?) \| .+ \| `(\w+)` \| `(\S+)` \|$", page, re.MULTILINE)

    assert len(rows) == len(re.findall(r"^\| (?!Term|---)", page, re.MULTILINE))
    assert [term for term, name, file in rows if not re.search(rf"\b{name}\b", (ROOT / "agor_jupyter" / file).read_text())] == []
