"""Claude Code, through its ACP adapter, which brings its own binary."""

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
    name="claude",
    label="Claude Code",
    icon="ag-claude",
    command=["claude-agent-acp"],
    env={
        "ENABLE_TOOL_SEARCH": "false",  # otherwise MCP tools hide behind a search
        "CLAUDE_CODE_ENABLE_PROMPT_SUGGESTION": "false",  # otherwise each turn sends the whole history once more
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_MAX_RETRIES": "2",  # it tells nobody that it tries again, for minutes; we park the turn, and say so
    },
    pass_env=[
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_MODEL",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CODE_EXECUTABLE",
        "CLAUDE_CONFIG_DIR",
    ],
    history="claude",
    install=Installation(
        package="@agentclientprotocol/claude-agent-acp@0.101.0",
        node=22,
        disk_mb=410,
        version_args=["--version"],
        probe_args=["--cli", "--version"],
    ),
    sign_in=SignIn(
        command=["claude-agent-acp", "--cli", "auth", "login"],
        files=["$CLAUDE_CONFIG_DIR/.credentials.json", ".claude/.credentials.json"],
        key_env=["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"],
    ),
    capabilities=Capabilities(can_load=True, can_resume=True, can_fork=True, takes_images=True),
    mcp=McpSupport(
        transports=["stdio", "http"], connect="claude mcp add --transport http agor {url} --header 'Authorization: Bearer {token}'"
    ),
    permissions=Asking(
        mode="default",
        lasting=[
            Lasting(pattern=r"(?:during|for) this session$|\Aexit-plan-", reach="session"),
            Lasting(pattern="", reach="repository", file=".claude/settings.local.json of the repository's own checkout"),
        ],
    ),
    usage=UsageForm(reports_tokens=True, reports_in_turn=True, scope="turn", cached="beside", model_at="_claude/model", reports_cost=True),
    sandbox=SandboxHome(
        state=[".claude/", ".claude.json"],
        settings=[".claude/settings.json", ".claude/settings.local.json", ".claude/CLAUDE.md", ".claude/hooks", ".claude/plugins"],
        state_env=["CLAUDE_CONFIG_DIR"],
    ),
    files=WorktreeFiles(
        project=[
            *("CLAUDE.md", "CLAUDE.local.md", ".mcp.json", ".claude/CLAUDE.md", ".claude/settings.json", ".claude/settings.local.json"),
            *(".claude/agents/", ".claude/commands/", ".claude/hooks/", ".claude/output-styles/", ".claude/plugins/", ".claude/rules/"),
            *(".claude/scheduled_tasks.json", ".claude/skills/", ".claude/workflows/"),
        ],
        own=[".claude/settings.local.json", ".claude/scheduled_tasks.*", ".claude/agent-memory-local/"],
        without_project=Restriction(session_meta={"claudeCode": {"options": {"settingSources": ["user"]}}}),
    ),
    quirks=Quirks(background_input="run_in_background", subagent_input="subagent_type", parent_call="claudeCode.parentToolUseId"),
    failures=FailureSigns(
        chatter=r"\[session/\w+\] (?:.*\bphase=|sessionId=)|\[idle-compaction\] ",
        patterns=[r"API Error: (?:Repeated |Request rejected \()?(?P<status>[45]\d\d)\b", r"API Error: .*\((?P<code>[A-Za-z_]+)\)"],
        codes={
            "authentication_failed": "auth_required",
            "oauth_org_not_allowed": "auth_required",
            "verification_required": "auth_required",
            "cloud_credential_error": "auth_required",
            "billing_error": "quota",
            "account_on_hold": "quota",
            "rate_limit": "rate_limited",
            "overloaded": "overloaded",
            "server_error": "unreachable",  # unless the text has a status
            "invalid_request": "provider_error",
            "model_not_found": "provider_error",
        },
    ),
)
