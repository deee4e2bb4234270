"""opencode, which speaks ACP itself."""

from agor_jupyter.domain.agents import AgentType

AGENT = AgentType(
    name="opencode",
    label="opencode",
    icon="ag-opencode",
    command=["opencode", "acp"],
    install="npm install -g opencode-ai",
    env={
        "OPENCODE_PERMISSION": '{"edit":"ask","bash":"ask"}',  # its default allows everything
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    },
    pass_env=["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY", "OPENCODE_API_KEY", "OPENCODE_CONFIG"],
    can_load=True,
    can_resume=True,
    can_fork=True,
)
