"""Generalised cross-entropies of small q: losses are those of the formula, however large or small."""

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.ulp import error_in_ulp
from mpmath import mp

import fastloss as fl

QS = [1e-30, 1e-20, 1e-16, 1e-12, 1e-3]
GAPS = [-1e30, -1e20, -1e14, -50.0, -1.0, 0.0, 3.0, 30.0, 80.0]


@both_dtypes
@pytest.mark.parametrize("q", QS)
@pytest.mark.parametrize("count", [1, 300])
@pytest.mark.parametrize("name", ["GeneralizedCrossEntropy", "MulticlassGeneralizedCE"])
def test_small_powers(dtype, q, count, name):
    f = np.tile(np.array(GAPS, dtype), count)
    if name == "GeneralizedCrossEntropy":
        values = fl.GeneralizedCrossEntropy(q).loss(np.ones_like(f), f, reduction="none")
    else:
        logits = np.stack([f, np.zeros_like(f)], axis=1)
        values = fl.MulticlassGeneralizedCE(q).loss(np.zeros(f.size, int), logits, reduction="none")
    with mp.workprec(400):
        for i, gap in enumerate(np.array(GAPS, dtype)):
            power = mp.mpf(q)
            exact = -mp.expm1(-power * mp.log1p(mp.exp(-mp.mpf(float(gap))))) / power
            for value in (values[i], values[i - len(GAPS)]):
                assert error_in_ulp(value, exact, dtype) <= 5, (gap, value)


@both_dtypes
def test_power_0_is_the_cross_entropy(dtype):
    rng = np.random.default_rng(0)
    f = rng.normal(size=(200, 5)).astype(dtype) * 10
    y = rng.integers(0, 5, 200)
    w = rng.random(200).astype(dtype)
    loss, plain = fl.MulticlassGeneralizedCE(0), fl.CrossEntropy()
    for part, other in zip(
        loss.loss_gradient_hessian(y, f, w, reduction="none"),
        plain.loss_gradient_hessian(y, f, w, reduction="none"),
        strict=True,
    ):
        np.testing.assert_allclose(part, other, rtol=8 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(loss.predict(f), plain.predict(f))
    np.testing.assert_allclose(loss.initial_prediction(y), plain.initial_prediction(y), rtol=1e-12)
    with pytest.raises(ValueError, match="y_true has shape"):  # it has no soft labels
        loss.loss(f, f)
