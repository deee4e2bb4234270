"""An npm registry on 127.0.0.1 that holds the few packages a test puts into it."""

import base64
import hashlib
import io
import json
import shutil
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from agor_jupyter.executors.installer import NODE_VERSION

PROGRAM = """#!/usr/bin/env node
if (process.argv.includes("--version")) { console.log("%(version)s"); process.exit(0); }
process.stdin.resume();
"""


def link_node(data_dir: Path) -> None:
    """Give a data folder this machine's Node as its own, so that none is fetched."""
    node, npm = shutil.which("node"), shutil.which("npm")
    assert node, "the tests need Node with its npm"
    assert npm, "the tests need Node with its npm"
    root = data_dir / "agents" / ".node" / NODE_VERSION
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "node").symlink_to(Path(node).resolve())
    (root / "lib" / "node_modules").mkdir(parents=True)
    (root / "lib" / "node_modules" / "npm").symlink_to(Path(npm).resolve().parents[1])


class Registry:
    """`asked` are the paths that npm wanted, in order. While `hold` is clear, tarballs wait."""

    def __init__(self) -> None:
        self.documents: dict[str, dict] = {}
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.hold = threading.Event()
        self.hold.set()
        self.headers: list[dict[str, str]] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = unquote(self.path.lstrip("/"))
                registry.asked.append(path)
                registry.headers.append(dict(self.headers))
                if path in registry.files:
                    registry.hold.wait(30)
                    self._answer(200, registry.files[path])
                elif path in registry.documents:
                    self._answer(200, json.dumps(registry.documents[path]).encode())
                else:
                    self._answer(404, b"{}")

            def _answer(self, status: int, body: bytes) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:  # npm was killed
                    pass

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait_asked(self, end: str, timeout_s: float = 15) -> None:
        until = time.monotonic() + timeout_s
        while not any(path.endswith(end) for path in list(self.asked)):
            assert time.monotonic() < until, self.asked
            time.sleep(0.02)

    def put(  # noqa: PLR0913
        self,
        name: str,
        version: str,
        *,
        engine: str = ">=4",
        says: str | None = None,
        program: str = PROGRAM,
        files: dict[str, str] | None = None,
        **fields,
    ) -> None:
        """A package whose program has its name. `says`: the version in its own package.json, if it is a lie."""
        own = {"name": name, "version": says or version, "bin": {name.rpartition("/")[2]: "run.js"}, "engines": {"node": engine}, **fields}
        content = {"package.json": json.dumps(own), "run.js": program % {"version": version}, **(files or {})}
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for path, text in content.items():
                entry = tarfile.TarInfo(f"package/{path}")
                entry.size, entry.mode = len(text.encode()), 0o755
                archive.addfile(entry, io.BytesIO(text.encode()))
        tarball = f"{name}/-/{version}.tgz"
        self.files[tarball] = packed.getvalue()
        digest = base64.b64encode(hashlib.sha512(packed.getvalue()).digest()).decode()
        document = self.documents.setdefault(name, {"name": name, "dist-tags": {}, "versions": {}})
        document["dist-tags"]["latest"] = version
        document["versions"][version] = {
            **own,
            "version": version,
            "dist": {"tarball": self.url + tarball, "integrity": f"sha512-{digest}"},
        }
