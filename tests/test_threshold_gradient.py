"""CumulativeLogit.threshold_gradient and its table of thresholds: exact, in any layout, few or many."""

import re

import numpy as np
import pytest
from helpers.arrays import LAYOUTS
from mpmath import mp
from references.ordinal import gradient, hessian, loss

import fastloss as fl

MANY = tuple(np.linspace(-6, 6, 40).tolist())  # more than a register of them
NEAR = (-1.0, -1.0 + 2.0**-20, 3.0)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def data(thresholds, n, dtype, seed=0):
    rng = np.random.default_rng([seed, n])
    y = rng.integers(0, len(thresholds) + 1, n)
    return y, (4 * rng.normal(size=n)).astype(dtype), rng.random(n).astype(dtype)


def exact(thresholds, y, f, w):
    """The derivatives of the sum of the losses, and the sums of their terms' sizes."""
    bounds = (-mp.inf, *map(mp.mpf, thresholds), mp.inf)
    slopes, sizes = [mp.zero] * (len(bounds) - 1), [mp.zero] * (len(bounds) - 1)
    for label, score, weight in zip(y, f, w, strict=True):
        a, b = (bounds[label + k] - mp.mpf(float(score)) for k in (0, 1))
        inner = 1 / mp.expm1(b - a) if mp.isfinite(b - a) else mp.zero
        for k, slope in (
            (label, mp.mpf(float(weight)) * (1 / (1 + mp.exp(-a)) + inner)),
            (label + 1, -mp.mpf(float(weight)) * (1 / (1 + mp.exp(b)) + inner)),
        ):
            if 1 <= k < len(bounds) - 1:
                slopes[k] += slope
                sizes[k] += abs(slope)
    return slopes[1:], sizes[1:]


@both_dtypes
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("thresholds", [(0.5,), (-1.0, 1.0), NEAR, MANY], ids=len)
def test_sums_of_derivatives(thresholds, weighted, dtype):
    """The terms have a few ULP of the dtype, and their sum half a float64 ULP for each."""
    bound = 3 * float(np.finfo(dtype).eps) + 700 * 2.0**-53
    y, f, w = data(thresholds, 700, dtype)
    rounded = [float(dtype(x)) for x in thresholds]
    with mp.workprec(200):
        slopes, sizes = exact(rounded, y, f, w if weighted else np.ones(len(f)))
        total = float(w.astype(np.float64).sum()) if weighted else len(f)
        for reduction, factor in (("sum", 1.0), ("mean", total)):
            computed = fl.CumulativeLogit(thresholds).threshold_gradient(
                y, f, w if weighted else None, reduction=reduction
            )
            assert computed.dtype == np.float64
            assert computed.shape == (len(thresholds),)
            for value, slope, size in zip(computed, slopes, sizes, strict=True):
                assert abs(value * factor - slope) <= bound * size


@both_dtypes
def test_a_table_of_many_thresholds(dtype):
    y, f, _ = data(MANY, 300, dtype)
    thresholds = [mp.mpf(float(dtype(x))) for x in MANY]
    results = fl.CumulativeLogit(MANY).loss_gradient_hessian(y, f, reduction="none")
    with mp.workprec(200):
        for formula, computed in zip((loss, gradient, hessian), results, strict=True):
            want = [formula(yi, mp.mpf(float(fi)), thresholds) for yi, fi in zip(y, f, strict=True)]
            np.testing.assert_allclose(
                computed.astype(np.float64),
                np.array(want, dtype=np.float64),
                rtol=3 * np.finfo(dtype).eps,
                atol=3 * np.finfo(dtype).eps if formula is gradient else 0,
            )


@pytest.mark.parametrize("n_thresholds", [14, 15, 16])
def test_about_the_length_of_a_column(n_thresholds):
    thresholds = np.arange(n_thresholds) / 4
    y = np.arange(n_thresholds + 1)
    f = np.linspace(-2, 5, len(y))
    p = fl.CumulativeLogit(thresholds).predict(f)
    values = fl.CumulativeLogit(thresholds).loss(y, f, reduction="none")
    np.testing.assert_allclose(np.exp(-values), p[y, y], rtol=1e-14)


@both_dtypes
@pytest.mark.parametrize("thresholds", [(-1.0, 1.0), MANY], ids=len)
@pytest.mark.parametrize("n", [1, 1025, 4097, 300_001])
def test_the_same_bits_for_any_number_of_threads(n, thresholds, dtype):
    y, f, w = data(thresholds, n, dtype)
    loss = fl.CumulativeLogit(thresholds)
    expected = loss.threshold_gradient(y, f, w, n_threads=1).tobytes()
    for threads in (2, 3, 7):
        assert loss.threshold_gradient(y, f, w, n_threads=threads).tobytes() == expected


