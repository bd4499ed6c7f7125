"""Where the fit of a Huber regression starts: the optimum for some of the rows, or least squares."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import fastloss as fl
from fastloss.linear_model._head_start import is_small, stride_of
from fastloss.linear_model._huber_objective import HuberScale
from fastloss.linear_model._solvers import NotFiniteError, newton
from fastloss.linear_model._solvers.solution import INTERRUPTED

Vector = npt.NDArray[np.float64]

_ROWS_OF_SCALE = 1000
_LEAST_SHARE = 0.01  # of the scale that residuals tell, for a start
_OPTIONS: dict[str, Any] = {"precision": 1e-7, "report": lambda *_: None}


def first_guess(
    X: Any,
    y: npt.NDArray[Any],
    weights: npt.NDArray[np.float64] | None,
    epsilon: float,
    l2: float,
    fit_intercept: bool,
    n_threads: int | None,
) -> tuple[Vector, Vector | None, bool]:
    """
    Return the optimum for every k-th row, the Hessian there, and whether Ctrl-C ended that fit.

    Where there are few rows it is the least squares of all of them, or no slopes, and no Hessian.

    Parameters
    ----------
    X, y, weights : array
        The data.
    epsilon, l2, fit_intercept, n_threads
        As in `HuberScale`.
    """
    d = X.shape[1]
    stride = stride_of(len(y), d + 1)
    part = weights if weights is None or not stride else weights[::stride]
    if part is not None and not part.any():
        return no_slopes(y, weights, d, fit_intercept), None, False
    if stride:
        X = X[::stride] if hasattr(X, "indptr") else np.ascontiguousarray(X[::stride])
        y = np.ascontiguousarray(y[::stride])
    if is_small(len(y), d):
        n_threads = 1
    data, others = (X, y, part), (fit_intercept, n_threads)
    flat = no_slopes(y, part, d, fit_intercept)
    try:
        objective = HuberScale(*data, epsilon, l2, *others)
        # outliers may have led the squares astray
        starts = (flat, _of_least_squares(*data, *others))
        start = min(starts, key=lambda start: objective.loss_gradient(start)[0])
        if not stride:
            return start, None, False
        tol = 1e-3 * float(np.exp(start[-1]))
        solution = newton(objective, start, tol=tol, max_iter=20, **_OPTIONS)
        return solution.coef, objective.hessian(solution.coef), solution.reason == INTERRUPTED
    except NotFiniteError:  # X is not finite, or squares are not: the whole fit will say so
        return flat, None, False
    except KeyboardInterrupt:
        return flat, None, True


def with_large_scale(
    start: Vector, X: Any, y: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None
) -> Vector:
    """
    Return a start whose scale is not far below the residuals.

    As sigma goes to 0, so does the derivative by its logarithm: nothing would bring it back. It is
    there where the rows, or the data of the last fit, have been fitted without residuals.
    """
    d = X.shape[1]
    chosen = np.random.default_rng(0).integers(len(y), size=_ROWS_OF_SCALE)  # of no period
    if weights is not None:
        weights = weights[chosen]
        if not weights.any():
            return start
    intercept = start[d] if len(start) > d + 1 else 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # the whole fit looks at that
        scale = _scale(y[chosen] - X[chosen] @ start[:d] - intercept, weights)
    if not 0 < scale < np.inf or np.exp(start[-1]) >= _LEAST_SHARE * scale:
        return start
    return np.append(start[:-1], np.log(scale))


def no_slopes(
    y: npt.NDArray[Any],
    weights: npt.NDArray[np.float64] | None,
    d: int,
    fit_intercept: bool,
) -> Vector:
    """Return the median as intercept, and the log of the scale that the deviations from it tell."""
    start = np.zeros(d + fit_intercept + 1)
    if fit_intercept:
        start[d] = _median(y, weights)
    start[-1] = np.log(_scale(y - start[d] if fit_intercept else y, weights) or 1.0)
    return start


def _of_least_squares(
    X: Any,
    y: npt.NDArray[Any],
    weights: npt.NDArray[np.float64] | None,
    fit_intercept: bool,
    n_threads: int | None,
) -> Vector:
    """Return coefficients of least squares, and the log of the scale that their residuals tell."""
    d = X.shape[1]
    squares = fl.LinearObjective(
        fl.SquaredError(), X, y, weights, fit_intercept=fit_intercept, n_threads=n_threads
    )
    gradient, hessian = squares.gradient_hessian(np.zeros(d + fit_intercept))
    if not np.isfinite(hessian).all() or not np.isfinite(gradient).all():
        raise NotFiniteError("squares of X, or products with y, are not finite")
    coef = -np.linalg.lstsq(hessian, gradient, rcond=None)[
        0
    ]  # the shortest where there are several
    residuals = y - X @ coef[:d] - (coef[d] if fit_intercept else 0.0)
    return np.append(coef, np.log(_scale(residuals, weights) or 1.0))


def _scale(residuals: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None) -> float:
    """Return about sigma, 0 if there are no residuals."""
    sizes = np.abs(residuals)
    return 1.5 * _median(sizes, weights) or float(np.average(sizes, weights=weights))


def _median(values: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None) -> float:
    if weights is None:  # without sorting
        return float(np.median(values))
    return fl.AbsoluteError().initial_prediction(values, weights)
