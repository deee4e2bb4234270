"""Random worktrees in random states, as people and agents leave them: made from a seed, so that the same seed makes the same.

`checkout(folder)` makes a repository, once for many. `fill(worktree, seed)` brings a worktree of it into a state and says what was done. Few git
processes run for each, and whole repositories are copied from templates.
"""

import functools
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

EXAMPLES = int(os.environ.get("AGOR_EXAMPLES", "100"))
SEED = int(os.environ.get("AGOR_SEED", "0"))

CACHES = ("node_modules", "__pycache__", ".venv", "target", ".ipynb_checkpoints")
ODD_NAMES = (
    *(b"plain.txt", b"with space.txt", b" leading.txt", b"trailing ", b"new\nline.txt", b"tab\there", b"-dash", b"quo'te\".txt"),
    *(
        "größe.sql".encode(),
        "日本.ipynb".encode(),
        "e\u0301.txt".encode(),
        b"by\xfftes\xfe.bin",
        b"back\\slash",
        b"*?[x].txt",
        b"\x1b[31mred",
    ),
    *(b".hidden", b"#comment", b"!bang", b"a" * 200, "\u202eevil.txt".encode(), b"con.txt", b"x.tar.gz"),
)
_ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "t"), ("EMAIL", "t@example.org"))},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_EDITOR": "true",
    "GIT_TERMINAL_PROMPT": "0",
}
_OPTIONS = (
    *(
        "init.defaultBranch=main",
        "gc.auto=0",
        "protocol.file.allow=always",
        "init.templateDir=",
        "core.fsync=none",
        "advice.detachedHead=false",
    ),
    *("commit.gpgSign=false", "merge.conflictStyle=merge"),
)


def git(*arguments: str, cwd: Path, ok: tuple[int, ...] = (0,), stdin: bytes | None = None) -> str:
    """Plain git, as a person's: these worktrees are ours, not an agent's."""
    options = [part for setting in _OPTIONS for part in ("-c", setting)]
    ended = subprocess.run(["git", *options, *arguments], cwd=cwd, env=_ENVIRONMENT, capture_output=True, input=stdin, check=False)
    assert ended.returncode in ok, (arguments, ended.returncode, ended.stderr.decode(errors="replace"))
    return os.fsdecode(ended.stdout).removesuffix("\n")


@dataclass
class Made:
    """A worktree in its state. `pieces` are what a person put there: the kind of work, and the path it is at, or `""`."""

    seed: int
    worktree: Path
    done: list[str] = field(default_factory=list)
    """The names of the steps, in order."""
    pieces: set[tuple[str, str]] = field(default_factory=set)

    def __str__(self) -> str:
        return f"seed {self.seed}: {', '.join(self.done) or 'nothing'}"


@dataclass
class _World:
    rng: random.Random
    path: Path
    made: Made

    def git(self, *arguments: str, cwd: Path | None = None, ok: tuple[int, ...] = (0,), stdin: bytes | None = None) -> str:
        return git(*arguments, cwd=cwd or self.path, ok=ok, stdin=stdin)

    def piece(self, kind: str, path: str = "") -> None:
        self.made.pieces.add((kind, path))

    def label(self, words: str) -> str:
        """A message that makes the commit another one than the same step made in another worktree."""
        return f"{words} in {self.path.name}"

    def text(self) -> bytes:
        kind = self.rng.randrange(4)
        if kind == 0:
            return self.rng.randbytes(self.rng.randrange(1, 3000))
        lines = b"".join(b"line %d\n" % self.rng.randrange(1000) for _ in range(self.rng.randrange(1, 40)))
        return lines if kind < 3 else lines.replace(b"\n", b"\r\n")

    def name(self) -> bytes:
        return self.rng.choice(ODD_NAMES)

    def folder(self) -> Path:
        """A new folder somewhere, or one that is tracked."""
        return self.path / self.rng.choice(("", "models", "fresh", "fresh/deep er", "ünder"))


