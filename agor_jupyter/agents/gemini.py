"""Gemini CLI, which speaks ACP itself."""

from agor_jupyter.domain.agents import (
    AgentType,
    Asking,
    Capabilities,
    FailureSigns,
    Installation,
    Lasting,
    McpSupport,
    Quirks,
    Restriction,
    SandboxHome,
    SignIn,
    UsageForm,
    WorktreeFiles,
)

AGENT = AgentType(
    name="gemini",
    label="Gemini CLI",
    icon="ag-gemini",
    notes=["While the model's provider accepts no requests, it keeps retrying for minutes without saying so: the turn is shown as silent."],
    command=["gemini", "--acp"],
    pass_env=["GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"],
    history="gemini",
    install=Installation(package="@google/gemini-cli@0.61.0", node=22, disk_mb=110, version_args=["--version"]),
    sign_in=SignIn(command=["gemini"], files=[".gemini/oauth_creds.json"], key_env=["GEMINI_API_KEY", "GOOGLE_API_KEY"]),
    capabilities=Capabilities(can_load=True, reports_output=False, takes_images=True),
    mcp=McpSupport(
        titles=[r"(?P<tool>.+) \((?P<server>.+) MCP Server\)"],
        transports=["stdio", "http"],
        connect="gemini mcp add --transport http --header 'Authorization: Bearer {token}' agor {url}",
    ),
    permissions=Asking(
        command_is_title=True,
        lasting=[
            Lasting(pattern=r"\Aproceed_always_tool: ", reach="session"),
            Lasting(pattern=r"\Aproceed_always(?:_server)?: ", reach="session"),
            Lasting(pattern=r"\Aproceed_always_and_save: ", reach="home", file="~/.gemini/policies/auto-saved.toml"),
        ],
        mode="default",
    ),
    usage=UsageForm(
        reports_tokens=True,
        scope="turn",
        cached="inside",
        router="auto",
        omits_own=True,  # the router is there after a turn's first request
    ),
    sandbox=SandboxHome(
        state=[".gemini/"], settings=[".gemini/settings.json", ".gemini/GEMINI.md", ".gemini/extensions", ".gemini/commands"]
    ),
    files=WorktreeFiles(
        project=["GEMINI.md", ".env", ".gemini/", ".agents/skills/"],
        without_project=Restriction(env={"GEMINI_CLI_TRUST_WORKSPACE": "false"}),
    ),
    quirks=Quirks(
        loads_next_minute=True,  # its file's name has the minute in it, and loading begins a file of that name
        sets_between_turns=True,
    ),
    failures=FailureSigns(
        silent_retry_s=60,  # its `maxAttempts` does not count for the model that it chooses itself
        when_repeating="failed",
        is_unused=True,  # a stream that breaks off and was tried again for nothing
        patterns=[r"\Aexception (?P<unreachable>TypeError: fetch failed sending request)"],  # it gives this the status 500,
    ),
)
