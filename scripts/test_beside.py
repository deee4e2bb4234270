"""By hand: install the wheel beside its neighbours, and see a board work in each environment, in its room and in Chromium.

Three fresh environments under `build/beside/`: beside Jupyter AI, beside jupyter-server-documents, and alone with
`disable_rtc`. In each: `pip check` is clean, the server starts, the room is found through our API, and two clients see each
other's edit, which reaches the file; then two pages of JupyterLab in Chromium show the canvas, and what one drags moves for the
other. Prints a PASS or FAIL line for each step, and ends with 1 if any failed.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import websockets

ROOT = Path(__file__).resolve().parents[1]
BESIDE = ROOT / "build" / "beside"
TOKEN = "beside"
sys.path.insert(0, str(ROOT))

from harness.room_client import Client, ask, until  # noqa: E402 after the path

NOTE = {"kind": "note", "x": 5, "y": 5, "width": 264, "height": 120, "text": "hello", "color": ""}


@dataclass(frozen=True)
class Neighbour:
    name: str
    packages: tuple[str, ...]
    options: tuple[str, ...]
    kind: str


NEIGHBOURS = (
    Neighbour("jupyter-ai", ("jupyterlab>=4.6,<4.7", "jupyter-ai>=3.2,<3.3"), (), "jupyter-collaboration"),
    Neighbour("jupyter-server-documents", ("jupyterlab>=4.6,<4.7", "jupyter-server-documents"), (), "jupyter-server-documents"),
    Neighbour("disable-rtc", ("jupyterlab>=4.6,<4.7",), ("--YDocExtension.disable_rtc=True",), "jupyter-collaboration"),
)

_failures = 0


def check(what: str, *, passed: bool, detail: str = "") -> None:
    global _failures  # noqa: PLW0603 the exit code of this script
    _failures += not passed
    print(f"{'PASS' if passed else 'FAIL'}  {what}{f': {detail}' if detail else ''}", flush=True)


def build_wheel(out: Path) -> Path:
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", out, ROOT], check=True, capture_output=True)
    return next(out.glob("*.whl"))


def uv() -> str | None:
    beside_python = Path(sys.executable).with_name("uv")
    return str(beside_python) if beside_python.exists() else shutil.which("uv")


def install(folder: Path, what: Sequence[str], *, keep: bool) -> Path:
    """A fresh environment with `what` in it; its Python."""
    python = folder / "bin" / "python"
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    if tool := uv():
        if not python.exists():
            subprocess.run([tool, "venv", "-q", "--seed", "--python", sys.executable, folder], check=True)
        command = [tool, "pip", "install", "-q", "--python", str(python)]
    else:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        command = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*command, *what], check=True)
    if keep:
        subprocess.run([*command, "--force-reinstall", "--no-deps", what[0]], check=True)
    return python


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def start(python: Path, folder: Path, options: Sequence[str]) -> tuple[subprocess.Popen[bytes], str]:
    port = free_port()
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    (home / "root").mkdir(parents=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_", "AGOR_", "VIRTUAL_ENV"))}
    environment |= {"HOME": str(home), "AGOR_DATA_DIR": str(home / "agor"), "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [
                python, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
                f"--ServerApp.root_dir={home / 'root'}", f"--IdentityProvider.token={TOKEN}", "--MCPExtensionApp.mcp_port=0", *options,
            ],
            env=environment, cwd=home, stdout=log, stderr=log,
        )  # fmt: skip
    base = f"http://127.0.0.1:{port}/"
    end = time.monotonic() + 90
    while True:
        try:
            ask(base, "agor/api/me", TOKEN)
        except (urllib.error.URLError, ConnectionError) as error:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the server did not start; see {folder / 'server.log'}") from error
            time.sleep(0.2)
        else:
            return server, base


async def share(base: str, neighbour: Neighbour, root: Path) -> None:
    file = root / "beside.agor"
    ask(base, "agor/api/boards", TOKEN, {"path": file.name, "title": "Beside"})
    room = ask(base, f"agor/api/board/room?path={file.name}", TOKEN)
    check(f"{neighbour.name}: the room is found", passed=room["kind"] == neighbour.kind and room["writable"], detail=room["kind"])
    async with Client(base, room, "one", token=TOKEN) as one, Client(base, room, "two", token=TOKEN) as two:
        one.put("a", NOTE)
        await until(lambda: two.plain() == {"a": NOTE})
        two.objects["a"]["text"] = "changed"
        await until(lambda: one.plain()["a"]["text"] == "changed")
        check(f"{neighbour.name}: two clients see each other's edits", passed=True)
        await until(lambda: '"changed"' in file.read_text())
        check(f"{neighbour.name}: the edit is in the file", passed=json.loads(file.read_text())["meta"] == {"title": "Beside"})
        await asyncio.to_thread(ask, base, f"agor/api/board/notes?path={file.name}", TOKEN, {"text": "from the server"})
        await until(lambda: len(one.plain()) == 2)
        check(f"{neighbour.name}: the server edits the live document", passed=True)
        await one.socket.send(b"\x00\x02" + os.urandom(50))
        with contextlib.suppress(websockets.ConnectionClosed):  # it may be closed while it is still being sent
            await one.socket.send(b"\x00" * (2 << 20))
        await until(lambda: one.closed)
        two.put("b", NOTE)
        await until(lambda: '"b"' in file.read_text())
        check(f"{neighbour.name}: a frame that is too big closes its connection only", passed=one.closed[0] in {1006, 1009})
        await asyncio.sleep(1.5)
        text = file.read_text()
        board = json.loads(text)
        board["objects"]["disk"] = NOTE
        file.write_text(json.dumps(board, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        two.put("c", NOTE)
        await until(lambda: {"c", "disk"} <= set(two.plain()))
        await until(lambda: '"c"' in file.read_text() and '"disk"' in file.read_text())
        check(f"{neighbour.name}: an edit on disk and one in the room both survive", passed=True)


def look(base: str, neighbour: Neighbour, picture: Path) -> None:
    """Two pages of JupyterLab on one board: the canvas stands, a note moved in one moves in the other."""
    from playwright.sync_api import Page, sync_playwright

    def opened(page: Page) -> Page:
        page.goto(f"{base}lab/tree/page.agor?token={TOKEN}")
        page.locator('.agor [data-id]:has-text("a note to drag")').first.wait_for(timeout=60_000)
        return page

    def place(page: Page) -> float:
        box = page.locator('.agor [data-id]:has-text("a note to drag")').first.bounding_box()
        assert box is not None
        return box["x"]

    ask(base, "agor/api/boards", TOKEN, {"path": "page.agor", "title": "Page"})
    ask(base, "agor/api/board/notes?path=page.agor", TOKEN, {"text": "a note to drag", "x": 0, "y": 0})
    with sync_playwright() as playwright:
        flags = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=list(flags))
        one, two = (opened(browser.new_context(viewport={"width": 1200, "height": 800}).new_page()) for _ in range(2))
        check(f"{neighbour.name}: the canvas stands in two pages", passed=True)
        before = place(two)
        box = one.locator('.agor [data-id]:has-text("a note to drag")').first.bounding_box()
        assert box is not None
        one.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
        one.mouse.down()
        one.mouse.move(box["x"] + box["width"] / 2 + 150, box["y"] + 60, steps=8)
        one.mouse.up()
        end = time.monotonic() + 15
        while abs(place(two) - before) < 100 and time.monotonic() < end:
            two.wait_for_timeout(100)
        check(
            f"{neighbour.name}: what one drags moves for the other",
            passed=abs(place(two) - before) >= 100,
            detail=f"{place(two) - before:.0f} px",
        )
        two.screenshot(path=picture)
        browser.close()


def run(neighbour: Neighbour, wheel: Path, *, keep: bool) -> None:
    folder = BESIDE / neighbour.name
    python = install(folder, [str(wheel), *neighbour.packages], keep=keep)
    clean = subprocess.run([python, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    check(f"{neighbour.name}: pip check is clean", passed=clean.returncode == 0, detail=clean.stdout.strip()[:300])
    server, base = start(python, folder, neighbour.options)
    try:
        check(f"{neighbour.name}: the server answers", passed=True)
        asyncio.run(share(base, neighbour, folder / "home" / "root"))
        look(base, neighbour, BESIDE / f"{neighbour.name}.png")
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which neighbours; default: all")
    parser.add_argument("--keep", action="store_true", help="use the environments of the last run again")
    chosen = parser.parse_args()
    BESIDE.mkdir(parents=True, exist_ok=True)
    wheel = build_wheel(BESIDE / "wheel")
    for neighbour in NEIGHBOURS:
        if chosen.names and neighbour.name not in chosen.names:
            continue
        try:
            run(neighbour, wheel, keep=chosen.keep)
        except Exception as error:  # noqa: BLE001 the others are still tried
            check(f"{neighbour.name}: finished", passed=False, detail=f"{type(error).__name__}: {error}")
    print("All passed." if not _failures else f"{_failures} failed.")
    sys.exit(bool(_failures))


if __name__ == "__main__":
    main()
