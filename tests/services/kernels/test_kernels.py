"""Kernels of worktrees: made from what the repository says, one for each, trusted first, and gone with them."""

import asyncio
import json
import subprocess
import zipfile
from pathlib import Path

import nbformat
import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient

from agor_jupyter.domain import errors
from agor_jupyter.domain.kernels import KernelMake, KernelState
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.trust import TrustRequest
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.executors import packages
from agor_jupyter.services.app import Agor
from agor_jupyter.services.kernels import specs
from tests.scene import PATIENCE_S

BUSY_S = 3 * PATIENCE_S


def wheel(folder, version):
    """A package of one line."""
    path = folder / f"tiny-{version}-py3-none-any.whl"
    dist = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", f"version = {version!r}\n")
        archive.writestr(f"{dist}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
        archive.writestr(f"{dist}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{dist}/RECORD", f"tiny.py,,\n{dist}/METADATA,,\n{dist}/WHEEL,,\n{dist}/RECORD,,\n")
    return path


def commit(repository, **files):
    for name, text in files.items():
        (repository / name.replace("_", ".")).write_text(text)
    subprocess.run(["git", "add", "-A"], cwd=repository, check=True)
    subprocess.run(["git", "commit", "-qm", "packages"], cwd=repository, check=True)


async def made(agor, caller, worktree):
    async with asyncio.timeout(BUSY_S):
        while (found := await agor.kernels.get(caller, worktree.id)).state is KernelState.MAKING:
            await asyncio.sleep(0.05)
    return found


async def worktree_of(agor, caller, key, repository, name):
    known = await agor.repos.list()
    repo = known[0] if known else await agor.repos.add(caller, RepoAdd(path=str(repository)), key())
    one = await agor.worktrees.create(caller, WorktreeCreate(repo=repo.id, name=name), key())
    return await agor.worktrees.wait_ready(one.id)


def run(config, kernel, source, folder):
    manager = KernelSpecManager(kernel_dirs=[str(specs.folder_of(config.data_dir))])
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])

    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_name=kernel.spec_name, kernel_spec_manager=manager),
        resources={"metadata": {"path": str(folder)}},
        timeout=BUSY_S,
        startup_timeout=BUSY_S,
    )
    return client.async_execute(), notebook


SOURCE = "import os, sys, tiny\nprint(tiny.version, os.getcwd(), os.environ['AGOR_WORKTREE_NAME'], sys.prefix)"


async def test_one_notebook_runs_with_the_packages_of_either_worktree(agor, owner, key, repository, tmp_path, config):
    told = {}
    for name, version in (("old keys", "1.0"), ("new keys", "2.0")):
        commit(repository, requirements_txt=f"tiny @ {wheel(tmp_path, version).as_uri()}\n")
        one = await worktree_of(agor, owner, key, repository, name)
        begun = await agor.kernels.make(owner, one.id, KernelMake())
        assert begun.state is KernelState.MAKING
        kernel = await made(agor, owner, one)
        assert (kernel.state, kernel.source, kernel.reason) == (KernelState.READY, "requirements.txt", None)
        execute, notebook = run(config, kernel, SOURCE, tmp_path)
        await execute
        told[kernel.spec_name] = notebook.cells[0].outputs[0].text.split()
        assert told[kernel.spec_name][1] == one.path
        assert kernel.display_name == f"Python (worktree {name})"
        status = subprocess.run(["git", "status", "--porcelain"], cwd=one.path, capture_output=True, text=True, check=True)
        assert status.stdout == ""

    assert told["agor-old-keys"][0] == "1.0"
    assert told["agor-new-keys"][0] == "2.0"
    assert told["agor-old-keys"][-1] != told["agor-new-keys"][-1]


async def test_a_changed_file_needs_trust_and_makes_the_kernel_stale(scene, repository, tmp_path):
    agor, owner, one = scene.agor, scene.caller, scene.worktree
    await agor.kernels.make(owner, one.id, KernelMake())
    kernel = await made(agor, owner, one)
    assert (kernel.state, kernel.source, kernel.is_stale) == (KernelState.READY, "server", False)

    (Path(one.path) / "requirements.txt").write_text(f"tiny @ {wheel(tmp_path, '1.0').as_uri()}\n")

    assert (await agor.kernels.get(owner, one.id)).is_stale
    with pytest.raises(errors.KernelNotTrusted, match="requirements.txt.*trust it"):
        await agor.kernels.make(owner, one.id, KernelMake())
    [file] = [file for file in await agor.trusts.list(one.id) if file.path == "requirements.txt"]
    await agor.trusts.decide(owner, one.id, TrustRequest(files={file.path: file.sha256}), scene.key())
    assert (await agor.kernels.make(owner, one.id, KernelMake())).state is KernelState.MAKING


