"""scikit-learn's own checks of SGDClassifier and SGDRegressor, with no failure expected."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastloss.linear_model import SGDClassifier, SGDRegressor

# few epochs where the many classes of a check make them long
ESTIMATORS = [
    SGDClassifier(),
    SGDClassifier("cross_entropy", max_iter=20),
    SGDClassifier("log_loss", batch_size=8, learning_rate="constant", eta0=0.1, max_iter=20),
    SGDClassifier("log_loss", learning_rate="constant", eta0=0.1, average=True, max_iter=50),
    SGDRegressor(),
    SGDRegressor("huber", penalty="elasticnet", momentum=0.5, max_iter=20),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(ESTIMATORS)
def test_checks(estimator, check):
    check(estimator)
