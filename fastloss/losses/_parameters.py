"""Validation of the numbers a loss is built from."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np


def parameter(name: str) -> Any:
    """Return a read-only attribute for one entry of ``params``."""
    return property(lambda loss: loss.params[name], doc=f"The parameter {name}.")


def real(name: str, value: object) -> float:
    """Return a finite float, or raise an error that names the parameter."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} = {value!r}: expected a number")
    try:
        result = float(value)
    except OverflowError:  # an integer beyond the floats
        result = math.inf
    if not math.isfinite(result):
        raise ValueError(f"{name} = {value!r}: expected a finite number")
    return result


def positive(name: str, value: object) -> float:
    """Return a finite float greater than 0."""
    result = real(name, value)
    if result <= 0:
        raise ValueError(f"{name} = {value!r}: expected a number greater than 0")
    return result


def between(name: str, value: object, low: float, high: float, *, closed: str = "both") -> float:
    """Return a float in an interval; `closed` is "both", "left" or "neither"."""
    result = real(name, value)
    inside = (low <= result if closed in ("both", "left") else low < result) and (
        result <= high if closed == "both" else result < high
    )
    if not inside:
        opening = "[" if closed in ("both", "left") else "("
        closing = "]" if closed == "both" else ")"
        raise ValueError(
            f"{name} = {value!r}: expected a number in {opening}{low:g}, {high:g}{closing}"
        )
    return result


def one_of(name: str, value: object, choices: Sequence[str]) -> None:
    """Raise an error unless the value is one of a few words."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} = {value!r}: expected one of {', '.join(map(repr, choices))}")


def rounded(value: Fraction) -> float:
    """Return the nearest float64, infinity where it is beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def pair(value: float) -> tuple[float, float]:
    """Return a float32 and the rest: kernels of either precision get the value to more than its own."""
    high = float(np.float32(value))
    return high, value - high
