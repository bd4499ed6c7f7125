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
        return math.copysign(math.inf, value)


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
    high, rest = split(Fraction(value))
    middle, low = split(Fraction(rest))
    return high, middle, low


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
