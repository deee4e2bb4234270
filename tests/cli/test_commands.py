"""The shell against a real private server."""

import contextlib
import io
import itertools
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import agor_jupyter as agor
from tests.agents.history.kept import IDS, place

pytestmark = pytest.mark.timeout(90)
HELLO = "```sh\necho hello\n```"
names = (f"shell-{number}" for number in itertools.count())


@pytest.fixture
def worktree(agor_json, warehouse):
    return agor_json("worktree", "create", warehouse, next(names))


def test_repos(agor_command, agor_json, warehouse):
    assert agor_json("repo", "list")[0]["defaultBranch"] == "main"
    assert agor_json("repo", "branches", warehouse)[0]["name"]
    assert "main" in agor_command("repo", "branches", warehouse)[1]


def test_worktrees(agor_command, agor_json, warehouse):
    name = next(names)
    made = agor_json("worktree", "create", warehouse, name, "--board", "team.agor", "--context", '{"ticket": 12}', "--notes", "why")

    assert (made["state"], made["board"], made["context"]) == ("ready", "team.agor", {"ticket": 12})
    assert agor_json("worktree", "status", name)["dirty"] is False
    assert agor_json("worktree", "diff", name)["files"] == []
    assert [one["name"] for one in agor_json("worktree", "list", "--board", "team.agor")] == [name]
    assert agor_json("worktree", "archive", name)["state"] == "archived"
    assert agor_json("worktree", "restore", f"{warehouse}/{name}")["state"] == "ready"
    assert agor_command("worktree", "show", made["id"])[1].startswith("name")
    code, out, _ = agor_command("worktree", "remove", name, "--force")
    assert (code, out.split(".")[0]) == (0, f"Removed {warehouse}/{name}")


def test_a_setup_that_failed_is_told_as_that(agor_command, agor_json, here):
    folder = agor.sample(here / "set up")
    (folder / ".agor.yml").write_text("setup: echo no luck; exit 3\n")
    for words in (["add", ".agor.yml"], ["-c", "user.name=Ann", "-c", "user.email=ann@localhost", "commit", "-qm", "setup"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    repo = agor_json("repo", "add", "set up")

    out = agor_command("worktree", "create", repo["id"], name := next(names))[1]

    assert [line.split(maxsplit=1) for line in out.splitlines() if line.startswith(("state", "failure", "reason"))] == [
        ["state", "failed"],
        ["failure", "setup_failed"],
        ["reason", "The setup command “echo no luck; exit 3” failed with code 3. Its last output: no luck"],
    ]
    assert agor_json("worktree", "show", name)["failure"] == "setup_failed"


def test_what_would_be_lost_is_listed(agor_command, agor_json, worktree):
    name, inner = worktree["name"], Path(worktree["path"]) / "frontend"
    assert agor_json("worktree", "losses", name) == []
    subprocess.run(["git", "init", "-q", str(inner)], check=True)
    (inner / "app.js").write_text("work")

    told = "1 repository inside (frontend): 1 file not committed"
    assert told in agor_command("worktree", "losses", name)[1]
    assert told in agor_command("worktree", "status", name)[1]
    assert [(one["kind"], one["path"]) for one in agor_json("worktree", "losses", name)] == [("repository", "frontend")]
    assert agor_command("worktree", "diff", name)[1:] == ("", "frontend: a repository inside, not shown\n")
    code, _, err = agor_command("worktree", "remove", name)
    assert code
    assert told in err


def test_what_an_agent_keeps_for_itself_is_told_apart_and_kept(agor_command, agor_json, worktree):
    name, own = worktree["name"], "1 file of Keeper's own: .keeper/permissions.json (5 bytes)"
    agor_json("session", "start", name, '[["say", "I only talk."], ["end"]]', "--agent", "keeper", "--wait")

    status = agor_command("worktree", "status", name)[1]
    losses = agor_command("worktree", "losses", name)[1]
    diff = agor_command("worktree", "diff", name)[1:]
    code, removed, _ = agor_command("worktree", "remove", name)

    said = {" ".join(line.split()) for line in (*status.splitlines(), *losses.splitlines())}
    assert said >= {"uncommitted nothing", f"agents' own {own}", f"kept in a backup {own}"}
    assert diff == ("", "1 file of Keeper's own, not shown: .keeper/permissions.json\n")
    assert code == 0
    assert f"Kept, although it is not work: {own}" in removed
    assert agor_json("worktree", "restore", worktree["id"])["state"] == "ready"
    assert (Path(worktree["path"]) / ".keeper" / "permissions.json").read_text() == "kept\n"


def test_a_session_is_started_watched_and_read(agor_command, agor_json, worktree):
    code, out, err = agor_command("session", "start", worktree["name"], HELLO, "--allow")

    assert code == 0, err
    assert "hello" in out
    assert "state" in out.splitlines()[-4] or "done" in out
    session = agor_json("session", "list", "--worktree", worktree["name"])[0]
    assert agor_json("session", "show", session["id"])["state"] == "done"
    lines = agor_command("session", "events", session["id"], "--json")[1].splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))
    turn = agor_json("turn", "show", f"{session['id']}:1")
    assert turn["state"] == "done"
    assert agor_command("turn", "patch", turn["id"])[1] == ""


