"""Methods of scikit-learn's losses and of LinearModelLoss, patched and not."""

import itertools
import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn._loss import loss as losses
from sklearn.linear_model._linear_loss import LinearModelLoss
from threadpoolctl import threadpool_limits

import fastloss.sklearn
from fastloss.sklearn import _linear, _losses

N, C, D = 1500, 4, 5
LOSSES = [
    losses.HalfBinomialLoss(),
    losses.ExponentialLoss(),
    losses.HalfPoissonLoss(),
    losses.HalfGammaLoss(),
    *(losses.HalfTweedieLoss(power=power) for power in (-1.0, 1.0, 1.5, 2.0, 3.0)),
    losses.PinballLoss(quantile=0.3),
    losses.HalfMultinomialLoss(n_classes=C),
]
# which are left to scikit-learn
OTHERS = [
    losses.HalfSquaredError(),
    losses.AbsoluteError(),
    losses.HuberLoss(delta=0.7),
    losses.HalfTweedieLoss(power=0),
    losses.HalfTweedieLoss(power=0.5),
    losses.HalfTweedieLossIdentity(power=1.5),
]
OUTS = {
    "loss": ("loss_out",),
    "gradient": ("gradient_out",),
    "loss_gradient": ("loss_out", "gradient_out"),
    "gradient_hessian": ("gradient_out", "hessian_out"),
    "gradient_proba": ("gradient_out", "proba_out"),
}


def name_of(loss):
    parameter = getattr(loss.closs, "power", getattr(loss.closs, "quantile", ""))
    return f"{type(loss).__name__}{parameter}"


def methods_of(loss):
    return [name for name in OUTS if hasattr(loss, name)]


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1):
        yield


@pytest.fixture
def by_kernel(monkeypatch):
    """Whether a kernel took them, of all calls."""
    taken = []
    run = _losses._Closs._run

    def noted(*args, **parts):
        taken.append(run(*args, **parts))
        return taken[-1]

    monkeypatch.setattr(_losses._Closs, "_run", noted)
    return taken


def arguments(loss, dtype=np.float64, weighted=False, order="C"):
    rng = np.random.default_rng(0)
    raw = np.linspace(-6, 6, N)
    rng.shuffle(raw)
    if loss.is_multiclass:
        y = rng.integers(0, C, N)
        raw = np.asarray(raw[:, None] * rng.normal(size=C), order=order)
    elif loss.n_classes == 2:
        y = np.where(rng.random(N) < 0.5, rng.integers(0, 2, N), rng.random(N))  # soft labels, too
    else:
        y = rng.gamma(1.0, size=N) + 1e-3
    w = rng.uniform(0, 3, N).astype(dtype) if weighted else None
    return y.astype(dtype), raw.astype(dtype), w


