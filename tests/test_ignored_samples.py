"""What a class loss returns for a sample that is ignored: zeros, and positive ones."""

import numpy as np
import pytest

import fastloss as fl


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 3, 5, 10, 40, 300])
@pytest.mark.parametrize("n", [1, 3, 40, 1000])
@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("weighted", [False, True])
def test_no_negative_zero(dtype, n_classes, n, order, weighted):
    rng = np.random.default_rng([61, n])
    f = np.asarray(rng.normal(size=(n, n_classes)), dtype=dtype, order=order)
    y, w = rng.integers(-1, n_classes, n), rng.random(n) + 0.5 if weighted else None
    y[0] = -1
    ignored = y == -1
    for params in ({}, {"label_smoothing": 0.1}, {"class_weight": (0.5,) * n_classes}):
        loss = fl.CrossEntropy(ignore_index=-1, **params)
        for reduction in ("sum", "none"):
            for part in loss.gradient_hessian(y, f, w, reduction=reduction):
                assert not part[ignored].any()
                assert not np.signbit(part[ignored]).any()
                assert part[~ignored].all()
        each = loss.loss(y, f, w, reduction="none")
        assert not each[ignored].any()
        assert not np.signbit(each[ignored]).any()