def test_a_turn_that_fails_ends_the_command_with_one(agor_command, worktree):
    code, out, _ = agor_command("session", "start", worktree["name"], "```sh\nexit 4\n```", "--allow")

    assert code == 1
    assert "code 4" in out


def test_a_question_is_answered_from_the_shell(agor_command, agor_json, worktree):
    session = agor_json("session", "start", worktree["name"], HELLO)
    mine = []
    until = time.monotonic() + 60
    while not mine and time.monotonic() < until:
        mine = [one for one in agor_json("permission", "list") if one["sessionId"] == session["id"]]
        time.sleep(0.1)

    code, out, err = agor_command("permission", "answer", mine[0]["id"][-8:], "allow")

    assert code == 0, err
    assert out.startswith("allowed by ")
    assert agor_command("session", "events", session["id"], "--follow")[0] == 0
    code, _, err = agor_command("permission", "answer", mine[0]["id"], "allow")
    assert code == 1
    assert "no longer open: allowed by" in err
    assert agor_command("permission", "answer", "pe_nothing", "allow")[2].startswith("Permission 'pe_nothing' does not exist")


def test_a_prompt_can_be_queued_and_cancelled(agor_json, worktree):
    session = agor_json("session", "start", worktree["name"], HELLO)

    queued = agor_json("session", "prompt", session["id"], HELLO)
    assert agor_json("turn", "cancel", queued["id"])["state"] == "cancelled"
    assert agor_json("session", "cancel", session["id"])["id"] == session["id"]


def test_boards(agor_command, agor_json):
    assert agor_json("board", "open", "shell.agor")["path"] == "shell.agor"
    assert "shell.agor" in [one["path"] for one in agor_json("board", "list")]
    assert agor_json("board", "show", "shell.agor")["objects"] == {}
    assert agor_command("board", "show", "missing.agor")[0] == 1


def test_a_repo_is_named_by_its_path_and_the_known_ones_by_their_names(agor_command, warehouse):
    assert agor_command("repo", "branches", "./warehouse")[0] == 0
    code, _, err = agor_command("repo", "branches", "warehuose")
    assert code == 1
    assert err.startswith("Repo 'warehuose' does not exist. Available: ")
    assert "warehouse" in err


def test_a_sentence_of_the_api_names_our_options(agor_command, agor_json, worktree, here):
    (Path(worktree["path"]) / "new.txt").write_text("x")

    assert "or pass --force" in agor_command("worktree", "remove", worktree["name"])[2]


def test_an_empty_prompt_is_refused_in_words(agor_command, agor_json, worktree):
    session = agor_json("session", "start", worktree["name"])

    code, _, err = agor_command("session", "prompt", session["id"], "")

    assert code == 1
    assert err.startswith("The request is not valid: text")


