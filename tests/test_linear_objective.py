"""LinearObjective against float64 NumPy, scikit-learn and the losses themselves, on every kind of X."""

import math

import numpy as np
import pytest
from helpers.arrays import LAYOUTS
from scipy import sparse
from scipy.optimize import check_grad, minimize
from scipy.special import expit, log_softmax, softmax

import fastloss as fl

EPS = {np.float32: 2.0**-23, np.float64: 2.0**-52}


def log_loss(y, f):
    return np.logaddexp(0, f) - y * f, expit(f) - y, expit(f) * expit(-f)


def squared_error(y, f):
    return (f - y) ** 2, 2 * (f - y), np.full_like(f, 2.0)


def poisson(y, f):
    return np.exp(f) - y * f, np.exp(f) - y, np.exp(f)


def huber(y, f):
    r = f - y
    inside = np.abs(r) <= 1
    return (
        np.where(inside, r * r / 2, np.abs(r) - 0.5),
        np.clip(r, -1, 1),
        inside.astype(float),
    )


POINTWISE = {
    "log_loss": (fl.LogLoss(), log_loss),
    "squared_error": (fl.SquaredError(), squared_error),
    "poisson": (fl.Poisson(), poisson),
    "huber": (fl.Huber(delta=1.0), huber),
}