# Templates


@functools.cache
def _templates() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="agor-templates-"))
    library = folder / "library"
    library.mkdir()
    git("init", "-q", cwd=library)
    for number in range(3):
        (library / "lib.py").write_text(f"print({number})\n")
        git("add", "-A", cwd=library)
        git("commit", "-qm", f"library {number}", cwd=library)
    inner = folder / "inner"
    shutil.copytree(library, inner)
    git("switch", "-qc", "side", cwd=inner)
    git("commit", "-q", "--allow-empty", "-m", "side", cwd=inner)
    git("switch", "-q", "main", cwd=inner)
    (inner / "lib.py").write_text("stashed\n")
    git("stash", "-q", cwd=inner)
    git("clone", "-q", "--no-hardlinks", str(library), "clone", cwd=folder)
    git("clone", "-q", "--bare", "--no-hardlinks", str(library), "bare", cwd=folder)
    return folder


def checkout(path: Path) -> Path:
    """A repository with a history, folders, a submodule `vendor/lib`, ignore rules, local files, and branches to merge with a conflict."""
    path.mkdir(parents=True)
    git("init", "-q", cwd=path)
    git("config", "user.name", "t", cwd=path)
    git("config", "user.email", "t@example.org", cwd=path)
    git("config", "protocol.file.allow", "always", cwd=path)
    (path / ".gitignore").write_text("*.duckdb\n.env\nexports/\n" + "".join(f"{name}/\n" for name in CACHES))
    (path / ".worktreeinclude").write_text(".env\n")
    (path / "models").mkdir()
    (path / "deep" / "er").mkdir(parents=True)
    (path / "run.sh").write_text("#!/bin/sh\n")
    (path / "run.sh").chmod(0o755)
    (path / "link").symlink_to("models")
    for number in range(8):
        (path / "conflict.txt").write_text(f"base {number}\n")
        (path / "models" / f"m{number}.sql").write_text(f"select {number}\n" * 5)
        (path / "deep" / "er" / f"f{number}.txt").write_text(f"{number}\n")
        git("add", "-A", cwd=path)
        git("commit", "-qm", f"commit {number}", cwd=path)
    git("submodule", "--quiet", "add", str(_templates() / "library"), "vendor/lib", cwd=path)
    git("commit", "-qm", "submodule", cwd=path)
    git("switch", "-qc", "theirs", cwd=path)
    (path / "conflict.txt").write_text("theirs\n")
    (path / "their file.txt").write_text("theirs\n")
    git("add", "-A", cwd=path)
    git("commit", "-qm", "theirs", cwd=path)
    git("format-patch", "-q", "-1", "-o", str(path / ".git" / "patches"), cwd=path)
    git("switch", "-q", "main", cwd=path)
    git("branch", "taken", "HEAD~2", cwd=path)
    (path / ".env").write_text("KEY=main\n")
    return path


# Steps


def fill(worktree: Path, seed: int) -> Made:
    """Bring a clean worktree of `checkout` into the state of this seed."""
    made = Made(seed=seed, worktree=worktree)
    rng = random.Random(seed)
    world = _World(rng, worktree, made)
    if rng.random() < 0.1:
        return made
    if rng.random() < 0.4:
        _do(world, rng.choice(BRANCHES))
    if rng.random() < 0.4:
        _do(world, rng.choice(OPERATIONS))
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        _do(world, rng.choice(FILES))
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        _do(world, rng.choice(INSIDES))
    if rng.random() < 0.3:
        _do(world, rng.choice(SUBMODULES))
    if rng.random() < 0.4:
        _do(world, rng.choice(IGNORED))
    _look(world)
    return made


def do(worktree: Path, step: Callable[[_World], None], seed: int = 0) -> Made:
    """One step, and no other."""
    made = Made(seed=seed, worktree=worktree)
    _do(_World(random.Random(seed), worktree, made), step)
    _look(_World(random.Random(seed), worktree, made))
    return made


