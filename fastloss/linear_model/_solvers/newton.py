"""Newton's method with a Cholesky factorisation, for few coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from fastloss.linear_model._solvers.descent import ARMIJO, EPS, Descent
from fastloss.linear_model._solvers.lbfgs import lbfgs
from fastloss.linear_model._solvers.solution import (
    EDGE,
    INTERRUPTED,
    STOPPED,
    Function,
    NotFiniteError,
    Report,
    Solution,
    StopFit,
    Vector,
    Watched,
    evaluate_start,
    max_norm,
)

_HALVINGS = 60
# a step that leaves so little of the gradient is followed by one with the same Hessian
_QUICK = 0.2
_STEADY = 0.5  # where no other Hessian is formed


Rest: TypeAlias = Callable[[Vector, int, Report], Solution]


class Curved(Protocol):
    """A function with a Hessian."""

    def loss_gradient(self, coef: Vector, /) -> tuple[float, Vector]:
        """Return value and gradient."""

    def hessian(self, coef: Vector, /) -> Vector:
        """Return the Hessian as a square matrix."""


def newton(
    function: Curved,
    start: Vector,
    *,
    tol: float,
    max_iter: int,
    precision: float,
    report: Report,
    rest: Rest | None = None,
    hessian: Vector | None = None,
    forms_hessians: bool = True,
    evaluated: tuple[float, Vector] | None = None,
) -> Solution:
    """
    Minimise a smooth function that gives its Hessian.

    Where the Hessian is not positive definite, a multiple of the unit matrix is added that makes it
    so. Steps are halved until the value falls and is finite. A Hessian costs as much as many gradients:
    it serves again while it makes the gradient fall quickly, together with what the steps tell of its
    change (BFGS). Where it is 0, as that of a loss whose samples all lie on straight lines, `rest`
    goes on.

    Parameters
    ----------
    function : Curved
        Value, gradient and Hessian at a vector.
    start : ndarray of float64
        Where to start.
    tol : float
        It stops where no entry of the gradient is larger, or a step promises no more than roundings.
    max_iter : int
        Iterations at most.
    precision : float
        The relative rounding of the function's values: 2**-52, or that of float32.
    report : callable
        Called after each iteration with its number, value, norm of the gradient and vector.
    rest : callable, optional
        Goes on without Hessians, given a vector, how many iterations are left and to whom to report; by
        default `lbfgs`.
    hessian : ndarray of float64, optional
        About the Hessian at the start, as that of some of the samples. It is used while it serves.
    forms_hessians : bool, default=True
        Whether the next is the function's own; else `rest` goes on.
    evaluated : tuple of (float, ndarray), optional
        Value and gradient at the start, finite, where they are known.

    Returns
    -------
    Solution
        The last vector, which is the lowest.
    """
    watched = Watched(function.loss_gradient)
    value, gradient = evaluated or evaluate_start(watched, start)
    state = (start.copy(), value, gradient)
    model = None if hessian is None or not np.isfinite(hessian).all() else _Model(hessian)
    descent = Descent(watched, "gradient", tol, max_iter)
    converged, reason = False, ""

    def continued(done: int, objective: float, norm: float, coef: Vector) -> None:
        if done:  # its start is known
            report(descent.n_iter + done, objective, norm, coef)

    def plain(coef: Vector, most: int, report: Report) -> Solution:
        ones = np.ones(len(coef))
        return lbfgs(
            function.loss_gradient,
            coef,
            tol=tol,
            max_iter=most,
            scale=ones,
            precision=precision,
            report=report,
        )

    least = _QUICK if forms_hessians else _STEADY
    try:
        report(0, value, max_norm(gradient), start)
        while True:
            coef, value, gradient = state
            ended = descent.end(max_norm(gradient))
            if ended is not None:
                converged, reason = ended
                break
            fresh = model is None
            if model is None:
                hessian = function.hessian(coef) if forms_hessians else None
                if hessian is None or not hessian.any():
                    end = (rest or plain)(coef, max_iter - descent.n_iter, continued)
                    return replace(end, n_iter=descent.n_iter + end.n_iter)
                model = _Model(hessian)
            step = -model.solve(gradient)
            slope = float(gradient @ step)
            moved = _search(watched, state, step, slope, precision, _HALVINGS if fresh else 1)
            if moved is None and not fresh:
                model, watched.beyond = None, False
                continue
            if moved is None and watched.beyond:
                reason = EDGE
                break
            if moved is None:
                # half the slope is what the step promises
                converged = -slope <= 64 * precision * abs(value)
                reason = (
                    "the objective falls no further"
                    if converged
                    else "the line search found no lower objective"
                )
                break
            descent.moved(value, moved[1])
            if max_norm(moved[2]) <= least * max_norm(gradient):
                model.learn(moved[0] - coef, moved[2] - gradient)
            else:
                model = None
            state = moved
            report(descent.n_iter, state[1], max_norm(state[2]), state[0])
    except KeyboardInterrupt:
        reason = INTERRUPTED
    except StopFit:
        reason = STOPPED
    coef, value, gradient = state
    return Solution(coef, value, max_norm(gradient), descent.n_iter, converged, reason)


class _Model:
    """
    The inverse of a Hessian, with what steps have told since: BFGS from its Cholesky factor on.

    Parameters
    ----------
    hessian : ndarray of float64
        Square, finite or not.
    """

    def __init__(self, hessian: Vector) -> None:
        self.factor = _factor(hessian)
        self.steps: list[tuple[Vector, Vector, float]] = []

    def learn(self, step: Vector, change: Vector) -> None:
        """Take note of a step, and of how much the gradient changed."""
        along = float(step @ change)
        if along > np.finfo(np.float64).tiny:  # else its inverse may be infinite
            self.steps.append((step, change, 1 / along))

    def solve(self, gradient: Vector) -> Vector:
        """Return the inverse times a gradient."""
        solved: Vector = gradient
        shares = []
        for step, change, inverse in reversed(self.steps):
            shares.append(inverse * float(step @ solved))
            solved = solved - shares[-1] * change
        solved = cho_solve(self.factor, solved)
        for (step, change, inverse), share in zip(self.steps, reversed(shares), strict=True):
            solved = solved + (share - inverse * float(change @ solved)) * step
        return solved


def _factor(hessian: Vector) -> Any:
    """Return the Cholesky factor, of a Hessian damped as much as makes it positive definite."""
    if not np.isfinite(hessian).all():
        raise NotFiniteError("the Hessian is not finite")
    size = max(float(np.abs(np.diagonal(hessian)).max(initial=0.0)), np.finfo(np.float64).tiny)
    damping = 0.0
    while damping < 1e8:
        try:
            damped = hessian + damping * size * np.eye(len(hessian)) if damping else hessian
            factor = cho_factor(damped, lower=True)
        except (LinAlgError, ValueError):  # not positive definite, or damped beyond all numbers
            damping = max(10 * damping, 16 * EPS)
        else:
            return factor
    return cho_factor(size * np.eye(len(hessian)), lower=True)


def _search(
    function: Function,
    state: tuple[Vector, float, Vector],
    step: Vector,
    slope: float,
    precision: float,
    halvings: int,
) -> tuple[Vector, float, Vector] | None:
    """Return the first point of halved steps that is low enough, or None."""
    coef, value, gradient = state
    rounding = 4 * precision * abs(value)
    length = 1.0
    for _ in range(halvings):
        point = coef + length * step
        low, slopes = function(point)
        if np.isfinite(low) and np.isfinite(slopes).all():
            if low <= value + ARMIJO * length * slope:
                return point, low, slopes
            # at the last digits, where no step promises more than they are, the value is noise: then
            # the gradient has to fall
            promised = -ARMIJO * length * slope
            falls = max_norm(slopes) < 0.9 * max_norm(gradient)
            if promised <= rounding and low <= value + rounding and falls:
                return point, low, slopes
        length /= 2
        if -length * slope < EPS * rounding:
            break
    return None
