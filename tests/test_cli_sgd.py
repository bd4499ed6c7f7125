"""``fastloss train --solver sgd``: as good as the optimum, whatever the units, and how it ends."""

import json
import signal

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers.tables import metric, mixed, train, write_csv
from scipy import sparse

import fastloss as fl
from fastloss.cli import main
from fastloss.train import report
from fastloss.train.errors import InputError
from fastloss.train.picture import draw
from fastloss.train.problem import Options, Part, Problem
from fastloss.train.trainers import load_trainer
from fastloss.train.units import units, usual_alpha

rng = np.random.default_rng(0)
N, D = 2000, 8
X = rng.normal(size=(N, D))
F = X @ rng.normal(size=D) / 2
NOISE = rng.logistic(size=N)
TWO = (F + NOISE > 0.5).astype(np.int64)
THREE = np.digitize(F + NOISE, [-1.0, 1.0])
LEVELS = sparse.csr_matrix(np.hstack([np.eye(40)[rng.integers(0, 40, N)], X[:, :3]]))
ROWS = np.arange(N) % 5 > 0


def problem(loss, labels, X=X, weights=None):
    classes = np.unique(labels) if labels.dtype == np.int64 and loss.name != "poisson" else None
    labels = labels if classes is not None else labels.astype(np.float64)
    parts = [
        Part(X[r], labels[r], labels[r], None if weights is None else weights[r])
        for r in (ROWS, ~ROWS)
    ]
    return Problem(loss, classes, *parts)


def options(given, **chosen):
    usual = {
        "solver": "sgd",
        "alpha": usual_alpha(given),
        "l1_ratio": 0.0,
        "tol": 1e-4,
        "max_iter": 1000,
        "patience": None,
        "batch_size": None,
        "n_threads": 1,
        "seed": 0,
    }
    return Options(**(usual | chosen))


def fit(given, on_step=lambda step: None, **chosen):
    chosen = options(given, **chosen)
    return load_trainer(chosen.solver)(given, chosen, on_step)


def loss_of(outcome, part):
    """The mean loss of a model of numbers or of two classes, or of several scores."""
    raw = np.ascontiguousarray(np.squeeze(outcome.estimator._raw_prediction(part.X)))
    return outcome.estimator.loss_.loss(part.codes, raw, part.weights)


WEIGHTS = rng.exponential(size=N)
CASES = {
    "log": problem(fl.LogLoss(), TWO),
    "log, weights": problem(fl.LogLoss(), TWO, weights=WEIGHTS),
    "log of three": problem(fl.LogLoss(), THREE),
    "cross-entropy": problem(fl.CrossEntropy(), THREE),
    "hinge": problem(fl.Hinge(), TWO),
    "log, levels": problem(fl.LogLoss(), TWO, LEVELS),
    "squared": problem(fl.SquaredError(), 1e6 * (5 + F + NOISE)),
    "squared, levels": problem(fl.SquaredError(), 5 + F + NOISE, LEVELS),
    "pinball": problem(fl.Pinball(0.9), 1e5 * (5 + F + NOISE)),
    "pinball, tiny": problem(fl.Pinball(0.9), 1e-7 * (5 + F + NOISE)),
    "poisson": problem(fl.Poisson(), rng.poisson(np.exp(4 + F / 2))),
}


@pytest.mark.parametrize("name", CASES)
def test_it_comes_near_the_optimum(name):
    given = CASES[name]
    outcome, best = fit(given), fit(given, solver="auto")
    assert outcome.unit == "epoch"
    assert outcome.converged
    assert outcome.kept is None
    assert best.converged
    start = outcome.curves[0].training[0]
    found, lowest = (loss_of(o, given.training) for o in (outcome, best))
    assert found - lowest <= 0.02 * (start - lowest)


@pytest.mark.parametrize("name", CASES)
def test_the_curve_begins_at_the_best_constant(name):
    given = CASES[name]
    (curve,) = fit(given, max_iter=1).curves
    assert len(curve.points) == 2
    loss = fl.CrossEntropy() if name == "log of three" else given.loss
    start = loss.initial_prediction(given.training.codes, given.training.weights)
    for first, part in zip(curve.points[0], (given.training, given.validation), strict=True):
        shape = (len(part.codes), *np.shape(start))
        constant = np.ascontiguousarray(np.broadcast_to(start, shape))
        assert first == pytest.approx(loss.loss(part.codes, constant, part.weights), rel=1e-12)


def test_one_against_the_rest_has_one_curve_and_patience():
    given = problem(fl.SquaredHinge(), THREE)
    outcome = fit(given, patience=2)
    assert outcome.ended == "no lower validation loss for 2 epochs"
    (curve,) = outcome.curves
    each = [
        fl.SquaredHinge().loss((given.validation.codes == k).astype(np.int8), raw)
        for k, raw in enumerate(
            np.ascontiguousarray(outcome.estimator._raw_prediction(given.validation.X).T)
        )
    ]
    assert np.mean(each) == pytest.approx(curve.validation[outcome.kept], rel=1e-9)
    held_out = given.validation.X, given.validation.labels
    peer = fit(given, solver="auto").estimator
    assert outcome.estimator.score(*held_out) > peer.score(*held_out) - 0.02


@pytest.mark.parametrize("name", ["log", "squared, levels", "cross-entropy"])
def test_patience_keeps_the_best_epoch(name):
    given = CASES[name]
    outcome = fit(given, patience=3)
    (curve,) = outcome.curves
    assert outcome.converged
    assert outcome.ended == "no lower validation loss for 3 epochs"
    assert len(curve.points) - 1 == outcome.kept + 3
    assert outcome.kept == curve.best
    assert loss_of(outcome, given.validation) == pytest.approx(min(curve.validation), rel=1e-9)