def test_ctrl_c_leaves_the_turn_and_says_how_to_stop_it(agor_json, worktree):
    words = ["session", "start", worktree["name"], "Sleep.\n```sh\nsleep 40\n```", "--allow"]
    process = subprocess.Popen(  # what runs in the background of a shell, as these tests may, ignores Ctrl-C and passes that on
        ["env", "--default-signal=INT", sys.executable, "-m", "agor_jupyter.cli", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stdout:
        if line.startswith("[runs]"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "The turn goes on. Stop it with: jupyter agor session cancel se_" in err
    assert "Traceback" not in err
    session = agor_json("session", "list", "--worktree", worktree["name"])[0]
    assert session["state"] == "running"
    agor_json("session", "cancel", session["id"])


def test_a_person_at_a_terminal_sees_the_steps(agor_json, warehouse):
    shown = io.BytesIO()
    words = [sys.executable, "-m", "agor_jupyter.cli", "worktree", "create", warehouse, next(names)]

    def read(descriptor):
        found = os.read(descriptor, 10_000)
        shown.write(found)
        return found

    status = pty.spawn(words, read)

    assert os.waitstatus_to_exitcode(status) == 0
    assert b"\r\x1b[KWorktree shell-" in shown.getvalue()


def test_agents(agor_command, agor_json):
    assert agor_json("agent", "show", "script")["isInstalled"] is True
    assert "script" in agor_command("agent", "list")[1]
    assert agor_json("agent", "check", "script")["isSignedIn"] is None
    assert agor_command("agent", "install", "script")[::2] == (
        1,
        "Agent 'script' cannot be installed by this server: it is built in and always there.\n",
    )


def test_a_check_fails_when_the_program_does_not_run_and_says_why(agor_command, agor_json, here):
    program = here / "bin" / "opencode"
    program.write_text("#!/bin/sh\necho no library >&2\nexit 4\n")
    program.chmod(0o755)

    code, out, _ = agor_command("agent", "check", "opencode")
    json_code, shown, _ = agor_command("agent", "check", "opencode", "--json")
    doctor = [one["text"] for one in agor_json("doctor") if "opencode" in one["text"]]
    program.write_text("#!/bin/sh\necho 1.2.3\n")
    repaired = agor_json("agent", "check", "opencode")
    program.unlink()
    gone, _, _ = agor_command("agent", "check", "opencode")

    assert (code, json_code, gone) == (1, 1, 1)
    assert "it ended with code 4. Its last output: no library" in out
    assert json.loads(shown)["problem"] == "it ended with code 4. Its last output: no library"
    assert doctor == ["opencode did not run when it was last checked: it ended with code 4. Its last output: no library"]
    assert (repaired["version"], repaired["problem"]) == ("1.2.3", None)


def test_doctor_says_ok_warn_or_fail_for_each(agor_command, agor_json):
    findings = agor_json("doctor")

    assert {"python", "git", "data", "server", "sandbox", "collaboration", "front end", "agent"} <= {one["what"] for one in findings}
    assert {one["verdict"] for one in findings} <= {"ok", "warn"}
    assert agor_command("doctor")[0] == 0


def test_doctor_looks_at_each_repository(agor_command, agor_json, warehouse):
    said = {one["text"].partition(":")[0]: one["text"] for one in agor_json("doctor") if one["what"] == "warehouse"}

    assert {"layout", "format", "identity"} <= set(said)
    assert said["layout"].startswith("layout: a checkout, ")
    assert "warehouse" in agor_command("doctor")[1]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["worktree", "show", "nothing-like-it"], 1, "does not exist"),
        (["worktree", "create", "nowhere", "x"], 1, "does not exist"),
        (["worktree", "create", "warehouse", "x", "--base", "mian"], 1, "Did you mean main"),
        (["worktree", "create", "warehouse", "x", "--context", "[1"], 2, "not JSON"),
        (["turn", "show", "tu_nothing"], 1, "does not exist"),
        (["agent", "show", "clod"], 1, "does not exist"),
        (["nonsense"], 2, "No such command"),
        (["repo", "list", "--nonsense"], 2, "No such option"),
        (["repo", "add"], 2, "Missing argument"),
    ],
)
def test_errors_are_sentences_on_stderr(agor_command, warehouse, words, code, says):
    done, out, err = agor_command(*words)

    assert (done, out) == (code, "")
    assert says in err
    assert "Traceback" not in err


def test_help_is_quick():
    program = "import sys; from agor_jupyter.cli.app import run; code = run(['--help']); print([m for m in ('pandas', 'jupyter_server', 'anywidget', 'sqlalchemy') if m in sys.modules])"

    out = subprocess.check_output([sys.executable, "-c", program], text=True)

    assert out.splitlines()[-1] == "[]"


