"""The server is killed at each step of archiving, restoring and removing. Nothing is lost, what is shown is true, and it can be done again."""

import contextlib
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.conftest import make_repository
from tests.faults.server import Lost, Refused, Server
from tests.git.conftest import git
from tests.whole import differences, whole

pytestmark = [pytest.mark.faults, pytest.mark.timeout(200)]

_AWAY = ("archive.pinned", "archive.told", "archive.files_moved", "archive.admin_moved", "archive.recorded")
_REMOVED = ("archive.pinned", "archive.told", "archive.files_moved", "archive.admin_moved", "remove.recorded")
_BACK = ("restore.filled", "restore.headed", "restore.admin_moved", "restore.files_moved", "restore.recorded", "purge.emptied")


class Place:
    """A server on a repository."""

    def __init__(self, folder: Path) -> None:
        (folder / "data").mkdir()
        self.repository = make_repository(folder / "root" / "repo")
        self.archives = folder / "data" / "archives"
        self.server = Server(folder / "root", folder / "data", log=folder / "server.log")
        self.restart()
        self.repo = self.server.call("POST", "repos", {"path": str(self.repository)})
        self.count = 0

    def restart(self, crash_at: str | None = None) -> None:
        self.server.kill()
        self.server.start(crash_at)
        self.server.wait_ready()

    def made(self) -> dict:
        """A worktree with work of many kinds in it."""
        self.count += 1
        made = self.server.call("POST", "worktrees", {"repo": self.repo["id"], "name": f"w{self.count}"})
        end = time.monotonic() + 60
        while made["state"] == "creating" and time.monotonic() < end:
            time.sleep(0.05)
            made = self.get(made)
        path = Path(made["path"])
        (path / "secret.env").write_text("KEY=1\n")
        (path / "staged.txt").write_text("staged\n")
        git("add", "staged.txt", cwd=path)
        (path / "staged.txt").write_text("other\n")
        (path / "file3.txt").unlink()
        (path / "inner").mkdir()
        git("init", "-q", cwd=path / "inner")
        git("commit", "-q", "--allow-empty", "-m", "inner", cwd=path / "inner")
        git("commit", "-q", "--allow-empty", "-m", "mine", cwd=path)
        return made

    def get(self, worktree: dict) -> dict:
        return self.server.call("GET", f"worktrees/{worktree['id']}")

    def whole(self, worktree: dict) -> dict[str, object]:
        return whole(Path(worktree["path"]), self.repository / ".git")

    def crash(self, point: str, method: str, path: str) -> None:
        """Ask for it, from a server that dies at this point; then start again."""
        self.restart(point)
        with contextlib.suppress(Lost):
            self.server.call(method, path)
        self.server.wait_dead(30)
        assert not self.server.is_alive(), f"{point} was never reached"
        self.restart()

    def is_true(self, worktree: dict, before: dict[str, object]) -> str:
        """The state that is shown, when disk and git agree with it."""
        try:
            shown = self.get(worktree)
        except Refused as error:
            assert error.status == 404
            assert not Path(worktree["path"]).exists()
            return "gone"
        assert shown["step"] is None
        path = Path(worktree["path"])
        listed = str(path) in git("worktree", "list", "--porcelain", cwd=self.repository)
        if shown["state"] == "ready":
            assert listed
            assert differences(before, self.whole(worktree)) == []
        else:
            assert shown["state"] == "archived", shown
            assert not path.exists()
            assert not listed
            assert (Path(shown["archivePath"]) / "files" / "secret.env").read_text() == "KEY=1\n"
        return shown["state"]

    def tidied(self) -> bool:
        """Nothing of archives is left, after a moment."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            refs = subprocess.run(
                ["git", "for-each-ref", "refs/agor/archive"], cwd=self.repository, check=True, capture_output=True, text=True
            ).stdout
            if not refs and not list(self.archives.iterdir()):
                return True
            time.sleep(0.1)
        return False


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("put-away"))
    yield place
    place.server.kill()


@pytest.mark.parametrize("point", _AWAY)
def test_a_crash_while_archiving(place: Place, point: str) -> None:
    worktree = place.made()
    before = place.whole(worktree)

    place.crash(point, "POST", f"worktrees/{worktree['id']}/archive")

    state = place.is_true(worktree, before)
    assert state == ("archived" if point not in {"archive.pinned", "archive.told"} else "ready")
    place.server.call("POST", f"worktrees/{worktree['id']}/archive")
    git("gc", "-q", "--prune=now", cwd=place.repository)
    restored = place.server.call("POST", f"worktrees/{worktree['id']}/restore")
    assert (restored["state"], restored["reason"]) == ("ready", None)
    assert differences(before, place.whole(worktree)) == []
    assert place.tidied()


@pytest.mark.parametrize("point", _BACK)
def test_a_crash_while_restoring(place: Place, point: str) -> None:
    worktree = place.made()
    before = place.whole(worktree)
    place.server.call("POST", f"worktrees/{worktree['id']}/archive")

    place.crash(point, "POST", f"worktrees/{worktree['id']}/restore")

    state = place.is_true(worktree, before)
    assert state == ("archived" if point in {"restore.filled", "restore.headed"} else "ready")
    if state == "archived":
        git("gc", "-q", "--prune=now", cwd=place.repository)
        place.server.call("POST", f"worktrees/{worktree['id']}/restore")
    assert differences(before, place.whole(worktree)) == []
    assert place.tidied()


@pytest.mark.parametrize("point", [*_REMOVED, "remove.told"])
def test_a_crash_while_removing(place: Place, point: str) -> None:
    worktree = place.made()
    before = place.whole(worktree)
    if point == "remove.told":
        place.server.call("POST", f"worktrees/{worktree['id']}/archive")

    place.crash(point, "DELETE", f"worktrees/{worktree['id']}?force=1")

    if place.is_true(worktree, before) != "gone":
        place.server.call("DELETE", f"worktrees/{worktree['id']}?force=1")
    git("gc", "-q", "--prune=now", cwd=place.repository)
    assert [backup["worktreeId"] for backup in place.server.call("GET", "backups")] == [worktree["id"]]
    place.server.call("POST", f"worktrees/{worktree['id']}/restore")
    assert differences(before, place.whole(worktree)) == []
    assert place.tidied()


def test_a_crash_while_a_clean_one_goes(place: Place) -> None:
    place.count += 1
    made = place.server.call("POST", "worktrees", {"repo": place.repo["id"], "name": f"clean{place.count}"})
    end = time.monotonic() + 60
    while place.get(made)["state"] == "creating" and time.monotonic() < end:
        time.sleep(0.05)

    place.restart("purge.emptied")
    with contextlib.suppress(Lost):
        place.server.call("DELETE", f"worktrees/{made['id']}")
    place.server.wait_dead(30)
    assert not place.server.is_alive()
    place.restart()

    assert not Path(made["path"]).exists()
    assert place.tidied()
