"""The weights of the rows, by a column and by the balance of the classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastloss.linear_model._base import in_range
from fastloss.train.errors import InputError
from fastloss.train.table import Table
from fastloss.train.target import Target


def row_weights(
    table: Table,
    target: Target,
    training: NDArray[np.bool_],
    *,
    column: str | None,
    balanced: bool,
) -> NDArray[np.float64] | None:
    """
    Return the weights of the rows, those of the classes in them; None if there are none.

    Parameters
    ----------
    table : Table
        The rows.
    target : Target
        Their labels.
    training : ndarray of bool
        Which rows to train on.
    column : str or None
        Where weights stand.
    balanced : bool
        Whether the classes' total weights are made equal.

    Raises
    ------
    InputError
        If a weight is none, or a part of the rows or a class in it has no weight at all.
    """
    weights = None
    if column is not None:
        weights = table.numbers(column, what="a weight")
        wrong = np.flatnonzero(~(weights >= 0))
        if len(wrong):
            i = int(wrong[0])
            raise InputError(
                f"{table.place(i, column)}: the weight "
                f"{'is missing' if np.isnan(weights[i]) else weights[i]}; expected a number of at "
                f"least 0"
            )
        for rows, name in ((training, "training"), (~training, "validation")):
            if not weights[rows].any():
                raise InputError(f"--weight {column!r}: all weights of {name} rows are 0")
        weights, _ = in_range(weights)  # no mean sees it, and no sum of them overflows
        _check_classes(weights, target, training, column)
    if not balanced or target.classes is None:
        return weights
    ones = np.ones(len(training)) if weights is None else weights
    totals = np.bincount(target.codes[training], weights=ones[training])
    per_class = np.divide(totals.sum() / len(totals), totals, out=0 * totals, where=totals > 0)
    return np.asarray(ones * per_class[target.codes])


def _check_classes(
    weights: NDArray[np.float64], target: Target, training: NDArray[np.bool_], column: str
) -> None:
    """Raise an error about a class without weight, of which nothing can be learnt."""
    if target.classes is None:
        return
    parts = [("training", training)]
    if len(target.classes) == 2:
        parts.append(("validation", ~training))  # the metrics want both
    for name, rows in parts:
        totals = np.bincount(
            target.codes[rows], weights=weights[rows], minlength=len(target.classes)
        )
        for label in target.classes[totals == 0].tolist():
            raise InputError(
                f"--weight {column!r}: all weights of the {name} rows of class {label!r} are "
                f"0; expected one above 0 in each class"
            )
