"""Value, gradient and Hessian of every sample are within 3 ULP of the exact result."""

import re

import numpy as np
import pytest
from helpers.ulp import error_in_ulp
from mpmath import mp
from references import CASES, REFERENCES, case_id
from references.base import PRECISION, exactly, samples

import fastloss as fl

BOUND = 3.0  # of predict
PROMISE = 4.0  # no class may state more, but for its Hessian
OPERATIONS = ("loss", "gradient", "hessian")


def documented_bound(cls, operation):
    """The largest error that the class's docs admit; a Hessian may have one of its own."""
    text = " ".join(cls.__doc__.split())
    stated = re.search(r"[Ee]rror at most ([\d.]+) ULP(?:, of the Hessian at most ([\d.]+))?", text)
    assert stated, f"{cls.__name__} does not state its error"
    assert float(stated[1]) <= PROMISE
    return float(stated[2] if operation == "hessian" and stated[2] else stated[1])


def worst(reference, params, dtype, operation, y, f, computed):
    """The largest error in ULP and where it stands."""
    eps, tiny = float(np.finfo(dtype).eps), float(np.finfo(dtype).tiny)
    errors, excluded = [], 0
    with mp.workprec(PRECISION[np.dtype(dtype).name]):
        exact = exactly(params)
        formula, term = reference.formula(operation), reference.largest_term.get(operation)
        for yi, fi, value in zip(y, f, computed, strict=True):
            point = mp.mpf(float(yi)), mp.mpf(float(fi))
            if (
                operation == "hessian"
                and reference.jump is not None
                and 0 < abs(reference.jump(*point, **exact)) <= 2 * eps
            ):
                continue  # the rounding of the residual decides on which side of the jump it is
            factor = reference.smallest_factor if params else None
            if reference.excluded(float(fi), dtype, params) or (
                factor is not None and factor(*point, **exact) < tiny
            ):
                excluded += 1
                continue
            largest = term(*point, **exact) if term else None
            error = error_in_ulp(value, formula(*point, **exact), dtype, largest)
            errors.append((error, float(yi), float(fi), float(value)))
    assert len(errors) + excluded > 0.9 * len(y)
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
@pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)
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
