"""Value, gradient and Hessian of every sample are within 3 ULP of the exact result."""

import re

import numpy as np
import pytest
from helpers.exact import KEPT_BITS, remembered
from helpers.ulp import error_in_ulp
from mpmath import mp
from references import CASES, REFERENCES, case_id
from references.base import PRECISION, exactly, samples

import fastloss as fl

BOUND = 3.0  # of predict
PROMISE = 5.0  # no class may state more, but for its Hessian
OPERATIONS = ("loss", "gradient", "hessian")


def documented_bound(cls, operation):
    """The largest error that the class's docs admit; a Hessian may have one of its own."""
    text = " ".join(cls.__doc__.split())
    stated = re.search(r"[Ee]rror at most ([\d.]+) ULP(?:, of the Hessian at most ([\d.]+))?", text)
    assert stated, f"{cls.__name__} does not state its error"
    assert float(stated[1]) <= PROMISE
    return float(stated[2] if operation == "hessian" and stated[2] else stated[1])


def exact_points(reference, params, dtype, operation, y, f):
    """Per sample the exact result and its largest term; False where no bound holds, None at a jump."""
    eps, tiny = float(np.finfo(dtype).eps), float(np.finfo(dtype).tiny)
    exact = exactly(params)
    formula, term = reference.formula(operation), reference.largest_term.get(operation)
    factor = reference.smallest_factor if params else None
    points = []
    with mp.workprec(PRECISION[np.dtype(dtype).name]):
        for yi, fi in zip(y, f, strict=True):
            point = mp.mpf(float(yi)), mp.mpf(float(fi))
            if (
                operation == "hessian"
                and reference.jump is not None
                and 0 < abs(reference.jump(*point, **exact)) <= 2 * eps
            ):
                points.append(None)  # the rounding of the residual decides on which side it is
            elif reference.excluded(float(fi), dtype, params) or (
                factor is not None and factor(*point, **exact) < tiny
            ):
                points.append(False)
            else:
                largest = term(*point, **exact) if term else None
                points.append((formula(*point, **exact), largest))
    return points


def worst(reference, params, dtype, operation, y, f, computed):
    """The largest error in ULP and where it stands."""
    points = remembered(
        lambda: exact_points(reference, params, dtype, operation, y, f),
        "pointwise", reference.name, sorted(params.items()), np.dtype(dtype).name, operation, y, f,
    )  # fmt: skip
    with mp.workprec(KEPT_BITS):
        errors = [
            (error_in_ulp(value, point[0], dtype, point[1]), float(yi), float(fi), float(value))
            for yi, fi, value, point in zip(y, f, computed, points, strict=True)
            if point
        ]
    assert len(errors) + points.count(False) > 0.9 * len(y)
    assert len(errors) > 0.5 * len(y)
    return max(errors)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("reference", "params"), CASES, ids=case_id)
def test_within_three_ulp(reference, params, dtype):
    y, f = samples(reference, params, dtype)
    loss = fl.get_loss(reference.name, **params)
    results = loss.loss_gradient_hessian(y, f, reduction="none")
    for operation, computed in zip(OPERATIONS, results, strict=True):
        error, yi, fi, value = worst(reference, params, dtype, operation, y, f, computed)
        assert error <= documented_bound(type(loss), operation), (
            f"{operation}: {error:.2f} ULP at y={yi!r}, f={fi!r}, which gives {value!r}"
        )


