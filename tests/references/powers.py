"""Losses of a residual r = f - y by a power that is a parameter: identity link."""

from mpmath import mp

from references.base import Reference

POWER = mp.mpf(1.5)  # the default
BOUNDED = (1.0, 2.0, 0.0, -float("inf"), -2.0, 1.37, -30.1, 3.3)


def lq(y, f, q=POWER):
    return abs(f - y) ** q


def lq_gradient(y, f, q=POWER):
    return q * abs(f - y) ** (q - 1) * mp.sign(f - y)


def lq_hessian(y, f, q=POWER):
    if f == y:
        return mp.inf if q < 2 else 2 * (q == 2)
    return q * (q - 1) * abs(f - y) ** (q - 2)


def barron(y, f, alpha=mp.one, c=mp.one, hessian=None):
    x, b = ((f - y) / c) ** 2, abs(alpha - 2)
    if alpha == 2:
        return x / 2
    if alpha == 0:
        return mp.log1p(x / 2)
    if alpha == -mp.inf:
        return -mp.expm1(-x / 2)
    return b / alpha * ((1 + x / b) ** (alpha / 2) - 1)


def barron_gradient(y, f, alpha=mp.one, c=mp.one, hessian=None):
    x, b = ((f - y) / c) ** 2, abs(alpha - 2)
    slope = (f - y) / c**2
    if alpha == 2:
        return slope
    if alpha == -mp.inf:
        return slope * mp.exp(-x / 2)
    return slope * (1 + x / b) ** (alpha / 2 - 1)


def barron_weight(y, f, alpha, c):
    """gradient / r"""
    x, b = ((f - y) / c) ** 2, abs(alpha - 2)
    if alpha == 2:
        return 1 / c**2
    return (mp.exp(-x / 2) if alpha == -mp.inf else (1 + x / b) ** (alpha / 2 - 1)) / c**2


def barron_hessian_terms(y, f, alpha=mp.one, c=mp.one, hessian="exact"):
    x, b = ((f - y) / c) ** 2, abs(alpha - 2)
    if hessian == "bounded":
        return barron_weight(y, f, alpha, c), mp.zero
    if alpha == 2:
        return 1 / c**2, mp.zero
    if alpha == -mp.inf:
        size = mp.exp(-x / 2) / c**2
        return size, -x * size
    size = (1 + x / b) ** (alpha / 2 - 2) / c**2
    return size, size * (alpha - 1) * x / b


REFERENCES = (
    Reference(
        name="lq",
        labels="finite",
        loss=lq,
        gradient=lq_gradient,
        hessian=lq_hessian,
        parameters=({}, {"q": 2.0}, {"q": 1.1}, {"q": 3.0}, {"q": 2.3}, {"q": 12.7}),
        kinks=lambda y, f, q=mp.one: [y],
        has_limits=False,
    ),
    Reference(
        name="barron_robust",
        labels="finite",
        loss=barron,
        gradient=barron_gradient,
        hessian=lambda y, f, **params: sum(barron_hessian_terms(y, f, **params)),
        parameters=(
            {},
            {"alpha": 2.0, "c": 0.3},
            {"alpha": 0.0, "c": 1.7},
            {"alpha": -float("inf"), "c": 0.9},
            {"alpha": -2.0},
            {"alpha": 1.37, "c": 20.0},
            {"alpha": -30.1},
            {"alpha": 1e-7},
            {"alpha": 1.9999},
            {"alpha": 3.3},
            *({"alpha": alpha, "c": 0.8, "hessian": "bounded"} for alpha in BOUNDED),
        ),
        largest_term={
            "hessian": lambda y, f, **params: max(map(abs, barron_hessian_terms(y, f, **params)))
        },
        has_limits=False,
        convex=False,
    ),
)
