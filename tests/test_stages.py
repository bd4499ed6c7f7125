"""Losses in two stages over samples in L1: the same numbers wherever a stage ends."""

import numpy as np
import pytest

import fastloss as fl


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_long_array_is_its_pieces(dtype):
    rng = np.random.default_rng(4)
    n = 3001
    f, y = rng.normal(size=n).astype(dtype) * 3, (rng.random(n) < 0.5).astype(dtype)
    f[::97], f[5::211] = np.inf, -1e4
    losses = (fl.Asymmetric(), fl.Asymmetric(gamma_neg=2.5), fl.CLogLog(cost_fp=0.3))
    for loss in (*losses, fl.GeneralizedCrossEntropy(), fl.GeneralizedCrossEntropy(q=0.25)):
        whole = loss.loss_gradient_hessian(y, f, reduction="none")
        for start, stop in ((0, 1), (1, 18), (18, 530), (530, 2900), (2900, n)):
            pieces = loss.loss_gradient_hessian(y[start:stop], f[start:stop], reduction="none")
            for piece, all_of_it in zip(pieces, whole, strict=True):
                np.testing.assert_array_equal(piece, all_of_it[start:stop])