def as_tuple(result):
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("loss", LOSSES, ids=name_of)
@pytest.mark.parametrize(
    ("dtype", "stored"),
    [(np.float64, np.float64), (np.float64, np.float32), (np.float32, np.float32)],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_same_values(loss, dtype, stored, weighted, by_kernel):
    narrowest = max(np.finfo(dtype).eps, np.finfo(stored).eps)
    for method, order, threads in itertools.product(methods_of(loss), "CF", (1, 2)):
        y, raw, w = arguments(loss, dtype, weighted, order)
        shapes = {name: y.shape if name == "loss_out" else raw.shape for name in OUTS[method]}
        outs, expected = (
            {name: np.full(shape, np.nan, stored, order) for name, shape in shapes.items()}
            for _ in range(2)
        )
        getattr(loss, method)(y, raw, w, **expected)
        assert not by_kernel
        with fastloss.sklearn.patched():
            result = as_tuple(getattr(loss, method)(y, raw, w, **outs, n_threads=threads))
        # which nobody asks for
        left = method == "gradient_proba" and stored != dtype
        assert by_kernel == ([] if left else [True])
        by_kernel.clear()
        for ours, out, theirs in zip(result, outs.values(), expected.values(), strict=True):
            assert ours is out
            # theirs cancels: its errors are of the size of the largest term
            largest = abs(theirs).max() if theirs.ndim == 1 else 1 + abs(raw).max()
            np.testing.assert_allclose(
                ours, theirs, rtol=8 * narrowest, atol=8 * narrowest * largest
            )


@pytest.mark.parametrize("loss", LOSSES, ids=name_of)
def test_outputs_are_allocated_alike(loss, by_kernel):
    for method, order in itertools.product(methods_of(loss), "CF"):
        y, raw, w = arguments(loss, np.float32, True, order)
        if not loss.is_multiclass and order == "F":
            raw = raw[:, None]  # an axis of length 1 is dropped
        theirs = as_tuple(getattr(loss, method)(y, raw, w))
        with fastloss.sklearn.patched():
            ours = as_tuple(getattr(loss, method)(y, raw, w))
        assert [(a.dtype, a.shape, a.strides) for a in ours] == [
            (a.dtype, a.shape, a.strides) for a in theirs
        ]
    assert by_kernel
    assert all(by_kernel)


@pytest.mark.parametrize("loss", LOSSES, ids=name_of)
def test_read_only_inputs_and_memory_maps(loss, tmp_path, by_kernel):
    plain = arguments(loss, weighted=True)
    for method in methods_of(loss):
        mapped = []
        for i, array in enumerate(plain):
            np.save(tmp_path / f"{i}.npy", array)
            mapped.append(np.load(tmp_path / f"{i}.npy", mmap_mode="r"))
        with fastloss.sklearn.patched():
            theirs = as_tuple(getattr(loss, method)(*plain))
            ours = as_tuple(getattr(loss, method)(*mapped))
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)
    assert all(by_kernel)


@pytest.mark.parametrize("loss", OTHERS, ids=name_of)
def test_the_others_are_left_alone(loss, by_kernel):
    y, raw, w = arguments(loss, weighted=True)
    raw = abs(raw)
    theirs = loss.gradient_hessian(y, raw, w)
    with fastloss.sklearn.patched():
        ours = loss.gradient_hessian(y, raw, w)
    assert not by_kernel
    np.testing.assert_array_equal(ours, theirs)


def test_what_kernels_refuse_is_computed_as_before(by_kernel):
    """Labels outside the domain, negative weights, float32 stored as float64."""
    loss = losses.HalfPoissonLoss()
    y, raw, w = arguments(loss, weighted=True)
    odd = [
        (-y, raw, w, {}),
        (y, raw, -w, {}),
        (np.where(y > 1, np.nan, y), raw, w, {}),
        (
            y.astype(np.float32),
            raw.astype(np.float32),
            None,
            {"gradient_out": np.empty(N), "hessian_out": np.empty(N)},
        ),
    ]
    for y_, raw_, w_, outs in odd:
        theirs = [array.copy() for array in loss.gradient_hessian(y_, raw_, w_, **outs)]
        with fastloss.sklearn.patched():
            ours = loss.gradient_hessian(y_, raw_, w_, **outs)
        np.testing.assert_array_equal(ours, theirs)
    assert by_kernel == [False] * len(odd)


@pytest.mark.parametrize(
    "change",
    [
        lambda y, raw, w: (y.astype(np.float32), raw, w),
        lambda y, raw, w: (y.astype(int), raw, w),
        lambda y, raw, w: (np.repeat(y, 2)[::2], raw, w),
        lambda y, raw, w: (y, raw, w.astype(np.float32)),
        lambda y, raw, w: (y, raw.astype(">f8"), w),
        lambda y, raw, w: (y, raw.tolist(), w),
    ],
)
def test_errors_are_theirs(change):
    loss = losses.HalfPoissonLoss()
    changed = change(*arguments(loss, weighted=True))
    with pytest.raises(Exception, match=r".") as theirs:
        loss.gradient(*changed)
    with fastloss.sklearn.patched(), pytest.raises(type(theirs.value)) as ours:
        loss.gradient(*changed)
    assert str(ours.value) == str(theirs.value)


