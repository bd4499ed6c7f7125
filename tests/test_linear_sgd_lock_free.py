"""LinearSGD by threads that do not wait: what stays exact, what is learnt, what it refuses."""

from __future__ import annotations

import pickle
import signal
import threading
from typing import Any

import numpy as np
import pytest

import fastloss as fl

sparse = pytest.importorskip("scipy.sparse")
estimators = pytest.importorskip("fastloss.linear_model")

#: rows, entries of each, and how often each comes in succession: enough for threads, whose shares end
#: where a row does
N, IN_ROW, TIMES = 3_072, 20, 8


class Watched(fl.LinearSGD):
    """Knows whether replicas met in its last epoch."""

    @property
    def shared(self) -> bool:
        return self._n_stretches > 0


def apart(dtype: Any, wide: bool = False) -> Any:
    """Rows that have no column in common: no step needs to know of another."""
    rng = np.random.default_rng(1)
    data = rng.standard_normal(N * IN_ROW).astype(dtype)
    kind = np.int64 if wide else np.int32
    columns = rng.permutation(N * IN_ROW).astype(kind)
    starts = np.arange(0, N * IN_ROW + 1, IN_ROW).astype(kind)
    return sparse.csr_array((data, columns, starts), shape=(N, N * IN_ROW))


def together(dtype: Any = np.float64, n: int = 6_000, d: int = 3_000) -> tuple[Any, Any]:
    """Rows like those of words: some columns are in most rows, most in few; and their labels."""
    rng = np.random.default_rng(2)
    columns = (d * rng.random((n, 30)) ** 3).astype(np.int32)
    data = rng.exponential(size=columns.shape)
    data /= np.sqrt((data**2).sum(axis=1, keepdims=True))
    X = sparse.csr_array(
        (data.ravel().astype(dtype), columns.ravel(), np.arange(0, columns.size + 1, 30)),
        shape=(n, d),
    )
    raw = X @ (3 * rng.standard_normal(d))
    return X, (raw + rng.logistic(size=n) > 0).astype(int)


def assert_same(one: fl.LinearSGD, other: fl.LinearSGD) -> None:
    np.testing.assert_array_equal(one.coef, other.coef)
    np.testing.assert_array_equal(one.intercept, other.intercept)
    assert (one.t, one.eta) == (other.t, other.eta)


