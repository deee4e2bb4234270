"""What the server says of its own machine."""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from agor_jupyter.executors import sandbox
from agor_jupyter.services import machine
from agor_jupyter.services.config import Config


async def said(config: Config) -> dict[str, tuple[str, str]]:
    return {one.what: (one.verdict, one.text) for one in await machine.check(config, [])}


async def test_a_machine_that_has_all_is_fine(config: Config) -> None:
    config.data_dir.mkdir()

    found = await said(dataclasses.replace(config, sandbox="auto"))

    assert found["git"][0] == "ok"
    assert found["data"][1].startswith(f"{config.data_dir}, ")
    assert found["sandbox"][0] == ("ok" if await sandbox.why_not() is None else "warn")


async def test_what_is_missing_says_what_follows(config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The sandbox's reason is a mock: no real machine lacks bubblewrap and has it."""

    async def missing() -> str:
        return "bubblewrap is not installed"

    monkeypatch.setattr(sandbox, "why_not", missing)

    required = await said(dataclasses.replace(config, sandbox="required"))
    optional = await said(dataclasses.replace(config, sandbox="auto"))
    off = await said(config)

    assert required["sandbox"] == ("fail", "bubblewrap is not installed. It is required here, so agents do not start")
    assert optional["sandbox"][0] == off["sandbox"][0] == "warn"
    assert required["data"][0] == "fail"  # the folder is not there


async def test_a_full_disk_is_told(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mock: the test's own disk is not to be filled."""
    config.data_dir.mkdir()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12 - 5 * 10**8, 5 * 10**8))

    verdict, text = (await said(config))["data"]

    assert verdict == "warn"
    assert "500 MB free. Free some space" in text


def test_over_http_anybody_who_may_read_sees_the_agents_too(server) -> None:
    found = server.client("carol").get("checks")

    assert {"git", "data", "sandbox", "agent"} == {one["what"] for one in found}
    assert "Script is installed" in {one["text"].partition(",")[0] for one in found}
    assert not [one for one in found if os.linesep in one["text"]]
