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
_ROWS_A_COEFFICIENT = 100  # that every k-th row has to be worth
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
    flat = np.zeros(X.shape[1] + fit_intercept + 1)
    try:
        stride = _stride(weights, len(y), X.shape[1])
        if stride:
            found = _of_some(stride, X, y, weights, epsilon, l2, fit_intercept, n_threads)
            if found is not None:
                return found
        flat = no_slopes(y, weights, X.shape[1], fit_intercept)
        if is_small(len(y), X.shape[1]):
            n_threads = 1
        objective = HuberScale(X, y, weights, epsilon, l2, fit_intercept, n_threads)
        squares = _of_least_squares(X, y, weights, fit_intercept, n_threads)
        return _lower(objective, flat, squares), None, False
    except NotFiniteError:  # X is not finite, or squares are not: the whole fit will say so
        return flat, None, False
    except KeyboardInterrupt:
        return flat, None, True


def _stride(weights: npt.NDArray[np.float64] | None, n: int, d: int) -> int:
    """Return k such that every k-th row tells enough, 0 if none does."""
    stride = stride_of(n, d + 1)
    if stride and weights is not None:
        least = _ROWS_A_COEFFICIENT * (d + 2)
        if min(_rows_worth(weights[::stride]), _rows_worth(weights) / stride) < least:
            return 0
    return stride


def _rows_worth(weights: npt.NDArray[np.float64]) -> float:
    """Return how many rows of equal weights tell as much (Kish 1965)."""
    shares = weights / max(float(weights.max(initial=0.0)), np.finfo(np.float64).tiny)
    return float(shares.sum()) ** 2 / max(float(shares @ shares), np.finfo(np.float64).tiny)


def _of_some(
    stride: int,
    X: Any,
    y: npt.NDArray[Any],
    weights: npt.NDArray[np.float64] | None,
    epsilon: float,
    l2: float,
    fit_intercept: bool,
    n_threads: int | None,
) -> tuple[Vector, Vector | None, bool] | None:
    """Return what `first_guess` does, by every k-th row; None where the others contradict."""
    some = X[::stride] if hasattr(X, "indptr") else np.ascontiguousarray(X[::stride])
    some_y = np.ascontiguousarray(y[::stride])
    part = None if weights is None else weights[::stride]
    others = (fit_intercept, 1 if is_small(len(some_y), X.shape[1]) else n_threads)
    objective = HuberScale(some, some_y, part, epsilon, l2, *others)
    flat = no_slopes(some_y, part, X.shape[1], fit_intercept)
    start = _lower(objective, flat, _of_least_squares(some, some_y, part, *others))
    tol = 1e-3 * float(np.exp(start[-1]))
    found = newton(objective, start, tol=tol, max_iter=20, **_OPTIONS)
    if found.reason == INTERRUPTED:
        return found.coef, None, True
    # a row that is not among them may have a feature far from all of theirs
    whole = HuberScale(X, y, weights, epsilon, l2, fit_intercept, n_threads)
    if not whole.loss_gradient(found.coef)[0] <= whole.loss_gradient(flat)[0]:
        return None
    return found.coef, objective.hessian(found.coef), False


def _lower(objective: HuberScale, flat: Vector, squares: Vector) -> Vector:
    """Return the better start: outliers may have led the squares astray."""
    return min((flat, squares), key=lambda start: objective.loss_gradient(start)[0])


def with_large_scale(
    start: Vector, X: Any, y: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None
) -> Vector:
    """
    Return a start whose scale is not far below the residuals.

    As sigma goes to 0, so does the derivative by its logarithm: nothing would bring it back. It is
    there where the rows, or the data of the last fit, have been fitted without residuals.
    """
    d = X.shape[1]
    if len(y) > 4 * _ROWS_OF_SCALE:
        chosen = np.random.default_rng(0).integers(len(y), size=_ROWS_OF_SCALE)  # of no period
        X, y, weights = X[chosen], y[chosen], None if weights is None else weights[chosen]
    if weights is not None and not weights.any():
        return start
    intercept = start[d] if len(start) > d + 1 else 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # the whole fit looks at that
        # in the precision of X, which a product with another would copy
        scale = _scale(y - X @ start[:d].astype(X.dtype) - intercept, weights)
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
    # the shortest where there are several
    coef = -np.linalg.lstsq(hessian, gradient, rcond=None)[0]
    # in the precision of X, which a product with another would copy
    residuals = y - X @ coef[:d].astype(X.dtype) - (coef[d] if fit_intercept else 0.0)
    return np.append(coef, np.log(_scale(residuals, weights) or 1.0))


def _scale(residuals: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None) -> float:
    """Return about sigma, 0 if there are no residuals."""
    sizes = np.abs(residuals)
    return 1.5 * _median(sizes, weights) or float(np.average(sizes, weights=weights))


def _median(values: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None) -> float:
    if weights is None:  # without sorting
        return float(np.median(values))
    return fl.AbsoluteError().initial_prediction(values, weights)
