"""opencode, which speaks ACP itself."""

import json

from agor_jupyter.domain.agents import (
    AgentType,
    Asking,
    Capabilities,
    FailureSigns,
    Installation,
    Lasting,
    McpSupport,
    Restriction,
    SandboxHome,
    SignIn,
    UsageForm,
    WorktreeFiles,
)

_FOLDERS = ("agent", "agents", "command", "commands", "mode", "modes", "plugin", "plugins", "skill", "skills", "themes", "tool", "tools")
_SETTINGS = ("opencode.json", "opencode.jsonc", "config.json", "AGENTS.md", *_FOLDERS)
"""One by one: it does not start when it cannot write into the folder they are in."""
_INSTALLED = ("node_modules", "package.json", "package-lock.json")
"""What people's own tools and plugins import, put there by their own opencode."""
_LOCK = {"packages": {"": {"dependencies": {"@opencode-ai/plugin": "*"}}}}
"""It installs this package, 95 MB with what it needs, into each of its folders that does not name it: here, for every worktree."""

AGENT = AgentType(
    name="opencode",
    label="opencode",
    icon="ag-opencode",
    notes=[
        "It does not say why the model's provider refused; the reason is read from its own files.",
        "It reports only the tokens of a turn's last request, so they are not kept.",
    ],
    command=["opencode", "acp"],
    env={
        "OPENCODE_PERMISSION": '{"edit":"ask","bash":"ask"}',  # its default allows everything
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    },
    pass_env=["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY", "OPENCODE_API_KEY", "OPENCODE_CONFIG"],
    history="opencode",
    install=Installation(
        package="opencode-ai@1.18.33",
        node=22,
        disk_mb=360,
        post_install="postinstall.mjs",  # puts the binary that fits this processor in the place of a script that only complains
        version_args=["--version"],
    ),
    sign_in=SignIn(
        command=["opencode", "auth", "login"],
        files=[".local/share/opencode/auth.json"],
        key_env=["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY", "OPENCODE_API_KEY"],
    ),
    capabilities=Capabilities(can_load=True, can_resume=True, can_fork=True, takes_images=True),
    mcp=McpSupport(transports=["stdio", "http"]),
    permissions=Asking(mode="build", when_rejected="done", lasting=[Lasting(pattern=r"\Aalways: ", reach="session")]),
    usage=UsageForm(reports_tokens=True, scope="request", cached="beside", omits_own=True, reports_cost=True),
    sandbox=SandboxHome(
        state=[".local/share/opencode/", ".local/state/opencode/"],
        settings=[f".config/opencode/{name}" for name in (*_SETTINGS, *_INSTALLED)],
        files={".config/opencode/node_modules/": "", ".config/opencode/package-lock.json": json.dumps(_LOCK)},
    ),
    files=WorktreeFiles(
        project=[
            *("AGENTS.md", "CLAUDE.md", "CONTEXT.md", "opencode.json", "opencode.jsonc", ".agents/skills/", ".claude/skills/"),
            *(f".opencode/{name}" for name in ("opencode.json", "opencode.jsonc", *(f"{folder}/" for folder in _FOLDERS))),
        ],
        own=[  # what it installs for plugins into a `.opencode` that is there, and the plans of its planning mode
            *(
                f".opencode/{name}"
                for name in (".gitignore", "package.json", "package-lock.json", "bun.lock", "bun.lockb", "node_modules/")
            ),
            ".opencode/plans/",
        ],
        without_project=Restriction(
            env={"OPENCODE_DISABLE_PROJECT_CONFIG": "1", "OPENCODE_DISABLE_EXTERNAL_SKILLS": "1"},
            except_files=[  # its newer loader of plugins reads them all the same
                *("opencode.json", "opencode.jsonc", ".opencode/opencode.json", ".opencode/opencode.jsonc"),
                *(".opencode/plugin/", ".opencode/plugins/"),
            ],
        ),
    ),
    failures=FailureSigns(
        codes={"ProviderAuthError": "auth_required", "APIError": "provider_error", "NoAnswer": "unreachable"},
        starts_again="database is locked|Failed query: ",  # of its own database, which all of its processes share
    ),
)
