"""The losses, one small class each, and their registry."""

from fastloss.losses.binary import Hinge, LogLoss, SquaredHinge
from fastloss.losses.counts import Poisson
from fastloss.losses.multiclass import CrossEntropy
from fastloss.losses.redescending import Cauchy, GemanMcClure, StudentT, Tukey, Welsch, Wing
from fastloss.losses.registry import available_losses, get_loss
from fastloss.losses.regression import (
    AbsoluteError,
    AbsolutePercentageError,
    EpsilonInsensitive,
    Expectile,
    HalfSquaredError,
    Pinball,
    SquaredEpsilonInsensitive,
    SquaredError,
)
from fastloss.losses.robust import Fair, Huber, LogCosh, PseudoHuber, SmoothL1

__all__ = [
    "AbsoluteError",
    "AbsolutePercentageError",
    "Cauchy",
    "CrossEntropy",
    "EpsilonInsensitive",
    "Expectile",
    "Fair",
    "GemanMcClure",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "LogCosh",
    "LogLoss",
    "Pinball",
    "Poisson",
    "PseudoHuber",
    "SmoothL1",
    "SquaredEpsilonInsensitive",
    "SquaredError",
    "SquaredHinge",
    "StudentT",
    "Tukey",
    "Welsch",
    "Wing",
    "available_losses",
    "get_loss",
]
