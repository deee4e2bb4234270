"""Plans: which environment a worktree has, and when an owner has to trust it first."""

from pathlib import Path

from agor_jupyter.services.environments.plans import Plans
from agor_jupyter.services.environments.sources import Sources
from tests.git.conftest import git

SETTINGS = """
environment:
  services:
    web: {command: [python, -m, http.server], ports: [web]}
  links: {site: {port: web}}
"""


async def test_what_the_first_commit_says_needs_no_trust_and_what_was_changed_later_does(bench, checkout: Path):
    (checkout / ".agor.yml").write_text(SETTINGS)
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "an environment", cwd=checkout)
    worktree = await bench.make(await bench.repo(checkout))
    plans = Plans(Sources(bench.repos), bench.trusts)

    first = await plans.of(worktree, None)
    Path(worktree.path, ".agor.yml").write_text(SETTINGS.replace("http.server", "other"))
    later = await plans.of(worktree, None)

    assert first.plan is not None
    assert ([service.name for service in first.plan.services], first.plan.ports, first.needs_trust) == (["web"], ["web"], False)
    assert (later.needs_trust, bool(later.reason)) == (True, True)


async def test_a_repository_that_says_nothing_has_no_environment(bench, checkout: Path):
    worktree = await bench.make(await bench.repo(checkout))

    assert (await Plans(Sources(bench.repos), bench.trusts).of(worktree, None)).plan is None
