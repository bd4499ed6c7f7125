"""Errors of GeneralizedCrossEntropy where a search found the largest."""

import numpy as np
import pytest
from helpers.ulp import error_in_ulp
from mpmath import mp
from references.base import PRECISION

import fastloss as fl

#: dtype, q, cost_fp, f of y = 0: the loss cancels beside q S = ln2 / 2, the Hessian beside f = 0, q = 1
FOUND = [
    ("float64", 0.5007964510045818, 0.8409218309019652, 9.71977324373582e-05),
    ("float64", 0.49674779077306547, 2.7859070334604414, 7.041722736189427e-05),
    ("float64", 0.39263167992077525, 3.2443900344197627, -2.8142121850898345e-05),
    ("float64", 0.9167184793461899, 15.072483238820386, -0.00023003444383947535),
    ("float64", 0.9748092969203017, 15.658864109086538, -2.3031175105508486e-05),
    ("float32", 0.5639365413992027, 1.7324344727094745, 0.0003808645),
    ("float32", 0.18213071722935703, 1.500919211709582, -0.0012290475),
    ("float32", 0.9173872160866894, 3.73057953574247, -0.0027748963),
    ("float32", 0.9999836330606658, 1.9380374635946211, -0.0030228556),
]


@pytest.mark.parametrize(("dtype", "q", "cost", "f"), FOUND)
def test_largest_errors(dtype, q, cost, f):
    f = np.array([f], dtype)
    loss = fl.GeneralizedCrossEntropy(q=q, cost_fp=cost)
    results = loss.loss_gradient_hessian([0], f, reduction="none")
    with mp.workprec(PRECISION[dtype]):
        p = 1 / (1 + mp.exp(-mp.mpf(float(f[0]))))
        slope = cost * (1 - p) ** q * p
        rising, falling = slope * (1 - p), slope * q * p
        exact = (cost * (1 - (1 - p) ** q) / q, slope, rising - falling)
        largest = (None, None, max(rising, falling))
        for result, value, term in zip(results, exact, largest, strict=True):
            error = error_in_ulp(result[0], value, dtype, *(() if term is None else (term,)))
            assert error <= 4.5