CASES: dict[str, dict[str, Any]] = {
    "l2": {"penalty": "l2", "alpha": 1e-3},
    "falling rates": {"alpha": 1e-3, "learning_rate": "invscaling", "eta0": 1.0},
    "none": {"penalty": None, "learning_rate": "constant", "clip_gradient": 0.3},
    "all is forgotten": {"alpha": 3.0, "learning_rate": "constant", "eta0": 0.5},
    "passive": {"loss": "hinge", "penalty": None, "learning_rate": "pa1", "eta0": 0.2},
    "weights": {"class_weight": [1.0, 3.0], "alpha": 1e-3},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_steps_that_cannot_meet_are_those_of_one_thread(case, dtype):
    options = {"loss": "log_loss", "dtype": dtype, "fit_intercept": False, "seed": 4} | CASES[case]
    loss, is_wide = options.pop("loss"), dtype == np.float64
    X, rng = apart(dtype, wide=case == "l2"), np.random.default_rng(3)
    y = rng.integers(0, 2, N)
    weight = rng.exponential(size=N) * (rng.random(N) < 0.8) if case == "weights" else None
    order = np.repeat(rng.permutation(N), TIMES)
    ordered = fl.LinearSGD(loss, X.shape[1], n_threads=1, **options)
    free = Watched(loss, X.shape[1], n_threads=3, lock_free=True, **options)
    for _ in range(3):
        value = ordered.epoch(X, y, weight, order=order)
        close = pytest.approx(value, rel=1e-12, abs=1e-15 if is_wide else 1e-6)
        assert free.epoch(X, y, weight, order=order) == close
        assert free.shared == (case != "all is forgotten")  # at each step: by ordered ones
        assert (free.t, free.eta) == (ordered.t, ordered.eta)
        # what a replica moved is added, which rounds
        tolerance = {"rtol": 1e-12, "atol": 1e-15} if is_wide else {"rtol": 1e-5, "atol": 1e-7}
        np.testing.assert_allclose(free.coef, ordered.coef, **tolerance)
    assert ordered.coef.any() or case == "all is forgotten"


def test_states_and_pickles_continue():
    X, y = together()
    options = {"n_threads": 2, "lock_free": True}
    one = Watched("log_loss", X.shape[1], **options)
    one.epoch(X, y)
    other = pickle.loads(pickle.dumps(one))
    third = fl.LinearSGD("log_loss", X.shape[1], **options)
    third.load_state_dict(one.state_dict())
    for sgd in (one, other, third):
        sgd.epoch(X, y)
    assert other.shared
    assert_same(one, other)
    assert_same(one, third)


@pytest.mark.parametrize("penalty", ["l2", None])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_thread_has_the_bits_of_ordered_steps(penalty, dtype):
    X, y = together(dtype)
    sgds = [
        Watched("log_loss", X.shape[1], dtype=dtype, penalty=penalty, n_threads=1, lock_free=free)
        for free in (False, True)
    ]
    value, same = (sgd.epoch(X, y) for sgd in sgds)
    assert value == same
    assert_same(*sgds)
    assert not sgds[1].shared


def test_few_entries_have_the_bits_of_ordered_steps():
    X, y = together(n=200)
    sgds = [Watched("log_loss", X.shape[1], n_threads=4, lock_free=free) for free in (False, True)]
    for sgd in sgds:
        sgd.epoch(X, y)
    assert_same(*sgds)
    assert not sgds[1].shared


def test_as_many_outputs_as_threads_have_the_bits_of_ordered_steps():
    X, _ = together()
    y = np.random.default_rng(6).integers(0, 3, X.shape[0])
    options = {"n_outputs": 3, "one_vs_rest": True, "n_threads": 3}
    sgds = [Watched("log_loss", X.shape[1], lock_free=free, **options) for free in (False, True)]
    for sgd in sgds:
        sgd.epoch(X, y)
    assert_same(*sgds)
    assert not sgds[1].shared


@pytest.mark.parametrize("n_threads", [2, 5])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_same_number_of_threads_learns_the_same_bits(dtype, n_threads):
    X, y = together(dtype)
    options = {"dtype": dtype, "n_threads": n_threads, "lock_free": True, "seed": 3}
    one, other = (Watched("log_loss", X.shape[1], **options) for _ in range(2))
    for _ in range(3):
        assert one.epoch(X, y) == other.epoch(X, y)
    assert one.shared
    assert_same(one, other)


#: rates at which added moves of replicas would diverge, and their mean would lag behind
LEARNT: dict[str, tuple[str, dict[str, Any]]] = {
    "log_loss": ("log_loss", {"eta0": 2.0}),
    "optimal": ("log_loss", {"learning_rate": "optimal", "penalty": "l2", "alpha": 1e-4}),
    "hinge": ("hinge", {"eta0": 0.5}),
    "passive": ("hinge", {"learning_rate": "pa1", "eta0": 0.1}),
    "squared_error": ("half_squared_error", {"eta0": 0.5}),
    "absolute_error": ("absolute_error", {"eta0": 0.05}),
    "poisson": ("poisson", {"eta0": 0.2}),
    "clipped": ("squared_error", {"eta0": 0.2, "clip_gradient": 1.0}),
}


@pytest.mark.parametrize("case", LEARNT)
@pytest.mark.parametrize("n_threads", [2, 8])
def test_it_learns_as_much_as_ordered_steps(case, n_threads):
    """On columns that are in most rows as on rare ones."""
    X, y = together(n=30_000)
    loss, options = LEARNT[case]
    options = {"penalty": None, "learning_rate": "constant", "seed": 1} | options

    def losses(**others: Any) -> list[float]:
        sgd = Watched(loss, X.shape[1], **options, **others)
        values = [sgd.epoch(X, y) for _ in range(4)]
        assert sgd.shared == ("lock_free" in others)
        raw = X @ sgd.coef + sgd.intercept
        return [*values[1:], float(sgd.loss_function(y, raw))]

    ordered, free = losses(n_threads=1), losses(n_threads=n_threads, lock_free=True)
    first = float(fl.get_loss(loss)(y, np.zeros(len(y))))
    gained = first - np.array(ordered)
    assert (gained > 0.02 * first).all()
    # more where the rates are too large for one sample: a mean of replicas has less of its noise
    assert (first - np.array(free) > 0.85 * gained).all()


def test_steps_that_went_all_the_way_are_not_added():
    """One column alone, in all rows: each replica ends at the optimum, and so do all together."""
    n = 40_000
    X = sparse.csr_array((np.ones(n), np.zeros(n, np.int32), np.arange(n + 1)), shape=(n, 1))
    for n_threads in (2, 4, 16):
        sgd = Watched(
            "half_squared_error", 1, n_threads=n_threads, lock_free=True, fit_intercept=False,
            penalty=None, learning_rate="constant", eta0=0.1,
        )  # fmt: skip
        sgd.epoch(X, np.full(n, 3.0))
        assert sgd.shared
        np.testing.assert_allclose(sgd.coef, 3.0, rtol=1e-6)


def tf_idf() -> tuple[Any, Any]:
    """Rows of length 1 without negative entries, and targets around 10: all columns go together."""
    rng = np.random.default_rng(3)
    n, d, k = 20_000, 1_000, 100
    data = rng.exponential(size=(n, k))
    data /= np.sqrt((data**2).sum(axis=1, keepdims=True))
    X = sparse.csr_array(
        (data.ravel(), rng.integers(0, d, n * k), np.arange(0, n * k + 1, k)), shape=(n, d)
    )
    return X, 10 + X @ rng.standard_normal(d)


def levels() -> tuple[Any, Any]:
    """One of 3,000 levels a row: many that no sample of rows meets."""
    rng = np.random.default_rng(4)
    n, d = 100_000, 3_000
    level = rng.integers(0, d, n)
    X = sparse.csr_array((np.ones(n), level, np.arange(n + 1)), shape=(n, d))
    return X, rng.standard_normal(d)[level]


def equal_columns() -> tuple[Any, Any]:
    """50 groups of 40 columns that are alike."""
    rng = np.random.default_rng(5)
    n, group, k = 20_000, rng.integers(0, 50, 20_000), 40
    columns = group[:, None] * k + np.arange(k)
    X = sparse.csr_array(
        (np.full(n * k, 0.2), columns.ravel(), np.arange(0, n * k + 1, k)), shape=(n, 2_000)
    )
    return X, rng.standard_normal(50)[group]


def repeated_columns() -> tuple[Any, Any]:
    """One column a hundred times in each row."""
    n, k = 10_000, 100
    X = sparse.csr_array(
        (np.full(n * k, 0.1), np.zeros(n * k, np.int32), np.arange(0, n * k + 1, k)), shape=(n, 1)
    )
    return X, np.full(n, 3.0)


def periodic() -> tuple[Any, Any]:
    """A column in all rows but each 64th."""
    n = 2**16
    column = (np.arange(n) % 64 == 0).astype(np.int32)
    X = sparse.csr_array((np.ones(n), column, np.arange(n + 1)), shape=(n, 2))
    return X, 3.0 - column


def rare_rows() -> tuple[Any, Any]:
    """A row in 2,000 has a hundred columns of its own, which go together: few that judge meet one."""
    rng = np.random.default_rng(6)
    n, d, k = 200_000, 1_000, 100
    rare = rng.random(n) < 1 / 2000
    level, lengths = rng.integers(0, d, n), np.where(rare, k, 1)
    of_rare = np.repeat(rare, lengths)
    columns, data = np.empty(lengths.sum(), np.int32), np.full(lengths.sum(), 0.1)
    columns[~of_rare] = level[~rare]
    columns[of_rare] = np.tile(d + np.arange(k), rare.sum())
    data[of_rare] = 0.1
    X = sparse.csr_array((data, columns, np.r_[0, np.cumsum(lengths)]), shape=(n, d + k))
    return X, np.where(rare, 3.0, rng.standard_normal(d)[level]) + 0.1 * rng.standard_normal(n)


#: what diverges if columns are taken for independent of one another, or some for not being there
TOGETHER: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "tf-idf": (tf_idf, "squared_error", {"eta0": 0.1}),
    "levels": (levels, "half_squared_error", {"eta0": 0.5, "fit_intercept": False}),
    "equal columns": (equal_columns, "half_squared_error", {"eta0": 0.3, "fit_intercept": False}),
    "repeated columns": (repeated_columns, "half_squared_error", {"eta0": 0.01}),
    "rare rows": (rare_rows, "half_squared_error", {"eta0": 0.5, "fit_intercept": False}),
    "periodic": (periodic, "half_squared_error", {"eta0": 0.1, "fit_intercept": False}),
}


