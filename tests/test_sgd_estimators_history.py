"""What a fit by epochs records, when it stops, what it tells: history_, callbacks, Ctrl-C."""

import re

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

import fastloss as fl
from fastloss.linear_model import EpochProgress, SGDClassifier, SGDRegressor
from fastloss.linear_model._sgd_history import Recorder, Stopping

rng = np.random.default_rng(1)
X = rng.normal(size=(200, 5))
SCORE = X @ [1.0, -2.0, 0.5, 0.0, 0.0] + rng.logistic(size=200)
Y = SCORE > 0
THREE = np.digitize(SCORE, [-1.0, 1.0])


def log_model(**options):
    return SGDClassifier("log_loss", alpha=0.01, random_state=0, **options)


def test_training_loss_and_objective_of_a_whole_batch():
    model = log_model(
        batch_size=200, learning_rate="constant", eta0=0.5, max_iter=4, tol=None, shuffle=False
    ).fit(X, Y)
    history = model.history_
    assert len(history) == model.n_iter_ == 4
    assert history.train_loss[0] == pytest.approx(np.log(2), rel=1e-12)  # before the step
    again = log_model(
        batch_size=200, learning_rate="constant", eta0=0.5, max_iter=3, tol=None, shuffle=False
    ).fit(X, Y)
    before = fl.LogLoss().loss(Y, again.decision_function(X))
    assert history.train_loss[3] == pytest.approx(before, rel=1e-12)
    penalty = 0.005 * np.sum(model.coef_**2)
    assert history.objective[3] - history.train_loss[3] == pytest.approx(penalty, rel=1e-9)
    np.testing.assert_array_equal(history.learning_rate, 0.5)
    assert (np.diff(history.seconds) > 0).all()
    assert np.isnan(history.validation_loss).all()
    assert np.isnan(history.validation_score).all()
    assert history.best_epoch is None
    assert history.reason == "max_iter epochs are over"


@pytest.mark.parametrize("loss", ["log_loss", "cross_entropy"])
@pytest.mark.parametrize("y", [Y, THREE], ids=["two", "three"])
def test_validation_loss_and_score_are_those_of_the_model(loss, y):
    model = SGDClassifier(
        loss,
        early_stopping=True,
        learning_rate="constant",
        random_state=0,
        max_iter=3,
        tol=None,
    )
    weights = rng.uniform(0.5, 2, size=50)
    model.fit(X[:150], y[:150], validation_data=(X[150:], y[150:], weights))
    score = model.score(X[150:], y[150:], weights)
    assert model.history_.validation_score[-1] == pytest.approx(score, rel=1e-12)
    raw = model.decision_function(X[150:])
    if loss == "cross_entropy":
        expected = log_loss(y[150:], model.predict_proba(X[150:]), sample_weight=weights)
    elif y is Y:
        expected = fl.LogLoss().loss(y[150:], raw, weights)
    else:
        one = y[150:, None] == np.arange(3)
        expected = sum(fl.LogLoss().loss(one[:, k], raw[:, k], weights) for k in range(3)) / 3
    assert model.history_.validation_loss[-1] == pytest.approx(expected, rel=1e-9)


def test_early_stopping_goes_by_score_loss_or_any_scorer():
    for scoring, what in (
        (None, "score"),
        ("loss", "loss"),
        ("f1", "score"),
        (lambda model, A, b: -float(np.mean(model.predict(A) != b)), "score"),
    ):
        model = log_model(early_stopping=True, scoring=scoring, max_iter=200).fit(X, Y)
        history = model.history_
        assert history.converged
        assert history.reason == (
            f"the validation {what} has not improved by tol = 0.001 for 5 epochs"
        )
        values = -history.validation_score if what == "score" else history.validation_loss
        assert history.best_epoch == np.argmin(values) + 1
        stop = Stopping(0.001, 5)
        stopped = [stop(float(value)) for value in values]
        assert stopped[-1]
        assert not any(stopped[:-1])


def test_early_stopping_judges_by_the_samples_that_scikit_learn_sets_aside():
    from sklearn.model_selection import StratifiedShuffleSplit

    split = StratifiedShuffleSplit(test_size=0.25, random_state=3)
    train, held = next(split.split(X, Y))
    options = {"max_iter": 4, "tol": None, "shuffle": False, "learning_rate": "constant"}
    model = SGDClassifier(
        early_stopping=True, validation_fraction=0.25, random_state=3, **options
    ).fit(X, Y)
    same = SGDClassifier(**options).fit(X[np.sort(train)], Y[np.sort(train)])
    np.testing.assert_array_equal(model.coef_, same.coef_)
    assert model.history_.validation_score[-1] == same.score(X[held], Y[held])


def overfitting_data():
    # few samples, many features of noise
    A = rng.normal(size=(60, 100))
    b = A[:, 0] + rng.logistic(size=60) > 0
    return A[:30], b[:30], (A[30:], b[30:])


def test_overfitting_is_stated(capsys):
    A, b, held = overfitting_data()
    model = SGDClassifier(
        "log_loss",
        penalty=None,
        learning_rate="constant",
        eta0=0.05,
        tol=None,
        max_iter=40,
        random_state=0,
        verbose=1,
    ).fit(A, b, validation_data=held)
    history = model.history_
    assert history.overfitting_epoch == np.argmin(history.validation_loss) + 1
    assert history.overfitting.startswith(f"overfitting since epoch {history.overfitting_epoch}: ")
    assert f"{history.validation_loss.min():.6g}" in history.overfitting
    printed = capsys.readouterr().out
    assert printed.count("overfitting since epoch") == 1
    assert len(re.findall(r"^ *\d+  ", printed, re.M)) == 40
    assert printed.startswith("SGDClassifier\nepoch  training loss")


