"""The board's view in a cell: an anywidget whose module is a 1 kB loader, beside a MIME type of our own.

Where our labextension is loaded its renderer draws the MIME type; elsewhere the anywidget does. The bundle itself comes from the
server's static route, or over the comm where there is no such server, and never lies in the notebook.
"""

from typing import Any

import anywidget
import traitlets

from agor_jupyter import _assets

MIME = "application/vnd.agor.board+json"


class Canvas(anywidget.AnyWidget):
    _esm = traitlets.Unicode().tag(sync=True)
    path = traitlets.Unicode().tag(sync=True)

    def __init__(self, path: str) -> None:
        loader = (_assets.STATIC / "loader.js").read_text().replace("__HASH__", _assets.bundle_hash())
        super().__init__(path=path, _esm=loader)
        self.on_msg(self._on_message)

    def _on_message(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        if content.get("agor") == "bundle":
            self.send({"agor": "bundle"}, [(_assets.STATIC / "canvas.js").read_bytes()])


_open: dict[str, Canvas] = {}
"""One widget for each board: showing it again adds a view, not another model."""


def bundle(path: str, text: str) -> Any:
    """The MIME bundle of a board. Without a built front end there is no widget in it."""
    data: dict[str, Any] = {"text/plain": text, MIME: {"version": 1, "path": path}}
    if not _assets.bundle_hash():
        return data
    if path not in _open:
        _open[path] = Canvas(path)
    shown = _open[path]._repr_mimebundle_()
    widget = shown[0] if isinstance(shown, tuple) else shown
    return (widget or {}) | data
