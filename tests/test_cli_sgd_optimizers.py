"""``fastloss train --solver sgd --optimizer NAME``."""

import json

import joblib
import numpy as np
import pytest
from helpers.tables import metric, mixed, train, write_csv
from scipy import sparse

import fastloss as fl
from fastloss.cli import main
from fastloss.train.problem import Options, Part, Problem
from fastloss.train.trainers import OPTIMIZERS, load_trainer
from fastloss.train.units import usual_alpha

rng = np.random.default_rng(0)
N, D = 2000, 8
X = rng.normal(size=(N, D))
F = X @ rng.normal(size=D) / 2
NOISE = rng.logistic(size=N)
LEVELS = sparse.csr_matrix(np.hstack([np.eye(40)[rng.integers(0, 40, N)], X[:, :3]]))
ROWS = np.arange(N) % 5 > 0
CASES = {
    "log": (fl.LogLoss(), (F + NOISE > 0.5).astype(np.int64), X),
    "cross-entropy": (fl.CrossEntropy(), np.digitize(F + NOISE, [-1.0, 1.0]), X),
    "squared": (fl.SquaredError(), 1e6 * (5 + F + NOISE), X),
    "squared, levels": (fl.SquaredError(), 1e-5 * (5 + F + NOISE), LEVELS),
    "pinball": (fl.Pinball(0.9), 1e5 * (5 + F + NOISE), X),
    "poisson": (fl.Poisson(), rng.poisson(np.exp(4 + F / 2)).astype(float), X),
}


def fit(given, solver, optimizer="sgd"):
    options = Options(
        solver=solver, alpha=usual_alpha(given), l1_ratio=0.0, tol=1e-4, max_iter=1000,
        patience=None, batch_size=None, n_threads=1, seed=0, optimizer=optimizer,
    )  # fmt: skip
    return load_trainer(solver)(given, options, lambda step: None)


@pytest.mark.parametrize("optimizer", OPTIMIZERS[1:])
@pytest.mark.parametrize("name", CASES)
def test_it_comes_near_the_optimum(name, optimizer):
    loss, labels, features = CASES[name]
    parts = [Part(features[rows], labels[rows], labels[rows], None) for rows in (ROWS, ~ROWS)]
    given = Problem(loss, np.unique(labels) if labels.dtype == np.int64 else None, *parts)
    outcome, best = fit(given, "sgd", optimizer), fit(given, "auto")
    assert outcome.converged
    assert outcome.estimator.optimizer == optimizer
    losses = []
    for model in (outcome.estimator, best.estimator):
        raw = np.ascontiguousarray(np.squeeze(model._raw_prediction(parts[0].X)))
        losses.append(loss.loss(parts[0].codes, raw))
    start = outcome.curves[0].training[0]
    assert losses[0] - losses[1] <= 0.02 * (start - losses[1])


def test_the_command(tmp_path):
    data = write_csv(tmp_path / "data.csv", mixed())
    options = ["--target", "late", "--solver", "sgd", "--no-progress"]
    path, told = train(tmp_path, data, *options, "--optimizer", "adam")
    assert told["optimizer"] == "adam"
    assert joblib.load(path)[-1].optimizer == "adam"
    _, plain = train(tmp_path, data, *options)
    assert plain["optimizer"] == "sgd"
    assert metric(told, "loss (log_loss)") < metric(plain, "loss (log_loss)")
    model, other = train(tmp_path, data, "--target", "late", "--no-progress")
    assert other["optimizer"] is None
    assert json.loads(model.with_suffix(".json").read_text()) == other


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--optimizer", "adam"], "--optimizer adam: the solver auto makes steps of its own"),
        (
            ["--solver", "sgd", "--optimizer", "adam", "--l1-ratio", "0.5"],
            "--l1-ratio 0.5: --optimizer adam has no L1 penalty; expected --l1-ratio 0 or",
        ),
    ],
)
def test_errors(tmp_path, capsys, arguments, message):
    data = write_csv(tmp_path / "data.csv", mixed())
    output = str(tmp_path / "model.joblib")
    assert main(["train", str(data), "--target", "late", "--output", output, *arguments]) == 2
    assert message in capsys.readouterr().err
