"""fastloss.sklearn.patch(): scikit-learn's estimators give the same, and become their own again."""

import copy
import inspect
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn._loss import loss as losses
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import (
    GammaRegressor,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    TweedieRegressor,
)
from sklearn.linear_model._linear_loss import LinearModelLoss
from sklearn.naive_bayes import GaussianNB
from threadpoolctl import threadpool_limits

import fastloss.sklearn
from fastloss._sklearn_version import series
from fastloss.sklearn import _linear, _losses

OWNERS = (losses.BaseLoss, losses.HalfMultinomialLoss, LinearModelLoss)
N, D = 400, 6


def methods():
    """What the classes hold; copying adds __slotnames__."""
    return [
        {name: value for name, value in vars(owner).items() if name != "__slotnames__"}
        for owner in OWNERS
    ]


@pytest.fixture(autouse=True)
def _ends_unpatched():
    assert not fastloss.sklearn.is_patched()
    before = methods()
    yield
    fastloss.sklearn.unpatch()
    assert methods() == before


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1):  # several only wait for each other on so little data
        yield


@pytest.fixture
def computed(monkeypatch):
    """What fastloss has computed."""
    calls = []
    run, objective_of = _losses._Closs._run, _linear.objective_of

    def counted_run(*args, **parts):
        done = run(*args, **parts)
        if done:
            calls.append("loss")
        return done

    def counted_objective_of(*args):
        objective = objective_of(*args)
        if objective is not None:
            calls.append("objective")
        return objective

    monkeypatch.setattr(_losses._Closs, "_run", counted_run)
    monkeypatch.setattr(_linear, "objective_of", counted_objective_of)
    return calls


def data(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D))
    raw = X @ rng.normal(size=D) / 3
    y = {
        "binary": (raw + rng.logistic(size=N) > 0).astype(int),
        "classes": np.argmax(X[:, :4] + rng.gumbel(size=(N, 4)), axis=1),
        "counts": rng.poisson(np.exp(raw)),
        "positive": rng.gamma(2.0, np.exp(raw)) + 1e-3,
        "real": raw + rng.normal(size=N),
    }[kind]
    return X, y, rng.uniform(0.1, 2.0, size=N)


TIGHT = {"tol": 1e-10, "max_iter": 1000}
TREES = {"max_iter": 15, "early_stopping": False}
LINEAR = [
    (LogisticRegression(**TIGHT), "binary"),
    (LogisticRegression(**TIGHT), "classes"),
    # not TIGHT: L-BFGS would end where roundings, BLAS's own among them, decide when
    (LogisticRegression(fit_intercept=False, C=0.1), "classes"),
    (LogisticRegression(solver="newton-cg", **TIGHT), "binary"),
    (LogisticRegression(solver="newton-cg", **TIGHT), "classes"),
    (LogisticRegression(solver="newton-cholesky", **TIGHT), "binary"),
    (PoissonRegressor(**TIGHT), "counts"),
    (PoissonRegressor(solver="newton-cholesky", **TIGHT), "counts"),
    (GammaRegressor(), "positive"),
    (GammaRegressor(solver="newton-cholesky", **TIGHT), "positive"),
    (TweedieRegressor(power=1.5, **TIGHT), "counts"),
    (TweedieRegressor(power=3.0, **TIGHT), "positive"),
]
BOOSTED = [
    (HistGradientBoostingClassifier(**TREES), "binary"),
    (HistGradientBoostingClassifier(**TREES), "classes"),
    (HistGradientBoostingRegressor(loss="poisson", **TREES), "counts"),
    (HistGradientBoostingRegressor(loss="gamma", **TREES), "positive"),
    (HistGradientBoostingRegressor(loss="quantile", quantile=0.3, **TREES), "real"),
    (GradientBoostingClassifier(n_estimators=10, random_state=0), "classes"),
    (GradientBoostingClassifier(n_estimators=10, random_state=0, loss="exponential"), "binary"),
]


