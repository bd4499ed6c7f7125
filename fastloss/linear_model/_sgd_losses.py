"""Losses by the names that scikit-learn gives them, and which scores of two classes they take."""

from __future__ import annotations

from typing import Any

import fastloss as fl

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


def named_loss(loss: object, epsilon: float) -> Any:
    """Return the loss that scikit-learn means by a name, or what was given if it means none."""
    if not isinstance(loss, str):
        return loss
    if loss == "squared_error":
        return fl.HalfSquaredError()
    if loss == "huber":
        return fl.Huber(delta=epsilon)
    if loss == "epsilon_insensitive":
        return fl.EpsilonInsensitive(epsilon=epsilon)
    if loss == "squared_epsilon_insensitive":
        return fl.SquaredEpsilonInsensitive(epsilon=epsilon)
    return loss
