"""LinearSGD and estimators called while they learn, states of other sizes: refused, nothing is lost."""

from __future__ import annotations

import copy
import os
import pickle
import signal
import threading
from functools import partial

import numpy as np
import pytest

import fastloss as fl

pytest.importorskip("sklearn")
from fastloss.linear_model import SGDClassifier


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


class Reentrant:
    """Labels that look at the object when it reads them."""

    def __init__(self, y, look):
        self.y, self.look = y, look

    def __array__(self, dtype=None, copy=None):
        self.look()
        return np.asarray(self.y, dtype=dtype)


USES = {
    "epoch": lambda sgd: sgd.epoch(*problem(10, 3)),
    "state_dict": lambda sgd: sgd.state_dict(),
    "load_state_dict": lambda sgd: sgd.load_state_dict(
        fl.LinearSGD("log_loss", 3, average=10).state_dict()
    ),
    "pickle": pickle.dumps,
    "deepcopy": copy.deepcopy,
    "coef": lambda sgd: sgd.coef,
    "intercept": lambda sgd: sgd.intercept,
    "average_coef": lambda sgd: sgd.average_coef,
    "average_intercept": lambda sgd: sgd.average_intercept,
    "set coef": lambda sgd: setattr(sgd, "coef", np.zeros(3)),
    "set intercept": lambda sgd: setattr(sgd, "intercept", 0.0),
    "set t": lambda sgd: setattr(sgd, "t", 7),
    "set eta": lambda sgd: setattr(sgd, "eta", 0.5),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_what_is_learnt_is_neither_read_nor_set_within_an_epoch(use):
    """Coefficients are without their scale then, and what is set would be lost."""
    X, y = problem(50, 3)
    sgd = fl.LinearSGD("log_loss", 3, average=10)
    seen = []

    def look():
        with pytest.raises(RuntimeError, match="in the middle of an epoch"):
            use(sgd)
        seen.append(repr(sgd))

    sgd.epoch(X, Reentrant(y, look))
    assert seen
    assert sgd.t == 51
    use(sgd)  # it is over


def test_what_is_read_in_the_middle_of_steps_is_refused():
    X, y = problem(100_000, 6)
    sgd = fl.LinearSGD("log_loss", 6, n_threads=1, alpha=1e-2, learning_rate="constant", eta0=0.05)
    sgd.epoch(X, y, order=np.arange(100))
    largest = [0.0]
    over = threading.Event()

    def watch():
        while not over.is_set():
            for look in (lambda: sgd.coef, lambda: pickle.loads(pickle.dumps(sgd)).coef):
                try:
                    largest.append(np.abs(look()).max())
                except RuntimeError:
                    largest.append(0.0)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        for _ in range(5):
            sgd.epoch(X, y)
    finally:
        over.set()
        thread.join()
    assert max(largest) < 100


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an interval timer")
@pytest.mark.parametrize("kind", ["epoch", "fit"])
def test_ctrl_c_at_any_moment_leaves_nothing_under_way(kind):
    X, y = problem(20, 3)
    sgd = fl.LinearSGD("log_loss", 3)
    model = SGDClassifier(max_iter=1, tol=None)
    use = partial(sgd.epoch, X, y) if kind == "epoch" else partial(model.partial_fit, X, y, [0, 1])
    use()
    rng = np.random.default_rng(0)
    interrupted = 0
    old = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for _ in range(1000):
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, 2e-4))
                for _ in range(100):
                    use()
            except KeyboardInterrupt:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert interrupted
    use()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_fork_in_the_middle_of_a_fit_can_fit():
    X, y = problem(100, 3)
    model = SGDClassifier(max_iter=2, tol=None, random_state=0)
    codes = []

    def callback(progress):
        child = os.fork()
        if child == 0:  # no pytest in here
            try:
                model.fit(X, y)
                os._exit(0)
            finally:
                os._exit(1)
        codes.append(os.waitpid(child, 0)[1])

    model.fit(X, y, callback=callback)
    assert codes == [0, 0]


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


def test_states_pass_through_savez(tmp_path):
    X, y = problem(50, 3)
    sgd, other = fl.LinearSGD("log_loss", 3), fl.LinearSGD("log_loss", 3)
    sgd.epoch(X, y)
    arrays = {k: v for k, v in sgd.state_dict().items() if v is not None}
    np.savez(tmp_path / "state.npz", **arrays)
    with np.load(tmp_path / "state.npz") as file:
        other.load_state_dict(dict.fromkeys(sgd.state_dict()) | dict(file))
    np.testing.assert_array_equal(other.coef, sgd.coef)
    assert sgd.epoch(X, y) == other.epoch(X, y)


# ---------------------------------------------------------------- estimators


@pytest.mark.parametrize("first", [True, False])
def test_partial_fits_of_an_estimator_at_once_are_refused_and_nothing_is_lost(first):
    X, y = problem(100_000, 6)
    model = SGDClassifier(random_state=0)
    if not first:
        model.partial_fit(X[:1], y[:1], classes=[0, 1])
    before = getattr(model, "t_", 1)
    done, others = [], []

    def run():
        for _ in range(3):
            try:
                model.partial_fit(X, y, classes=[0, 1])
                done.append(1)
            except RuntimeError as error:
                others.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert model.t_ == before + len(done) * len(X)
    assert len(done) + len(others) == 12
    assert all("this SGDClassifier is in the middle of a fit" in text for text in others)
    assert np.abs(model.coef_).max() < 100


def test_partial_fit_within_partial_fit_is_refused():
    X, y = problem(100, 3)
    model = SGDClassifier(random_state=0)

    def batches():
        yield X, y
        with pytest.raises(RuntimeError, match="in the middle of a fit"):
            model.partial_fit(X, y)
        yield X, y

    model.partial_fit(batches(), classes=[0, 1])
    assert model.t_ == 201
    model.partial_fit(X, y)
    assert model.t_ == 301


def test_a_callback_reads_and_copies_the_estimator_but_does_not_fit_it():
    X, y = problem(100, 3)
    model = SGDClassifier(random_state=0, max_iter=2, tol=None)
    copies = []

    def callback(progress):
        copies.append(pickle.loads(pickle.dumps(model)))
        with pytest.raises(RuntimeError, match="in the middle of a fit"):
            model.fit(X, y)

    model.fit(X, y, callback=callback)
    for other in copies:
        np.testing.assert_array_equal(other.fit(X, y).coef_, model.coef_)