async def test_a_kernel_that_cannot_be_made_says_what_uv_said(agor, owner, key, repository, tmp_path):
    commit(repository, requirements_txt=f"tiny @ {(tmp_path / 'tiny-9.0-py3-none-any.whl').as_uri()}\n")
    one = await worktree_of(agor, owner, key, repository, "broken")
    await agor.kernels.make(owner, one.id, KernelMake())

    kernel = await made(agor, owner, one)

    assert kernel.state is KernelState.FAILED
    assert "uv pip install" in kernel.reason
    assert "tiny-9.0" in kernel.reason


async def test_a_kernel_is_gone_with_its_worktree(scene, config):
    agor, owner, one = scene.agor, scene.caller, scene.worktree
    await agor.kernels.make(owner, one.id, KernelMake())
    kernel = await made(agor, owner, one)
    folder = specs.folder_of(config.data_dir) / kernel.spec_name
    spec = json.loads((folder / "kernel.json").read_text())
    assert spec["metadata"]["agor"] == {"worktree": one.id}

    await agor.worktrees.archives.archive(owner, one.id, scene.key())

    await scene.eventually(lambda: not folder.exists())
    await scene.eventually_async(lambda: agor.kernels.list(owner), [])


async def test_a_server_that_died_while_it_made_a_kernel_makes_it_at_the_next_start(config, owner, key, repository, monkeypatch):
    async with Agor(config) as agor:
        one = await worktree_of(agor, owner, key, repository, "slow")

        async def never(*_args):
            await asyncio.Event().wait()

        monkeypatch.setattr(agor.kernels, "_make", never)
        await agor.kernels.make(owner, one.id, KernelMake())
    async with Agor(config) as agor:
        assert (await made(agor, owner, one)).state is KernelState.READY


async def test_ten_clicks_make_one_kernel_and_a_viewer_none(scene, viewer, monkeypatch):
    agor, owner, one = scene.agor, scene.caller, scene.worktree
    begun = []
    make = agor.kernels._make

    async def count(*arguments):
        begun.append(arguments)
        await make(*arguments)

    monkeypatch.setattr(agor.kernels, "_make", count)

    await asyncio.gather(*(agor.kernels.make(owner, one.id, KernelMake()) for _ in range(10)))
    await made(agor, owner, one)
    await agor.kernels.make(owner, one.id, KernelMake())

    assert len(begun) == 1
    with pytest.raises(errors.NotAllowed):
        await agor.kernels.make(viewer, one.id, KernelMake())


async def test_without_uv_it_says_how_to_get_it(agor, owner, key, repository, tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "find_uv", lambda: None)
    commit(repository, requirements_txt="tiny\n")
    one = await worktree_of(agor, owner, key, repository, "toolless")

    await agor.kernels.make(owner, one.id, KernelMake())

    assert "needs uv: pip install" in (await made(agor, owner, one)).reason


PROJECT = """
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["six==1.16.0", "goods"]
[build-system]
requires = ["hatchling"]
build-backend = "backend"
backend-path = ["."]
[tool.uv.sources]
goods = {{ path = "goods", editable = true }}
"""
GOODS = '[project]\nname = "goods"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["toml==0.10.1"]\n'
CONDA = "dependencies: [python>=3.11, gdal>=3, conda-forge::toml=0.10.1, {{pip: [six==1.16.0, -e ./goods]}}]\n"
BACKEND = "open({marker!r}, 'w').close()\n"
LOOK = "import sys, six, toml, ipykernel, goods; print(six.__version__, toml.__version__, sys.prefix)"


