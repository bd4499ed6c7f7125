"""Errors where searches found the largest: of these kernels, and of those before them."""

import numpy as np
import pytest
from helpers.ulp import error_in_ulp
from mpmath import mp
from references.base import PRECISION
from references.multiclass import cross_entropy
from references.rows import ROW_REFERENCES, exact

import fastloss as fl

#: c, r of float32: 5.1 ULP with the logarithm that cancels, 3.73 by its own rest without fusing
FAIR = [
    (1000.0, 130.36302185058594),
    (2029.6896046688637, 264.6492919921875),
    (1980.5031269707742, 261.61041259765625),
    (21796.242861721486, 8829.59375),
]
#: delta, r, both of float32: 3.4 ULP with two divisions
PSEUDO_HUBER = [(0.061794078535584974, 3.984285831451416)]


@pytest.mark.parametrize(("c", "r"), FAIR)
def test_fair(c, r):
    r = np.array([r], np.float32)
    loss = fl.Fair(c=c).loss([0.0], r, reduction="none")
    with mp.workprec(PRECISION["float32"]):
        q = mp.mpf(float(r[0])) / c
        assert error_in_ulp(loss[0], mp.mpf(c) ** 2 * (q - mp.log1p(q)), "float32") <= 4


@pytest.mark.parametrize(("delta", "r"), PSEUDO_HUBER)
def test_pseudo_huber(delta, r):
    r = np.array([r], np.float32)
    loss = fl.PseudoHuber(delta=delta).loss([0.0], r, reduction="none")
    with mp.workprec(PRECISION["float32"]):
        q = mp.mpf(float(r[0])) / delta
        exact = mp.mpf(delta) ** 2 * q**2 / (1 + mp.sqrt(1 + q**2))
        assert error_in_ulp(loss[0], exact, "float32") <= 3


@pytest.mark.parametrize(
    ("dtype", "epsilon", "cost_fn", "cost_fp", "y", "f"),
    [
        ("float32", -1.0, 0.699999988079071, 1.0, 0.5685563087463379, -0.18748818337917328),
        ("float64", -1.0, 1.0, 1.0, 0.7080719028512532, 0.34727048955425466),
        ("float64", -1.0, 0.7, 1.0, 0.5465895914687524, -0.014665162266669585),
        ("float32", 0.30000001192092896, 3.0, 1e30, 0.49115297198295593, -2.7329373359680176),
        ("float64", 3.529032667929581, 1e30, 1e-30, 1.0, 4.012276641302208),
        ("float32", -1.0, 3.0, 1.0, 1.0, -0.2874091565608978),
        ("float32", -0.9991846680641174, 20.0, 1.0, 0.0, -0.6182083487510681),
        ("float64", -0.9996261596679688, 3.0, 20.0, 0.9405580268381828, 0.5655844211341343),
        ("float32", -0.30000001192092896, 3.0, 1.0, 1.0, -11.77945327758789),
    ],
)
def test_poly1(dtype, epsilon, cost_fn, cost_fp, y, f):
    y, f = np.array([y], dtype), np.array([f], dtype)
    loss = fl.Poly1(epsilon=epsilon, cost_fn=cost_fn, cost_fp=cost_fp)
    gradient, hessian = loss.gradient_hessian(y, f, reduction="none")
    with mp.workprec(PRECISION[dtype]):
        label, p = mp.mpf(float(y[0])), 1 / (1 + mp.exp(-mp.mpf(float(f[0]))))
        a, b = cost_fn * label, cost_fp * (1 - label)
        rising, falling = b * p * (1 + epsilon * (1 - p)), a * (1 - p) * (1 + epsilon * p)
        soft = 0 < label < 1
        largest = max(rising, falling) if soft else None
        assert error_in_ulp(gradient[0], rising - falling, dtype, largest) <= (6 if soft else 5)
        spread = p * (1 - p)
        bend = spread * (a + b + epsilon * (b - a) * (1 - 2 * p))
        assert error_in_ulp(hessian[0], bend, dtype, (1 + abs(epsilon)) * (a + b) * spread) <= 5


def test_focal():
    y, f, gamma = 0.9999999999999999, 3.832180561129605, 6
    gradient = fl.Focal(gamma=gamma).gradient([y], [f], reduction="none")
    with mp.workprec(PRECISION["float64"]):
        label, p = mp.mpf(y), 1 / (1 + mp.exp(-mp.mpf(f)))
        rest = label * (1 - p) + (1 - label) * p
        cross = -label * mp.log(p) - (1 - label) * mp.log1p(-p)
        terms = (
            rest**gamma * (p - label),
            gamma * rest ** (gamma - 1) * (1 - 2 * label) * p * (1 - p) * cross,
        )
        assert error_in_ulp(gradient[0], sum(terms), "float64", max(map(abs, terms))) <= 4.5


def test_log_loss():
    y, f, costs = 0.9999999999999999, -11.520429455748513, {"cost_fn": 3.0, "cost_fp": 0.7}
    _, hessian = fl.LogLoss(**costs).gradient_hessian([y], [f], reduction="none")
    with mp.workprec(PRECISION["float64"]):
        label, p = mp.mpf(y), 1 / (1 + mp.exp(-mp.mpf(f)))
        exact = (costs["cost_fn"] * label + costs["cost_fp"] * (1 - label)) * p * (1 - p)
        assert error_in_ulp(hessian[0], exact, "float64") <= 4


