"""Losses of a margin m = (2y - 1) f."""

from mpmath import mp

from references.base import Reference


def _cost(y, cost_fn, cost_fp):
    return cost_fn if y == 1 else cost_fp


def _margin_loss(power):
    """Loss, gradient and Hessian of cost * max(0, 1 - m)**power."""

    def loss(y, f, cost_fn=mp.one, cost_fp=mp.one):
        return _cost(y, cost_fn, cost_fp) * max(mp.zero, 1 - (2 * y - 1) * f) ** power

    def gradient(y, f, cost_fn=mp.one, cost_fp=mp.one):
        slack = 1 - (2 * y - 1) * f
        if slack <= 0:
            return mp.zero
        return -(2 * y - 1) * _cost(y, cost_fn, cost_fp) * power * slack ** (power - 1)

    def hessian(y, f, cost_fn=mp.one, cost_fp=mp.one):
        active = (2 * y - 1) * f < 1
        return power * _cost(y, cost_fn, cost_fp) if active else mp.zero

    return {"loss": loss, "gradient": gradient, "hessian": hessian}


def smooth_hinge(y, f, gamma=mp.one, cost_fn=mp.one, cost_fp=mp.one):
    slack = max(mp.zero, 1 - (2 * y - 1) * f)
    value = slack**2 / (2 * gamma) if slack < gamma else slack - gamma / 2
    return _cost(y, cost_fn, cost_fp) * value


def smooth_hinge_gradient(y, f, gamma=mp.one, cost_fn=mp.one, cost_fp=mp.one):
    slack = max(mp.zero, 1 - (2 * y - 1) * f)
    return -(2 * y - 1) * _cost(y, cost_fn, cost_fp) * min(slack / gamma, mp.one)


def smooth_hinge_hessian(y, f, gamma=mp.one, cost_fn=mp.one, cost_fp=mp.one):
    inside = 0 < 1 - (2 * y - 1) * f < gamma
    return _cost(y, cost_fn, cost_fp) / gamma if inside else mp.zero


def modified_huber(y, f, cost_fn=mp.one, cost_fp=mp.one):
    m = (2 * y - 1) * f
    return _cost(y, cost_fn, cost_fp) * (max(mp.zero, 1 - m) ** 2 if m >= -1 else -4 * m)


def modified_huber_gradient(y, f, cost_fn=mp.one, cost_fp=mp.one):
    m = (2 * y - 1) * f
    return -2 * (2 * y - 1) * _cost(y, cost_fn, cost_fp) * min(max(mp.zero, 1 - m), mp.mpf(2))


def modified_huber_hessian(y, f, cost_fn=mp.one, cost_fp=mp.one):
    inside = -1 <= (2 * y - 1) * f < 1
    return 2 * _cost(y, cost_fn, cost_fp) if inside else mp.zero


def perceptron(y, f, cost_fn=mp.one, cost_fp=mp.one):
    return _cost(y, cost_fn, cost_fp) * max(mp.zero, -(2 * y - 1) * f)


def perceptron_gradient(y, f, cost_fn=mp.one, cost_fp=mp.one):
    active = (2 * y - 1) * f <= 0
    return -(2 * y - 1) * _cost(y, cost_fn, cost_fp) if active else mp.zero


def perceptron_hessian(y, f, cost_fn=mp.one, cost_fp=mp.one):
    return _cost(y, cost_fn, cost_fp) if (2 * y - 1) * f <= 0 else mp.zero


COSTS = ({}, {"cost_fn": 20.0, "cost_fp": 0.3})

REFERENCES = (
    Reference(
        name="hinge",
        labels="binary",
        **_margin_loss(1),
        hessian_is_derivative=False,
        parameters=COSTS,
        kinks=lambda y, f, **params: [2 * y - 1],
    ),
    Reference(
        name="squared_hinge",
        labels="binary",
        **_margin_loss(2),
        parameters=COSTS,
        kinks=lambda y, f, **params: [2 * y - 1],
    ),
    Reference(
        name="smooth_hinge",
        labels="binary",
        loss=smooth_hinge,
        gradient=smooth_hinge_gradient,
        hessian=smooth_hinge_hessian,
        parameters=(*COSTS, {"gamma": 0.3, "cost_fp": 1e-9}, {"gamma": 20.0}),
        kinks=lambda y, f, gamma=mp.one, **params: [
            2 * y - 1,
            (2 * y - 1) * (1 - gamma),
        ],
        jump=lambda y, f, gamma=mp.one, **params: (
            0 if gamma == 1 else ((2 * y - 1) * f - 1 + gamma) / (1 - gamma)
        ),
    ),
    Reference(
        name="modified_huber",
        labels="binary",
        loss=modified_huber,
        gradient=modified_huber_gradient,
        hessian=modified_huber_hessian,
        parameters=COSTS,
        kinks=lambda y, f, **params: [mp.mpf(-1), mp.one],
    ),
    Reference(
        name="perceptron",
        labels="binary",
        loss=perceptron,
        gradient=perceptron_gradient,
        hessian=perceptron_hessian,
        hessian_is_derivative=False,
        parameters=COSTS,
        kinks=lambda y, f, **params: [mp.zero],
    ),
)
