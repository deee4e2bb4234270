"""Behind JupyterHub: a service of a worktree is opened through the hub's login, by its owner and by nobody else."""

import json
import subprocess
import sys
import time

import pytest

from harness.hub import hub
from tests.repositories import git

PATIENCE_S = 50
PAGE = """
import http.server, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"the page of {os.environ['AGOR_WORKTREE_NAME']}: {self.path}".encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""
SETTINGS = f"""
environment:
  services:
    page: {{command: [{sys.executable}, page.py], ports: [web], ready: {{http: /}}}}
  links:
    page: {{port: web}}
"""


@pytest.fixture
def jupyterhub(tmp_path):
    checkout = tmp_path / "root" / "warehouse"
    checkout.mkdir(parents=True)
    (checkout / "page.py").write_text(PAGE)
    (checkout / ".agor.yml").write_text(SETTINGS)
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=checkout, check=True)
    git("add", "-A", cwd=checkout)
    git("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "page", cwd=checkout)
    with hub(tmp_path, ("ann", "bob")) as running:
        yield running


@pytest.mark.timeout(240)
def test_a_service_is_opened_by_its_owner_and_a_second_user_is_refused(jupyterhub):
    ann = jupyterhub.start("ann")
    server = f"{jupyterhub.url}/user/ann"

    def call(method, path, body=None):
        answer = jupyterhub.ask(method, f"{server}/agor/api/{path}", ann, body)
        assert answer.status < 300, answer
        return json.loads(answer.body)

    def until(path, state):
        end = time.monotonic() + PATIENCE_S
        while (found := call("GET", path))["state"] != state:
            assert time.monotonic() < end, found
            time.sleep(0.1)
        return found

    repo = call("POST", "repos", {"path": "warehouse"})
    worktree = call("POST", "worktrees", {"repo": repo["id"], "name": "fix"})
    until(f"worktrees/{worktree['id']}", "ready")
    call("POST", f"worktrees/{worktree['id']}/environment/start", {})
    environment = until(f"worktrees/{worktree['id']}/environment", "healthy")
    [link] = environment["links"]
    address = jupyterhub.url + link["url"] if link["url"].startswith("/user/") else server + link["url"]
    bob = json.loads((jupyterhub.api("POST", "users/bob"), jupyterhub.api("POST", "users/bob/tokens", {}))[1].body)["token"]

    assert jupyterhub.ask("GET", address, ann).body.startswith("the page of fix: /")
    assert jupyterhub.ask("GET", address, bob).status == 403
    assert "the page of fix" not in jupyterhub.ask("GET", address).body
    call("POST", f"worktrees/{worktree['id']}/environment/stop", {})
    until(f"worktrees/{worktree['id']}/environment", "stopped")
