"""LinearSGD with the optimizers of fastloss.optim: their steps, on the mean gradients of batches."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from helpers.optimizers import NAMES, TORCH_NAMES, Reference, draw_settings

import fastloss as fl

sparse = pytest.importorskip("scipy.sparse")

N, D, C = 90, 7, 3
PENALTY = 0.03


def data() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(5)
    X = rng.standard_normal((N, D)) * (rng.random((N, D)) < 0.5)
    y = (X @ rng.standard_normal((D, C)) + rng.standard_normal((N, C))).argmax(axis=1)
    return X, y, rng.integers(0, 3, N) * 0.7


def settings_of(name: str, seed: int) -> dict[str, Any]:
    settings = draw_settings(name, np.random.default_rng(seed))
    settings["maximize"] = False
    return settings


def derivatives(kind: str, y: Any, f: Any) -> Any:
    """Derivatives of the losses by the raw predictions, of one block."""
    if kind == "cross_entropy":
        p = np.exp(f - f.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return p - (y[:, None] == np.arange(C))
    hot = (y[:, None] == np.arange(C)) if kind == "one_vs_rest" else y[:, None] == 0
    return 1 / (1 + np.exp(-f)) - hot


def machine(kind: str, optimizer: Any, **options: Any) -> Any:
    options = {"penalty": None, "batch_size": 8, **options}
    if kind != "log_loss":
        options.update(n_outputs=C, one_vs_rest=kind == "one_vs_rest")
    loss = "cross_entropy" if kind == "cross_entropy" else "log_loss"
    return fl.LinearSGD(loss, D, optimizer=optimizer, **options)


def labels(kind: str, y: Any) -> Any:
    return (y == 0).astype(int) if kind == "log_loss" else y


def run_reference(
    kind: str, steps: Any, coef: Any, intercept: Any, batch_size: int, epochs: int = 2
) -> None:
    """Go through the batches; `steps(k, gradient)` steps the coefficients (0) or intercepts (1)."""
    X, y, weight = data()
    for _ in range(epochs):
        for start in range(0, N, batch_size):
            rows = slice(start, start + batch_size)
            f = X[rows] @ np.asarray(coef(), float).T + np.asarray(intercept(), float)
            g = derivatives(kind, y[rows], f) * weight[rows, None]
            n = len(g)
            steps(0, g.T @ X[rows] / n)
            steps(1, g.sum(axis=0) / n)


def run(sgd: Any, kind: str, X: Any, epochs: int = 2) -> None:
    _, y, weight = data()
    for _ in range(epochs):
        sgd.epoch(X, labels(kind, y), weight, shuffle=False)


@pytest.mark.parametrize("layout", ["dense", "csr", "csr, wide"])
@pytest.mark.parametrize("kind", ["log_loss", "one_vs_rest", "cross_entropy"])
@pytest.mark.parametrize("name", NAMES)
def test_steps_are_those_of_the_optimizer(name, kind, layout):
    X = data()[0]
    if layout != "dense":
        X = sparse.csr_array(X)
        if layout == "csr, wide":
            X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    outputs = 1 if kind == "log_loss" else C
    for seed, batch_size in enumerate((1, 8, 32)):
        settings = settings_of(name, seed)
        own = {**settings, "weight_decay": 0.0, "l1": 0.0, "l2": 0.0}  # intercepts have none
        parts = [
            Reference(name, np.zeros((outputs, D)), **settings),
            Reference(name, np.zeros(outputs), **own),
        ]
        run_reference(
            kind,
            lambda k, g, parts=parts: parts[k].step(g),
            lambda parts=parts: parts[0].param,
            lambda parts=parts: parts[1].param,
            batch_size,
        )
        sgd = machine(kind, getattr(fl.optim, name)(**settings), batch_size=batch_size)
        run(sgd, kind, X)
        assert np.abs(parts[0].param).max() > 0.01
        for mine, wanted in ((sgd.coef, parts[0].param), (sgd.intercept, parts[1].param)):
            np.testing.assert_allclose(
                np.ravel(mine), np.ravel(wanted).astype(float), rtol=1e-10, atol=1e-11
            )


@pytest.mark.parametrize("kind", ["log_loss", "cross_entropy"])
@pytest.mark.parametrize("name", TORCH_NAMES)
def test_steps_are_torchs(name, kind):
    torch = pytest.importorskip("torch")
    settings = settings_of(name, 7)
    settings["lr"] = 0.02  # with long steps, and where roots are all, roundings grow step by step
    if "eps" in settings:
        settings["eps"] = 1e-3
    settings.pop("weight_decay", None)
    outputs = 1 if kind == "log_loss" else C
    tensors = [torch.zeros(outputs, D).double(), torch.zeros(outputs).double()]
    coupled = name != "AdamW"
    groups = [{"params": [tensors[0]], "weight_decay": PENALTY}]
    groups.append({"params": [tensors[1]], "weight_decay": 0.0})
    optimizer = getattr(torch.optim, name)(groups, **settings)

    def steps(k: int, gradient: Any) -> None:
        tensors[k].grad = torch.from_numpy(gradient)
        if k == 1:
            optimizer.step()

    run_reference(kind, steps, lambda: tensors[0], lambda: tensors[1], 8)
    own = {} if coupled else {"weight_decay": 0.0}
    for X in (data()[0], sparse.csr_array(data()[0])):
        sgd = machine(kind, getattr(fl.optim, name)(**settings, **own), penalty="l2", alpha=PENALTY)
        run(sgd, kind, X)
        np.testing.assert_allclose(
            np.ravel(sgd.coef), tensors[0].numpy().ravel(), rtol=1e-12, atol=1e-12
        )
        np.testing.assert_allclose(sgd.intercept, tensors[1].numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_sparse_steps_are_dense_ones_in_float32(name):
    X = data()[0].astype(np.float32)
    machines = [
        machine("one_vs_rest", getattr(fl.optim, name)(**settings_of(name, 3)), dtype=np.float32)
        for _ in range(2)
    ]
    for sgd, matrix in zip(machines, (X, sparse.csr_array(X)), strict=True):
        run(sgd, "one_vs_rest", matrix)
        assert sgd.coef.dtype == np.float32
    np.testing.assert_allclose(machines[0].coef, machines[1].coef, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "FTRL"])
def test_stepping_what_rows_meet_is_stepping_all(name):
    """An average makes every step go through all coefficients, and changes none."""
    X = sparse.random_array((400, 3000), density=0.01, rng=np.random.default_rng(2), format="csr")
    y = np.arange(400) % C
    for batch_size in (1, 16, 400):  # the last gathers more than one piece
        results = []
        for average in (False, True):
            optimizer = getattr(fl.optim, name)(lr=0.3)
            sgd = fl.LinearSGD(
                "cross_entropy",
                3000,
                n_outputs=C,
                penalty=None,
                optimizer=optimizer,
                batch_size=batch_size,
                average=average,
            )
            sgd.epoch(X, y)
            sgd.epoch(X, y)
            results.append((sgd.coef, sgd.intercept))
        assert np.array_equal(results[0][0], results[1][0])
        assert np.array_equal(results[0][1], results[1][1])
        assert np.count_nonzero(results[0][0]) > 3000


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layout", ["dense", "csr"])
def test_states_continue(name, layout):
    X, y, weight = data()
    X = X if layout == "dense" else sparse.csr_array(X)
    optimizer = getattr(fl.optim, name)(**settings_of(name, 4))
    whole, parts = (machine("cross_entropy", optimizer, average=10) for _ in range(2))
    whole.epoch(X, y, weight, shuffle=False)
    whole.epoch(X, y, weight)
    for rows in (slice(0, 32), slice(32, 64), slice(64, N)):
        parts.epoch(X[rows], y[rows], weight[rows], shuffle=False)
        state = parts.state_dict()
        parts = pickle.loads(pickle.dumps(parts))
        fresh = machine("cross_entropy", optimizer, average=10)
        fresh.load_state_dict(state)
        assert (fresh.coef == parts.coef).all()
        parts = fresh
    parts.epoch(X, y, weight)
    assert (parts.coef == whole.coef).all()
    assert (parts.intercept == whole.intercept).all()
    assert (parts.average_coef == whole.average_coef).all()
    # what was given is as it was
    assert optimizer.state_dict()["count"] is None


@pytest.mark.parametrize("name", ["Adam", "AdamW", "Adagrad", "RMSprop"])
def test_many_steps_at_their_own_rates(name):
    """More steps than numbers are prepared at once, with rates of a schedule."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((1500, 3)), rng.integers(0, 2, 1500)
    schedule = fl.optim.Cosine(0.1, 3000, minimum=0.01)
    sgd = fl.LinearSGD("log_loss", 3, penalty=None, optimizer=getattr(fl.optim, name)(lr=schedule))
    sgd.epoch(X, y, shuffle=False)
    sgd.epoch(X, y, shuffle=False)
    assert sgd.eta == schedule(2999)
    coef, intercept, optimizer = np.zeros(3), np.zeros(1), getattr(fl.optim, name)(lr=schedule)
    other = type(optimizer)(**{**optimizer.settings, "weight_decay": 0.0})  # of intercepts
    for i in [*range(1500), *range(1500)]:
        g = 1 / (1 + np.exp(-(X[i] @ coef + intercept))) - y[i]
        optimizer.step(coef, g * X[i])
        other.step(intercept, g)
    np.testing.assert_allclose(sgd.coef, coef, rtol=1e-11)
    np.testing.assert_allclose(sgd.intercept, intercept, rtol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_many_steps(name):
    optimizer = getattr(fl.optim, name)(**settings_of(name, 9))
    rates = [0.1, 0.1, 0.3, 0.07]
    many = optimizer._step_numbers(5, rates)
    for row, step, rate in zip(many, range(5, 9), rates, strict=True):
        one = optimizer._numbers(step, rate)
        assert row[: len(one)].tolist() == list(one)
        assert not row[len(one) :].any()


def test_ftrl_begins_where_it_is_put():
    X, y, _ = data()
    X = sparse.csr_array(X)
    start = np.linspace(-1, 1, D)
    sgd = machine("log_loss", fl.optim.FTRL(lr=1e-9, l1=0.1))
    sgd.coef, sgd.intercept = start, 0.5
    sgd.epoch(X, y == 0)
    np.testing.assert_allclose(sgd.coef, start, atol=1e-6)
    np.testing.assert_allclose(sgd.intercept, [0.5], atol=1e-6)
    # a change of the rate does not move it either
    sgd = machine("log_loss", fl.optim.FTRL(lr=0.5, l1=0.01))
    sgd.epoch(X, y == 0)
    before = sgd.coef
    assert np.abs(before).max() > 0.1
    sgd.eta = 1e-9
    sgd.epoch(X, y == 0)
    np.testing.assert_allclose(sgd.coef, before, atol=1e-6)
    sgd.coef = np.zeros(D)
    sgd.epoch(X, y == 0)
    np.testing.assert_allclose(sgd.coef, 0.0, atol=1e-6)


def test_ftrl_penalties_make_zeros():
    X, y, _ = data()
    strong = machine("log_loss", fl.optim.FTRL(lr=0.5), penalty="l1", alpha=100.0)
    both = machine(
        "log_loss", fl.optim.FTRL(lr=0.5, l1=60.0, l2=1.0), penalty="elasticnet", alpha=80.0
    )
    for sgd in (strong, both):
        sgd.epoch(X, y == 0)
        assert not sgd.coef.any()
        assert sgd.intercept[0] != 0  # is not penalised


def test_errors():
    adam = fl.optim.Adam()
    with pytest.raises(ValueError, match="has no L1 penalty; expected penalty 'l2'"):
        fl.LinearSGD("log_loss", 2, penalty="l1", optimizer=adam)
    with pytest.raises(
        TypeError, match=r"optimizer = 'adam': expected an instance of fastloss\.optim"
    ):
        fl.LinearSGD("log_loss", 2, optimizer="adam")
    with pytest.raises(ValueError, match="expected maximize=False"):
        fl.LinearSGD("log_loss", 2, optimizer=fl.optim.Adam(maximize=True))
    with pytest.raises(ValueError, match=r"momentum = 0\.9: expected 0 with an optimizer"):
        fl.LinearSGD("log_loss", 2, momentum=0.9, optimizer=adam)
    with pytest.raises(ValueError, match=r"intercept_decay = 0\.01: expected 1 with"):
        fl.LinearSGD("log_loss", 2, intercept_decay=0.01, optimizer=adam)
    with pytest.raises(ValueError, match="no momentum and no optimizer"):
        fl.LinearSGD("hinge", 2, learning_rate="pa1", optimizer=adam)
    sgd = fl.LinearSGD("log_loss", 2, optimizer=fl.optim.Adam(lr=fl.optim.Cosine(0.1, 10)))
    with pytest.raises(ValueError, match=r"eta = 0\.5: the optimizer's lr is a schedule"):
        sgd.eta = 0.5
    other = fl.LinearSGD("log_loss", 2, optimizer=fl.optim.AdamW())
    with pytest.raises(ValueError, match=r"state\['optimizer'\] = 'Adam': expected 'AdamW'"):
        other.load_state_dict(sgd.state_dict())


def test_a_schedule_that_fails_leaves_what_was_learnt():
    X = np.ones((3000, 1))

    def rate(step: int) -> float:
        return 0.1 if step < 2000 else float("nan")

    sgd = fl.LinearSGD("squared_error", 1, optimizer=fl.optim.SGD(lr=rate))
    with pytest.raises(ValueError, match=r"lr\(2000\) = nan: expected a finite number"):
        sgd.epoch(X, np.ones(3000))
    assert sgd.t == 1025  # the steps whose rates were known
    assert sgd.coef[0] > 0.4


def test_threads_change_no_bit():
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((1200, 400)), rng.integers(0, C, 1200)
    results = []
    for n_threads in (1, 2, 3):
        sgd = fl.LinearSGD(
            "cross_entropy",
            400,
            n_outputs=C,
            optimizer=fl.optim.Adam(lr=0.05),
            batch_size=400,
            n_threads=n_threads,
        )
        sgd.epoch(X, y)
        results.append(sgd.coef)
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])
