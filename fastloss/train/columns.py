"""Which columns are numbers, which are categories, and which are left out and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fastloss.train.errors import InputError
from fastloss.train.levels import category_text
from fastloss.train.table import Table, find_numbers, is_number, is_text

_DATE = r"\d{4}-\d\d-\d\d"  # at the beginning of a text


@dataclass
class Columns:
    """
    What the columns of a table are used as.

    Attributes
    ----------
    numbers, categories : list of str
        Names, in the order of the file.
    left_out : dict of str to str
        Why, for those that are neither.
    remarks : list of str
        What is done about missing values and rare levels.
    """

    numbers: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def choose_columns(
    table: Table,
    training: NDArray[np.bool_],
    *,
    apart: Collection[str],
    categorical: Collection[str],
    min_frequency: int,
    max_categories: int,
) -> Columns:
    """
    Look at the columns of a table.

    Parameters
    ----------
    table : Table
        All rows; mistakes are looked for in all of them.
    training : ndarray of bool
        The rows that are trained on, which decide.
    apart : collection of str
        Columns that are no features: target, weights, those that the user leaves out.
    categorical : collection of str
        Columns that are categories even if they look like numbers.
    min_frequency, max_categories : int
        As `make_encoder` takes them.

    Raises
    ------
    InputError
        If a column of numbers has a value that is none, infinite or too large to be standardised, or no
        column remains.
    """
    chosen = Columns()
    nameless = table.frame.attrs.get("nameless", ())
    for name in table.frame.columns:
        if name in apart:
            continue
        if name in nameless:
            chosen.left_out[name] = "it has no name"
            continue
        series = table.frame[name]
        kind = _kind(table, name, name in categorical)
        if not series[training].notna().any():
            chosen.left_out[name] = "it has no values"
        elif kind == "number":
            _take_number(chosen, table, training, name)
        elif kind == "category":
            _take_category(chosen, series[training], name, min_frequency, max_categories)
        else:
            chosen.left_out[name] = f"it is of {kind}"
    if not chosen.numbers and not chosen.categories:
        reasons = "; ".join(f"{name!r}: {why}" for name, why in chosen.left_out.items())
        raise InputError(
            f"{table.path}: no column is left to learn from" + (f" ({reasons})" if reasons else "")
        )
    return chosen


def _kind(table: Table, name: str, categorical: bool) -> str:
    """Return "number", "category" or what else a column is of."""
    series = table.frame[name]
    dtype = series.dtype
    if pd.api.types.is_bool_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if is_number(series):
        return "category" if categorical else "number"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "dates"
    if pd.api.types.is_timedelta64_dtype(dtype):
        return "time differences"
    if not is_text(series):
        return f"{dtype} values"
    objects = pd.api.types.infer_dtype(series, skipna=True)
    if objects == "empty" or (objects in ("string", "boolean") and categorical):
        return "category"
    if objects in ("decimal", "integer", "floating", "mixed-integer-float"):
        return "category" if categorical else "number"
    if objects == "boolean":
        return "category"
    if objects == "string":
        if series.dropna().str.match(_DATE).all():
            return "dates"
        return "number" if find_numbers(table, name) else "category"
    return "dates" if "date" in objects else f"{objects} values"


def _take_number(chosen: Columns, table: Table, training: NDArray[np.bool_], name: str) -> None:
    numbers = table.numbers(name, what="a column of numbers")
    table.frame[name] = numbers
    values = numbers[training]
    missing = int(np.isnan(values).sum())
    if not missing and (values == values[0]).all():
        chosen.left_out[name] = f"it is {values[0]:g} in all rows"
        return
    # no difference of two is more than twice the largest: their squares' sum stays finite
    most = np.sqrt(np.finfo(np.float64).max / len(numbers)) / 2
    large = np.flatnonzero(np.abs(numbers) > most)
    if len(large):
        i = int(large[0])
        raise InputError(
            f"{table.place(i, name)}: {numbers[i]:g} is too large for a column that is standardised; "
            f"expected sizes of at most {most:.1e}"
        )
    chosen.numbers.append(name)
    if missing:
        chosen.remarks.append(
            f"{name!r}: {_values(missing)} missing, filled with the median; a feature tells where"
        )


def _take_category(
    chosen: Columns, column: Any, name: str, min_frequency: int, max_categories: int
) -> None:
    texts = pd.Series(category_text(column), dtype=object)
    counts = texts.value_counts(dropna=False)
    frequent = int((counts >= min_frequency).sum())
    if len(counts) == 1:
        chosen.left_out[name] = f"it is {counts.index[0]!r} in all rows"
        return
    if not frequent:
        chosen.left_out[name] = (
            f"it has {len(counts):,} different values, none of them in {min_frequency} rows"
        )
        return
    chosen.categories.append(name)
    missing = int(texts.isna().sum())
    if missing:
        chosen.remarks.append(f"{name!r}: {_values(missing)} missing; that is a level of its own")
    kept = frequent
    if len(counts) > max_categories:
        kept = min(frequent, max_categories - 1)
    if kept < len(counts):
        chosen.remarks.append(
            f"{name!r}: {len(counts) - kept:,} of {len(counts):,} levels are rare and share one "
            f"feature"
        )


def _values(count: int) -> str:
    return "1 value is" if count == 1 else f"{count:,} values are"