@pytest.mark.parametrize("case", TOGETHER)
@pytest.mark.parametrize("n_threads", [2, 4, 8])
def test_columns_that_go_together_do_not_diverge(case, n_threads):
    make, loss, options = TOGETHER[case]
    X, y = make()
    options = {"penalty": None, "learning_rate": "constant"} | options
    ordered = Watched(loss, X.shape[1], n_threads=1, **options)
    free = Watched(loss, X.shape[1], n_threads=n_threads, lock_free=True, **options)
    first = float(fl.get_loss(loss)(y, np.zeros(len(y))))
    for _ in range(4):
        values = [sgd.epoch(X, y, shuffle=case != "periodic") for sgd in (ordered, free)]
    assert free.shared
    assert values[0] < 0.1 * first
    assert values[1] < max(1.5 * values[0], 1e-3 * first)
    raw = X @ free.coef + free.intercept
    rows = np.diff(X.indptr) > 1 if case == "rare rows" else slice(None)  # few rows, too
    assert fl.get_loss(loss)(y[rows], raw[rows]) < max(3 * values[0], 1e-3 * first)


def test_rows_of_no_weight_judge_nothing():
    """One row in 4,000 has a weight, of 20 columns that go together: others see no harm in a move."""
    rng = np.random.default_rng(7)
    n, k = 100_000, 20
    columns = rng.integers(k, 20_000, (n, k))
    weight = np.zeros(n)
    chosen = rng.choice(n, n // 4000, replace=False)
    weight[chosen] = 1.0
    columns[chosen] = np.arange(k)
    X = sparse.csr_array(
        (np.full(n * k, k**-0.5), columns.ravel(), np.arange(0, n * k + 1, k)), shape=(n, 20_000)
    )
    sgd = Watched(
        "half_squared_error", 20_000, n_threads=4, lock_free=True, penalty=None,
        learning_rate="constant", eta0=0.9,
    )  # fmt: skip
    for _ in range(6):
        loss = sgd.epoch(X, np.full(n, 3.0), weight)
    assert sgd.shared
    assert loss < 0.1


@pytest.mark.parametrize("clip", [None, 1e12])
def test_losses_whose_values_tell_nothing_of_their_curvature(clip):
    """Those of gamma are positive by a constant, or negative; estimators always clip, if far away."""
    X, _ = together(n=20_000)
    y = np.random.default_rng(6).gamma(2.0, 40.0, X.shape[0])
    options = {"penalty": None, "learning_rate": "constant", "eta0": 0.01, "clip_gradient": clip}
    ordered, free = (
        Watched("gamma", X.shape[1], n_threads=8, lock_free=free, **options)
        for free in (False, True)
    )
    for _ in range(3):
        values = [sgd.epoch(X, y) for sgd in (ordered, free)]
    assert free.shared
    assert values[1] == pytest.approx(values[0], rel=0.02)


def test_a_clip_stands_before_weights():
    X, y = together(n=20_000)
    options = {"penalty": None, "learning_rate": "constant", "lock_free": True, "n_threads": 4}
    one, heavy = (
        Watched("half_squared_error", X.shape[1], eta0=eta, clip_gradient=0.5, **options)
        for eta in (0.1, 0.001)
    )
    for _ in range(3):
        value = one.epoch(X, y)
        assert heavy.epoch(X, y, np.full(len(y), 100.0)) == pytest.approx(value, rel=1e-6)
    assert one.shared


def test_huge_squares_and_slopes_stay_finite():
    X, y = together()
    X = X * 1e25
    sgd = Watched(
        "log_loss", X.shape[1], n_threads=3, lock_free=True, learning_rate="constant", eta0=1e-45,
        penalty=None,
    )  # fmt: skip
    sgd.epoch(X, y)
    assert sgd.shared
    assert np.isfinite(sgd.coef).all()
    assert sgd.coef.any()


@pytest.mark.parametrize(
    ("loss", "options"),
    [
        ("log_loss", {"learning_rate": "constant", "eta0": 0.1, "alpha": 1e-3}),
        ("log_loss", {"learning_rate": "invscaling", "eta0": 0.5, "alpha": 1e-2}),
        ("hinge", {"learning_rate": "pa1", "eta0": 1.0, "alpha": 1e-4}),
        ("squared_error", {"learning_rate": "constant", "eta0": 0.005, "alpha": 0.05}),
    ],
)
def test_scales_that_fall_quickly(loss, options):
    """Replicas that begin later do so at a smaller scale."""
    rng = np.random.default_rng(3)
    n, d = 60_000, 5_000
    columns = rng.integers(0, d, n * 20)
    X = sparse.csr_array(
        (rng.standard_normal(n * 20), columns, np.arange(0, n * 20 + 1, 20)), shape=(n, d)
    )
    y = X @ rng.standard_normal(d)
    y = y if loss == "squared_error" else (y > 0).astype(int)
    losses = []
    for free in (False, True):
        sgd = Watched(loss, d, lock_free=free, n_threads=4, seed=1, **options)
        losses.append([sgd.epoch(X, y) for _ in range(3)])
        assert sgd.shared == free
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.3)


