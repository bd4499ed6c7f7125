"""Primal-dual interior point for losses made of two straight lines, to the exact optimum."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from fastloss.linear_model._solvers.rows import Rows
from fastloss.linear_model._solvers.solution import (
    INTERRUPTED,
    STOPPED,
    NotFiniteError,
    Report,
    Solution,
    StopFit,
    Vector,
)
from fastloss.linear_model._solvers.vertex import nearest_vertex

_Matrix: TypeAlias = Any  # dense, or of scipy.sparse
_EPS = float(np.finfo(np.float64).eps)
_SHORTER = 0.9995  # steps end before the boundary
_LONG_ENOUGH = 0.5  # a step that is not corrected further
_CORRECTIONS = 3  # of a step, at most: each solves the equations once more
_LONGER = 0.3  # that a corrected step shall be
_APART = 10.0  # how many times another a product may be
_NEAR = 1e-3  # a relative gap
_LEAST = 1e-6
_PATIENCE = 15  # iterations without a smaller gap, nor a dual that is better balanced


class _Problem:
    """
    min over coef of sum(max(low * r, high * r)) + l2 * coef**2 / 2, with r = target - rows @ coef.

    An L1 penalty is a row of its own, of the unit matrix, with target 0.
    """

    def __init__(
        self,
        X: _Matrix,
        target: Vector,
        low: Vector,
        high: Vector,
        l1: Vector,
        l2: Vector,
        fit_intercept: bool,
    ) -> None:
        self.penalised = np.flatnonzero(l1)
        self.rows = Rows(X, fit_intercept, self.penalised, len(target) // X.shape[0])
        self.l2 = l2
        self.target = np.concatenate([target, np.zeros(len(self.penalised))])
        self.low = np.concatenate([low, -l1[self.penalised]])
        self.high = np.concatenate([high, l1[self.penalised]])

    def size(self) -> float:
        """Return about the loss without the model, and not 0 where that is."""
        n = self.rows.n
        typical = float(np.abs(self.target[:n]).mean()) or 1.0
        lines = self.objective(np.zeros(self.rows.n_coef), self.target)
        return max(lines, float((self.high[:n] - self.low[:n]).sum()) * typical)

    def objective(self, coef: Vector, residual: Vector) -> float:
        """Return the value at a vector, from its residuals."""
        lines = np.maximum(self.low * residual, self.high * residual)
        return float(lines.sum() + 0.5 * (self.l2 * coef) @ coef)


class _Point:
    """
    The unknowns of the optimality conditions.

    The dual of a residual r lies between low and high; over and under are r's positive and negative
    part, each held off 0.
    """

    __slots__ = ("coef", "dual", "from_low", "over", "to_high", "under")

    def __init__(self, problem: _Problem, coef: Vector) -> None:
        residual = problem.target - problem.rows.times(coef)
        size = (
            max(float(np.abs(residual).mean()), 1e-3 * float(np.abs(problem.target).mean())) or 1.0
        )
        self.coef = coef
        self.over = np.maximum(residual, 0.0) + size
        self.under = np.maximum(-residual, 0.0) + size
        inside = (problem.low < 0) & (problem.high > 0)
        self.dual = np.where(inside, 0.0, 0.5 * (problem.low + problem.high))
        self.update_distances(problem)

    def update_distances(self, problem: _Problem) -> None:
        """Compute the distances of the dual from its bounds again."""
        self.to_high = problem.high - self.dual
        self.from_low = self.dual - problem.low

    def gap(self) -> float:
        """Return the sum of the complementary products, 0 at the optimum."""
        return float(self.over @ self.to_high + self.under @ self.from_low)


def piecewise_linear(
    X: _Matrix,
    target: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    *,
    l1: Vector,
    l2: Vector,
    fit_intercept: bool,
    tol: float,
    max_iter: int,
    report: Report,
) -> Solution:
    """
    Minimise sum(max(low * r, high * r)) + sum(l1 * abs(coef)) + sum(l2 * coef**2) / 2.

    r = target - X @ coef - intercept. Each iteration forms one matrix of the size of the
    coefficients, X.T @ diag @ X; there are about 20 of them, whatever the data. The residuals that
    are 0 at the optimum then give the coefficients by an equation, exact to roundings.

    Parameters
    ----------
    X : array or sparse matrix, shape (n, d)
        Features.
    target, low, high : array-like, shape (n,) or (m * n,)
        The residual's constant, and the slopes below and above 0: low <= 0 <= high, low < high. The
        loss of a sample may be the sum of m of them, the first of all samples first.
    l1, l2 : ndarray, shape (d[+1],)
        Penalties of each coefficient, the intercept last.
    fit_intercept : bool
        Whether there is an intercept.
    tol : float
        It stops when the duality gap is at most tol times the objective.
    max_iter : int
        Iterations at most.
    report : callable
        Called after each iteration with its number, the objective, the relative gap and the vector.

    Returns
    -------
    Solution
        The coefficients, the intercept last.

    References
    ----------
    Portnoy, Koenker, The Gaussian Hare and the Laplacian Tortoise, 1997. Mehrotra, On the
    Implementation of a Primal-Dual Interior Point Method, 1992.
    """
    problem = _Problem(
        X,
        np.asarray(target, np.float64),
        np.asarray(low, np.float64),
        np.asarray(high, np.float64),
        l1,
        l2,
        fit_intercept,
    )
    # where nothing remains of the loss, the gap is compared with a small part of what there was
    full = problem.size()
    least = max(_LEAST * full, np.finfo(np.float64).tiny)
    start = _least_squares(problem)
    if not np.isfinite(start).all():
        raise NotFiniteError("the least-squares solution that the solver starts from is not finite")
    point = _Point(problem, start)
    best = (start, problem.objective(start, problem.target - problem.rows.times(start)), np.inf)
    n_iter, best_iter, converged, reason = 0, 0, False, ""
    room, least_unbalanced = np.inf, np.inf
    try:
        report(0, best[1], best[2], start)
        while n_iter < max_iter:
            try:
                with np.errstate(all="ignore"):  # a step that is not finite is not taken
                    moved = _iterate(problem, point, best[2] < _NEAR)
            except NotFiniteError:  # weights that overflow, of residuals that are all but 0
                moved = False
            n_iter += 1
            residual = problem.target - problem.rows.times(point.coef)
            value = problem.objective(point.coef, residual)
            unbalanced = _unbalanced(problem, point)
            gap = point.gap() + float(unbalanced @ np.abs(point.coef))
            if gap < room:
                room, best_iter = gap, n_iter
            # each step of length s leaves 1 - s of it: where steps are short the gap may grow meanwhile
            if unbalanced.sum() < 0.99 * least_unbalanced:
                least_unbalanced, best_iter = float(unbalanced.sum()), n_iter
            # what an iterate may lie above the optimum, a better one may at most
            coef, low = (point.coef.copy(), value) if value <= best[1] else best[:2]
            best = coef, low, room / max(low, least)
            report(n_iter, value, gap / max(value, least), point.coef)
            if best[2] <= tol:
                converged = True
                reason = f"the duality gap is at most tol = {tol:g} of the objective"
                break
            if not moved or n_iter >= best_iter + _PATIENCE:
                reason = "rounding allows no further step"
                break
        else:
            reason = f"max_iter = {max_iter} iterations were not enough"
        if not problem.l2.any():
            best = _finish(problem, point, best, least)
        if not converged and best[2] <= tol:
            converged = True
            reason = f"the duality gap is at most tol = {tol:g} of the objective"
        # the last digits of a loss that vanishes are roundings: there is no gap relative to it
        if not converged and best[1] <= least and best[2] * max(best[1], least) <= tol * full:
            converged = True
            reason = f"the objective is 0 to within tol = {tol:g} of what it is without the model"
    except KeyboardInterrupt:
        reason = INTERRUPTED
    except StopFit:
        reason = STOPPED
    return Solution(best[0], best[1], best[2], n_iter, converged, reason)


def _unbalanced(problem: _Problem, point: _Point) -> Vector:
    """Return by how much the dual is not balanced yet: times coefficients, what its bound lacks."""
    return np.abs(problem.rows.transposed_times(point.dual) - problem.l2 * point.coef)


def _least_squares(problem: _Problem) -> Vector:
    weights = problem.high - problem.low
    rows = problem.rows
    with np.errstate(over="ignore", invalid="ignore"):  # that is looked at next
        products = rows.gram(weights) + np.diag(problem.l2)
    factor = _factor(products)
    return np.asarray(cho_solve(factor, rows.transposed_times(weights * problem.target)))


def _factor(matrix: Vector) -> Any:
    """Return the Cholesky factor of a positive semidefinite matrix, raised where it is singular."""
    if not np.isfinite(matrix).all():
        raise NotFiniteError("the products of the features are not finite")
    diagonal = np.diagonal(matrix).copy()
    diagonal[~(diagonal > 0)] = 1.0
    raised = 0.0
    while True:
        try:
            return cho_factor(matrix + np.diag(raised * diagonal), lower=True)
        except LinAlgError:  # not any more when the diagonal is as large as the rest
            raised = max(100 * raised, _EPS)


class _Newton:
    """
    The linear equations of one iteration, factored once for all of its directions.

    Near the optimum their weights differ by many powers of ten: solutions are then refined once.
    """

    def __init__(self, problem: _Problem, point: _Point, refined: bool) -> None:
        self.problem, self.point, self.refined = problem, point, refined
        self.inverse = 1.0 / (point.over / point.to_high + point.under / point.from_low)
        matrix = problem.rows.gram(self.inverse) + np.diag(problem.l2)
        self.factor = _factor(matrix)
        self.dual_residual = problem.l2 * point.coef - problem.rows.transposed_times(point.dual)
        self.primal_residual = (
            problem.target - problem.rows.times(point.coef) - point.over + point.under
        )

    def direction(self, over: Vector, under: Vector) -> tuple[Vector, Vector, Vector, Vector]:
        """Return the changes of coef, dual, over and under for given complementary residuals."""
        point, rows = self.point, self.problem.rows
        weighted = self.inverse * (
            self.primal_residual - over / point.to_high + under / point.from_low
        )
        coef = cho_solve(
            self.factor, rows.transposed_times(weighted) - self.dual_residual, check_finite=False
        )
        dual = weighted - self.inverse * rows.times(coef)
        if self.refined:
            lacking = rows.transposed_times(dual) - self.dual_residual - self.problem.l2 * coef
            rest = cho_solve(self.factor, lacking, check_finite=False)
            coef = coef + rest
            dual = dual - self.inverse * rows.times(rest)
        return (
            coef,
            dual,
            (over + point.over * dual) / point.to_high,
            (under - point.under * dual) / point.from_low,
        )


def _iterate(problem: _Problem, point: _Point, refined: bool) -> bool:
    """Take one predictor-corrector step; return whether anything moved."""
    equations = _Newton(problem, point, refined)
    over, under = -point.over * point.to_high, -point.under * point.from_low
    d_coef, d_dual, d_over, d_under = equations.direction(over, under)
    primal, dual = _lengths(problem, point, d_dual, d_over, d_under, 1.0)
    after = float(
        (point.over + primal * d_over) @ (point.to_high - dual * d_dual)
        + (point.under + primal * d_under) @ (point.from_low + dual * d_dual)
    )
    gap = point.gap()
    centre = (after / gap) ** 3 * gap / (2 * len(point.dual))
    over += centre + d_over * d_dual
    under += centre - d_under * d_dual
    directed = equations.direction(over, under)
    lengths = _lengths(problem, point, *directed[1:], _SHORTER)
    for _ in range(_CORRECTIONS):
        if min(lengths) > _LONG_ENOUGH:
            break
        _correct(point, directed, lengths, centre, over, under)
        other = equations.direction(over, under)
        longer = _lengths(problem, point, *other[1:], _SHORTER)
        if not min(longer) > 1.01 * min(lengths):
            break
        directed, lengths = other, longer
    d_coef, d_dual, d_over, d_under = directed
    primal, dual = lengths
    if not all(np.isfinite(change).all() for change in directed):
        return False
    point.coef = point.coef + primal * d_coef
    point.over += primal * d_over
    point.under += primal * d_under
    point.dual += dual * d_dual
    point.to_high -= dual * d_dual
    point.from_low += dual * d_dual
    return max(primal, dual) > 1e-10


def _correct(
    point: _Point,
    directed: tuple[Vector, Vector, Vector, Vector],
    lengths: tuple[float, float],
    centre: float,
    over: Vector,
    under: Vector,
) -> None:
    """
    Change complementary residuals so that products far from the centre come nearer.

    Gondzio, Multiple Centrality Corrections in a Primal-Dual Method for Linear Programming, 1996.
    """
    _, d_dual, d_over, d_under = directed
    primal, dual = (min(1.0, length + _LONGER) for length in lengths)
    for residual, after in (
        (over, (point.over + primal * d_over) * (point.to_high - dual * d_dual)),
        (under, (point.under + primal * d_under) * (point.from_low + dual * d_dual)),
    ):
        change = np.clip(after, centre / _APART, centre * _APART) - after
        residual += np.maximum(change, -centre * _APART)


def _lengths(
    problem: _Problem,
    point: _Point,
    d_dual: Vector,
    d_over: Vector,
    d_under: Vector,
    shorter: float,
) -> tuple[float, float]:
    """Return how far the primal and the dual can go; as far as each other if there is an L2 penalty."""
    primal = min(_to_zero(point.over, d_over), _to_zero(point.under, d_under))
    dual = min(_to_zero(point.to_high, -d_dual), _to_zero(point.from_low, d_dual))
    if problem.l2.any():
        primal = dual = min(primal, dual)
    return min(1.0, shorter * primal), min(1.0, shorter * dual)


def _to_zero(values: Vector, changes: Vector) -> float:
    steepest = float(np.max(-changes / values, initial=0.0))
    return 1.0 / steepest if steepest > 0 else np.inf


def _finish(
    problem: _Problem, point: _Point, best: tuple[Vector, float, float], least: float
) -> tuple[Vector, float, float]:
    """Return the vertex of the optimum, with its gap, if it is not worse, else what there was."""
    inner = np.minimum(point.to_high, point.from_low) / (problem.high - problem.low)
    vertex = nearest_vertex(problem.rows, problem.target, inner)
    if vertex is None:
        return best
    residual = problem.target - problem.rows.times(vertex)
    value = problem.objective(vertex, residual)
    if not value <= best[1] * (1 + 8 * _EPS):
        return best
    # each line lies above the product with its dual: no digits are lost
    above = np.maximum(residual, 0) @ point.to_high - np.minimum(residual, 0) @ point.from_low
    gap = float(above) + float(_unbalanced(problem, point) @ np.abs(vertex))
    gap = min(gap, best[2] * max(best[1], least))
    return vertex, value, gap / max(value, least)
