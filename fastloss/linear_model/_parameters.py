"""Checks of the estimators' parameters, made when they are fitted."""

from __future__ import annotations

import math
import numbers

import numpy as np

from fastloss.losses._parameters import between, nonnegative, one_of, positive, real

__all__ = [
    "between",
    "integer",
    "inverse_strength",
    "nonnegative",
    "one_of",
    "positive",
    "real",
    "switch",
    "threads",
    "verbosity",
]


def integer(name: str, value: object, least: int) -> int:
    """Return an integer of at least some size."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} = {value!r}: expected an integer")
    result = int(value)
    if result < least:
        raise ValueError(f"{name} = {value!r}: expected an integer of at least {least}")
    return result


def switch(name: str, value: object) -> bool:
    """Return a bool."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} = {value!r}: expected True or False")
    return bool(value)


def verbosity(value: object) -> int:
    """Return verbose, an integer of at least 0 or a bool."""
    if isinstance(value, bool | np.bool_):
        return int(value)
    return integer("verbose", value, 0)


def inverse_strength(name: str, value: object) -> float:
    """Return a number greater than 0, which may be infinite."""
    if isinstance(value, numbers.Real) and float(value) == math.inf:
        return math.inf
    return positive(name, value)


def threads(n_jobs: object) -> int | None:
    """Return the number of threads that scikit-learn's n_jobs means."""
    if n_jobs is None:
        return None
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, numbers.Integral):
        raise TypeError(f"n_jobs = {n_jobs!r}: expected an integer or None")
    count = int(n_jobs)
    if count == 0:
        raise ValueError("n_jobs = 0: expected an integer other than 0, or None")
    if count > 0:
        return count
    from fastloss import cpu_info

    return max(1, int(cpu_info()["n_threads"]) + 1 + count)
