"""What a sandbox has to show of the programs that run in it."""

from pathlib import Path

from agor_jupyter.executors import sandbox


def test_an_agent_that_was_installed_is_seen_with_its_node_and_all_that_its_script_needs(tmp_path: Path):
    home, agents = tmp_path / "home", tmp_path / "home" / ".local" / "agor" / "agents"
    node, modules = agents / ".node" / "24.0.0", agents / "tiny" / "2.0.0" / "node_modules"
    script = modules / "@acme" / "tiny-acp" / "run.js"
    for file in (node / "bin" / "node", node / "lib" / "node_modules" / "npm" / "package.json", modules / "other" / "index.js", script):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(0o755)

    seen = sandbox.programs([str(node / "bin" / "node"), str(script), "--acp"], f"/usr/bin:{node / 'bin'}", home)

    assert {node, modules} <= set(seen)
    assert not any(home.is_relative_to(one) for one in seen)


def test_a_script_of_ones_own_is_seen_alone(tmp_path: Path):
    script = tmp_path / "home" / "shout.py"
    script.parent.mkdir()
    script.touch()

    seen = sandbox.programs(["python3", str(script)], "/usr/bin", tmp_path / "home")

    assert script in seen
    assert script.parent not in seen
