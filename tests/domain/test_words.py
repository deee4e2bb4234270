"""Commands are compared by their words. What the words say must be what every shell does, and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agor_jupyter.domain.words import read, read_arguments, why_too_wide

SHELLS = [found for name in ("sh", "bash", "dash", "zsh", "busybox") if (found := shutil.which(name))]
SECOND = [
    "; touch x", ";touch x", "&& touch x", "|| touch x", "| touch x", "|& touch x", "& touch x", "\ntouch x", "\r\ntouch x", "\n\ntouch x\n",
    "$(touch x)", "`touch x`", '"$(touch x)"', '"`touch x`"', "<(touch x)", ">(touch x)", "$(<x)", "> x", ">> x", "2> x", "&> x", ">| x", "<> x",
    "< /etc/passwd", "<<< x", "<<x\nx\n", "{ touch x; }", "(touch x)", "$((x=1))", "${x:=1}", "$x", "$'\\n'touch x", "\\\ntouch x", "\\; touch x",
    "'\\''; touch x #'", "'a'; touch x; 'b'", '"a"; touch x; "b"', "!touch x", "#\ntouch x", "\u2028touch x", "\u00a0;touch x", "\0; touch x",
    "\x1b[A", "a\tb;touch x", "~", "~root", "{a,b}", "*", "?", "[a-z]", "a=b", "--", "-c", "''", '""', "'a b'", '"a b"', "a'b'\"c\"d", "ü", "'ü'", "\\",
]  # fmt: skip
PIECES = st.lists(
    st.one_of(
        st.sampled_from(SECOND),
        st.sampled_from(["'a;b'", '"c|d"', "-x", "e=f", "g/*", "''"]),
        st.text(alphabet=" '\"\\$`;&|<>(){}!#~*?[]=-\n\tabü%^@:,./", max_size=3),
    ),
    max_size=3,
)


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    """Runs a command in a shell where one program is to be found: it writes down how it was called."""
    folder = tmp_path_factory.mktemp("probe")
    (folder / "bin").mkdir()
    program = folder / "bin" / "probe"
    program.write_text(f"#!{sys.executable} -ISs\nimport sys\nopen('{folder}/calls', 'a').write(repr(sys.argv[1:]) + '\\n')\n")
    program.chmod(0o755)
    (folder / "bin" / "touch").symlink_to(shutil.which("touch"))

    def run(shell, command):
        here = folder / "here"
        shutil.rmtree(here, ignore_errors=True)
        here.mkdir()
        (folder / "calls").unlink(missing_ok=True)
        arguments = [shell, "sh", "-c", command] if Path(shell).name == "busybox" else [shell, "-c", command]
        done = subprocess.run(
            arguments, cwd=here, env={"PATH": str(folder / "bin"), "HOME": "/nonexistent"}, capture_output=True, text=True, check=False, timeout=10, stdin=subprocess.DEVNULL
        )  # fmt: skip
        calls = (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []
        return calls, [entry.name for entry in here.iterdir()], done.stdout + done.stderr

    return run


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(["; touch x"])
@example(["/*"])
@given(PIECES)
@pytest.mark.parametrize("shell", SHELLS, ids=lambda path: Path(path).name)
def test_no_end_of_a_command_smuggles_in_another(probe, shell, pieces):
    command = "probe " + " ".join(pieces)
    words = read(command)
    if words is None:
        return

    calls, files, said = probe(shell, command)

    if any(
        ("/" in word or word.startswith(".")) and set(word) & set("*?[") for word in words
    ):  # the shell may put names of files in its place: more arguments, one call
        assert len(calls) == 1
    else:
        assert calls == [repr(words[1:])]
    assert (files, said) == ([], "")


@pytest.mark.parametrize("second", [one for one in SECOND if "touch" in one or one[0] in "<>2&$`"])
@pytest.mark.parametrize("glue", ["", " ", " a ", "'a'"])
def test_two_commands_a_substitution_and_a_redirection_have_no_words(second, glue):
    assert read(f"git status{glue}{second}") is None or second.startswith("'") or not second.isprintable()
    assert read(f"git status{glue}{second}") is None


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("git status", ["git", "status"]),
        ("  git   status --short\n", ["git", "status", "--short"]),
        ("dbt build --select 'a b' \"c d\"", ["dbt", "build", "--select", "a b", "c d"]),
        ("pytest tests/a.py::test_b[1-2] -k 'a or b'", ["pytest", "tests/a.py::test_b[1-2]", "-k", "a or b"]),
        ("a'b'\"c\"d ''", ["abcd", ""]),
        ("./git status", ["./git", "status"]),
        ("echo 'grüße; rm'", ["echo", "grüße; rm"]),
    ],
)
def test_a_simple_command_has_its_words(command, words):
    assert read(command) == words


@pytest.mark.parametrize(
    "command",
    [
        "",
        " ",
        "\n",
        "FOO=1 git status",
        "FOO+=1 git status",
        "a[0]=1 git status",
        "git 'status",
        'git "status',
        "git st\\atus",
        "git $HOME",
        "git ~/x",
    ]
    + ["git\tstatus", "git status # all", "! git status", "git '\\'' x", 'git "a!b"', "git\u00a0status", "git \u202estatus", "x" * 10_001],
)
def test_anything_else_has_none(command):
    assert read(command) is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bash", "-lc", "git status"], ["git", "status"]),
        (["/bin/zsh", "-c", "git status"], ["git", "status"]),
        (["git", "status"], ["git", "status"]),
        (["git", "commit", "-m", "a b"], ["git", "commit", "-m", "a b"]),
        (["bash", "-lc", "git status; rm x"], None),
        (["bash", "-lc", "git status", "x"], ["bash", "-lc", "git status", "x"]),
        (["/tmp/bash", "-lc", "git status"], ["/tmp/bash", "-lc", "git status"]),
        (["git", "status;", "rm"], None),
        (["git", "$(rm x)"], None),
        (["FOO=1", "git"], None),
        ([], None),
    ],
)
def test_a_command_as_a_list(arguments, words):
    assert read_arguments(arguments) == words


@pytest.mark.parametrize(
    "prefix",
    [["bash"], ["/bin/sh", "-c"], ["sudo", "git"], ["env", "-i"], ["python3.11", "-c"], ["A=1", "git"], ["xargs"], ["eval"], ["."]],
)
def test_a_prefix_that_allows_every_command_is_too_wide(prefix):
    assert why_too_wide(prefix)


@pytest.mark.parametrize(
    "prefix", [["git"], ["dbt", "build"], ["python", "-m", "pytest"], ["bash", "scripts/test.sh"], ["./run.sh"], ["make"]]
)
def test_other_prefixes_are_not(prefix):
    assert why_too_wide(prefix) is None
