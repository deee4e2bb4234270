"""The data folder lies on NFS, as on most hubs: SQLite was started there and lost transcripts."""

import os
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.filesystems import network_mount
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from agor_jupyter.storage import filesystem


def mountinfo(*mounts: tuple[str, str]) -> str:
    lines = ["22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw"]
    lines += [
        f"{30 + at} 22 0:{40 + at} / {folder} rw,relatime shared:1 - {kind} server:/export rw" for at, (folder, kind) in enumerate(mounts)
    ]
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    "kind",
    ["nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "9p", "fuse.sshfs", "fuse.s3fs", "fuse.juicefs", "fuse.gcsfuse"],
)
def test_a_folder_below_a_network_mount_is_recognised(kind):
    assert network_mount(Path("/home/ann/.local/share/jupyter/agor"), mountinfo(("/home", kind))) == (Path("/home"), kind)


@pytest.mark.parametrize(
    "kind", ["ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", "apfs", "fuseblk", "fuse.mergerfs", "fuse.gocryptfs", "virtiofs"]
)
def test_a_local_mount_is_no_network(kind):
    assert network_mount(Path("/home/ann/agor"), mountinfo(("/home", kind))) is None


def test_the_nearest_mount_counts_and_the_last_of_two_at_one_place():
    both = mountinfo(("/home", "nfs4"), ("/home/ann/scratch", "ext4"))

    assert network_mount(Path("/home/ann/scratch/agor"), both) is None
    assert network_mount(Path("/home/ann/scratchy"), both) == (Path("/home"), "nfs4")
    assert network_mount(Path("/data/agor"), mountinfo(("/data", "nfs"), ("/data", "ext4"))) is None


def test_a_name_with_a_space_is_read_as_the_kernel_writes_it():
    assert network_mount(Path("/my data/agor"), mountinfo((r"/my\040data", "nfs"))) == (Path("/my data"), "nfs")


def test_the_root_of_a_container_is_no_network_although_its_kind_is_one():
    assert network_mount(Path("/home/agor"), "22 1 0:1 / / rw - 9p none rw\n") is None


def test_it_is_recognised_through_a_link(tmp_path):
    (tmp_path / "nfs").mkdir()
    (tmp_path / "agor").symlink_to(tmp_path / "nfs" / "agor")  # which is not made yet
    mounts = tmp_path / "mountinfo"
    mounts.write_text(mountinfo((os.path.realpath(tmp_path / "nfs"), "nfs4")))

    with pytest.raises(errors.DataOnNetwork) as caught:
        filesystem.check(tmp_path / "agor", mounts=mounts)

    assert "AGOR_DATA_DIR=" in caught.value.message
    assert "nfs4" in caught.value.message


def test_the_file_of_a_database_counts_too_and_another_database_may_be_anywhere(tmp_path):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(mountinfo(("/shared", "nfs4")))

    filesystem.check(tmp_path, "sqlite:////local/agor.db", mounts)
    filesystem.check(Path("/shared/agor"), "postgresql+psycopg://db/agor", mounts)
    with pytest.raises(errors.DataOnNetwork):
        filesystem.check(tmp_path, "sqlite:////shared/agor.db", mounts)


async def test_the_engine_does_not_open_there_and_writes_nothing(tmp_path, monkeypatch):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(mountinfo((os.path.realpath(tmp_path), "nfs4")))
    monkeypatch.setattr(filesystem, "MOUNTS", mounts)
    app = Agor(Config(data_dir=tmp_path / "agor", root_dir=tmp_path, allowed_roots=(tmp_path,)))

    with pytest.raises(errors.DataOnNetwork):
        async with app:
            pass

    assert not (tmp_path / "agor").exists()
