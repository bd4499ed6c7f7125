"""Validation of the arguments of optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastloss.losses._parameters import nonnegative

Schedule = Callable[[int], float]


def setting(name: str) -> Any:
    """Return a read-only attribute for one entry of ``settings``."""
    return property(lambda optimizer: optimizer.settings[name], doc=f"The setting {name}.")


def checked_rate(name: str, lr: object) -> float | Schedule:
    """Return a learning rate as a float of at least 0, or a schedule as it is."""
    if callable(lr):
        return lr
    try:
        return nonnegative(name, lr)
    except TypeError:
        raise TypeError(f"{name} = {lr!r}: expected a number or a schedule") from None


def sign(maximize: bool) -> float:
    """Return what the kernels take the sign of: -0.0 turns every gradient round."""
    return -0.0 if maximize else 0.0


def lerp_coefficient(weight: float) -> float:
    """Return what src/optim/update.h takes for a weight: counted from the nearer end."""
    return weight if weight < 0.5 else -(1 - weight)
