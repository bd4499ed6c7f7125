"""From an interior point to the vertex beside it."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, qr, solve_triangular

from fastloss.linear_model._solvers.rows import Rows
from fastloss.linear_model._solvers.solution import Vector

_CANDIDATES = 2  # rows looked at, for each coefficient
_MOST = 2000  # coefficients: the cost grows with their third power
_RANK = 1e-10


def nearest_vertex(rows: Rows, target: Vector, inner: Vector) -> Vector | None:
    """
    Return the coefficients for which the rows furthest inside their bounds have no residual.

    Parameters
    ----------
    rows : Rows
        The matrix.
    target : ndarray
        What rows times coefficients should be.
    inner : ndarray
        How far the dual of each row is from its bounds: rows with no residual lie inside.

    Returns
    -------
    ndarray or None
        The coefficients, or None where the rows do not determine them.
    """
    d, n = rows.n_coef, len(target)
    if d > _MOST or n < d:
        return None
    count = min(n, _CANDIDATES * d + 8)
    chosen = np.argpartition(-inner, count - 1)[:count]
    matrix = rows.take(chosen)
    # weighted, so that the rows furthest inside are the first to be taken
    scale = np.linalg.norm(matrix, axis=1)
    weights = inner[chosen] / np.where(scale > 0, scale, np.inf)
    _, triangle, order = qr((matrix * weights[:, None]).T, mode="economic", pivoting=True)
    diagonal = np.abs(np.diagonal(triangle))
    if not diagonal[-1] > _RANK * diagonal[0]:
        return None
    basis = order[:d]
    try:
        q, r = qr(matrix[basis], mode="economic")
        coef = solve_triangular(r, q.T @ target[chosen][basis])
    except LinAlgError:
        return None
    units = chosen[basis][chosen[basis] >= rows.n] - rows.n
    coef[rows.penalised[units]] = 0.0  # exactly, what the equations say to roundings
    return coef if np.isfinite(coef).all() else None
