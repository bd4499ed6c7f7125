"""What is to be predicted: numbers or classes, by which loss."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import fastloss as fl
from fastloss.cli.loss_text import parse_loss
from fastloss.linear_model._losses import CLASSES, NUMBERS, TWO_CLASSES
from fastloss.train.errors import InputError, count, some
from fastloss.train.table import Table, find_numbers, is_number, is_text, spell

_FEW = 20  # different integers that are taken for classes, if no loss says otherwise
_MANY = 1000  # classes; more are hardly meant to be some


@dataclass(frozen=True)
class Target:
    """
    The labels of a table.

    Attributes
    ----------
    column : str
        Their name.
    loss : loss
        What is minimised.
    labels : ndarray of shape (n,)
        Numbers as float64, or classes as they are predicted.
    classes : ndarray or None
        The classes, sorted; None of numbers.
    remark : str
        What was taken the target for, and what else it might be.
    """

    column: str
    loss: Any
    labels: NDArray[Any]
    classes: NDArray[Any] | None
    remark: str

    @property
    def codes(self) -> NDArray[Any]:
        """Numbers of the classes, or the labels themselves where they are numbers."""
        if self.classes is None:
            return self.labels
        return np.searchsorted(self.classes, self.labels)


def labelled(table: Table, column: str, *, skip: bool) -> tuple[Table, int]:
    """Return the rows that have a label, and how many have none; an error if those are not to be."""
    present = table.frame[column].notna().to_numpy()
    missing = int((~present).sum())
    if missing == len(present):
        raise InputError(f"{table.path}: the target {column!r} has no values")
    if not missing:
        return table, 0
    if not skip:
        first = int(np.flatnonzero(~present)[0])
        raise InputError(
            f"{table.place(first, column)}: the target has no value, as in {count(missing, 'row')} in "
            f"all; --skip-unlabelled leaves such rows out"
        )
    return table.take(present), missing


def choose_target(
    table: Table, column: str, loss_text: str | None, *, categorical: bool = False
) -> Target:
    """
    Return the target of a table as a loss takes it.

    Parameters
    ----------
    table : Table
        Rows that have a label.
    column : str
        The target.
    loss_text : str or None
        The loss, as "huber:delta=2.0"; None to choose one by the labels.
    categorical : bool, default=False
        Whether the labels are classes even if they, or most of them, look like numbers.

    Raises
    ------
    InputError
        If the loss does not exist, or the target is constant or not of its kind.
    """
    loss = None if loss_text is None else _named(loss_text)
    as_text = categorical and (loss is None or loss.name not in NUMBERS)
    numbers = None if as_text else _as_numbers(table, column)
    if loss is None:
        loss, remark = _guess(table, column, numbers)
    else:
        remark = ""
    if loss.name in NUMBERS:
        labels, classes = _numbers(table, column, numbers, loss), None
    else:
        labels = _classes(table, column, numbers, loss)
        classes = np.unique(labels)
    first = labels[0]
    if (labels == first).all():
        raise InputError(
            f"{table.path}: the target {column!r} is {spell(first)} in all {len(labels):,} rows; "
            f"expected different values"
        )
    if classes is not None and not remark:
        remark = f"{len(classes)} classes"
    return Target(column, loss, labels, classes, remark or "numbers")


def learnt_loss(loss: Any, classes: NDArray[Any] | None) -> Any:
    """Return the loss that estimators minimise: for more than two classes LogLoss is CrossEntropy."""
    if classes is not None and len(classes) > 2 and loss == fl.LogLoss():
        return fl.CrossEntropy()
    return loss


def _named(text: str) -> Any:
    """Return the loss that a text names, if it is of one number or of one score a class."""
    try:
        loss = parse_loss(text)
    except ValueError as error:
        raise InputError(f"--loss {text}: {error}") from None
    if loss.name not in NUMBERS | CLASSES | TWO_CLASSES:
        raise InputError(
            f"--loss {text}: not a loss of one number or one score a class; expected, for numbers, "
            f"{_listed(NUMBERS)}; for classes, {_listed(TWO_CLASSES | CLASSES)}"
        )
    return loss


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _as_numbers(table: Table, column: str) -> NDArray[np.float64] | None:
    """Return the target as float64 if all of it is numbers or truth values, else None."""
    series = table.frame[column]
    dtype = series.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return None
    if is_number(series):
        return table.to_numbers(series)
    if is_text(series) or isinstance(dtype, pd.CategoricalDtype):
        objects = series.astype(object)
        if _all_truth(series):
            return None
        if isinstance(dtype, pd.CategoricalDtype) or find_numbers(table, column):
            numbers = table.to_numbers(objects)
            return None if np.isnan(numbers).any() else numbers
        return None
    raise InputError(
        f"{table.path}: the target {column!r} is of {dtype} values; expected numbers, texts or "
        f"truth values"
    )


def _exact(table: Table, column: str, numbers: NDArray[np.float64]) -> NDArray[Any]:
    """Return whole numbers as classes: as integers, or as texts where no dtype holds them."""
    series = table.frame[column]
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    values = pd.to_numeric(series, errors="coerce")
    largest = np.iinfo(np.int64).max
    if pd.api.types.is_integer_dtype(values.dtype):
        return np.asarray(values.to_numpy(dtype=np.int64 if values.max() <= largest else np.uint64))
    if np.isinf(numbers).any():
        return numbers
    if (np.abs(numbers) < largest).all():  # the nearest float64 is beyond
        return numbers.astype(np.int64)
    return np.array([str(value) for value in series], dtype=object) if is_text(series) else numbers


def _all_truth(series: Any) -> bool:
    """Return whether all objects are truth values."""
    return bool(pd.api.types.infer_dtype(series.astype(object), skipna=True) == "boolean")


def _guess(table: Table, column: str, numbers: NDArray[np.float64] | None) -> tuple[Any, str]:
    """Return the usual loss for a target, and what was seen in it."""
    if numbers is None:
        different = table.frame[column].nunique()
    elif not (numbers == np.rint(numbers)).all():
        two = f"; if they are two classes: --categorical {column!r}"
        return fl.SquaredError(), "numbers" + (two if len(np.unique(numbers)) == 2 else "")
    else:
        different = len(np.unique(_exact(table, column, numbers)))
        if different > _FEW:
            hint = "; if they are counts: --loss poisson"
            return fl.SquaredError(), f"numbers{hint}"
    if different <= 2:
        return fl.LogLoss(), "two classes"
    numeric = numbers is not None
    hint = (
        "; if they are amounts or counts: --loss squared_error, --loss poisson" if numeric else ""
    )
    return fl.CrossEntropy(), f"{different} classes{hint}"


def _numbers(
    table: Table, column: str, numbers: NDArray[np.float64] | None, loss: Any
) -> NDArray[np.float64]:
    """Return the target of a loss of numbers, in its domain."""
    if numbers is None:
        series = table.frame[column]
        if pd.api.types.is_bool_dtype(series.dtype) or _all_truth(series):
            return np.asarray(series.to_numpy(dtype=np.float64))
        first = int(np.flatnonzero(np.isnan(table.to_numbers(series.astype(object))))[0])
        raise InputError(
            f"{table.place(first, column)}: {spell(series.iloc[first])} is no number; the loss "
            f"{loss.name} expects numbers. For classes: --loss log_loss, --loss cross_entropy"
        )
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        i = int(infinite[0])
        raise InputError(f"{table.place(i, column)}: {numbers[i]}; expected finite numbers")
    try:
        loss.loss(numbers, np.ones_like(numbers), reduction="none")
    except ValueError as error:
        found = re.match(r"y_true\[(\d+)\] = (\S+): (.*)", str(error))
        if found is None:
            raise
        raise InputError(f"{table.place(int(found[1]), column)}: {found[2]}; {found[3]}") from None
    return numbers


def _classes(
    table: Table, column: str, numbers: NDArray[np.float64] | None, loss: Any
) -> NDArray[Any]:
    """Return the target of a loss of classes: integers, truth values or texts."""
    series = table.frame[column]
    if numbers is None:
        objects = series.astype(object).to_numpy()
        if _all_truth(series):
            return np.asarray(objects, dtype=bool)
        labels = np.array([str(value) for value in objects], dtype=object)
    else:
        wrong = np.flatnonzero(numbers != np.rint(numbers))
        if len(wrong):
            i = int(wrong[0])
            advice = "For numbers: --loss squared_error, --loss huber"
            if len(np.unique(numbers)) == 2:
                advice = f"For two classes: --categorical {column!r}, which takes them for texts"
            raise InputError(
                f"{table.place(i, column)}: {spell(series.iloc[i])}; the loss {loss.name} expects "
                f"classes, whole numbers or texts. {advice}"
            )
        labels = _exact(table, column, numbers)
    different = len(np.unique(labels))
    if different > _MANY or (different > 2 and 2 * different > len(labels)):
        raise InputError(
            f"{table.path}: the target {column!r} has {different:,} different values in "
            f"{len(labels):,} rows ({some(map(spell, labels), 3)}); the loss {loss.name} expects "
            f"classes, each of several rows"
        )
    return labels


def split(
    labels: Sequence[Any] | NDArray[Any], classes: NDArray[Any] | None, share: float, seed: int
) -> NDArray[np.bool_]:
    """
    Return which rows to train on; the others are for validation.

    Of each class the same share is held out, but one row is always trained on.
    """
    rng = np.random.default_rng(seed)
    training = np.ones(len(labels), dtype=bool)
    groups = (
        [np.arange(len(labels))]
        if classes is None
        else [np.flatnonzero(np.asarray(labels) == value) for value in classes]
    )
    for rows in groups:
        held_out = min(round(share * len(rows)), len(rows) - 1)
        if classes is None or len(classes) == 2:
            held_out = max(held_out, 1)  # the metrics want both classes
        training[rng.permutation(rows)[:held_out]] = False
    if training.all():  # classes of a few rows each
        training[int(rng.choice([rows[0] for rows in groups if len(rows) > 1]))] = False
    return training
