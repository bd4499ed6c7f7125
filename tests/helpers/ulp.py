"""Distances in units of the last place, against exact numbers."""

import math

import numpy as np
from mpmath import mp


def ulp(x, dtype):
    """The spacing of dtype at the exact number x, at least that of the smallest normal number."""
    info = np.finfo(dtype)
    exponent = max(int(mp.mag(x)) - 1, int(info.minexp)) if x else int(info.minexp)
    return mp.ldexp(1, exponent - info.nmant)


def error_in_ulp(computed, exact, dtype, term=None):
    """
    The error of one computed number in ULP of the exact one, or of `term` where that is larger.

    What no normal number can hold is judged for what it must be: infinite, or as good as 0.
    """
    info = np.finfo(dtype)
    computed = float(computed)
    if math.isnan(computed):
        return math.inf
    # from half an ULP above the largest number on, rounding gives infinity; leave room for 3 ULP
    largest, slack = mp.mpf(float(info.max)), 3 * ulp(mp.mpf(float(info.max)), dtype)
    if abs(exact) > largest + slack:
        return 0.0 if math.isinf(computed) and computed * mp.sign(exact) > 0 else math.inf
    if math.isinf(computed):
        return 0.0 if abs(exact) >= largest - slack and computed * mp.sign(exact) > 0 else math.inf
    size = abs(exact) if term is None else max(abs(exact), abs(term))
    if size == 0:
        return 0.0 if computed == 0 else math.inf
    if size < mp.mpf(float(info.tiny)):
        # subnormal: no bound in ULP is promised, but it must not jump
        return 0.0 if abs(computed) <= float(info.tiny) * (1 + 4 * float(info.eps)) else math.inf
    return float(abs(mp.mpf(computed) - exact) / ulp(size, dtype))


def ulp_distance(a, b):
    """Per element, the difference of two arrays of one dtype in ULP of b; NaN equals NaN."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.abs(a.astype(np.longdouble) - b.astype(np.longdouble))
        unit = np.spacing(np.maximum(np.abs(b), np.finfo(b.dtype).tiny)).astype(np.longdouble)
    with np.errstate(invalid="ignore"):
        return np.where(same, 0, gap / unit).astype(np.float64)
