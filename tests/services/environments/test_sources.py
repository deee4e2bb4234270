"""Which file says it, and when an owner has to trust it first."""

import os
from pathlib import Path

import pytest

from agor_jupyter.domain.errors import BadSettings
from agor_jupyter.domain.trust import TrustRequest
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.consent.trusts import Trusts
from agor_jupyter.services.environments.plans import Plans
from agor_jupyter.services.environments.sources import Sources
from tests.git.conftest import git
from tests.services.conftest import OWNER, key

ONE, OTHER = "environment: {services: {a: {command: one}}}\n", "environment: {services: {a: {command: other}}}\n"


async def scene(bench, checkout: Path, files: dict[str, str]):
    for name, text in files.items():
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_text(text)
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "files", "--allow-empty", cwd=checkout)
    worktree = await bench.make(await bench.repo(checkout))
    sources = Sources(bench.repos)
    trusts = Trusts(bench.store, Clock(), {}, trusts_all=False, others=sources.changed)
    return worktree, trusts, Plans(sources, trusts)


async def test_an_owner_trusts_a_content_and_the_next_one_has_to_be_trusted_anew(bench, checkout):
    worktree, trusts, plans = await scene(bench, checkout, {".agor.yml": ONE})
    file = Path(worktree.path, ".agor.yml")

    assert await trusts.list(worktree.id) == []
    file.write_text(OTHER)
    (listed,) = await trusts.list(worktree.id)
    assert (listed.path, listed.state) == (".agor.yml", "new")
    assert (await plans.of(worktree, None)).needs_trust
    await trusts.decide(OWNER, worktree.id, TrustRequest(files={listed.path: listed.sha256}), key())
    trusted = await plans.of(worktree, None)
    file.write_text(OTHER + "# again\n")
    again = await plans.of(worktree, None)
    file.write_text(ONE)
    back = await plans.of(worktree, None)

    assert (trusted.needs_trust, trusted.plan.services[0].command if trusted.plan else None) == (False, "other")
    assert (again.needs_trust, back.needs_trust) == (True, False)


async def test_what_an_owner_refused_says_who(bench, checkout):
    worktree, trusts, plans = await scene(bench, checkout, {".agor.yml": ONE})
    Path(worktree.path, ".agor.yml").write_text(OTHER)
    (listed,) = await trusts.list(worktree.id)

    await trusts.decide(OWNER, worktree.id, TrustRequest(files={listed.path: listed.sha256}, is_trusted=False), key())
    planned = await plans.of(worktree, None)

    assert planned.needs_trust
    assert "Ann refused .agor.yml" in (planned.reason or "")


@pytest.mark.parametrize(
    ("files", "source", "passed"),
    [
        ({"Procfile": "web: x\n", "compose.yaml": "services: {}"}, "Procfile", "compose.yaml is not used, because Procfile is"),
        ({".agor.yml": "setup: 'true'\n", "docker-compose.yml": "services: {a: {image: b}}"}, "compose", ".env is read only"),
        ({".devcontainer/devcontainer.json": "{}"}, "devcontainer", None),
        ({".agor.yml": ONE, "Procfile": "web: x\n"}, ".agor.yml", None),
    ],
)
async def test_other_files_are_read_where_there_is_no_section(bench, checkout, files, source, passed):
    worktree, _, plans = await scene(bench, checkout, files)

    planned = await plans.of(worktree, None)

    assert planned.plan is not None
    assert (planned.plan.source, planned.needs_trust) == (source, False)
    assert passed is None or any(passed in said for said in planned.plan.left_out)


async def test_a_file_that_an_agent_added_needs_trust(bench, checkout):
    worktree, _, plans = await scene(bench, checkout, {})
    Path(worktree.path, "Procfile").write_text("web: evil\n")

    assert (await plans.of(worktree, None)).needs_trust


async def test_a_link_is_not_followed(bench, checkout, tmp_path):
    worktree, trusts, plans = await scene(bench, checkout, {})
    (tmp_path / "outside").write_text(ONE)
    os.symlink(tmp_path / "outside", Path(worktree.path, ".agor.yml"))

    with pytest.raises(BadSettings, match="regular file"):
        await plans.of(worktree, None)
    assert await trusts.list(worktree.id) == []


async def test_a_mistake_in_the_section_keeps_nobody_from_the_worktree(bench, checkout):
    worktree, _, plans = await scene(bench, checkout, {".agor.yml": "environment: {servces: {}}\n"})

    assert worktree.state == "ready"
    with pytest.raises(BadSettings, match="did you mean 'services'"):
        await plans.of(worktree, None)
