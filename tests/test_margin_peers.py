"""
Losses of margins beside scikit-learn: those of its SGD, and the optima of its LinearSVC (liblinear).

sklearn-contrib-lightning has a smooth hinge loss, but its last version, of 2022, cannot be built with
current NumPy and Cython. As there, the loss is the Huber loss of 1 - m over its width: scikit-learn's.
"""

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.peers import assert_within, decades, weights

import fastloss as fl

N = 200
DRAWS = range(6)


# ---------------------------------------------------------------- SGD


# ours and scikit-learn's of the same name, with its threshold
SGD = {
    "hinge": (fl.Hinge, "Hinge", (1.0,)),
    "squared_hinge": (fl.SquaredHinge, "SquaredHinge", (1.0,)),
    "modified_huber": (fl.ModifiedHuber, "ModifiedHuber", ()),
    "perceptron": (fl.Perceptron, "Hinge", (0.0,)),
}


def scores(rng, spread, dtype):
    """Return labels, scores, weights and two costs."""
    y, f = rng.integers(0, 2, N), rng.normal(size=N) * spread
    fn, fp = decades(rng, -1, 1), decades(rng, -1, 1)
    return y.astype(dtype), f.astype(dtype), weights(rng, N, dtype), fn, fp


@both_dtypes
@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("name", SGD)
def test_sgd(name, draw, dtype):
    """Of float32 numbers theirs computes in float64."""
    sgd_fast = pytest.importorskip("sklearn.linear_model._sgd_fast")
    rng = np.random.default_rng([151, draw])
    y, f, weight, fn, fp = scores(rng, decades(rng, 0, 1), dtype)
    ours, peer, threshold = SGD[name]
    theirs = getattr(sgd_fast, peer)(*threshold)
    pairs = list(zip(f.astype(np.float64), 2.0 * y - 1.0, strict=True))
    scale = weight.astype(np.float64) * np.where(y == 1, fn, fp)
    expected = scale * [theirs.py_loss(*pair) for pair in pairs]
    slope = scale * [theirs.py_dloss(*pair) for pair in pairs]
    value, gradient = ours(cost_fn=fn, cost_fp=fp).loss_gradient(y, f, weight, reduction="none")
    assert_within(value, expected, expected, dtype)
    assert_within(gradient, slope, np.abs(slope), dtype)


@both_dtypes
@pytest.mark.parametrize("draw", DRAWS)
def test_smooth_hinge(draw, dtype):
    losses = pytest.importorskip("sklearn._loss.loss")
    rng = np.random.default_rng([155, draw])
    gamma = decades(rng, -1, 1)
    y, f, weight, fn, fp = scores(rng, 1 + gamma, dtype)
    signs = 2 * y - 1
    below = signs * f < 1  # beyond the margin the residual f - sign has the other sign
    scale = below * weight * np.where(y == 1, fn, fp) / gamma
    theirs = losses.HuberLoss(delta=gamma)
    expected, slope = (
        scale * x for x in theirs.loss_gradient(signs, f, None, None, None, n_threads=1)
    )
    loss = fl.SmoothHinge(gamma, cost_fn=fn, cost_fp=fp)
    value, gradient = loss.loss_gradient(y, f, weight, reduction="none")
    assert_within(value, expected, expected, dtype)
    assert_within(gradient, slope, np.abs(slope), dtype)


# ---------------------------------------------------------------- liblinear

TOL = 1e-8  # of the solver; where it stops its steps are far above the rounding


@pytest.fixture(scope="module")
def svm():
    pytest.importorskip("scipy.optimize")
    return pytest.importorskip("sklearn.svm")


def samples(rng, n_classes, n=60, n_features=4):
    """Return features, classes that overlap, and weights."""
    x = rng.normal(size=(n, n_features))
    scores = x @ rng.normal(size=(n_features, n_classes)) + rng.normal(size=(n, n_classes))
    y = scores.argmax(axis=1)
    y[:n_classes] = range(n_classes)
    return x, y, weights(rng, n)


def distance_from_stationary(loss, x, y, weight, coef, nudge):
    """
    Return the least norm of coef + the sum of g_i x_i^T, over g_i between slopes of the loss near f_i.

    Near are the scores that differ from f_i by `nudge` in one output: slopes there are, up to 2 nudge
    times the loss's own, subgradients at f_i. Where the norm is 0, coef is the minimiser of
    |coef|^2 / 2 + the weighted sum of the losses, to that accuracy.
    """
    from scipy.optimize import nnls

    n, f = len(y), x @ coef.T
    moves = nudge * np.concatenate([np.eye(len(coef)), -np.eye(len(coef))])
    columns = []
    slopes = np.array([slope_of(loss, y, f + move, weight) for move in moves])
    for i in range(n):
        for slope in np.unique(slopes[:, i], axis=0):
            share = np.zeros(n)
            share[i] = 1.0
            columns.append(np.concatenate([np.outer(slope, x[i]).ravel(), share]))
    target = np.concatenate([-coef.ravel(), np.ones(n)])  # the shares of each sample sum to 1
    return nnls(np.array(columns).T, target)[1]


