"""The rows that LinearSGD takes: their order, and where they stand."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import fastloss as fl

MASK = 2**64 - 1


def permutation(n: int, state: int) -> tuple[list[int], int, int]:
    """Fisher and Yates's shuffle on splitmix64, the generator's state, and the draws in doubt."""
    order, doubtful = list(range(n)), 0
    for bound in range(n, 1, -1):
        least = (2**32 - bound) % bound
        while True:
            state = (state + 0x9E3779B97F4A7C15) & MASK
            z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & MASK
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
            product = ((z ^ (z >> 31)) >> 32) * bound
            doubtful += product % 2**32 < bound
            if product % 2**32 >= least:
                break
        place = product >> 32
        order[bound - 1], order[place] = order[place], order[bound - 1]
    return order, state, doubtful


def test_order_is_that_of_the_generator() -> None:
    sgd = fl.LinearSGD("hinge", 1, seed=11)
    state, doubtful = 11, 0
    for n in (0, 1, 2, 32, 33, 64, 65, 1000, 200_000):
        expected, state, count = permutation(n, state)
        assert sgd._random_order(n).tolist() == expected
        assert sgd.state_dict()["random"] == state
        doubtful += count
    assert doubtful > 0  # or no draw was taken by itself


def layouts(X: Any) -> dict[str, Any]:
    """The same rows where they stand, and where they are read one by one."""
    n, d = X.shape
    wide = np.full((n, d + 3), np.nan, X.dtype)  # behind the features stands what must not be met
    wide[:, :d] = X
    return {"columns": np.asfortranarray(X), "part": wide[:, :d], "reversed": X[::-1].copy()[::-1]}


@pytest.mark.parametrize("batch_size", [1, 5, 16, 40, 100])
@pytest.mark.parametrize("d", [1, 3, 50, 300, 700])
def test_layouts_give_the_same_bits(d: int, batch_size: int) -> None:
    rng = np.random.default_rng(d)
    n = 131
    labels = rng.integers(0, 2, n)
    for dtype, loss in itertools.product((np.float64, np.float32), ("log_loss", "hinge")):
        X = rng.standard_normal((n, d)).astype(dtype) / np.sqrt(d)
        results = {}
        for name, rows in {"rows": X, **layouts(X)}.items():
            sgd = fl.LinearSGD(loss, d, dtype=dtype, batch_size=batch_size, seed=3)
            losses = [sgd.epoch(rows, labels) for _ in range(2)]
            results[name] = (losses, sgd.coef.tolist(), sgd.intercept.tolist())
        for name, (losses, *learnt) in results.items():
            assert learnt == list(results["rows"][1:]), (name, dtype, loss)
            # runs of rows that are read one by one may be shorter
            assert losses == pytest.approx(results["rows"][0], rel=1e-14)


def test_weights_of_1_are_none() -> None:
    """Batches without weights sum their losses otherwise, and step with the same bits."""
    rng = np.random.default_rng(8)
    X, y = rng.standard_normal((300, 20)), rng.integers(0, 2, 300)
    for dtype, clip in itertools.product((np.float64, np.float32), (None, 0.25)):
        one, other = (
            fl.LinearSGD("log_loss", 20, dtype=dtype, batch_size=70, clip_gradient=clip)
            for _ in range(2)
        )
        loss, weighted = one.epoch(X, y), other.epoch(X, y, np.ones(300))
        assert one.coef.tolist() == other.coef.tolist()
        assert loss == pytest.approx(weighted, rel=1e-15 * 300)


@pytest.mark.parametrize("place", [0, 1, 1023, 1024, 2047, 2500, 2999])
def test_first_wrong_label_is_named(place: int) -> None:
    labels = np.zeros(3000)
    labels[[place, 2999]] = 2.0
    for dtype in (np.float64, np.float32):
        sgd = fl.LinearSGD("log_loss", 1, dtype=dtype)
        with pytest.raises(ValueError, match=rf"^y\[{place}\] = 2\.0: "):
            sgd.epoch(np.ones((3000, 1)), labels)


@pytest.mark.parametrize(
    ("loss", "wrong"), [("poisson", -1.0), ("gamma", 0.0), ("squared_log_error", -1.0)]
)
def test_labels_of_other_domains(loss: str, wrong: float) -> None:
    """One wrong label behind the first thousand, and none."""
    labels = np.full(2000, 0.5)
    sgd = fl.LinearSGD(loss, 1, learning_rate="constant", eta0=1e-6)
    sgd.epoch(np.ones((2000, 1)), labels)
    labels[1500] = wrong
    with pytest.raises(ValueError, match=rf"^y\[1500\] = {wrong}: "):
        sgd.epoch(np.ones((2000, 1)), labels)
