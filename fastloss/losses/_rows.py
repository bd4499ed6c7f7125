"""What the losses of several outputs a sample share: their best constants, by the kind of label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._bases.rows import RowLoss
from fastloss._core.arrays import array_of
from fastloss.losses._constants import Vector, classes_up_to, log_or_least, number_of_classes


class ClassLoss(RowLoss):
    """Base of the losses whose label is one class of several; not for use by itself."""

    __slots__ = ()

    def initial_prediction(
        self,
        y_true: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        n_classes: int | None = None,
    ) -> Vector:
        """
        Return the best constant raw predictions: those that minimise the weighted mean loss.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), optional
            Finite weights of at least 0, not all 0.
        n_classes : int, optional
            How many classes there are; the largest label plus one by default.

        Returns
        -------
        ndarray of shape (C,), of (C - 1,) for a loss with an output for each threshold
            The constants. Where the optimum lies at infinity (a class that does not occur, say) a
            finite point near it.

        Raises
        ------
        TypeError, ValueError
            As `loss`; also if there is no sample, or no weight.
        """
        labels, weights = _labels_and_weights(y_true, sample_weight, 1)
        ignored = getattr(self, "ignore_index", None)
        counted = np.ones(len(labels), bool) if ignored is None else labels != ignored
        per_class = self._per_class()
        least = 1 + self._fewer_outputs()
        if n_classes is None:
            if per_class is not None:
                n_classes = per_class
            else:
                n_classes = classes_up_to(labels[counted].max()) if counted.any() else 1
                if n_classes < least and counted.any() and not labels[counted].any():
                    raise ValueError(
                        f"y_true holds class 0 alone, {type(self).__name__} has at least {least} "
                        "classes: give n_classes"
                    )
                n_classes = max(n_classes, least)  # wrong labels are named by the checks
        else:
            n_classes = number_of_classes(n_classes, least)
        n_outputs = n_classes - self._fewer_outputs()
        # a loss at equal outputs checks labels and weights
        zeros = np.broadcast_to(np.zeros(n_outputs), (len(labels), n_outputs))
        self.loss(labels, zeros, sample_weight, reduction="sum")
        totals = np.bincount(
            labels[counted].astype(np.int64), weights=weights[counted], minlength=n_classes
        )
        if not totals.sum() > 0:
            raise ValueError("y_true or sample_weight leaves no sample of positive weight")
        with np.errstate(all="ignore"):
            return np.asarray(self._best_constants(totals / totals.sum()), dtype=np.float64)

    def _per_class(self) -> int | None:
        """Return how many classes the parameters speak of, if they do."""
        return None

    def _fewer_outputs(self) -> int:
        """Return how many outputs less than classes there are."""
        return 0

    def _best_constants(self, frequencies: Vector) -> Vector:
        """Of the classes' weighted frequencies."""
        raise TypeError(f"{type(self).__name__} does not define its best constants")


class ValueLoss(RowLoss):
    """Base of the losses whose label is one number; not for use by itself."""

    __slots__ = ()

    def initial_prediction(
        self, y_true: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Vector:
        """
        Return the best constant raw predictions: those that minimise the weighted mean loss.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            Finite numbers.
        sample_weight : array-like of shape (n,), optional
            Finite weights of at least 0, not all 0.

        Returns
        -------
        ndarray of shape (K,)
            One constant for each of the K outputs.

        Raises
        ------
        TypeError, ValueError
            As `loss`; also if there is no sample, or no weight.
        """
        labels, weights = _labels_and_weights(y_true, sample_weight, 1)
        n_outputs = self.n_outputs or 1
        zeros = np.broadcast_to(np.zeros(n_outputs), (len(labels), n_outputs))
        self.loss(labels, zeros, sample_weight, reduction="sum")
        present = weights > 0
        if not present.any():
            raise ValueError("y_true or sample_weight leaves no sample of positive weight")
        numbers = labels[present].astype(np.float64)
        with np.errstate(all="ignore"):
            return np.asarray(self._best_constants(numbers, weights[present]), dtype=np.float64)

    def _best_constants(self, labels: Vector, weights: Vector) -> Any:
        raise TypeError(f"{type(self).__name__} does not define its best constants")


class TargetsLoss(RowLoss):
    """Base of the losses whose label is a row as long as the prediction's; not for use by itself."""

    __slots__ = ()

    def initial_prediction(
        self, y_true: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Vector:
        """
        Return the best constant raw predictions: those that minimise the weighted mean loss.

        Parameters
        ----------
        y_true : array-like of shape (n, C)
            A row of targets a sample.
        sample_weight : array-like of shape (n,), optional
            Finite weights of at least 0, not all 0.

        Returns
        -------
        ndarray of shape (C,)
            The constants. Where the optimum lies at infinity a finite point near it.

        Raises
        ------
        TypeError, ValueError
            As `loss`; also if there is no sample, or no weight.
        """
        labels, weights = _labels_and_weights(y_true, sample_weight, 2)
        zeros = np.broadcast_to(np.zeros(labels.shape[1]), labels.shape)
        self.loss(labels, zeros, sample_weight, reduction="sum")
        if not weights.sum() > 0:
            raise ValueError("y_true or sample_weight leaves no sample of positive weight")
        with np.errstate(all="ignore"):
            return np.asarray(
                self._best_constants(labels, weights / weights.sum()), dtype=np.float64
            )

    def _best_constants(self, labels: npt.NDArray[Any], weights: Vector) -> Vector:
        raise TypeError(f"{type(self).__name__} does not define its best constants")


def row_objective(
    loss: RowLoss, labels: npt.NDArray[Any], weights: Vector
) -> Callable[[Vector], tuple[float, Vector]]:
    """Return the weighted sum of a loss over all samples as a function of constant predictions."""

    def objective(constants: Vector) -> tuple[float, Vector]:
        rows = np.broadcast_to(constants, (len(labels), len(constants)))
        value, slopes = loss.loss_gradient(labels, rows, weights, reduction="sum")
        return value, slopes.sum(axis=0)

    return objective


def log_frequencies(frequencies: Vector) -> Vector:
    """Return the logarithms as `log_or_least` has them, shifted to mean 0."""
    logits = log_or_least(frequencies)
    return np.asarray(logits - logits.mean(), dtype=np.float64)


def _labels_and_weights(
    y_true: npt.ArrayLike, sample_weight: npt.ArrayLike | None, ndim: int
) -> tuple[npt.NDArray[Any], Vector]:
    labels = array_of(y_true, "y_true")
    if labels.ndim != ndim:
        shape = "(n,)" if ndim == 1 else "(n, C)"
        raise ValueError(f"y_true has shape {labels.shape}: expected {shape}")
    weights = np.ones(len(labels))
    if sample_weight is not None:
        weights = array_of(sample_weight, "sample_weight").astype(np.float64, copy=False)
        if weights.shape == labels.shape[:1] and weights.size and np.isfinite(weights).all():
            # by an exact factor to at most 1, so that no sum of them overflows
            weights = np.ldexp(weights, -np.frexp(weights.max())[1])
    return labels, weights
