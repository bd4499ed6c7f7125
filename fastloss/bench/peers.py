"""Every implementation that a loss is timed against, by name."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastloss as fl
from fastloss.bench import sklearn_peer, torch_peer
from fastloss.bench.numpy_losses import NUMPY_LOSSES, WITHOUT_HESSIAN
from fastloss.bench.workloads import Workload

FASTLOSS = "fastloss"
NUMPY = "NumPy"
SKLEARN = "scikit-learn"
TORCH = "torch"
PEERS = (NUMPY, SKLEARN, TORCH)

_MODULES = {NUMPY: "numpy", SKLEARN: "sklearn", TORCH: "torch"}


def installed_peers() -> list[str]:
    """Return the names of the peers that can be imported here."""
    return [name for name in PEERS if importlib.util.find_spec(_MODULES[name]) is not None]


def make_fastloss(workload: Workload) -> Callable[[], object]:
    """Return one call of fastloss into the outputs of the workload."""
    method = getattr(fl.get_loss(workload.loss), workload.operation)
    y, f, n_threads = workload.y_true, workload.raw_prediction, workload.n_threads
    out: object = None
    if workload.operation == "gradient":
        out = workload.gradient
    elif workload.operation == "gradient_hessian":
        out = (workload.gradient, workload.hessian)
    elif workload.operation != "loss":
        out = (None, *workload.outputs)
    return lambda: method(y, f, out=out, n_threads=n_threads)


def make_numpy(workload: Workload) -> Callable[[], object] | None:
    """Return one evaluation by NumPy, None where nobody has written the loss down."""
    function = NUMPY_LOSSES.get(workload.loss)
    if function is None or ("hessian" in workload.operation and workload.loss in WITHOUT_HESSIAN):
        return None
    y, f, operation = workload.y_true, workload.raw_prediction, workload.operation

    def evaluate() -> object:
        with np.errstate(all="ignore"):  # it overflows on the way where fastloss does not
            return function(y, f, operation)

    return evaluate


def make_cases(
    workload: Workload, peers: list[str] | None = None
) -> dict[str, Callable[[], object]]:
    """Return fastloss and the peers that have this loss and operation.

    Parameters
    ----------
    workload : Workload
        The data.
    peers : list of str, optional
        A choice of `PEERS`; all installed ones by default.

    Returns
    -------
    dict of str to callable
        Fastloss first.
    """
    makers = {NUMPY: make_numpy, SKLEARN: sklearn_peer.make, TORCH: torch_peer.make}
    cases = {FASTLOSS: make_fastloss(workload)}
    for name in installed_peers() if peers is None else peers:
        case = makers[name](workload)
        if case is not None:
            cases[name] = case
    return cases


def limit_inputs(workload: Workload) -> tuple[list[NDArray[Any]], NDArray[Any] | None]:
    """Return the arrays of the predictions' size that a loss reads, and labels of another size."""
    if workload.y_true.nbytes == workload.raw_prediction.nbytes:
        return [workload.raw_prediction, workload.y_true], None
    return [workload.raw_prediction], workload.y_true
