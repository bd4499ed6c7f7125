"""Bernoulli log-likelihoods under links other than the logit."""

from mpmath import mp

from references.base import Reference
from references.margins import COSTS

FAR = 10**5  # from here on the normal tail is 0, and its asymptotic series exact


def _c_log_log(y, f):
    """Loss, gradient and Hessian."""
    e = mp.exp(f)
    if y == 0:
        return e, e, e
    if f > 30:  # e^-e^30 = 0 for every dtype; e^-e^f has as many digits as e^f
        return mp.zero, mp.zero, mp.zero
    h = e / mp.expm1(e)
    excess = e / 2 if f < -500 else e + h - 1
    return -mp.log(-mp.expm1(-e)), -h, h * excess


def _probit(y, f):
    """Loss, gradient and Hessian."""
    m = (2 * y - 1) * f
    if abs(m) > FAR:
        if m > 0:
            return mp.zero, mp.zero, mp.zero
        log_tail = -m * m / 2 - mp.log(-m * mp.sqrt(2 * mp.pi)) + mp.log1p(-1 / m**2 + 3 / m**4)
        return -log_tail, (1 - 2 * y) * (-m - 1 / m), 1 - 1 / m**2
    density = mp.exp(-m * m / 2) / mp.sqrt(2 * mp.pi)
    tail = mp.erfc(abs(m) / mp.sqrt(2)) / 2
    if m > 0:
        hazard = density / (1 - tail)
        value = -mp.log1p(-tail)
    else:
        hazard = density / tail
        value = -mp.log(tail)
    # far out h - |m| is 1/|m| but for m^-3, and has no digits
    curvature = hazard * (hazard + m) if m > -(mp.mpf(10) ** 20) else mp.one
    return value, -(2 * y - 1) * hazard, curvature


def _times_cost(formula, part):
    def value(y, f, cost_fn=mp.one, cost_fp=mp.one):
        return (cost_fn if y == 1 else cost_fp) * formula(y, f)[part]

    return value


def inverse_c_log_log(f):
    return mp.one if f > 30 else -mp.expm1(-mp.exp(f))


def normal_cdf(f):
    if abs(f) > FAR:
        return mp.mpf(f > 0)
    return mp.erfc(-f / mp.sqrt(2)) / 2


def _c_log_log_factor(y, f, **params):
    return min(mp.exp(f), mp.exp(-mp.exp(min(f, 30)) * y))


def _density(y, f, **params):
    return mp.exp(-f * f / 2) if (2 * y - 1) * f > 0 else mp.one


REFERENCES = tuple(
    Reference(
        name=name,
        labels="binary",
        loss=_times_cost(formula, 0),
        gradient=_times_cost(formula, 1),
        hessian=_times_cost(formula, 2),
        parameters=COSTS,
        predict=predict,
        smallest_factor=factor,
    )
    for name, formula, predict, factor in (
        ("c_log_log", _c_log_log, inverse_c_log_log, _c_log_log_factor),
        ("probit", _probit, normal_cdf, _density),
    )
)
