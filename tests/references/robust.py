"""Robust losses of a residual r = f - y that are convex: identity link."""

from mpmath import mp

from references.base import Reference


def huber(y, f, delta=mp.one):
    size = abs(f - y)
    return size**2 / 2 if size <= delta else delta * (size - delta / 2)


def huber_gradient(y, f, delta=mp.one):
    return min(max(f - y, -delta), delta)


def pseudo_huber_root(y, f, delta):
    return mp.sqrt(1 + ((f - y) / delta) ** 2)


def pseudo_huber_gradient(y, f, delta=mp.one):
    return (f - y) / pseudo_huber_root(y, f, delta)


def smooth_l1_gradient(y, f, beta=mp.one):
    return huber_gradient(y, f, beta) / beta if beta else mp.sign(f - y)


def smooth_l1_hessian(y, f, beta=mp.one, hessian="exact"):
    if not beta:  # 1, as that of absolute_error
        return mp.one
    if hessian == "bounded":
        return 1 / max(abs(f - y), beta)
    return mp.mpf(abs(f - y) < beta) / beta


def log_cosh(y, f):
    size = abs(f - y)
    return size + mp.log1p(mp.exp(-2 * size)) - mp.log(2)


def log_cosh_gradient(y, f):
    return mp.tanh(f - y)


def log_cosh_hessian(y, f):
    power = mp.exp(-2 * abs(f - y))
    return 4 * power / (1 + power) ** 2


def fair(y, f, c=mp.one):
    q = abs(f - y) / c
    return c**2 * (q - mp.log1p(q))


def fair_gradient(y, f, c=mp.one):
    return (f - y) / (1 + abs(f - y) / c)


def weight_or(exact, gradient):
    """Of the Hessian: as it is, or gradient / r, whose limit at 0 it is itself."""

    def hessian(y, f, hessian="exact", **params):
        if hessian == "bounded" and f != y:
            return gradient(y, f, **params) / (f - y)
        return exact(y, f, **params)

    return hessian


def both(parameters):
    """Every set with either Hessian."""
    return (*parameters, *({**params, "hessian": "bounded"} for params in parameters))


def but(formula):
    """Of all parameters but the choice of the Hessian."""
    return lambda y, f, hessian="exact", **params: formula(y, f, **params)


REFERENCES = (
    Reference(
        name="huber",
        labels="finite",
        loss=but(huber),
        gradient=but(huber_gradient),
        hessian=weight_or(lambda y, f, delta=mp.one: mp.mpf(abs(f - y) <= delta), huber_gradient),
        parameters=both(({}, {"delta": 1.35}, {"delta": 0.01}, {"delta": 1e3})),
        kinks=but(lambda y, f, delta=mp.one: [y - delta, y + delta]),
        jump=but(lambda y, f, delta=mp.one: (abs(f - y) - delta) / delta),
    ),
    Reference(
        name="smooth_l1",
        labels="finite",
        loss=but(lambda y, f, beta=mp.one: huber(y, f, beta) / beta if beta else abs(f - y)),
        gradient=but(smooth_l1_gradient),
        hessian=smooth_l1_hessian,
        hessian_is_derivative=lambda beta=1.0, hessian="exact": beta > 0,
        parameters=both(({}, {"beta": 0.0}, {"beta": 0.37}, {"beta": 20.0})),
        kinks=but(lambda y, f, beta=mp.one: [y - beta, y + beta]),
        jump=but(lambda y, f, beta=mp.one: (abs(f - y) - beta) / beta if beta else mp.one),
    ),
    Reference(
        name="pseudo_huber",
        labels="finite",
        loss=but(lambda y, f, delta=mp.one: delta**2 * (pseudo_huber_root(y, f, delta) - 1)),
        gradient=but(pseudo_huber_gradient),
        hessian=weight_or(
            lambda y, f, delta=mp.one: pseudo_huber_root(y, f, delta) ** -3, pseudo_huber_gradient
        ),
        parameters=both(({}, {"delta": 0.37}, {"delta": 20.0}, {"delta": 1e-9}, {"delta": 1e9})),
    ),
    Reference(
        name="log_cosh",
        labels="finite",
        loss=but(log_cosh),
        gradient=but(log_cosh_gradient),
        hessian=weight_or(log_cosh_hessian, log_cosh_gradient),
        parameters=both(({},)),
    ),
    Reference(
        name="fair",
        labels="finite",
        loss=but(fair),
        gradient=but(fair_gradient),
        hessian=weight_or(lambda y, f, c=mp.one: (1 + abs(f - y) / c) ** -2, fair_gradient),
        parameters=both(({}, {"c": 0.37}, {"c": 20.0}, {"c": 1e-9}, {"c": 1e9})),
        kinks=lambda y, f, **params: [y],
    ),
)
