"""An interrupted fit goes on from its checkpoint, and ends with the bits of one that was not."""

import os
import signal
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from helpers.process import environment
from helpers.sgd_stream import train
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

import fastloss as fl
from fastloss.linear_model import SGDClassifier, SGDRegressor, _sgd_checkpoint
from fastloss.linear_model._sgd_parameters import _told


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL")
@pytest.mark.parametrize("die_at", [3, 8])  # in the first epoch; in the second
def test_a_killed_process_goes_on(tmp_path, die_at):
    path = tmp_path / "state"
    killed = subprocess.run(
        [sys.executable, "-m", "helpers.sgd_stream", str(path), str(die_at)],
        env=environment(),
        timeout=300,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    state = _sgd_checkpoint.load(path)
    assert (state["epochs"], state["batches"]) == divmod(die_at, 5)
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


@pytest.mark.parametrize(("rows", "mapped"), [(300, False), (6000, False), (6000, True)])
@pytest.mark.parametrize("seed", [0, None])
def test_an_interrupted_fit_of_arrays_goes_on(tmp_path, rows, mapped, seed):
    model = SGDRegressor(
        early_stopping=True, learning_rate="adaptive", random_state=seed, max_iter=12, tol=None,
        restore_best=True, momentum=0.5, batch_size=10,
    )  # fmt: skip
    path = tmp_path / "state"
    A, b = X[:rows], Y[:rows]
    if mapped:
        np.save(tmp_path / "X.npy", A)
        A = np.load(tmp_path / "X.npy", mmap_mode="r")
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


def test_a_checkpoint_of_another_fit_is_refused(tmp_path):
    path = tmp_path / "state"
    every = {"checkpoint": path, "checkpoint_every": 0}
    model = SGDRegressor(random_state=0, tol=None, max_iter=9)
    with pytest.warns(ConvergenceWarning):
        model.fit(X[:50], Y[:50], callback=interrupt_at(2), **every)
    kept = path.read_bytes()
    with pytest.raises(ValueError, match=r"written by a fit with alpha = 0.0001, this one has 0.1"):
        SGDRegressor(random_state=0, tol=None, alpha=0.1).fit(X[:50], Y[:50], **every)
    with pytest.raises(ValueError, match="the samples' checksum"):
        model.fit(X[1:51], Y[1:51], **every)
    with pytest.raises(ValueError, match="n_samples = 50, this one has 60"):
        model.fit(X[:60], Y[:60], **every)
    with pytest.raises(ValueError, match="coef_init's checksum"):
        model.fit(X[:50], Y[:50], np.ones(5), **every)
    with pytest.raises(ValueError, match="intercept_init's checksum"):
        model.fit(X[:50], Y[:50], None, np.ones(1), **every)
    with pytest.raises(ValueError, match="validation_data's checksum"):
        model.fit(X[:50], Y[:50], validation_data=(X[50:60], Y[50:60]), **every)
    with pytest.raises(ValueError, match="seed"):
        SGDRegressor(random_state=1, tol=None).fit(X[:50], Y[:50], **every)
    assert path.read_bytes() == kept
    assert model.set_params(max_iter=20).fit(X[:50], Y[:50], **every).n_iter_ == 20


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_a_checkpoint_of_other_rows_far_on_is_refused(tmp_path, kind):
    every = {"checkpoint": tmp_path / "state", "checkpoint_every": 0}
    model = SGDRegressor(random_state=0, tol=None, max_iter=5)
    with pytest.warns(ConvergenceWarning):
        model.fit(kind(X), Y, callback=interrupt_at(2), **every)
    changed = Y.copy()
    changed[4321] += 1
    with pytest.raises(ValueError, match="the samples' checksum"):
        model.fit(kind(X), changed, **every)
    changed = X.copy()
    changed[3000:3006] += 1
    with pytest.raises(ValueError, match="the samples' checksum"):
        model.fit(kind(changed), Y, **every)
    weights = np.ones(6000)
    with pytest.raises(ValueError, match="the samples' checksum"):
        model.fit(kind(X), Y, sample_weight=weights, **every)
    assert model.fit(kind(X), Y, **every).n_iter_ == 5


def test_a_scorer_is_known_again_by_its_name(tmp_path):
    def made():
        def scorer(model, A, b):
            return model.score(A, b)

        return scorer

    every = {"checkpoint": tmp_path / "state", "checkpoint_every": 0}
    options = {"early_stopping": True, "random_state": 0, "tol": None, "max_iter": 5}
    with pytest.warns(ConvergenceWarning):
        SGDRegressor(scoring=made(), **options).fit(X, Y, callback=interrupt_at(2), **every)
    other = SGDRegressor(scoring=interrupt_at, **options)
    with pytest.raises(ValueError, match=r"scoring = .*made.<locals>.scorer, .*interrupt_at"):
        other.fit(X, Y, **every)
    model = SGDRegressor(scoring=made(), **options).fit(X, Y, **every)
    assert len(model.history_) == 5
    assert not (tmp_path / "state").exists()


class Scorer:
    """A scorer without a repr."""


def test_names_of_callables_hold_no_address():
    assert _told(partial(max, Scorer(), key=made)).startswith("partial(builtins.max, ")
    for value in (partial(max, Scorer(), key=made), Scorer(), Scorer, made, "r2", 0.5):
        assert " at 0x" not in _told(value)
    assert (_told("r2"), _told(0.5)) == ("'r2'", "0.5")


def made():
    """Return nothing."""


def test_a_schedule_is_known_again_by_its_name(tmp_path):
    def made(rate=0.01):
        def schedule(step):
            return rate

        return schedule

    def optimizer(after):
        return fl.optim.Adam(lr=fl.optim.WarmUp(3, after))

    every = {"checkpoint": tmp_path / "state", "checkpoint_every": 0}
    options = {"random_state": 0, "tol": None, "max_iter": 5}
    with pytest.warns(ConvergenceWarning):
        SGDRegressor(optimizer=optimizer(made()), **options).fit(
            X, Y, callback=interrupt_at(2), **every
        )
    others = fl.optim.Adam(lr=made()), optimizer(fl.optim.Constant(0.01)), optimizer(0.01)
    for other in others:
        with pytest.raises(ValueError, match=r"optimizer = Adam.*made.<locals>.schedule"):
            SGDRegressor(optimizer=other, **options).fit(X, Y, **every)
    model = SGDRegressor(optimizer=optimizer(made()), **options).fit(X, Y, **every)
    assert len(model.history_) == 5
    whole = SGDRegressor(optimizer=optimizer(made()), **options).fit(X, Y)
    np.testing.assert_array_equal(model.coef_, whole.coef_)


def test_optimizers_are_told_by_their_settings():
    assert _told(fl.optim.SGD(0.5, momentum=0.25)) == (
        "SGD(lr=0.5, momentum=0.25, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False)"
    )
    schedule = fl.optim.WarmUp(3, partial(made, step=fl.optim.Constant(0.5)))
    assert _told(fl.optim.FTRL(schedule)).startswith(
        f"FTRL(lr=WarmUp(n_steps=3, schedule=partial({__name__}.made, step=Constant(lr=0.5))), "
    )


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


def damaged(path, change):
    """Write a checkpoint whose state has been changed."""
    X = np.random.default_rng(0).standard_normal((50, 3))
    y = (X[:, 0] > 0).astype(int)
    model = SGDClassifier(max_iter=3, tol=None, random_state=0)

    def interrupt(progress):
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        model.fit(X, y, checkpoint=path, checkpoint_every=0, callback=interrupt)
    state = _sgd_checkpoint.load(path)
    _sgd_checkpoint.save(path, change(state))
    return lambda: model.fit(X, y, checkpoint=path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda state: {k: v for k, v in state.items() if k != "sgd"}, "it lacks sgd"),
        (lambda state: [1], r"fastloss \(damaged\)"),
        (lambda state: state | {"fit": 0}, r"fastloss \(damaged\)"),
        (lambda state: state | {"fit": {}}, "written by a fit with"),
    ],
)
def test_what_a_checkpoint_lacks_is_told(tmp_path, change, text):
    fit = damaged(tmp_path / "state", change)
    with pytest.raises(ValueError, match=text):
        fit()


def test_a_disk_that_fails_is_not_called_a_foreign_checkpoint(tmp_path, monkeypatch):
    fit = damaged(tmp_path / "state", lambda state: state)

    def fail(*_, **__):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(np, "load", fail)
    with pytest.raises(OSError, match="Input/output error"):
        fit()
