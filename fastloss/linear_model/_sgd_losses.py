"""Losses by the names that scikit-learn gives them, and which scores of two classes they take."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import fastloss as fl
from fastloss.linear_model._losses import choose_loss

# losses of numbers that also tell two classes apart, as numbers -1 and 1
SIGNS = frozenset(
    {
        "absolute_error",
        "barron_robust",
        "cauchy",
        "epsilon_insensitive",
        "fair",
        "geman_mc_clure",
        "half_squared_error",
        "huber",
        "log_cosh",
        "lq",
        "pseudo_huber",
        "smooth_l1",
        "squared_epsilon_insensitive",
        "squared_error",
        "student_t",
        "tukey",
        "welsch",
        "wing",
    }
)


def sgd_loss(loss: object, epsilon: float, allowed: frozenset[str], kind: str) -> Any:
    """Return a loss by what scikit-learn means by its name, or else as `choose_loss` does."""
    if isinstance(loss, str) and loss in allowed:
        return _made(loss, epsilon)
    return choose_loss(loss, allowed, kind)


@lru_cache
def _made(name: str, epsilon: float) -> Any:
    if name == "squared_error":
        return fl.HalfSquaredError()
    if name == "huber":
        if epsilon == 0:
            raise ValueError(
                "epsilon = 0: expected a number above 0 for loss 'huber', whose derivative would be "
                "0 everywhere"
            )
        return fl.Huber(delta=epsilon)
    if name == "epsilon_insensitive":
        return fl.EpsilonInsensitive(epsilon=epsilon)
    if name == "squared_epsilon_insensitive":
        return fl.SquaredEpsilonInsensitive(epsilon=epsilon)
    return fl.get_loss(name)