@both_dtypes
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("labels", [np.int8, np.uint64, np.float16, np.float64])
def test_any_layout(layout, labels, dtype):
    y, f, w = (part.reshape(30, 50) for part in data((-1.0, 1.0), 1500, dtype))
    loss = fl.CumulativeLogit()
    arranged = [LAYOUTS[layout](part) for part in (y.astype(labels), f, w)]
    assert (
        loss.threshold_gradient(*arranged).tobytes() == loss.threshold_gradient(y, f, w).tobytes()
    )
    for one, other in zip(
        loss.loss_gradient_hessian(*arranged, reduction="none"),
        loss.loss_gradient_hessian(y, f, w, reduction="none"),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(loss.predict(arranged[1]), loss.predict(f))


@pytest.mark.parametrize("where", [0, 5000, 39_999])
@pytest.mark.parametrize(
    ("bad", "shown"), [(3, "3.0"), (-1, "-1.0"), (0.5, "0.5"), (np.nan, "nan"), (2.0**40, None)]
)
def test_labels_that_are_no_class(where, bad, shown):
    y, f, _ = data((-1.0, 1.0), 40_000, np.float64)
    y = y.astype(np.float64)
    y[where] = bad
    message = f"y_true[{where}] = {shown or repr(bad)}: CumulativeLogit expects class labels 0 to 2"
    for threads in (1, 2):
        for method in ("threshold_gradient", "gradient"):
            with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
                getattr(fl.CumulativeLogit(), method)(y, f, n_threads=threads)


def test_what_else_it_checks():
    loss, f = fl.CumulativeLogit(), np.zeros(3)
    for arguments, error, message in (
        (([0, 1], f), ValueError, "y_true has shape (2,), raw_prediction has shape (3,)"),
        (([0, 1, 2], f, [1, 1]), ValueError, "sample_weight has shape (2,)"),
        (([0, 1, 2], f, [1, -1, 1]), ValueError, "sample_weight[1] = -1: weights must be finite"),
        (([0, 1, 2], f.astype("f2")), TypeError, "raw_prediction has dtype float16"),
        ((["a", "b", "c"], f), TypeError, "y_true has dtype"),
    ):
        with pytest.raises(error, match=f"^{re.escape(message)}"):
            loss.threshold_gradient(*arguments)
    with pytest.raises(ValueError, match="in float32: expected raw_prediction in float64"):
        fl.CumulativeLogit((1.0, 1.0 + 1e-12)).threshold_gradient([1], np.zeros(1, np.float32))
    with pytest.raises(TypeError, match="n_threads"):
        loss.threshold_gradient([0, 1, 2], f, n_threads=1.5)


def test_nothing_to_divide_by():
    for y, w, what in (([], None, "an empty array"), ([0, 1], [0, 0], "samples whose weights sum")):
        f = np.zeros(len(y))
        with pytest.warns(RuntimeWarning, match=f"mean of {what}"):
            assert np.isnan(fl.CumulativeLogit().threshold_gradient(y, f, w)).all()
        assert not fl.CumulativeLogit().threshold_gradient(y, f, w, reduction="sum").any()


def test_nan_reaches_the_thresholds_of_its_class_alone():
    slopes = fl.CumulativeLogit((-1.0, 0.0, 1.0)).threshold_gradient(
        [0, 1, 2, 3], [0.0, np.nan, 0.0, 0.0]
    )
    assert np.isnan(slopes[:2]).all()
    assert np.isfinite(slopes[2])


def test_predict_at_infinity_is_certain():
    p = fl.CumulativeLogit((-1.0, 0.0, 1.0)).predict([-np.inf, np.inf, np.nan])
    np.testing.assert_array_equal(p[:2], [[1, 0, 0, 0], [0, 0, 0, 1]])
    assert np.isnan(p[2]).all()
    wide = fl.CumulativeLogit((-1.7e308, 1.7e308))
    np.testing.assert_array_equal(wide.predict([0.0]), [[0, 1, 0]])
    assert wide([1], [0.0]) == 0


def test_predict_into_places_of_all_kinds():
    loss = fl.CumulativeLogit()
    f = np.random.default_rng(1).normal(size=(700, 100))
    want = loss.predict(f)
    assert want.shape == (700, 100, 3)
    for out in (np.empty((700, 100, 3)), np.empty((3, 100, 700)).T):
        assert loss.predict(f, out=out) is out
        np.testing.assert_array_equal(out, want)
    memory = np.empty((700, 100, 3))
    memory[..., 1] = f
    np.testing.assert_array_equal(loss.predict(memory[..., 1], out=memory), want)
    for threads in (1, 2, 3):
        np.testing.assert_array_equal(loss.predict(f, n_threads=threads), want)
    with pytest.raises(ValueError, match=r"^out has shape \(2,\): expected \(2, 3\)"):
        loss.predict([0.0, 1.0], out=np.empty(2))
