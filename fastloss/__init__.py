"""
Training losses on the CPU: value, gradient and Hessian in one pass.

At the speed of memory, exact in the tails, the same bits for any number of threads; NumPy arrays
in, NumPy arrays out.

>>> import numpy as np
>>> import fastloss as fl
>>> loss, gradient = fl.LogLoss().loss_gradient(np.array([1, 0]), np.array([40.0, -40.0]))
>>> loss
4.248354255291589e-18
"""

import importlib as _importlib
import typing as _typing

try:
    from fastloss._core.runtime import cpu_info, get_num_threads, set_num_threads
except ModuleNotFoundError as error:
    if error.name is None or not error.name.startswith("fastloss."):
        raise
    raise ImportError(
        f"fastloss: {__path__[0]} holds the sources, whose modules are not compiled: start Python in "
        f"another folder, where the installed package is found, or compile them with `pip install -e .`"
    ) from None

from fastloss._bases.sums import LossSums
from fastloss._check_gradient import Comparison, GradientCheck, check_gradient
from fastloss._linear.objective import LinearObjective
from fastloss._linear.sums import LinearSums
from fastloss._plot_convergence import plot_convergence
from fastloss._sgd.linear_sgd import LinearSGD
from fastloss._sgd.step import sgd_step
from fastloss.losses import (
    NLL,
    AbsoluteError,
    AbsolutePercentageError,
    Asymmetric,
    BarronRobust,
    BinaryCrossEntropy,
    Cauchy,
    CLogLog,
    Coral,
    CrammerSinger,
    CrossEntropy,
    CumulativeLogit,
    EpsilonInsensitive,
    Expectile,
    Exponential,
    Fair,
    Focal,
    Gamma,
    GaussianCRPS,
    GaussianNLL,
    GemanMcClure,
    GeneralizedCrossEntropy,
    HalfSquaredError,
    Hinge,
    Huber,
    JensenShannon,
    KLDivergence,
    LogCosh,
    LogLoss,
    Lq,
    ModifiedHuber,
    MulticlassFocal,
    MulticlassGeneralizedCE,
    MulticlassHinge,
    MultilabelMargin,
    MultiPinball,
    NegativeBinomial,
    OneVsRest,
    Perceptron,
    Pinball,
    Poisson,
    Poly1,
    Probit,
    PseudoHuber,
    RankedProbabilityScore,
    SmoothHinge,
    SmoothL1,
    Sparsemax,
    SquaredEpsilonInsensitive,
    SquaredError,
    SquaredHinge,
    SquaredLogError,
    StudentT,
    SymmetricCrossEntropy,
    Tukey,
    Tweedie,
    TweedieIdentity,
    Welsch,
    Wing,
    available_losses,
    get_loss,
)

if _typing.TYPE_CHECKING:
    from fastloss import optim as optim

__version__ = "0.1.0"

__all__ = [
    "NLL",
    "AbsoluteError",
    "AbsolutePercentageError",
    "Asymmetric",
    "BarronRobust",
    "BinaryCrossEntropy",
    "CLogLog",
    "Cauchy",
    "Comparison",
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
    "GradientCheck",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "JensenShannon",
    "KLDivergence",
    "LinearObjective",
    "LinearSGD",
    "LinearSums",
    "LogCosh",
    "LogLoss",
    "LossSums",
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
    "check_gradient",
    "cpu_info",
    "get_loss",
    "get_num_threads",
    "plot_convergence",
    "set_num_threads",
    "sgd_step",
]


def __dir__() -> list[str]:
    """Return the public names; not linear_model before its import: scikit-learn may be missing."""
    return sorted({*globals(), "optim"})


def __getattr__(name: str) -> _typing.Any:
    """Import `fastloss.optim` and `fastloss.linear_model` when they are first asked for."""
    if name in ("optim", "linear_model"):
        try:
            return _importlib.import_module(f"fastloss.{name}")
        except ImportError as error:  # hasattr() wants this kind
            raise AttributeError(str(error)) from error
    hint = ""
    if not name.startswith("_"):  # those are looked for by tools
        from fastloss.losses.registry import named_elsewhere

        hint = named_elsewhere(name)
    raise AttributeError(f"module 'fastloss' has no attribute {name!r}{hint}")
