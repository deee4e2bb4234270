"""How each real agent is brought to ask the model of the tests: files in a home folder of its own, and variables of the server."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agor_jupyter.agents import catalogue
from agor_jupyter.domain.agents import AgentType
from harness.model_server.script import script

KEY = "sk-only-for-tests-0123456789"

Steps = tuple[dict[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Kit:
    """One agent in the tests. What it can do is said by the catalogue; what it cannot do by its nature the cases show, too."""

    name: str
    files: Callable[[str], dict[str, Any]] = lambda _url: {}
    """By their paths below the home folder, from the model's URL; JSON, or text as it is."""
    variables: Callable[[str], dict[str, str]] = lambda _url: {}
    prompt: Callable[..., str] = script
    """The prompt that makes it do these steps."""
    models: tuple[tuple[str, str], ...] = ()
    """What to choose, and what the request then names."""
    mode: str
    """Another than the one that we set."""
    asks_in_mode: bool = False
    """It asks before it edits in that mode, too. Else it edits at once."""
    for_tools: dict[str, str] = field(default_factory=dict)
    """Options with which it shows the model the tools of MCP servers at once, instead of a search for them."""
    remembers: bool = True
    """It has a conversation, which the model's next request carries."""

    @property
    def agent(self) -> AgentType:
        return catalogue.discover()[self.name]

    def prepare(self, home: Path, url: str) -> dict[str, str]:
        """Make the home folder. Returns the variables of the server that the agent needs."""
        for name, content in self.files(url).items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        temporary = home / "tmp"  # Codex refuses a home below the folder for temporary files
        temporary.mkdir(parents=True)
        return {"HOME": str(home), "TMPDIR": str(temporary), **self.variables(url)}


def _block(*steps: dict[str, Any]) -> str:
    """For the script agent, which has no model: one block each. Words are printed."""
    return "\n".join(f"```bash\n{_command(step)}\n```" for step in steps)


def _command(step: dict[str, Any]) -> str:
    if step.get("do") == "shell":
        return step["cmd"]
    if step.get("do") == "write":
        return f"cat > '{step['path']}' <<'END_OF_FILE'\n{step['content'].rstrip()}\nEND_OF_FILE"
    pause = f"sleep {step['delay']}; " if step.get("delay") else ""
    return f"for n in $(seq {step.get('times', 1)}); do {pause}printf %s {json.dumps(step['text'])}; done"


def _codex_config(url: str) -> str:
    provider = {"name": "tests", "base_url": f"{url}/v1", "env_key": "OPENAI_API_KEY", "wire_api": "responses"}
    lines = ['model = "gpt-5.5"', 'model_provider = "tests"', "[model_providers.tests]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in provider.items()]
    return "\n".join([*lines, "request_max_retries = 1", "stream_max_retries = 1", ""])


def _opencode_config(url: str) -> dict[str, Any]:
    model = {"limit": {"context": 128_000, "output": 8_000}, "cost": {"input": 3, "output": 15}}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Tests",
        "options": {"baseURL": f"{url}/v1", "apiKey": "{env:OPENAI_API_KEY}"},
        "models": {"one": {"name": "One", **model}, "two": {"name": "Two", **model}},
    }
    chosen = {"model": "tests/one", "small_model": "tests/one"}
    return {"provider": {"tests": provider}, **chosen, "autoupdate": False, "share": "disabled"}


_GEMINI_SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
    "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False, "maxAttempts": 2},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
}

KITS = {
    kit.name: kit
    for kit in (
        Kit(name="script", prompt=_block, mode="auto", remembers=False),
        Kit(
            name="claude",
            files=lambda _url: {
                ".claude/settings.json": {
                    "env": {
                        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                        "DISABLE_TELEMETRY": "1",
                        "CLAUDE_CODE_MAX_RETRIES": "1",
                    }
                }
            },
            variables=lambda url: {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY},
            models=(("haiku", "claude-haiku-"), ("sonnet", "claude-sonnet-")),
            mode="acceptEdits",
        ),
        Kit(
            name="codex",
            files=lambda url: {".codex/config.toml": _codex_config(url)},
            variables=lambda _url: {"OPENAI_API_KEY": KEY},
            models=(("gpt-5.6-luna", "gpt-5.6-luna"), ("gpt-6-sol", "gpt-6-sol")),
            mode="workspace-write",
            for_tools={"model": "gpt-6-sol"},
        ),
        Kit(
            name="gemini",
            files=lambda _url: {".gemini/settings.json": _GEMINI_SETTINGS},
            variables=lambda url: {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": url},
            models=(("gemini-2.5-pro", "gemini-2.5-pro"), ("gemini-3-flash-preview", "gemini-3-flash-preview")),
            mode="autoEdit",
        ),
        Kit(
            name="opencode",
            files=lambda url: {".config/opencode/opencode.json": _opencode_config(url)},
            variables=lambda _url: {"OPENAI_API_KEY": KEY},
            models=(("tests/two", "two"), ("tests/one", "one")),
            mode="plan",
            asks_in_mode=True,
        ),
    )
}


CACHE = Path(os.environ.get("AGOR_AGENTS_CACHE") or "~/.cache/agor-jupyter/agents").expanduser()
"""Where `make test-agents` installs the agents: a data folder with nothing else in it."""
