"""Losses of two classes with extreme parameters: no NaN, and digits where only a pair has them."""

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.ulp import error_in_ulp
from mpmath import mp
from references import REFERENCES, case_id
from references.base import PRECISION, exactly

import fastloss as fl

COSTS = [{"cost_fn": 1e-9, "cost_fp": 1e9}, {"cost_fn": 1e9, "cost_fp": 1e-9}]
EXTREME = [
    *(
        (name, costs)
        for name, reference in REFERENCES.items()
        if reference.labels in ("binary", "unit_interval")
        for costs in COSTS
    ),
    ("smooth_hinge", {"gamma": 1e-6}),
    ("smooth_hinge", {"gamma": 1e6}),
    ("poly1", {"epsilon": -1.0}),
    ("poly1", {"epsilon": 1e6}),
    ("generalized_cross_entropy", {"q": 0.0}),
    ("generalized_cross_entropy", {"q": 1e-15}),
    ("generalized_cross_entropy", {"q": 1e-6}),
    ("generalized_cross_entropy", {"q": 1.0}),
    *(
        ("generalized_cross_entropy", {"q": q, "hessian": "bounded"})
        for q in (0.0, 1e-30, 1e-6, 1.0)
    ),
    *(
        ("focal", {"gamma": gamma, "alpha": alpha, "hessian": hessian})
        for gamma in (0.0, 1e-6, 1e3, 1e6)
        for alpha in (None, 0.0, 1.0)
        for hessian in ("exact", "bounded")
    ),
    *(
        (
            "asymmetric",
            {"gamma_pos": gamma, "gamma_neg": gamma, "clip": clip, "hessian": hessian},
        )
        for gamma in (0.0, 1e-6, 1e3, 1e6)
        for clip in (0.0, 1e-9, 0.5, 0.999)
        for hessian in ("exact", "bounded")
    ),
]


def predictions(dtype):
    info = np.finfo(dtype)
    rng = np.random.default_rng(3)
    sizes = np.exp2(rng.uniform(int(info.minexp), int(info.maxexp) - 1, 400))
    f = np.concatenate([sizes, [0, 1e-6, 1, 88, 104, 710, 745, 1e4, float(info.max)]])
    return np.concatenate([f, -f]).astype(dtype)


@pytest.mark.parametrize(("name", "params"), EXTREME, ids=case_id)
@both_dtypes
def test_no_nan(name, params, dtype):
    f = REFERENCES[name].inside(predictions(dtype)).astype(dtype)
    labels = [0.0, 1.0]
    if REFERENCES[name].labels == "unit_interval":
        labels += [1e-9, 0.25, 1 - float(np.finfo(dtype).eps)]
    loss = fl.get_loss(name, **params)
    for y in labels:
        parts = loss.loss_gradient_hessian(np.full_like(f, y), f, reduction="none")
        for part, values in zip(("loss", "gradient", "hessian"), parts, strict=True):
            bad = np.isnan(values)
            assert not bad.any(), (part, y, f[bad][:5])
        if params.get("hessian") == "bounded":
            assert (parts[2] >= 0).all()
    assert np.isfinite(loss.initial_prediction([0, 1, 1], [1.0, 2.0, 0.5]))


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("focal", {"gamma": 1e3}),
        ("focal", {"gamma": 37.3}),
        ("asymmetric", {"gamma_pos": 1e3, "gamma_neg": 1e3, "clip": 1e-6}),
        (
            "asymmetric",
            {"gamma_pos": 1e3, "gamma_neg": 1e3, "clip": 1e-6, "hessian": "bounded"},
        ),
        ("generalized_cross_entropy", {"q": 1e-9}),
        ("generalized_cross_entropy", {"q": 1e-9, "hessian": "bounded"}),
    ],
    ids=case_id,
)
@both_dtypes
def test_a_large_exponent_costs_no_digits(name, params, dtype):
    """gamma log(1 - p_t) is an exponent: a relative error of it would count gamma times."""
    reference, rng = REFERENCES[name], np.random.default_rng(4)
    f = rng.uniform(-8, 8, 300).astype(dtype)
    y = rng.integers(0, 2, 300).astype(dtype)
    parts = fl.get_loss(name, **params).loss_gradient_hessian(y, f, reduction="none")
    tiny, exact, checked = float(np.finfo(dtype).tiny), exactly(params), 0
    with mp.workprec(PRECISION["float64"]):
        for i in range(len(f)):
            point = mp.mpf(float(y[i])), mp.mpf(float(f[i]))
            if reference.smallest_factor(*point, **exact) < tiny:
                continue
            checked += 1
            for part, values in zip(("loss", "gradient", "hessian"), parts, strict=True):
                term = reference.largest_term.get(part)
                largest = term(*point, **exact) if term else None
                true = reference.formula(part)(*point, **exact)
                assert error_in_ulp(values[i], true, dtype, largest) <= 6, (part, y[i], f[i])
    assert checked > 50
