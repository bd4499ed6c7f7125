"""Metadata of the estimators: what is routed to fit, names of features."""

import warnings

import numpy as np
import pytest
import sklearn
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from fastloss.linear_model import SGDClassifier, SGDRegressor

rng = np.random.default_rng(7)
X = rng.normal(size=(200, 3))
SCORE = X @ [1.0, -2.0, 0.5] + rng.logistic(size=200)
Y = SCORE > 0
WEIGHTS = rng.uniform(0.5, 2.0, size=200)


@pytest.mark.parametrize(("kind", "y"), [(SGDClassifier, Y), (SGDRegressor, SCORE)])
def test_weights_are_routed(kind, y):
    with sklearn.config_context(enable_metadata_routing=True):
        model = kind(max_iter=3, tol=None, shuffle=False)
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        model.set_partial_fit_request(sample_weight=True)
        request = model.get_metadata_routing()
        assert set(request.fit.requests) == {"coef_init", "intercept_init", "sample_weight"}
        pipe = make_pipeline(MaxAbsScaler(), model).fit(X, y, sample_weight=WEIGHTS)
        scaled = MaxAbsScaler().fit_transform(X)
        alone = kind(max_iter=3, tol=None, shuffle=False).fit(scaled, y, sample_weight=WEIGHTS)
        np.testing.assert_array_equal(pipe[-1].coef_, alone.coef_)
        search = GridSearchCV(model, {"alpha": [1e-4, 1e-3]}, cv=2)
        search.fit(X, y, sample_weight=WEIGHTS)
        best = search.best_estimator_
        again = kind(**best.get_params()).fit(X, y, sample_weight=WEIGHTS)
        np.testing.assert_array_equal(best.coef_, again.coef_)


def test_classes_of_partial_fit_are_routed():
    with sklearn.config_context(enable_metadata_routing=True):
        model = SGDClassifier().set_partial_fit_request(classes=True)
        assert model.get_metadata_routing().partial_fit.requests["classes"] is True


def frame(columns):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(X, columns=list("abc"))[list(columns)]


def test_columns_of_validation_data_are_those_of_the_fit():
    data = frame("abc")
    with pytest.raises(ValueError, match=r"validation_data: .*feature names should match"):
        SGDClassifier(tol=None).fit(data, Y, validation_data=(data[["c", "b", "a"]], Y))
    with pytest.raises(ValueError, match=r"validation_data: X has 2 features"):
        SGDClassifier(tol=None).fit(X, Y, validation_data=(X[:, :2], Y))


@pytest.mark.parametrize("scoring", [None, "f1", "loss"])
def test_scores_of_data_with_names_do_not_warn(scoring):
    data = frame("abc")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = SGDClassifier(early_stopping=True, scoring=scoring, random_state=0)
        model.fit(data, Y)
        assert model.feature_names_in_.tolist() == ["a", "b", "c"]
        model.fit(data, Y, validation_data=(data, Y))
        assert model.feature_names_in_.tolist() == ["a", "b", "c"]


def test_columns_of_validation_data_are_those_of_arrow_data():
    pyarrow = pytest.importorskip("pyarrow")
    data = frame("abc")
    table = pyarrow.table({**{name: data[name].to_numpy() for name in "abc"}, "y": Y})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = SGDClassifier(early_stopping=True, random_state=0, max_iter=3, tol=None)
        model.fit(table, "y", validation_data=(data, Y))
        model.fit(table, "y", validation_data=(X, Y))
        assert model.feature_names_in_.tolist() == ["a", "b", "c"]
        with pytest.raises(ValueError, match=r"validation_data: .*feature names should match"):
            model.fit(table, "y", validation_data=(data[["c", "b", "a"]], Y))
