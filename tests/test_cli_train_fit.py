"""The training itself: curves, patience, Ctrl-C, the progress bar, the penalty's units."""

import contextlib
import io
import itertools
import json
import signal
import warnings

import joblib
import numpy as np
import pytest
from helpers.tables import mixed, train, write_csv
from rich.console import Console
from sklearn.linear_model import LogisticRegression

import fastloss as fl
from fastloss.cli import main
from fastloss.linear_model._losses import CLASSES, NUMBERS, TWO_CLASSES
from fastloss.train import batch, report
from fastloss.train.metrics import evaluate
from fastloss.train.picture import draw
from fastloss.train.problem import Options, Outcome, Part, Problem, Step
from fastloss.train.target import split
from fastloss.train.trainers import SOLVERS, load_trainer
from fastloss.train.units import usual_alpha

rng = np.random.default_rng(0)
N, D = 120, 30
X = rng.normal(size=(2 * N, D))
SCORE = X[:, 0] - X[:, 1] + rng.logistic(size=2 * N)


def problem(loss, labels):
    """Few rows and many features, which overfit."""
    classes = None if labels.dtype.kind == "f" else np.unique(labels)
    codes = labels if classes is None else np.searchsorted(classes, labels)
    parts = [Part(X[s], labels[s], codes[s], None) for s in (slice(N), slice(N, None))]
    return Problem(loss, classes, *parts)


def options(**chosen):
    usual = {
        "solver": "auto",
        "alpha": 1e-4,
        "l1_ratio": 0.0,
        "tol": 1e-6,
        "max_iter": 1000,
        "patience": None,
        "batch_size": None,
        "n_threads": 1,
        "seed": 0,
    }
    return Options(**(usual | chosen))


def fit(given, on_step=lambda step: None, **chosen):
    solver = chosen.get("solver", "auto")
    return load_trainer(solver)(given, options(**chosen), on_step)


TWO = (SCORE > 0).astype(np.int64)
THREE = np.digitize(SCORE, [-1.0, 1.0])


@pytest.mark.parametrize(
    ("loss", "labels"),
    [
        (fl.LogLoss(), TWO),
        (fl.CrossEntropy(), TWO),
        (fl.CrossEntropy(), THREE),
        (fl.Hinge(), TWO),
        (fl.SquaredError(), SCORE),
        (fl.Pinball(0.3), SCORE),
        (fl.Huber(), SCORE),
    ],
)
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_the_curves_are_losses_without_the_penalty(loss, labels, l1_ratio):
    given = problem(loss, labels)
    steps = []
    outcome = fit(given, steps.append, alpha=1e-2, l1_ratio=l1_ratio, tol=1e-4)
    (curve,) = outcome.curves
    assert [step.training for step in steps] == curve.training
    assert [step.number for step in steps] == list(range(len(steps)))
    assert all(0 <= a.share <= b.share <= 1 for a, b in itertools.pairwise(steps))
    for part, end in ((given.training, curve.training), (given.validation, curve.validation)):
        if given.classes is None:
            raw = outcome.estimator.coef_ @ part.X.T + outcome.estimator.intercept_
        else:
            raw = outcome.estimator.decision_function(part.X)
            if loss.name == "cross_entropy" and raw.ndim == 1:
                raw = np.column_stack([-raw / 2, raw / 2])
        # the vertex at the end of an interior point method lies beside its last iteration
        assert end[-1] == pytest.approx(loss(part.codes, raw), rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "labels"),
    [
        (fl.LogLoss(), TWO),
        (fl.CrossEntropy(), TWO),
        (fl.CrossEntropy(), THREE),
        (fl.Huber(), SCORE),
    ],
)
def test_patience_keeps_the_best_model(loss, labels):
    given = problem(loss, labels)
    full = fit(given)
    (curve,) = full.curves
    assert full.kept is None
    assert curve.best < len(curve.validation) - 8, "this data should overfit"
    outcome = fit(given, patience=4)
    (shorter,) = outcome.curves
    assert outcome.converged
    assert not outcome.interrupted
    assert outcome.ended == "no lower validation loss for 4 iterations"
    assert len(shorter.validation) - 1 == outcome.kept + 4
    assert outcome.kept == shorter.best
    # two classes of a loss of several have the difference of their coefficients
    raw = given.validation.X @ outcome.estimator.coef_.T + outcome.estimator.intercept_
    if loss.name == "cross_entropy" and len(given.classes) == 2:
        raw = np.column_stack([-raw / 2, raw / 2])
    raw = raw[:, 0] if raw.ndim == 2 and raw.shape[1] == 1 else raw
    lowest = loss(given.validation.codes, np.ascontiguousarray(raw))
    assert lowest == pytest.approx(min(shorter.validation), rel=1e-12)
    assert lowest < curve.validation[-1]


