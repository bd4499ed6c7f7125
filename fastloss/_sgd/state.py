"""States of `LinearSGD` that come from elsewhere: what they must hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastloss._core.arrays import array_of
from fastloss._sgd.checks import checked_random, whole
from fastloss.losses._parameters import nonnegative, positive, real, truth

#: arrays, or None where they are not used
_ARRAYS = (
    "coef",
    "intercept",
    "received",
    "average",
    "average_intercept",
    "velocity",
    "intercept_velocity",
    "pending_row",
    "pending_times",
    "moment_0",
    "moment_1",
    "moment_2",
    "intercept_moments",
)


def _at_least_1(name: str, value: object) -> float:
    number = real(name, value)
    if number < 1:
        raise ValueError(f"{name} = {value!r}: expected a number of at least 1")
    return number


def _taken(name: str, value: object) -> float:
    """Return what L1 may have taken from any coefficient: under a huge penalty, infinity in the end."""
    return math.inf if isinstance(value, float) and value == math.inf else nonnegative(name, value)


#: which numbers are bounded
_BOUNDED: dict[str, Callable[[str, object], float]] = {
    "t": _at_least_1,
    "eta": nonnegative,
    "scale": positive,
    "penalty": _taken,
    "n_averaged": nonnegative,
}


def checked_state(given: Any, mine: dict[str, Any]) -> dict[str, Any]:
    """
    Return a copy of a state that fits another one.

    Parameters
    ----------
    given : dict
        Of `LinearSGD.state_dict`.
    mine : dict
        The state whose place it takes.

    Returns
    -------
    dict
        With arrays and numbers of their own.

    Raises
    ------
    TypeError, ValueError
        If an entry is missing, or is not what it could have become.
    """
    if not isinstance(given, dict):
        raise TypeError(f"state: expected a dict, got {type(given).__name__}")
    if set(given) != set(mine):
        names = ", ".join(sorted(map(str, set(given) ^ set(mine))))
        raise ValueError(f"state: has {names} too many or too few")
    return {name: _checked_entry(name, given[name], mine[name]) for name in mine}


def _checked_entry(key: str, given: Any, mine: Any) -> Any:
    name = f"state[{key!r}]"
    if key not in _ARRAYS and isinstance(given, np.generic | np.ndarray) and np.ndim(given) == 0:
        given = given.item()
    if key == "n_features":
        if whole(name, given, 1, "a positive integer") != mine:
            raise ValueError(f"{name} = {given}: expected {mine}")
        return mine
    if key in _ARRAYS:
        values = None if given is None else array_of(given, name)
        expected = None if mine is None else mine.shape
        found = None if values is None else values.shape
        if found != expected:
            has = "is None" if found is None else f"has shape {found}"
            wanted = "None" if expected is None else f"an array of shape {expected}"
            raise ValueError(f"{name} {has}: expected {wanted}")
        return None if values is None else np.array(values, dtype=mine.dtype, order="C")
    if key == "random":
        return checked_random(name, given)
    if isinstance(mine, str):  # the optimizer's name
        if not isinstance(given, str) or given != mine:
            raise ValueError(f"{name} = {given!r}: expected {mine!r}")
        return mine
    if isinstance(mine, bool):
        return truth(name, given)
    if isinstance(mine, int):
        return whole(name, given, 0, "an integer in [0, 2**62]", 2**62)
    return _BOUNDED.get(key, real)(name, given)
