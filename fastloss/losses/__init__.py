"""The losses, one small class each, and their registry."""

from fastloss.losses.binary import Hinge, LogLoss, SquaredHinge
from fastloss.losses.counts import Poisson
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
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "LogLoss",
    "Pinball",
    "Poisson",
    "SquaredError",
    "SquaredHinge",
    "available_losses",
    "get_loss",
]
