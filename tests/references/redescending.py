"""Robust losses of a residual r = f - y that are not convex: identity link."""

from mpmath import mp

from references.base import Reference

TWO, FOUR, TEN, BIWEIGHT = mp.mpf(2), mp.mpf(4), mp.mpf(10), mp.mpf(4.685)


def square(y, f, c):
    """q^2"""
    return ((f - y) / c) ** 2


def _redescending(name, loss, weight, weight_slope, c=mp.one, parameters=(), **entry):
    """
    The entry of a loss with scale c, by its value and its weight gradient / r as functions of q^2.

    `weight_slope` is the derivative of the weight by q^2; the second derivative of the loss is
    weight + 2 q^2 weight_slope. The other Hessian is the weight itself.
    """

    def hessian(y, f, c, hessian="exact"):
        h = square(y, f, c)
        return weight(h) + (2 * h * weight_slope(h) if hessian == "exact" else 0)

    default = c
    return Reference(
        name=name,
        labels="finite",
        loss=lambda y, f, c=default, hessian=None: c**2 * loss(square(y, f, c)),
        gradient=lambda y, f, c=default, hessian=None: (f - y) * weight(square(y, f, c)),
        hessian=lambda y, f, c=default, **chosen: hessian(y, f, c, **chosen),
        hessian_is_derivative=lambda hessian="exact", **params: hessian == "exact",
        convex=False,
        parameters=(
            {},
            {"hessian": "bounded"},
            {"c": 0.37},
            {"c": 20.0, "hessian": "bounded"},
            {"c": 1e3},
            *parameters,
        ),
        **entry,
    )


def student_t(y, f, df=FOUR, scale=mp.one, hessian=None):
    return (df + 1) / 2 * mp.log1p((f - y) ** 2 / (df * scale**2))


def student_t_gradient(y, f, df=FOUR, scale=mp.one, hessian=None):
    return (df + 1) * (f - y) / (df * scale**2 + (f - y) ** 2)


def student_t_hessian(y, f, df=FOUR, scale=mp.one, hessian="exact"):
    square = (f - y) ** 2
    total = df * scale**2 + square
    return (df + 1) * (df * scale**2 - square if hessian == "exact" else total) / total**2


def wing(y, f, w=TEN, eps=TWO):
    size = abs(f - y)
    return w * mp.log1p(size / eps) if size < w else size - (w - w * mp.log1p(w / eps))


def wing_gradient(y, f, w=TEN, eps=TWO):
    size = abs(f - y)
    return mp.sign(f - y) * (w / (eps + size) if size < w else mp.one)


def wing_hessian(y, f, w=TEN, eps=TWO):
    size = abs(f - y)
    return -w / (eps + size) ** 2 if size < w else mp.zero


REFERENCES = (
    _redescending(
        "cauchy",
        loss=lambda h: mp.log1p(h) / 2,
        weight=lambda h: 1 / (1 + h),
        weight_slope=lambda h: -((1 + h) ** -2),
        parameters=({"c": 1e-9}, {"c": 1e9}),
    ),
    Reference(
        name="student_t",
        labels="finite",
        loss=student_t,
        gradient=student_t_gradient,
        hessian=student_t_hessian,
        hessian_is_derivative=lambda hessian="exact", **params: hessian == "exact",
        convex=False,
        parameters=(
            {},
            {"hessian": "bounded"},
            {"df": 1.0, "scale": 0.37},
            {"df": 3.3, "scale": 20.0, "hessian": "bounded"},
            {"df": 100.0},
        ),
    ),
    _redescending(
        "welsch",
        loss=lambda h: (1 - mp.exp(-h)) / 2,
        weight=lambda h: mp.exp(-h),
        weight_slope=lambda h: -mp.exp(-h),
    ),
    _redescending(
        "geman_mc_clure",
        loss=lambda h: h / (1 + h) / 2,
        weight=lambda h: (1 + h) ** -2,
        weight_slope=lambda h: -2 * (1 + h) ** -3,
        parameters=({"c": 1e-9}, {"c": 1e9}),
    ),
    _redescending(
        "tukey",
        loss=lambda h: (1 - (1 - h) ** 3 if h < 1 else mp.one) / 6,
        weight=lambda h: max(1 - h, mp.zero) ** 2,
        weight_slope=lambda h: -2 * max(1 - h, mp.zero),
        c=BIWEIGHT,
        parameters=({"c": 1e-9}, {"c": 1e9}),
        kinks=lambda y, f, c=BIWEIGHT, hessian=None: [y - c, y + c],
    ),
    Reference(
        name="wing",
        labels="finite",
        loss=wing,
        gradient=wing_gradient,
        hessian=wing_hessian,
        convex=False,
        parameters=({}, {"w": 0.37, "eps": 0.1}, {"w": 3.3, "eps": 20.0}, {"w": 1e3, "eps": 1.0}),
        kinks=lambda y, f, w=TEN, eps=None: [y - w, y, y + w],
    ),
)