def draw(n, d, dtype, n_outputs=None, seed=0):
    """X, labels in {0, 1} or classes, weights, coefficients whose predictions are about 1."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)).astype(dtype)
    y = rng.integers(0, n_outputs or 2, n)
    weight = rng.uniform(0.25, 2.0, n).astype(dtype)
    shape = (d + 1,) if n_outputs is None else (n_outputs, d + 1)
    coef = (rng.standard_normal(shape) / np.sqrt(d)).astype(dtype)
    return X, y, weight, coef


def reference(formula, X, y, coef, weight, l2=0.0, offset=0.0, intercept=True):
    """Value, gradient and Hessian in float64."""
    X = np.asarray(X, dtype=np.float64)
    A = np.hstack([X, np.ones((len(X), 1))]) if intercept else X
    coef = coef.astype(np.float64)
    w = np.ones(len(X)) if weight is None else weight.astype(np.float64)
    penalty = np.full(A.shape[1], 0.0)
    penalty[: X.shape[1]] = l2
    loss, gradient, hessian = formula(y, A @ coef + offset)
    # a sum without roundings: BLAS adds in as many parts as its kernels of a processor have
    value = math.fsum(w * loss) / math.fsum(w) + 0.5 * (penalty @ coef**2)
    return (
        value,
        A.T @ (w * gradient) / w.sum() + penalty * coef,
        (A.T * (w * hessian)) @ A / w.sum() + np.diag(penalty),
    )


def tolerance(X, dtype):
    """Roundings of sums of d products, of up to 4096 rows in the precision, and of the loss."""
    return (X.shape[1] + 64) * EPS[dtype]


def assert_near(got, expected, scale, relative):
    error = np.max(np.abs(np.asarray(got, dtype=np.float64) - expected)) / scale
    assert error <= relative, error


SHAPES = [(1, 1), (3, 2), (7, 5), (40, 16), (65, 17), (130, 33), (257, 100), (50, 300), (33, 1000)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["log_loss", "squared_error", "huber"])
def test_value_gradient_and_hessian_are_those_of_numpy(name, shape, dtype):
    loss, formula = POINTWISE[name]
    X, y, weight, coef = draw(*shape, dtype)
    value, gradient, hessian = reference(formula, X, y, coef, weight, l2=0.3)
    objective = fl.LinearObjective(loss, X, y, weight, l2=0.3)
    near = tolerance(X, dtype)
    got = objective.loss_gradient(coef)
    assert isinstance(got[0], float)
    assert got[1].dtype == dtype
    assert got[1].shape == coef.shape
    assert_near(got[0], value, value, near)
    assert_near(got[1], gradient, np.abs(X).max() * 3, near)
    assert objective.loss(coef) == got[0]
    assert np.array_equal(objective.gradient(coef), got[1])
    v = coef[::-1].copy()
    scale = np.abs(X).max() ** 2 * 3 * np.abs(v).sum()
    assert_near(objective.hessian_product(coef, v), hessian @ v, scale, near)
    if shape[1] <= 100:
        gradient_again, got = objective.gradient_hessian(coef)
        assert got.dtype == dtype
        assert_near(got, hessian, np.abs(X).max() ** 2 * 3, near)
        assert np.array_equal(got, got.T)
        assert np.array_equal(objective.hessian(coef), got)
        assert_near(gradient_again, gradient, np.abs(X).max() * 3, near)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", range(1, 70))
def test_every_small_number_of_features(d, dtype):
    X, y, weight, coef = draw(43, d, dtype, seed=d)
    value, gradient, _ = reference(log_loss, X, y, coef, weight)
    got = fl.LinearObjective("log_loss", X, y, weight).loss_gradient(coef)
    assert_near(got[0], value, value, tolerance(X, dtype))
    assert_near(got[1], gradient, np.abs(X).max(), tolerance(X, dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("d", [1, 5, 40])
def test_layouts_of_x(layout, d, dtype):
    X, y, weight, coef = draw(70, d, dtype)
    expected = fl.LinearObjective("log_loss", X, y, weight, l2=0.1)
    objective = fl.LinearObjective(
        "log_loss", LAYOUTS[layout](X), LAYOUTS[layout](y), LAYOUTS[layout](weight), l2=0.1
    )
    near = tolerance(X, dtype)
    value, gradient = objective.loss_gradient(coef)
    assert_near(value, expected.loss(coef), value, near)
    assert_near(gradient, expected.gradient(coef), np.abs(X).max(), near)
    got = objective.gradient_hessian(coef)[1]
    assert_near(got, expected.hessian(coef), np.abs(X).max() ** 2, near)
    v = coef[::-1].copy()
    scale = np.abs(X).max() ** 2 * np.abs(v).sum()
    assert_near(objective.hessian_product(coef, v), expected.hessian_product(coef, v), scale, near)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_targets_and_offsets(layout):
    rng = np.random.default_rng(4)
    X, _, _, coef = draw(70, 6, np.float32, 3)
    y, offset = rng.dirichlet(np.ones(3), 70), rng.standard_normal((70, 3))
    near = tolerance(X, np.float32)
    for loss in ("cross_entropy", "kl_divergence"):
        expected = fl.LinearObjective(loss, X, y, offset=offset).loss_gradient(coef)
        for dtype in EPS:
            labels, moved = LAYOUTS[layout](y.astype(dtype)), LAYOUTS[layout](offset.astype(dtype))
            got = fl.LinearObjective(loss, X, labels, offset=moved).loss_gradient(coef)
            assert_near(got[0], expected[0], expected[0], near)
            assert_near(got[1], expected[1], np.abs(X).max(), near)


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.int64, np.uint16, np.float16])
def test_other_numbers_are_converted(dtype):
    X, y, _, coef = draw(30, 6, np.float64)
    X = (np.abs(X) * 2).astype(dtype)
    real = np.float32 if dtype == np.float16 else np.float64
    objective = fl.LinearObjective("log_loss", X, y)
    assert objective.dtype == real
    expected = fl.LinearObjective("log_loss", X.astype(real), y).loss_gradient(coef)
    got = objective.loss_gradient(coef)
    assert got[0] == pytest.approx(expected[0], rel=8 * EPS[real])
    np.testing.assert_allclose(got[1], expected[1], rtol=0, atol=64 * EPS[real])


def test_memory_map(tmp_path):
    X, y, weight, coef = draw(1000, 12, np.float32)
    X.tofile(tmp_path / "X")
    mapped = np.memmap(tmp_path / "X", np.float32, "r", shape=X.shape)
    expected = fl.LinearObjective("log_loss", X, y, weight).loss_gradient(coef)
    got = fl.LinearObjective("log_loss", mapped, y, weight).loss_gradient(coef)
    assert got[0] == expected[0]
    assert np.array_equal(got[1], expected[1])


def test_what_stands_between_rows_does_not_matter():
    """A slice of columns, with NaN in the others; the last row ends with the memory."""
    for dtype in EPS:
        for d in (1, 3, 8, 16, 19):
            large = np.full((53, d + 9), np.nan, dtype)
            X, y, _, coef = draw(53, d, dtype)
            large[:, 9:] = X
            expected = fl.LinearObjective("log_loss", X, y).loss_gradient(coef)
            for view in (large[:, 9:], np.hstack([X, large[:, :9]])[:, :d]):
                got = fl.LinearObjective("log_loss", view, y).loss_gradient(coef)
                assert got[0] == expected[0]
                assert np.array_equal(got[1], expected[1])


def test_infinity_of_one_row_stays_in_it():
    """A hinge of no slope is 0 times whatever stands there; its neighbours are read with it."""
    X = np.ones((20, 3))
    X[7, 0] = np.inf
    objective = fl.LinearObjective("hinge", X, np.ones(20))
    value, gradient = objective.loss_gradient(np.array([0.5, 0.0, 0.0, 0.0]))
    assert value == 19 * 0.5 / 20
    assert np.isnan(gradient[0])  # 0 * inf
    assert np.array_equal(gradient[1:], np.full(3, -19 / 20))
    X[7, 0] = np.nan
    assert np.isnan(objective.loss(np.array([0.5, 0.0, 0.0, 0.0])))


def to_csr(X, rng, index_dtype=np.int32, dtype=None):
    """CSR with its entries shuffled within rows and some in two parts; and the matrix it stands for."""
    rows, columns = np.nonzero(X)
    values = X[rows, columns]
    twice = rng.random(len(values)) < 0.3
    halves = np.where(twice, values / 2, values)
    rows = np.concatenate([rows, rows[twice]])
    columns = np.concatenate([columns, columns[twice]])
    values = np.concatenate([halves, halves[twice]])
    order = rng.permutation(len(rows))
    order = order[np.argsort(rows[order], kind="stable")]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(X)))])

    class Csr:
        data = values[order]
        indices = columns[order].astype(index_dtype)
        shape = X.shape

    Csr.indptr = indptr.astype(index_dtype)
    return Csr()


@pytest.mark.parametrize("index_dtype", [np.int32, np.int64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_outputs", [None, 2, 5])
@pytest.mark.parametrize("shape", [(1, 1), (60, 9), (200, 70), (90, 1500)])
def test_csr_is_the_dense_matrix(shape, n_outputs, dtype, index_dtype):
    rng = np.random.default_rng(5)
    X, y, weight, coef = draw(*shape, dtype, n_outputs)
    X *= rng.random(X.shape) < 0.2
    X[::7] = 0
    offset = rng.standard_normal((shape[0],) if n_outputs is None else (shape[0], n_outputs))
    loss = "log_loss" if n_outputs is None else "cross_entropy"
    options = {"l2": 0.2, "offset": offset}
    if n_outputs:
        options["n_outputs"] = n_outputs
    dense = fl.LinearObjective(loss, X, y, weight, **options)
    objective = fl.LinearObjective(loss, to_csr(X, rng, index_dtype), y, weight, **options)
    near = tolerance(X, dtype)
    scale = max(np.abs(X).max(), 1)
    value, gradient = objective.loss_gradient(coef)
    assert_near(value, dense.loss(coef), value, near)
    assert_near(gradient, dense.gradient(coef), scale, near)
    v = coef[..., ::-1].copy()
    got = objective.hessian_product(coef, v)
    assert_near(got, dense.hessian_product(coef, v), scale**2 * np.abs(v).sum(), near)
    if n_outputs is None:
        assert_near(objective.hessian(coef), dense.hessian(coef), scale**2, near)


def test_scipy_arrays_and_matrices():
    X, y, _, coef = draw(50, 8, np.float64)
    X[X < 0.5] = 0
    expected = fl.LinearObjective("log_loss", X, y).loss(coef)
    for kind in (sparse.csr_array, sparse.csr_matrix):
        assert fl.LinearObjective("log_loss", kind(X), y).loss(coef) == pytest.approx(
            expected, rel=1e-15
        )
    with pytest.raises(TypeError, match=r"X is sparse of format 'csc': expected 'csr'"):
        fl.LinearObjective("log_loss", sparse.csc_array(X), y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_outputs", [2, 3, 4, 7, 10])
@pytest.mark.parametrize("shape", [(1, 1), (66, 5), (130, 50), (40, 300)])
def test_cross_entropy(shape, n_outputs, dtype):
    X, y, weight, coef = draw(*shape, dtype, n_outputs)
    offset = np.random.default_rng(8).standard_normal((shape[0], n_outputs)).astype(dtype)
    A = np.hstack([X, np.ones((len(X), 1))]).astype(np.float64)
    wide, w = coef.astype(np.float64), weight.astype(np.float64)
    f = A @ wide.T + offset
    p = softmax(f, axis=1)
    total = w.sum()
    penalty = np.full(wide.shape, 0.3)
    penalty[:, -1] = 0
    value = -(w @ log_softmax(f, axis=1)[np.arange(len(X)), y]) / total
    value += 0.5 * (penalty * wide**2).sum()
    slope = w[:, None] * (p - np.eye(n_outputs)[y])
    gradient = slope.T @ A / total + penalty * wide
    objective = fl.LinearObjective(
        fl.CrossEntropy(), X, y, weight, l2=0.3, offset=offset, n_outputs=n_outputs
    )
    assert objective.coef_shape == coef.shape
    near = tolerance(X, dtype)
    got = objective.loss_gradient(coef)
    assert_near(got[0], value, value, near)
    assert_near(got[1], gradient, np.abs(X).max() * 2, near)
    # flat, as SciPy hands it over, gives flat
    flat = objective.loss_gradient(coef.ravel())
    assert flat[0] == got[0]
    assert np.array_equal(flat[1], got[1].ravel())
    v = coef[:, ::-1].copy()
    u = A @ v.astype(np.float64).T
    u = w[:, None] * p * (u - (p * u).sum(axis=1, keepdims=True))
    product = u.T @ A / total + penalty * v
    scale = np.abs(X).max() ** 2 * np.abs(v).sum()
    assert_near(objective.hessian_product(coef, v), product, scale, near)


@pytest.mark.parametrize(
    "loss",
    [
        fl.CrossEntropy(label_smoothing=0.1),
        fl.CrossEntropy(class_weight=[1.0, 0.5, 2.0]),
        fl.CrossEntropy(class_weight=[1.0, 0.5, 2.0], label_smoothing=0.1),
        fl.CrossEntropy(
            class_weight=[1.0, 0.5, 2.0], label_smoothing=0.1, weighted_smoothing=False
        ),
        fl.CrossEntropy(ignore_index=-1),
        fl.CrossEntropy(ignore_index=1, class_weight=[1.0, 0.5, 2.0]),
    ],
    ids=repr,
)
def test_cross_entropy_hessian_product_is_a_difference_of_gradients(loss):
    X, y, weight, coef = draw(80, 6, np.float64, 3)
    if loss.ignore_index == -1:
        y[::4] = -1
    for labels in (y, np.random.default_rng(0).dirichlet(np.ones(3), 80)):
        if labels.ndim == 2 and loss.ignore_index is not None:
            continue
        objective = fl.LinearObjective(loss, X, labels, weight, l2=0.1, n_outputs=3)
        v = np.random.default_rng(1).standard_normal(coef.shape)
        step = 1e-5
        difference = objective.gradient(coef + step * v) - objective.gradient(coef - step * v)
        got = objective.hessian_product(coef, v)
        np.testing.assert_allclose(got, difference / (2 * step), rtol=0, atol=1e-8)


LABELS = {
    "class": lambda rng, n, c: rng.integers(0, c, n),
    "class or soft": lambda rng, n, c: rng.integers(0, c, n),
    "value": lambda rng, n, c: rng.standard_normal(n),
    "targets": lambda rng, n, c: rng.dirichlet(np.ones(c), n),
    "log targets": lambda rng, n, c: np.log(rng.dirichlet(np.ones(c), n)),
    "sets": lambda rng, n, c: np.where(np.arange(c) < 1, rng.integers(0, c, (n, 1)), -1),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["dense", "csr"])
@pytest.mark.parametrize("name", fl.available_losses())
def test_every_loss_is_itself_on_predictions_of_numpy(name, kind, dtype):
    loss = fl.get_loss(name)
    rng = np.random.default_rng(3)
    X, y, weight, _ = draw(90, 7, dtype)
    n_outputs = 1
    if hasattr(loss, "label_kind"):
        n_outputs = loss.n_outputs or 3
        y = LABELS[loss.label_kind](rng, 90, n_outputs)
        if y.dtype == np.float64:
            y = y.astype(dtype)
        if name == "coral":
            y[0] = n_outputs
        coef = rng.standard_normal((n_outputs, 8)) / 4
        f = X.astype(np.float64) @ coef[:, :-1].T + coef[:, -1]
    else:
        coef = rng.standard_normal(8) / 4
        f = X.astype(np.float64) @ coef[:-1] + coef[-1]
        try:
            loss.loss(y, f)
        except ValueError:
            y = y + 1  # labels of at least 1
    if name in ("tweedie_identity", "squared_log_error"):  # of positive predictions
        X, coef = np.abs(X), np.abs(coef)
        f = X.astype(np.float64) @ coef[:-1] + coef[-1]
    if name == "binary_cross_entropy":  # of probabilities
        coef = np.append(coef[:-1] / 100, 0.5)
        f = X.astype(np.float64) @ coef[:-1] + coef[-1]
    options = {"n_outputs": n_outputs} if hasattr(loss, "label_kind") else {}
    matrix = X if kind == "dense" else sparse.csr_array(X)
    objective = fl.LinearObjective(loss, matrix, y, weight, **options)
    value, slope = loss.loss_gradient(y, f, weight.astype(np.float64))
    gradient = np.tensordot(slope, np.hstack([X, np.ones((90, 1))]), axes=(0, 0))
    got = objective.loss_gradient(coef)
    # float32 predictions may cross a kink, at which a slope jumps by 1 in one of 90 samples
    near = {np.float64: 1e-13, np.float32: 2e-5}[dtype]
    assert got[0] == pytest.approx(value, rel=near)
    np.testing.assert_allclose(
        got[1], gradient, rtol=near, atol=near * max(1, np.abs(gradient).max())
    )
    assert objective.loss(coef) == pytest.approx(got[0], rel=4e-16)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["rows", "columns", "csr"])
@pytest.mark.parametrize("loss", ["log_loss", "cross_entropy"])
def test_bits_do_not_depend_on_threads(loss, kind, dtype):
    X, y, weight, coef = draw(70_000, 9, dtype, None if loss == "log_loss" else 3)
    if kind == "columns":
        X = np.asfortranarray(X)
    if kind == "csr":
        X = sparse.csr_array(X)
    v = coef[..., ::-1].copy()
    results = []
    for n_threads in (1, 2, 3, 7, 2):
        objective = fl.LinearObjective(loss, X, y, weight, n_threads=n_threads)
        result = [*objective.loss_gradient(coef), objective.loss(coef)]
        result.append(objective.hessian_product(coef, v))
        if loss == "log_loss":
            result.append(objective.hessian(coef))
        results.append(result)
    for result in results[1:]:
        for a, b in zip(result, results[0], strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_many_rows_lose_no_digits(dtype, order):
    """Sums of 300,000 rows, several chunks and many flushes."""
    X, y, weight, coef = draw(300_001, 3, dtype)
    X += 1
    X = np.asarray(X, order=order)
    value, gradient, hessian = reference(log_loss, X, y, coef, weight)
    objective = fl.LinearObjective("log_loss", X, y, weight)
    got = objective.loss_gradient(coef)
    near = 16 * EPS[dtype]
    assert_near(got[0], value, value, near)
    assert_near(got[1], gradient, 2, near)
    assert_near(objective.hessian(coef), hessian, 2, near)


def test_precisions_of_coefficients():
    X, y, _, coef = draw(60, 5, np.float32)
    objective = fl.LinearObjective("log_loss", X, y, l2=0.1)
    narrow = objective.loss_gradient(coef)
    wide = objective.loss_gradient(coef.astype(np.float64))
    assert narrow[1].dtype == np.float32
    assert wide[1].dtype == np.float64
    assert wide[0] == narrow[0]
    assert np.array_equal(wide[1].astype(np.float32), narrow[1])
    assert objective.gradient([0, 0, 0, 0, 0, 1]).dtype == np.float64


def test_penalties_by_feature_and_without_intercept():
    X, y, weight, coef = draw(90, 4, np.float64)
    l2 = np.array([0.0, 1.0, 2.0, 3.0])
    value, gradient, hessian = reference(log_loss, X, y, coef[:-1], weight, l2=l2, intercept=False)
    objective = fl.LinearObjective("log_loss", X, y, weight, l2=l2, fit_intercept=False)
    assert objective.coef_shape == (4,)
    got = objective.loss_gradient(coef[:-1])
    assert got[0] == pytest.approx(value, rel=1e-15)
    np.testing.assert_allclose(got[1], gradient, rtol=0, atol=1e-15)
    np.testing.assert_allclose(objective.hessian(coef[:-1]), hessian, rtol=0, atol=1e-15)
    product = objective.hessian_product(coef[:-1], coef[1:])
    np.testing.assert_allclose(product, hessian @ coef[1:], rtol=0, atol=1e-14)


def test_penalties_by_coefficient():
    X, y, _, coef = draw(50, 4, np.float64, 3)
    l2 = np.arange(12.0).reshape(3, 4)
    plain = fl.LinearObjective("cross_entropy", X, y).loss_gradient(coef)
    value, gradient = fl.LinearObjective("cross_entropy", X, y, l2=l2).loss_gradient(coef)
    assert value == pytest.approx(plain[0] + 0.5 * (l2 * coef[:, :-1] ** 2).sum(), rel=1e-15)
    np.testing.assert_allclose(gradient[:, :-1], plain[1][:, :-1] + l2 * coef[:, :-1], rtol=1e-14)
    assert np.array_equal(gradient[:, -1], plain[1][:, -1])


def test_offset_moves_the_predictions():
    X, y, weight, coef = draw(90, 4, np.float64)
    offset = np.linspace(-1, 1, 90)
    value, gradient, hessian = reference(log_loss, X, y, coef, weight, offset=offset)
    objective = fl.LinearObjective("log_loss", X, y, weight, offset=offset.astype(np.float32))
    plain = fl.LinearObjective("log_loss", X, y, weight, offset=offset)
    assert plain.loss(coef) == pytest.approx(value, rel=1e-15)
    assert plain.loss(coef) != objective.loss(coef)
    np.testing.assert_allclose(plain.gradient(coef), gradient, rtol=0, atol=1e-15)
    np.testing.assert_allclose(
        plain.hessian_product(coef, coef), hessian @ coef, rtol=0, atol=1e-14
    )


def test_out_receives_the_gradient():
    X, y, _, coef = draw(30, 4, np.float64)
    objective = fl.LinearObjective("log_loss", X, y)
    out = np.empty(5)
    assert objective.loss_gradient(coef, out)[1] is out
    assert np.array_equal(out, objective.gradient(coef))
    with pytest.raises(TypeError, match=r"out has dtype float32: expected float64"):
        objective.loss_gradient(coef, np.empty(5, np.float32))
    with pytest.raises(ValueError, match=r"out has shape \(4,\): expected \(5,\)"):
        objective.gradient(coef, np.empty(4))


@pytest.mark.parametrize("loss", ["log_loss", "cross_entropy"])
def test_partial_sums_merge(loss):
    X, y, weight, coef = draw(100, 4, np.float64, None if loss == "log_loss" else 3)
    whole = fl.LinearObjective(loss, X, y, weight, l2=0.5)
    parts = [
        fl.LinearObjective(
            loss, X[part], y[part], weight[part], **({"n_outputs": 3} if coef.ndim == 2 else {})
        ).partial(coef)
        for part in (slice(0, 10), slice(10, 11), slice(11, 100))
    ]
    merged = sum(parts)
    assert merged.n_samples == 100
    assert merged.weight_sum == pytest.approx(weight.sum(), rel=1e-15)
    value, gradient = merged.finish(coef, l2=0.5)
    expected = whole.loss_gradient(coef)
    assert value == pytest.approx(expected[0], rel=1e-14)
    np.testing.assert_allclose(gradient, expected[1], rtol=0, atol=1e-14)
    flat = merged.finish(coef.ravel(), l2=0.5)
    assert flat[1].shape == (coef.size,)
    with pytest.raises(ValueError, match="gradient_sum has shape"):
        merged + fl.LinearObjective("log_loss", X[:, :2], y > 0).partial(np.zeros(3))


def test_scipy_minimises_it():
    X, y, _, _ = draw(400, 5, np.float64)
    objective = fl.LinearObjective("log_loss", X, y, l2=0.01)
    found = minimize(objective.loss_gradient, np.zeros(6), jac=True, options={"gtol": 1e-8})
    assert found.success
    assert np.abs(objective.gradient(found.x)).max() < 1e-8
    by_newton = minimize(
        objective.loss,
        np.zeros(6),
        jac=objective.gradient,
        hessp=objective.hessian_product,
        method="trust-ncg",
        options={"gtol": 1e-8},
    )
    # within the gradients' size by the least curvature, of at least l2
    np.testing.assert_allclose(by_newton.x, found.x, rtol=0, atol=2e-6)
    many = fl.LinearObjective("cross_entropy", X, np.arange(400) % 3, l2=0.01)
    found = minimize(many.loss_gradient, np.zeros(18), jac=True)
    assert np.abs(many.gradient(found.x)).max() < 1e-4


def test_gradient_is_that_of_the_value():
    X, y, weight, coef = draw(60, 5, np.float64)
    objective = fl.LinearObjective(fl.Poisson(), X, y, weight, l2=0.1)
    assert check_grad(objective.loss, objective.gradient, coef) < 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_scikit_learns_linear_loss(n_classes, dtype):
    module = pytest.importorskip("sklearn.linear_model._linear_loss")
    losses = pytest.importorskip("sklearn._loss")
    X, y, weight, coef = draw(300, 20, dtype, n_classes if n_classes > 2 else None)
    labels = y.astype(dtype)
    if n_classes > 2:
        theirs = module.LinearModelLoss(
            losses.HalfMultinomialLoss(n_classes=n_classes), fit_intercept=True
        )
        loss = "cross_entropy"
    else:
        theirs = module.LinearModelLoss(losses.HalfBinomialLoss(), fit_intercept=True)
        loss = "log_loss"
    value, gradient = theirs.loss_gradient(
        coef, X, labels, sample_weight=weight / weight.sum(), l2_reg_strength=0.7
    )
    got = fl.LinearObjective(loss, X, y, weight, l2=0.7).loss_gradient(coef)
    assert got[0] == pytest.approx(value, rel=32 * EPS[dtype])
    np.testing.assert_allclose(
        got[1], np.asarray(gradient).reshape(coef.shape), rtol=0, atol=64 * EPS[dtype]
    )


def test_no_samples_and_no_weight_are_nan():
    objective = fl.LinearObjective("log_loss", np.empty((0, 3)), [])
    with pytest.warns(RuntimeWarning, match="mean of an empty array is NaN"):
        assert np.isnan(objective.loss(np.zeros(4)))
    assert objective.partial(np.zeros(4)).loss_sum == 0
    weightless = fl.LinearObjective("log_loss", np.ones((2, 3)), [0, 1], [0.0, 0.0])
    with pytest.warns(RuntimeWarning, match="weights sum to zero"):
        assert np.isnan(weightless.gradient(np.zeros(4))).all()
