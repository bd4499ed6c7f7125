"""Numbers that kernels take, each rounded once from its exact value."""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction


def rounded(value: Fraction) -> float:
    """Return the nearest float64, infinity where it is beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def quotient(params: dict[str, float], name: str, divisor: str) -> float:
    """Return one parameter by another, or raise an error that names both if it is beyond float64."""
    result = rounded(Fraction(params[name]) / Fraction(params[divisor]))
    if math.isinf(result):
        raise ValueError(
            f"{name} = {params[name]!r}, {divisor} = {params[divisor]!r}: expected "
            f"{name} / {divisor} of at most 1.79e308"
        )
    return result


def split(value: Fraction) -> tuple[float, float]:
    """
    Return two numbers whose sum is `value` to about 2**-77 (2**-48 once they are float32).

    The first has 24 bits, so that it is the same number for kernels of both precisions.
    """
    mantissa, exponent = math.frexp(rounded(value))
    high = math.ldexp(round(math.ldexp(mantissa, 24)), exponent - 24)
    return high, rounded(value - Fraction(high))


def three_parts(value: float) -> tuple[float, float, float]:
    """Return three numbers of at most 24 bits whose sum is `value` exactly."""
    high, rest = _halves(value)
    middle, low = _halves(rest)
    return high, middle, low


def _halves(value: float) -> tuple[float, float]:
    """Return `value` rounded to 24 bits, and the rest, which is exact."""
    mantissa, exponent = math.frexp(value)
    to_whole = int if exponent == 1024 else round  # the next larger number may be infinite
    high = math.ldexp(to_whole(math.ldexp(mantissa, 24)), exponent - 24)
    return high, value - high


def square_root(value: Fraction) -> Fraction:
    """Return the square root to more than 120 bits."""
    bits = 130 + abs(value.denominator.bit_length() - value.numerator.bit_length())
    return Fraction(math.isqrt((value.numerator << 2 * bits) // value.denominator), 1 << bits)


def natural_log1p(value: Fraction) -> Fraction:
    """Return log(1 + value) for value > 0, to more than 100 bits also where it is tiny or huge."""
    size = len(str(value.numerator)) + len(str(value.denominator))
    context = Context(prec=2 * size + 50)
    argument = context.divide(
        Decimal(value.numerator + value.denominator), Decimal(value.denominator)
    )
    return Fraction(argument.ln(Context(prec=2 * size + 50)))


def interval_terms(width: Fraction) -> tuple[float, float]:
    """Return -log(1 - e**-width) and 1 / (e**width - 1) for width > 0."""
    if width > 1000:  # e**-width is 0
        return 0.0, 0.0
    # as many digits more as 1 - e**-width loses of them, near 0 and near 1
    log2 = width.numerator.bit_length() - width.denominator.bit_length()
    context = Context(prec=50 + max(-log2 * 302 // 1000, int(width) * 435 // 1000))
    exact = context.divide(Decimal(width.numerator), Decimal(width.denominator))
    below = context.exp(context.minus(exact))
    rest = context.subtract(Decimal(1), below)
    return float(-context.ln(rest)), float(context.divide(below, rest))
