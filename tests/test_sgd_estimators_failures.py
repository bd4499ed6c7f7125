"""What is left of SGD fits that fail, and what their messages name."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from fastloss.linear_model import SGDClassifier, SGDRegressor, _sgd_checkpoint

rng = np.random.default_rng(6)
X = rng.normal(size=(300, 4))
Y = (X[:, 0] + rng.normal(size=300) > 0).astype(int)


class Failing:
    """A scorer that falls from epoch to epoch, and fails in one of them."""

    def __init__(self, fail_at):
        self.calls, self.fail_at = 0, fail_at

    def __call__(self, estimator, A, b):
        check_is_fitted(estimator)
        self.calls += 1
        if self.calls == self.fail_at:
            raise ZeroDivisionError("the scorer's own fault")
        return -self.calls


def classifier(**options):
    usual = {"random_state": 0, "max_iter": 10, "tol": None, "early_stopping": True}
    return SGDClassifier("log_loss", **{**usual, **options})


def test_a_scorer_that_fails_leaves_the_best_epoch():
    model = classifier(scoring=Failing(4))
    with pytest.raises(ZeroDivisionError, match="the scorer's own fault") as caught:
        model.fit(X, Y)
    assert "the coefficients of epoch 1, the best so far, are kept" in caught.value.__notes__[0]
    one = classifier(scoring=Failing(99), max_iter=1).fit(X, Y)
    assert np.array_equal(model.coef_, one.coef_)
    assert np.array_equal(model.intercept_, one.intercept_)
    assert model.history_.reason == "ZeroDivisionError: the scorer's own fault"
    assert len(model.history_) == model.n_iter_ == 3
    # and it goes on from there
    for each in (model, one):
        each.set_params(early_stopping=False).partial_fit(X, Y)
    assert np.array_equal(model.coef_, one.coef_)


def test_a_scorer_that_fails_at_once_leaves_nothing():
    model = classifier(scoring=Failing(1))
    with pytest.raises(ZeroDivisionError) as caught:
        model.fit(X, Y)
    assert not hasattr(caught.value, "__notes__")
    for attribute in ("coef_", "intercept_", "history_"):
        assert not hasattr(model, attribute)
    with pytest.raises(NotFittedError):
        model.predict(X)
    warm = classifier(warm_start=True).fit(X, Y)
    coef, intercept = warm.coef_, warm.intercept_
    with pytest.raises(ZeroDivisionError):
        warm.set_params(scoring=Failing(1)).fit(X, Y)
    assert np.array_equal(warm.coef_, coef)
    assert np.array_equal(warm.intercept_, intercept)


def test_overflow_and_callbacks_leave_the_best_epoch():
    def callback(progress):
        if progress.iteration == 3:
            raise OSError("the disk is full")

    model = SGDRegressor(early_stopping=True, random_state=0)
    with pytest.raises(OSError, match="the disk is full"):
        model.fit(X, X[:, 0], callback=callback)
    best = model.history_.best_epoch
    assert model.history_.reason == "OSError: the disk is full"
    again = SGDRegressor(early_stopping=True, random_state=0, max_iter=best, tol=None)
    assert np.array_equal(again.fit(X, X[:, 0]).coef_, model.coef_)


def test_streams_keep_their_names_where_a_fit_fails():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": X[:, 0], "b": X[:, 1], "y": Y})
    model = SGDClassifier("log_loss", scoring=Failing(3), max_iter=9, tol=None)
    with pytest.raises(ZeroDivisionError):
        model.fit(table, "y", validation_data=(X[:, :2], Y))
    assert model.feature_names_in_.tolist() == ["a", "b"]


def test_classes_of_weight_0():
    message = r"class_weight = \{0: 0, 1: 0\.0\}: all classes have weight 0; expected at least one"
    for loss in ("hinge", "cross_entropy", "squared_error"):
        model = SGDClassifier(loss, class_weight={0: 0, 1: 0.0})
        with pytest.raises(ValueError, match=message):
            model.fit(X, Y)
        with pytest.raises(ValueError, match=message):
            model.partial_fit(X, Y, classes=[0, 1])
        assert SGDClassifier(loss, class_weight={0: 0}, max_iter=5, tol=None).fit(X, Y).n_iter_ == 5


def test_only_samples_of_weight_0():
    message = "all samples have weight 0, of their own or of their classes"
    weights = (Y == 1) * 1.0
    for loss in ("hinge", "cross_entropy", "huber"):
        for A in (X, sparse.csr_array(X)):
            model = SGDClassifier(loss, class_weight={1: 0.0})
            with pytest.raises(ValueError, match=message):
                model.fit(A, Y, sample_weight=weights)

    def batches():
        yield X, Y, np.zeros(len(Y))

    with pytest.raises(ValueError, match=message):
        SGDRegressor().fit(batches)
    # a part of a stream may be such
    model = SGDRegressor().partial_fit(batches())
    assert not model.coef_.any()
    assert not hasattr(model, "history_")


def test_a_checkpoint_of_another_seed_names_the_parameter(tmp_path):
    def interrupt(progress):
        raise KeyboardInterrupt

    path = tmp_path / "state"
    model = SGDClassifier(random_state=1)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y, callback=interrupt, checkpoint=path, checkpoint_every=0)
    assert _sgd_checkpoint.load(path) is not None
    with pytest.raises(ValueError, match="written by a fit with a seed of random_state = "):
        model.set_params(random_state=2).fit(X, Y, checkpoint=path)


def test_nesterov_without_momentum_is_refused():
    with pytest.raises(ValueError, match="nesterov = True: expected a momentum greater than 0"):
        SGDClassifier(nesterov=True).fit(np.eye(4), [0, 1, 0, 1])
    SGDClassifier(nesterov=True, momentum=0.5).fit(np.eye(4), [0, 1, 0, 1])


@pytest.mark.parametrize("n_features", [5, 16])
@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"average": True}, {"loss": "huber"}])
def test_partial_fit_goes_on_from_coefficients_set_after_an_overflow(options, n_features):
    A = rng.normal(size=(50, n_features))
    model = SGDRegressor(shuffle=False, **options).partial_fit(A, A[:, 0])
    with pytest.raises(ValueError, match="under-/overflow"):
        model.partial_fit(A * 1e200, A[:, 0])
    with pytest.raises(ValueError, match="under-/overflow"):
        model.partial_fit(A, A[:, 0])
    model.coef_, model.intercept_ = np.zeros(n_features), np.zeros(1)
    model.partial_fit(A, A[:, 0])
    assert np.isfinite(model.coef_).all()
    assert model.coef_.any()


def test_a_score_that_is_nan_does_not_judge():
    with pytest.raises(ValueError, match=r"scoring = .*: the score is nan; expected a number"):
        classifier(scoring=lambda *_: np.nan).fit(X, Y)
    told = classifier(early_stopping=False, scoring=lambda *_: np.nan, max_iter=3)
    history = told.fit(X, Y, validation_data=(X, Y)).history_  # which only writes it down
    assert np.isnan(history.validation_score).all()
    assert history.best_epoch == 1 + np.argmin(history.validation_loss)


def test_scoring_wants_samples_to_be_scored():
    with pytest.raises(ValueError, match=r"^scoring = .accuracy.: expected early_stopping=True or"):
        classifier(early_stopping=False, scoring="accuracy").fit(X, Y)


def test_a_checkpoint_of_another_estimator(tmp_path):
    path = tmp_path / "checkpoint"

    def stop(_):
        raise KeyboardInterrupt

    options = {"learning_rate": "constant", "random_state": 0}
    with pytest.warns(match="interrupted"):
        SGDClassifier("squared_error", **options).fit(
            X, Y, checkpoint=path, checkpoint_every=0, callback=stop
        )
    with pytest.raises(
        ValueError, match="a fit with estimator = SGDClassifier, this one has SGDRe"
    ):
        SGDRegressor("squared_error", **options).fit(X, Y, checkpoint=path)


@pytest.mark.parametrize(
    "change",
    [{"average": True}, {"penalty": "l1"}, {"momentum": 0.9}, {"optimizer": "adam"}],
    ids=str,
)
def test_another_machine_goes_on_from_coefficients_set_after_an_overflow(change):
    model = SGDRegressor(shuffle=False).partial_fit(X, X[:, 0])
    with pytest.raises(ValueError, match="under-/overflow"):
        model.partial_fit(X * 1e200, X[:, 0])
    twin = SGDRegressor(shuffle=False, **change)
    for each in (model, twin):
        each.coef_, each.intercept_ = np.zeros(4), np.zeros(1)
    model.set_params(**change).t_ = 1.0
    model._sgd.t = 1  # the rate goes by it
    np.testing.assert_array_equal(
        model.partial_fit(X, X[:, 0]).coef_, twin.partial_fit(X, X[:, 0]).coef_
    )


@pytest.mark.parametrize(
    "wrong",
    [{"learning_rate": "pa1", "batch_size": 4}, {"lock_free": True, "average": True}],
    ids=str,
)
def test_refused_parameters_stay_refused(wrong):
    model = SGDRegressor("epsilon_insensitive", shuffle=False).partial_fit(X, X[:, 0])
    model.set_params(**wrong)
    before = model.coef_.copy()
    for _ in range(2):
        with pytest.raises(ValueError, match="|".join(wrong)):
            model.partial_fit(X, X[:, 0])
    np.testing.assert_array_equal(model.coef_, before)


@pytest.mark.parametrize("loss", ["squared_error", "hinge", "huber"])
def test_what_is_refused_is_not_half_set(loss):
    classes = (X[:, :3].argmax(axis=1)).astype(int)
    options = {"shuffle": False, "learning_rate": "constant"}
    model, twin = (
        SGDClassifier(loss, **options).partial_fit(X, classes, classes=range(3)) for _ in range(2)
    )
    old = model.coef_, model.intercept_
    model.coef_, model.intercept_ = np.full((3, 4), 7.0), np.array([0.0, np.nan, 0.0])
    with pytest.raises(ValueError, match="intercept_ holds nan: expected finite numbers"):
        model.partial_fit(X, classes)
    model.coef_, model.intercept_ = old
    model.coef_ = model.coef_.astype(object)  # the same numbers
    np.testing.assert_array_equal(
        model.partial_fit(X, classes).coef_, twin.partial_fit(X, classes).coef_
    )


def test_initial_coefficients_are_finite():
    with pytest.raises(ValueError, match="coef_init holds inf: expected finite numbers"):
        classifier().fit(X, Y, coef_init=[0.0, np.inf, 0.0, 0.0])


def test_a_default_score_that_is_nan_stops_as_in_scikit_learn():
    with pytest.warns(match="R.* score is not well-defined"):
        model = SGDRegressor(early_stopping=True, random_state=0).fit(X[:10], X[:10, 0])
    assert np.isfinite(model.coef_).all()
