"""An interrupted fit goes on from its checkpoint, and ends with the bits of one that was not."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from helpers.process import environment
from helpers.sgd_stream import train
from sklearn.exceptions import ConvergenceWarning

from fastloss.linear_model import SGDClassifier, SGDRegressor, _sgd_checkpoint


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL")
@pytest.mark.parametrize("die_at", [5, 10])  # in the first epoch; in the second
def test_a_killed_process_goes_on(tmp_path, die_at):
    path = tmp_path / "state"
    killed = subprocess.run(
        [sys.executable, "-m", "helpers.sgd_stream", str(path), str(die_at)],
        env=environment(),
        timeout=120,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    state = _sgd_checkpoint.load(path)
    # the first two batches were looked at before the first epoch
    assert (state["epochs"], state["batches"]) == divmod(die_at - 2, 5)
    whole, resumed = train(), train(path)
    assert not path.exists()
    np.testing.assert_array_equal(resumed.coef_, whole.coef_)
    np.testing.assert_array_equal(resumed.intercept_, whole.intercept_)
    for name in ("train_loss", "validation_loss", "learning_rate"):
        values = getattr(resumed.history_, name)
        np.testing.assert_array_equal(values, getattr(whole.history_, name))
    assert resumed.t_ == whole.t_


rng = np.random.default_rng(3)
X = rng.normal(size=(6000, 5))  # more than are put in an order of their own
Y = X[:, 0] + rng.logistic(size=6000)


def interrupt_at(epoch):
    def callback(progress):
        if progress.iteration == epoch:
            raise KeyboardInterrupt

    return callback


@pytest.mark.parametrize("rows", [300, 6000])
@pytest.mark.parametrize("seed", [0, None])
def test_an_interrupted_fit_of_arrays_goes_on(tmp_path, rows, seed):
    model = SGDRegressor(
        early_stopping=True, learning_rate="adaptive", random_state=seed, max_iter=12, tol=None,
        restore_best=True, momentum=0.5, batch_size=10,
    )  # fmt: skip
    path = tmp_path / "state"
    A, b = X[:rows], Y[:rows]
    every = {"checkpoint": path, "checkpoint_every": 0}
    early = tmp_path / "early"

    def interrupt(progress):
        if progress.iteration == 1:
            early.write_bytes(path.read_bytes())
        interrupt_at(4)(progress)

    with pytest.warns(ConvergenceWarning, match="interrupted after 4 epochs"):
        model.fit(A, b, callback=interrupt, **every)
    state = _sgd_checkpoint.load(path)
    assert state["epochs"] == 4
    resumed = model.fit(A, b, **every)
    coef, history, n_iter = resumed.coef_, resumed.history_, resumed.n_iter_
    assert not path.exists()
    assert n_iter > 4
    # the seed was drawn if there is none, and the file alone knows it
    whole = model.fit(A, b, checkpoint=early) if seed is None else model.fit(A, b)
    np.testing.assert_array_equal(coef, whole.coef_)
    np.testing.assert_array_equal(history.validation_loss, whole.history_.validation_loss)
    assert n_iter == whole.n_iter_


def test_a_memory_map_goes_on_within_an_epoch(tmp_path, monkeypatch):
    from fastloss.linear_model import _sgd_batches

    monkeypatch.setattr(_sgd_batches, "_KEPT_BYTES", 0)
    monkeypatch.setattr(_sgd_batches, "_BLOCK_BYTES", 40_000)
    mapped = np.memmap(tmp_path / "X", X.dtype, "w+", shape=X.shape)
    mapped[:] = X
    model = SGDRegressor(random_state=0, max_iter=3, tol=None)
    whole = model.fit(mapped, Y)
    coef, losses = whole.coef_, whole.history_.train_loss
    path, reads = tmp_path / "state", []
    check = SGDRegressor._check_batch

    resumed = False

    def broken(self, *batch):
        reads.append(1)
        if len(reads) == 9 and not resumed:  # the third of six blocks of the second epoch
            raise OSError("the disk is gone")
        return check(self, *batch)

    monkeypatch.setattr(SGDRegressor, "_check_batch", broken)
    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(mapped, Y, checkpoint=path, checkpoint_every=0)
    reads.clear()
    resumed = True
    model.fit(mapped, Y, checkpoint=path, checkpoint_every=0)
    assert len(reads) == 4 + 6  # the rest of the second epoch, and the third
    np.testing.assert_array_equal(model.coef_, coef)
    np.testing.assert_array_equal(model.history_.train_loss, losses)


def test_a_checkpoint_of_another_fit_is_refused(tmp_path):
    path = tmp_path / "state"
    every = {"checkpoint": path, "checkpoint_every": 0}
    model = SGDRegressor(random_state=0, tol=None, max_iter=9)
    with pytest.warns(ConvergenceWarning):
        model.fit(X[:50], Y[:50], callback=interrupt_at(2), **every)
    kept = path.read_bytes()
    with pytest.raises(ValueError, match=r"written by a fit with alpha = 0.0001, this one has 0.1"):
        SGDRegressor(random_state=0, tol=None, alpha=0.1).fit(X[:50], Y[:50], **every)
    with pytest.raises(ValueError, match="the first samples' checksum"):
        model.fit(X[1:51], Y[1:51], **every)
    with pytest.raises(ValueError, match="seed"):
        SGDRegressor(random_state=1, tol=None).fit(X[:50], Y[:50], **every)
    assert path.read_bytes() == kept
    assert model.set_params(max_iter=20).fit(X[:50], Y[:50], **every).n_iter_ == 20


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "state"
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match="not a checkpoint of this version"):
        SGDRegressor().fit(X[:50], Y[:50], checkpoint=path)
    assert path.read_bytes() == b"something else"
    with pytest.raises(ValueError, match="does not exist"):
        SGDRegressor().fit(X[:50], Y[:50], checkpoint=tmp_path / "no" / "state")
    with pytest.raises(TypeError, match="checkpoint = 3"):
        SGDRegressor().fit(X[:50], Y[:50], checkpoint=3)
    with pytest.raises(ValueError, match="checkpoint_every"):
        SGDRegressor().fit(X[:50], Y[:50], checkpoint=path, checkpoint_every=-1)


def test_a_writing_that_fails_leaves_the_old_state(tmp_path, monkeypatch):
    path = tmp_path / "state"
    _sgd_checkpoint.save(path, {"a": np.arange(3), "b": {"c": [1, None, 0.1, 2**80, "x"]}})

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        _sgd_checkpoint.save(path, {"a": 0})
    assert [p.name for p in tmp_path.iterdir()] == ["state"]
    state = _sgd_checkpoint.load(path)
    np.testing.assert_array_equal(state["a"], np.arange(3))
    assert state["b"] == {"c": [1, None, 0.1, 2**80, "x"]}


def test_a_stream_seeded_at_random_goes_on(tmp_path):
    path = tmp_path / "state"
    labels = Y > 0

    def batches():
        for start in range(0, 6000, 1000):
            yield X[start : start + 1000], labels[start : start + 1000]

    model = SGDClassifier(max_iter=4, tol=None)
    with pytest.warns(ConvergenceWarning):
        model.fit(batches, callback=interrupt_at(2), checkpoint=path, checkpoint_every=0)
    model.fit(batches, checkpoint=path, checkpoint_every=0)
    assert model.n_iter_ == 4
    assert not path.exists()
