"""Proximal Newton: a smooth objective with a Hessian plus an L1 penalty, for few coefficients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from fastloss.linear_model._solvers.descent import EPS, Descent, State, first_lower, subgradient
from fastloss.linear_model._solvers.newton import Curved
from fastloss.linear_model._solvers.owlqn import owlqn
from fastloss.linear_model._solvers.solution import (
    EDGE,
    INTERRUPTED,
    STOPPED,
    Function,
    Report,
    Solution,
    StopFit,
    Vector,
    Watched,
    evaluate_start,
    max_norm,
)

_HALVINGS = 40
_SWEEPS = 200


def proximal_newton(
    function: Curved,
    start: Vector,
    penalty: Vector,
    *,
    tol: float,
    max_iter: int,
    scale: Vector,
    precision: float,
    report: Report,
) -> Solution:
    """
    Minimise function(coef) + sum(penalty * abs(coef)).

    Each iteration replaces the function by its quadratic and minimises that, with the penalty, by
    coordinate descent and then exactly among the coefficients that are not 0. Where the Hessian is
    not positive definite, `owlqn` goes on.

    Parameters
    ----------
    function : Curved
        Value, gradient and Hessian at a vector.
    start : ndarray of float64
        Where to start.
    penalty : ndarray of float64
        The L1 penalty of each coefficient, 0 or more.
    tol : float
        It stops where no entry of the subgradient of least norm is larger, or a step promises no more
        than roundings.
    max_iter : int
        Iterations at most.
    scale : ndarray of float64
        What `owlqn` is given.
    precision : float
        The relative rounding of the function's values: 2**-52, or that of float32.
    report : callable
        Called after each iteration with its number, value, norm of the subgradient and vector.

    Returns
    -------
    Solution
        The last vector, which is the lowest.

    References
    ----------
    Lee, Sun, Saunders, Proximal Newton-Type Methods for Minimizing Composite Functions, 2014.
    Friedman, Hastie, Tibshirani, Regularization Paths for Generalized Linear Models via Coordinate
    Descent, 2010.
    """
    watched = Watched(function.loss_gradient)
    value, gradient = evaluate_start(watched, start)
    state = (start.copy(), value + float(penalty @ np.abs(start)), gradient)
    descent = Descent(watched, "subgradient", tol, max_iter)
    converged, reason = False, ""

    def continued(done: int, objective: float, norm: float, coef: Vector) -> None:
        if done:  # its start is known
            report(descent.n_iter + done, objective, norm, coef)

    try:
        report(0, state[1], max_norm(subgradient(state[0], gradient, penalty)), start)
        while True:
            coef, value, gradient = state
            end = descent.end(max_norm(subgradient(coef, gradient, penalty)))
            if end is not None:
                converged, reason = end
                break
            target = _minimise_quadratic(function.hessian(coef), gradient, coef, penalty)
            if target is None:
                rest = owlqn(
                    function.loss_gradient,
                    coef,
                    penalty,
                    tol=tol,
                    max_iter=max_iter - descent.n_iter,
                    scale=scale,
                    precision=precision,
                    report=continued,
                )
                return replace(rest, n_iter=descent.n_iter + rest.n_iter)
            promised = float(gradient @ (target - coef)) + float(
                penalty @ (np.abs(target) - np.abs(coef))
            )
            moved = _search(watched, state, target - coef, promised, penalty, precision)
            if moved is None and watched.beyond:
                reason = EDGE
                break
            if moved is None:
                converged = -promised <= 64 * precision * abs(value)
                reason = (
                    "the objective falls no further"
                    if converged
                    else "the line search found no lower objective"
                )
                break
            descent.moved(value, moved[1])
            state = moved
            norm = max_norm(subgradient(state[0], state[2], penalty))
            report(descent.n_iter, state[1], norm, state[0])
    except KeyboardInterrupt:
        reason = INTERRUPTED
    except StopFit:
        reason = STOPPED
    coef, value, gradient = state
    norm = max_norm(subgradient(coef, gradient, penalty))
    return Solution(coef, value, norm, descent.n_iter, converged, reason)


def _minimise_quadratic(
    hessian: Vector, gradient: Vector, coef: Vector, penalty: Vector
) -> Vector | None:
    """Return the minimiser of the quadratic at coef plus the penalty; None if it is not convex."""
    diagonal = np.diagonal(hessian)
    raised = 8 * EPS * len(hessian) * float(diagonal.max(initial=0.0))
    hessian = hessian + raised * np.eye(len(hessian))
    try:
        cho_factor(hessian, lower=True)
    except (LinAlgError, ValueError):
        return None
    curvature = np.diagonal(hessian).tolist()
    bounds = penalty.tolist()
    point, slopes = coef.copy(), gradient.copy()  # slopes are those of the quadratic at point
    exact_after = 2
    for sweep in range(_SWEEPS):
        largest = 0.0
        for j, (h, bound) in enumerate(zip(curvature, bounds, strict=True)):
            old = float(point[j])
            free = old - float(slopes[j]) / h
            new = max(abs(free) - bound / h, 0.0) * (1.0 if free > 0 else -1.0)
            if new != old:
                point[j] = new
                slopes += (new - old) * hessian[j]
                largest = max(largest, abs(new - old) * h)
        if largest <= EPS * max_norm(gradient):
            break
        if sweep == exact_after:
            exact_after *= 2
            exact = _exact(hessian, gradient, coef, penalty, point)
            if exact is not None:
                return exact
    return point


def _exact(
    hessian: Vector, gradient: Vector, coef: Vector, penalty: Vector, point: Vector
) -> Vector | None:
    """Return the minimiser if its zeros and signs are those of a point, else None."""
    free = (point != 0) | (penalty == 0)
    sign = np.sign(point)
    # of the quadratic: gradient + hessian @ (exact - coef) + penalty * sign = 0 where free
    side = hessian @ coef - gradient - penalty * sign
    exact = np.zeros_like(point)
    try:
        factor = cho_factor(hessian[np.ix_(free, free)], lower=True)
        exact[free] = cho_solve(factor, side[free])
    except (LinAlgError, ValueError):
        return None
    if np.any((exact * sign < 0) & (penalty > 0)):
        return None
    slopes = gradient + hessian @ (exact - coef)
    inside = np.abs(slopes) <= penalty * (1 + 1e-12)
    return exact if bool(np.all(inside | free)) else None


def _search(
    function: Function,
    state: State,
    step: Vector,
    promised: float,
    penalty: Vector,
    precision: float,
) -> State | None:
    """Return the first point of halved steps that is low enough, or None."""
    coef = state[0]

    def points() -> Iterator[tuple[Vector, float]]:
        for halvings in range(_HALVINGS):
            length = 0.5**halvings
            point = coef + length * step
            if halvings == 0:
                point[step == -coef] = 0.0
            yield point, length * promised

    return first_lower(function, state, points(), penalty, precision)