def test_a_worktree_is_changed_and_its_links_cleared(agor_command, agor_json, worktree):
    changed = agor_json(
        *(
            "worktree",
            "change",
            worktree["name"],
            "--issue",
            "https://github.com/a/b/issues/1",
            "--pull-request",
            "https://github.com/a/b/pull/2",
        ),
        *("--notes", "later", "--context", '{"a": 1}', "--board", "moved.agor"),
    )
    shown = agor_command("worktree", "show", worktree["id"])[1]
    cleared = agor_json("worktree", "change", worktree["name"], "--issue", "", "--board", "")

    assert changed["issueUrl"].endswith("/issues/1")
    assert changed["pullRequestUrl"].endswith("/pull/2")
    assert (changed["notes"], changed["context"], changed["board"]) == ("later", {"a": 1}, "moved.agor")
    assert all(word in shown for word in ("/issues/1", "/pull/2", "later", '{"a": 1}', "moved.agor"))
    assert (cleared["issueUrl"], cleared["board"], cleared["notes"]) == (None, None, "later")
    assert agor_command("worktree", "retry", worktree["name"])[0] == 1
    assert "as of" in agor_command("worktree", "status", worktree["name"])[1]


def test_a_session_is_renamed_reordered_and_put_away(agor_command, agor_json, worktree):
    session = agor_json("session", "start", worktree["name"], HELLO)["id"]
    for text in ("second", "third"):
        agor_json("session", "prompt", session, text)

    changed = agor_json("session", "change", session, "--title", "Mine", "--queue", "3", "--queue", "2")
    listed = agor_json("turn", "list", session)
    refused = agor_command("session", "archive", session)
    for number in ("3", "2", "1"):
        agor_json("turn", "cancel", f"{session}:{number}")
    until = time.monotonic() + 60
    while agor_json("session", "show", session)["state"] != "cancelled" and time.monotonic() < until:
        time.sleep(0.1)

    assert changed["title"] == "Mine"
    assert changed["queue"] == [listed[2]["id"], listed[1]["id"]]
    assert refused[0] == 1
    assert "busy" in refused[2]
    assert agor_json("session", "archive", session)["archivedAt"]
    assert session not in [one["id"] for one in agor_json("session", "list")]
    assert session in [one["id"] for one in agor_json("session", "list", "--archived")]


HOSTILE = "a\x1b]52;c;AAAA\x07\x9b31m\u202eb"


def test_what_an_agent_wrote_cannot_command_the_terminal(agor_command, agor_json, worktree):
    session = agor_json("session", "start", worktree["name"], HELLO, "--title", HOSTILE)
    agor_json("session", "prompt", session["id"], f"```sh\necho '{HOSTILE}'\n```\n{HOSTILE}")
    answered = None
    until = time.monotonic() + 60
    while time.monotonic() < until and (one := agor_json("session", "show", session["id"]))["state"] not in {"done", "failed"}:
        if one["openPermissionId"]:
            answered = agor_command("permission", "answer", one["openPermissionId"], "allow", "--note", HOSTILE)
        time.sleep(0.1)

    printed = [
        *(answered or ())[1:],
        *(out for words in (
            ("session", "show", session["id"]), ("session", "list"), ("session", "events", session["id"]), ("turn", "list", session["id"]),
            ("turn", "show", f"{session['id']}:2"), ("permission", "list"), ("session", "show", HOSTILE), ("session", "show", f"{HOSTILE}?"),
        ) for both in (words, (*words, "--json")) for out in agor_command(*both)[1:]),
    ]  # fmt: skip

    assert any("\ufffd]52;c;AAAA" in text for text in printed)
    assert any("\\u001b]52;c;AAAA\\u0007\\u009b31m\\u202eb" in text for text in printed)
    assert {character for text in printed for character in text if not character.isprintable()} <= {"\n", "\t"}
    events = [json.loads(line) for line in agor_command("session", "events", session["id"], "--json")[1].splitlines()]
    assert HOSTILE in "".join(event["body"].get("text") or "" for event in events if event["body"]["kind"] == "tool_output")