def test_more_threads_than_outputs_learn_all_classes():
    X, _ = together()
    W = 3 * np.random.default_rng(7).standard_normal((X.shape[1], 3))
    y = (X @ W).argmax(axis=1)
    right = []
    for free in (False, True):
        sgd = Watched(
            "log_loss", X.shape[1], n_outputs=3, one_vs_rest=True, n_threads=6, lock_free=free,
            learning_rate="invscaling", eta0=4.0, power_t=0.4,
        )  # fmt: skip
        for _ in range(5):
            sgd.epoch(X, y)
        assert sgd.shared == free
        right.append(np.mean((X @ sgd.coef.T + sgd.intercept).argmax(axis=1) == y))
    assert right[0] > 0.6  # of three classes
    assert right[1] == pytest.approx(right[0], abs=0.02)


def test_the_steps_of_an_epoch_are_counted_and_its_losses_added():
    X, y = together()
    weight = np.random.default_rng(8).exponential(size=len(y))
    sgd = fl.LinearSGD(
        "squared_error", X.shape[1], n_threads=4, lock_free=True, learning_rate="constant",
        eta0=1e-300, penalty=None,
    )  # fmt: skip
    value = sgd.epoch(X, y, weight, order=np.arange(len(y))[::-1])
    assert value == pytest.approx(np.average(y**2.0, weights=weight), rel=1e-12)
    assert sgd.t == len(y) + 1