def test_no_overfitting_is_stated_where_there_is_none():
    model = log_model(max_iter=30, tol=None, learning_rate="constant", average=True)
    history = model.fit(X, Y, validation_data=(X, Y)).history_
    assert history.overfitting is None
    assert history.overfitting_epoch is None


def test_a_bump_is_no_overfitting():
    recorder = Recorder("title", 0, 2)
    for train, validation in ((5, 5), (4, 6), (3, 7), (2, 8)):
        recorder.add(train, train, validation, np.nan, 0.1, 0.0)
    assert recorder.overfitting_epoch == 1
    recorder.add(1, 1, 4, np.nan, 0.1, 0.0)
    recorder.close(False, "")
    history = recorder.history()
    assert history.overfitting is None
    assert history.best_epoch == 5


def test_the_best_epoch_is_restored():
    A, b, held = overfitting_data()
    seen = []
    model = SGDClassifier(
        "log_loss", penalty=None, learning_rate="constant", eta0=0.05, tol=None, max_iter=30,
        random_state=0, restore_best=True,
    )  # fmt: skip
    model.fit(A, b, validation_data=held, callback=lambda p: seen.append(p.coef) and False)
    best = model.history_.best_epoch
    assert best < 30
    np.testing.assert_array_equal(np.append(model.coef_[0], model.intercept_), seen[best - 1])


def test_the_adaptive_rate_is_divided_by_5():
    model = SGDRegressor(learning_rate="adaptive", random_state=0, max_iter=1000).fit(X, SCORE)
    rates = np.unique(model.history_.learning_rate)[::-1]
    np.testing.assert_allclose(rates, 0.01 / 5.0 ** np.arange(len(rates)), rtol=1e-12)
    assert rates[-1] <= 1e-6 < rates[-2]
    assert model.history_.converged


def test_callback():
    seen = []
    model = log_model(max_iter=7, tol=None).fit(X, Y, callback=seen.append)
    assert [p.iteration for p in seen] == list(range(1, 8))
    assert all(isinstance(p, EpochProgress) for p in seen)
    np.testing.assert_array_equal([p.objective for p in seen], model.history_.objective)
    np.testing.assert_array_equal(seen[-1].coef, np.append(model.coef_[0], model.intercept_))
    stopped = log_model(tol=None).fit(X, Y, callback=lambda p: p.iteration == 3)
    assert stopped.n_iter_ == 3
    assert stopped.history_.reason == "stopped by the callback"
    assert not stopped.history_.converged


def test_progress_bar():
    rich = pytest.importorskip("rich.console")
    import io

    from fastloss.linear_model import ProgressBar

    out = io.StringIO()
    console = rich.Console(file=out, force_terminal=True, width=100)
    log_model(max_iter=3, tol=None).fit(X, Y, callback=ProgressBar(console=console))
    assert "3 epochs" in out.getvalue()
    assert "nan" not in out.getvalue()


def test_an_interrupt_keeps_the_best_coefficients():
    seen = []

    def interrupt(progress):
        seen.append(progress)
        if progress.iteration == 6:
            raise KeyboardInterrupt

    A, b, held = overfitting_data()
    model = SGDClassifier(
        "log_loss", penalty=None, learning_rate="constant", eta0=0.5, tol=None, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="interrupted after 6 epochs"):
        model.fit(A, b, validation_data=held, callback=interrupt)
    best = min(seen, key=lambda p: p.validation_loss)
    np.testing.assert_array_equal(np.append(model.coef_[0], model.intercept_), best.coef)
    assert model.history_.reason == "interrupted"


def test_bad_validation_data_is_named():
    with pytest.raises(TypeError, match="validation_data: expected"):
        log_model().fit(X, Y, validation_data=X)
    with pytest.raises(ValueError, match=r"validation_data: X has 4 features, .*expecting 5"):
        log_model().fit(X, Y, validation_data=(X[:, :4], Y))
    with pytest.raises(ValueError, match=r"validation_data: y\[0\] = 7"):
        log_model().fit(X, THREE, validation_data=(X, THREE + 7))
    with pytest.raises(TypeError, match="scoring = 3"):
        log_model(scoring=3).fit(X, Y)
    for options in ({}, {"early_stopping": True}):  # whether it is used or not
        with pytest.raises(ValueError, match=r"^scoring = 'no_scorer': expected 'loss' or one of "):
            log_model(scoring="no_scorer", **options).fit(X, Y)
    with pytest.raises(ValueError, match=r"^scoring = 'no_scorer'"):
        log_model(scoring="no_scorer").partial_fit(X, Y, classes=[0, 1])


def test_the_learning_curve_is_drawn():
    pytest.importorskip("matplotlib")
    A, b, held = overfitting_data()
    model = SGDClassifier(
        "log_loss", penalty=None, learning_rate="constant", eta0=0.05, tol=None, max_iter=40,
        random_state=0,
    )  # fmt: skip
    history = model.fit(A, b, validation_data=held).history_
    (axes,) = history.plot("title").axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    np.testing.assert_array_equal(lines["training loss"].get_ydata(), history.train_loss)
    np.testing.assert_array_equal(lines["validation loss"].get_ydata(), history.validation_loss)
    assert lines["best epoch"].get_xdata()[0] == history.best_epoch
    assert "overfits" in axes.get_legend_handles_labels()[1]
    assert axes.get_title() == "title"
    scored = model.set_params(scoring="accuracy").fit(A, b, validation_data=held).history_.plot()
    assert len(scored.axes) == 2
    plain = model.set_params(scoring=None).fit(A, b).history_.plot()
    assert plain.axes[0].get_legend_handles_labels()[1] == ["training loss"]
    with pytest.raises(TypeError, match=r"history_.plot\(\) draws its learning curve"):
        fl.plot_convergence(model)
