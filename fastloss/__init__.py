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

from fastloss._check_gradient import Comparison, GradientCheck, check_gradient
from fastloss._optim import sgd_step
from fastloss._runtime import cpu_info, get_num_threads, set_num_threads
from fastloss._sums import LossSums
from fastloss.losses import (
    AbsoluteError,
    Asymmetric,
    CLogLog,
    CrossEntropy,
    Exponential,
    Focal,
    GeneralizedCrossEntropy,
    HalfSquaredError,
    Hinge,
    Huber,
    LogLoss,
    ModifiedHuber,
    Perceptron,
    Pinball,
    Poisson,
    Poly1,
    Probit,
    SmoothHinge,
    SquaredError,
    SquaredHinge,
    available_losses,
    get_loss,
)

__version__ = "0.1.0"

__all__ = [
    "AbsoluteError",
    "Asymmetric",
    "CLogLog",
    "Comparison",
    "CrossEntropy",
    "Exponential",
    "Focal",
    "GeneralizedCrossEntropy",
    "GradientCheck",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "LogLoss",
    "LossSums",
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
    "check_gradient",
    "cpu_info",
    "get_loss",
    "get_num_threads",
    "set_num_threads",
    "sgd_step",
]
