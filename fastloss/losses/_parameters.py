"""Validation of the numbers a loss is built from."""

from __future__ import annotations

import math
import numbers
from typing import Any


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


def nonnegative(name: str, value: object) -> float:
    """Return a finite float of at least 0."""
    result = real(name, value)
    if result < 0:
        raise ValueError(f"{name} = {value!r}: expected a number of at least 0")
    return abs(result)  # 0, not -0


def scale(name: str, value: object) -> float:
    """Return a float greater than 0 whose square and its inverse are floats."""
    return between(name, value, 1e-150, 1e150)


def one_of(name: str, value: object, choices: tuple[str, ...]) -> str:
    """Return one of some words."""
    if not isinstance(value, str):
        raise TypeError(f"{name} = {value!r}: expected one of {', '.join(map(repr, choices))}")
    if value not in choices:
        raise ValueError(f"{name} = {value!r}: expected one of {', '.join(map(repr, choices))}")
    return value


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
