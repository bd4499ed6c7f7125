"""Margin losses of several classes, on scores."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fastloss.losses._constants import Vector
from fastloss.losses._kernel_values import three_parts
from fastloss.losses._minimise import minimise
from fastloss.losses._newton import newton_minimum
from fastloss.losses._parameters import one_of, parameter, positive
from fastloss.losses._rows import ClassLoss, TargetsLoss, log_frequencies, row_objective

#: whose Hessian, a row and a column each, is looked at; with more the best constants are L-BFGS's
_MOST_BY_NEWTON = 100


class MulticlassHinge(ClassLoss):
    """
    Multiclass hinge loss: the mean or sum over all C classes of max(0, margin - f_y + f_k)**p, k != y.

    f = raw_prediction are scores along the class axis, y the label; torch's ``multi_margin_loss``.
    Link: identity. Labels: classes 0 to C - 1. The gradient of class k is p * s_k**(p - 1) / C with
    s_k = max(0, margin - f_y + f_k), that of the label minus the sum of the others. The Hessian's
    diagonal is 2 / C where s_k > 0 for p = 2, at the label the sum of these; for p = 1, where it is
    0 almost everywhere, 1 / C and their sum are reported. With over_classes="sum" nothing is divided
    by C. Error at most 3.5 ULP.

    Parameters
    ----------
    margin : float
        Greater than 0: by how much the label's score should exceed the others.
    p : {1, 2}
        The power.
    over_classes : {"mean", "sum"}
        "mean" over all C classes, the label's 0 among them, as torch; "sum" as Weston and Watkins.

    References
    ----------
    Weston, Watkins, Support Vector Machines for Multi-Class Pattern Recognition, 1999.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.MulticlassHinge()([0, 1], [[2.0, 0.5], [0.5, 0.0]], reduction="none")
    array([0.  , 0.75])
    >>> fl.MulticlassHinge(over_classes="sum")([0, 1], [[2.0, 0.5], [0.5, 0.0]], reduction="none")
    array([0. , 1.5])
    """

    __slots__ = ()
    name = "multiclass_hinge"
    margin = parameter("margin")
    p = parameter("p")
    over_classes = parameter("over_classes")

    def __init__(self, margin: float = 1.0, p: int = 1, over_classes: str = "mean") -> None:
        margin = positive("margin", margin)
        if isinstance(p, bool) or p not in (1, 2):
            raise ValueError(f"p = {p!r}: expected 1 or 2")
        of_sum = one_of("over_classes", over_classes, ("mean", "sum")) == "sum"
        high, *rest = three_parts(margin)
        params = {"margin": margin, "p": int(p), "over_classes": over_classes}
        super().__init__(params, (high, float(p), *rest, float(of_sum)))

    @property
    def _hessian_by_convention(self) -> bool:
        return bool(self.p == 1)

    def _best_constants(self, frequencies: Vector) -> Vector:
        if self.p == 2 and len(frequencies) > _MOST_BY_NEWTON:
            some = np.flatnonzero(frequencies)
            objective = row_objective(self, some, frequencies[some])
            return minimise(objective, log_frequencies(frequencies))
        if self.p == 2:
            return np.asarray(self.margin * _squared_hinge_scores(frequencies))
        # An optimum has the classes in the order of their frequencies, at levels whose distances are
        # 0 or one margin: of two tied classes a and b, a the more frequent, either score costs one
        # margin; d margins apart only b's samples pay, 1 + d of them. So the total is, but for
        # a constant, the frequencies w_a of all tied pairs, and for each step below i classes i times
        # the frequency of all that is under it: a shortest path over the places of the steps.
        order = np.argsort(-frequencies, kind="stable")
        sorted_ = frequencies[order]
        n = len(order)
        before = np.concatenate([[0.0], np.cumsum(sorted_)])
        best, previous = np.full(n + 1, np.inf), np.zeros(n + 1, dtype=int)
        best[0] = 0.0
        for end in range(1, n + 1):
            for start in range(end):
                group = sorted_[start:end]
                tied = float(group @ np.arange(end - start - 1, -1, -1))
                step = start * (before[n] - before[start])
                cost = best[start] + tied + step
                if cost < best[end]:
                    best[end], previous[end] = cost, start
        levels = np.zeros(n)
        end = n
        while end:
            start = int(previous[end])
            levels[:start] += 1.0
            end = start
        constants = np.empty(n)
        constants[order] = self.margin * levels
        return np.asarray(constants - constants.mean(), dtype=np.float64)


class CrammerSinger(ClassLoss):
    """
    Crammer and Singer's hinge loss: max(0, margin - f_y + the largest f_k, k != y).

    f = raw_prediction are scores along the class axis, y the label. Link: identity. Labels: classes
    0 to C - 1. Where the loss is positive the gradient is 1 at the (first) best other class and -1
    at the label; the Hessian's diagonal, 0 almost everywhere, is reported as 1 at both. Error at
    most 1 ULP.

    Parameters
    ----------
    margin : float
        Greater than 0: by how much the label's score should exceed the best other one.

    References
    ----------
    Crammer, Singer, On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines,
    2001.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.CrammerSinger()([0], [[1.0, 0.5, 0.75]])
    0.75
    """

    __slots__ = ()
    name = "crammer_singer"
    _hessian_by_convention = True
    margin = parameter("margin")

    def __init__(self, margin: float = 1.0) -> None:
        margin = positive("margin", margin)
        super().__init__({"margin": margin}, three_parts(margin))

    def _best_constants(self, frequencies: Vector) -> Vector:
        # with one class g above all others: w (margin - g) + (1 - w) (margin + g) for g <= margin
        constants = np.zeros_like(frequencies)
        top = int(np.argmax(frequencies))
        if frequencies[top] > 0.5:
            constants[top] = self.margin
        return np.asarray(constants - constants.mean(), dtype=np.float64)


class MultilabelMargin(TargetsLoss):
    """
    Multilabel margin loss: the sum over j in a set and k outside it of max(0, 1 - f_j + f_k), over C.

    f = raw_prediction are scores along the class axis; torch's ``multilabel_margin_loss``. Link:
    identity. Labels: rows of classes 0 to C - 1, each once, ended by the first -1 (what follows is not
    looked at): a class that is named twice is an error, where torch counts it twice. Rows of a 0 or 1
    for each class are no sets: take np.flatnonzero(row), padded by -1. The gradient of k is the number
    of its positive terms over C, that of j minus that; the Hessian's diagonal, 0 almost everywhere, is
    reported as the gradient's absolute value. Error at most 3 ULP.

    References
    ----------
    Schapire, Singer, BoosTexter, 2000; Elisseeff, Weston, A Kernel Method for Multi-Labelled
    Classification, 2001.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.MultilabelMargin()([[2, 0, -1, 1]], [[0.5, 0.25, 0.75, 1.0]])
    1.0
    """

    __slots__ = ()
    name = "multilabel_margin"
    _hessian_by_convention = True

    def __init__(self) -> None:
        super().__init__()

    def _best_constants(self, labels: npt.NDArray[np.generic], weights: Vector) -> Vector:
        # an optimum has integral differences: the sum is a linear program in them whose matrix is
        # totally unimodular
        objective = row_objective(self, labels, weights)
        return _integral_descent(objective, minimise(objective, np.zeros(labels.shape[1])))


def _squared_hinge_scores(frequencies: Vector) -> Vector:
    """Return the minimiser for a margin of 1: of a convex function that is quadratic in pieces."""
    n_classes = len(frequencies)
    first = int(np.argmax(frequencies))
    free = np.arange(n_classes) != first  # only differences count: the first class stays at 0
    labels = np.flatnonzero(frequencies)
    weights = frequencies[labels, np.newaxis]
    own = np.arange(n_classes) == labels[:, np.newaxis]

    def objective(scores: Vector) -> tuple[float, Vector, Vector]:
        all_ = np.zeros(n_classes)
        all_[free] = scores
        excess = np.where(own, 0.0, np.maximum(1.0 - all_[labels, np.newaxis] + all_, 0.0))
        value = float(np.sum(weights * excess**2))
        slope = 2.0 * np.sum(weights * excess, axis=0)
        slope[labels] -= 2.0 * np.sum(weights * excess, axis=1)
        active = 2.0 * weights * (excess > 0)
        hessian = np.diag(active.sum(axis=0))
        hessian[labels, labels] += active.sum(axis=1)
        hessian[labels] -= active
        hessian[:, labels] -= active.T
        return value, slope[free], hessian[np.ix_(free, free)]

    best = np.zeros(n_classes)
    if n_classes > 1:
        scores = newton_minimum(objective, np.zeros(n_classes - 1))
        # a kink of a heavy class may hold Newton's step, though not that of one class by itself
        for _ in range(2 * n_classes):
            value, slope, hessian = objective(scores)
            curvatures = np.diagonal(hessian)
            moves = np.diag(-slope / np.where(curvatures > 0, curvatures, np.inf))
            trials = [scores + move for move in moves]
            values = [objective(trial)[0] for trial in trials]
            if not min(values) < value * (1.0 - 2.0**-40):
                break
            scores = newton_minimum(objective, trials[int(np.argmin(values))])
        best[free] = scores
    return np.asarray(best - best.mean())


def _integral_descent(objective: Callable[[Vector], tuple[float, Vector]], start: Vector) -> Vector:
    """Return the best whole-number point reached by moving one class, or all above a level, by 1."""
    point = np.round(start - start.min())
    value = objective(point)[0]
    improved = True
    while improved:
        improved = False
        moves = [np.eye(len(point))[k] for k in range(len(point))]
        moves += [(point >= level).astype(np.float64) for level in np.unique(point)]
        for move in moves:
            for sign in (1.0, -1.0):
                trial = point + sign * move
                trial_value = objective(trial)[0]
                if trial_value < value:
                    point, value, improved = trial, trial_value, True
    return np.asarray(point - point.mean(), dtype=np.float64)