def test_a_read_only_output_is_refused_as_before():
    loss = losses.HalfPoissonLoss()
    y, raw, _ = arguments(loss)
    out = np.zeros(N)
    out.flags.writeable = False
    with fastloss.sklearn.patched(), pytest.raises(ValueError, match="read-only"):
        loss.gradient(y, raw, gradient_out=out)
    assert not out.any()


def test_in_place_and_overlapping_outputs():
    loss = losses.HalfMultinomialLoss(n_classes=C)
    y, raw, w = arguments(loss, weighted=True)
    expected = loss.gradient_proba(y, raw, w)
    with fastloss.sklearn.patched():
        place = raw.copy()
        gradient, proba = loss.gradient_proba(
            y, place, w, gradient_out=np.empty_like(raw), proba_out=place
        )
        np.testing.assert_allclose(gradient, expected[0], atol=1e-14)
        np.testing.assert_allclose(proba, expected[1], atol=1e-14)
        place = raw.copy()
        assert loss.gradient(y, place, w, gradient_out=place) is place
        np.testing.assert_allclose(place, expected[0], atol=1e-14)


def test_a_subclass_with_a_formula_of_its_own_keeps_it():
    class Doubled(losses.HalfPoissonLoss):
        def loss_gradient(self, *args, **kwargs):
            return tuple(2 * part for part in super().loss_gradient(*args, **kwargs))

    y, raw, _ = arguments(Doubled())
    X = np.random.default_rng(1).normal(size=(N, D)) / 5
    model = LinearModelLoss(Doubled(), fit_intercept=True)
    coef = np.linspace(-1, 1, D + 1)
    theirs = Doubled().loss_gradient(y, raw), model.loss_gradient(coef, X, y)
    with fastloss.sklearn.patched():
        ours = Doubled().loss_gradient(y, raw), model.loss_gradient(coef, X, y)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-13, atol=1e-12)
    np.testing.assert_allclose(ours[1][1], theirs[1][1], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ours[1][0], theirs[1][0], rtol=1e-12)


# ---------------------------------------------------------------- linear models

LINEAR = [
    losses.HalfSquaredError(),
    losses.HalfBinomialLoss(),
    losses.HalfPoissonLoss(),
    losses.HalfGammaLoss(),
    losses.HalfTweedieLoss(power=1.5),
    losses.HalfMultinomialLoss(n_classes=C),
]


def close(ours, theirs, dtype):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    eps = np.finfo(dtype).eps
    # theirs sums N terms in this dtype
    np.testing.assert_allclose(ours, theirs, rtol=64 * eps, atol=64 * eps * (1 + abs(theirs).max()))


@pytest.fixture
def objectives(monkeypatch):
    """Whether there was an objective, of all calls."""
    made = []
    objective_of = _linear.objective_of

    def noted(*args):
        objective = objective_of(*args)
        made.append(objective is not None)
        return objective

    monkeypatch.setattr(_linear, "objective_of", noted)
    return made


@pytest.mark.parametrize("loss", LINEAR, ids=name_of)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("container", [np.ascontiguousarray, np.asfortranarray, sparse.csr_array])
def test_linear_models(loss, dtype, fit_intercept, container, objectives):
    rng = np.random.default_rng(2)
    X = container((rng.normal(size=(N, D)) / 3).astype(dtype))
    y, _, w = arguments(loss, dtype, True)
    model = LinearModelLoss(loss, fit_intercept)
    coef = model.init_zero_coef(X, dtype=dtype)
    coef[...] = rng.normal(size=coef.shape)
    direction = rng.normal(size=coef.shape).astype(dtype)
    coefs = [(coef, direction)]
    if loss.is_multiclass:
        coefs.append((coef.ravel(order="F"), direction.ravel(order="F")))
    for (at, s), weight, l2 in itertools.product(coefs, (None, w), (0.0, 0.3)):
        data = (at, X, y, weight, l2)
        value, gradient = model.loss_gradient(*data)
        _, product = model.gradient_hessian_product(*data)
        expected = product(s)
        assert not objectives
        with fastloss.sklearn.patched():
            results = [
                (model.loss(*data), value),
                (model.gradient(*data), gradient),
                *zip(model.loss_gradient(*data), (value, gradient), strict=True),
            ]
            again, hessp = model.gradient_hessian_product(*data)
            results += [(again, gradient), (hessp(s), expected)]
        assert objectives == [True] * 4
        objectives.clear()
        for ours, theirs in results:
            assert np.shape(ours) == np.shape(theirs)
            assert np.ndim(theirs) == 0 or ours.dtype == theirs.dtype == dtype
            close(ours, theirs, dtype)