def _do(world: _World, step: Callable[[_World], None]) -> None:
    world.made.done.append(step.__name__)
    step(world)


def _look(world: _World) -> None:
    """What git itself says of files, after all steps."""
    for line in world.git("status", "--porcelain=v1", "-z", "-uall", "--no-renames", "--ignore-submodules=all").split("\0"):
        if line.startswith("?? ") and not line.endswith("/"):
            world.piece("untracked", line[3:])
        elif line and not line.startswith("?? "):
            world.piece("changes", line[3:])


def commit(world: _World) -> None:
    for _ in range(world.rng.randrange(1, 3)):
        (world.path / "models" / "mine.sql").write_bytes(world.text())
        world.git("add", "--sparse", "models/mine.sql")
        world.git("commit", "-q", "--allow-empty", "-m", world.label("mine"))
    world.piece("commits")


def detach(world: _World) -> None:
    world.git("checkout", "-q", "--detach")
    world.git("commit", "-q", "--allow-empty", "-m", world.label("on no branch"))
    world.piece("detached")


def rename_branch(world: _World) -> None:
    world.git("branch", "-m", f"renamed/{world.path.name}")
    if world.rng.random() < 0.5:
        commit(world)


def switch_branch(world: _World) -> None:
    world.git("switch", "-q", "-c", f"switched-{world.path.name}")
    if world.rng.random() < 0.5:
        commit(world)


def stash(world: _World) -> None:
    (world.path / "conflict.txt").write_text("stashed\n")
    world.git("stash", "-q")


def _ours(world: _World) -> None:
    (world.path / "conflict.txt").write_text("ours\n")
    world.git("commit", "-qam", world.label("ours"), ok=(0, 1))
    is_detached = world.git("symbolic-ref", "-q", "HEAD", ok=(0, 1)) == ""
    world.piece("detached" if is_detached else "commits")


def _begun(world: _World) -> None:
    world.piece("operation")
    if world.rng.random() < 0.4:
        (world.path / "conflict.txt").write_text("half resolved\n")
        world.git("add", "--sparse", "conflict.txt")


def merge(world: _World) -> None:
    _ours(world)
    world.git("merge", "-q", "theirs", ok=(1,))
    _begun(world)


def rebase(world: _World) -> None:
    _ours(world)
    world.made.pieces -= {("commits", ""), ("detached", "")}  # they are on the branch that is rebased; HEAD is at another
    world.git("rebase", "-q", "theirs", ok=(1,))
    _begun(world)


def cherry_pick(world: _World) -> None:
    _ours(world)
    world.git("cherry-pick", "theirs", ok=(1,))
    _begun(world)


def revert(world: _World) -> None:
    _ours(world)
    (world.path / "conflict.txt").write_text("again\n")
    world.git("commit", "-qam", world.label("again"))
    world.git("revert", "--no-edit", "HEAD~1", ok=(1,))
    _begun(world)


def am(world: _World) -> None:
    _ours(world)
    patch = next((Path(world.git("rev-parse", "--path-format=absolute", "--git-common-dir")) / "patches").iterdir())
    world.git("am", "-q", "--3way", str(patch), ok=(1, 128))
    _begun(world)


def bisect(world: _World) -> None:
    world.made.pieces -= {("commits", ""), ("detached", "")}
    world.git("bisect", "start", "main", "main~7")
    world.piece("operation")


def change(world: _World) -> None:
    (world.path / "models" / f"m{world.rng.randrange(6)}.sql").write_bytes(world.text() + b"changed\n")


def stage(world: _World) -> None:
    name = f"models/m{world.rng.randrange(6)}.sql"
    (world.path / name).write_bytes(world.text() + b"staged\n")
    world.git("add", "--sparse", name)
    if world.rng.random() < 0.5:
        (world.path / name).write_bytes(world.text() + b"other than staged\n")


