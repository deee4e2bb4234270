"""A real server with a host of issues: a worktree from an address, what cells and shells show of it, and its kernel among the server's."""

import asyncio
import json
import subprocess
import threading
import urllib.request

import pytest

import agor_jupyter as agor
from agor_jupyter.cli.app import run
from agor_jupyter.domain.errors import IssueNotFound
from harness.servers import serve, stop
from tests.providers.hosts import serving

ISSUE, PULL = "https://git.test/acme/shop/issues/12", "https://git.test/acme/shop/pull/7"


@pytest.fixture(scope="module")
def issues():
    """The host, in a thread with a loop of its own."""
    loop, found, is_over = asyncio.new_event_loop(), [], asyncio.Event()
    ready = threading.Event()

    async def main():
        async with serving() as host:
            host.github()
            host.github_pull(runs=("success",))
            found.append(host)
            ready.set()
            await is_over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    assert ready.wait(50)
    yield found[0]
    loop.call_soon_threadsafe(is_over.set)
    thread.join(50)
    loop.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory, issues):
    config = {"issue_providers": [{"host": "git.test", "kind": "github", "base_url": issues.url}], "issue_max_age_s": 0}
    process, found = serve(tmp_path_factory.mktemp("issues"), AGOR_TEST_CONFIG=json.dumps(config))
    yield found
    stop(process)


@pytest.fixture(scope="module")
def repo(server):
    folder = server.folder / "root" / "shop"
    for words in (["init", "-q", "-b", "main", str(folder)],):
        subprocess.run(["git", *words], check=True)
    (folder / "a.py").write_text("x = 1\n")
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "-C", str(folder), "add", "-A"], check=True)
    subprocess.run(["git", "-C", str(folder), *author, "commit", "-qm", "first"], check=True)
    return agor.connect(server.url, token="alice-token").repo(str(folder))


def test_one_address_makes_one_worktree_and_cells_and_shells_show_its_issue(server, repo, issues, capsys):
    worktree = repo.worktree(issue=ISSUE, pull_request=PULL)

    assert (worktree.name, worktree.branch) == ("12-backfill-2024-refunds", "12-backfill-2024-refunds")
    assert repo.worktree(issue=ISSUE).record.id == worktree.record.id
    assert (worktree.issue.title, worktree.issue.labels) == ("Backfill 2024 refunds", ("bug", "good first issue"))
    assert (worktree.pull_request.checks, worktree.pull_request.head) == ("success", "fix/keys")

    where = ["--url", server.url, "--token", "alice-token"]
    assert run([*where, "worktree", "show", worktree.name]) == 0
    shown = capsys.readouterr().out
    assert "#12 “Backfill 2024 refunds” (open)" in shown
    assert "#7 “Fix keys” (open, checks success)" in shown

    assert run([*where, "worktree", "create", "shop", "--issue", "https://git.test/acme/shop/issues/404"]) == 1
    assert "issues/404 does not exist" in capsys.readouterr().err


def test_a_worktree_without_a_link_has_no_issue_in_a_cell(repo):
    worktree = repo.worktree("plain")

    assert worktree.issue is None
    with pytest.raises(IssueNotFound):
        worktree.change(issue_url="https://git.test/acme/shop/issues/404").issue


def test_the_servers_own_list_has_a_worktrees_kernel_until_it_is_removed(server, repo):
    kernel = repo.worktree("plain").kernel
    assert kernel.state == "none"

    kernel.start().wait(150)

    assert kernel.spec_name == "agor-plain"
    assert specs(server)["agor-plain"]["spec"]["display_name"] == "Python (worktree plain)"
    kernel.remove()
    assert kernel.state == "none"
    assert "agor-plain" not in specs(server)


def specs(server):
    request = urllib.request.Request(f"{server.url.rstrip('/')}/api/kernelspecs", headers={"Authorization": "token alice-token"})
    with urllib.request.urlopen(request, timeout=50) as answer:
        return json.load(answer)["kernelspecs"]
