"""Codex, through its ACP adapter, which brings its own binary."""

from agor_jupyter.domain.agents import AgentType

AGENT = AgentType(
    name="codex",
    label="Codex",
    icon="ag-codex",
    command=["codex-acp"],
    install="npm install -g @agentclientprotocol/codex-acp",
    env={"NO_BROWSER": "1"},
    pass_env=["OPENAI_API_KEY", "OPENAI_BASE_URL", "CODEX_API_KEY", "CODEX_HOME", "CODEX_PATH"],
    can_load=True,
    can_resume=True,
    can_fork=True,
    mode="read-only",  # its default, "agent", writes without asking
)
