"""partial_fit records an epoch a call."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

import fastloss as fl
from fastloss.linear_model import SGDClassifier, SGDRegressor, _sgd_history

rng = np.random.default_rng(7)
X = rng.normal(size=(400, 3))
CLASSES = np.digitize(X[:, 0] + rng.normal(size=400), [-0.5, 0.5])
COLUMNS = ("train_loss", "objective", "validation_loss", "validation_score", "learning_rate")


@pytest.mark.parametrize("loss", ["log_loss", "cross_entropy", "huber"])
def test_calls_are_the_epochs_of_a_fit(loss):
    options = {"shuffle": False, "max_iter": 4, "tol": None, "alpha": 0.01}
    whole = SGDClassifier(loss, **options).fit(X, CLASSES)
    online = SGDClassifier(loss, **options)
    for call in range(4):
        online.partial_fit(X, CLASSES, classes=[0, 1, 2])
        assert len(online.history_) == call + 1
        online = pickle.loads(pickle.dumps(online))
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(online.history_, name), getattr(whole.history_, name))
    seconds = online.history_.seconds
    assert (np.diff([0.0, *seconds]) > 0).all()
    assert online.history_.best_epoch is None
    assert not online.history_.converged
    assert online.history_.reason.startswith("partial_fit was called last")


def test_a_stream_is_one_call_and_its_loss_a_mean_of_all():
    def batches():
        yield X[:100], X[:100, 0], np.full(100, 3.0)
        yield X[100:], X[100:, 0], np.ones(300)

    model = SGDRegressor(shuffle=False, penalty=None).partial_fit(batches())
    assert len(model.history_) == 1
    twice = clone(model)
    for part in batches():
        twice.partial_fit(*part)
    assert np.array_equal(twice.coef_, model.coef_)
    assert len(twice.history_) == 2
    losses = twice.history_.train_loss
    np.testing.assert_allclose(model.history_.train_loss, [losses @ [0.5, 0.5]], rtol=1e-14)
    assert losses[1] < losses[0]
    # the loss of each sample just before its step
    sgd = fl.LinearSGD(
        fl.HalfSquaredError(), 3, penalty=None, learning_rate="invscaling", eta0=0.01
    )
    expected = sgd.epoch(X[:100], X[:100, 0], np.full(100, 3.0), shuffle=False)
    np.testing.assert_allclose(losses[0], expected, rtol=1e-14)


def test_calls_go_on_from_the_record_of_a_fit(capsys):
    model = SGDRegressor(max_iter=3, tol=None, verbose=1, random_state=0).fit(X, X[:, 0])
    before = model.history_
    assert model.history_ is before  # is not made anew
    printed = capsys.readouterr().out
    model.partial_fit(X, X[:, 0])
    assert capsys.readouterr().out == ""
    assert printed.count("\n") == 6
    assert len(before) == 3
    assert len(model.history_) == 4
    np.testing.assert_array_equal(model.history_.train_loss[:3], before.train_loss)
    assert model.history_.seconds[3] > before.seconds[2]
    assert len(model.fit(X, X[:, 0]).history_) == 3  # a new one


def test_what_a_refused_batch_leaves():
    def batches():
        yield X[:50], X[:50, 0]
        yield X[:50], np.full(50, np.nan)

    model = SGDRegressor()
    with pytest.raises(ValueError, match="batch 1"):
        model.partial_fit(batches())
    assert len(model.history_) == 1
    assert model.coef_.any()
    with pytest.raises(AttributeError, match="SGDRegressor has no history_ before it has learnt"):
        _ = SGDRegressor().history_


def test_the_record_of_a_stream_is_bounded(monkeypatch):
    y = X[:, 0]
    options = {"max_iter": 6, "tol": None, "random_state": 0}
    whole = SGDRegressor(**options).fit(X, y, validation_data=(X, y))
    for _ in range(9):
        whole.partial_fit(X, y)
    monkeypatch.setattr(_sgd_history, "_MOST_LINES", 8)
    model = SGDRegressor(**options).fit(X, y, validation_data=(X, y))
    best = model.history_.best_epoch
    assert best is not None
    lengths, seconds = [], 0.0
    for _ in range(9):
        model.partial_fit(X, y)
        lengths.append(len(model.history_))
        assert model.history_.best_epoch == (best if len(lengths) < 3 else None)
        assert model.history_.seconds[-1] > seconds
        seconds = model.history_.seconds[-1]
    assert lengths == [7, 8, 4, 5, 6, 7, 8, 4, 5]
    assert len(whole.history_) == 15
    for name in COLUMNS:
        kept = getattr(model.history_, name)
        np.testing.assert_array_equal(kept, getattr(whole.history_, name)[-5:])
