from agor_jupyter.domain.turns import Patch, PatchFile
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.turns import Diff

PATCH = Patch(
    files=[
        PatchFile(path="a.sql", status="modified", added=1, deleted=1),
        PatchFile(path="b <b>.txt", status="added", added=1, deleted=0),
        PatchFile(path="logo.png", status="added", added=None, deleted=None),
    ],
    text=(
        "diff --git a/a.sql b/a.sql\nindex 111..222 100644\n--- a/a.sql\n+++ b/a.sql\n@@ -1 +1 @@\n-select 1\n+select '<script>'\n"
        "diff --git a/b <b>.txt b/b <b>.txt\nnew file mode 100644\n--- /dev/null\n+++ b/b <b>.txt\n@@ -0,0 +1 @@\n+--- not a header\n"
        "diff --git a/logo.png b/logo.png\nnew file mode 100644\nBinary files /dev/null and b/logo.png differ\n"
    ),
)


def test_a_diff_reads_file_by_file():
    assert repr(Diff(PATCH)) == (
        "modified  a.sql  +1 -1\n    @@ -1 +1 @@\n    -select 1\n    +select '<script>'\n"
        "added     b <b>.txt  +1 -0\n    @@ -0,0 +1 @@\n    +--- not a header\n"
        "added     logo.png  binary"
    )


def test_a_diff_is_escaped_and_uses_the_theme():
    html = Diff(PATCH)._repr_html_()

    assert "<script>" not in html
    assert "<b>" not in html.replace("<b>.txt", "")
    assert "&lt;script&gt;" in html
    assert "--jp-success-color1" in html


def test_a_diff_counts():
    diff = Diff(PATCH)

    assert (len(diff), diff.added, diff.deleted, bool(diff)) == (3, 2, 1, True)
    assert diff.text == str(diff) == PATCH.text
    assert repr(Diff(Patch(files=[], text=""))) == "No changes"


def test_a_long_diff_says_how_much_is_left_out():
    lines = "".join(f"+{number}\n" for number in range(1000))
    patch = Patch(
        files=[PatchFile(path="long", status="added", added=1000, deleted=0)],
        text=f"diff --git a/long b/long\n@@ -0,0 +1,1000 @@\n{lines}",
    )

    assert repr(Diff(patch)).endswith("... 802 more lines")
    assert "more lines" in Diff(patch)._repr_html_()


def test_a_card_escapes_what_came_from_outside():
    html = views.card("Worktree", "<img onerror=x>", "ready", [("branch", "<b>")])

    assert "<img" not in html
    assert "&lt;b&gt;" in html


def test_a_headline_is_the_first_line_that_says_something():
    assert views.headline("\n```sh\npytest\n```") == "pytest"
    assert views.headline("x" * 200) == "x" * 79 + "…"


HOSTILE = "a\x1b]0;title\x07\x9b31m\u202eb\u00a0c"


def test_nothing_that_is_shown_commands_a_terminal_or_turns_the_text():
    text = f"diff --git a/x b/x\n@@ -0,0 +1 @@\n+{HOSTILE}\n"
    diff = Diff(Patch(files=[PatchFile(path=HOSTILE, status="added", added=1, deleted=0)], text=text))
    shown = [
        *(repr(diff), str(diff), diff._repr_html_(), views.headline(HOSTILE), views.rows("event", [HOSTILE])),
        *(views.card("Session", HOSTILE, HOSTILE, [(HOSTILE, HOSTILE)]), views.transcript(HOSTILE, "done", [("text", HOSTILE)])),
    ]

    assert diff.text == text
    for each in shown:
        assert "\ufffd]0;title\ufffd\ufffd31m\ufffdb\u00a0c" in each
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(each)