@pytest.mark.timeout(3 * BUSY_S)
@pytest.mark.parametrize("source", ["uv.lock", "pyproject.toml", "environment.yml"])
async def test_it_is_made_of_what_was_trusted_whatever_the_file_says_by_then(agor, owner, key, repository, tmp_path, monkeypatch, source):
    """Nor is any code of the worktree run for it: neither a build backend, nor a folder that it takes a package from."""
    marker = tmp_path / "ran"
    files = {"backend.py": BACKEND, "goods/pyproject.toml": GOODS, "goods/src/goods.py": "", "goods/setup.py": BACKEND}
    files |= {"environment.yml": CONDA} if source == "environment.yml" else {"pyproject.toml": PROJECT}
    for path, text in files.items():
        (repository / path).parent.mkdir(exist_ok=True, parents=True)
        (repository / path).write_text(text.format(marker=str(marker)))
    if source == "uv.lock":
        subprocess.run([packages.find_uv(), "lock", "-q"], cwd=repository, check=True)
        marker.unlink(missing_ok=True)
    commit(repository)
    one = await worktree_of(agor, owner, key, repository, "raced")
    run_uv, steps = packages.run, []

    async def swapped(uv, arguments, **how):
        steps.append(arguments[:2])
        (Path(one.path) / source).write_text("this = [is no such file")
        (Path(one.path) / "goods" / "pyproject.toml").write_text("nor = [this")
        return await run_uv(uv, arguments, **how)

    monkeypatch.setattr(packages, "run", swapped)
    await agor.kernels.make(owner, one.id, KernelMake())
    kernel = await made(agor, owner, one)

    assert (kernel.state, kernel.source, kernel.reason) == (KernelState.READY, source, None)
    assert kernel.is_stale
    assert any("gdal>=3 is for conda" in notice for notice in kernel.notices) == (source == "environment.yml")
    python = json.loads((specs.folder_of(agor.config.data_dir) / kernel.spec_name / "kernel.json").read_text())["argv"][0]
    seen = subprocess.run([python, "-c", LOOK], capture_output=True, text=True, check=True).stdout.split()
    assert seen == ["1.16.0", "0.10.1", str(Path(python).parents[1])]
    assert not marker.exists()
    assert [path.name for path in Path(python).parents[2].iterdir()] == [one.id]
    status = subprocess.run(["git", "status", "--porcelain", "--ignored"], cwd=one.path, capture_output=True, text=True, check=True)
    assert sorted(line.split()[1] for line in status.stdout.splitlines()) == sorted([source, "goods/pyproject.toml"])


async def test_what_is_judged_is_what_was_read(scene, repository):
    """A file that is put back between the reading and the look at it is not taken for the one that was read."""
    agor, one = scene.agor, scene.worktree
    recipes = agor.kernels._recipes
    (Path(one.path) / "requirements.txt").write_text("six\n")

    recipe = await recipes.of(one)
    (Path(one.path) / "requirements.txt").unlink()

    assert await recipes.changed(one, recipe) == ["requirements.txt"]


async def test_a_requirement_file_counts_with_all_that_it_includes(scene):
    agor, one = scene.agor, scene.worktree
    files = {
        "requirements.txt": "-r dev/more.txt\n-e .[all]\n./goods  # beside\n",
        "dev/more.txt": "toml\n-c pins.txt\n",
        "dev/pins.txt": "toml==0.10.1\n",
        "pyproject.toml": PROJECT.format() + '[project.optional-dependencies]\nall = ["shop[dev]"]\ndev = ["tabulate"]\n',
        "goods/pyproject.toml": GOODS,
    }
    for path, text in files.items():
        (Path(one.path) / path).parent.mkdir(exist_ok=True)
        (Path(one.path) / path).write_text(text)
    (Path(one.path) / ".agor.yml").write_text("environment: {kernel: {requirements: requirements.txt}}\n")

    with pytest.raises(errors.KernelNotTrusted) as refused:
        await agor.kernels.make(scene.caller, one.id, KernelMake())

    assert all(path in refused.value.message for path in [".agor.yml", *files])
    recipe = await agor.kernels._recipes.of(one)
    assert recipe.given["requirements.txt"] == b"-r dev/more.txt\n"
    assert b'"tabulate"' in recipe.given["all/pyproject.toml"]
    assert set(recipe.folders) == {".", "goods"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("-r ../../other.txt\n", "leads out of the worktree"),
        ("-e ../sibling\n", "leads out of the worktree"),
        ("-r missing.txt\n", "must be a regular file"),
        ("-r file:///etc/passwd\n", "leads out of the worktree"),
        ("--find-links ./wheels\nsix\n", "a folder of the worktree"),
        ("six @ file://{root}/six.whl\n", "by where it lies just now"),
        ("--no-binary {root}/six\n", "by where that lies just now"),
    ],
)
async def test_files_that_cannot_be_judged_are_refused(scene, text, why):
    (Path(scene.worktree.path) / "requirements.txt").write_text(text.format(root=scene.worktree.path))

    with pytest.raises(errors.BadSettings, match=why):
        await scene.agor.kernels.make(scene.caller, scene.worktree.id, KernelMake())


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ('[project]\nname = "a"\ndynamic = ["dependencies"]\n', "uv lock"),
        ('[tool.poetry.dependencies]\npython = "^3.11"\n', "poetry export"),
    ],
)
async def test_packages_that_only_code_knows_are_refused_with_the_nearest_way(scene, text, way):
    (Path(scene.worktree.path) / "pyproject.toml").write_text(text)

    with pytest.raises(errors.BadSettings, match=way):
        await scene.agor.kernels.make(scene.caller, scene.worktree.id, KernelMake())


async def test_a_pyproject_with_settings_of_tools_alone_is_passed_over(scene):
    (Path(scene.worktree.path) / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    (Path(scene.worktree.path) / "requirements.txt").write_text("six\n")

    assert (await scene.agor.kernels._recipes.of(scene.worktree)).source == "requirements.txt"
