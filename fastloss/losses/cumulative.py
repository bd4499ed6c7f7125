"""Ordered classes by one score and thresholds: the proportional-odds model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._rows import RowLoss
from fastloss._runtime import apply_unary, checked_place, checked_weights
from fastloss._sums import LossSums
from fastloss.losses._composite import (
    CompositeLoss,
    as_float_array,
    checked_class_labels,
    split_out,
)
from fastloss.losses._constants import Vector
from fastloss.losses._minimise import minimise
from fastloss.losses._parameters import number_sequence

_Array = npt.NDArray[Any]

#: Samples at a time, whose thresholds are looked up into a buffer.
_BLOCK = 1 << 14


class _Interval(RowLoss):
    """Of rows (score, lower threshold, upper threshold); the label is not looked at."""

    __slots__ = ()
    name = "cumulative_logit"

    def __init__(self) -> None:
        super().__init__(n_outputs=3)


_INTERVAL = _Interval()


class CumulativeLogit(CompositeLoss):
    """
    Ordinal logistic loss: -log P(y), P(y <= k) = expit(thresholds_k - raw_prediction).

    The proportional-odds model, in nats: one score a sample, and class k is where the score plus
    logistic noise falls between thresholds k - 1 and k. Link: cumulative logit. Labels: classes 0
    to C - 1, of raw_prediction's shape, one more than thresholds. With a and b for the lower and
    the upper threshold minus the score the gradient is expit(-b) - expit(a), the Hessian expit(a) *
    expit(-a) + expit(b) * expit(-b); `threshold_gradient` gives that of the thresholds. Nothing
    cancels, however far the score or near the thresholds. Error at most 5 ULP, of the gradient's
    larger term. `predict` gives the probabilities of the classes, on a new last axis.

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

    __slots__ = ("_lower", "_upper")
    name = "cumulative_logit"
    _lower: Vector
    _upper: Vector

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
        super().__init__({"thresholds": numbers})
        object.__setattr__(self, "_lower", np.array([-np.inf, *numbers]))
        object.__setattr__(self, "_upper", np.array([*numbers, np.inf]))

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The parameter thresholds."""
        return tuple(self._params["thresholds"])

    # ------------------------------------------------------------ evaluation

    def __call__(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Return the loss; the same as `loss`."""
        return self._evaluate(
            ("loss",), y_true, raw_prediction, sample_weight, reduction, out, n_threads
        )

    def loss(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """
        Return the loss.

        Parameters
        ----------
        y_true : array-like
            Class labels 0 to C - 1, of any shape.
        raw_prediction : array-like of float32 or float64
            Scores, of y_true's shape.
        sample_weight : array-like, optional
            Finite weights of at least 0, of y_true's shape.
        reduction : {"mean", "sum", "none"}
            "mean" is the weighted mean.
        out : ndarray, optional
            Where the result goes, see the other losses.
        n_threads : int, optional
            Threads for this call; the result does not depend on it.

        Returns
        -------
        float or ndarray
            A float, or with reduction "none" an array of raw_prediction's shape and dtype.

        Raises
        ------
        TypeError, ValueError
            If an argument has a wrong dtype or shape, a label is not a class, or a weight is
            negative or not finite; the message names argument, index and value.
        """
        return self._evaluate(
            ("loss",), y_true, raw_prediction, sample_weight, reduction, out, n_threads
        )

    def gradient(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """
        Return the gradient with respect to raw_prediction; parameters are those of `loss`.

        Returns
        -------
        ndarray
            Of raw_prediction's shape and dtype.
        """
        return self._evaluate(
            ("gradient",), y_true, raw_prediction, sample_weight, reduction, out, n_threads
        )

    def loss_gradient(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """
        Return loss and gradient from one pass; parameters are those of `loss`.

        Returns
        -------
        tuple of (float or ndarray, ndarray)
            Loss and gradient.
        """
        return self._evaluate(
            ("loss", "gradient"), y_true, raw_prediction, sample_weight, reduction, out, n_threads
        )

    def gradient_hessian(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """
        Return gradient and Hessian from one pass; parameters are those of `loss`.

        Returns
        -------
        tuple of (ndarray, ndarray)
            Gradient and Hessian.
        """
        return self._evaluate(
            ("gradient", "hessian"),
            y_true,
            raw_prediction,
            sample_weight,
            reduction,
            out,
            n_threads,
        )

    def loss_gradient_hessian(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """
        Return loss, gradient and Hessian from one pass; parameters are those of `loss`.

        Returns
        -------
        tuple of (float or ndarray, ndarray, ndarray)
            Loss, gradient and Hessian.
        """
        return self._evaluate(
            ("loss", "gradient", "hessian"),
            y_true,
            raw_prediction,
            sample_weight,
            reduction,
            out,
            n_threads,
        )

    def partial(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        n_threads: int | None = None,
    ) -> LossSums:
        """
        Return the sums of a part of the data, to be merged with those of other parts.

        Returns
        -------
        LossSums
            With ``loss_sum``, ``weight_sum`` and ``n_samples``; ``a + b`` merges.
        """
        f = as_float_array(raw_prediction)
        total, exponent = float(f.size), 0
        if sample_weight is not None:
            sample_weight, total, exponent = checked_weights(
                np.asarray(sample_weight), f.dtype, for_mean=True, n_threads=n_threads
            )
        value = self.loss(y_true, f, sample_weight, reduction="sum", n_threads=n_threads)
        return LossSums(
            float(np.ldexp(value, exponent)), float(np.ldexp(total, exponent)), f.size, self
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
            In float64.

        Raises
        ------
        ValueError
            As `loss`, and with reduction "none", which has no one derivative.
        """
        if reduction not in ("mean", "sum"):
            raise ValueError(f"reduction = {reduction!r}: expected 'mean' or 'sum'")
        sums = np.zeros(len(self.thresholds) + 1)
        self._evaluate(
            ("gradient",),
            y_true,
            raw_prediction,
            sample_weight,
            reduction,
            None,
            n_threads,
            thresholds=sums,
        )
        return sums[:-1]

    def _evaluate(
        self,
        parts: tuple[str, ...],
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None,
        reduction: str,
        out: Any,
        n_threads: int | None,
        thresholds: Vector | None = None,
    ) -> Any:
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"reduction = {reduction!r}: expected 'mean', 'sum' or 'none'")
        f, y = as_float_array(raw_prediction), np.asarray(y_true)
        if y.shape != f.shape:
            raise ValueError(
                f"y_true has shape {y.shape}, raw_prediction has shape {f.shape}: they must be equal"
            )
        labels = checked_class_labels(y, len(self._lower), type(self).__name__).ravel()
        if f.dtype == np.float32:
            self._refuse_equal_in_float32()
        weight, total = None, float(f.size)
        if sample_weight is not None:
            weight = np.asarray(sample_weight)
            if weight.shape != f.shape:
                raise ValueError(
                    f"sample_weight has shape {weight.shape}, raw_prediction has shape {f.shape}: "
                    "they must be equal"
                )
            weight, total, _ = checked_weights(
                weight, f.dtype, for_mean=reduction == "mean", n_threads=n_threads
            )
            weight = weight.ravel()
        places = split_out(out, parts)
        if reduction != "none" and places.get("loss") is not None:
            raise ValueError(
                f"out: the loss is a float under reduction={reduction!r}, so its place in out must "
                "be None"
            )
        taken: list[tuple[_Array | None, str]] = [(y, "y_true"), (weight, "sample_weight")]
        for name, place in places.items():
            if place is not None:
                checked_place(place, f"out ({name})", f, "raw_prediction", taken)
                taken.append((place, f"out ({name})"))
        kept = [name for name in parts if name != "loss" or reduction == "none"]
        results = {name: np.empty(f.shape, f.dtype.newbyteorder("=")) for name in kept}
        flat = {name: result.reshape(-1) for name, result in results.items()}
        if reduction == "mean" and not total > 0:
            what = "an empty array" if f.size == 0 else "samples whose weights sum to zero"
            warnings.warn(f"mean of {what} is NaN", RuntimeWarning, stacklevel=3)
        factor = 1.0 if reduction != "mean" else 1.0 / total if total > 0 else np.nan
        scores, sums = f.reshape(-1), []
        rows = np.empty((min(_BLOCK, f.size), 3), f.dtype.newbyteorder("="))
        method = getattr(_INTERVAL, "_".join(parts))
        for start in range(0, f.size, _BLOCK):
            here = slice(start, start + _BLOCK)
            block, label = rows[: len(scores[here])], labels[here]
            block[:, 0] = scores[here]
            block[:, 1] = self._lower[label]
            block[:, 2] = self._upper[label]
            result = method(
                np.broadcast_to(np.float32(0), len(block)),
                block,
                None if weight is None else weight[here],
                reduction="sum" if reduction == "mean" or thresholds is not None else reduction,
                n_threads=n_threads,
            )
            result = result if isinstance(result, tuple) else (result,)
            for name, values in zip(parts, result, strict=True):
                if name == "loss" and reduction != "none":
                    sums.append(values)
                elif name == "loss":
                    flat[name][here] = values
                else:
                    flat[name][here] = values[:, 0] * f.dtype.type(factor)
            if thresholds is not None:
                slopes = result[-1].astype(np.float64) * factor
                n = len(thresholds)
                thresholds += np.bincount(label, slopes[:, 2], n)
                thresholds[:-1] += np.bincount(label, slopes[:, 1], n)[1:]
        for name, place in places.items():
            if place is not None:
                place[...] = results[name]
                results[name] = place
        value = float(np.sum(sums)) * factor if reduction == "mean" else float(np.sum(sums))
        answer = [results.get(name, value) for name in parts]
        return tuple(answer) if len(answer) > 1 else answer[0]

    def _refuse_equal_in_float32(self) -> None:
        for k in range(1, len(self.thresholds)):
            low, high = self.thresholds[k - 1 : k + 1]
            if not np.float32(low) < np.float32(high):
                raise ValueError(
                    f"thresholds[{k}] = {high} equals thresholds[{k - 1}] = {low} in float32: expected "
                    "raw_prediction in float64"
                )

    # ------------------------------------------------------------ link and start

    def predict(
        self,
        raw_prediction: npt.ArrayLike,
        *,
        out: Any = None,
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
            Taken as the other losses take it, and not needed.

        Returns
        -------
        ndarray
            Of raw_prediction's shape with a new last axis of C classes.
        """
        f = as_float_array(raw_prediction)
        lower, upper = (ends.astype(f.dtype) for ends in (self._lower, self._upper))
        a, b = lower - f[..., None], upper - f[..., None]
        result: _Array = apply_unary("expit", b) * apply_unary("expit", -a)
        result *= -apply_unary("expm1", lower - upper)
        if out is None:
            return result
        if not isinstance(out, np.ndarray) or out.shape != result.shape or out.dtype != f.dtype:
            raise ValueError(f"out: expected an array of shape {result.shape} and dtype {f.dtype}")
        out[...] = result
        return out

    def initial_prediction(
        self, y_true: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> float:
        """
        Return the best constant score for these thresholds.

        Parameters
        ----------
        y_true : array-like
            Class labels, not empty.
        sample_weight : array-like, optional
            Finite weights of at least 0, not all 0.

        Returns
        -------
        float
            The minimiser of the weighted mean loss; finite also where that lies at infinity.

        Raises
        ------
        TypeError, ValueError
            As `loss`; also for no sample, or no weight.
        """
        y = np.asarray(y_true)
        labels = checked_class_labels(y, len(self._lower), type(self).__name__).ravel()
        if labels.size == 0:
            raise ValueError("y_true is empty: expected at least one label")
        weights = None if sample_weight is None else np.asarray(sample_weight)
        self.loss(y, np.zeros(y.shape), weights, reduction="sum")
        flat = None if weights is None else weights.astype(np.float64).ravel()
        totals = np.bincount(labels, flat, minlength=len(self._lower)).astype(np.float64)
        if not totals.sum() > 0:
            raise ValueError("sample_weight sums to zero: expected a positive weight")
        totals /= totals.sum()
        classes = np.arange(len(totals))

        def objective(score: Vector) -> tuple[float, Vector]:
            scores = np.broadcast_to(score, len(totals))
            value, slope = self.loss_gradient(classes, scores, totals, reduction="sum")
            return value, np.array([slope.sum()])

        middle = 0.5 * (self.thresholds[0] + self.thresholds[-1])
        best = minimise(objective, np.array([middle]))
        return float(np.clip(best[0], self.thresholds[0] - 36.0, self.thresholds[-1] + 36.0))
