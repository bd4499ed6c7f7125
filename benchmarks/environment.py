"""The state that the suites want: no BLAS settings, memory that is kept, one OpenMP default for all."""

from __future__ import annotations

import os
import sys

# Settings of somebody's BLAS, or of a kernel under test, that would enter the figures unseen.
UNWANTED = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "FASTLOSS_ISA",
)
# glibc gives large arrays back to the system when they are freed: peers that allocate their results
# would pay for new pages at each call.
MALLOC = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184"


def clean_start(module: str) -> None:
    """Start the command again without the unwanted variables, and with memory that is kept.

    Parameters
    ----------
    module : str
        What ``python -m`` ran.
    """
    if any(name in os.environ for name in UNWANTED) or "GLIBC_TUNABLES" not in os.environ:
        environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
        environment.setdefault("GLIBC_TUNABLES", MALLOC)
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], environment)
