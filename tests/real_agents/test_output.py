"""Much output neither stops a turn nor fills the database."""

import dataclasses

import pytest

from agor_jupyter.services.agents.installs import Installs

_MB = 1_000_000


async def test_two_megabytes_of_a_tools_output_are_taken(stage):
    session = await stage.begin()
    flood = "head -c 2000000 /dev/zero | tr '\\0' x | fold -w 100; echo; echo the-end"

    turn = await stage.play(session, {"do": "shell", "cmd": flood, "asks": True}, {"text": "That was much."})
    again = await stage.play(session, {"text": "And on."})

    shown = await stage.text(turn)
    assert (turn.state, turn.error, again.state) == ("done", None, "done")
    assert len(shown) < 6 * _MB
    assert "That was much." in shown
    if stage.kit.agent.capabilities.reports_output:
        assert shown.count("x") > 100
    assert sum(file.stat().st_size for file in stage.agor.config.data_dir.glob("agor.db*")) < 30 * _MB


async def test_an_answer_that_repeats_itself_is_taken_or_broken_off_as_the_catalogue_says(stage):
    session = await stage.begin()

    turn = await stage.play(session, {"text": "The bird is a heron. ", "times": 300})

    said = (await stage.text(turn)).count("heron")
    if stage.kit.agent.failures.when_repeating == "goes_on":
        assert (turn.state, turn.error, said) == ("done", None, 300)
    else:
        assert (turn.state, turn.error_code) == ("failed", "max_turn_requests")
        assert "repeated itself" in turn.error
        assert 0 < said < 300


@pytest.fixture
def config(config, kit):
    """The agent writes 300 kB to its stderr before it answers, and keeps that open."""
    agent = kit.agent if (ready := Installs(config.data_dir).ready(kit.agent)) is None else ready
    flood = 'head -c 300000 /dev/zero | tr "\\0" e >&2; exec "$0" "$@"'
    loud = agent.replace(command=["bash", "-c", flood, *agent.command], install=agent.install.replace(package=None), is_builtin=False)
    return dataclasses.replace(config, agents=(loud,))


async def test_three_hundred_kilobytes_on_stderr_do_not_stop_it(stage):
    session = await stage.begin()

    turn = await stage.play(session, stage.write("made.txt", "1\n"), {"text": "Written."})

    assert (turn.state, turn.error) == ("done", None)
    assert (stage.folder / "made.txt").exists()
