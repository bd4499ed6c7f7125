"""Asymmetric where a probability is close to the clip and their difference loses its digits."""

import math

import numpy as np
import pytest
from references import REFERENCES
from test_accuracy import OPERATIONS, documented_bound, worst

import fastloss as fl

#: Of each logit from that of the clip.
SIZES = np.concatenate([np.logspace(-12, -1, 20), np.linspace(0.01, 3.0, 30)])
DISTANCES = np.concatenate([-SIZES, SIZES])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("clip", [1e-6, 0.05, 0.3, 0.9])
@pytest.mark.parametrize("gamma", [0.0, 1.0, 4.0, 7.0])
def test_near_the_clip(gamma, clip, dtype):
    params = {"gamma_pos": 1.0, "gamma_neg": gamma, "clip": clip}
    f = (math.log(clip / (1.0 - clip)) + DISTANCES).astype(dtype)
    y = np.zeros_like(f)
    loss, reference = fl.get_loss("asymmetric", **params), REFERENCES["asymmetric"]
    results = loss.loss_gradient_hessian(y, f, reduction="none")
    for operation, computed in zip(OPERATIONS, results, strict=True):
        error, _, at, value = worst(reference, params, dtype, operation, y, f, computed)
        assert error <= documented_bound(type(loss), operation), (
            f"{operation}: {error:.2f} ULP at {at!r}, which gives {value!r}"
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_long_array_is_its_pieces(dtype):
    rng = np.random.default_rng(4)
    n = 3001
    f, y = rng.normal(size=n).astype(dtype) * 3, (rng.random(n) < 0.5).astype(dtype)
    for loss in (fl.Asymmetric(), fl.CLogLog(), fl.GeneralizedCrossEntropy()):
        whole = loss.loss_gradient_hessian(y, f, reduction="none")
        for start, stop in ((0, 1), (1, 18), (18, 530), (530, 2900), (2900, n)):
            pieces = loss.loss_gradient_hessian(y[start:stop], f[start:stop], reduction="none")
            for piece, all_of_it in zip(pieces, whole, strict=True):
                np.testing.assert_array_equal(piece, all_of_it[start:stop])
