"""Losses of several outputs: every number within its bound, gradients that are derivatives."""

import re

import numpy as np
import pytest
from helpers.exact import KEPT_BITS, remembered
from helpers.ulp import error_in_ulp
from mpmath import mp
from references.base import PRECISION
from references.rows import ROW_CASES, exact, exact_label, exact_parameters, row_labels, row_samples

import fastloss as fl

OPERATIONS = ("loss", "gradient", "hessian")
#: A class may state as much, where a power, a logarithm and sums over classes follow each other.
PROMISE = 16.0


def case_id(value):
    if isinstance(value, dict):
        return ",".join(f"{key}={v}" for key, v in value.items()) or "default"
    return getattr(value, "name", None)


def documented_bounds(cls):
    text = " ".join(cls.__doc__.split())
    stated = re.search(
        r"Error at most (\d+(?:\.\d+)?) ULP(?:, of the Hessian at most (\d+(?:\.\d+)?))?", text
    )
    assert stated, f"{cls.__name__} does not state its error"
    bounds = float(stated[1]), float(stated[1]), float(stated[2] or stated[1])
    assert max(bounds) <= PROMISE
    return bounds


def exact_rows(reference, params, dtype, y, f):
    """Per sample loss, gradient, Hessian and their largest terms."""
    rows = []
    with mp.workprec(PRECISION[np.dtype(dtype).name]):
        for yi, fi in zip(y, f, strict=True):
            rows.append(exact(reference, yi, fi, params))
    return rows


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("reference", "n_outputs", "params"), ROW_CASES, ids=case_id)
def test_within_its_bound(reference, n_outputs, params, dtype):
    y, f = row_samples(reference, n_outputs, dtype)
    loss = fl.get_loss(reference.name, **params)
    bounds = documented_bounds(type(loss))
    computed = loss.loss_gradient_hessian(y, f, reduction="none")
    rows = remembered(
        lambda: exact_rows(reference, params, dtype, y, f),
        "rows", reference.name, reference.labels, n_outputs, sorted(params.items()),
        np.dtype(dtype).name, y, f,
    )  # fmt: skip
    with mp.workprec(KEPT_BITS):
        for i, (*values, terms) in enumerate(rows):
            error = error_in_ulp(computed[0][i], values[0], dtype, terms[0])
            assert error <= bounds[0], f"loss: {error:.2f} ULP at {y[i]!r}, {f[i]!r}"
            for part in (1, 2):
                for k in range(n_outputs):
                    if reference.amplifies and abs(values[part][k]) < 4096 * np.finfo(dtype).tiny:
                        continue  # a subnormal probability's few digits, times a factor
                    error = error_in_ulp(
                        computed[part][i, k], values[part][k], dtype, terms[part][k]
                    )
                    assert error <= bounds[part], (
                        f"{OPERATIONS[part]}[{k}]: {error:.2f} ULP at {y[i]!r}, {f[i]!r}"
                    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("reference", "n_outputs", "params"), ROW_CASES, ids=case_id)
def test_every_operation_gives_the_same_bits(reference, n_outputs, params, dtype):
    y, f = row_samples(reference, n_outputs, dtype, seed=1)
    loss = fl.get_loss(reference.name, **params)
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, reduction="none")
    np.testing.assert_array_equal(loss.loss(y, f, reduction="none"), value)
    np.testing.assert_array_equal(loss(y, f, reduction="none"), value)
    np.testing.assert_array_equal(loss.gradient(y, f, reduction="none"), gradient)
    pairs = (
        *loss.loss_gradient(y, f, reduction="none"),
        *loss.gradient_hessian(y, f, reduction="none"),
    )
    for computed, expected in zip(pairs, (value, gradient, gradient, hessian), strict=True):
        np.testing.assert_array_equal(computed, expected)


@pytest.mark.parametrize(("reference", "n_outputs", "params"), ROW_CASES, ids=case_id)
def test_references_are_derivatives(reference, n_outputs, params):
    rng = np.random.default_rng(7)
    tested = 0
    with mp.workprec(300):
        step = mp.mpf(2) ** -70
        while tested < 4:
            y = row_labels(reference, n_outputs, 1, rng)[0]
            f = [mp.mpf(float(x)) for x in rng.normal(size=n_outputs) * 2]
            known = exact_parameters(params)
            label = exact_label(reference.labels, y)
            kinks = reference.kinks(f, label, **known)
            own = {0} if reference.labels == "sets" else set()
            if any(kink < mp.mpf("1e-3") and kink not in own for kink in kinks):
                continue
            tested += 1
            gradient, hessian = reference.evaluate(f, label, **known)[1:3]
            for k in range(n_outputs):
                up, down = list(f), list(f)
                up[k] += step
                down[k] -= step
                above = reference.evaluate(up, label, **known)
                below = reference.evaluate(down, label, **known)
                slope = (above[0] - below[0]) / (2 * step)
                assert abs(slope - gradient[k]) <= mp.mpf("1e-35") * (1 + abs(gradient[k]))
                exact_hessian = params.get("hessian", "exact") == "exact"
                if reference.hessian_is_derivative and exact_hessian:
                    bend = (above[1][k] - below[1][k]) / (2 * step)
                    assert abs(bend - hessian[k]) <= mp.mpf("1e-35") * (1 + abs(hessian[k]))
