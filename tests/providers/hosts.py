"""A local HTTP server that speaks the parts of GitHub's and GitLab's API that are used, and can be made to misbehave."""

import hashlib
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import tornado.httpserver
import tornado.netutil
import tornado.web

TOKEN = "right-token"


@dataclass
class Host:
    """`pages` by path: JSON, or a function that answers by itself."""

    port: int = 0
    pages: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    """Path and status of each answer."""
    needs_token: bool = False
    headers: list = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def github(self, number=12, *, title="Backfill 2024 refunds", body="It fails.", project="acme/shop", **more):
        self.pages[f"/repos/{project}/issues/{number}"] = {
            "number": number, "title": title, "body": body, "labels": [{"name": "bug"}, {"name": "good first issue"}],
            "state": "open", "user": {"login": "ada"}, **more,
        }  # fmt: skip

    def github_pull(self, number=7, *, title="Fix keys", runs=(), status=None, project="acme/shop", **more):
        sha = "ab" * 20
        self.pages[f"/repos/{project}/pulls/{number}"] = {
            "number": number, "title": title, "body": None, "labels": [], "state": "open", "user": {"login": "ada"}, "merged_at": None,
            "base": {"ref": "main"}, "head": {"ref": "fix/keys", "sha": sha}, "draft": True, **more,
        }  # fmt: skip
        self.pages[f"/repos/{project}/commits/{sha}/check-runs"] = {
            "check_runs": [{"status": "completed" if run else "in_progress", "conclusion": run} for run in runs]
        }
        self.pages[f"/repos/{project}/commits/{sha}/status"] = {"state": status or "pending", "total_count": 1 if status else 0}

    def gitlab(self, number=3, *, what="issues", project="group%2Fsub%2Fshop", **more):
        self.pages[f"/projects/{project}/{what}/{number}"] = {
            "iid": number, "title": "Slow query", "description": "See plan.", "labels": ["db::slow"], "state": "opened",
            "author": {"username": "bob"}, **more,
        }  # fmt: skip


class _Page(tornado.web.RequestHandler):
    def initialize(self, host):
        self.host = host

    def compute_etag(self):
        return None

    async def get(self):
        host, path = self.host, self.request.path
        host.headers.append(dict(self.request.headers))
        given = self.request.headers.get("Authorization", "").removeprefix("Bearer ") or self.request.headers.get("Private-Token", "")
        page = host.pages.get(path)
        if host.needs_token and given != TOKEN:
            self.set_status(401)
            self.write({"message": "Bad credentials"})
        elif page is None:
            self.set_status(404)
            self.write({"message": "Not Found"})
        elif callable(page):
            await page(self) if page.__code__.co_flags & 0x80 else page(self)
        else:
            text = json.dumps(page)
            etag = f'W/"{hashlib.sha256(text.encode()).hexdigest()}"'
            self.set_header("ETag", etag)
            if self.request.headers.get("If-None-Match") == etag:
                self.set_status(304)
            else:
                self.write(text)
        host.asked.append((path, self.get_status()))


@asynccontextmanager
async def serving(port=0):
    host = Host()
    application = tornado.web.Application([(".*", _Page, {"host": host})], log_function=lambda _handler: None)
    server = tornado.httpserver.HTTPServer(application)
    sockets = tornado.netutil.bind_sockets(port, "127.0.0.1")
    host.port = sockets[0].getsockname()[1]
    server.add_sockets(sockets)
    host.server = server
    try:
        yield host
    finally:
        server.stop()
        await server.close_all_connections()
