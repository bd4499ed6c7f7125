"""What an epoch is counted as: mean losses of batches, interrupts, the best epoch, its continuation."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from fastloss.linear_model import SGDClassifier, SGDRegressor, _sgd_checkpoint

rng = np.random.default_rng(5)
X = rng.normal(size=(300, 3))
SCORE = X @ [1.0, -2.0, 0.5] + rng.logistic(size=300)
THREE = np.digitize(SCORE, [-1.0, 1.0])
EDGES = [(0, 90), (90, 200), (200, 300)]


@pytest.mark.parametrize("loss", ["log_loss", "cross_entropy", "huber"])
def test_a_batch_of_weight_0_has_no_part_in_the_mean_loss(loss):
    order = np.argsort(SCORE > 0, kind="stable")
    A, b = X[order], (SCORE > 0)[order]
    first = int(np.argmax(b))
    model = SGDClassifier(loss, class_weight={False: 0, True: 1}, shuffle=False, max_iter=9)
    model.set_params(tol=None, learning_rate="constant")
    stream = model.fit([(A[:first], b[:first]), (A[first:], b[first:])]).history_.train_loss
    assert np.isfinite(stream).all()
    np.testing.assert_allclose(stream, model.fit(A, b).history_.train_loss, rtol=1e-10)


@pytest.mark.parametrize("loss", ["log_loss", "cross_entropy", "huber"])
def test_mean_losses_of_weighted_classes_are_those_of_the_whole(loss):
    order = np.argsort(THREE, kind="stable")
    A, b = X[order], THREE[order]
    model = SGDClassifier(loss, class_weight={0: 5.0, 1: 1.0, 2: 0.1}, shuffle=False, max_iter=4)
    model.set_params(tol=None, learning_rate="constant")
    stream = model.fit([(A[i:j], b[i:j]) for i, j in EDGES]).history_.train_loss
    np.testing.assert_allclose(stream, model.fit(A, b).history_.train_loss, rtol=1e-10)


def test_an_interrupt_of_the_scorer_leaves_the_epoch_uncounted():
    calls = []

    def scorer(model, A, b):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return model.score(A, b)

    model = SGDRegressor(early_stopping=True, scoring=scorer, tol=None, random_state=0)
    with pytest.warns(ConvergenceWarning, match="interrupted after 3 epochs"):
        model.fit(X, SCORE)
    assert model.n_iter_ == len(model.history_) == 3


@pytest.mark.parametrize("average", [False, True])
def test_partial_fit_goes_on_from_the_best_epoch(average):
    options = {"shuffle": False, "tol": None, "average": average, "random_state": 0}
    options |= {"learning_rate": "constant", "eta0": 0.1}
    held = X[:20], SCORE[:20]
    model = SGDRegressor(max_iter=8, restore_best=True, **options)
    model.fit(X[20:], SCORE[20:], validation_data=held)
    best = model.history_.best_epoch
    assert best < 8
    short = SGDRegressor(max_iter=best, **options).fit(X[20:], SCORE[20:])
    np.testing.assert_array_equal(model.coef_, short.coef_)
    for each in (model, short):
        each.partial_fit(X[:5], SCORE[:5])
    np.testing.assert_array_equal(model.coef_, short.coef_)
    np.testing.assert_array_equal(model.intercept_, short.intercept_)
    assert model.t_ == short.t_


def test_the_best_epoch_needs_something_to_be_judged_by():
    with pytest.raises(ValueError, match="restore_best = True: expected early_stopping=True or"):
        SGDRegressor(restore_best=True).fit(X, SCORE)


def test_half_a_checkpoint_is_refused(tmp_path):
    path = tmp_path / "state"
    _sgd_checkpoint.save(path, {"fit": {"seed": 1}, "a": np.arange(1000)})
    whole = path.read_bytes()
    for length in (0, 3, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="not a checkpoint of this version of fastloss"):
            SGDRegressor().fit(X, SCORE, checkpoint=path)
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 255
    path.write_bytes(broken)
    with pytest.raises(ValueError, match="not a checkpoint of this version of fastloss"):
        SGDRegressor().fit(X, SCORE, checkpoint=path)


def test_features_and_labels_of_batches_are_looked_at_before_the_first_epoch():
    calls = []

    def batches():
        calls.append(1)
        return iter([(X, THREE)])

    SGDClassifier(max_iter=5, tol=None).fit(batches)
    assert len(calls) == 6  # once for the labels, in the pass that the look began
