"""A binary loss on each output of several."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._bases.pointwise import PointwiseLoss
from fastloss._bases.rows import RowLoss
from fastloss._core.arrays import array_of, checked_place, share_memory
from fastloss._core.label_hints import signs_hint
from fastloss._core.weights import checked_weights
from fastloss.losses._composite import checked_class_labels, split_out
from fastloss.losses._constants import Vector, classes_up_to, number_of_classes
from fastloss.losses._parameters import parameter
from fastloss.losses.logistic import LogLoss

_Array = npt.NDArray[Any]

#: About so many outputs at a time: their labels are made from classes, and stay in the cache.
_BLOCK = 1 << 16


class OneVsRest(RowLoss):
    """
    A binary loss on each output: the sum over k of loss([y = k], f_k).

    f = raw_prediction has one output a class along the class axis. Link: that of the binary loss,
    output by output. Labels: classes 0 to C - 1; or several labels a sample, each 0 or 1 (a number
    in [0, 1] where the binary loss takes one), of raw_prediction's shape. Gradient and Hessian are
    those of the binary loss. torch's ``multilabel_soft_margin_loss`` is this with the log loss,
    divided by C. Error at most that of the binary loss in ULP, plus C / 2 for the sum. `predict`
    gives the binary loss's predictions, which need not sum to 1.

    Parameters
    ----------
    loss : loss
        A binary loss from fastloss, such as `LogLoss`, `Focal` or `Hinge`.

    References
    ----------
    Rifkin, Klautau, In Defense of One-Vs-All Classification, 2004.

    Examples
    --------
    >>> import fastloss as fl
    >>> loss = fl.OneVsRest(fl.Hinge())
    >>> loss([1], [[0.5, 0.5, -2.0]])
    2.0
    >>> loss([[1, 1, 0]], [[0.5, 0.5, -2.0]])
    1.0
    """

    __slots__ = ()
    name = "one_vs_rest"
    base_loss = parameter("loss")

    def __init__(self, loss: PointwiseLoss | None = None) -> None:
        binary = LogLoss() if loss is None else loss
        if not isinstance(binary, PointwiseLoss):
            raise TypeError(
                f"loss = {binary!r}: expected a binary loss of fastloss, such as fl.Hinge()"
            )
        try:
            binary.loss([0, 1], [0.5, 0.5])
            two = binary.loss([2], [0.5])
        except ValueError:
            two = None
        # labels 0 and 1, and one number for each output
        if two is not None or np.shape(binary.predict([0.5])) != (1,):
            raise ValueError(f"loss = {binary!r}: expected a binary loss, whose labels are 0 and 1")
        super().__init__({"loss": binary}, binary=binary)

    def _evaluate_composite(
        self,
        parts: tuple[str, ...],
        y_true: _Array,
        raw_prediction: _Array,
        sample_weight: npt.ArrayLike | None,
        reduction: str,
        out: Any,
        n_threads: int | None,
        class_axis: int,
    ) -> tuple[tuple[Any, ...], float]:
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"reduction = {reduction!r}: expected 'mean', 'sum' or 'none'")
        f, places = raw_prediction, split_out(out, parts)
        n_classes = f.shape[class_axis]
        shape = f.shape[:class_axis] + f.shape[class_axis + 1 :]
        name = type(self).__name__
        if y_true.shape == shape:
            # integers are checked where they are read, unless that were too late
            if reduction == "none" or y_true.dtype.kind not in "iu":
                y_true = checked_class_labels(y_true, n_classes, name)
        elif y_true.shape == f.shape:
            self._check_labels(y_true)
        else:
            raise ValueError(
                f"y_true has shape {y_true.shape}, raw_prediction has shape {f.shape} with its class "
                f"axis {class_axis}: expected class labels of raw_prediction's shape without the "
                "class axis, or labels of raw_prediction's shape"
            )
        weight, total = None, float(np.prod(shape, dtype=np.int64))
        if sample_weight is not None:
            weight = array_of(sample_weight, "sample_weight")
            if weight.shape != shape:
                raise ValueError(
                    f"sample_weight has shape {weight.shape}: expected {shape}, raw_prediction's "
                    "without the class axis"
                )
            weight, total, _ = checked_weights(
                weight, f.dtype, for_mean=reduction == "mean", n_threads=n_threads
            )
        taken = [(y_true, "y_true"), (weight, "sample_weight")]
        sample_shape = np.broadcast_to(np.empty((), f.dtype), shape)
        kept = [name for name in parts if name != "loss" or reduction == "none"]
        for part, place in places.items():
            if place is None:
                continue
            if part not in kept:
                raise ValueError(
                    f"out: the loss is a float under reduction={reduction!r}, so its place in out "
                    "must be None"
                )
            like, of = (sample_shape, "the samples") if part == "loss" else (f, "raw_prediction")
            checked_place(place, f"out ({part})", like, of, taken)
            taken.append((place, f"out ({part})"))
        in_place = any(place is not None and share_memory(place, f) for place in places.values())
        if y_true.shape == shape and (in_place or not total > 0):
            checked_class_labels(y_true, n_classes, name)
        if in_place:
            f = f.copy()
        if reduction == "mean" and not total > 0:
            what = "an empty array" if f.size == 0 else "samples whose weights sum to zero"
            warnings.warn(f"mean of {what} is NaN", RuntimeWarning, stacklevel=2)
        native = f.dtype.newbyteorder("=")
        results: dict[str, _Array] = {}
        for part in kept:
            place = places[part]
            if place is None:
                place = np.empty(shape if part == "loss" else f.shape, native)
            results[part] = place
        factor = 1.0 / total if reduction == "mean" and total > 0 else 1.0
        if reduction == "mean" and not total > 0:
            for result in results.values():
                result.fill(np.nan)
            return tuple(results.get(part, np.nan) for part in parts), total
        try:
            value = self._run(parts, y_true, f, weight, results, class_axis, factor, n_threads)
        except IndexError:
            checked_class_labels(y_true, n_classes, name)
            raise
        return tuple(results.get(part, value) for part in parts), total

    def _check_labels(self, y_true: _Array) -> None:
        """Refuse the first label that the binary loss does not take."""
        if y_true.dtype.kind not in "biuf":
            raise TypeError(f"y_true has dtype {y_true.dtype}: expected numbers")
        binary: PointwiseLoss = self.params["loss"]
        try:
            binary.loss([0.5], [0.5])
            wrong, expected = ~((y_true >= 0) & (y_true <= 1)), "in [0, 1]"
        except ValueError:
            wrong, expected = ~((y_true == 0) | (y_true == 1)), "0 or 1"
        if wrong.any():
            index = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise ValueError(
                f"y_true[{', '.join(map(str, index))}] = {y_true[index].item()!r}: "
                f"{type(self).__name__} expects classes, or labels {expected}"
                f"{signs_hint(y_true[index])}"
            )

    def _run(
        self,
        parts: tuple[str, ...],
        y_true: _Array,
        f: _Array,
        weight: _Array | None,
        results: dict[str, _Array],
        class_axis: int,
        factor: float,
        n_threads: int | None,
    ) -> float:
        """Fill the results; the sum of the losses, if they are not kept, times the factor."""
        binary: PointwiseLoss = self.params["loss"]
        method = getattr(binary, "_".join(parts))
        rows = np.moveaxis(f, class_axis, -1)
        by_class = y_true.ndim < f.ndim
        labels = y_true if by_class else np.moveaxis(y_true, class_axis, -1)
        places = {
            name: place if name == "loss" else np.moveaxis(place, class_axis, -1)
            for name, place in results.items()
        }
        if "loss" not in results:
            weights = None if weight is None else np.broadcast_to(weight[..., None], rows.shape)
            value = binary._scaled(
                parts,
                labels,
                rows,
                weights,
                factor,
                tuple(places[name] for name in parts if name in places),
                n_threads,
                rows.shape[-1] if by_class else 0,
            )
            return 0.0 if value is None else value * factor
        # the losses of a sample are summed: block by block, so that they stay in the cache
        classes = np.arange(rows.shape[-1])
        for block in _blocks(rows.shape):
            label = labels[block]
            if by_class:
                label = label[..., None] == classes
            block_weights = None
            if weight is not None:
                block_weights = np.broadcast_to(weight[block][..., None], rows[block].shape)
            answer = method(
                label, rows[block], block_weights, reduction="none", n_threads=n_threads
            )
            answer = answer if isinstance(answer, tuple) else (answer,)
            for name, values in zip(parts, answer, strict=True):
                if name == "loss":
                    places[name][block] = values.sum(axis=-1, dtype=np.float64)
                else:
                    places[name][block] = values
        return 0.0

    def _finish_link(self, values: _Array, axis: int, n_threads: int | None) -> None:
        self.params["loss"].predict(values, out=values, n_threads=n_threads)

    def initial_prediction(
        self,
        y_true: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        n_classes: int | None = None,
    ) -> Vector:
        """
        Return the best constant raw predictions: the binary loss's, class by class.

        Parameters
        ----------
        y_true : array-like
            Class labels of shape (n,), or labels of shape (n, C).
        sample_weight : array-like of shape (n,), optional
            Finite weights of at least 0, not all 0.
        n_classes : int, optional
            For class labels how many classes there are; the largest label plus one by default.

        Returns
        -------
        ndarray of shape (C,)
            The constants.

        Raises
        ------
        TypeError, ValueError
            As `loss`; also if there is no sample, or no weight.
        """
        labels = array_of(y_true, "y_true")
        if labels.ndim not in (1, 2):
            raise ValueError(f"y_true has shape {labels.shape}: expected (n,) or (n, C)")
        if labels.ndim == 1:
            if n_classes is None:
                n_classes = classes_up_to(labels.max()) if labels.size else 1
            else:
                n_classes = number_of_classes(n_classes)
            labels = checked_class_labels(labels, n_classes, type(self).__name__)
            labels = labels[:, None] == np.arange(n_classes)
        binary: PointwiseLoss = self.params["loss"]
        return np.array([binary.initial_prediction(column, sample_weight) for column in labels.T])


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield indices of the sample axes that cut an array of rows into blocks."""
    *samples, n_outputs = shape
    if not samples:
        yield ()
        return
    # whole inner axes as far as they fit a block, and runs of the axis before these
    rows, axis = max(1, _BLOCK // max(1, n_outputs)), len(samples)
    while axis > 1 and np.prod(samples[axis - 1 :]) <= rows:
        axis -= 1
    step = max(1, rows // max(1, int(np.prod(samples[axis:]))))
    for index in np.ndindex(*samples[: axis - 1]):
        for start in range(0, samples[axis - 1], step):
            yield (*index, slice(start, start + step))
