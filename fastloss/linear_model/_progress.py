"""What a fit tells while it runs, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fastloss.linear_model._solvers import StopFit


@dataclass(frozen=True, slots=True)
class FitProgress:
    """
    What a callback is given after each iteration, and once before the first.

    Attributes
    ----------
    iteration : int
        Iterations made; 0 before the first.
    objective : float
        Weighted mean loss plus penalty.
    gradient_norm : float
        The largest entry of the gradient, by absolute value; with an L1 penalty of the subgradient of
        least norm. Where an interior point method solves the problem, the duality gap relative to the
        objective. The fit has converged when it is at most `tol`.
    coef : ndarray, shape (d[+1],) or (C, d[+1])
        Coefficients, the intercept last; a copy.
    seconds : float
        Since the solver started.
    tol : float
        The tolerance.
    max_iter : int
        Iterations at most.
    """

    iteration: int
    objective: float
    gradient_norm: float
    coef: npt.NDArray[Any] = field(repr=False)
    seconds: float
    tol: float
    max_iter: int


Callback: TypeAlias = Callable[[FitProgress], object]


@dataclass(frozen=True, slots=True, eq=False)
class Convergence:
    """
    How a fit went, iteration by iteration: the attribute `convergence_` of a fitted estimator.

    Attributes
    ----------
    objective : ndarray of float64
        Weighted mean loss plus penalty, before the first iteration and after each.
    gradient_norm : ndarray of float64
        What `FitProgress` has under this name.
    seconds : ndarray of float64
        Since the solver started.
    converged : bool
        Whether the stop criterion was met.
    reason : str
        Why the fit ended.
    tol : float
        The tolerance.
    """

    objective: npt.NDArray[np.float64]
    gradient_norm: npt.NDArray[np.float64]
    seconds: npt.NDArray[np.float64]
    converged: bool
    reason: str
    tol: float

    def __repr__(self) -> str:
        """Return a line: the last values, and why the fit ended."""
        return told_briefly(
            self, f"iterations={max(len(self.objective) - 1, 0)}", ("objective", "gradient_norm")
        )


def told_briefly(record: Any, length: str, columns: tuple[str, ...]) -> str:
    """Return a record in one line: some columns by their last number, and all that is no column."""
    parts = [length]
    for each in fields(record):
        value = getattr(record, each.name)
        if not isinstance(value, np.ndarray):
            parts.append(f"{each.name}={value!r}")
        elif each.name in columns and len(value):
            parts.append(f"{each.name}=[..., {value[-1]:.6g}]")
    return f"{type(record).__name__}({', '.join(parts)})"


class Monitor:
    """
    Listen to a solver: record, print, call back.

    Parameters
    ----------
    callback : callable or None
        Called with a `FitProgress`; a true result stops the fit. Its method close, if it has one, is
        called at the end.
    verbose : int
        Whether to print a line per iteration.
    tol, max_iter : float, int
        Those of the solver.
    shape : tuple of int
        Shape of the coefficients that the callback is given.
    title : str
        What is printed before the lines.
    """

    def __init__(
        self,
        callback: Callback | None,
        verbose: int,
        tol: float,
        max_iter: int,
        shape: tuple[int, ...],
        title: str,
    ) -> None:
        self.callback, self.verbose, self.title = callback, verbose, title
        self.tol, self.max_iter, self.shape = tol, max_iter, shape
        self.start = perf_counter()
        self.lines: list[tuple[float, float, float]] = []

    def __call__(
        self, iteration: int, objective: float, gradient_norm: float, coef: npt.NDArray[np.float64]
    ) -> None:
        """Take note of one iteration."""
        seconds = perf_counter() - self.start
        self.lines.append((objective, gradient_norm, seconds))
        if self.verbose:
            if iteration == 0:
                print(f"{self.title}\niteration  objective           gradient norm  seconds")
            print(f"{iteration:9d}  {objective:<18.12g}  {gradient_norm:<13.3e}  {seconds:.3f}")
        if self.callback is not None:
            progress = FitProgress(
                iteration,
                objective,
                gradient_norm,
                coef[: np.prod(self.shape, dtype=int)].reshape(self.shape).copy(),
                seconds,
                self.tol,
                self.max_iter,
            )
            if self.callback(progress):
                raise StopFit

    def close(self, converged: bool, reason: str) -> Convergence:
        """Say that the solver has ended, and return the record."""
        if self.verbose:
            print(f"{'converged' if converged else 'not converged'}: {reason}")
        objective, gradient_norm, seconds = np.array(self.lines, np.float64).reshape(-1, 3).T
        return Convergence(
            objective.copy(), gradient_norm.copy(), seconds.copy(), converged, reason, self.tol
        )
