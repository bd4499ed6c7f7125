"""Losses with hessian="bounded": never negative, NaN only of NaN, and what their docs say."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.ulp import error_in_ulp
from mpmath import mp
from references import REFERENCES, case_id
from references.base import PRECISION, edge_labels, exactly, labels_of
from references.rows import ROW_REFERENCES, exact_parameters, row_labels

import fastloss as fl

INF = float("inf")
ROWS = {reference.name: reference for reference in ROW_REFERENCES}
BOUNDED = [
    name for name in fl.available_losses() if "hessian" in getattr(fl.get_loss(name), "params", ())
]
POINTWISE = [name for name in BOUNDED if name in REFERENCES]
SCALES = [{"c": c} for c in (1e-150, 1e-9, 0.3, 1e9, 1e150)]
#: Where the second derivative is negative somewhere.
BENT = {
    "barron_robust": {"alpha": 0.5},
    "poly1": {"epsilon": 3.0},
    "tweedie": {"power": 3.0},
    "tweedie_identity": {"power": 3.0},
}
#: Those whose second derivative vanishes instead, far from the label or, of GaussianNLL, at it.
CONVEX = ("fair", "gaussian_nll", "huber", "log_cosh", "pseudo_huber", "smooth_l1")
POWERS = [{"power": power} for power in (-1000.0, -0.5, 0.0, 1.0, 1.5, 2.0, 2.3, 7.0, 1000.0)]
CHOICES = {
    "asymmetric": [
        {"gamma_pos": gamma, "gamma_neg": other, "clip": clip}
        for gamma, other in ((0.0, 0.0), (1.0, 4.0), (7.0, 2.0), (1e-6, 1.5), (1e3, 1e6))
        for clip in (0.0, 1e-300, 1e-9, 0.05, 0.5, 0.999)
    ],
    "barron_robust": [
        {"alpha": alpha, "c": c}
        for alpha in (-INF, -1e20, -2.0, -0.5, 0.0, 1e-30, 0.5, 1.0, 1.9, 2.0, 3.3, 1000.0)
        for c in (1e-9, 0.7, 1e9)
    ],
    "fair": SCALES,
    "focal": [{"gamma": gamma} for gamma in (0.0, 1e-6, 1.0, 2.5, 1e3)],
    "gaussian_crps": [],
    "gaussian_nll": [],
    "generalized_cross_entropy": [
        {"q": q, **costs}
        for q in (0.0, 1e-30, 1e-6, 0.7, 1.0)
        for costs in ({}, {"cost_fn": 1e-300, "cost_fp": 1e9})
    ],
    "huber": [{"delta": scale["c"]} for scale in SCALES],
    "jensen_shannon": [],
    "log_cosh": [],
    "multiclass_focal": [{"gamma": gamma} for gamma in (0.0, 0.5, 2.0, 37.3)],
    "multiclass_generalized_ce": [{"q": q} for q in (0.0, 1e-30, 1e-6, 0.7, 1.0)],
    "poly1": [
        {"epsilon": epsilon, "cost_fn": cost}
        for epsilon in (-1.0, 0.0, 1.0, 1.0 + 2.0**-20, 3.0, 1e15)
        for cost in (1e-9, 1e9)
    ],
    "pseudo_huber": [{"delta": scale["c"]} for scale in SCALES],
    "ranked_probability_score": [],
    "smooth_l1": [{"beta": beta} for beta in (0.0, 1e-150, 1e-9, 0.3, 1e9, 1e150)],
    "squared_log_error": [],
    "student_t": [{"df": df, "scale": scale} for df in (1e-9, 3.0, 1e9) for scale in (1e-9, 1e9)],
    "symmetric_cross_entropy": [
        {"alpha": alpha, "beta": beta} for alpha in (0.0, 1.0, 1e9) for beta in (0.0, 1e-9, 3.0)
    ],
    "tukey": SCALES,
    "tweedie": POWERS,
    "tweedie_identity": POWERS,
    "welsch": SCALES,
    "cauchy": SCALES,
    "geman_mc_clure": SCALES,
}
CASES = [(name, params) for name in BOUNDED for params in ({}, *CHOICES[name])]


def sizes(dtype, n, rng):
    """Numbers of both signs and all magnitudes, the largest and the smallest."""
    info = np.finfo(dtype)
    f = np.exp2(rng.uniform(int(info.minexp) - 20, int(info.maxexp) - 1, n))
    ends = [0.0, 0.5, 17.0, 88.0, 104.0, 710.0, 745.0, float(info.tiny), float(info.max)]
    f = np.concatenate([f, ends, rng.uniform(0, 30, n)])
    return np.concatenate([f, -f]).astype(dtype)


def sample_data(name, dtype, seed=0, **params):
    rng = np.random.default_rng([seed, len(name)])
    if name not in REFERENCES:
        n = 2 if name.startswith("gaussian") else 4
        f = np.stack([rng.permutation(sizes(dtype, 150, rng)) for _ in range(n)], axis=1)
        f = np.concatenate([f, rng.normal(size=(300, n)).astype(dtype) * dtype(9)])
        y = row_labels(ROWS[name], n, len(f), rng, dtype)
        if n == 2:
            y[::7] = f[::7, 0]
        return y, f
    f, domain = sizes(dtype, 300, rng), REFERENCES[name].labels_for(params)
    f = REFERENCES[name].inside(f).astype(dtype)
    y = np.where(
        rng.random(f.size) < 0.5,
        labels_of(domain, rng, f.size),
        edge_labels(domain, rng, f.size, dtype),
    ).astype(dtype)
    if domain != "finite":
        return y, f
    # residuals of all sizes about the label as well
    near = rng.permutation(f)[:300] * dtype(1e-3)
    with np.errstate(over="ignore"):
        f = np.concatenate([f, near + near * f[:300]])
    return np.concatenate([y, near]), REFERENCES[name].inside(f).astype(dtype)


def finite(y, f):
    keep = np.isfinite(f) if f.ndim == 1 else np.isfinite(f).all(axis=1)
    keep &= np.isfinite(y) if y.ndim == 1 else np.isfinite(y).all(axis=1)
    return y[keep], f[keep]


@pytest.mark.parametrize(("name", "params"), CASES, ids=case_id)
@both_dtypes
def test_never_negative_and_never_nan(name, params, dtype):
    y, f = finite(*sample_data(name, dtype, **params))
    loss = fl.get_loss(name, hessian="bounded", **params)
    other = fl.get_loss(name, hessian="exact", **params)
    results = loss.loss_gradient_hessian(y, f, reduction="none")
    bend = results[2]
    wrong = ~(bend >= 0)
    assert not wrong.any(), (y[wrong.nonzero()[0][:3]], f[wrong.nonzero()[0][:3]], bend[wrong][:3])
    # which of two ways BarronRobust goes at alpha = 1 is a matter of its Hessian: last places differ
    loose = name == "barron_robust" and params.get("alpha", 1.0) == 1
    for one, same in zip(results, other.loss_gradient(y, f, reduction="none"), strict=False):
        np.testing.assert_allclose(one, same, rtol=16 * np.finfo(dtype).eps if loose else 0)
    weight = np.random.default_rng(3).exponential(size=len(y)).astype(dtype)
    for reduction in ("sum", "mean"):
        assert (loss.gradient_hessian(y, f, weight, reduction=reduction)[1] >= 0).all()


def is_upper_bound(name, params):
    """Whether the docs say so, of labels that are 0 or 1."""
    return name != "barron_robust" or params.get("alpha", 1.0) <= 2


@pytest.mark.parametrize(
    ("name", "params"), [case for case in CASES if is_upper_bound(*case)], ids=case_id
)
@both_dtypes
def test_at_least_the_second_derivative(name, params, dtype):
    y, f = finite(*sample_data(name, dtype, seed=1, **params))
    if name == "focal":
        y = np.round(y)
    bounded, exact = (
        fl.get_loss(name, hessian=hessian, **params).gradient_hessian(y, f, reduction="none")[1]
        for hessian in ("bounded", "exact")
    )
    info = np.finfo(dtype)
    slack = info.tiny  # of results that are no normal numbers
    if name == "jensen_shannon":  # p (a - A), whose terms cancel
        logs = f - f.max(axis=1, keepdims=True)
        slack = slack + 64 * info.eps * np.exp(logs) * (
            1 + np.minimum(np.ptp(f, axis=1), 800)[:, None]
        )
    assert (exact <= bounded * (1 + 16 * info.eps) + slack).all()


@pytest.mark.parametrize("name", BOUNDED)
@both_dtypes
def test_the_exact_one_is_negative_or_vanishes_somewhere(name, dtype):
    """So that the choice is one."""
    params = BENT.get(name, {})
    y, f = finite(*sample_data(name, dtype, **params))
    exact, bounded = (
        fl.get_loss(name, hessian=hessian, **params).gradient_hessian(y, f, reduction="none")[1]
        for hessian in ("exact", "bounded")
    )
    if name in CONVEX:
        assert (exact >= 0).all()
        assert (exact < 1e-6 * bounded).any()
    else:
        assert (exact < 0).any()


@pytest.mark.parametrize("name", BOUNDED)
@both_dtypes
def test_nan_is_nan(name, dtype):
    for params in ({}, *CHOICES[name]):
        y, f = sample_data(name, dtype, **params)
        loss = fl.get_loss(name, hessian="bounded", **params)
        raw = f[:7].copy()
        raw[3] = np.nan
        with np.errstate(all="ignore"):
            bend = loss.gradient_hessian(y[:7], raw, reduction="none")[1]
        assert np.isnan(bend[3]).all(), params
        assert not np.isnan(bend[:3]).any(), params


@both_dtypes
def test_tweedie_of_a_label_far_above_the_mean(dtype):
    """Fisher's information is no fraction of the other term, which leaves it no exponent."""
    y = np.full(3, np.finfo(dtype).max)
    f = np.array([-0.25, -10.0, -35.0], dtype=dtype)
    eps = np.finfo(dtype).eps
    bend = fl.Tweedie(0.0, hessian="bounded").gradient_hessian(y, f, reduction="none")[1]
    np.testing.assert_allclose(bend, np.exp(2 * f.astype(float)), rtol=4 * eps)
    f = np.array([0.5, 1e-9, 1e-30], dtype=dtype)
    loss = fl.TweedieIdentity(-0.5, hessian="bounded")
    bend = loss.gradient_hessian(y, f, reduction="none")[1]
    np.testing.assert_allclose(bend, np.sqrt(f.astype(float)), rtol=4 * eps)


