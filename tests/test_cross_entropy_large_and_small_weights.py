"""Hessians of CrossEntropy keep their digits under weights far larger or smaller than 1."""

import numpy as np
import pytest
from helpers.ulp import error_in_ulp
from mpmath import mp
from references.base import PRECISION

import fastloss as fl

#: dtype, a weight, by how much one logit exceeds the others
FAR = [
    ("float32", 4e9, 92.0),
    ("float32", 1e30, 100.0),
    ("float32", 1e30, 0.5),
    ("float32", 1e-30, 0.5),
    ("float64", 1e100, 740.0),
    ("float64", 1e300, 720.0),
    ("float64", 1e300, 0.5),
    ("float64", 1e-300, 0.5),
]


@pytest.mark.parametrize("n_classes", [2, 3, 9, 64, 100])
@pytest.mark.parametrize(("dtype", "weight", "gap"), FAR)
@pytest.mark.parametrize("order", ["C", "F"])
def test_hessian(dtype, weight, gap, n_classes, order):
    n = 37
    weight = np.dtype(dtype).type(weight)
    f = np.zeros((n, n_classes), dtype, order)
    f[:, 0] = gap
    y = np.arange(n) % n_classes
    soft = np.zeros_like(f)
    soft[:, 1] = weight
    each = [fl.CrossEntropy().gradient_hessian(soft, f, reduction="none")[1]]
    w = np.full(n, weight)
    each.append(fl.CrossEntropy().gradient_hessian(y, f, w, reduction="none")[1])
    if 1e-30 <= float(weight) <= 1e30:
        classes = fl.CrossEntropy(class_weight=[weight] * n_classes, label_smoothing=0.1)
        each.append(classes.gradient_hessian(y, f, reduction="none")[1])
    with mp.workprec(PRECISION[dtype]):
        small = mp.exp(-mp.mpf(gap))
        total = 1 + (n_classes - 1) * small
        largest = mp.mpf(float(weight)) * (total - 1) / total**2
        other = mp.mpf(float(weight)) * small * (total - small) / total**2
        for hessian in each:
            for row in hessian:
                assert error_in_ulp(row[0], largest, dtype) <= 3
                assert error_in_ulp(row[-1], other, dtype) <= 3
