"""What the tests of every loss share: the operations, their results as tuples, whole messages."""

import re

import numpy as np
import pytest

OPERATIONS = ("loss", "gradient", "loss_gradient", "gradient_hessian", "loss_gradient_hessian")
METHODS = (*OPERATIONS, "partial", "__call__")
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def raises(error, message):
    """Expect an error of that type with exactly that message."""
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def tuple_of(result):
    return result if isinstance(result, tuple) else (result,)


def numbers(n=20, dtype=np.float64):
    """Labels and predictions that every pointwise loss takes."""
    return np.ones(n, dtype=dtype), np.full(n, 0.5, dtype=dtype)
