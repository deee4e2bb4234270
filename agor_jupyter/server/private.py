"""A private headless server for a process outside any Jupyter server; `client/private.py` starts it and holds its stdin.

`python -m agor_jupyter.server.private ROOT`. The token comes in JUPYTER_TOKEN. It writes one JSON line to stdout when it answers, and it
ends when its stdin does, because then its parent is gone.
"""

import ctypes
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PATIENCE_S = 4.0
_EXTENSIONS = ("agor_jupyter", "jupyter_server_fileid", "jupyter_server_ydoc", "jupyter_server_proxy")


def main() -> None:
    root, arguments = sys.argv[1], sys.argv[2:]
    ready = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # nothing else may write into the pipe of the ready line
    if sys.platform == "linux":
        # It fires when the thread that forked ends, too; the end of stdin is what counts, this is the second line behind it.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(os.environ["AGOR_PARENT"]):
            sys.exit(1)
    # jsonschema imports it only to check the format “iri”, and that import compiles a grammar for three seconds.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # `None` is how an import is refused
    from agor_jupyter.client import settings

    own = settings.read(Path.cwd())
    os.environ["JUPYTER_NO_CONFIG"] = "1"  # an address, a password or an extension of another server is not for this one
    from jupyter_server.serverapp import ServerApp

    os.chdir(os.environ["JUPYTER_RUNTIME_DIR"])  # the store of the rooms is made in the working directory
    app = ServerApp.instance(config=own, jpserver_extensions=dict.fromkeys(_EXTENSIONS, True))
    app.initialize(
        argv=[
            "--no-browser",
            "--allow-root",
            "--ip=127.0.0.1",
            "--port=0",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={root}",
            "--ServerApp.terminals_enabled=False",
            "--ServerApp.use_redirect_file=False",
            "--BaseFileIdManager.db_path=:memory:",
            "--YDocExtension.document_cleanup_delay=5",
            *arguments,
        ],
        find_extensions=False,
    )
    threading.Thread(target=_end_with_stdin, name="stdin", daemon=True).start()

    def announce() -> None:
        ready.write(json.dumps({"url": app.connection_url, "pid": os.getpid(), "info_file": app.info_file}) + "\n")
        ready.flush()

    app.io_loop.add_callback(announce)
    app.start()


def _end_with_stdin() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)  # the orderly way
    time.sleep(_PATIENCE_S)
    os._exit(0)


if __name__ == "__main__":
    main()