def test_an_interrupt_keeps_the_best_epoch():
    def on_step(step):
        if step.number == 4:
            signal.raise_signal(signal.SIGINT)

    given = CASES["log"]
    outcome = fit(given, on_step)
    assert outcome.interrupted
    (curve,) = outcome.curves
    assert len(curve.points) == 5
    assert outcome.kept == 1 + int(np.argmin(curve.validation[1:]))
    found = loss_of(outcome, given.validation)
    assert found == pytest.approx(curve.validation[outcome.kept], rel=1e-9)


def test_an_interrupt_in_the_first_epoch(tmp_path, monkeypatch):
    calls = []

    def epoch(*arguments):
        calls.append(arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr("fastloss.linear_model._sgd_training.train_batch", epoch)
    outcome = fit(CASES["squared"])
    assert len(calls) == 1
    assert outcome.interrupted
    assert (outcome.kept, len(outcome.curves[0].points)) == (None, 1)
    draw(outcome, "interrupted", tmp_path / "curve.png")
    assert report.verdict(outcome) == ["Interrupted after 0 epochs."]


@pytest.mark.parametrize("solver", ["auto", "sgd"])
@pytest.mark.parametrize("scale", [1e-300, 1e305])
def test_the_scale_of_weights_does_not_matter(scale, solver, tmp_path):
    found = []
    for factor in (1.0, scale):
        columns = {"x": X[:200, 0], "late": 5 + F[:200], "w": factor * WEIGHTS[:200]}
        data = write_csv(tmp_path / "w.csv", {k: v.tolist() for k, v in columns.items()})
        given = ["--target", "late", "--weight", "w", "--solver", solver, "--max-iter", "3"]
        path, told = train(tmp_path, data, *given)
        found.append([*joblib.load(path)[-1].coef_, metric(told, "R²")])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9)


@pytest.mark.parametrize("name", ["log", "log of three", "squared"])
def test_threads_reach_the_estimator(name):
    assert fit(CASES[name], n_threads=3, max_iter=1).estimator.n_jobs == 3


def test_steps_told_one_by_one():
    steps = []
    outcome = fit(CASES["log"], steps.append)
    assert [step.number for step in steps] == list(range(1, len(outcome.curves[0].points)))
    assert all(0.0 <= step.share <= 1.0 for step in steps)


def test_rows_of_very_different_lengths_take_smaller_steps():
    heavy = np.exp(1.5 * X)
    heavy = (heavy - heavy.mean(axis=0)) / heavy.std(axis=0)
    means = np.exp(1 + np.clip(heavy @ np.ones(D) / 8, -3, 3))
    outcome = fit(problem(fl.Poisson(), rng.poisson(means), heavy))
    (curve,) = outcome.curves
    assert curve.training[-1] < curve.training[0]
    assert max(curve.training) < curve.training[0] + units(CASES["poisson"]).loss


def test_steps_that_diverge_however_small(monkeypatch):
    monkeypatch.setattr("fastloss.train.stochastic._RATE", 1e9)
    with pytest.raises(InputError, match="--solver sgd: the training loss rises from"):
        fit(CASES["squared"])


def run(tmp_path, folder, *arguments):
    data = write_csv(tmp_path / "mixed.csv", mixed())
    without = ["--without", "amount", "visits", "kind"]
    given = ["--target", "late", *without, "--solver", "sgd", *arguments]
    return train(tmp_path / folder, data, *given)


def test_the_command(tmp_path, capsys):
    path, told = run(tmp_path, "a")
    out = capsys.readouterr().out
    assert "epochs: the objective has not improved" in out
    assert told["unit"] == "epoch"
    assert metric(told, "ROC AUC") > 0.85
    assert path.with_suffix(".png").exists()
    model = joblib.load(path)
    assert type(model[-1]).__name__ == "SGDClassifier"
    output = tmp_path / "out.csv"
    assert main(["predict", str(path), str(tmp_path / "mixed.csv"), "-o", str(output)]) == 0
    found = pd.read_csv(output)["prediction"]
    assert np.mean(found == np.array(mixed()["late"])) > 0.8


def test_the_seed_and_the_batch_size(tmp_path):
    def coefficients(folder, *arguments):
        path, told = run(tmp_path, folder, *arguments)
        return joblib.load(path)[-1].coef_, told

    first, told = coefficients("a")
    np.testing.assert_array_equal(coefficients("b")[0], first)
    given = CASES["log"]
    orders = [fit(given, seed=seed, max_iter=2).estimator.coef_ for seed in (0, 0, 1)]
    np.testing.assert_array_equal(orders[0], orders[1])
    assert (orders[0] != orders[2]).all()
    other, told_other = coefficients("c", "--batch-size", "8")
    assert (other != first).any()
    assert (told["batch_size"], told_other["batch_size"]) == (None, 8)


def test_the_batch_size_is_of_sgd_alone(tmp_path, capsys):
    data = write_csv(tmp_path / "mixed.csv", mixed())
    given = ["train", str(data), "--target", "late", "--batch-size", "8"]
    assert main([*given, "--output", str(tmp_path / "m.joblib")]) == 2
    message = capsys.readouterr().err
    assert "--batch-size 8: the solver auto sees all rows in each iteration" in message


def test_the_report_of_an_early_end(tmp_path, capsys):
    path, told = run(tmp_path, "a", "--max-iter", "2", "--tol", "0")
    assert "Not converged after 2 epochs: max_iter epochs are over." in capsys.readouterr().out
    assert not told["converged"]
    assert json.loads(path.with_suffix(".json").read_text())["ended"] == "max_iter epochs are over"