def delete(world: _World) -> None:
    name = f"deep/er/f{world.rng.randrange(8)}.txt"
    (world.path / name).unlink(missing_ok=True)
    world.made.pieces.discard(("hidden", name))  # nothing is left to be hidden
    if world.rng.random() < 0.5:
        world.git("rm", "-q", "--cached", "--ignore-unmatch", name)


def make_executable(world: _World) -> None:
    path = world.path / world.rng.choice(("run.sh", "models/m0.sql"))
    if path.exists():
        path.chmod(path.stat().st_mode ^ 0o111)


def put_link_for_file(world: _World) -> None:
    path = world.path / "models" / "m7.sql"
    path.unlink(missing_ok=True)
    path.symlink_to(world.rng.choice(("m0.sql", "/nonexistent", "../deep")))


def put_folder_for_file(world: _World) -> None:
    path = world.path / "models" / "m6.sql"
    if path.is_dir():
        return
    path.unlink(missing_ok=True)
    path.mkdir(exist_ok=True)
    (path / "inside.txt").write_bytes(world.text())


def add_untracked(world: _World) -> None:
    for _ in range(world.rng.randrange(1, 5)):
        folder = world.folder()
        folder.mkdir(parents=True, exist_ok=True)
        path = os.path.join(os.fsencode(folder), world.name())
        if os.path.lexists(path):
            continue
        if world.rng.random() < 0.2:
            os.symlink(world.rng.choice((b"nowhere", b"models", b"/etc/hostname")), path)
            continue
        with open(path, "wb") as file:
            file.write(world.text())
        os.chmod(path, world.rng.choice((0o644, 0o755, 0o600)))


def add_empty_folder(world: _World) -> None:
    (world.path / "empty" / "folder").mkdir(parents=True, exist_ok=True)


def intend_to_add(world: _World) -> None:
    (world.path / "intended.txt").write_bytes(world.text())
    world.git("add", "--sparse", "--intent-to-add", "intended.txt")


def hide_a_change(world: _World) -> None:
    name = world.rng.choice(("models/m3.sql", "deep/er/f3.txt"))
    if not (world.path / name).is_file() or not world.git("ls-files", "--", name):
        return
    world.git("update-index", world.rng.choice(("--assume-unchanged", "--skip-worktree")), name)
    (world.path / name).write_bytes(b"hidden change\n")
    world.piece("hidden", name)


def _copy(world: _World, template: str, path: Path) -> Path | None:
    if os.path.lexists(path):
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(_templates() / template, path, symlinks=True)
    return path


def _relative(world: _World, path: Path) -> str:
    return str(path.relative_to(world.path))


def add_repository(world: _World) -> None:
    path = world.path / world.rng.choice(("frontend", "deep/tool", "new one/inner", "models/inner"))
    inner = _copy(world, world.rng.choice(("inner", "inner", "clone")), path)
    if inner is None:
        return
    for step in world.rng.sample(("staged", "unstaged", "untracked", "branch", "nested", "detached"), world.rng.randrange(0, 4)):
        if step == "staged":
            (inner / "staged.py").write_bytes(world.text())
            world.git("add", "staged.py", cwd=inner)
        elif step == "unstaged":
            (inner / "lib.py").write_bytes(world.text())
        elif step == "untracked":
            with open(os.path.join(os.fsencode(inner), world.name()), "wb") as file:
                file.write(world.text())
        elif step == "branch":
            world.git("branch", "-f", "more", "HEAD~1", cwd=inner)
        elif step == "detached":
            world.git("checkout", "-q", "-f", "--detach", cwd=inner)
        elif _copy(world, "inner", inner / "nested"):
            world.piece("repository", f"{_relative(world, inner)}/nested")
    world.piece("repository", _relative(world, inner))


