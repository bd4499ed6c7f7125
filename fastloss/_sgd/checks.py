"""What `LinearSGD` is given: numbers, rows, and X where a fit has failed."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]


def whole(name: str, value: object, least: int, what: str, most: float = math.inf) -> int:
    """Return an integer of at least, and perhaps at most, some size."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} = {value!r}: expected {what}")
    number = int(value)
    if not least <= number <= most:
        raise ValueError(f"{name} = {value!r}: expected {what}")
    return number


def checked_dtype(dtype: Any) -> np.dtype[Any]:
    """Return float32 or float64, in any byte order."""
    try:
        kind: np.dtype[Any] = np.dtype(dtype)
    except (TypeError, ValueError):
        kind = np.dtype(object)
    if dtype is None or kind not in (np.float32, np.float64):
        raise TypeError(f"dtype = {dtype!r}: expected float32 or float64")
    return kind


def checked_random(name: str, value: object) -> int:
    """Return a state of the generator of shuffles."""
    return whole(name, value, 0, "an integer in [0, 2**64)", 2**64 - 1)


def refuse_shared(
    loss: Any,
    of_rows: bool,
    batch_size: int,
    momentum: float,
    average: int,
    penalty: str | None,
    l1: float,
    optimizer: Any,
) -> None:
    """Raise an error for what threads that do not wait cannot do."""
    if of_rows:
        raise ValueError(f"lock_free = True: expected a loss of one output, not {loss!r}")
    if l1 > 0:
        raise ValueError(f"penalty = {penalty!r}: lock_free=True expects 'l2' or None")
    for name, value, expected in (
        ("batch_size", batch_size, 1),
        ("momentum", momentum, 0),
        ("average", average, False),
        ("optimizer", optimizer, None),
    ):
        if value != expected:
            raise ValueError(f"{name} = {value!r}: lock_free=True expects {expected}")


def refuse_nonfinite(matrix: Any) -> None:
    """Name the first number of X that is not finite, if there is one: looked for where a fit failed."""
    dense = not isinstance(matrix, tuple)
    rows = matrix if dense else matrix[0]
    for start in range(0, len(rows), 4096):
        wrong = np.argwhere(~np.isfinite(rows[start : start + 4096]))
        if len(wrong):
            place = [start + int(wrong[0][0]), *map(int, wrong[0][1:])]
            name = "X" if dense else "X.data"
            inside = ", ".join(map(str, place))
            value = rows[tuple(place)]
            raise ValueError(f"{name}[{inside}] = {value}: expected finite numbers")
