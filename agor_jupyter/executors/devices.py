"""Devices of this machine that agents may use in their sandbox, such as its GPU. Without being named, none is there inside."""

from collections.abc import Iterable, Sequence
from pathlib import Path

GPU = "gpu"
"""Stands for all GPUs of the machine: what NVIDIA's, AMD's, Intel's and WSL's drivers open."""
_GPU_NODES = ("nvidia[0-9]*", "nvidiactl", "nvidia-uvm*", "nvidia-modeset", "nvidia-caps", "kfd", "dri", "dxg")
_SYS = ("bus/pci", "class", "dev", "devices", "module")
"""Below /sys, where those drivers look for their cards."""
GPU_ENV = ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ZE_AFFINITY_MASK")
"""Variables that say which of several GPUs a process may use."""
DEV, _SYSFS = Path("/dev"), Path("/sys")


def gpus(dev: Path | None = None) -> list[Path]:
    """What stands for GPUs on this machine. A folder `dri` without a card that computes is none."""
    found = sorted(path for pattern in _GPU_NODES for path in (dev or DEV).glob(pattern))
    return [path for path in found if path.name != "dri" or any(path.glob("renderD*"))]


def arguments(names: Iterable[str]) -> list[str]:
    """The arguments for bubblewrap. `names` are `gpu`, or absolute paths; what is not there now is left out."""
    wanted = list(names)
    paths = [*(gpus() if GPU in wanted else []), *(Path(name) for name in wanted if name != GPU)]
    found = [part for path in paths for part in ("--dev-bind-try", str(path), str(path))]
    if GPU in wanted:
        found += [part for name in _SYS for part in ("--ro-bind-try", str(_SYSFS / name), str(_SYSFS / name))]
    return found


def present(names: Sequence[str]) -> list[str]:
    """Those of `names` that are on this machine."""
    return [name for name in names if (gpus() if name == GPU else Path(name).exists())]
