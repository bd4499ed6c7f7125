"""scikit-learn's own checks of SGDClassifier and SGDRegressor with optimizers, no failure expected."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastloss as fl
from fastloss.linear_model import SGDClassifier, SGDRegressor

# few epochs where the many classes of a check make them long
ESTIMATORS = [
    SGDClassifier("log_loss", optimizer="adam", eta0=0.1, batch_size=8, max_iter=20),
    SGDClassifier("cross_entropy", optimizer=fl.optim.FTRL(0.5), penalty="l1", max_iter=20),
    SGDRegressor(optimizer=fl.optim.Adagrad(1.0), batch_size=4, max_iter=50),
    SGDRegressor("huber", optimizer="rmsprop", average=True, max_iter=20),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(ESTIMATORS)
def test_checks(estimator, check):
    check(estimator)
