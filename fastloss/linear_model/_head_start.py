"""A start for fits of many samples: the optimum for some of them, and the Hessian there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastloss.linear_model._solvers import NotFiniteError, newton
from fastloss.linear_model._solvers.solution import INTERRUPTED, max_norm

Vector = npt.NDArray[np.float64]

_ROWS_PER_COEFFICIENT = 200  # rows that tell a coefficient to about a tenth of its noise
_LEAST_STRIDE = 4
_LEAST_CURVATURE = 1e-10  # of that along the features, for rows that tell about every direction
# Rows for each square of the number of coefficients, from which on the Hessians of some rows cost less
# than the passes over all of them that they spare.
_ROWS_PER_SQUARE = 60
# Multiplications of a Hessian below which other threads cost more to wait for than they spare.
_ONE_THREAD = 40_000_000
_SHARE = 0.01  # of the gradient, that is as exact as those rows are
_MOST_STEPS = 12


class HeadStart(NamedTuple):
    """Coefficients; where known, the objective there and about its Hessian; if Ctrl-C came before."""

    coef: Vector
    evaluated: tuple[float, Vector] | None = None
    hessian: Vector | None = None
    interrupted: bool = False


def stride_of(n: int, n_coef: int) -> int:
    """Return k where every k-th of n rows tells so many coefficients well enough, 0 if that is most."""
    stride = n // (_ROWS_PER_COEFFICIENT * (n_coef + 1))
    return stride if stride >= _LEAST_STRIDE else 0


def is_small(rows: int, n_coef: int) -> bool:
    """Return whether one thread is to form a Hessian of so many rows."""
    return rows * n_coef * n_coef < _ONE_THREAD


def head_start(objective: Any, start: Vector, n: int, precision: float) -> HeadStart | None:
    """
    Return the optimum for every k-th row, or None where it costs too much or these tell nothing.

    Parameters
    ----------
    objective : LinearObjective
        Convex and smooth, of one output and dense X.
    start : ndarray
        Coefficients from which to start.
    n : int
        Rows of X.
    precision : float
        The relative rounding of the objective's values.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C ended it.
    """
    stride = stride_of(n, start.size)
    if not stride or n < _ROWS_PER_SQUARE * start.size**2:
        return None
    part = objective._of_every(stride, is_small(n // stride, start.size))
    if not part.weight_sum > 0:
        return None
    ceiling, slopes = part.loss_gradient(start)
    steepest = max_norm(slopes)
    if not (np.isfinite(ceiling) and 0 < steepest < np.inf):
        return None
    options: dict[str, Any] = {"max_iter": _MOST_STEPS, "report": lambda *_: None}
    try:
        found = newton(part, start, tol=_SHARE * steepest, precision=precision, **options)
    except NotFiniteError:
        return None
    if found.reason == INTERRUPTED:
        raise KeyboardInterrupt
    hessian = part.hessian(found.coef)
    if not _tells_all(hessian):
        return None
    value, gradient = objective.loss_gradient(found.coef)
    # a few rows may be separable, or have a feature that is rare
    if not value <= ceiling or not np.isfinite(gradient).all():
        return None
    return HeadStart(found.coef, (value, gradient), hessian)


def _tells_all(hessian: Vector) -> bool:
    """
    Return whether a Hessian has a curvature along every direction.

    Where it has none, as for a category that none of the rows has, or for columns that depend on each
    other, the optimum for the rows is one of many, and far from that of all or from the shortest.
    """
    with np.errstate(all="ignore"):
        units = np.sqrt(np.diagonal(hessian))
        alike = hessian / np.outer(units, units)
    return bool(np.isfinite(alike).all() and np.linalg.eigvalsh(alike)[0] > _LEAST_CURVATURE)
