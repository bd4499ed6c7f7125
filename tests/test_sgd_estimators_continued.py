"""What partial_fit goes on from: coefficients that the user has set, another loss, sparse ones."""

import numpy as np
import pytest
import sklearn.linear_model as peer

from fastloss.linear_model import SGDClassifier, SGDRegressor

rng = np.random.default_rng(6)
X = rng.normal(size=(100, 3))
SCORE = X @ [1.0, -2.0, 0.5] + rng.logistic(size=100)
TWO = SCORE > 0
THREE = np.digitize(SCORE, [-1.0, 1.0])


def assert_same(ours, theirs):
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-10)


def test_coefficients_changed_in_place_are_gone_on_from():
    both = SGDRegressor(shuffle=False), peer.SGDRegressor(shuffle=False)
    for model in both:
        model.partial_fit(X, SCORE)
        model.coef_[:] = 5
        model.partial_fit(X[:10], SCORE[:10])
    assert_same(*both)


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_coefficients_set_before_the_first_call_are_gone_on_from(y):
    both = SGDClassifier(shuffle=False), peer.SGDClassifier(shuffle=False)
    rows = 1 if y is TWO else 3
    for model in both:
        model.classes_ = np.unique(y)
        model.coef_, model.intercept_ = np.full((rows, 3), 2.0), np.arange(rows) + 1.0
        model.partial_fit(X, y)
    assert_same(*both)
    both = SGDRegressor(shuffle=False), peer.SGDRegressor(shuffle=False)
    for model in both:
        model.coef_, model.intercept_ = np.array([1.0, 2.0, 3.0]), np.array([4.0])
        model.partial_fit(X, SCORE)
    assert_same(*both)
    softmax = SGDClassifier("cross_entropy", shuffle=False, learning_rate="constant", eta0=1e-9)
    softmax.classes_ = np.unique(y)
    softmax.coef_, softmax.intercept_ = np.full((rows, 3), 2.0), np.arange(rows) + 1.0
    softmax.partial_fit(X, y)
    np.testing.assert_allclose(softmax.coef_, np.full((rows, 3), 2.0), rtol=1e-5)
    model = SGDRegressor()
    model.coef_, model.intercept_ = np.zeros(2), np.zeros(1)
    with pytest.raises(ValueError, match="does not match"):
        model.partial_fit(X, SCORE)


def test_a_fit_that_fails_leaves_no_coefficients_to_go_on_from():
    model = SGDRegressor(shuffle=False).fit(X, SCORE)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X * np.nan, SCORE)
    model.partial_fit(X, SCORE)
    np.testing.assert_array_equal(
        model.coef_, SGDRegressor(shuffle=False).partial_fit(X, SCORE).coef_
    )


def test_an_intercept_that_is_set_leaves_the_coefficients_behind_the_average():
    options = {"shuffle": False, "average": True, "fit_intercept": False}
    model, other = SGDRegressor(**options), SGDRegressor(**options)
    for each in (model, other):
        each.partial_fit(X, SCORE)
    model.intercept_ = np.array([7.0])  # is not used
    for each in (model, other):
        each.partial_fit(X, SCORE)
    np.testing.assert_array_equal(model.coef_, other.coef_)


@pytest.mark.parametrize("average", [False, True])
def test_another_loss_of_two_classes_goes_on_from_the_same_scores(average):
    still = {"learning_rate": "constant", "eta0": 1e-12, "average": average}
    for first, then in (("log_loss", "cross_entropy"), ("cross_entropy", "log_loss")):
        model = SGDClassifier(first, average=average, random_state=0)
        model.partial_fit(X, TWO, classes=[False, True])
        coef, intercept, t = model.coef_, model.intercept_, model.t_
        model.set_params(loss=then, **still).partial_fit(X[:5], TWO[:5])
        np.testing.assert_allclose(model.coef_, coef, rtol=1e-9)
        np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-9)
        assert model.t_ == t + 5


def test_a_regressor_with_sparse_coefficients():
    model = SGDRegressor(penalty="l1", alpha=1.0, average=True, random_state=0, warm_start=True)
    model.partial_fit(X, SCORE)
    other = SGDRegressor(penalty="l1", alpha=1.0, average=True, random_state=0)
    other.partial_fit(X, SCORE)
    coef, expected = model.coef_, model.predict(X)
    assert model.sparsify() is model
    assert model.coef_.shape == (1, 3)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-12)
    np.testing.assert_array_equal(
        model.partial_fit(X, SCORE).coef_, other.partial_fit(X, SCORE).coef_
    )
    model.sparsify().fit(X, SCORE)
    model.coef_ = coef
    np.testing.assert_array_equal(model.sparsify().densify().coef_, coef)


def test_the_intercept_of_a_regressor_is_float64():
    for model in (SGDRegressor(), peer.SGDRegressor()):
        model.fit(X.astype(np.float32), SCORE)
        assert (model.coef_.dtype, model.intercept_.dtype) == (np.float32, np.float64)


def test_a_threshold_of_0_is_named():
    with pytest.raises(ValueError, match="epsilon = 0: expected a number above 0 for loss 'huber'"):
        SGDRegressor("huber", epsilon=0).fit(X, SCORE)


def test_without_coefficients_partial_fit_starts_anew():
    for kind in (SGDRegressor, peer.SGDRegressor):
        model = kind(shuffle=False).fit(X, SCORE)
        model.coef_ = model.intercept_ = None
        model.t_ = 1.0  # which scikit-learn goes on from
        model.partial_fit(X, SCORE)
        again = kind(shuffle=False).partial_fit(X, SCORE)
        np.testing.assert_array_equal(model.coef_, again.coef_)