def slope_of(loss, y, f, weight):
    """The gradient, of a binary loss in a column."""
    f = f[:, 0] if f.shape[1] == 1 else f
    return loss.gradient(y, f, weight, reduction="none").reshape(len(y), -1)


def objective_of(loss, x, y, weight):
    def objective(coef):
        f = x @ coef.T
        f = f[:, 0] if f.shape[1] == 1 else f
        return 0.5 * np.sum(coef**2) + loss.loss(y, f, weight, reduction="sum")

    return objective


def assert_minimum_of_kinks(loss, x, y, weight, model, coef):
    """Assert that what a dual solver of liblinear found is the minimum of our objective."""
    # its coefficients are sums over the samples, updated in each pass with a rounding each
    rounding = model.n_iter_ * len(y) * np.finfo(np.float64).eps * np.abs(coef).max()
    # it stops where no sample's violation exceeds TOL, measured while the last pass moves the others
    nudge = 10 * TOL
    assert distance_from_stationary(loss, x, y, weight, coef, nudge) <= rounding
    # and only there: the objective is strongly convex, so slopes elsewhere are as long as the way back
    away = distance_from_stationary(loss, x, y, weight, 1.001 * coef, nudge)
    assert away > 0.0009 * np.linalg.norm(coef)
    # violations of at most TOL leave a duality gap of TOL times the weights, and the objective is
    # strongly convex: nothing is lower, and points a step away are higher by half its square
    objective, rng = objective_of(loss, x, y, weight), np.random.default_rng(5)
    least, gap = objective(coef), TOL * weight.sum()
    for size in (1e-5, 1e-3, 0.1, 1.0):
        for _ in range(20):
            step = size * rng.normal(size=coef.shape)
            room = gap + 16 * np.finfo(np.float64).eps * least
            # the slope at the minimum, of at most sqrt(2 gap), takes a part of the square
            rise = 0.5 * max(np.sqrt(np.sum(step**2)) - np.sqrt(2 * gap), 0.0) ** 2
            assert objective(coef + step) >= least + rise - room


@pytest.mark.parametrize("draw", DRAWS)
def test_crammer_singer(svm, draw):
    rng = np.random.default_rng([152, draw])
    x, y, weight = samples(rng, int(rng.integers(3, 6)))
    C, margin = decades(rng, -1.5, 0.5), decades(rng, -1, 1)
    # with coef = margin * other, the objective is margin**2 times that of margin 1 and C / margin
    model = svm.LinearSVC(
        multi_class="crammer_singer", C=C / margin, tol=TOL, fit_intercept=False, max_iter=10**5,
        random_state=0,
    ).fit(x, y, weight)  # fmt: skip
    unit = objective_of(fl.CrammerSinger(), x, y, C / margin * weight)(model.coef_)
    ours = objective_of(fl.CrammerSinger(margin), x, y, C * weight)(margin * model.coef_)
    assert ours == pytest.approx(margin**2 * unit, rel=1e-13)
    assert_minimum_of_kinks(fl.CrammerSinger(), x, y, C / margin * weight, model, model.coef_)


@pytest.mark.parametrize("draw", DRAWS)
def test_hinge(svm, draw):
    rng = np.random.default_rng([153, draw])
    x, y, weight = samples(rng, 2)
    C, fn, fp = decades(rng, -1.5, 0.5), decades(rng, -0.5, 0.5), decades(rng, -0.5, 0.5)
    model = svm.LinearSVC(
        loss="hinge", dual=True, C=C, tol=TOL, class_weight={0: fp, 1: fn}, fit_intercept=False,
        max_iter=10**5, random_state=0,
    ).fit(x, y, weight)  # fmt: skip
    loss = fl.Hinge(cost_fn=fn, cost_fp=fp)
    assert_minimum_of_kinks(loss, x, y, C * weight, model, model.coef_)


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_squared_hinge(svm, draw, n_classes):
    """One against the rest, of all classes at once: our gradient is 0 where theirs is."""
    rng = np.random.default_rng([154, draw, n_classes])
    x, y, weight = samples(rng, n_classes)
    C, fn = decades(rng, -1.5, 0.5), decades(rng, -0.5, 0.5)
    tol = 1e-5  # below, steps that gain less than 1e-12 of the objective end the search before it
    model = svm.LinearSVC(
        loss="squared_hinge", dual=False, C=C, tol=tol, fit_intercept=False, max_iter=10**4,
        class_weight=dict.fromkeys(range(n_classes), fn) if n_classes > 2 else {1: fn},
    ).fit(x, y, weight)  # fmt: skip
    binary = fl.SquaredHinge(cost_fn=fn)
    loss = binary if n_classes == 2 else fl.OneVsRest(binary)

    def gradient(coef):
        return coef + slope_of(loss, y, x @ coef.T, C * weight).T @ x

    at_start, at_end = (np.linalg.norm(gradient(c), axis=1) for c in (0 * model.coef_, model.coef_))
    # liblinear's Newton stops at tol times the rarer side's share of the gradient at 0
    counts = np.bincount(y)[-len(model.coef_) :]
    share = np.minimum(counts, len(y) - counts) / len(y)
    assert (at_end <= tol * share * at_start).all()
