"""Proximal Newton: a smooth objective with a Hessian plus an L1 penalty, for few coefficients."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from fastloss.linear_model._solvers.newton import Curved
from fastloss.linear_model._solvers.owlqn import owlqn, subgradient
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

_EPS = float(np.finfo(np.float64).eps)
_ARMIJO = 1e-4
_HALVINGS = 40
_SWEEPS = 200
_STILL = 3  # iterations without a fall


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
    n_iter, still, converged, reason = 0, 0, False, ""

    def continued(done: int, objective: float, norm: float, coef: Vector) -> None:
        if done:  # its start is known
            report(n_iter + done, objective, norm, coef)

    try:
        report(0, state[1], max_norm(subgradient(state[0], gradient, penalty)), start)
        while True:
            coef, value, gradient = state
            if max_norm(subgradient(coef, gradient, penalty)) <= tol:
                converged, reason = True, f"no entry of the subgradient exceeds tol = {tol:g}"
                break
            if still >= _STILL:
                converged = not watched.beyond
                reason = "the objective falls no further" if converged else EDGE
                break
            if n_iter >= max_iter:
                reason = f"max_iter = {max_iter} iterations were not enough"
                break
            target = _minimise_quadratic(function.hessian(coef), gradient, coef, penalty)
            if target is None:
                rest = owlqn(
                    function.loss_gradient,
                    coef,
                    penalty,
                    tol=tol,
                    max_iter=max_iter - n_iter,
                    scale=scale,
                    precision=precision,
                    report=continued,
                )
                return Solution(
                    rest.coef,
                    rest.objective,
                    rest.gradient_norm,
                    n_iter + rest.n_iter,
                    rest.converged,
                    rest.reason,
                )
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
            still = 0 if value - moved[1] > _EPS * abs(value) else still + 1
            watched.beyond = watched.beyond and still > 0
            state = moved
            n_iter += 1
            norm = max_norm(subgradient(state[0], state[2], penalty))
            report(n_iter, state[1], norm, state[0])
    except KeyboardInterrupt:
        reason = INTERRUPTED
    except StopFit:
        reason = STOPPED
    coef, value, gradient = state
    norm = max_norm(subgradient(coef, gradient, penalty))
    return Solution(coef, value, norm, n_iter, converged, reason)


def _minimise_quadratic(
    hessian: Vector, gradient: Vector, coef: Vector, penalty: Vector
) -> Vector | None:
    """Return the minimiser of the quadratic at coef plus the penalty; None if it is not convex."""
    diagonal = np.diagonal(hessian)
    raised = 8 * _EPS * len(hessian) * float(diagonal.max(initial=0.0))
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
        if largest <= _EPS * max_norm(gradient):
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
    state: tuple[Vector, float, Vector],
    step: Vector,
    promised: float,
    penalty: Vector,
    precision: float,
) -> tuple[Vector, float, Vector] | None:
    """Return the first point of halved steps that is low enough, or None."""
    coef, value, gradient = state
    norm = max_norm(subgradient(coef, gradient, penalty))
    length = 1.0
    for _ in range(_HALVINGS):
        point = coef + length * step
        if length == 1.0:
            point[step == -coef] = 0.0
        smooth, slopes = function(point)
        low = smooth + float(penalty @ np.abs(point))
        if np.isfinite(low) and np.isfinite(slopes).all():
            if low <= value + _ARMIJO * length * promised and promised < 0:
                return point, low, slopes
            # at the last digits the value is noise: then the subgradient has to fall
            if low <= value + 4 * precision * abs(value) and (
                max_norm(subgradient(point, slopes, penalty)) < 0.9 * norm
            ):
                return point, low, slopes
        length /= 2
    return None
