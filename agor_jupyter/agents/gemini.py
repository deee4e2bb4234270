"""Gemini CLI, which speaks ACP itself."""

from agor_jupyter.domain.agents import AgentType

AGENT = AgentType(
    name="gemini",
    label="Gemini CLI",
    icon="ag-gemini",
    command=["gemini", "--acp"],
    install="npm install -g @google/gemini-cli",
    pass_env=["GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"],
    can_load=True,
    mode="default",
)
