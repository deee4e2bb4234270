"""What is shown while one waits outside a notebook."""

import io

from agor_jupyter.notebook.display.live import Line


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_the_step_in_one_line_that_goes_again(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    line = Line()

    line.say("Repo warehouse: Receiving objects 40 %")
    line.say("setup: a\x1b]0;x\x07\n" + "b" * 100)
    line.clear()

    _, first, second, last = terminal.getvalue().split("\r\x1b[K")
    assert first == "Repo warehouse: Receiving objects 40 %"
    assert second.startswith("setup: a\ufffd]0;x\ufffd bbb")
    assert len(second) == 39
    assert last == ""


def test_what_is_no_terminal_gets_nothing(monkeypatch):
    pipe = io.StringIO()
    monkeypatch.setattr("sys.stderr", pipe)

    Line().say("Repo warehouse: Receiving objects 40 %")

    assert pipe.getvalue() == ""
