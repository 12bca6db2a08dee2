"""How many CPUs this process may use, which can be fewer than the machine has."""

import itertools
import os
from math import ceil
from pathlib import Path
from typing import Final

CGROUPS: Final = Path("/sys/fs/cgroup")
"""Where Linux shows control groups (version 2)."""

OWN_CGROUP: Final = Path("/proc/self/cgroup")
"""The control group of this process, as `0::/path` below `CGROUPS`."""


def usable_cpus(cgroups: Path = CGROUPS, own_cgroup: Path = OWN_CGROUP) -> int:
    """Return the number of CPUs that this process may use: those of its affinity, within the quota of its container.

    A quota is CPU time per period (`cpu.max`), so that a part of a CPU counts as one. It can be set on the control
    group of the process and on any above it; the least holds. Source: Linux, Control Group v2, CPU interface files.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cpus, *map(ceil, _quotas(cgroups, own_cgroup))]))


def _quotas(cgroups: Path, own_cgroup: Path) -> list[float]:
    """Return the quotas, in CPUs, of the control group of this process and of those above it."""
    try:
        paths = [line.removeprefix("0::/") for line in own_cgroup.read_text().splitlines() if line.startswith("0::/")]
    except OSError:  # not Linux
        return []
    quotas = []
    for group in itertools.chain.from_iterable([Path(each), *Path(each).parents] for each in paths):
        try:
            quota, period = (cgroups / group / "cpu.max").read_text().split()
        except OSError:  # the root has no quota, and a container does not see the groups above its own
            continue
        if quota != "max":
            quotas.append(int(quota) / int(period))
    return quotas
