"""Codex, through its ACP adapter, which brings its own binary."""

from agor_jupyter.domain.agents import (
    AgentType,
    Asking,
    Capabilities,
    FailureSigns,
    Installation,
    Lasting,
    McpSupport,
    SandboxHome,
    SignIn,
    UsageForm,
    WorktreeFiles,
)
from agor_jupyter.domain.records import JsonObject


def _by_key(name: str) -> JsonObject:
    """As a gateway, which it keeps in its memory. Its own sign-in with a key writes the key into a file that every session reads."""
    gateway = {
        "baseUrl": "${OPENAI_BASE_URL:-https://api.openai.com/v1}",
        "headers": {"Authorization": f"Bearer ${{{name}}}"},
        "providerName": "OpenAI",
    }
    return {"methodId": "gateway", "_meta": {"gateway": gateway}}


AGENT = AgentType(
    name="codex",
    label="Codex",
    icon="ag-codex",
    notes=[
        "In this mode it asks before each edit; commands run in its own sandbox, where they may read, and it asks before one may do more.",
        "In the server's sandbox its own is off and it does not ask: it may do anything that sandbox allows.",
        "In the mode `read-only` it asks there too; its own sandbox then runs inside the server's, where nesting works.",
    ],
    command=["codex-acp"],
    env={"NO_BROWSER": "1"},
    pass_env=["OPENAI_API_KEY", "OPENAI_BASE_URL", "CODEX_API_KEY", "CODEX_HOME", "CODEX_PATH"],
    history="codex",
    install=Installation(
        package="@agentclientprotocol/codex-acp@2.6.0", node=22, disk_mb=460, version_args=["--version"], probe_args=["cli", "--version"]
    ),
    sign_in=SignIn(
        command=["codex-acp", "login"],
        files=["$CODEX_HOME/auth.json", ".codex/auth.json"],
        key_env=["OPENAI_API_KEY", "CODEX_API_KEY"],
        authenticate=[_by_key("CODEX_API_KEY"), _by_key("OPENAI_API_KEY")],
    ),
    capabilities=Capabilities(can_load=True, can_resume=True, can_fork=True, takes_images=True),
    mcp=McpSupport(
        transports=["stdio", "http"],
        connect="export AGOR_MCP_TOKEN={token}; codex mcp add agor --url {url} --bearer-token-env-var AGOR_MCP_TOKEN",
    ),
    permissions=Asking(
        when_rejected="cancelled",
        lasting=[
            Lasting(pattern=r"\Aallow_(?:for_session|session|permissions_session): ", reach="session"),
            Lasting(pattern=r"\Aaccept_execpolicy_amendment: ", reach="home", file="~/.codex/rules/default.rules"),
            Lasting(pattern="", reach="home", file="~/.codex/config.toml"),
        ],
        mode="read-only",  # its default, "agent", writes without asking
        sandbox_mode="agent-full-access",  # its own sandbox keeps it from committing, and cannot be nested everywhere
    ),
    usage=UsageForm(reports_tokens=True, reports_in_turn=True, scope="turn", cached="beside", omits_own=True),
    sandbox=SandboxHome(state=[".codex/"], settings=[".codex/config.toml", ".codex/AGENTS.md", ".codex/rules"], state_env=["CODEX_HOME"]),
    files=WorktreeFiles(
        project=["AGENTS.md", "AGENTS.override.md", ".agents/skills/", ".codex/"],  # its adapter tells it to trust every folder
    ),
    failures=FailureSigns(
        errored="codex.threadStatus.type=systemError",
        detail="codex.error.codexErrorInfo",
        retrying="codex.error.willRetry=true",
        codes={
            "usageLimitExceeded": "quota",
            "sessionBudgetExceeded": "quota",
            "rateLimitExceeded": "rate_limited",
            "serverOverloaded": "overloaded",
            "internalServerError": "overloaded",
            "unauthorized": "auth_required",
            "badRequest": "provider_error",
            "contextWindowExceeded": "provider_error",
            "cyberPolicy": "provider_error",
            "httpConnectionFailed": "unreachable",
            "responseStreamConnectionFailed": "unreachable",
            "responseStreamDisconnected": "unreachable",
            "responseTooManyFailedAttempts": "unreachable",
        },
    ),
)
