"""The losses, one small class each, and their registry."""

from fastloss.losses.counts import Poisson
from fastloss.losses.focal import Asymmetric, Focal, GeneralizedCrossEntropy
from fastloss.losses.links import CLogLog, Probit
from fastloss.losses.logistic import Exponential, LogLoss, Poly1
from fastloss.losses.margins import Hinge, ModifiedHuber, Perceptron, SmoothHinge, SquaredHinge
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
    "Asymmetric",
    "CLogLog",
    "CrossEntropy",
    "Exponential",
    "Focal",
    "GeneralizedCrossEntropy",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "LogLoss",
    "ModifiedHuber",
    "Perceptron",
    "Pinball",
    "Poisson",
    "Poly1",
    "Probit",
    "SmoothHinge",
    "SquaredError",
    "SquaredHinge",
    "available_losses",
    "get_loss",
]
