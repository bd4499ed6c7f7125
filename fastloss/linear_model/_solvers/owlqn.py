"""OWL-QN: L-BFGS for a smooth objective plus an L1 penalty, or plain L-BFGS without one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from fastloss.linear_model._solvers.descent import EPS, Descent, State, first_lower, subgradient
from fastloss.linear_model._solvers.solution import (
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

_HALVINGS = 60
_MEMORY = 20


def owlqn(
    function: Function,
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

    Each step stays in one orthant, in which the penalty is linear: a coefficient that would change
    its sign stops at 0, exactly, and may leave it in the next step.

    Parameters
    ----------
    function : callable
        Value and gradient of the smooth part at a vector.
    start : ndarray of float64
        Where to start.
    penalty : ndarray of float64
        The L1 penalty of each coefficient, 0 or more.
    tol : float
        It stops where no entry of the subgradient of least norm is larger, or the value no longer
        falls by more than roundings.
    max_iter : int
        Iterations at most.
    scale : ndarray of float64
        The method works with coefficients divided by it, which should make its curvatures alike; `tol`
        and the reports are about the coefficients themselves.
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
    Andrew, Gao, Scalable Training of L1-Regularized Log-Linear Models, 2007. The curvature is that of
    the coefficients that may move alone, which is what makes the last steps quick.
    """

    def scaled(coef: Vector) -> tuple[float, Vector]:
        value, gradient = function(coef * scale)
        return value, gradient * scale

    penalty = penalty * scale
    kind = "subgradient" if penalty.any() else "gradient"
    coef = start / scale
    watched = Watched(scaled)
    value, gradient = evaluate_start(watched, coef)
    state = (coef, value + float(penalty @ np.abs(coef)), gradient)
    memory: deque[tuple[Vector, Vector]] = deque(maxlen=_MEMORY)
    descent = Descent(watched, kind, tol, max_iter)
    converged, reason = False, ""
    try:
        report(0, state[1], max_norm(subgradient(coef, gradient, penalty) / scale), start)
        while True:
            coef, value, gradient = state
            slopes = subgradient(coef, gradient, penalty)
            end = descent.end(max_norm(slopes / scale))
            if end is not None:
                converged, reason = end
                break
            moved = _search(watched, state, slopes, penalty, memory, precision)
            if moved is None and memory:
                memory.clear()  # once more along the steepest descent
                watched.beyond = False
                moved = _search(watched, state, slopes, penalty, memory, precision)
            if moved is None:
                # nothing lower along the steepest descent: a smooth function is at its minimum
                converged, reason = descent.end_of_fall()
                break
            step, change = moved[0] - coef, moved[2] - gradient
            if step @ change > EPS * (change @ change):
                memory.append((step, change))
            descent.moved(value, moved[1])
            state = moved
            norm = max_norm(subgradient(state[0], state[2], penalty) / scale)
            report(descent.n_iter, state[1], norm, state[0] * scale)
    except KeyboardInterrupt:
        reason = INTERRUPTED
    except StopFit:
        reason = STOPPED
    coef, value, gradient = state
    norm = max_norm(subgradient(coef, gradient, penalty) / scale)
    return Solution(coef * scale, value, norm, descent.n_iter, converged, reason)


def _direction(slopes: Vector, free: Vector | None, memory: deque[tuple[Vector, Vector]]) -> Vector:
    """Return minus the inverse Hessian, as far as earlier steps tell it, times the slopes."""
    direction = -slopes
    used = []
    for step, change in reversed(memory):
        if free is not None:
            step, change = step * free, change * free
        product = float(step @ change)
        if product <= EPS * float(change @ change):
            continue
        factor = float(step @ direction) / product
        direction = direction - factor * change
        used.append((step, change, product, factor))
    if used:
        _, change, product, _ = used[0]
        direction = direction * (product / float(change @ change))
    for step, change, product, factor in reversed(used):
        direction = direction + (factor - float(change @ direction) / product) * step
    return direction


def _search(
    function: Function,
    state: State,
    slopes: Vector,
    penalty: Vector,
    memory: deque[tuple[Vector, Vector]],
    precision: float,
) -> State | None:
    """Return the first point of ever shorter steps that is low enough, or None."""
    coef = state[0]
    bound = penalty > 0
    free = (slopes != 0).astype(np.float64) if bound.any() else None
    direction = _direction(slopes, free, memory)
    direction[bound & (direction * slopes >= 0)] = 0.0
    if not direction @ slopes < 0:
        memory.clear()
        direction = -slopes
    orthant = np.where(coef == 0, -np.sign(slopes), np.sign(coef))
    length = 1.0 if memory else min(1.0, 1.0 / float(np.linalg.norm(slopes)))

    def points() -> Iterator[tuple[Vector, float]]:
        for halvings in range(_HALVINGS):
            point = coef + length / 2**halvings * direction
            point[bound & (point * orthant <= 0)] = 0.0
            yield point, float(slopes @ (point - coef))

    return first_lower(function, state, points(), penalty, precision)