def interrupt_at(number):
    """Return what lets Ctrl-C meet a training at a step."""

    def on_step(step):
        if step.number == number:
            signal.raise_signal(signal.SIGINT)

    return on_step


def test_an_interrupt_keeps_the_best_model():
    given = problem(fl.LogLoss(), TWO)
    (curve,) = fit(given).curves
    late = curve.best + 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = fit(given, interrupt_at(late))
    assert outcome.interrupted
    assert outcome.kept == curve.best
    raw = outcome.estimator.decision_function(given.validation.X)
    value = fl.LogLoss()(given.validation.codes, raw)
    assert value == pytest.approx(curve.validation[curve.best], rel=1e-12)


def test_an_interrupt_of_one_against_the_rest(tmp_path):
    given = problem(fl.SquaredHinge(), THREE)
    outcome = fit(given, interrupt_at(3))
    assert outcome.interrupted
    assert outcome.kept is None
    assert len(outcome.curves) == 1
    assert outcome.estimator.coef_.shape == (3, D)
    assert not outcome.estimator.coef_[1:].any()
    draw(outcome, "interrupted", tmp_path / "curve.png")
    assert report.verdict(outcome) == ["Interrupted after 3 iterations."]


def test_an_interrupt_before_the_first_step(tmp_path):
    outcome = Outcome(None, "iteration", [], None, "interrupted", False, True)
    draw(outcome, "interrupted", tmp_path / "curve.png")
    assert report.verdict(outcome) == ["Interrupted after 0 iterations."]


@pytest.mark.parametrize("n", [1, 2, 5])
def test_an_interrupt_inside_the_validation(n, tmp_path, monkeypatch):
    class Interrupted(fl.LinearObjective):
        calls = 0

        def loss(self, coef):
            self.calls += 1
            if self.calls == n:
                signal.raise_signal(signal.SIGINT)
            return super().loss(coef)

    monkeypatch.setattr(batch, "LinearObjective", Interrupted)
    outcome = fit(problem(fl.LogLoss(), TWO))
    (curve,) = outcome.curves
    draw(outcome, "interrupted", tmp_path / "curve.png")
    assert outcome.interrupted
    assert len(curve.training) == len(curve.validation) == n - 1
    assert outcome.kept == (None if n == 1 else curve.best)
    assert (
        report.verdict(outcome)[0]
        == f"Interrupted after {max(n - 2, 0)} iteration{'s' * (n != 3)}."
    )


def test_the_command_interrupted(tmp_path, capsys, monkeypatch):
    @contextlib.contextmanager
    def bar(console, unit, *, live):
        yield interrupt_at(2)

    monkeypatch.setattr(report, "progress_bar", bar)
    data = write_csv(tmp_path / "mixed.csv", mixed())
    model = tmp_path / "model.joblib"
    code = main(["train", str(data), "--target", "late", "--output", str(model)])
    assert code == 130
    out = capsys.readouterr().out
    assert "Interrupted after 2 iterations." in out
    assert "of the lowest validation loss." in out
    told = json.loads(model.with_suffix(".json").read_text())
    assert told["interrupted"]
    assert told["kept"] == int(np.argmin(told["curves"][0]["validation"]))
    assert joblib.load(model)[-1].n_iter_ == 2


def test_an_end_without_convergence_is_told(tmp_path, capsys):
    data = write_csv(tmp_path / "mixed.csv", mixed())
    _, told = train(tmp_path, data, "--target", "late", "--max-iter", "2")
    assert not told["converged"]
    assert "Not converged after 2 iterations: max_iter = 2" in capsys.readouterr().out


def test_overfitting_is_told(tmp_path, capsys):
    columns = {f"x{j}": X[:, j] for j in range(D)} | {"y": SCORE > 0}
    data = write_csv(tmp_path / "data.csv", columns)
    _, told = train(tmp_path, data, "--target", "y", "--alpha", "0", "--tol", "1e-6")
    assert "It overfits: the validation loss was lowest at iteration" in capsys.readouterr().out
    _, told = train(tmp_path, data, "--target", "y", "--alpha", "0", "--patience", "3")
    out = capsys.readouterr().out
    assert "It overfits" not in out
    assert f"The model is that of iteration {told['kept']}" in out


