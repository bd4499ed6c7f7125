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
from fastloss.losses.softmax import (
    MulticlassFocal,
    MulticlassGeneralizedCE,
    Sparsemax,
    SymmetricCrossEntropy,
)

__all__ = [
    "NLL",
    "AbsoluteError",
    "AbsolutePercentageError",
    "BarronRobust",
    "Cauchy",
    "Coral",
    "CrammerSinger",
    "CrossEntropy",
    "CumulativeLogit",
    "EpsilonInsensitive",
    "Expectile",
    "Fair",
    "Gamma",
    "GaussianNLL",
    "GemanMcClure",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "JensenShannon",
    "KLDivergence",
    "LogCosh",
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
    "PseudoHuber",
    "RankedProbabilityScore",
    "SmoothL1",
    "Sparsemax",
    "SquaredEpsilonInsensitive",
    "SquaredError",
    "SquaredHinge",
    "SquaredLogError",
    "StudentT",
    "SymmetricCrossEntropy",
    "Tukey",
    "Tweedie",
    "TweedieIdentity",
    "Welsch",
    "Wing",
    "available_losses",
    "get_loss",
]
