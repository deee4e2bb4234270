"""What goes wrong, as a client meets it: the exact status, a sentence that says what happened and what would work, and nothing half made.

A full disk and a locked database have a module of their own.
"""

import http.client
import json
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agor_jupyter.domain.repos import RepoAdd
from harness.servers import serve, stop

GHOST = {"name": "ghost", "label": "Ghost", "icon": "ag-script", "command": ["ghost-acp"], "install": {"by_hand": "npm i -g ghost-acp"}}
KEYED = GHOST | {"name": "keyed", "env": {"GHOST_API_KEY": "canary-5f1c"}}


def git(path, *argv):
    return subprocess.run(["git", *argv], cwd=path, check=True, capture_output=True, text=True).stdout


def checkout(path):
    path.mkdir()
    git(path, "init", "-q", "-b", "main")
    git(path, "config", "user.email", "test@example.org")
    git(path, "config", "user.name", "Test")
    (path / "a.txt").write_text("a\n")
    git(path, "add", "-A")
    git(path, "commit", "-qm", "first")
    return path


class Place:
    """A server with one repository, and all that a refused command could leave behind."""

    def __init__(self, server):
        self.server, self.root = server, server.folder / "root"
        self.client = server.client("alice")
        self.repository = checkout(self.root / "warehouse")
        git(self.repository, "branch", "taken")
        (self.root / "plain").mkdir()
        self.repo = self.client.post("repos", RepoAdd(path=str(self.repository)))
        self.worktree = self.made("home")
        self.count = 0

    def made(self, name, **fields):
        return self.settled(self.client.post("worktrees", {"repo": "warehouse", "name": name, **fields}))

    def settled(self, worktree):
        until = time.monotonic() + 50
        while worktree["state"] == "creating":
            assert time.monotonic() < until
            time.sleep(0.02)
            worktree = self.client.get(f"worktrees/{worktree['id']}")
        return worktree

    def ask(self, method, path, body=None, *, who="alice"):
        """The status and the error."""
        self.count += 1
        parts = urlsplit(self.server.url)
        headers = {"Authorization": f"token {who}-token", "Content-Type": "application/json", "Idempotency-Key": f"key-{self.count}"}
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        try:
            text = body if isinstance(body, str | None) else json.dumps(body)
            connection.request(method, f"{parts.path}agor/api/{path}", body=text, headers=headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read()).get("error")
        finally:
            connection.close()

    def world(self):
        data = self.server.folder / "data"
        return (
            self.client.get("repos"),
            [(each["id"], each["state"], each["board"]) for each in self.client.get("worktrees", archived=1)],
            [each["id"] for each in self.client.get("sessions")["items"]],
            git(self.repository, "for-each-ref"),
            git(self.repository, "worktree", "list", "--porcelain"),
            sorted(each.name for folder in ("worktrees", "repos") for each in (data / folder).glob("*")),
            sorted(str(each) for each in self.root.rglob("*.agor")),
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    process, server = serve(tmp_path_factory.mktemp("errors"), AGOR_TEST_CONFIG=json.dumps({"agents": [GHOST, KEYED]}))
    yield Place(server)
    stop(process)


def worktree(**fields):
    return "POST", "worktrees", {"repo": "warehouse", "name": "new", **fields}


def session(**fields):
    return "POST", "sessions", {"worktreeId": "{id}", **fields}


PLAIN = "it must start with a letter or digit and have only letters, digits and . _ / - from ASCII"
BOARD = "it must be under the server's root, without “..” and without a leading slash"

CASES = {
    "a misspelt branch": (
        worktree(branch="mian", existing_branch=True),
        *(404, "ref_not_found", "Repo 'warehouse' has no branch, tag or commit 'mian'. Did you mean main?"),
    ),
    "a base that does not exist": (
        worktree(base="mian"),
        *(404, "ref_not_found", "Repo 'warehouse' has no branch, tag or commit 'mian'. Did you mean main?"),
    ),
    "a branch that exists": (
        worktree(branch="taken"),
        *(409, "already_exists", "Branch 'taken' already exists. Choose another name, or pass existing_branch to work on it."),
    ),
    "a branch in use": (
        worktree(branch="main", existing_branch=True),
        *(409, "branch_taken", "Branch 'main' is checked out in {root}/warehouse. Nothing was started. Use a new branch name, or work in that folder."),
    ),
    "a name in use": (worktree(name="Home", branch="x"), 409, "already_exists", "Worktree 'Home' already exists. Choose another name."),
    "an option as a branch": (worktree(branch="--force"), 400, "bad_name", f"Branch '--force' cannot be used: {PLAIN}. “force” would work."),
    "a shell line as a base": (
        worktree(base="$(id)"),
        *(404, "ref_not_found", "Repo 'warehouse' has no branch, tag or commit '$(id)'. Did you mean *"),
    ),
    "an option as a base": (
        worktree(base="--force"),
        400,
        "bad_name",
        "Base '--force' cannot be used: git does not allow a branch of this name: “HEAD”, “@”, or anything that starts with “-” or ends with “.”.",
    ),
    "a branch below a branch": (
        worktree(branch="taken/x"),
        409,
        "branch_in_the_way",
        ("Branch 'taken/x' cannot exist beside branch 'taken': for git, 'taken' would be both a branch and a folder of branches. "
        "Nothing was created. “taken-x” would work."),
    ),
    "a turned name": (
        worktree(name="a\u202eb"),
        *(400, "bad_name", "Name 'a\\u202eb' cannot be used: it has control or invisible characters. “ab” would work."),
    ),
    "a repo that is not there": (worktree(repo="nowhere"), 404, "repo_not_found", "Repo 'nowhere' does not exist. Available: warehouse."),
    "a board outside": (worktree(board="../x.agor"), 400, "bad_path", f"The path '../x.agor' cannot be used: {BOARD}."),
    "a board that is none": (worktree(board="x.txt"), 400, "bad_path", "The path 'x.txt' cannot be used: the name of a board ends in .agor."),
    "another board outside": (("PATCH", "worktrees/{id}", {"board": "/x.agor"}), 400, "bad_path", f"The path '/x.agor' cannot be used: {BOARD}."),
    "no number as a place": (
        ("POST", "worktrees", '{"repo": "warehouse", "name": "new", "board": "b.agor", "x": NaN, "y": 0}'),
        *(400, "bad_request", "The request is not valid: x: input should be a finite number."),
    ),
    "a place far away": (
        worktree(board="b.agor", x=1e300, y=0),
        *(400, "bad_request", "The request is not valid: x: input should be less than or equal to 1000000."),
    ),
    "no number in the context": (
        ("POST", "worktrees", '{"repo": "warehouse", "name": "new", "context": {"a": [NaN]}}'),
        *(400, "bad_request", "The request is not valid: context: out of range float values are not JSON compliant*"),
    ),
    "a link that is a script": (
        worktree(issue_url="javascript:alert(1)"),
        *(400, "bad_request", "The request is not valid: 'javascript:alert(1)' is not a web address."),
    ),
    "a path outside": (
        ("POST", "repos", {"path": "/etc"}),
        *(400, "bad_path", "The path '/etc' cannot be used: it is outside the folders that the administrator allows. Allowed: {root}."),
    ),
    "a path out by dots": (
        ("POST", "repos", {"path": "warehouse/../../.."}),
        *(400, "bad_path", "The path 'warehouse/../../..' cannot be used: it is outside the folders that the administrator allows. Allowed: {root}."),
    ),
    "a folder that is not there": (
        ("POST", "repos", {"path": "nothing"}),
        *(400, "bad_path", "The path 'nothing' cannot be used: there is no such folder."),
    ),
    "a path of a stranger": (
        ("POST", "repos", {"path": "~nobody-here/x"}),
        *(400, "bad_path", "The path '~nobody-here/x' cannot be used: there is no such user."),
    ),
    "a path without end": (
        ("POST", "repos", {"path": "x" * 5000}),
        *(400, "bad_path", f"The path '{'x' * 200}' cannot be used: the system says “File name too long”."),
    ),
    "a repository that is not one": (
        ("POST", "repos", {"path": "plain"}),
        *(409, "not_a_repository", "'{root}/plain' is not a git repository. Run `git init` there, or choose a folder that is one."),
    ),
    "a repository twice": (
        ("POST", "repos", {"path": "warehouse"}),
        *(409, "already_exists", "Repo 'warehouse' already exists. It is the one at {root}/warehouse."),
    ),
    "a URL that runs a program": (
        ("POST", "repos", {"url": "ext::sh -c id"}),
        *(400, "bad_url", "The URL 'ext::sh -c id' cannot be used: its form or its protocol is not allowed. https://, ssh:// and git@host:path work."),
    ),
    "an agent that is not installed": (
        session(agent="ghost"),
        *(409, "agent_not_installed", "Agent 'ghost' is not installed: 'ghost-acp' was not found. Install it with: npm i -g ghost-acp."),
    ),
    "an agent that nobody knows": (session(agent="clod"), 404, "agent_not_found", "Agent 'clod' does not exist. Available: *"),
    "a prompt without end": (
        session(prompt="x" * 200_001),
        *(400, "bad_request", "The request is not valid: prompt: string should have at most 200000 characters."),
    ),
    "a word that nobody knows": (
        session(options={}, speed=9),
        *(400, "bad_request", "The request is not valid: speed: extra inputs are not permitted."),
    ),
    "a worktree that is not there": (
        session(worktreeId="wt_none"),
        *(404, "worktree_not_found", "Worktree 'wt_none' does not exist."),
    ),
    "a title without end": (
        ("POST", "boards", {"path": "b.agor", "title": "x" * 300}),
        *(400, "bad_request", "The request is not valid: title: string should have at most 200 characters."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_refused_is_said_and_leaves_nothing(place, name):
    (method, path, body), status, code, sentence = CASES[name]
    path = path.replace("{id}", place.worktree["id"])
    body = json.loads(json.dumps(body).replace("{id}", place.worktree["id"])) if isinstance(body, dict) else body
    before = place.world()

    found, error = place.ask(method, path, body)

    said = sentence.replace("{root}", str(place.root))
    assert (found, error["code"]) == (status, code), error["message"]
    assert error["message"].startswith(said[:-1]) if said.endswith("*") else error["message"] == said
    assert place.world() == before


def test_a_prompt_that_is_a_template_says_the_line(place):
    one = place.client.post("sessions", {"worktreeId": place.worktree["id"], "agent": "script"})

    status, error = place.ask("POST", f"sessions/{one['id']}/prompt", {"text": "Fix\n{{ worktree.nmae }}", "isTemplate": True})

    assert (status, error["code"], error["details"]["line"]) == (422, "bad_template", 2)
    assert "(line 2)" in error["message"]
    assert "worktree.name" in error["message"]
    assert error["message"].endswith("Nothing was sent.")
    assert place.client.get(f"sessions/{one['id']}/turns") == []


def test_removing_lists_what_would_be_lost_and_keeps_it(place):
    worktree = place.made("precious")
    folder = place.server.folder / "data" / "worktrees" / worktree["path"].rpartition("/")[2]
    (folder / "a.txt").write_text("changed\n")
    git(folder, "commit", "-qam", "work")
    (folder / "a.txt").write_text("changed again\n")
    (folder / "new.txt").write_text("new\n")
    before = place.world()

    status, error = place.ask("DELETE", f"worktrees/{worktree['id']}")

    losses = [
        "1 changed file, not committed: a.txt (14 bytes)",
        "1 untracked file: new.txt (4 bytes)",
        "1 commit of branch precious, on no other branch and on no remote",
    ]
    assert (status, error["code"], error["details"]["losses"]) == (409, "would_lose_work", losses)
    assert error["message"] == (
        f"Worktree 'precious' was not removed, because this would be lost: {', '.join(losses)}. "
        "Commit or push it, archive instead, or pass force=True."
    )
    assert place.world() == before

    one = place.client.post("sessions", {"worktreeId": worktree["id"], "agent": "script", "prompt": "```sh\necho waits\n```"})
    status, error = place.ask("DELETE", f"worktrees/{worktree['id']}?force=1")
    archived, refused = place.ask("POST", f"worktrees/{worktree['id']}/archive")

    live = "the work of a session that is busy there or has queued prompts"
    assert (status, error["details"]["losses"]) == (409, [live, *losses])
    assert error["message"].endswith("Cancel its turns first.")
    assert (archived, refused["message"]) == (
        409,
        f"Worktree 'precious' was not archived, because this would be lost: {live}. Cancel its turns first.",
    )
    assert folder.is_dir()

    place.client.post(f"sessions/{one['id']}/cancel")
    until = time.monotonic() + 50
    while place.client.get(f"sessions/{one['id']}")["state"] != "cancelled" and time.monotonic() < until:
        time.sleep(0.05)
    removal = place.client.delete(f"worktrees/{worktree['id']}", force=1)
    assert git(place.repository, "show", f"{removal['backupRef']}:a.txt") == "changed\n"
    assert (Path(removal["folder"]) / "files" / "a.txt").read_text() == "changed again\n"
    assert [backup["held"] for backup in place.client.get("backups") if backup["name"] == "precious"] == [losses]
    assert not folder.exists()


def test_a_worktree_that_git_cannot_tell_of_does_not_hide_the_others(place):
    gone = place.made("gone")
    subprocess.run(["rm", "-r", gone["path"]], check=True)

    found = place.client.post("worktrees/status", {"ids": [gone["id"], place.worktree["id"]], "maxAgeS": 0})
    status, error = place.ask("GET", f"worktrees/{gone['id']}/status")
    again = place.settled(place.client.post(f"worktrees/{gone['id']}/retry"))

    assert (found[0]["status"], found[1]["reason"]) == (None, None)
    assert found[0]["reason"] == error["message"]
    assert found[1]["status"]["branch"] == "home"
    assert (status, error["message"]) == (
        409,
        f"Worktree 'gone' is missing (Its folder {gone['path']} is gone). A session needs one that is ready.",
    )
    assert again["state"] == "ready"


def test_the_values_of_an_agents_variables_are_not_told(place):
    answers = [place.client.get("agents"), place.client.get("agents/keyed")]

    assert "canary-5f1c" not in json.dumps(answers)
    assert answers[1]["agent"]["env"] == {"GHOST_API_KEY": ""}


def test_a_second_server_on_the_same_data_says_who_has_them(place, tmp_path):
    before = place.world()
    process, second = serve(tmp_path, data_dir=place.server.folder / "data")
    try:
        other = Place.__new__(Place)
        other.server, other.count = second, 0
        found = [other.ask(method, path, {"path": "x"}) for method, path in (("GET", "me"), ("GET", "worktrees"), ("POST", "repos"))]
    finally:
        stop(process)

    for status, error in found:
        assert (status, error["code"]) == (503, "data_in_use")
        assert error["message"] == (
            f"The data folder '{place.server.folder / 'data'}' is in use by the server {place.server.url} (pid {place.server.pid}). "
            "Use that server, stop it, or give this one its own folder with AGOR_DATA_DIR."
        )
    assert place.world() == before
