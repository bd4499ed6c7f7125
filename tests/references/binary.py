"""Losses of two classes: of a logit, and of a margin m = (2y - 1) f."""

import math

import numpy as np
from mpmath import mp

from references.base import Reference


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


def _margin_loss(power):
    """Loss, gradient and Hessian of cost * max(0, 1 - m)**power."""

    def cost(y, cost_fn, cost_fp):
        return cost_fn if y == 1 else cost_fp

    def loss(y, f, cost_fn=mp.one, cost_fp=mp.one):
        return cost(y, cost_fn, cost_fp) * max(mp.zero, 1 - (2 * y - 1) * f) ** power

    def gradient(y, f, cost_fn=mp.one, cost_fp=mp.one):
        slack = 1 - (2 * y - 1) * f
        if slack <= 0:
            return mp.zero
        return -(2 * y - 1) * cost(y, cost_fn, cost_fp) * power * slack ** (power - 1)

    def hessian(y, f, cost_fn=mp.one, cost_fp=mp.one):
        active = (2 * y - 1) * f < 1
        return power * cost(y, cost_fn, cost_fp) if active else mp.zero

    return {"loss": loss, "gradient": gradient, "hessian": hessian}


_COSTS = ({}, {"cost_fn": 20.0, "cost_fp": 0.3})

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
        name="hinge",
        labels="binary",
        **_margin_loss(1),
        hessian_is_derivative=False,
        parameters=_COSTS,
        kinks=lambda y, f, **params: [2 * y - 1],
    ),
    Reference(
        name="squared_hinge",
        labels="binary",
        **_margin_loss(2),
        parameters=_COSTS,
        kinks=lambda y, f, **params: [2 * y - 1],
    ),
)
