"""Ordered classes by one score and thresholds: the proportional-odds model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._bases.class_sums import class_sums
from fastloss._bases.pointwise import PointwiseLoss
from fastloss._core.arrays import array_of, checked_place, share_memory
from fastloss._core.weights import checked_weights
from fastloss.losses._composite import as_float_array
from fastloss.losses._constants import LARGEST_LOGIT, Vector, bisected_root
from fastloss.losses._kernel_values import interval_terms
from fastloss.losses._parameters import number_sequence, parameter
from fastloss.losses.logistic import LogLoss

_Array = npt.NDArray[Any]
_Tables = tuple[npt.NDArray[np.float64], npt.NDArray[np.float32] | None]

# where the columns of src/losses/cumulative_logit.h begin, and how long they are at least
_HEAD = _LEAST_COLUMN = 16
# Samples at a time, whose probabilities are made.
_BLOCK = 1 << 14
# Its predictions are the distribution function of the noise.
_LOGISTIC = LogLoss()


class CumulativeLogit(PointwiseLoss):
    """
    Ordinal logistic loss: -log P(y), P(y <= k) = expit(thresholds_k - raw_prediction).

    The proportional-odds model, in nats: one score a sample, and class k is where the score plus
    logistic noise falls between thresholds k - 1 and k. Link: cumulative logit. Labels: classes 0
    to C - 1, of raw_prediction's shape, one more than thresholds. With a and b for the lower and
    the upper threshold minus the score the gradient is expit(-b) - expit(a), the Hessian expit(a) *
    expit(-a) + expit(b) * expit(-b); `threshold_gradient` gives that of the thresholds. Nothing
    cancels, however far the score or near the thresholds. Error at most 3 ULP; of the gradient in ULP
    of its larger term. `predict` gives the probabilities of the classes, on a new last axis, within
    6 ULP.

    Parameters
    ----------
    thresholds : sequence of float
        Ascending, one less than classes.

    References
    ----------
    McCullagh, Regression Models for Ordinal Data, 1980.

    Examples
    --------
    >>> import fastloss as fl
    >>> loss = fl.CumulativeLogit((-1.0, 1.0))
    >>> round(loss([0, 1, 2], [-2.0, 0.0, 2.0]), 4)
    0.4662
    """

    __slots__ = ()
    name = "cumulative_logit"
    thresholds = parameter("thresholds")

    def __init__(
        self, thresholds: Sequence[float] | npt.NDArray[np.floating[Any]] = (-1.0, 1.0)
    ) -> None:
        numbers = number_sequence("thresholds", thresholds, -np.inf, np.inf)
        for k in range(1, len(numbers)):
            if not numbers[k - 1] < numbers[k]:
                raise ValueError(
                    f"thresholds[{k}] = {numbers[k]}: expected more than thresholds[{k - 1}] = "
                    f"{numbers[k - 1]}"
                )
        super().__init__(
            {"thresholds": numbers}, n_classes=len(numbers) + 1, tables=_tables(numbers)
        )

    def _why_not_float32(self) -> str:
        narrow = _narrowed(self.thresholds)
        k = next(k for k in range(1, len(narrow)) if not narrow[k - 1] < narrow[k])
        return (
            f"thresholds[{k}] = {self.thresholds[k]} equals thresholds[{k - 1}] = "
            f"{self.thresholds[k - 1]} in float32: expected raw_prediction in float64"
        )

    def threshold_gradient(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str = "mean",
        n_threads: int | None = None,
    ) -> Vector:
        """
        Return the gradient of the reduced loss with respect to the thresholds.

        Parameters
        ----------
        y_true, raw_prediction, sample_weight, n_threads
            As `loss`.
        reduction : {"mean", "sum"}
            Of the loss whose derivative it is.

        Returns
        -------
        ndarray of shape (C - 1,)
            In float64; summed in an order that does not depend on the number of threads.

        Raises
        ------
        ValueError
            As `loss`, and with reduction "none", which has no one derivative.
        """
        if reduction not in ("mean", "sum"):
            raise ValueError(f"reduction = {reduction!r}: expected 'mean' or 'sum'")
        f = as_float_array(raw_prediction)
        if sample_weight is not None and reduction == "mean":
            sample_weight, _, _ = checked_weights(
                array_of(sample_weight, "sample_weight"),
                f.dtype,
                for_mean=True,
                n_threads=n_threads,
            )
        tables = _one_ended_tables(self.thresholds)
        sums = class_sums(self, tables, y_true, f, sample_weight, n_threads)
        below, above, weights = -sums[:, 0], sums[:, 1], sums[:, 2]
        # the derivative of -log(1 - e^(l - u)), which is the same for all samples of a class
        narrow = f.dtype == np.float32
        inner = _inner_slopes(_narrowed(self.thresholds) if narrow else self.thresholds)
        with np.errstate(over="ignore"):
            inner = np.multiply(inner, weights, out=np.zeros_like(inner), where=weights != 0)
        result: Vector = (below + inner)[1:] - (above + inner)[:-1]
        if reduction == "mean":
            total = weights.sum()
            if not total > 0:
                what = "samples whose weights sum to zero" if np.size(y_true) else "an empty array"
                warnings.warn(f"mean of {what} is NaN", RuntimeWarning, stacklevel=2)
                total = np.nan
            result /= total
        return result

    # ------------------------------------------------------------ link and start

    def predict(
        self,
        raw_prediction: npt.ArrayLike,
        *,
        out: _Array | None = None,
        n_threads: int | None = None,
    ) -> _Array:
        """
        Return the probabilities of the classes.

        Parameters
        ----------
        raw_prediction : array-like of float32 or float64
            Scores of any shape.
        out : ndarray, optional
            Where the result goes.
        n_threads : int, optional
            See `loss`.

        Returns
        -------
        ndarray
            Of raw_prediction's shape with a new last axis of C classes.
        """
        f = as_float_array(raw_prediction)
        super().predict(np.empty(0, f.dtype), n_threads=n_threads)  # checks
        shape = (*f.shape, len(self.thresholds) + 1)
        if out is not None:
            like = np.broadcast_to(np.empty((), f.dtype), shape)
            checked_place(out, "out", like, "the probabilities")
        direct = out is not None and out.flags.c_contiguous and not share_memory(out, f)
        result = out if direct and out is not None else np.empty(shape, f.dtype)
        scores, rows = f.reshape(-1), result.reshape(-1, shape[-1])
        numbers = self.thresholds if f.dtype == np.float64 else _narrowed(self.thresholds)
        ends = np.array(numbers).astype(f.dtype)
        # expit(b) - expit(a) without a difference: expit(b) expit(-a) (1 - e^(a - b))
        with np.errstate(over="ignore", invalid="ignore"):
            factors = -np.expm1(-np.diff(np.array(numbers))).astype(f.dtype)
        for start in range(0, f.size, _BLOCK):
            here = slice(start, start + _BLOCK)
            above: _Array | None = None
            for k, end in enumerate(ends):
                under, over = _both_sides(end, scores[here], n_threads)
                if above is None:
                    rows[here, k] = under
                else:
                    np.multiply(above, under, out=under)
                    np.multiply(under, factors[k - 1], out=rows[here, k])
                above = over
            rows[here, -1] = above
        if out is not None and not direct:
            out[...] = result
            return out
        return result

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        sums = np.bincount(labels.astype(np.int64), weights, minlength=len(self.thresholds) + 1)
        classes = np.flatnonzero(sums)
        low, high = self.thresholds[0] - LARGEST_LOGIT, self.thresholds[-1] + LARGEST_LOGIT
        if len(classes) == 1 and classes[0] in (0, len(sums) - 1):
            return float(low if classes[0] == 0 else high)
        totals = sums[classes]

        def slope(score: float) -> float:
            scores = np.full(len(totals), score)
            return float(np.dot(totals, self.gradient(classes, scores, reduction="none")))

        reach = LARGEST_LOGIT
        while slope(low) > 0:
            low, reach = low - reach, 2.0 * reach
        while slope(high) < 0:
            high, reach = high + reach, 2.0 * reach
        return bisected_root(slope, low, high)  # the loss is convex


def _both_sides(end: Any, scores: _Array, n_threads: int | None) -> tuple[_Array, _Array]:
    """
    Return expit(end - scores) and expit(scores - end).

    The exponential of what rounding takes from the difference is put back, to first order.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        x = end - scores
        part = x - end
        lost = x - part
        np.subtract(end, lost, out=lost)
        lost -= np.add(scores, part, out=part)
        over: _Array = _LOGISTIC.predict(np.negative(x, out=part), out=part, n_threads=n_threads)
        under: _Array = _LOGISTIC.predict(x, out=x, n_threads=n_threads)
        lost *= under
        lost *= over
    if not np.isfinite(lost).all():  # beside an infinity; NaN is in what it is added to, too
        lost[~np.isfinite(lost)] = 0.0
    under += lost
    over -= lost
    return under, over


