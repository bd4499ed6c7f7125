"""Labels that another thread changes during a call: what comes of it is open, but nothing crashes."""

import threading
from contextlib import suppress

import numpy as np
import pytest

import fastloss as fl


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
