"""What the comparisons with other libraries share: drawn parameters and data, distances in eps."""

import warnings

import numpy as np
import pytest


def module(name):
    """Import a peer, whatever it warns of; skip the test without it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


def decades(rng, low, high):
    """Return a number of any magnitude between 10**low and 10**high."""
    return float(10.0 ** rng.uniform(low, high))


def residuals(rng, size, n):
    """Return labels and predictions whose residuals are of a size, and some of ten times it."""
    y = size * rng.normal(size=n)
    return y, y + size * rng.normal(size=n) * rng.choice([1.0, 10.0], n)


def weights(rng, n, dtype=np.float64):
    return rng.uniform(0.1, 3.0, n).astype(dtype)


def assert_within(ours, theirs, terms, dtype, ulp=8.0):
    """
    Compare results of a dtype, to `ulp` eps of the terms that both sum, sample by sample.

    The 8 are 5 of ours at most, those that the docstrings state, and of the peers' few operations 3.
    """
    assert ours.dtype == dtype
    room = ulp * np.finfo(dtype).eps * np.asarray(terms, np.float64)
    difference = np.abs(ours.astype(np.float64) - np.asarray(theirs, np.float64))
    assert (difference <= room).all(), float((difference / room).max())
