"""The CPU limit of the control group this process runs in (containers, batch systems)."""

from __future__ import annotations

import math
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


def cgroup_cpu_limit(
    root: Path = _ROOT, membership: Path = Path("/proc/self/cgroup")
) -> int | None:
    """
    Return how many CPUs the control group grants, rounded up, or None without a limit.

    Parameters
    ----------
    root : Path
        Where the cgroup file system is mounted.
    membership : Path
        The file that names this process's groups.

    Returns
    -------
    int or None
        At least 1. The strictest limit among the group and its parents (cgroup v2: ``cpu.max``), or
        the one of the v1 ``cpu`` controller. Anything unreadable means no limit.
    """
    limits = []
    group = root
    for line in _read(membership).splitlines():
        if line.startswith("0::/"):
            group = root / line[len("0::/") :]
    for folder in (group, *group.parents):
        if folder != root and root not in folder.parents:
            break
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        limits.append(_cpus(quota, period))
    v1 = root / "cpu"
    limits.append(_cpus(_read(v1 / "cpu.cfs_quota_us"), _read(v1 / "cpu.cfs_period_us")))
    return min((limit for limit in limits if limit is not None), default=None)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _cpus(quota: str, period: str) -> int | None:
    try:
        granted, per = int(quota), int(period)
    except ValueError:  # "max", or no such file
        return None
    return max(1, math.ceil(granted / per)) if granted > 0 and per > 0 else None
