"""The units of a loss: what makes penalty, rate and tolerance independent of the target's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastloss.train.problem import Problem

_ALPHA = 1e-4


@dataclass(frozen=True)
class Units:
    """
    How a loss and its curvature are measured.

    Attributes
    ----------
    curvature : float
        1 for classes. For numbers that of a parabola through the mean loss of the best constant, or
        with a logarithmic link the Hessian there.
    loss : float
        A change of the mean loss that counts: 1 for classes, for numbers about that from the best
        constant to the labels themselves.
    """

    curvature: float
    loss: float


def units(problem: Problem) -> Units:
    """Return the units of a problem."""
    if problem.classes is not None:
        return Units(1.0, 1.0)
    loss, part = problem.loss, problem.training
    y = part.codes
    start = np.full(len(y), loss.initial_prediction(y, part.weights))
    if loss.predict(np.zeros(1))[0] == 1.0:  # exp(0): the link is the logarithm
        curvature = value = float(loss.gradient_hessian(y, start, part.weights)[1].sum())
    else:
        spread = np.average((y - np.average(y, weights=part.weights)) ** 2, weights=part.weights)
        value = float(loss.loss(y, start, part.weights))
        curvature = float(value / spread) if spread > 0 else 1.0
    return Units(*(u if np.isfinite(u) and u > 0 else 1.0 for u in (curvature, value)))


def usual_alpha(problem: Problem) -> float:
    """Return a weak penalty, of the same strength whatever the units of the target are."""
    return _ALPHA * units(problem).curvature
