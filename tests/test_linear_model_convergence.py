"""What a fit tells: callbacks, progress, warnings, interrupts, the record and its picture."""

import io
import pickle
import signal
import warnings

import numpy as np
import pytest
import sklearn
from rich.console import Console
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score

import fastloss as fl
from fastloss import linear_model
from fastloss.linear_model import LogisticRegression, ProgressBar

rng = np.random.default_rng(0)
X = rng.normal(size=(400, 6)) * [1.0, 3.0, 0.3, 1.0, 2.0, 0.5]
NUMBERS = X @ [1.0, -0.5, 2.0, 0.0, 0.3, 1.0] + rng.normal(size=400)
CLASSES = (NUMBERS > 0).astype(int)
COUNTS = rng.poisson(np.exp(NUMBERS / 4))

# every solver: L-BFGS, Newton, OWL-QN, proximal Newton, interior points
FITS = {
    "lbfgs": (LogisticRegression(), CLASSES),
    "lbfgs of three classes": (LogisticRegression(), CLASSES + (NUMBERS > 2)),
    "newton": (linear_model.PoissonRegressor(solver="newton-cholesky"), COUNTS),
    "owlqn": (LogisticRegression(l1_ratio=1.0), CLASSES),
    "proximal newton": (LogisticRegression(l1_ratio=1.0, solver="saga"), CLASSES),
    "interior point": (linear_model.QuantileRegressor(alpha=0.01), NUMBERS),
    "huber": (linear_model.HuberRegressor(), NUMBERS),
    "any regression loss": (linear_model.LinearRegressor("log_cosh"), NUMBERS),
    "any classification loss": (linear_model.LinearClassifier("squared_hinge"), CLASSES),
}
every_fit = pytest.mark.parametrize(("model", "y"), FITS.values(), ids=FITS)


def last_coef(model):
    """Return the coefficients of a fitted model, as a callback is given them."""
    intercept = np.asarray(model.intercept_)
    if model.coef_.ndim == 1 or len(model.coef_) == 1:
        return np.append(model.coef_, intercept)
    return np.column_stack([model.coef_, intercept])


@every_fit
def test_the_callback_sees_each_iteration(model, y):
    seen = []
    model = clone(model).fit(X, y, callback=seen.append)
    assert [progress.iteration for progress in seen] == list(range(len(seen)))
    assert len(seen) == np.max(model.n_iter_) + 1
    record = model.convergence_
    assert record.converged
    assert record.reason
    np.testing.assert_array_equal(record.objective, [p.objective for p in seen])
    np.testing.assert_array_equal(record.gradient_norm, [p.gradient_norm for p in seen])
    assert np.all(np.diff(record.seconds) >= 0)
    assert seen[-1].objective < seen[0].objective
    assert seen[-1].gradient_norm <= seen[-1].tol == record.tol
    assert all(progress.coef.shape == last_coef(model).shape for progress in seen)
    # an interior point ends at the vertex beside its last iterate
    np.testing.assert_allclose(seen[-1].coef, last_coef(model), atol=1e-6)
    # what it is given is its own
    assert not any(np.shares_memory(progress.coef, model.coef_) for progress in seen)
    seen[0].coef[...] = np.nan