def test_options_are_chosen_preferred_and_shown(agor_command, agor_json, warehouse):
    agor_json("worktree", "create", warehouse, "options")
    code, out, _ = agor_command("preference", "set", "script", "--mode", "auto")
    assert (code, out) == (0, "script: mode=auto\n")

    session = agor_json("session", "start", "options", "```sh\nfalse\n```\n```sh\necho ran > here\n```", "--option", "on_failure=go_on")
    code, out, err = agor_command("session", "prompt", session["id"], "```sh\ncat here\n```", "--wait")
    changed = agor_json("session", "change", session["id"], "--mode", "ask", "--option", "on_failure=")

    assert session["chosen"] == {"mode": "auto", "on_failure": "go_on"}
    assert (code, "ran" in out) == (0, True), err
    assert changed["chosen"] == {"mode": "ask"}
    assert "mode        ask" in agor_command("session", "show", session["id"])[1]
    code, _, err = agor_command("session", "change", session["id"], "--mode", "yolo")
    assert (code, err) == (1, "Agent 'script' does not offer 'yolo' as its mode. It offers: ask, auto.\n")
    assert agor_command("session", "start", "options", "--option", "nonsense")[0] == 2
    assert [one["options"] for one in agor_json("preference", "list")] == [{"mode": "auto"}]
    assert agor_command("preference", "set", "script")[1] == "script: no preference\n"


def test_a_variable_is_read_from_standard_input_and_never_shown(agor_command, agor_json, worktree, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("value-from-a-pipe\n"))
    made = agor_json("variable", "set", "FROM_SHELL")
    listed = agor_command("variable", "list")
    shown = agor_command("session", "start", worktree["name"], "```sh\necho $FROM_SHELL | tr a-z A-Z\n```", "--allow")
    removed = agor_command("variable", "remove", "FROM_SHELL")

    assert made.keys() == {"username", "name", "updatedAt"}
    assert (listed[0], "FROM_SHELL" in listed[1], "value-from" in listed[1]) == (0, True, False)
    assert "VALUE-FROM-A-PIPE" in shown[1]
    assert removed[1] == "Removed FROM_SHELL.\n"
    assert agor_json("variable", "list") == []
    code, _, err = agor_command("variable", "remove", "FROM_SHELL")
    assert (code, "does not exist" in err) == (1, True)


def test_a_variable_is_asked_for_without_an_echo_at_a_terminal(here, agor_command):
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "agor_jupyter.cli", "variable", "set", "TYPED"],
        stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    said = b""
    while b"TYPED: " not in said:
        said += os.read(leader, 1000)
    os.write(leader, b"typed-by-a-person\n")
    with contextlib.suppress(OSError):  # the end of a terminal
        while piece := os.read(leader, 1000):
            said += piece

    assert process.wait(20) == 0
    assert b"Set TYPED" in said
    assert b"typed-by" not in said
    assert agor_command("variable", "remove", "TYPED")[0] == 0


def test_a_session_is_forked_and_spawned(agor_command, agor_json, warehouse):
    agor_json("worktree", "create", warehouse, "forked")
    agor_json("worktree", "create", warehouse, "spawned")
    agor_json("session", "start", "forked", "```sh\ntrue\n```", "--mode", "auto", "--title", "Origin", "--wait")
    origin = agor_json("session", "list", "--worktree", "forked")[0]

    code, out, err = agor_command("session", "fork", origin["id"], "```sh\necho from the fork\n```", "--wait")
    fork = agor_json("session", "list", "--worktree", "forked")[0]
    child = agor_json("session", "spawn", "Origin", "--worktree", "spawned", "--mode", "ask")

    assert (code, "from the fork" in out, "The agent copied its conversation" in out) == (0, True, True), err
    assert (fork["originId"], fork["fork"], fork["chosen"]) == (origin["id"], "native", {"mode": "auto"})
    assert (child["parentId"], child["chosen"]) == (origin["id"], {"mode": "ask"})
    assert child["worktreeId"] != origin["worktreeId"]


def test_rules_are_made_listed_used_and_revoked(agor_command, agor_json, worktree):
    made = agor_json("rule", "add", "--worktree", worktree["name"], "--command", "echo 'a b'", "--hours", "1")
    code, out, err = agor_command("session", "start", worktree["name"], "```sh\necho 'a b' c\n```", "--wait")
    listed = agor_command("rule", "list", "--worktree", worktree["name"])[1].splitlines()

    assert (made["scope"], made["subject"], made["commandPrefix"]) == ("worktree", worktree["id"], ["echo", "a b"])
    assert (code, "a b c" in out) == (0, True), err
    assert listed[1].split()[0] == made["id"]
    assert "echo 'a b'" in listed[1]
    assert listed[1].endswith("UTC  1")
    assert ", revoked by " in agor_command("rule", "remove", made["id"][-8:])[1]
    assert agor_json("rule", "list", "--worktree", worktree["name"])[0]["revokedAt"]
    for words, said in [
        (["--command", "ls"], "one of --session"),
        (["--worktree", worktree["name"], "--repo", "warehouse", "--command", "ls"], "one of --session"),
        (["--worktree", worktree["name"]], "commandPrefix"),
        (["--worktree", worktree["name"], "--command", "ls; rm x"], "one simple command"),
        (["--worktree", worktree["name"], "--command", "sudo ls"], "runs whatever"),
    ]:
        code, _, err = agor_command("rule", "add", *words)
        assert (code, said in err) == (1, True), err


