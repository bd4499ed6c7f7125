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
from fastloss.losses.powers import BarronRobust, Lq
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
    "BarronRobust",
    "CrossEntropy",
    "Gamma",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "LogLoss",
    "Lq",
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