@every_fit
def test_the_callback_can_end_the_fit(model, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = clone(model).fit(X, y, callback=lambda progress: progress.iteration == 1)
    assert np.max(model.n_iter_) == 1
    assert model.convergence_.reason == "stopped by the callback"
    assert not model.convergence_.converged
    assert np.isfinite(model.predict(X)).all()


@every_fit
def test_an_interrupt_keeps_the_best_coefficients(model, y):
    seen = []

    def interrupt(progress):
        seen.append(progress)
        if progress.iteration == 2:
            signal.raise_signal(signal.SIGINT)  # what Ctrl-C sends

    with pytest.warns(ConvergenceWarning, match=r"interrupted after 2 iterations; the best coef"):
        model = clone(model).fit(X, y, callback=interrupt)
    assert np.max(model.n_iter_) == 2
    assert model.convergence_.reason == "interrupted"
    np.testing.assert_allclose(last_coef(model), seen[-1].coef, rtol=1e-6)
    assert model.predict(X).shape == (400,)


@every_fit
def test_an_error_of_the_callback_is_raised(model, y):
    def fail(progress):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        clone(model).fit(X, y, callback=fail)


@every_fit
def test_too_few_iterations_are_told(model, y):
    model = clone(model)
    if isinstance(model, linear_model.QuantileRegressor):
        model.set_params(solver_options={"maxiter": 2})
    else:
        model.set_params(max_iter=2)
    with pytest.warns(ConvergenceWarning, match=r"after 2 iterations: max_iter = 2 iter") as warned:
        model.fit(X, y)
    assert warned[0].filename == __file__
    assert np.max(model.n_iter_) == 2


@every_fit
def test_fitted_models_pickle(model, y):
    model = clone(model).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(again.convergence_.objective, model.convergence_.objective)
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize(
    ("model", "y"),
    [pytest.param(*fit, id=name) for name, fit in FITS.items() if hasattr(fit[0], "warm_start")],
)
def test_a_warm_start_has_nothing_to_do(model, y):
    model = clone(model)
    model.set_params(warm_start=True, tol=1e-6, max_iter=1000)
    first = model.fit(X, y)
    coef, n_iter = first.coef_.copy(), np.max(first.n_iter_)
    again = model.fit(X, y)
    assert np.max(again.n_iter_) < max(n_iter, 2)
    np.testing.assert_allclose(again.coef_, coef, atol=1e-5)


def test_a_warm_start_of_other_features_starts_anew():
    model = LogisticRegression(warm_start=True).fit(X, CLASSES)
    expected = LogisticRegression().fit(X[:, :3], CLASSES).coef_
    np.testing.assert_array_equal(model.fit(X[:, :3], CLASSES).coef_, expected)


@every_fit
def test_verbose_prints_a_line_per_iteration(model, y, capsys):
    model = clone(model).set_params(verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == type(model).__name__
    assert lines[1].split() == ["iteration", "objective", "gradient", "norm", "seconds"]
    assert len(lines) == np.max(model.n_iter_) + 4
    assert lines[-1].startswith("converged: ")


def test_the_progress_bar_fills_and_is_closed():
    out = io.StringIO()
    bar = ProgressBar("learning", Console(file=out, force_terminal=True, width=120))
    model = LogisticRegression().fit(X, CLASSES, callback=bar)
    assert bar._bar is None
    assert "learning" in out.getvalue()
    assert f"{model.n_iter_[0]} iterations" in out.getvalue()
    with pytest.raises(ValueError, match="C = -1"):
        LogisticRegression(C=-1).fit(X, CLASSES, callback=bar)
    linear_model.QuantileRegressor(alpha=0.1).fit(X, NUMBERS, callback=bar)
    assert bar._bar is None


def test_a_callback_that_is_none():
    with pytest.raises(TypeError, match="callback = 3: expected a callable"):
        LogisticRegression().fit(X, CLASSES, callback=3)


def test_the_callback_is_not_routed():
    rng = np.random.default_rng(10)
    with sklearn.config_context(enable_metadata_routing=True):
        model = LogisticRegression().set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        weights = rng.uniform(size=400)
        search = GridSearchCV(model, {"C": [0.1, 1.0]}, cv=2)
        search.fit(X, CLASSES, sample_weight=weights)
        assert "callback" not in str(model.get_metadata_routing().fit.requests)
        assert len(cross_val_score(model, X, CLASSES, params={"sample_weight": weights})) == 5
    assert search.best_score_ > 0.5


def test_the_picture(tmp_path):
    models = [
        clone(FITS[name][0]).fit(X, FITS[name][1]) for name in ("lbfgs", "newton", "interior point")
    ]
    several = linear_model.LinearClassifier("hinge").fit(X, CLASSES + (NUMBERS > 2))
    figure = fl.plot_convergence(*models, several, models[0].convergence_)
    left, right = figure.axes
    assert len(left.lines) == 3 + 3 + 1
    labels = [text.get_text() for text in right.get_legend().get_texts()]
    assert labels[0] == "LogisticRegression"
    assert labels[3:6] == [f"LinearClassifier, class {k}" for k in range(3)]
    np.testing.assert_array_equal(right.lines[0].get_ydata(), models[0].convergence_.gradient_norm)
    figure.savefig(tmp_path / "fit.png")
    named = fl.plot_convergence(*models, labels=["a", "b", "c"])
    assert [text.get_text() for text in named.axes[1].get_legend().get_texts()] == ["a", "b", "c"]


def test_the_picture_of_nothing():
    with pytest.raises(TypeError, match="at least one"):
        fl.plot_convergence()
    with pytest.raises(TypeError, match="expected a fitted estimator"):
        fl.plot_convergence(LogisticRegression())
    with pytest.raises(ValueError, match="labels has 2 entries"):
        fl.plot_convergence(LogisticRegression().fit(X, CLASSES), labels=["a", "b"])