def test_the_bar(monkeypatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    with report.progress_bar(console, "training", live=True) as draw:
        draw(Step(7, 0.25, 0.5, 0.4))
    assert "training 7" in screen.getvalue()
    assert "training 0.25, validation 0.5" in screen.getvalue()
    for live, terminal in ((False, True), (True, False)):
        screen = io.StringIO()
        console = Console(file=screen, force_terminal=terminal)
        with report.progress_bar(console, "training", live=live) as draw:
            draw(Step(7, 0.25, 0.5, 0.4))
        assert screen.getvalue() == ""


@pytest.mark.parametrize("name", ["squared_error", "absolute_error", "pinball"])
def test_the_usual_penalty_does_not_depend_on_units(name):
    loss = fl.get_loss(name)
    models = []
    for unit in (1e-3, 1.0, 1e3):
        given = problem(loss, SCORE * unit)
        outcome = fit(given, alpha=100 * usual_alpha(given), tol=1e-8)
        models.append(outcome.estimator.coef_ / unit)
    np.testing.assert_allclose(models[0], models[1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(models[2], models[1], rtol=1e-4, atol=1e-6)


def test_the_usual_penalty_by_hand():
    assert usual_alpha(problem(fl.LogLoss(), TWO)) == 1e-4
    assert usual_alpha(problem(fl.HalfSquaredError(), SCORE)) == pytest.approx(0.5e-4)
    counts = rng.poisson(3.0, 2 * N).astype(float)
    assert usual_alpha(problem(fl.Poisson(), counts)) == pytest.approx(1e-4 * counts[:N].mean())
    assert usual_alpha(problem(fl.Gamma(), counts + 1)) == pytest.approx(1e-4)


def test_every_solver_finds_the_same_optimum():
    given = problem(fl.LogLoss(), TWO)
    peer = LogisticRegression(C=1 / (1e-2 * N), tol=1e-10, max_iter=5000)
    peer.fit(given.training.X, given.training.labels)
    for solver in SOLVERS:
        if solver not in ("interior-point", "sgd"):  # sgd does not reach 1e-5
            outcome = fit(given, solver=solver, alpha=1e-2, tol=1e-9)
            np.testing.assert_allclose(outcome.estimator.coef_, peer.coef_, atol=1e-5)
    outcome = fit(problem(fl.Hinge(), TWO), solver="interior-point")
    assert outcome.converged


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_the_split(share):
    labels = np.repeat([0, 1, 2, 3], [100, 50, 3, 1])
    training = split(labels, np.arange(4), share, seed=0)
    for k, total in enumerate([100, 50, 3, 1]):
        held_out = int((~training & (labels == k)).sum())
        assert held_out == min(round(share * total), total - 1)
    two = split(np.repeat([0, 1], [98, 2]), np.arange(2), share, seed=0)
    assert (~two[98:]).sum() == 1
    few = split(np.repeat(np.arange(5), 2), np.arange(5), 0.1, seed=0)
    assert (~few).sum() == 1
    numbers = split(np.arange(50.0), None, share, seed=1)
    assert (~numbers).sum() == round(50 * share)
    assert (split(np.arange(50.0), None, share, seed=2) != numbers).any()


@pytest.mark.parametrize("name", sorted(NUMBERS | TWO_CLASSES | CLASSES))
def test_every_loss_can_be_trained_and_judged(name):
    """The model is better than the best constant, and the metrics are numbers."""
    loss = fl.get_loss(name)
    labels = [np.exp(SCORE / 2)] if name in NUMBERS else [TWO, THREE]
    for y in labels:
        given = problem(loss, y)
        outcome = fit(given, alpha=100 * usual_alpha(given), tol=1e-4, max_iter=15)
        found = evaluate(given, outcome.estimator)
        assert np.isfinite([metric.training for metric in found]).all()
        loss_of_model = outcome.estimator.loss_  # of log loss and three classes, cross-entropy
        if name in TWO_CLASSES and y is THREE and name != "log_loss":
            assert not found[0].name.startswith("loss")
            continue
        assert found[0].name == f"loss ({loss_of_model.name})"
        codes = given.training.codes
        start = loss_of_model.initial_prediction(codes)
        raw = np.broadcast_to(start, (N, *np.shape(start))).copy()
        assert found[0].training < loss_of_model(codes, raw)


def test_patience_needs_one_validation_loss(tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", {"x": SCORE.tolist(), "y": THREE.tolist()})
    start = ["train", str(data), "--target", "y", "--output", str(tmp_path / "m.joblib")]
    given = [*start, "--patience", "2", "--loss"]
    assert main([*given, "focal"]) == 2
    message = capsys.readouterr().err
    assert "--patience: the loss focal learns 3 classes one after another" in message
    assert main([*given, "log_loss"]) == 0
