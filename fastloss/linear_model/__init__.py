"""
Linear models for scikit-learn, on objectives that read the data once per evaluation.

The names, parameters and attributes are those of scikit-learn's own classes, so that changing the
import is enough. Needs scikit-learn 1.6 or newer: ``pip install 'fastloss[sklearn]'``.

>>> from sklearn.datasets import load_digits
>>> from fastloss.linear_model import LogisticRegression
>>> X, y = load_digits(return_X_y=True)
>>> round(LogisticRegression(C=0.01).fit(X / 16, y).score(X / 16, y), 2)
0.92
"""

from fastloss.linear_model import _requirements  # noqa: F401  # first: it may raise
from fastloss.linear_model._classifier import LinearClassifier
from fastloss.linear_model._glm import GammaRegressor, PoissonRegressor, TweedieRegressor
from fastloss.linear_model._huber import HuberRegressor
from fastloss.linear_model._logistic import LogisticRegression
from fastloss.linear_model._progress import Convergence, FitProgress
from fastloss.linear_model._progress_bar import ProgressBar
from fastloss.linear_model._quantile import QuantileRegressor
from fastloss.linear_model._regressor import LinearRegressor
from fastloss.linear_model._sgd_arrow import ArrowBatches
from fastloss.linear_model._sgd_classifier import SGDClassifier
from fastloss.linear_model._sgd_history import EpochProgress, History
from fastloss.linear_model._sgd_regressor import SGDRegressor

__all__ = [
    "ArrowBatches",
    "Convergence",
    "EpochProgress",
    "FitProgress",
    "GammaRegressor",
    "History",
    "HuberRegressor",
    "LinearClassifier",
    "LinearRegressor",
    "LogisticRegression",
    "PoissonRegressor",
    "ProgressBar",
    "QuantileRegressor",
    "SGDClassifier",
    "SGDRegressor",
    "TweedieRegressor",
]