def test_data_that_change_are_noticed(objectives):
    """The objective of the last data is kept, for the very same arrays alone."""
    rng = np.random.default_rng(3)
    X, other = rng.normal(size=(2, N, D))
    y, _, w = arguments(losses.HalfBinomialLoss(), weighted=True)
    model = LinearModelLoss(losses.HalfBinomialLoss(), fit_intercept=True)
    coef = rng.normal(size=D + 1)

    def both():
        ours = model.loss_gradient(coef, X, y, w, 0.1)
        fastloss.sklearn.unpatch()
        theirs = model.loss_gradient(coef, X, y, w, 0.1)
        fastloss.sklearn.patch()
        close(ours[0], theirs[0], np.float64)
        close(ours[1], theirs[1], np.float64)

    fastloss.sklearn.patch()
    try:
        ours = model.loss_gradient(coef, X, y, w, 0.1)
        X[...] = other
        assert model.loss_gradient(coef, X, y, w, 0.1)[0] != ours[0]
        first = _linear.objective_of(model, X, y, w, 0.1)
        assert _linear.objective_of(model, X, y, w, 0.1) is first
        both()
        w *= 3
        w[:10] = 7
        both()
        y[:] = 1 - y
        both()
        y[0] = 2.0  # outside the domain: theirs computes it
        both()
        y = 1 - abs(1 - y)
        model.fit_intercept = False
        coef = coef[:-1]
        both()
        with pytest.raises(ValueError, match=r"matmul|shape|mismatch"):
            model.loss_gradient(coef[:-1], X, y, w, 0.1)
    finally:
        fastloss.sklearn.unpatch()
    assert not _linear._kept


def test_nothing_is_kept_with_the_model():
    model = LinearModelLoss(losses.HalfBinomialLoss(), fit_intercept=True)
    X, y = np.eye(4), np.array([0.0, 1.0, 0.0, 1.0])
    with fastloss.sklearn.patched():
        model.loss_gradient(np.zeros(5), X, y)
        assert len(_linear._kept) == 1
        assert set(vars(model)) == {"base_loss", "fit_intercept"}
        assert type(pickle.loads(pickle.dumps(model))) is LinearModelLoss
        del model
        assert len(_linear._kept) == 0


@pytest.mark.parametrize(
    "X",
    [
        np.eye(4, dtype=int),
        np.eye(4, dtype=np.float32),
        np.eye(4, dtype=">f8"),
        sparse.csc_matrix(np.eye(4)),
    ],
    ids=["int", "float32", "byte order", "csc"],
)
def test_other_X_is_left_to_sklearn(X):
    y = np.array([0.0, 1.0, 0.0, 1.0])
    model = LinearModelLoss(losses.HalfSquaredError(), fit_intercept=False)
    assert _linear.objective_of(model, X, y, None, 0.0) is None
    assert _linear.objective_of(model, np.eye(4), y, None, 0.0) is not None
    _linear.forget()


def test_a_prediction_at_hand_is_used(objectives):
    X, y = np.eye(4), np.array([0.0, 1.0, 0.0, 1.0])
    model = LinearModelLoss(losses.HalfSquaredError(), fit_intercept=False)
    with fastloss.sklearn.patched():
        value = model.loss(np.zeros(4), X, y, raw_prediction=np.ones(4))
    assert value == 0.25
    assert not objectives