def begin_repository(world: _World) -> None:
    """In a folder that git tracks."""
    if not (world.path / "deep" / ".git").exists():
        shutil.copytree(_templates() / "inner" / ".git", world.path / "deep" / ".git", dirs_exist_ok=True)
    world.piece("repository", "deep")


def add_bare_repository(world: _World) -> None:
    if _copy(world, "bare", world.path / "mirror.git"):
        world.piece("repository", "mirror.git")


def add_broken_repository(world: _World) -> None:
    if (inner := _copy(world, "inner", world.path / "broken")) is not None:
        (inner / ".git" / "HEAD").unlink()
        world.piece("repository", "broken")


def add_worktree(world: _World) -> None:
    path = world.path / ".claude" / "worktrees" / f"below-{world.path.name}"
    if not path.exists():
        world.git("worktree", "add", "-q", "-b", path.name, str(path), "main")
        (path / "conflict.txt").write_text("changed below\n")
        world.piece("linked_worktree", _relative(world, path))


def _fill_submodule(world: _World) -> Path | None:
    """`None`: the commit that is checked out has none."""
    lib = world.path / "vendor" / "lib"
    if not lib.is_dir():
        return None
    if not (lib / ".git").exists():
        world.git("submodule", "--quiet", "update", "--init")
    return lib


def fill_submodule(world: _World) -> None:
    _fill_submodule(world)


def change_submodule(world: _World) -> None:
    if (lib := _fill_submodule(world)) is None:
        return
    (lib / world.rng.choice(("lib.py", "new.py"))).write_bytes(b"changed\n")
    world.piece("submodule", "vendor/lib")


def commit_in_submodule(world: _World) -> None:
    if (lib := _fill_submodule(world)) is None:
        return
    world.git("commit", "-q", "--allow-empty", "-m", world.label("mine"), cwd=lib)
    if world.rng.random() < 0.4:
        world.git("add", "--sparse", "vendor/lib")
    world.piece("submodule", "vendor/lib")


def commit_and_empty_submodule(world: _World) -> None:
    if (lib := _fill_submodule(world)) is None:
        return
    world.git("switch", "-q", "-c", "kept", cwd=lib)
    world.git("commit", "-q", "--allow-empty", "-m", world.label("mine"), cwd=lib)
    world.git("submodule", "--quiet", "deinit", "-f", "vendor/lib")
    world.piece("submodule", "vendor/lib")


def ignore_data(world: _World) -> None:
    name = world.rng.choice(("warehouse.duckdb", "exports/a.csv", "exports/deep/b.parquet", "models/x.duckdb"))
    (world.path / name).parent.mkdir(parents=True, exist_ok=True)
    (world.path / name).write_bytes(world.text())
    world.piece("ignored", name)


def fill_caches(world: _World) -> None:
    for cache in world.rng.sample(CACHES, 2):
        folder = world.path / world.rng.choice(("", "models", "deep/er")) / cache
        folder.mkdir(exist_ok=True)
        (folder / "again.bin").write_bytes(world.text())


def change_local_file(world: _World) -> None:
    (world.path / ".env").write_text("KEY=mine\n")
    world.piece("ignored", ".env")


def ignore_repository(world: _World) -> None:
    if _copy(world, "inner", world.path / "exports" / "cloned"):
        world.piece("repository", "exports/cloned")


BRANCHES = (commit, commit, detach, rename_branch, switch_branch, stash)
OPERATIONS = (merge, rebase, cherry_pick, revert, am, bisect)
FILES = (
    *(change, stage, delete, make_executable, put_link_for_file, put_folder_for_file, add_untracked, add_untracked),
    *(add_empty_folder, intend_to_add, hide_a_change),
)
INSIDES = (add_repository, add_repository, add_repository, begin_repository, add_bare_repository, add_broken_repository, add_worktree)
SUBMODULES = (fill_submodule, fill_submodule, change_submodule, commit_in_submodule, commit_and_empty_submodule)
IGNORED = (ignore_data, fill_caches, fill_caches, change_local_file, ignore_repository)
