"""SGDClassifier and SGDRegressor: scikit-learn's steps, and what is more than those."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import sklearn.linear_model as peer
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

import fastloss as fl
from fastloss.linear_model import LogisticRegression, SGDClassifier, SGDRegressor
from fastloss.linear_model._losses import CLASSES, NUMBERS, TWO_CLASSES
from fastloss.linear_model._sgd_losses import SIGNS

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 4))
SCORE = X @ [1.0, -2.0, 0.5, 0.0] + rng.logistic(size=120)
TWO = SCORE > 0
THREE = np.array(["low", "mid", "top"])[np.digitize(SCORE, [-1.0, 1.0])]
WEIGHTS = rng.uniform(0.5, 2.0, size=120)
SAME = {"shuffle": False, "tol": None, "max_iter": 3}


def assert_same(ours, theirs):
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-10, atol=1e-12)
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.intercept_.shape == theirs.intercept_.shape
    assert ours.t_ == theirs.t_
    assert ours.n_iter_ == theirs.n_iter_


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss": "log_loss", "learning_rate": "constant", "average": True},
        {"loss": "modified_huber", "penalty": None, "learning_rate": "invscaling"},
        {"loss": "squared_hinge", "penalty": "elasticnet", "learning_rate": "adaptive"},
        {"loss": "perceptron", "penalty": "l1", "alpha": 0.01},
        {"loss": "squared_hinge", "average": 10, "learning_rate": "constant"},
        {"loss": "squared_error", "learning_rate": "constant", "fit_intercept": False},
        {"loss": "huber", "epsilon": 0.3, "learning_rate": "constant"},
        {"learning_rate": "pa1", "eta0": 0.5},
        {"learning_rate": "pa2", "eta0": 0.5},
    ],
    ids=str,
)
def test_classifier_has_the_steps_of_scikit_learn(options, y):
    ours = SGDClassifier(**SAME, **options).fit(X, y)
    theirs = peer.SGDClassifier(**SAME, **options).fit(X, y)
    assert_same(ours, theirs)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    if options.get("loss") in ("log_loss", "modified_huber"):
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_class_weights_are_those_of_scikit_learn(y):
    for class_weight in ("balanced", {label: 1.0 + i for i, label in enumerate(np.unique(y))}):
        ours = SGDClassifier(class_weight=class_weight, **SAME).fit(X, y)
        assert_same(ours, peer.SGDClassifier(class_weight=class_weight, **SAME).fit(X, y))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss": "huber", "learning_rate": "constant", "average": True},
        {"loss": "epsilon_insensitive", "learning_rate": "optimal"},
        {"loss": "squared_epsilon_insensitive", "penalty": "l1", "alpha": 0.01},
        {"loss": "epsilon_insensitive", "learning_rate": "pa1", "eta0": 0.2},
    ],
    ids=str,
)
def test_regressor_has_the_steps_of_scikit_learn(options):
    assert_same(
        SGDRegressor(**SAME, **options).fit(X, SCORE),
        peer.SGDRegressor(**SAME, **options).fit(X, SCORE),
    )


def test_sparse_data_has_the_steps_of_scikit_learn():
    rows = sparse.csr_matrix(X * (np.abs(X) > 0.5))
    assert_same(SGDClassifier(**SAME).fit(rows, THREE), peer.SGDClassifier(**SAME).fit(rows, THREE))


def test_parameters_and_defaults_are_those_of_scikit_learn():
    for ours, theirs in ((SGDClassifier, peer.SGDClassifier), (SGDRegressor, peer.SGDRegressor)):
        assert ours().get_params().items() >= theirs().get_params().items()


def test_softmax_reaches_the_optimum_of_logistic_regression():
    model = SGDClassifier(
        "cross_entropy", alpha=0.02, average=120, max_iter=300, tol=None, random_state=0
    ).fit(X, THREE)
    best = LogisticRegression(C=1 / (0.02 * 120)).fit(X, THREE)
    np.testing.assert_allclose(model.coef_, best.coef_, atol=0.02)
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-12)
    assert log_loss(THREE, proba) < log_loss(THREE, best.predict_proba(X)) + 1e-3


def test_softmax_of_two_classes_is_a_difference():
    model = SGDClassifier("cross_entropy", alpha=0.02, max_iter=20, tol=None, random_state=0)
    model.fit(X, TWO)
    assert model.coef_.shape == (1, 4)
    np.testing.assert_allclose(
        model.predict_proba(X)[:, 1], fl.LogLoss().predict(model.decision_function(X)), rtol=1e-9
    )
    assert model.score(X, TWO) > 0.75


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("name", sorted(TWO_CLASSES | CLASSES | SIGNS | {"perceptron"}))
def test_every_loss_of_classes(name, y):
    model = SGDClassifier(name, learning_rate="constant", max_iter=30, random_state=0).fit(X, y)
    assert model.score(X, y) > (0.7 if y is TWO else 0.45)
    assert np.isfinite(model.history_.objective).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_every_loss_of_numbers(name):
    # near 5, in the domain of all of them, and a raw prediction that no loss forbids
    y = 5 + 0.1 * SCORE
    model = SGDRegressor(name, eta0=0.002, max_iter=50, random_state=0)
    start = fl.get_loss(name).initial_prediction(y)
    model.fit(X, y, intercept_init=[start], coef_init=np.zeros(4))
    loss = model.loss_.loss(y, X @ model.coef_ + model.intercept_)
    assert loss < model.loss_.loss(y, np.full(120, start))
    np.testing.assert_allclose(
        model.predict(X), model.loss_.predict(X @ model.coef_ + model.intercept_)
    )


def test_the_name_squared_error_is_half_of_the_loss():
    assert SGDRegressor(max_iter=5, tol=None).fit(X, SCORE).loss_ == fl.HalfSquaredError()
    whole = SGDRegressor(fl.SquaredError(), learning_rate="constant", penalty=None, **SAME)
    half = SGDRegressor(learning_rate="constant", eta0=0.02, penalty=None, **SAME)
    np.testing.assert_allclose(whole.fit(X, SCORE).coef_, half.fit(X, SCORE).coef_, rtol=1e-9)


def test_integral_weights_are_repeated_samples_in_any_order():
    weights = rng.integers(0, 4, size=120)
    order = rng.permutation(np.repeat(np.arange(120), weights))
    for model in (SGDClassifier(random_state=0), SGDRegressor(random_state=0)):
        y = THREE if isinstance(model, SGDClassifier) else SCORE
        first = clone(model).fit(X, y, sample_weight=weights)
        second = clone(model).fit(X[order], y[order])
        np.testing.assert_array_equal(first.coef_, second.coef_)
        rows = sparse.csr_matrix(X)
        first = clone(model).fit(rows, y, sample_weight=weights)
        second = clone(model).fit(rows[order], y[order])
        np.testing.assert_array_equal(first.coef_, second.coef_)


def test_a_full_batch_is_gradient_descent():
    model = SGDRegressor(
        batch_size=120,
        learning_rate="constant",
        eta0=0.1,
        penalty=None,
        max_iter=5,
        tol=None,
        shuffle=False,
    ).fit(X, SCORE)
    coef, intercept = np.zeros(4), 0.0
    for _ in range(5):
        residual = X @ coef + intercept - SCORE
        coef, intercept = coef - 0.1 * X.T @ residual / 120, intercept - 0.1 * residual.mean()
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-10)
    np.testing.assert_allclose(model.intercept_, [intercept], rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_stays(dtype):
    model = SGDClassifier(random_state=0).fit(X.astype(dtype), THREE)
    assert model.coef_.dtype == model.intercept_.dtype == dtype


def test_pickle_and_partial_fit_go_on():
    model = SGDClassifier("log_loss", random_state=0, average=True)
    model.partial_fit(X[:50], THREE[:50], classes=np.unique(THREE))
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    others = [pickle.loads(pickle.dumps(model)), joblib.load(buffer), copy.deepcopy(model)]
    for each in (model, *others):
        each.sparsify()
        each.partial_fit(X[50:], THREE[50:])
        np.testing.assert_array_equal(model.coef_, each.coef_)


def test_parameters_and_coefficients_can_be_set_between_calls_of_partial_fit():
    model = SGDRegressor(learning_rate="constant", shuffle=False, penalty=None)
    model.partial_fit(X, SCORE)
    before = model.intercept_[0]
    model.set_params(eta0=0.001)
    model.coef_ = np.zeros(4)
    model.partial_fit(X[:1], SCORE[:1])
    np.testing.assert_allclose(model.coef_, 0.001 * (SCORE[0] - before) * X[0], rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": -1.0}, "alpha"),
        ({"alpha": 0.0, "learning_rate": "optimal"}, "alpha must be > 0"),
        ({"penalty": "l3"}, "penalty"),
        ({"loss": "poisson"}, "loss = 'poisson'"),
        ({"loss": "no_such"}, "no_such"),
        ({"learning_rate": "pa1", "loss": "log_loss"}, "only works with loss 'hinge'"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"eta0": 0.0}, "eta0 = 0.0"),
        ({"validation_fraction": 1.0}, "validation_fraction = 1.0"),
        ({"average": 0.5}, "average = 0.5"),
        ({"class_weight": {"none": 1.0}}, "not in class_weight"),
        ({"momentum": 1.5}, "momentum"),
    ],
    ids=str,
)
def test_bad_parameters_are_named(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        SGDClassifier(**options).fit(X, THREE)


def test_bad_data_is_named():
    with pytest.raises(ValueError, match="contains NaN"):
        SGDClassifier().fit(np.where(X > 3, X, np.nan), THREE)
    with pytest.raises(ValueError, match=r"y\[1\] = 'new': expected one of the classes"):
        SGDClassifier().partial_fit(X[:2], ["top", "new"], classes=["low", "top"])
    with pytest.raises(ValueError, match="classes: expected the classes at the first call"):
        SGDClassifier().partial_fit(X, THREE)
    with pytest.raises(ValueError, match=r"sample_weight\[3\] = -1"):
        SGDRegressor().fit(X, SCORE, sample_weight=np.where(np.arange(120) == 3, -1.0, 1.0))
    with pytest.raises(ValueError, match=r"under-/overflow occurred at epoch #1.*eta0"):
        SGDRegressor(fl.SquaredError(), learning_rate="constant").fit(1e200 * X, SCORE)


def test_max_iter_warns_as_scikit_learn_does():
    with pytest.warns(ConvergenceWarning, match="Maximum number of iteration reached"):
        SGDClassifier(max_iter=2).fit(X, THREE)


def test_log_probabilities_are_finite_in_the_tails():
    for loss, y in (("cross_entropy", THREE), ("cross_entropy", TWO), ("log_loss", TWO)):
        model = SGDClassifier(loss, max_iter=3, tol=None, random_state=0).fit(X, y)
        far = model.predict_log_proba(1e3 * X)
        assert np.isfinite(far).all()
        assert far.min() < -1e3
        near = model.predict_proba(X)
        np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), near, atol=1e-12)


def test_a_sample_of_weight_0_is_absent():
    many = rng.normal(size=(5000, 3))  # more than are put in an order of their own
    y = many[:, 0] + rng.logistic(size=5000) > 0
    weights = rng.uniform(0.5, 2.0, size=5000) * (rng.random(5000) > 0.3)
    used = weights > 0
    for options in ({"shuffle": False}, {"early_stopping": False, "random_state": 0}):
        model = SGDClassifier("log_loss", max_iter=2, tol=None, **options)
        absent = clone(model).fit(many[used], y[used], sample_weight=weights[used])
        model.fit(many, y, sample_weight=weights)
        assert model.t_ == absent.t_
        if "shuffle" in options:
            np.testing.assert_array_equal(model.coef_, absent.coef_)
    parts = [slice(0, 2000), slice(2000, 5000)]
    model = SGDClassifier("log_loss", shuffle=False)
    for rows in parts:
        model.partial_fit(many[rows], y[rows], [False, True], sample_weight=weights[rows])
    absent = SGDClassifier("log_loss", shuffle=False, max_iter=1, tol=None)
    absent.fit(many[used], y[used], sample_weight=weights[used])
    np.testing.assert_array_equal(model.coef_, absent.coef_)
    with pytest.raises(ValueError, match="all weights are zero"):
        model.fit(many, y, sample_weight=np.zeros(5000))
