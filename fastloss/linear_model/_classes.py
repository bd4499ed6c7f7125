"""Labels and weights of classes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from fastloss.linear_model._base import in_range


def encode(y: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the sorted classes, and the number of each sample's class as int8, int16 or int32."""
    classes, codes = _two_numbers(y) or np.unique(y, return_inverse=True)
    if classes.dtype.kind not in "biuU":  # those are classes whatever they are
        with warnings.catch_warnings():
            # each class stands there once, which looks like a regression
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            check_classification_targets(classes)
    if len(classes) < 2:
        raise ValueError(
            f"y contains one class only, {classes[0].item()!r}: expected samples of at least 2 classes"
        )
    return classes, codes.astype(np.min_scalar_type(-len(classes)), copy=False)


def _two_numbers(y: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]] | None:
    """Return what np.unique would for numbers of two values, without sorting them."""
    if y.dtype.kind not in "biuf" or not len(y):
        return None
    low, high = y.min(), y.max()
    if low == high:
        return None
    upper = y == high
    if not np.array_equal(upper, y != low):
        return None
    return np.array([low, high], y.dtype), upper.view(np.int8)


def weigh_classes(
    class_weight: Any,
    classes: npt.NDArray[Any],
    codes: npt.NDArray[Any],
    sample_weight: npt.NDArray[np.float64] | None,
    exponent: int,
) -> tuple[npt.NDArray[np.float64] | None, int]:
    """
    Return sample weights times those of the classes, over 2**exponent, and the exponent.

    "balanced" counts samples by their weights.
    """
    if class_weight is None:
        return sample_weight, exponent
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(
                f"class_weight = {class_weight!r}: expected 'balanced', a dictionary or None"
            )
        totals = np.bincount(codes, sample_weight, minlength=len(classes)).astype(np.float64)
        per_class = np.divide(
            totals.sum() / len(classes), totals, out=np.zeros_like(totals), where=totals > 0
        )
    elif isinstance(class_weight, dict):
        per_class = compute_class_weight(class_weight, classes=classes, y=classes)
    else:
        raise TypeError(
            f"class_weight = {class_weight!r}: expected 'balanced', a dictionary or None"
        )
    per_class = np.asarray(per_class, np.float64)
    if not (np.isfinite(per_class).all() and (per_class >= 0).all()):
        raise ValueError(f"class_weight = {class_weight!r}: expected finite numbers of at least 0")
    if not per_class.any():
        raise ValueError(
            f"class_weight = {class_weight!r}: all weights are zero; expected one greater than 0"
        )
    per_class, more = in_range(per_class)
    weights: npt.NDArray[np.float64] = per_class[codes]
    if sample_weight is not None:
        weights *= sample_weight
    if not weights.any():
        raise ValueError(
            f"class_weight = {class_weight!r}: all samples have weight zero together with "
            f"sample_weight; expected one greater than 0"
        )
    weights, last = in_range(weights)
    return weights, exponent + more + last