# where an intermediate result overflows, underflows or has few bits, in float32 at least
HARD = [
    ("lq", {"q": 1.5}, -1.310616830953514e-36, -1.3228664466508067e-36),
    ("lq", {"q": 1.000007}, 1.565753030409974e-38, 1.5657528902801275e-38),
    ("barron_robust", {"alpha": -69081616.773, "c": 5.278e-9}, 0.12852129340171814, 0.1285212188),
    ("barron_robust", {"alpha": 0.0, "c": 3.2277}, -0.28088274598121643, -0.20957398414611816),
    ("tweedie", {"power": 3.917}, 0.008259818889200687, -2.977455498751009e38),
    ("tweedie", {"power": 0.0}, -1.332194869974046e-06, -4.4287849599051765e35),
    ("tweedie", {"power": 0.0}, 1.0714167434543104e16, 9759457542144.0),
    ("negative_binomial", {"theta": 0.0219365}, 8.125221388939575e36, 7.781918154861666e36),
    ("negative_binomial", {"theta": 1.15537e-8}, 1.0100803256015841e38, 2.0432473565640434e31),
    ("negative_binomial", {"theta": 0.0219365}, 1.3889788589447455e38, 1.189351140331437e34),
    ("squared_log_error", {}, 0.0, -1.4475680631211671e-08),
    ("squared_log_error", {}, -2.902737945842393e-11, -0.00024387611483689398),
    ("squared_log_error", {}, -0.9999999403953552, 3e38),
    ("squared_log_error", {}, 1.5708405e32, 3.0846251e38),
    ("cumulative_logit", {"thresholds": (0.30000001192092896,)}, 1.0, 5.141156),
    ("cumulative_logit", {"thresholds": (0.3,)}, 1.0, -3.8356697873807715),
    ("tweedie_identity", {"power": -1.3}, 2.15443563873806e26, 2.1544112890358827e26),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "params", "y", "f"), HARD)
def test_hard_samples(name, params, y, f, dtype):
    loss = fl.get_loss(name, **params)
    y, f = np.array([y], dtype=dtype), np.array([f], dtype=dtype)
    results = loss.loss_gradient_hessian(y, f, reduction="none")
    for operation, computed in zip(OPERATIONS, results, strict=True):
        error, *_ = worst(REFERENCES[name], params, dtype, operation, y, f, computed)
        assert error <= documented_bound(type(loss), operation), (operation, computed)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("reference", "params"), CASES, ids=case_id)
def test_every_operation_gives_the_same_bits(reference, params, dtype):
    """So the bound above, measured on one operation, holds for the other four."""
    y, f = samples(reference, params, dtype)
    loss = fl.get_loss(reference.name, **params)
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, reduction="none")
    np.testing.assert_array_equal(loss.loss(y, f, reduction="none"), value)
    np.testing.assert_array_equal(loss(y, f, reduction="none"), value)
    np.testing.assert_array_equal(loss.gradient(y, f, reduction="none"), gradient)
    for computed, expected in zip(
        (
            *loss.loss_gradient(y, f, reduction="none"),
            *loss.gradient_hessian(y, f, reduction="none"),
        ),
        (value, gradient, gradient, hessian),
        strict=True,
    ):
        np.testing.assert_array_equal(computed, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reference", [r for r in REFERENCES.values() if r.predict], ids=case_id)
def test_predict_within_three_ulp(reference, dtype):
    _, f = samples(reference, {}, dtype)
    computed = fl.get_loss(reference.name).predict(f)
    assert computed.dtype == dtype
    with mp.workprec(PRECISION[np.dtype(dtype).name]):
        for fi, value in zip(f, computed, strict=True):
            error = error_in_ulp(value, reference.predict(mp.mpf(float(fi))), dtype)
            assert error <= BOUND, f"{error:.2f} ULP at {fi!r}"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)
def test_reductions_accumulate_in_float64(reference, dtype):
    """A sum of a million samples is as good as NumPy's longdouble sum of the samples themselves."""
    rng = np.random.default_rng(1)
    y = labels = reference.hard(rng.random(1_000_003) < 0.3)
    f = reference.inside(rng.normal(size=y.size)).astype(dtype)
    loss = fl.get_loss(reference.name)
    each = loss.loss(labels, f, reduction="none")
    exact = each.astype(np.longdouble).sum()
    scale = np.abs(each.astype(np.longdouble)).sum()
    assert abs(loss.loss(y, f, reduction="sum") - exact) <= 1e-14 * scale
    assert abs(loss.loss(y, f) - exact / y.size) <= 1e-14 * scale / y.size
