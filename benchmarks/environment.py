"""The state that the suites want: no BLAS settings of this machine, one OpenMP default for all."""

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


def clean_start(module: str) -> None:
    """Start the command again without the unwanted variables, if one of them is set.

    Parameters
    ----------
    module : str
        What ``python -m`` ran.
    """
    if any(name in os.environ for name in UNWANTED):
        environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], environment)
