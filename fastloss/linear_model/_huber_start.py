"""Where the fit of a Huber regression starts: the optimum for some of the rows, or least squares."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import fastloss as fl
from fastloss.linear_model._head_start import HeadStart, is_small, stride_of
from fastloss.linear_model._huber_objective import HuberScale
from fastloss.linear_model._solvers import NotFiniteError, newton
from fastloss.linear_model._solvers.solution import INTERRUPTED

Vector = npt.NDArray[np.float64]

_ROWS_OF_SCALE = 1000
_ROWS_A_COEFFICIENT = 100  # that every k-th row has to be worth
_LEAST_SHARE = 0.01  # of the scale that residuals tell, for a start
_OPTIONS: dict[str, Any] = {"precision": 1e-7, "report": lambda *_: None}


def first_guess(whole: HuberScale) -> HeadStart:
    """
    Return the optimum for every k-th row, with the Hessian there.

    Where there are few rows it is the least squares of all of them, or no slopes, and no Hessian.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C ended it before there were any coefficients to return.
    """
    y, weights, d = whole.y, whole.sample_weight, whole.d
    stride = _stride(weights, len(y), d)
    found = _of_some(whole, stride) if stride else None
    if found is not None:
        return found
    flat = no_slopes(y, weights, d, whole.fit_intercept)
    try:
        return HeadStart(_lower(whole, flat, _of_least_squares(whole)))
    except NotFiniteError:  # X is not finite, or squares are not: the whole fit will say so
        return HeadStart(flat)


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


def _of_some(whole: HuberScale, stride: int) -> HeadStart | None:
    """Return what `first_guess` does, by every k-th row; None where the others contradict."""
    part = whole.of_every(stride, is_small(len(whole.y) // stride, whole.d))
    flat = no_slopes(part.y, part.sample_weight, part.d, part.fit_intercept)
    try:
        start = _lower(part, flat, _of_least_squares(part))
        tol = 1e-3 * float(np.exp(start[-1]))
        found = newton(part, start, tol=tol, max_iter=20, **_OPTIONS)
    except NotFiniteError:
        return None
    if found.reason == INTERRUPTED:
        return HeadStart(found.coef, interrupted=True)
    try:
        # a row that is not among them may have a feature far from all of theirs
        evaluated = whole.loss_gradient(found.coef)
        if not evaluated[0] <= whole.loss_gradient(flat)[0] or not np.isfinite(evaluated[1]).all():
            return None
        return HeadStart(found.coef, evaluated, part.hessian(found.coef))
    except KeyboardInterrupt:
        return HeadStart(found.coef, interrupted=True)


def _lower(objective: HuberScale, flat: Vector, squares: Vector) -> Vector:
    """Return the better start: outliers may have led the squares astray."""
    return min((flat, squares), key=lambda start: objective.loss_gradient(start)[0])


def with_large_scale(start: Vector, whole: HuberScale) -> Vector:
    """
    Return the start, or one whose scale is not far below the residuals.

    As sigma goes to 0, so does the derivative by its logarithm: nothing would bring it back. It is
    there where the rows, or the data of the last fit, have been fitted without residuals.
    """
    X, y, weights, d = whole.X, whole.y, whole.sample_weight, whole.d
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


def _of_least_squares(data: HuberScale) -> Vector:
    """Return coefficients of least squares, and the log of the scale that their residuals tell."""
    d, fit_intercept = data.d, data.fit_intercept
    squares = fl.LinearObjective(
        fl.SquaredError(),
        data.X,
        data.y,
        data.sample_weight,
        fit_intercept=fit_intercept,
        n_threads=1 if is_small(len(data.y), d) else data.n_threads,
    )
    gradient, hessian = squares.gradient_hessian(np.zeros(d + fit_intercept))
    if not np.isfinite(hessian).all() or not np.isfinite(gradient).all():
        raise NotFiniteError("squares of X, or products with y, are not finite")
    # the shortest where there are several
    coef = -np.linalg.lstsq(hessian, gradient, rcond=None)[0]
    # in the precision of X, which a product with another would copy
    residuals = data.y - data.X @ coef[:d].astype(data.X.dtype)
    residuals -= coef[d] if fit_intercept else 0.0
    return np.append(coef, np.log(_scale(residuals, data.sample_weight) or 1.0))


def _scale(residuals: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None) -> float:
    """Return about sigma, 0 if there are no residuals."""
    sizes = np.abs(residuals)
    return 1.5 * _median(sizes, weights) or float(np.average(sizes, weights=weights))


def _median(values: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None) -> float:
    if weights is None:  # without sorting
        return float(np.median(values))
    return fl.AbsoluteError().initial_prediction(values, weights)