def test_coefficients_that_overflow_are_an_error():
    X, y = together()
    sgd = fl.LinearSGD(
        "squared_error", X.shape[1], n_threads=4, lock_free=True, learning_rate="constant",
        eta0=1e6, penalty=None,
    )  # fmt: skip
    with pytest.raises(ValueError, match="coefficients overflowed"):
        sgd.epoch(X, y)


def test_ctrl_c_ends_an_epoch():
    X, y = together()
    sgd = fl.LinearSGD("log_loss", X.shape[1], n_threads=2, lock_free=True)
    order = np.tile(np.arange(len(y)), 2_000)
    timer = threading.Timer(0.05, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        sgd.epoch(X, y, order=order)
    timer.join()
    assert sgd.t < len(order)
    assert np.isfinite(sgd.coef).all()
    sgd.epoch(X, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 2}, "batch_size = 2: lock_free=True expects 1"),
        ({"momentum": 0.5}, "momentum = 0.5: lock_free=True expects 0"),
        ({"average": True}, "average = True: lock_free=True expects False"),
        ({"penalty": "l1"}, "penalty = 'l1': lock_free=True expects 'l2' or None"),
        ({"penalty": "elasticnet"}, "penalty = 'elasticnet': lock_free=True expects 'l2' or None"),
        ({"average": 10}, "average = 10: lock_free=True expects False"),
        (
            {"loss": fl.CrossEntropy(), "n_outputs": 3},
            "lock_free = True: expected a loss of one output, not CrossEntropy",
        ),
    ],
)
def test_what_it_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        fl.LinearSGD(**{"loss": "log_loss", "n_features": 3, "lock_free": True} | options)


def test_it_is_true_or_false():
    with pytest.raises(TypeError, match="lock_free = 1: expected True or False"):
        fl.LinearSGD("log_loss", 3, lock_free=1)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_dense_rows_are_refused(n_threads):
    sgd = fl.LinearSGD("log_loss", 3, lock_free=True, n_threads=n_threads)
    with pytest.raises(ValueError, match="X is dense: lock_free=True expects CSR"):
        sgd.epoch(np.ones((4, 3)), [0, 1, 0, 1])
    assert sgd.t == 1


@pytest.mark.parametrize("name", ["SGDClassifier", "SGDRegressor"])
def test_estimators(name):
    X, y = together()
    make = getattr(estimators, name)
    options = {"random_state": 0, "max_iter": 8, "tol": None}
    options |= {"learning_rate": "invscaling", "eta0": 0.5, "power_t": 0.5}
    ordered, alone, free = (
        make(lock_free=lock_free, n_jobs=jobs, **options).fit(X, y)
        for lock_free, jobs in ((False, 2), (True, 1), (True, 2))
    )
    np.testing.assert_array_equal(alone.coef_, ordered.coef_)
    assert free.score(X, y) > ordered.score(X, y) - 0.05
    with pytest.raises(ValueError, match="X is dense: lock_free=True expects CSR"):
        free.fit(X[:50].toarray(), y[:50])
    with pytest.raises(TypeError, match="lock_free = 'yes'"):
        make(lock_free="yes").fit(X, y)
