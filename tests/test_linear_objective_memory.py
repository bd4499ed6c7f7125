"""LinearObjective reads nothing behind its data: X, labels and weights that end where memory does."""

import sys

import pytest
from helpers.process import run

# the page behind an array may not be read
SCRIPT = """
import ctypes
import json
import mmap

import numpy as np

import fastloss as fl

libc = ctypes.CDLL(None, use_errno=True)
PAGE = mmap.PAGESIZE


def guarded(values):
    size = -(-values.nbytes // PAGE) * PAGE
    memory = mmap.mmap(-1, size + PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    assert libc.mprotect(ctypes.c_void_p(start + size), PAGE, 0) == 0
    array = np.frombuffer(memory, values.dtype, values.size, size - values.nbytes)
    array = array.reshape(values.shape, order="F" if not values.flags.c_contiguous else "C")
    array[...] = values
    return array


class Csr:
    def __init__(self, X):
        rows, columns = np.nonzero(X)
        self.data = guarded(X[rows, columns])
        self.indices = guarded(columns.astype(np.int32))
        counts = np.bincount(rows, minlength=len(X))
        self.indptr = np.concatenate([[0], np.cumsum(counts)])
        self.shape = X.shape


rng = np.random.default_rng(0)
for dtype in (np.float32, np.float64):
    for n, d in ((1, 1), (5, 3), (37, 5), (64, 16), (33, 40), (19, 300), (9, 1000)):
        X = rng.standard_normal((n, d)).astype(dtype)
        y = guarded(rng.integers(0, 3, n))
        weight = guarded(rng.random(n).astype(dtype))
        wide = guarded(np.hstack([X, X]))
        for matrix in (guarded(X), guarded(np.asfortranarray(X)), wide[:, d:], Csr(X)):
            for loss, labels in (("log_loss", y > 0), ("cross_entropy", y)):
                options = {} if loss == "log_loss" else {"n_outputs": 3}
                objective = fl.LinearObjective(loss, matrix, labels, weight, **options)
                coef = np.zeros(objective.coef_shape)
                objective.loss_gradient(coef)
                objective.hessian_product(coef, coef)
                if loss == "log_loss" and d < 100:
                    objective.hessian(coef)
print(json.dumps("read"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mprotect of anonymous memory")
def test_nothing_behind_the_data_is_read():
    assert run(SCRIPT) == "read"
