"""Huber regression where the model can go through all samples, and the scale may be 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_ROWS = 2000  # a square matrix of them is factored
_ROUNDING = 1e-10  # of the largest target, below which residuals count as 0


def interpolation(
    X: Any,
    y: npt.NDArray[Any],
    weights: npt.NDArray[np.float64] | None,
    epsilon: float,
    alpha: float,
    fit_intercept: bool,
) -> npt.NDArray[np.float64] | None:
    """
    Return the coefficients, the intercept last, if the optimum has no residuals and sigma = 0.

    Of all models through the samples the penalty chooses the shortest, w = X.T @ c. The samples'
    forces are u = 2 * alpha * c / weight; sigma = 0 is optimal if none is beyond 2 * epsilon and the
    weighted sum of 1 - u**2 / 4, the derivative by sigma, is not negative.

    Parameters
    ----------
    X, y, weights : array
        The data.
    epsilon, alpha : float
        Parameters of the regression.
    fit_intercept : bool
        Whether there is an intercept.
    """
    n, d = X.shape
    if (n if weights is None else np.count_nonzero(weights)) > min(2 * (d + fit_intercept), _ROWS):
        return None
    used = np.arange(n) if weights is None else np.flatnonzero(weights)
    rows = X[used]
    rows = np.asarray(rows.toarray() if hasattr(rows, "indptr") else rows, np.float64)
    target = y[used].astype(np.float64)
    if not np.isfinite(rows).all():
        return None
    n = len(used)
    system = np.zeros((n + fit_intercept, n + fit_intercept))
    system[:n, :n] = rows @ rows.T
    if fit_intercept:
        system[:n, n] = system[n, :n] = 1.0
    side = np.append(target, np.zeros(int(fit_intercept)))
    solution = np.linalg.lstsq(system, side, rcond=None)[0]
    coef = np.append(rows.T @ solution[:n], solution[n:])
    fitted = rows @ coef[:d] + (coef[d] if fit_intercept else 0.0)
    if not np.max(np.abs(fitted - target)) <= _ROUNDING * np.max(np.abs(target)):
        return None
    shares = np.ones(n) if weights is None else weights[used]
    forces = 2 * alpha * solution[:n] / shares
    bounded = np.all(np.abs(forces) <= 2 * epsilon)
    return coef if bounded and shares @ (1 - forces**2 / 4) >= 0 else None
