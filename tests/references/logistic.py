"""Losses of two classes on a logit: log loss and its relatives."""

import math

import numpy as np
from mpmath import mp

from references.base import Reference
from references.margins import COSTS


def sigmoid(f):
    return 1 / (1 + mp.exp(-f))


def softplus(f):
    return max(f, mp.zero) + mp.log(1 + mp.exp(-abs(f)))


def _parts(y, pos_weight=mp.one, label_smoothing=mp.zero, cost_fn=mp.one, cost_fp=mp.one):
    """The weights of the positive and the negative part."""
    y = y * (1 - label_smoothing) + label_smoothing / 2
    return pos_weight * cost_fn * y, cost_fp * (1 - y)


def log_loss(y, f, **params):
    a, b = _parts(y, **params)
    return a * softplus(-f) + b * softplus(f)


def log_loss_gradient(y, f, **params):
    a, b = _parts(y, **params)
    return b * sigmoid(f) - a * sigmoid(-f)


def log_loss_excluded(f, dtype, params):
    """Beyond this e^-|f| is subnormal, and a factor brings its few bits back among the normal ones."""
    return bool(params) and abs(f) > -math.log(float(np.finfo(dtype).tiny))


def log_loss_gradient_term(y, f, **params):
    a, b = _parts(y, **params)
    return max(b * sigmoid(f), a * sigmoid(-f))


def log_loss_hessian(y, f, **params):
    a, b = _parts(y, **params)
    return (a + b) * sigmoid(f) * sigmoid(-f)


def _binary_cross_entropy(y, f, **params):
    """The terms of loss, gradient and Hessian, as torch has them."""
    a, b = _parts(y, **params)
    at_1, at_0 = (min(-mp.log(x), mp.mpf(100)) if x > 0 else mp.mpf(100) for x in (f, 1 - f))
    least = max(f * (1 - f), mp.mpf(10) ** -12)
    return {
        "loss": (a * at_1, b * at_0),
        "gradient": (b * f / least, -a * (1 - f) / least),
        "hessian": (a * ((1 - f) / least) ** 2, b * (f / least) ** 2),
    }


def _bce(operation):
    return lambda y, f, **params: sum(_binary_cross_entropy(y, f, **params)[operation])


def _bce_gradient_term(y, f, **params):
    """Where both costs are the same nothing cancels."""
    terms = _binary_cross_entropy(y, f, **params)["gradient"]
    same = params.get("cost_fn", 1) == params.get("cost_fp", 1)
    return abs(sum(terms)) if same else max(map(abs, terms))


def _bce_factor(y, f, **params):
    """The smaller term before it is divided: 1e12 brings it back among the normal numbers."""
    a, b = _parts(y, **params)
    return min(part for part in (a * (1 - f), b * f, mp.one) if part)


def unit_interval(f):
    """Any numbers moved into [0, 1], those beyond it towards 1."""
    size = np.abs(f)
    return np.where(size <= 1, size, 1 - 0.5 / np.maximum(size, 1))


def _exponentials(y, f, cost_fn=mp.one, cost_fp=mp.one):
    down = cost_fn * y * mp.exp(-f) if y else mp.zero
    return down, cost_fp * (1 - y) * mp.exp(f) if y != 1 else mp.zero


def exponential(y, f, **params):
    return sum(_exponentials(y, f, **params))


def exponential_gradient(y, f, **params):
    down, up = _exponentials(y, f, **params)
    return up - down


def _poly1_terms(y, f, epsilon=mp.one, hessian="exact", **params):
    """The terms of loss, gradient and Hessian."""
    a, b = _parts(y, **params)
    p, q = sigmoid(f), sigmoid(-f)
    bend = b * (q - p) + a * (p - q)
    if hessian == "bounded" and epsilon > 1:
        bend = b * q + a * p
    return {
        "loss": (a * softplus(-f) + b * softplus(f), epsilon * (a * q + b * p)),
        "gradient": (b * p * (1 + epsilon * q), -a * q * (1 + epsilon * p)),
        "hessian": (p * q * (a + b), p * q * epsilon * bend),
    }


def _poly1(operation):
    return lambda y, f, **params: sum(_poly1_terms(y, f, **params)[operation])


def _poly1_largest(operation):
    return lambda y, f, **params: max(map(abs, _poly1_terms(y, f, **params)[operation]))


def _poly1_hessian_term(y, f, epsilon=mp.one, hessian="exact", **params):
    a, b = _parts(y, **params)
    return (1 + abs(epsilon)) * (a + b) * sigmoid(f) * sigmoid(-f)


REFERENCES = (
    Reference(
        name="log_loss",
        labels="unit_interval",
        loss=log_loss,
        gradient=log_loss_gradient,
        hessian=log_loss_hessian,
        parameters=(
            {},
            {"pos_weight": 31.7},
            {"label_smoothing": 0.1},
            {"label_smoothing": 1e-6},
            {"label_smoothing": 1.0},
            {"pos_weight": 3.3, "label_smoothing": 0.01, "cost_fn": 20.0, "cost_fp": 0.3},
            {"pos_weight": 1e-9, "cost_fp": 1e7},
        ),
        predict=sigmoid,
        largest_term={"gradient": log_loss_gradient_term},
        excluded=log_loss_excluded,
    ),
    Reference(
        name="binary_cross_entropy",
        labels="unit_interval",
        loss=_bce("loss"),
        gradient=_bce("gradient"),
        hessian=_bce("hessian"),
        parameters=(*COSTS, {"cost_fn": 1.7, "cost_fp": 1.7}),
        largest_term={"gradient": _bce_gradient_term},
        smallest_factor=_bce_factor,
        inside=unit_interval,
        well_inside=lambda f: 0.25 + 0.5 * unit_interval(f),
        has_limits=False,
    ),
    Reference(
        name="exponential",
        labels="unit_interval",
        loss=exponential,
        gradient=exponential_gradient,
        hessian=exponential,
        parameters=(*COSTS, {"cost_fn": 1e-6, "cost_fp": 1e6}),
        predict=lambda f: sigmoid(2 * f),
        largest_term={"gradient": exponential},
    ),
    Reference(
        name="poly1",
        labels="unit_interval",
        loss=_poly1("loss"),
        gradient=_poly1("gradient"),
        hessian=_poly1("hessian"),
        parameters=(
            *COSTS,
            {"epsilon": -1.0},
            {"epsilon": -0.3},
            {"epsilon": 12.7, "cost_fn": 3.0},
            {"epsilon": 1e3},
            {"epsilon": 0.8, "hessian": "bounded"},
            {"epsilon": 12.7, "cost_fp": 3.0, "hessian": "bounded"},
            {"epsilon": 1e3, "hessian": "bounded"},
        ),
        predict=sigmoid,
        largest_term={
            "loss": _poly1_largest("loss"),
            "gradient": _poly1_largest("gradient"),
            "hessian": _poly1_hessian_term,
        },
        excluded=log_loss_excluded,
    ),
)
