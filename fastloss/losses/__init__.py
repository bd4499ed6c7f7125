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
from fastloss.losses.cumulative import CumulativeLogit
from fastloss.losses.distributional import GaussianNLL, MultiPinball
from fastloss.losses.divergences import JensenShannon, KLDivergence
from fastloss.losses.multiclass import NLL, CrossEntropy
from fastloss.losses.multiclass_margins import CrammerSinger, MulticlassHinge, MultilabelMargin
from fastloss.losses.one_vs_rest import OneVsRest
from fastloss.losses.ordinal import Coral, RankedProbabilityScore
from fastloss.losses.powers import BarronRobust, Lq
from fastloss.losses.registry import available_losses, get_loss
from fastloss.losses.regression import AbsoluteError, HalfSquaredError, Huber, Pinball, SquaredError
from fastloss.losses.softmax import (
    MulticlassFocal,
    MulticlassGeneralizedCE,
    Sparsemax,
    SymmetricCrossEntropy,
)

__all__ = [
    "NLL",
    "AbsoluteError",
    "BarronRobust",
    "Coral",
    "CrammerSinger",
    "CrossEntropy",
    "CumulativeLogit",
    "Gamma",
    "GaussianNLL",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "JensenShannon",
    "KLDivergence",
    "LogLoss",
    "Lq",
    "MultiPinball",
    "MulticlassFocal",
    "MulticlassGeneralizedCE",
    "MulticlassHinge",
    "MultilabelMargin",
    "NegativeBinomial",
    "OneVsRest",
    "Pinball",
    "Poisson",
    "RankedProbabilityScore",
    "Sparsemax",
    "SquaredError",
    "SquaredHinge",
    "SquaredLogError",
    "SymmetricCrossEntropy",
    "Tweedie",
    "TweedieIdentity",
    "available_losses",
    "get_loss",
]