@both_dtypes
@pytest.mark.parametrize("alpha", [-INF, -2.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
def test_barron_at_infinity(alpha, dtype):
    loss = fl.BarronRobust(alpha, c=0.5, hessian="bounded")
    f = np.array([INF, -INF], dtype=dtype)
    bend = loss.gradient_hessian(np.ones(2), f, reduction="none")[1]
    np.testing.assert_array_equal(bend, [0.0 if alpha < 2 else 4.0 if alpha == 2 else INF] * 2)


RANDOM = {
    "asymmetric": lambda u: {
        "gamma_pos": 5 * u[0],
        "gamma_neg": float(round(6 * u[1])) if u[2] < 0.5 else 6 * u[1],
        "clip": 0.0 if u[3] < 0.2 else 0.4 * u[3],
    },
    "barron_robust": lambda u: {"alpha": 8 * u[0] - 5, "c": 0.1 + 3 * u[1]},
    "generalized_cross_entropy": lambda u: {"q": 0.01 + 0.99 * u[0], "cost_fp": 0.2 + u[1]},
    "multiclass_generalized_ce": lambda u: {"q": 0.01 + 0.99 * u[0]},
}


def stated_bound(loss):
    text = " ".join(type(loss).__doc__.split())
    stated = re.search(r"Error at most ([\d.]+) ULP(?:, of the Hessian at most ([\d.]+))?", text)
    return float(stated[2] or stated[1])


def formula(name, params):
    """The Hessian of a sample, of exact numbers: as the docs print it, with nothing to leave out."""
    if name == "barron_robust":
        return lambda y, f, alpha, c: (
            (1 + ((f - y) / c) ** 2 / abs(alpha - 2)) ** (alpha / 2 - 1) / c**2
        )
    if name == "asymmetric":

        def hessian(y, f, gamma_pos, gamma_neg, clip):
            p, other = 1 / (1 + mp.exp(-f)), 1 / (1 + mp.exp(f))
            if y == 1:
                l, g = -mp.log(p), gamma_pos  # noqa: E741
                return other**g * p * (g**2 * p * l + 2 * g * other + other)
            x = p - clip
            if x <= 0:
                return mp.zero
            l, g = -mp.log(1 - x), gamma_neg  # noqa: E741
            a, b = p * other / x, p * other / (1 - x)
            return x**g * (g**2 * a**2 * l + 2 * g * a * b + b * other)

        return hessian

    def log_loss_part(y, f, q, cost_fp):
        p = 1 / (1 + mp.exp(-f if y == 1 else f))
        return (1 if y == 1 else cost_fp) * p**q * p * (1 - p)

    return log_loss_part


@pytest.mark.parametrize("name", [name for name in RANDOM if name in REFERENCES])
@both_dtypes
def test_the_formula_of_the_docs(name, dtype):
    rng = np.random.default_rng(11)
    tiny = float(np.finfo(dtype).tiny)
    for _ in range(12):
        params = RANDOM[name](rng.random(4))
        loss, known = fl.get_loss(name, hessian="bounded", **params), exactly(params)
        y = labels_of(REFERENCES[name].labels, rng, 40).astype(dtype)
        f = (rng.normal(size=40) * 6).astype(dtype)
        bend = loss.gradient_hessian(y, f, reduction="none")[1]
        assert (bend > 0).sum() > 10
        with mp.workprec(PRECISION["float32"]):
            for yi, fi, value in zip(y, f, bend, strict=True):
                expected = formula(name, params)(mp.mpf(float(yi)), mp.mpf(float(fi)), **known)
                if expected > 4096 * tiny:
                    error = error_in_ulp(value, expected, dtype)
                    assert error <= stated_bound(loss), (error, params, yi, fi)


@both_dtypes
@pytest.mark.parametrize("n", [1, 2, 3, 11])
def test_the_formula_of_the_docs_for_several_classes(n, dtype):
    rng = np.random.default_rng(n)
    for _ in range(6):
        params = RANDOM["multiclass_generalized_ce"](rng.random(4))
        loss = fl.MulticlassGeneralizedCE(hessian="bounded", **params)
        q = exact_parameters(params)["q"]
        y, f = rng.integers(0, n, 20), (rng.normal(size=(20, n)) * 4).astype(dtype)
        bend = loss.gradient_hessian(y, f, reduction="none")[1]
        with mp.workprec(PRECISION["float32"]):
            for label, row, values in zip(y, f, bend, strict=True):
                e = [mp.exp(mp.mpf(float(x))) for x in row]
                p = [x / mp.fsum(e) for x in e]
                for k in range(n):
                    rest = mp.fsum(e[:k] + e[k + 1 :]) / mp.fsum(e)
                    expected = p[label] ** q * p[k] * rest
                    assert error_in_ulp(values[k], expected, dtype) <= stated_bound(loss)


@both_dtypes
def test_asymmetric_without_clip_is_focal(dtype):
    """What is left out is the same of both."""
    y, f = finite(*sample_data("asymmetric", dtype))
    f = np.clip(f, -60, 60)
    for gamma in (0.0, 1.0, 2.0, 2.5):
        one = fl.Asymmetric(gamma, gamma, clip=0.0, hessian="bounded")
        other = fl.Focal(gamma, hessian="bounded")
        bends = [loss.gradient_hessian(y, f, reduction="none")[1] for loss in (one, other)]
        tiny = 4096 * np.finfo(dtype).tiny
        np.testing.assert_allclose(*bends, rtol=16 * np.finfo(dtype).eps, atol=tiny)


@pytest.mark.parametrize("name", BOUNDED)
def test_the_choice_is_a_parameter_like_others(name):
    loss = fl.get_loss(name, hessian="bounded")
    assert loss.hessian == loss.params["hessian"] == "bounded"
    assert fl.get_loss(name).hessian == "exact"
    assert fl.get_loss(name) != loss
    assert eval(repr(loss), {type(loss).__name__: type(loss)}) == loss
    assert pickle.loads(pickle.dumps(loss)) == loss
    for wrong in ("none", "Bounded"):
        with pytest.raises(ValueError, match=f"^hessian = '{wrong}': expected "):
            fl.get_loss(name, hessian=wrong)
