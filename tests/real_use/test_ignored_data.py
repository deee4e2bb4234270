"""“Ignored data is removed without a word”: a database that took a night to build is ignored, and no cache."""

from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.work import Work, WorkKind
from agor_jupyter.git.inspection import walk
from agor_jupyter.git.inspection.walk import Bounds
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key


@pytest.fixture
def checkout(checkout: Path) -> Path:
    (checkout / ".gitignore").write_text("*.duckdb\n.env\nnode_modules/\n__pycache__/\nexports/\n")
    (checkout / ".worktreeinclude").write_text(".env\n")
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "ignore", cwd=checkout)
    (checkout / ".env").write_text("KEY=main\n")
    return checkout


async def ignored(bench: Bench, worktree) -> list[Work]:
    return [one for one in await bench.worktrees.losses(worktree.id) if one.kind is WorkKind.IGNORED]


async def test_data_and_a_changed_copy_are_named_with_their_sizes_and_caches_are_not(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "warehouse.duckdb").write_bytes(b"x" * 41_000)
    (path / ".env").write_text("KEY=mine\n")
    for cache in ("node_modules/left-pad", "__pycache__", "exports/.ipynb_checkpoints"):
        (path / cache).mkdir(parents=True)
        (path / cache / "made.again").write_text("cache\n")

    [status] = await bench.worktrees.status([worktree.id], 0)
    with pytest.raises(errors.WouldLoseWork) as caught:
        await bench.worktrees.remove(OWNER, worktree.id, key())

    told = "2 ignored files that are no cache: warehouse.duckdb (41 kB), .env (9 bytes)"
    assert [one.text for one in status.work] == [told]
    assert caught.value.details["losses"] == [told]
    assert (path / "warehouse.duckdb").exists()


async def test_an_unchanged_copy_of_the_main_checkout_is_no_work(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    assert (Path(worktree.path) / ".env").read_text() == "KEY=main\n"

    await bench.worktrees.remove(OWNER, worktree.id, key())

    assert not Path(worktree.path).exists()


async def test_a_folder_of_data_is_counted_and_the_largest_are_named(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    exports = Path(worktree.path) / "exports" / "2026"
    exports.mkdir(parents=True)
    for number in range(5):
        (exports / f"{number}.csv").write_bytes(b"x" * 1000 * (number + 1))

    [found] = await ignored(bench, worktree)

    assert (found.files, found.bytes) == (5, 15_000)
    assert found.text == (
        "5 ignored files that are no cache: exports/2026/4.csv (5.0 kB), exports/2026/3.csv (4.0 kB), exports/2026/2.csv (3.0 kB) "
        "and 2 more, 15 kB together"
    )


async def test_a_repository_adds_caches_of_its_own_as_committed_at_the_base(bench: Bench, checkout: Path) -> None:
    (checkout / ".agor.yml").write_text("caches:\n  - exports/tmp\n  - '*.duckdb'\n")
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "caches", cwd=checkout)
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "exports" / "tmp").mkdir(parents=True)
    (path / "exports" / "tmp" / "a").write_text("again\n")
    (path / "a.duckdb").write_text("again\n")

    before = await ignored(bench, worktree)
    (path / ".agor.yml").write_text("caches: ['.env']\n")
    (path / ".env").write_text("KEY=mine\n")
    after = await ignored(bench, worktree)

    assert before == []
    assert [one.names for one in after] == [[".env"]]


async def test_what_setup_made_is_no_work_until_somebody_changes_it(bench: Bench, checkout: Path) -> None:
    (checkout / ".agor.yml").write_text("setup: echo built > warehouse.duckdb\n")
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "setup", cwd=checkout)
    worktree = await bench.make(await bench.repo(checkout))
    assert (Path(worktree.path) / "warehouse.duckdb").read_text() == "built\n"

    before = await ignored(bench, worktree)
    with (Path(worktree.path) / "warehouse.duckdb").open("a") as file:
        file.write("mine\n")
    after = await ignored(bench, worktree)

    assert before == []
    assert [one.names for one in after] == [["warehouse.duckdb"]]


@pytest.mark.parametrize("is_whole", [True, False])
async def test_where_not_all_can_be_looked_at_it_is_not_called_clean(
    bench: Bench, checkout: Path, monkeypatch: pytest.MonkeyPatch, is_whole: bool
) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    exports = Path(worktree.path) / "exports" / "__pycache__"
    exports.mkdir(parents=True)
    for number in range(3):
        (exports.parent / f"{number}.log").write_text("again\n")
    monkeypatch.setattr(walk, "Bounds", lambda: Bounds(entries=2))

    found = await bench.worktrees.losses(worktree.id) if is_whole else (await bench.worktrees.status([worktree.id], 0))[0].work

    assert [(one.kind, one.is_more) for one in found] == [(WorkKind.UNKNOWN, True)]
