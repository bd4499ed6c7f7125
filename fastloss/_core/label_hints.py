"""What the messages about wrong labels add where a habit of other libraries may explain them."""

from __future__ import annotations

from collections.abc import Container
from typing import SupportsFloat


def signs_hint(label: SupportsFloat) -> str:
    """Return what to do with labels -1 and 1 where 0 and 1 are expected."""
    return "; for labels -1 and 1 take y_true > 0" if float(label) == -1 else ""


def ignored_hint(label: SupportsFloat, params: Container[str]) -> str:
    """Return what to do with torch's label of samples that do not count, by the loss's parameters."""
    if float(label) != -100:
        return ""
    if "ignore_index" in params:
        return "; ignore_index=-100 leaves such samples out"
    return "; leave such samples out"


def one_hot_hint(
    y_shape: tuple[int, ...], f_shape: tuple[int, ...], axis: int, *, levels: bool = False
) -> str:
    """
    Return what to do with a row of numbers a sample where its class is expected.

    Of outputs that are `levels` (is the class above each of them?) one a level sums to the class.
    """
    if levels and y_shape == f_shape:
        return f"; for levels, 1 where the class is above, take y_true.sum(axis={axis})"
    if len(y_shape) != len(f_shape) or y_shape[axis] < 2:
        return ""
    without = tuple(shape[:axis] + shape[axis + 1 :] for shape in (y_shape, f_shape))
    if without[0] != without[1]:
        return ""
    return (
        f"; for one-hot labels take y_true.argmax(axis={axis}), for probabilities CrossEntropy, "
        "KLDivergence or JensenShannon"
    )
