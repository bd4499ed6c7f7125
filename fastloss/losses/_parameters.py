"""Validation of the numbers a loss is built from."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Mapping, Set
from fractions import Fraction
from typing import Any

import numpy as np

from fastloss._core.arrays import refuse_masked

#: The second derivative, or what stands for it where that may be negative, or vanish far out.
HESSIANS = ("exact", "bounded")


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


def integer(name: str, value: object, wanted: str) -> int:
    """Return an integer of any kind but a truth value; `wanted` ends the message for others."""
    if isinstance(value, bool):
        raise TypeError(f"{name} = {value!r}: expected {wanted}")
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} = {value!r}: expected {wanted}") from None


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


def one_of(name: str, value: object, choices: tuple[str | None, ...]) -> str:
    """Return one of some words; None among them is for the message only."""
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
        if math.isinf(high) and not math.isinf(low):
            limits = f"of at least {low:g}" if opening == "[" else f"greater than {low:g}"
        else:
            limits = f"in {opening}{low:g}, {high:g}{closing}"
        raise ValueError(f"{name} = {value!r}: expected a number {limits}")
    return result


def power_of_probability(q: object) -> float:
    """Return q of a generalised cross-entropy: of smaller ones 1 / q has no float32."""
    result = real("q", q)
    if result != 0 and not 1e-30 <= result <= 1:
        raise ValueError(f"q = {q!r}: expected a number, 0 or in [1e-30, 1]")
    return result


def truth(name: str, value: object) -> bool:
    """Return a bool, or raise an error that names the parameter."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} = {value!r}: expected True or False")
    return value


def number_sequence(name: str, values: object, low: float, high: float) -> tuple[float, ...]:
    """Return a sequence of finite floats in [low, high], or raise an error that names the parameter."""
    refuse_masked(values, name)
    if isinstance(values, Mapping | Set):  # which would give its keys
        raise TypeError(f"{name} = {values!r}: expected a sequence of numbers, in their order")
    try:
        entries: tuple[Any, ...] = tuple(values)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} = {values!r}: expected a sequence of numbers") from None
    if not entries:
        raise ValueError(f"{name} = {values!r}: expected at least one number")
    result = []
    for k, entry in enumerate(entries):
        number = real(f"{name}[{k}]", entry)
        if not low <= number <= high:
            limits = f"of at least {low:g}" if math.isinf(high) else f"in [{low:g}, {high:g}]"
            raise ValueError(f"{name}[{k}] = {entry!r}: expected a number {limits}")
        result.append(number)
    return tuple(result)


def in_parts(exact: Fraction) -> tuple[float, float, float]:
    """Return a number rounded, and what is then missing of it: in float64, and in float32."""
    value = float(exact)
    single = float(np.float32(value))
    return value, float(exact - Fraction(value)), float(exact - Fraction(single))
