"""Gemini CLI, which speaks ACP itself."""

from agor_jupyter.domain.agents import AgentType, FailureSigns, Lasting, Restriction, UsageForm

AGENT = AgentType(
    name="gemini",
    label="Gemini CLI",
    icon="ag-gemini",
    command=["gemini", "--acp"],
    package="@google/gemini-cli@0.61.0",
    node=22,
    disk_mb=110,
    version_args=["--version"],
    sign_in=["gemini"],
    sign_in_files=[".gemini/oauth_creds.json"],
    key_env=["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    pass_env=["GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"],
    can_load=True,
    silent_retry_s=60,  # its `maxAttempts` does not count for the model that it chooses itself
    reports_output=False,
    when_repeating="failed",
    notes=["While the model's provider accepts no requests, it keeps retrying for minutes without saying so: the turn is shown as silent."],
    failure_signs=FailureSigns(
        is_unused=True,  # a stream that breaks off and was tried again for nothing
        patterns=[r"\Aexception (?P<unreachable>TypeError: fetch failed sending request)"],  # it gives this the status 500
    ),
    command_is_title=True,
    mcp_titles=[r"(?P<tool>.+) \((?P<server>.+) MCP Server\)"],
    lasting=[
        Lasting(pattern=r"\Aproceed_always_tool: ", reach="session"),
        Lasting(pattern=r"\Aproceed_always(?:_server)?: ", reach="session"),
        Lasting(pattern=r"\Aproceed_always_and_save: ", reach="home", file="~/.gemini/policies/auto-saved.toml"),
    ],
    mode="default",
    loads_next_minute=True,  # its file's name has the minute in it, and loading begins a file of that name
    sets_between_turns=True,
    reports_usage=True,
    usage=UsageForm(scope="turn", cached="inside", router="auto", omits_own=True),  # the router is there after a turn's first request
    mcp=["stdio", "http"],
    takes_images=True,
    connect="gemini mcp add --transport http --header 'Authorization: Bearer {token}' agor {url}",
    state=[".gemini/"],
    settings=[".gemini/settings.json", ".gemini/GEMINI.md", ".gemini/extensions", ".gemini/commands"],
    project_files=["GEMINI.md", ".env", ".gemini/", ".agents/skills/"],
    without_project=Restriction(env={"GEMINI_CLI_TRUST_WORKSPACE": "false"}),
    history="gemini",
)
