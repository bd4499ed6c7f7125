"""What every solver takes and returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Vector: TypeAlias = npt.NDArray[np.float64]
Function: TypeAlias = Callable[[Vector], tuple[float, Vector]]  # value and gradient
Report: TypeAlias = Callable[[int, float, float, Vector], None]  # may raise StopFit

INTERRUPTED = "interrupted"
STOPPED = "stopped by the callback"
NOT_LOWER = "the line search found no lower objective: the features may be badly scaled"
EDGE = (
    "the steps end at the edge of where the loss is finite, short of the optimum: another link or a "
    "penalty may keep the predictions inside"
)


class StopFit(Exception):
    """The callback asked to stop."""


class Watched:
    """A function, and whether it was not finite somewhere since `beyond` was last set to False."""

    def __init__(self, function: Function) -> None:
        self.function, self.beyond = function, False

    def __call__(self, coef: Vector) -> tuple[float, Vector]:
        value, gradient = self.function(coef)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            self.beyond = True
        return value, gradient


class NotFiniteError(ValueError):
    """Value or gradient is not finite where the solver starts."""


@dataclass(frozen=True, slots=True)
class Solution:
    """
    Where a solver ended, and why.

    Attributes
    ----------
    coef : ndarray
        The best vector found.
    objective : float
        The value there.
    gradient_norm : float
        The largest entry of the gradient, by absolute value; with an L1 penalty of the subgradient
        of least norm; for `piecewise_linear` the duality gap relative to the objective.
    n_iter : int
        Iterations made.
    converged : bool
        Whether the stop criterion was met.
    reason : str
        Why it ended, in words.
    """

    coef: Vector
    objective: float
    gradient_norm: float
    n_iter: int
    converged: bool
    reason: str


def max_norm(vector: Vector) -> float:
    """Return the largest absolute value, 0 of an empty vector."""
    return float(np.max(np.abs(vector), initial=0.0))


def evaluate_start(function: Function, start: Vector) -> tuple[float, Vector]:
    """Return value and gradient where a solver starts, or raise if they are not finite."""
    value, gradient = function(start)
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        raise NotFiniteError(
            f"the objective is not finite where the solver starts: value {value}, largest entry of "
            f"the gradient {max_norm(gradient)}"
        )
    return value, gradient
