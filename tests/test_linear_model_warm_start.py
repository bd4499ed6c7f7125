"""Warm starts of several classes begin where the last fit ended, unless that overflows."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

import fastloss as fl
from fastloss.linear_model import LinearClassifier

X, Y = load_iris(return_X_y=True)


@pytest.mark.parametrize("loss", [fl.CrossEntropy(), fl.MulticlassHinge(p=2), fl.SquaredHinge()])
def test_a_warm_start_of_several_classes_begins_where_the_last_fit_ended(loss):
    model = LinearClassifier(loss, alpha=1e-2, max_iter=2000, warm_start=True).fit(X, Y)
    records = model.convergence_
    last = records if isinstance(records, list) else [records]
    again = model.fit(X, Y).convergence_
    again = again if isinstance(again, list) else [again]
    for before, after in zip(last, again, strict=True):
        assert after.objective[0] == pytest.approx(before.objective.min(), rel=1e-12)


@pytest.mark.parametrize("loss", [fl.CrossEntropy(), fl.MulticlassHinge(p=2)])
def test_a_warm_start_that_overflows_gives_way_to_a_cold_one(loss):
    cold = LinearClassifier(loss, alpha=1e-2, max_iter=2000).fit(X, Y)
    warm = LinearClassifier(loss, alpha=1e-2, max_iter=2000, warm_start=True).fit(X, Y)
    warm.coef_ = np.full_like(warm.coef_, 1e300)
    warm.fit(X, Y)
    np.testing.assert_array_equal(warm.coef_, cold.coef_)


@pytest.mark.parametrize("loss", [fl.CrossEntropy, fl.NLL])
def test_balanced_weights_of_a_loss_name_what_computes_them(loss):
    with pytest.raises(TypeError, match=r"class_weight = 'balanced': .*compute_class_weight"):
        loss(class_weight="balanced")
