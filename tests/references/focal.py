"""Losses of two classes that weigh samples by how well they are classified already."""

from mpmath import mp

from references.base import Reference
from references.logistic import log_loss_excluded, sigmoid, softplus
from references.margins import COSTS

CLIP, Q = mp.mpf(0.05), mp.mpf(0.7)  # defaults


def _focal_terms(y, f, gamma=2, alpha=None, hessian="exact", cost_fn=mp.one, cost_fp=mp.one):
    """The terms of loss, gradient and Hessian, by the product rule."""
    p, q = sigmoid(f), sigmoid(-f)
    a, b = cost_fn * y, cost_fp * (1 - y)
    value = (a * softplus(-f) if a else mp.zero) + (b * softplus(f) if b else mp.zero)
    slope, curvature = b * p - a * q, (a + b) * p * q
    wrong = y * q + (1 - y) * p
    ratio = (1 - 2 * y) * p * q / wrong
    if y in (0, 1):
        ratio = q if y == 0 else -p
    scale = wrong**gamma * (1 if alpha is None else alpha * y + (1 - alpha) * (1 - y))
    rise = 2 * gamma * slope * ratio
    bend = ratio * (ratio - q + p) if y not in (0, 1) else p * q
    last = gamma * value * bend
    if hessian == "bounded":
        rise, last = max(rise, mp.zero), mp.zero
    return {
        "loss": (scale * value,),
        "gradient": (scale * b * p, -scale * a * q, scale * gamma * value * ratio),
        "hessian": (
            scale * curvature,
            scale * rise,
            scale * gamma**2 * value * ratio**2,
            -scale * last,
        ),
    }


def _asymmetric_terms(
    y, f, gamma_pos=1, gamma_neg=4, clip=CLIP, hessian="exact", cost_fn=mp.one, cost_fp=mp.one
):
    gamma, cost, clip = (gamma_pos, cost_fn, mp.zero) if y == 1 else (gamma_neg, cost_fp, clip)
    z = -f if y == 1 else f
    p, q = sigmoid(z), sigmoid(-z)
    x = p - clip
    if x <= 0:
        return {"loss": (mp.zero,), "gradient": (mp.zero,), "hessian": (mp.zero,)}
    value = softplus(z) if clip == 0 else -mp.log(q + clip)
    e1, e2 = (q, p) if clip == 0 else (p * q / x, p * q / (q + clip))
    scale = cost * x**gamma
    sign = 1 - 2 * y
    first = gamma * e1 * value
    never_positive = (
        -scale * first * p,
        -scale * first * (e1 - q),
        -scale * e2 * p * clip / (q + clip),
    )
    return {
        "loss": (scale * value,),
        "gradient": (sign * scale * first, sign * scale * e2),
        "hessian": (
            scale * gamma**2 * e1**2 * value,
            2 * scale * gamma * e1 * e2,
            scale * e2 * q,
            *(never_positive if hessian == "exact" else ()),
        ),
    }


def _gce_terms(y, f, q=Q, hessian="exact", cost_fn=mp.one, cost_fp=mp.one):
    z, cost = (-f, cost_fn) if y == 1 else (f, cost_fp)
    log_p, p, wrong = -softplus(z), sigmoid(-z), sigmoid(z)
    scale = cost * mp.exp(q * log_p) * wrong
    return {
        "loss": (-cost * mp.expm1(q * log_p) / q,),
        "gradient": ((1 - 2 * y) * scale,),
        "hessian": (scale * p, -scale * q * wrong if hessian == "exact" else mp.zero),
    }


def _focal_factor(y, f, gamma=2, **params):
    return min((y * sigmoid(-f) + (1 - y) * sigmoid(f)) ** gamma, mp.exp(-abs(f)))


def _asymmetric_factor(y, f, gamma_pos=1, gamma_neg=4, clip=CLIP, **params):
    power = sigmoid(-f) ** gamma_pos if y == 1 else max(sigmoid(f) - clip, 0) ** gamma_neg
    return min(power, mp.exp(-abs(f))) if power else mp.one


def _gce_factor(y, f, q=Q, **params):
    p = sigmoid(f) if y == 1 else sigmoid(-f)
    return min(p**q, mp.exp(-abs(f)))


def _sum(terms, operation):
    return lambda y, f, **params: mp.fsum(terms(y, f, **params)[operation])


def _largest(terms, operation):
    return lambda y, f, **params: max(map(abs, terms(y, f, **params)[operation]))


def _reference(name, terms, labels, parameters, cancelling, **more):
    return Reference(
        name=name,
        labels=labels,
        **{key: _sum(terms, key) for key in ("loss", "gradient", "hessian")},
        parameters=parameters,
        predict=sigmoid,
        largest_term={key: _largest(terms, key) for key in cancelling},
        **more,
    )


REFERENCES = (
    _reference(
        "focal",
        _focal_terms,
        "unit_interval",
        (
            *COSTS,
            {"alpha": 0.25},
            {"hessian": "bounded"},
            {"gamma": 0.0},
            {"gamma": 0.0, "alpha": 0.3},
            {"gamma": 0.3, "alpha": 0.9, "hessian": "bounded", "cost_fn": 3.0},
            {"gamma": 5.5},
        ),
        ("gradient", "hessian"),
        smallest_factor=_focal_factor,
        excluded=lambda f, dtype, params: log_loss_excluded(f, dtype, True),
    ),
    _reference(
        "asymmetric",
        _asymmetric_terms,
        "binary",
        (
            *COSTS,
            {"clip": 0.0},
            {"gamma_pos": 0.0, "gamma_neg": 0.0, "clip": 0.5},
            {"gamma_pos": 2.5, "gamma_neg": 1.7, "clip": 0.2, "cost_fp": 1e-9},
            {"gamma_pos": 0.7, "gamma_neg": 9.0, "clip": 1e-6},
            {"hessian": "bounded"},
            {"gamma_pos": 0.0, "gamma_neg": 2.0, "clip": 0.0, "hessian": "bounded"},
            {"gamma_pos": 2.5, "gamma_neg": 0.7, "clip": 0.2, "hessian": "bounded", "cost_fn": 3.0},
        ),
        ("hessian",),
        smallest_factor=_asymmetric_factor,
        excluded=lambda f, dtype, params: log_loss_excluded(f, dtype, True),
        kinks=lambda y, f, clip=CLIP, **params: (
            [mp.log(clip / (1 - clip))] if y == 0 and clip > 0 else []
        ),
    ),
    _reference(
        "generalized_cross_entropy",
        _gce_terms,
        "binary",
        (
            *COSTS,
            {"q": 1e-6},
            {"q": 0.05, "cost_fn": 3.0},
            {"q": 1.0},
            {"hessian": "bounded"},
            {"q": 1.0, "hessian": "bounded", "cost_fp": 0.3},
        ),
        ("hessian",),
        smallest_factor=_gce_factor,
    ),
)