@pytest.fixture
def opencode(here):
    """On the server's `PATH`; it ends at once."""
    program = here / "bin" / "opencode"
    program.write_text("#!/bin/sh\nexit 4\n")
    program.chmod(0o755)
    yield "opencode"
    program.unlink()


def test_files_that_agents_obey_are_listed_trusted_and_refused(agor_command, agor_json, worktree):
    name, folder = worktree["name"], Path(worktree["path"])
    assert agor_command("trust", "list", name)[2] == "No files that agents obey.\n"
    for path in ("AGENTS.md", "CLAUDE.md"):
        (folder / path).write_text(f"This is {path}.\n")

    before = agor_command("trust", "list", name)[1].splitlines()
    added = agor_command("trust", "add", name, "CLAUDE.md")[1].splitlines()
    missing = agor_command("trust", "add", name, "CLAUDE.md", "CLAUD.md")
    rest = agor_json("trust", "add", name)
    removed = agor_json("trust", "remove", name, "AGENTS.md")

    assert [line.split() for line in before[:2]] == [["file", "agents", "state", "by"], ["AGENTS.md", "codex,", "opencode", "new"]]
    assert [line.split()[:4] for line in added[1:]] == [["CLAUDE.md", "claude,", "opencode", "trusted"]]
    assert missing[::2] == (1, "File 'CLAUD.md' does not exist. Available: AGENTS.md, CLAUDE.md.\n")
    assert [(one["path"], one["state"]) for one in rest] == [("AGENTS.md", "trusted"), ("CLAUDE.md", "trusted")]
    assert [(one["path"], one["state"]) for one in removed] == [("AGENTS.md", "refused")]
    assert [one["state"] for one in agor_json("trust", "remove", name)] == ["refused", "refused"]


