"""Numbers given to kernels in parts, which float32 and float64 both hold."""

import math
import struct
from fractions import Fraction

import numpy as np
import pytest

from fastloss.losses._kernel_values import three_parts

RNG = np.random.default_rng(0)
DRAWN = [
    struct.unpack("d", struct.pack("Q", int(bits)))[0]
    for bits in RNG.integers(0, 0x7FE << 52, 500)  # all exponents below the last
]


@pytest.mark.parametrize("values", [[0.0, 5e-324, 1e-310, 0.1, 1.0, 1e300], DRAWN])
def test_three_parts_of_24_bits_add_up_exactly(values):
    for value in values:
        for signed in (value, -value):
            parts = three_parts(signed)
            assert sum(map(Fraction, parts)) == Fraction(signed)
            for part in parts:
                assert math.ldexp(math.frexp(part)[0], 24).is_integer()
            assert abs(parts[1]) <= abs(parts[0]) * 2.0**-24
            assert abs(parts[2]) <= abs(parts[1]) * 2.0**-24
