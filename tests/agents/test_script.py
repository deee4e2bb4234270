"""The script agent, through our own client and a real process."""

import asyncio
import os
import subprocess
import time
from pathlib import Path

from agor_jupyter.domain.events import Text, ToolCall


def block(code: str, language: str = "sh") -> str:
    return f"```{language}\n{code}\n```\n"


async def test_a_block_runs_in_the_worktree_and_its_output_streams(stage):
    session = await stage.start()

    result = await session.prompt("Please:\n" + block("pwd; echo hello > made.txt; sleep 0.2; echo done") + "Thanks.")

    assert (result.stop_reason, result.error) == ("end_turn", None)
    assert stage.output == f"{stage.cwd}\ndone\n"
    assert (stage.cwd / "made.txt").read_text() == "hello\n"
    assert [call.status for call in stage.of(ToolCall)] == ["pending", "in_progress", "completed"]
    assert stage.of(ToolCall)[-1].exit_code == 0
    assert stage.text == "I run 1 block in order: sh.Done."
    assert stage.questions[0].command == "pwd; echo hello > made.txt; sleep 0.2; echo done\n"
    assert stage.questions[0].tool_kind == "execute"


async def test_output_arrives_while_the_block_runs(stage):
    session = await stage.start()
    turn = asyncio.create_task(session.prompt(block("echo first; sleep 1; echo second")))

    await stage.until(lambda: "first" in stage.output, 0.9)

    assert "second" not in stage.output
    assert (await turn).error is None


async def test_a_failing_block_fails_the_turn_and_the_rest_does_not_run(stage):
    session = await stage.start()

    result = await session.prompt(block("true") + block("print(1)\nraise SystemExit(3)", "python") + block("touch never"))

    assert result.error == "Block 2 (python) ended with code 3: print(1) …"
    assert result.error_code == "block_failed"
    assert stage.of(ToolCall)[-1].status == "failed"
    assert not (stage.cwd / "never").exists()


async def test_sh_stops_at_the_first_error_and_bash_in_a_pipe_too(stage):
    session = await stage.start()

    first = await session.prompt(block("false\ntouch never"))
    second = await session.prompt(block("false | cat\ntouch never", "bash"))

    assert first.error
    assert second.error
    assert not (stage.cwd / "never").exists()


async def test_always_in_this_session_asks_once(stage):
    session = await stage.start()
    stage.answer = "allow_always"

    await session.prompt(block("echo 1") + block("echo 2"))
    await session.prompt(block("echo 3"))

    assert len(stage.questions) == 1
    assert stage.output == "1\n2\n3\n"


async def test_a_no_fails_the_turn_and_nothing_runs(stage):
    session = await stage.start()
    stage.answer = "reject_once"

    result = await session.prompt(block("touch never") + block("touch neither"))

    assert result.error == "A person rejected: touch never"
    assert result.error_code == "rejected"
    assert len(stage.questions) == 1
    assert list(stage.cwd.iterdir()) == []


async def test_a_prompt_without_a_block_says_what_works(stage):
    session = await stage.start()

    result = await session.prompt("Fix the bug.\n```sql\nselect 1\n```")

    assert result.error is None
    assert "nothing to run" in stage.text
    assert stage.questions == []


async def test_cancel_kills_the_block_at_once(stage):
    session = await stage.start()
    turn = asyncio.create_task(session.prompt(block("echo on; setsid sleep 100 & sleep 100; touch never")))
    await stage.until(lambda: "on" in stage.output)

    begun = time.monotonic()
    session.cancel()
    result = await turn

    assert result.stop_reason == "cancelled"
    assert time.monotonic() - begun < 8  # a cancel is given up after ten
    commands = [Path(f"/proc/{pid}/cmdline").read_text() for pid in stage.marked()]
    assert not [command for command in commands if "sleep" in command]
    assert (await session.prompt(block("echo again"))).error is None


async def test_cancel_while_a_question_is_open_withdraws_it(stage):
    session = await stage.start()
    withdrawn = asyncio.Event()

    async def never(question):
        try:
            await asyncio.sleep(100)
        finally:
            withdrawn.set()

    stage.answer = never
    turn = asyncio.create_task(session.prompt(block("touch never")))
    await stage.until(lambda: stage.questions)

    session.cancel()

    assert (await turn).stop_reason == "cancelled"
    assert withdrawn.is_set()
    assert not (stage.cwd / "never").exists()


async def test_a_session_is_loaded_again_by_another_process(stage):
    first = await stage.start()
    name = first.agent_session_id
    await first.stop()

    second = await stage.start(previous=name)

    assert second.agent_session_id == name
    assert (await second.prompt(block("echo back"))).error is None
    assert stage.output == "back\n"


async def test_four_mebibytes_are_shown_and_the_middle_is_counted(stage):
    session = await stage.start()

    result = await session.prompt(block("head -c 20000000 /dev/zero | tr '\\0' x; echo; echo the end"))

    assert result.error is None
    assert len(stage.output) < (4 << 20) + 200
    assert "bytes of output were left out" in stage.output
    assert stage.output.endswith("the end\n")


async def test_a_prompt_of_200_kilobytes_runs(stage):
    session = await stage.start()
    filler = "# filler\n" * 12_000

    first = await session.prompt(block(filler + "echo shell"))
    second = await session.prompt(block(filler + "print('python')", "python"))

    assert (first.error, second.error) == (None, None)
    assert stage.output == "shell\npython\n"


async def test_invalid_bytes_and_nul_become_replacement_characters(stage):
    session = await stage.start()

    await session.prompt(block(r"printf 'a\377b\0c\n'"))

    assert stage.output == "a�b�c\n"


async def test_a_background_child_does_not_hold_up_the_turn(stage):
    session = await stage.start()
    begun = time.monotonic()

    result = await session.prompt(block("sleep 60 & echo started"))

    assert result.error is None
    assert time.monotonic() - begun < 50


async def test_a_commit_works_without_a_configured_name(stage, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    subprocess.run(["git", "init", "-q", "-b", "main", str(stage.cwd)], check=True)
    source = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    session = await stage.start(source=source)

    result = await session.prompt(block("echo x > x; git add x; git commit -qm 'Add x'; git log -1 --format='%an <%ae>'"))

    assert result.error is None
    assert stage.output == "Agor script <agor-script@localhost>\n"


async def test_python_blocks_see_the_servers_environment_and_the_worktree(stage):
    (stage.cwd / "loader.py").write_text("answer = 42\n")
    session = await stage.start()

    result = await session.prompt(block("import pydantic, loader; print(loader.answer)", "python"))

    assert result.error is None
    assert stage.output == "42\n"


async def test_the_summary_is_text(stage):
    session = await stage.start()

    await session.prompt(block("true") + block("true", "bash"))

    assert [body.text for body in stage.of(Text)] == ["I run 2 blocks in order: sh, bash.", "Done: all 2 blocks ran."]