def raw_predictions(model, X):
    return model.decision_function(X) if hasattr(model, "decision_function") else model.predict(X)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("model", "kind"), LINEAR + BOOSTED, ids=str)
def test_estimators_give_the_same(model, kind, weighted, computed):
    X, y, w = data(kind)
    w = w if weighted else None
    theirs = raw_predictions(clone(model).fit(X, y, sample_weight=w), X)
    assert not computed
    with fastloss.sklearn.patched():
        ours = raw_predictions(clone(model).fit(X, y, sample_weight=w), X)
    assert computed
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10 * abs(theirs).max())


@pytest.mark.parametrize(
    "model", [LogisticRegression(**TIGHT), LogisticRegression(solver="newton-cg")]
)
@pytest.mark.parametrize("kind", ["binary", "classes"])
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array, np.asfortranarray])
def test_layouts_of_X_give_the_same(model, kind, container, computed):
    X, y, _ = data(kind)
    X = container(np.where(abs(X) > 0.7, X, 0))
    theirs = clone(model).fit(X, y).coef_
    with fastloss.sklearn.patched():
        ours = clone(model).fit(X, y).coef_
    assert "objective" in computed
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


def test_float32_gives_the_same_dtype(computed):
    X, y, _ = data("classes")
    model = LogisticRegression()
    theirs = clone(model).fit(X.astype(np.float32), y).coef_
    with fastloss.sklearn.patched():
        ours = clone(model).fit(X.astype(np.float32), y).coef_
    assert "objective" in computed
    assert ours.dtype == theirs.dtype
    # the solver ends where the gradient is below 1e-4, which rounding decides
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_cross_validation_and_calibration(computed):
    X, y, _ = data("binary")
    settings = {"Cs": 3, "cv": 3, "scoring": "accuracy"}
    if series(sklearn.__version__) >= (1, 9):
        settings |= {"use_legacy_attributes": False, "l1_ratios": (0,)}
    for model in (
        LogisticRegressionCV(**settings),
        CalibratedClassifierCV(GaussianNB(), method="sigmoid", cv=3),
    ):
        theirs = clone(model).fit(X, y).predict_proba(X)
        del computed[:]
        with fastloss.sklearn.patched():
            ours = clone(model).fit(X, y).predict_proba(X)
        assert computed
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


# ---------------------------------------------------------------- patching and unpatching


def test_unpatch_restores_every_method():
    originals = methods()
    fastloss.sklearn.patch()
    patched = methods()
    changed = {
        f"{owner.__name__}.{name}"
        for owner, old, new in zip(OWNERS, originals, patched, strict=True)
        for name in new
        if new[name] is not old.get(name)
    }
    assert changed == {
        "BaseLoss.loss",
        "BaseLoss.gradient",
        "BaseLoss.loss_gradient",
        "BaseLoss.gradient_hessian",
        "HalfMultinomialLoss.gradient_proba",
        "LinearModelLoss.loss",
        "LinearModelLoss.gradient",
        "LinearModelLoss.loss_gradient",
        "LinearModelLoss.gradient_hessian_product",
    }
    for owner, old, new in zip(OWNERS, originals, patched, strict=True):
        assert list(old) == list(new), owner
        for name in old:
            if callable(old[name]) and new[name] is not old[name]:
                assert inspect.signature(new[name]) == inspect.signature(old[name])
                assert new[name].__doc__ == old[name].__doc__
    fastloss.sklearn.patch()  # again: nothing
    assert methods() == patched
    fastloss.sklearn.unpatch()
    assert methods() == originals
    fastloss.sklearn.unpatch()
    assert methods() == originals


def test_contexts_nest():
    with fastloss.sklearn.patched():
        with fastloss.sklearn.patched():
            assert fastloss.sklearn.is_patched()
        assert fastloss.sklearn.is_patched()
        fastloss.sklearn.unpatch()  # at the end of the block
        assert fastloss.sklearn.is_patched()
    assert not fastloss.sklearn.is_patched()
    fastloss.sklearn.patch()
    with pytest.raises(KeyError), fastloss.sklearn.patched():
        raise KeyError
    assert fastloss.sklearn.is_patched()


