"""Derivatives by differences, with an estimate of their own error: Ridders' method, vectorised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

# Each step is half the one before: 0.1 down to 3e-6 of the scale of x.
_STEPS = 16
_FIRST_STEP = 0.1


@dataclass(frozen=True)
class Slopes:
    """Numerical derivatives at some points.

    Parameters
    ----------
    value : ndarray
        The derivative.
    error : ndarray
        An estimate of its error: of extrapolation and of rounding in the function. Infinite where the
        function was not finite around the point.
    left, right : ndarray
        One-sided derivatives: apart at a kink, both equal to `value` elsewhere.
    limit : ndarray
        Infinity of either sign where differences grow faster and faster, as those of a slope that is
        infinite at the point; NaN elsewhere.
    unresolved : ndarray of bool
        Where differences do not settle: beside a kink that is nearer than the last steps.
    change : ndarray
        About how much the derivative changes over the scale of the point.
    """

    value: Vector
    error: Vector
    left: Vector
    right: Vector
    limit: Vector
    unresolved: NDArray[np.bool_]
    change: Vector


def slopes(function: Callable[[Vector], Any], x: Vector) -> Slopes:
    """
    Return the derivative of an elementwise function.

    Parameters
    ----------
    function : callable
        Maps an array of x's shape to one of the same shape, element by element.
    x : ndarray of float64
        The points.

    Returns
    -------
    Slopes
        Arrays of x's shape.

    References
    ----------
    Ridders, Accurate computation of F'(x) and F'(x)F''(x), 1982.
    """
    with np.errstate(all="ignore"):
        here = np.asarray(function(x.copy()), dtype=np.float64)
        scale = np.maximum(np.abs(x), 1.0)
        best, best_error = np.full(x.shape, np.nan), np.full(x.shape, np.inf)
        gaps: list[Vector] = []
        before: list[Vector] = []
        quotients: list[Vector] = []
        for k in range(_STEPS):
            up, down = x + scale * _FIRST_STEP / 2**k, x - scale * _FIRST_STEP / 2**k
            above, below = (
                np.asarray(function(at), dtype=np.float64) for at in (up.copy(), down.copy())
            )
            left, right = (here - below) / (x - down), (above - here) / (up - x)
            gaps.append(np.abs(right - left))
            largest = np.maximum(np.abs(above), np.abs(below))
            rounding = 4 * np.finfo(np.float64).eps * largest / (up - down)
            row = [(above - below) / (up - down)]
            quotients.append(row[0])
            for j, coarser in enumerate(before):
                factor = 4.0 ** (j + 1)
                row.append((factor * row[j] - coarser) / (factor - 1.0))
                error = np.maximum(np.abs(row[-1] - row[j]), np.abs(row[-1] - coarser)) + rounding
                better = error < best_error
                best = np.where(better, row[-1], best)
                best_error = np.where(better, error, best_error)
            before = row
        # Of a smooth function the gap between the two sides halves with the step, of noise it doubles.
        middle = gaps[_STEPS // 2]
        kink = (gaps[-1] > 0.5 * middle) & (gaps[-1] < 2 * middle)
        kink &= gaps[-1] > 8 * rounding
        # Of a finite slope the quotients change by less and less.
        late = np.diff(quotients[_STEPS // 2 :], axis=0)
        unbounded = (np.diff(np.abs(late), axis=0) >= 0).all(axis=0)
        unbounded &= (np.sign(late) == np.sign(late[-1])).all(axis=0)
        unbounded &= np.abs(late[-1]) > 8 * rounding
        limit = np.where(unbounded, np.copysign(np.inf, late[-1]), np.nan)
        # Two steps on either side of a kink differ by more than the two before, unless it is far below
        # both: then the two sides do.
        last = np.maximum(np.abs(late[-1]), np.abs(late[-2]))
        change = gaps[_STEPS // 2] * 2.0 ** (_STEPS // 2) / _FIRST_STEP
        unresolved = (last > np.abs(late[-3])) & (last > 8 * rounding + 1e-10 * change) & ~kink
        # Nor does extrapolation help where second differences say that the slope has a kink near by.
        steps = _FIRST_STEP / 2.0 ** np.arange(_STEPS // 2, _STEPS).reshape(-1, *[1] * x.ndim)
        bends = np.array(gaps[_STEPS // 2 :]) / steps
        noise = 8 * rounding * 2.0 ** (1 - _STEPS) * _FIRST_STEP / steps**2
        rough = np.abs(np.diff(bends, axis=0)) > 0.05 * np.abs(bends).max(axis=0) + noise[1:]
        best_error = best_error + np.where(rough.any(axis=0), 4 * steps[-1] * change, 0.0)
    left, right = (np.where(kink, side, best) for side in (left, right))
    return Slopes(best, best_error, left, right, limit, unresolved, change)
