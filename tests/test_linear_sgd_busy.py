"""LinearSGD in several threads, and states of other sizes: refused, and nothing is lost."""

from __future__ import annotations

import copy
import pickle
import threading

import numpy as np
import pytest

import fastloss as fl


def problem(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    return X, (X.sum(axis=1) > 0).astype(int)


def test_an_epoch_is_of_one_thread():
    """Those of other threads meanwhile are errors, or come before or after: no step is lost."""
    X, y = problem(100_000, 6)
    sgd = fl.LinearSGD("log_loss", 6, n_threads=1)
    done: list[int] = []
    refused: list[RuntimeError] = []

    def run() -> None:
        for _ in range(5):
            try:
                sgd.epoch(X, y)
                done.append(1)
            except RuntimeError as error:
                refused.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sgd.t == 1 + len(done) * len(X)
    assert len(done) + len(refused) == 20
    assert all("in the middle of an epoch" in str(error) for error in refused)


def test_it_is_free_again_after_an_error():
    X, y = problem(100, 3)
    sgd = fl.LinearSGD("log_loss", 3)
    with pytest.raises(ValueError, match=r"y\[7\]"):
        sgd.epoch(X, np.where(np.arange(100) == 7, 5, y))
    sgd.epoch(X, y)
    assert sgd.t == 101


def test_copies_of_a_busy_one_are_free():
    X, y = problem(50, 3)
    sgd = fl.LinearSGD("log_loss", 3)
    sgd._busy = True
    with pytest.raises(RuntimeError, match="in the middle of an epoch"):
        sgd.load_state_dict(sgd.state_dict())
    for other in (copy.deepcopy(sgd), pickle.loads(pickle.dumps(sgd))):
        other.epoch(X, y)
        assert other.t == 51


@pytest.mark.parametrize("d", [1, 2, 4, 16, 17])
def test_states_of_other_widths_are_refused(d):
    X, y = problem(50, 3)
    sgd, other = fl.LinearSGD("log_loss", 3), fl.LinearSGD("log_loss", d)
    sgd.epoch(X, y)
    before = other.state_dict()
    with pytest.raises(ValueError, match=rf"state\['n_features'\] = 3: expected {d}"):
        other.load_state_dict(sgd.state_dict())
    np.testing.assert_array_equal(other.state_dict()["coef"], before["coef"])
    with pytest.raises(ValueError, match="n_features too many or too few"):
        other.load_state_dict({k: v for k, v in before.items() if k != "n_features"})
