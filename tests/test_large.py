"""More than 2**31 samples: sizes and indices are 64 bits. Zero strides cost no memory."""

import os

import numpy as np
import pytest

import fastloss as fl

LARGE = 2**31 + 12_345

opt_in = pytest.mark.skipif(
    os.environ.get("FASTLOSS_LARGE") != "1", reason="slow or hungry: set FASTLOSS_LARGE=1"
)


def zeros(n, dtype=np.float32):
    return np.broadcast_to(np.zeros((), dtype=dtype), (n,))


@opt_in
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sum_over_more_than_an_int_counts(dtype):
    y, f = zeros(LARGE, dtype), np.broadcast_to(dtype(2.0), (LARGE,))
    assert fl.SquaredError().loss(y, f, reduction="sum") == 4.0 * LARGE
    assert fl.SquaredError().loss(y, f) == 4.0


@opt_in
def test_mean_with_weights():
    y, f = zeros(LARGE), np.broadcast_to(np.float32(2.0), (LARGE,))
    w = np.broadcast_to(np.uint8(3), (LARGE,))
    assert fl.SquaredError().loss(y, f, w) == 4.0
    part = fl.SquaredError().partial(y, f, w)
    assert part == fl.LossSums(12.0 * LARGE, 3.0 * LARGE, LARGE)


@opt_in
def test_two_dimensions_whose_product_is_large():
    shape = (70_000, 70_001)
    y = np.broadcast_to(np.zeros((70_000, 1), dtype=np.float32), shape)
    row = (np.arange(70_001) % 2).astype(np.float32)
    total = fl.AbsoluteError().loss(y, np.broadcast_to(row, shape), reduction="sum")
    assert total == 70_000 * 35_000


@opt_in
def test_an_invalid_label_beyond_the_range_of_int(tmp_path):
    """A sparse file: the label that is wrong stands behind 2**31 zeros that occupy no disk."""
    path = tmp_path / "labels"
    with open(path, "wb") as file:
        file.truncate(LARGE)
        file.seek(LARGE - 5)
        file.write(b"\x02")
    y = np.memmap(path, dtype=np.uint8, mode="r")
    with pytest.raises(ValueError, match=rf"^y_true\[{LARGE - 5}\] = 2: Hinge expects"):
        fl.Hinge().loss(y, zeros(LARGE))


@opt_in
def test_outputs_of_several_gigabytes(tmp_path):
    n = LARGE // 4 + 7  # 2 GiB of float32, in a file
    out = np.memmap(tmp_path / "gradient", dtype=np.float32, mode="w+", shape=n)
    ramp = np.broadcast_to(np.float32(1.5), (n,))
    fl.HalfSquaredError().gradient(zeros(n), ramp, reduction="sum", out=out)
    for start in range(0, n, 2**26):
        assert (out[start : start + 2**26] == 1.5).all()


def test_many_samples_of_no_memory():
    """What every run can afford: 2**26 samples in one call, in zero-stride arrays."""
    n = 2**26 + 3
    assert fl.SquaredError().loss(zeros(n), np.broadcast_to(np.float32(2), (n,))) == 4.0
