"""The losses, one small class each, and their registry."""

from fastloss.losses.binary import Hinge, LogLoss, SquaredHinge
from fastloss.losses.counts import (
    Gamma,
    NegativeBinomial,
    Poisson,
    SquaredLogError,
    Tweedie,
    TweedieIdentity,
)
from fastloss.losses.multiclass import CrossEntropy
from fastloss.losses.registry import available_losses, get_loss
from fastloss.losses.regression import (
    AbsoluteError,
    HalfSquaredError,
    Huber,
    Pinball,
    SquaredError,
)

__all__ = [
    "AbsoluteError",
    "CrossEntropy",
    "Gamma",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "LogLoss",
    "NegativeBinomial",
    "Pinball",
    "Poisson",
    "SquaredError",
    "SquaredHinge",
    "SquaredLogError",
    "Tweedie",
    "TweedieIdentity",
    "available_losses",
    "get_loss",
]