def test_what_others_put_on_top_stays_theirs(monkeypatch):
    fastloss.sklearn.patch()
    ours = losses.BaseLoss.gradient
    monkeypatch.setattr(losses.BaseLoss, "gradient", lambda *args, **kwargs: ours(*args, **kwargs))
    theirs = losses.BaseLoss.gradient
    fastloss.sklearn.unpatch()
    assert losses.BaseLoss.gradient is theirs
    assert not hasattr(losses.BaseLoss.loss, "__wrapped__")
    monkeypatch.undo()  # brings back ours
    losses.BaseLoss.gradient = ours.__wrapped__


@pytest.mark.parametrize("version", ["1.5.2", "1.10.0", "1.10.dev0", "2.0.0"])
def test_an_unknown_version_is_refused(monkeypatch, version):
    monkeypatch.setattr(sklearn, "__version__", version)
    for begin in (fastloss.sklearn.patch, fastloss.sklearn.patched().__enter__):
        with pytest.raises(ImportError, match=rf"{version} .*known .* 1\.6, 1\.7, 1\.8, 1\.9$"):
            begin()
        assert not fastloss.sklearn.is_patched()


@pytest.mark.parametrize("version", ["1.6.0", "1.7.2", "1.8.dev0", "1.9.1"])
def test_known_versions_are_taken(monkeypatch, version):
    monkeypatch.setattr(sklearn, "__version__", version)
    with fastloss.sklearn.patched():
        assert fastloss.sklearn.is_patched()


def test_threads_patch_and_fit_side_by_side():
    X, y, _ = data("classes")
    expected = LogisticRegression(**TIGHT).fit(X, y).coef_
    failures = []

    def work():
        try:
            for _ in range(10):
                with fastloss.sklearn.patched():
                    ours = LogisticRegression(**TIGHT).fit(X, y).coef_
                np.testing.assert_allclose(ours, expected, rtol=1e-8, atol=1e-8)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert not fastloss.sklearn.is_patched()


def test_objects_outlive_the_patch():
    y, f = np.array([0.0, 1.0]), np.array([0.3, -50.0])
    before = losses.HalfBinomialLoss()
    with fastloss.sklearn.patched():
        within = losses.HalfBinomialLoss()
        assert type(within) is type(before)
        accurate = [before.gradient(y, -f), within.gradient(y, -f)]
    np.testing.assert_array_equal(*accurate)
    assert before.loss(y, f).tolist() == within.loss(y, f).tolist()


def test_pickles_load_where_there_is_no_fastloss(tmp_path):
    X, y, _ = data("classes")
    with fastloss.sklearn.patched():
        models = [
            LogisticRegression().fit(X, y),
            HistGradientBoostingClassifier(max_iter=2).fit(X, y),
            losses.HalfMultinomialLoss(n_classes=4),
            losses.HalfTweedieLoss(power=1.3),
        ]
        expected = models[0].predict(X)
        content = pickle.dumps((models, X, expected))
        copies = copy.deepcopy(models)
    assert [type(model) for model in copies] == [type(model) for model in models]
    (tmp_path / "models").write_bytes(content)
    code = (
        "import sys; sys.modules['fastloss'] = None\n"
        f"import pickle; models, X, expected = pickle.load(open({str(tmp_path / 'models')!r}, 'rb'))\n"
        "assert (models[0].predict(X) == expected).all(); models[1].predict(X[:5])"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_without_sklearn_the_import_says_what_to_install():
    code = (
        "import importlib.metadata as m\n"
        "def version(name): raise m.PackageNotFoundError(name)\n"
        "m.version = version\n"
        "try:\n    import fastloss.sklearn\n"
        "except ImportError as error: print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=300
    )
    assert run.stdout.startswith("fastloss.sklearn needs scikit-learn, which is not installed: pip")


def test_fastloss_alone_does_not_import_sklearn():
    code = "import sys, fastloss; assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
