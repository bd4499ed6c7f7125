"""Labels and rows that another thread changes during a call: whatever comes of it, nothing crashes."""

import threading
from contextlib import suppress

import numpy as np
import pytest

import fastloss as fl
from fastloss._core.arrays import own_rows


@pytest.mark.filterwarnings("ignore:mean of samples whose weights sum to zero")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sums_by_class(dtype):
    loss = fl.CumulativeLogit([-1.0, 0.0, 1.0])
    labels, raw = np.zeros(50_000, dtype), np.zeros(50_000, dtype)
    done = threading.Event()

    def change():
        while not done.is_set():
            labels[:] = 3e8  # as an index, beyond any array here
            labels[:] = 0

    expected = loss.threshold_gradient(labels, raw)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(500):
            with suppress(ValueError):
                found = loss.threshold_gradient(labels, raw, n_threads=1)
                assert found.shape == expected.shape
    finally:
        done.set()
        thread.join()
    labels[:] = 0
    np.testing.assert_array_equal(loss.threshold_gradient(labels, raw), expected)


def test_row_numbers_are_checked_where_they_stay():
    rows = np.arange(9)
    own = own_rows(rows, "order", 9, "rows")
    assert own.dtype == np.int64
    assert not np.shares_memory(own, rows)
    np.testing.assert_array_equal(own, rows)
    for wrong, dtype in ((9, np.int64), (-1, np.int32), (2**63, np.uint64)):
        with pytest.raises(ValueError, match=rf"order\[1\] = {wrong}: expected rows 0 to 8"):
            own_rows(np.array([0, wrong], dtype), "order", 9, "rows")
