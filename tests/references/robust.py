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


def log_cosh(y, f):
    size = abs(f - y)
    return size + mp.log1p(mp.exp(-2 * size)) - mp.log(2)


def log_cosh_hessian(y, f):
    power = mp.exp(-2 * abs(f - y))
    return 4 * power / (1 + power) ** 2


def fair(y, f, c=mp.one):
    q = abs(f - y) / c
    return c**2 * (q - mp.log1p(q))


REFERENCES = (
    Reference(
        name="huber",
        labels="finite",
        loss=huber,
        gradient=huber_gradient,
        hessian=lambda y, f, delta=mp.one: mp.mpf(abs(f - y) <= delta),
        parameters=({}, {"delta": 1.35}, {"delta": 0.01}, {"delta": 1e3}),
        kinks=lambda y, f, delta=mp.one: [y - delta, y + delta],
        jump=lambda y, f, delta=mp.one: (abs(f - y) - delta) / delta,
    ),
    Reference(
        name="smooth_l1",
        labels="finite",
        loss=lambda y, f, beta=mp.one: huber(y, f, beta) / beta if beta else abs(f - y),
        gradient=lambda y, f, beta=mp.one: (
            huber_gradient(y, f, beta) / beta if beta else mp.sign(f - y)
        ),
        # 1, as that of absolute_error, where beta is 0
        hessian=lambda y, f, beta=mp.one: mp.mpf(abs(f - y) < beta) / beta if beta else mp.one,
        hessian_is_derivative=lambda beta=1.0: beta > 0,
        parameters=({}, {"beta": 0.0}, {"beta": 0.37}, {"beta": 20.0}),
        kinks=lambda y, f, beta=mp.one: [y - beta, y + beta],
        jump=lambda y, f, beta=mp.one: (abs(f - y) - beta) / beta if beta else mp.one,
    ),
    Reference(
        name="pseudo_huber",
        labels="finite",
        loss=lambda y, f, delta=mp.one: delta**2 * (pseudo_huber_root(y, f, delta) - 1),
        gradient=lambda y, f, delta=mp.one: (f - y) / pseudo_huber_root(y, f, delta),
        hessian=lambda y, f, delta=mp.one: pseudo_huber_root(y, f, delta) ** -3,
        parameters=({}, {"delta": 0.37}, {"delta": 20.0}, {"delta": 1e-9}, {"delta": 1e9}),
    ),
    Reference(
        name="log_cosh",
        labels="finite",
        loss=log_cosh,
        gradient=lambda y, f: mp.tanh(f - y),
        hessian=log_cosh_hessian,
    ),
    Reference(
        name="fair",
        labels="finite",
        loss=fair,
        gradient=lambda y, f, c=mp.one: (f - y) / (1 + abs(f - y) / c),
        hessian=lambda y, f, c=mp.one: (1 + abs(f - y) / c) ** -2,
        parameters=({}, {"c": 0.37}, {"c": 20.0}, {"c": 1e-9}, {"c": 1e9}),
        kinks=lambda y, f, **params: [y],
    ),
)
