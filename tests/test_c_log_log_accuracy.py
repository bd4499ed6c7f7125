"""CLogLog where its forms change, between the numbers that the samples of all losses meet."""

import numpy as np
import pytest
from references import REFERENCES
from test_accuracy import OPERATIONS, documented_bound, worst

import fastloss as fl


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_where_the_forms_change(dtype):
    rng = np.random.default_rng(3)
    f = np.concatenate(
        [rng.uniform(-0.5, 1.5, 1500), 10.0 ** rng.uniform(-9, 0, 500), [0.7040945291519165]]
    ).astype(dtype)
    y = np.ones_like(f)
    results = fl.CLogLog().loss_gradient_hessian(y, f, reduction="none")
    for operation, computed in zip(OPERATIONS, results, strict=True):
        error, _, at, value = worst(REFERENCES["c_log_log"], {}, dtype, operation, y, f, computed)
        assert error <= documented_bound(fl.CLogLog, operation), (
            f"{operation}: {error:.2f} ULP at {at!r}, which gives {value!r}"
        )


@pytest.mark.parametrize(("dtype", "f"), [(np.float32, 89.9), (np.float64, 710.5)])
def test_a_cost_below_one_brings_back_what_overflows(dtype, f):
    f = np.array([f], dtype)
    exact = np.exp(np.float64(f[0]) + np.log(0.01) - 300 * np.log(2)) * 2.0**150 * 2.0**150
    for result in fl.CLogLog(cost_fp=0.01).loss_gradient_hessian([0], f, reduction="none"):
        np.testing.assert_allclose(result, exact, rtol=1e-6 if dtype == np.float32 else 1e-12)
    assert np.isinf(fl.CLogLog().loss([0], f))
    assert np.isinf(fl.CLogLog(cost_fp=0.01).loss([0], np.array([1e4], dtype)))