def _narrowed(numbers: Sequence[float]) -> tuple[float, ...]:
    """Return numbers as float32 has them."""
    with np.errstate(over="ignore", under="ignore"):
        return tuple(np.array(numbers).astype(np.float32).tolist())


def _terms(thresholds: Sequence[float]) -> list[tuple[float, float]]:
    """Return `interval_terms` of the classes that have two ends."""
    finite = [Fraction(x) if np.isfinite(x) else None for x in thresholds]
    return [
        (0.0, 0.0) if low is None or high is None else interval_terms(high - low)
        for low, high in pairwise(finite)
    ]


@lru_cache(maxsize=64)
def _tables(thresholds: tuple[float, ...]) -> _Tables:
    """Return the kernels' tables; none in float32 where that does not tell thresholds apart."""
    narrow, single = _narrowed(thresholds), None
    if all(low < high for low, high in pairwise(narrow)):
        single = _table(narrow).astype(np.float32)
    return _table(thresholds), single


def _table(thresholds: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return the head and the three columns, as src/losses/cumulative_logit.h has them."""
    n_classes = len(thresholds) + 1
    columns = np.zeros((3, max(n_classes, _LEAST_COLUMN)))
    columns[0, :n_classes] = -np.inf, *thresholds
    columns[1, :n_classes] = *thresholds, np.inf
    columns[2, 1 : n_classes - 1] = [terms[0] for terms in _terms(thresholds)]
    head = np.zeros(_HEAD)
    head[:2] = n_classes - 1, columns.shape[1]
    return np.concatenate([head, columns.ravel()])


@lru_cache(maxsize=64)
def _one_ended_tables(thresholds: tuple[float, ...]) -> tuple[_Tables, _Tables]:
    """
    Return tables whose intervals have no upper, and no lower end.

    Their gradients are -expit(a) and expit(-b).
    """
    wide, narrow = _tables(thresholds)
    first, second = (
        (_with_column(wide, c, end), None if narrow is None else _with_column(narrow, c, end))
        for c, end in ((1, np.inf), (0, -np.inf))
    )
    return first, second


@lru_cache(maxsize=64)
def _inner_slopes(thresholds: tuple[float, ...]) -> Vector:
    """Return the derivatives of -log(1 - e^(l - u)) by l, a class each."""
    return np.array([0.0, *(terms[1] for terms in _terms(thresholds)), 0.0])


def _with_column(table: _Array, column: int, end: float) -> _Array:
    """Return a copy whose intervals have no lower (0) or no upper (1) end."""
    copy, length = table.copy(), int(table[1])
    copy[_HEAD + column * length :][:length] = end
    return copy