#: loss, dtype, label and raw predictions: 4.6 to 9.1 ULP when exponentials were rounded
SOFTMAX_HESSIANS = [
    ("cross_entropy", "float32", 2, (-7.601774215698242, -16.952661514282227, -16.627044677734375)),
    ("cross_entropy", "float64", 1, (22.99294875598258, 0.7916384945896507, -36.04375401589837)),
    (
        "symmetric_cross_entropy",
        "float32",
        2,
        (-0.9442840218544006, 5.9669952392578125, -4.539867877960205),
    ),
    (
        "symmetric_cross_entropy",
        "float64",
        2,
        (-18.421501109380287, 2.1840166082159453, -9.778431043794118),
    ),
    (
        "ranked_probability_score",
        "float64",
        2,
        (-16.048520065144647, -18.57390909436785, -15.890275442872012),
    ),
    (
        "jensen_shannon",
        "float32",
        (1.07876718044281, 1.9022161623638567e-09, 1.3660951481142547e-06),
        (-10.340925216674805, 7.0518364906311035, -12.330597877502441),
    ),
    (
        "jensen_shannon",
        "float64",
        (0.07630119611632044, 0.061166607998168296, 0.6559677423495375),
        (-22.769261056163245, -4.082652276481008, -17.385518843188148),
    ),
    (
        "multiclass_generalized_ce",
        "float64",
        2,
        (1.6230776122329957, -18.401846735381948, -10.265462645219262),
    ),
    (
        "multiclass_generalized_ce",
        "float32",
        2,
        (5.868332386016846, 0.3645498752593994, 6.400691509246826),
    ),
]


@pytest.mark.parametrize(("name", "dtype", "y", "f"), SOFTMAX_HESSIANS)
def test_softmax_hessian(name, dtype, y, f):
    params = {"q": 1.0} if name == "multiclass_generalized_ce" else {}
    y, f = np.array([y]), np.array([f], dtype)
    if y.ndim == 2:
        y = y.astype(dtype)
    hessian = fl.get_loss(name, **params).gradient_hessian(y, f, reduction="none")[1][0]
    with mp.workprec(PRECISION[dtype]):
        if name == "cross_entropy":
            exact_hessian = cross_entropy(f[0], int(y[0]))[2]
            terms = [None] * 3
        else:
            reference = next(r for r in ROW_REFERENCES if r.name == name)
            *_, exact_hessian, largest = exact(reference, y[0], f[0], params)
            terms = largest[2]
        for value, wanted, term in zip(hessian, exact_hessian, terms, strict=True):
            assert error_in_ulp(value, wanted, dtype, term) <= 3


@pytest.mark.parametrize(
    ("dtype", "thresholds", "y", "f"),
    [
        ("float32", (0.991311252117157, 2.4648544788360596), 0, -3.146392822265625),
        ("float64", (2.6337740421295166, 3.7491800785064697), 0, -0.7865856005010895),
        ("float64", (-6.994396686553955, 4.179155349731445), 0, -0.759119425394437),
        ("float64", (-6.994396686553955, 4.179155349731445), 1, -4.239190349364094),
    ],
)
def test_cumulative_logit(dtype, thresholds, y, f):
    loss = fl.CumulativeLogit(thresholds)
    value, _, hessian = loss.loss_gradient_hessian([y], np.array([f], dtype), reduction="none")
    with mp.workprec(PRECISION[dtype]):
        below = 1 / (1 + mp.exp(-(mp.mpf(thresholds[y]) - f)))
        above = 1 / (1 + mp.exp(-(mp.mpf(thresholds[y - 1]) - f))) if y else mp.mpf(0)
        exact = below * (1 - below) + above * (1 - above)
        assert error_in_ulp(value[0], -mp.log(below - above), dtype) <= 3
        assert error_in_ulp(hessian[0], exact, dtype) <= 3


@pytest.mark.parametrize(
    ("dtype", "theta", "y", "f"),
    [
        ("float32", 20.299999237060547, 7.678187847137451, 0.41175898909568787),
        ("float32", 0.3700000047683716, 1.716601848602295, -7.4231672286987305),
        ("float64", 0.3700000047683716, 0.5259311072380214, -4.327660228566533),
        ("float64", 9.999999974752427e-07, 2.341028825036381, 9.70673752302173),
    ],
)
def test_negative_binomial(dtype, theta, y, f):
    y, f = np.array([y], dtype), np.array([f], dtype)
    gradient, hessian = fl.NegativeBinomial(theta).gradient_hessian(y, f, reduction="none")
    with mp.workprec(PRECISION[dtype]):
        label, mean = mp.mpf(float(y[0])), mp.exp(mp.mpf(float(f[0])))
        over = 1 + theta * mean
        exact = (mean - label) / over
        assert error_in_ulp(gradient[0], exact, dtype, max(mean, label) / over) <= 4
        assert error_in_ulp(hessian[0], (1 + theta * label) * mean / over**2, dtype) <= 4