def test_a_question_about_files_is_seen_and_answered_from_the_shell(agor_command, agor_json, worktree, opencode):
    (Path(worktree["path"]) / "opencode.json").write_text("{}")
    process = subprocess.Popen(
        [sys.executable, "-m", "agor_jupyter.cli", "session", "start", worktree["name"], "hello", "--agent", opencode, "--allow"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    asked = next(line for line in process.stdout if line.startswith("? "))
    [question] = [one for one in agor_json("permission", "list") if one["worktreeId"] == worktree["id"]]
    [listed] = [line for line in agor_command("permission", "list")[1].splitlines() if line.startswith(question["id"])]

    code, out, err = agor_command("permission", "answer", question["id"], "without")
    rest, _ = process.communicate(timeout=60)

    assert asked == (
        "? opencode wants to load instruction files that nobody trusts: opencode.json"
        f"  (jupyter agor permission answer {question['id']} trust or without)\n"
    )
    assert listed == f"{question['id']}  trust in opencode.json  trust, without"
    assert (code, out.startswith("rejected by "), out.endswith("nobody trusts: opencode.json\n")) == (0, True, True), err
    assert process.returncode == 1
    assert (
        f"cannot be kept from loading opencode.json, which nobody trusts. Nothing was started. `jupyter agor trust list {worktree['name']}`"
        in rest
    )


def test_an_answer_is_remembered(agor_command, agor_json, worktree):
    session = agor_json("session", "start", worktree["name"], HELLO)
    until = time.monotonic() + 60
    while not (mine := [one for one in agor_json("permission", "list") if one["sessionId"] == session["id"]]) and time.monotonic() < until:
        time.sleep(0.1)

    assert agor_command("permission", "answer", mine[0]["id"], "reject", "--remember", "session")[0] == 1
    assert agor_command("permission", "answer", mine[0]["id"], "allow", "--remember", "galaxy")[0] == 1
    assert agor_command("permission", "answer", mine[0]["id"], "allow", "--command", "echo")[0] == 1
    answered = agor_json("permission", "answer", mine[0]["id"], "allow", "--remember", "worktree", "--command", "echo")

    assert answered["state"] == "allowed"
    [rule] = agor_json("rule", "list", "--session", session["id"])
    assert (rule["scope"], rule["commandPrefix"], rule["expiresAt"]) == ("worktree", ["echo"], None)


def test_conversations_from_before_are_listed_and_imported(agor_command, agor_json, warehouse, tmp_path, monkeypatch):
    made = agor_json("worktree", "create", warehouse, "before")
    assert agor_command("worktree", "history", "before")[2] == "No conversations.\n"
    place("codex", tmp_path, made["path"])
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{tmp_path / '.codex'}\n"))
    agor_json("variable", "set", "CODEX_HOME")

    listed = agor_command("worktree", "history", "before")[1]
    session = agor_json("worktree", "import", "before", "codex", IDS["codex"])
    missing = agor_command("worktree", "import", "before", "codex", "01a2159f-none")

    assert (IDS["codex"] in listed, "Make hello.txt." in listed) == (True, True)
    assert (session["turnCount"], session["agentSessionId"]) == (2, IDS["codex"])
    assert agor_json("worktree", "history", "before")[0]["sessionId"] == session["id"]
    assert (missing[0], "does not exist" in missing[2]) == (1, True)
    agor_command("variable", "remove", "CODEX_HOME")


def test_search(agor_command, agor_json, worktree):
    agor_command("session", "start", worktree["name"], "```sh\necho pineapple\n```", "--allow")

    [hit] = agor_json("search", "pineapple", "--worktree", worktree["name"], "--state", "done", "--since", "2026-01-01")

    assert (hit["foundIn"], hit["turnNumber"], hit["worktree"]) == ("prompt", 1, worktree["name"])
    code, out, _ = agor_command("search", '"echo pine"*', "--limit", "1", "--state", "done")
    assert (code, out.splitlines()[1]) == (0, "    ```sh echo pineapple ```")
    assert f"{hit['sessionId']}:1" in out
    assert agor_command("search", "nothing", "of", "the", "kind") == (0, "", "Nothing found.\n")
    assert agor_command("search", '"', "*") == (0, "", "Nothing found.\n")
    assert agor_command("search", "x", "--state", "running")[0] == 1


def test_costs_and_budgets(agor_command, agor_json, worktree):
    agor_command("session", "start", worktree["name"], HELLO, "--allow")
    session = agor_json("session", "list", "--worktree", worktree["name"])[0]

    made = agor_json("budget", "set", "session", session["id"], "--hard", "5", "--soft", "4")
    assert (made["hardUsd"], made["softUsd"], made["state"]) == (5, 4, "ok")
    assert agor_json("budget", "set", "worktree", worktree["name"], "--hard", "3")["subject"] == worktree["id"]
    assert "$5.00" in agor_command("budget", "list")[1]
    assert agor_json("budget", "remove", made["id"])["id"] == made["id"]
    assert agor_command("budget", "remove", made["id"])[0] == 1
    assert agor_command("budget", "set", "user", "ann")[0] == 1
    assert agor_json("cost", "list", "--session", session["id"]) == []  # the script agent uses no model
    assert agor_json("cost", "sum", "--by", "model", "--since", "2026-01-01", "--worktree", worktree["name"]) == []
    assert agor_command("cost", "list")[2].strip() == "No costs."


def test_a_worktree_that_could_not_be_made_ends_the_command_with_its_reason(agor_command, warehouse, here):
    repository = here / "warehouse"
    (repository / ".agor.yml").write_text("setup: 'echo no packages >&2; exit 3'\n")
    subprocess.run(["git", "checkout", "-q", "-b", "broken-setup"], cwd=repository, check=True)
    subprocess.run(["git", "add", ".agor.yml"], cwd=repository, check=True)
    subprocess.run(["git", "commit", "-q", "-m", "Break the setup"], cwd=repository, check=True)
    subprocess.run(["git", "checkout", "-q", "-"], cwd=repository, check=True)

    code, out, err = agor_command("worktree", "create", warehouse, "broken", "--base", "broken-setup", "--json")

    assert code == 1
    assert json.loads(out)["state"] == "failed"
    assert err.splitlines()[-1].startswith("Worktree 'broken' could not be made: ")
    assert "no packages" in err
