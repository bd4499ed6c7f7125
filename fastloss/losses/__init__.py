"""The losses, one small class each, and their registry."""

from fastloss.losses.counts import (
    Gamma,
    NegativeBinomial,
    Poisson,
    SquaredLogError,
    Tweedie,
    TweedieIdentity,
)
from fastloss.losses.cumulative import CumulativeLogit
from fastloss.losses.distributional import GaussianCRPS, GaussianNLL, MultiPinball
from fastloss.losses.divergences import JensenShannon, KLDivergence
from fastloss.losses.focal import Asymmetric, Focal, GeneralizedCrossEntropy
from fastloss.losses.links import CLogLog, Probit
from fastloss.losses.logistic import BinaryCrossEntropy, Exponential, LogLoss, Poly1
from fastloss.losses.margins import Hinge, ModifiedHuber, Perceptron, SmoothHinge, SquaredHinge
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
    "Asymmetric",
    "BarronRobust",
    "BinaryCrossEntropy",
    "CLogLog",
    "Cauchy",
    "Coral",
    "CrammerSinger",
    "CrossEntropy",
    "CumulativeLogit",
    "EpsilonInsensitive",
    "Expectile",
    "Exponential",
    "Fair",
    "Focal",
    "Gamma",
    "GaussianCRPS",
    "GaussianNLL",
    "GemanMcClure",
    "GeneralizedCrossEntropy",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "JensenShannon",
    "KLDivergence",
    "LogCosh",
    "LogLoss",
    "Lq",
    "ModifiedHuber",
    "MultiPinball",
    "MulticlassFocal",
    "MulticlassGeneralizedCE",
    "MulticlassHinge",
    "MultilabelMargin",
    "NegativeBinomial",
    "OneVsRest",
    "Perceptron",
    "Pinball",
    "Poisson",
    "Poly1",
    "Probit",
    "PseudoHuber",
    "RankedProbabilityScore",
    "SmoothHinge",
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
