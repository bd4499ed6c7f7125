"""What the methods of descent share: when they end, and which point of a line search is low enough."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np

from fastloss.linear_model._solvers.solution import EDGE, Function, Vector, Watched, max_norm

State: TypeAlias = tuple[Vector, float, Vector]  # coefficients, value with penalty, gradient

EPS = float(np.finfo(np.float64).eps)
ARMIJO = 1e-4
_STILL = 3  # iterations without a fall


class Descent:
    """
    Count iterations, and say when they end.

    Parameters
    ----------
    watched : Watched
        The function.
    kind : str
        What has to be small, in words.
    tol : float
        No entry of it may exceed this.
    max_iter : int
        Iterations at most.
    """

    def __init__(self, watched: Watched, kind: str, tol: float, max_iter: int) -> None:
        self.watched, self.kind, self.tol, self.max_iter = watched, kind, tol, max_iter
        self.n_iter, self.still = 0, 0

    def end(self, norm: float) -> tuple[bool, str] | None:
        """Return whether it has converged and why it ends, or None if it goes on."""
        if norm <= self.tol:
            return True, f"no entry of the {self.kind} exceeds tol = {self.tol:g}"
        if self.still >= _STILL:
            return self.end_of_fall()
        if self.n_iter >= self.max_iter:
            return False, f"max_iter = {self.max_iter} iterations were not enough"
        return None

    def end_of_fall(self) -> tuple[bool, str]:
        """Return the same where nothing lower was found, unless something lower lies beyond an edge."""
        if self.watched.beyond:
            return False, EDGE
        return True, "the objective falls no further"

    def moved(self, before: float, after: float) -> None:
        """Take note of one more iteration, and of the value before and after it."""
        self.still = 0 if before - after > EPS * abs(before) else self.still + 1
        self.watched.beyond = self.watched.beyond and self.still > 0
        self.n_iter += 1


def subgradient(coef: Vector, gradient: Vector, penalty: Vector) -> Vector:
    """Return the subgradient of least norm."""
    shrunk = np.sign(gradient) * np.maximum(np.abs(gradient) - penalty, 0.0)
    return np.where(coef == 0, shrunk, gradient + penalty * np.sign(coef))


def first_lower(
    function: Function,
    state: State,
    points: Iterable[tuple[Vector, float]],
    penalty: Vector,
    precision: float,
) -> State | None:
    """
    Return the first point that is low enough, or None.

    Parameters
    ----------
    function : callable
        Value and gradient of the smooth part.
    state : tuple
        Where the points lead from.
    points : iterable of (ndarray, float)
        Each with the fall that it promises, a negative number.
    penalty : ndarray
        The L1 penalty of each coefficient.
    precision : float
        The relative rounding of the function's values.
    """
    coef, value, gradient = state
    norm = max_norm(subgradient(coef, gradient, penalty))
    for point, promised in points:
        smooth, slopes = function(point)
        low = smooth + float(penalty @ np.abs(point))
        if np.isfinite(low) and np.isfinite(slopes).all():
            if promised < 0 and low <= value + ARMIJO * promised:
                return point, low, slopes
            # at the last digits the value is noise: then the subgradient has to fall
            if low <= value + 4 * precision * abs(value) and (
                max_norm(subgradient(point, slopes, penalty)) < 0.9 * norm
            ):
                return point, low, slopes
    return None
