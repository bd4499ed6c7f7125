"""scikit-learn's private losses, timed as its own linear models call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastloss.bench.workloads import Workload, wants

# A factor of a half, here and there, does not change the work.
CLASSES: dict[str, tuple[str, dict[str, Any]]] = {
    "absolute_error": ("AbsoluteError", {}),
    "cross_entropy": ("HalfMultinomialLoss", {}),
    "exponential": ("ExponentialLoss", {}),
    "gamma": ("HalfGammaLoss", {}),
    "half_squared_error": ("HalfSquaredError", {}),
    "huber": ("HuberLoss", {"delta": 1.0}),
    "log_loss": ("HalfBinomialLoss", {}),
    "pinball": ("PinballLoss", {"quantile": 0.5}),
    "poisson": ("HalfPoissonLoss", {}),
    "squared_error": ("HalfSquaredError", {}),
    "tweedie": ("HalfTweedieLoss", {"power": 1.5}),
    "tweedie_identity": ("HalfTweedieLossIdentity", {"power": 1.5}),
}
METHODS = ("loss", "gradient", "loss_gradient", "gradient_hessian")


def make(workload: Workload) -> Callable[[], object] | None:
    """Return one call of scikit-learn's loss into arrays of its own; None if it has none such.

    Parameters
    ----------
    workload : Workload
        The data.

    Returns
    -------
    callable or None
        Without the reduction, which scikit-learn leaves to its caller.
    """
    if workload.loss not in CLASSES or workload.operation not in METHODS:
        return None
    from sklearn._loss import loss as losses

    name, params = CLASSES[workload.loss]
    f, y = workload.raw_prediction, workload.y_true
    if workload.loss == "cross_entropy":
        params = {"n_classes": f.shape[1]}
        y = y.astype(f.dtype)
    peer = getattr(losses, name)(**params)
    want_loss, want_gradient, want_hessian = wants(workload.operation)
    outs = {}
    if want_loss:
        outs["loss_out"] = np.zeros(len(y), f.dtype)
    if want_gradient:
        outs["gradient_out"] = np.zeros_like(f)
    if want_hessian:
        outs["hessian_out"] = np.zeros_like(f)
    method = getattr(peer, workload.operation)
    return lambda: method(y, f, **outs, n_threads=workload.n_threads)
