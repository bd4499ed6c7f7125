"""The Hessian products of linear objectives of several outputs: against differences of gradients."""

import numpy as np
import pytest
from references.rows import ROW_REFERENCES, row_labels
from scipy.sparse import csr_array

import fastloss as fl

N, D = 60, 4
RNG = np.random.default_rng(3)
X = RNG.standard_normal((N, D))
WEIGHT = RNG.exponential(size=N)
WEIGHT[::7] = 0.0
CLASSES = RNG.integers(0, 3, N)
SHARES = RNG.dirichlet(np.ones(3), N)
NUMBERS = RNG.standard_normal(N)
SETS = (RNG.random((N, 3)) < 0.5).astype(np.int8)

CURVED = [
    (fl.CrossEntropy(z_loss=0.1), CLASSES),
    (fl.CrossEntropy(z_loss=0.1, ignore_index=1), CLASSES),
    (fl.CrossEntropy(logit_adjustment=[0.3, -0.2, 1.0], label_smoothing=0.1), CLASSES),
    (fl.CrossEntropy(z_loss=0.2, class_weight=[1.0, 0.5, 2.0]), SHARES),
    (fl.MulticlassFocal(), CLASSES),
    (fl.MulticlassFocal(gamma=0.5, alpha=[0.5, 1.0, 2.0]), CLASSES),
    (fl.MulticlassGeneralizedCE(q=0.4), CLASSES),
    (fl.SymmetricCrossEntropy(alpha=0.2, beta=0.7), CLASSES),
    (fl.RankedProbabilityScore(), CLASSES),
    (fl.Sparsemax(), CLASSES),
    (fl.MulticlassHinge(p=2), CLASSES),
    (fl.MulticlassHinge(margin=0.3, p=2), CLASSES),
    (fl.MulticlassHinge(p=2, over_classes="sum"), CLASSES),
    (fl.JensenShannon(), SHARES),
    (fl.GaussianNLL(), NUMBERS),
    (fl.GaussianCRPS(), NUMBERS),
    (fl.Coral(importance=[0.5, 1.0]), CLASSES),
    (fl.NLL(), CLASSES),
    (fl.KLDivergence(), SHARES),
    (fl.OneVsRest(), CLASSES),
    (fl.OneVsRest(fl.Focal(gamma=1.5)), CLASSES),
    (fl.OneVsRest(fl.SquaredHinge()), SETS),
]


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize(("loss", "y"), CURVED, ids=[repr(loss) for loss, _ in CURVED])
def test_a_product_is_a_difference_of_gradients(loss, y, sparse):
    objective = fl.LinearObjective(loss, csr_array(X) if sparse else X, y, WEIGHT, l2=0.1)
    rng = np.random.default_rng(5)
    coef, v = rng.standard_normal((2, *objective.coef_shape)) / 2
    step = 1e-6
    difference = objective.gradient(coef + step * v) - objective.gradient(coef - step * v)
    got = objective.hessian_product(coef, v)
    # a kink that a difference steps over would show: at these numbers there is none
    np.testing.assert_allclose(got, difference / (2 * step), rtol=0, atol=1e-8)
    assert np.abs(got - 0.1 * v).max() > 1e-3 or loss.name in ("nll", "kl_divergence")


@pytest.mark.parametrize(("loss", "y"), CURVED, ids=[repr(loss) for loss, _ in CURVED])
def test_float32_and_several_blocks_agree_with_one(loss, y):
    times = 50  # 3000 rows: more than a block
    whole = fl.LinearObjective(
        loss, np.tile(X, (times, 1)).astype(np.float32), np.concatenate([y] * times)
    )
    part = fl.LinearObjective(loss, X, y)
    rng = np.random.default_rng(6)
    coef, v = rng.standard_normal((2, *whole.coef_shape)) / 2
    expected = part.hessian_product(coef, v)
    scale = 1e-6 * np.abs(expected).max() + 1e-6
    np.testing.assert_allclose(whole.hessian_product(coef, v), expected, rtol=0, atol=10 * scale)


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (fl.MultiPinball((0.1, 0.5, 0.9)), NUMBERS),
        (fl.CrammerSinger(), CLASSES),
        (fl.MulticlassHinge(), CLASSES),
        (fl.MultilabelMargin(), np.where(np.arange(3) < 1, CLASSES[:, None], -1)),
    ],
    ids=["multi_pinball", "crammer_singer", "multiclass_hinge", "multilabel_margin"],
)
def test_losses_of_planes_say_that_they_have_none(loss, y):
    objective = fl.LinearObjective(loss, X, y)
    coef = np.zeros(objective.coef_shape)
    with pytest.raises(TypeError, match=rf"{type(loss).__name__}.*has no Hessian product"):
        objective.hessian_product(coef, coef)
    with pytest.raises(TypeError, match=rf"{type(loss).__name__}.*has no Hessian product"):
        objective.hessian(coef)


@pytest.mark.parametrize("layout", ["rows", "columns", "sparse"])
@pytest.mark.parametrize("labels", [CLASSES, SETS, np.asfortranarray(SETS).astype(np.float64)])
def test_one_vs_rest_is_the_sum_of_its_outputs(labels, layout):
    rng = np.random.default_rng(10)
    big = np.tile(X, (400, 1))
    y = np.concatenate([labels] * 400)
    weight = np.tile(WEIGHT, 400)
    given = {"rows": big, "columns": np.asfortranarray(big), "sparse": csr_array(big)}[layout]
    coef = rng.standard_normal((3, D + 1))
    results = []
    for n_threads in (1, 2, 3):
        objective = fl.LinearObjective(
            fl.OneVsRest(), given, y, weight, l2=0.2, n_threads=n_threads
        )
        results.append((*objective.loss_gradient(coef), objective.hessian_product(coef, coef)))
    for other in results[1:]:
        assert other[0] == results[0][0]
        assert np.array_equal(other[1], results[0][1])
        assert np.array_equal(other[2], results[0][2])
    binary = [
        fl.LinearObjective(fl.LogLoss(), given, y == k if y.ndim == 1 else y[:, k], weight, l2=0.2)
        for k in range(3)
    ]
    values, gradients = zip(
        *(b.loss_gradient(c) for b, c in zip(binary, coef, strict=True)), strict=True
    )
    value, gradient, product = results[0]
    assert value == pytest.approx(sum(values), rel=1e-13)
    assert objective.loss(coef) == value
    near = len(y) * np.finfo(np.float64).eps  # of sums of terms about 1, one after the other
    np.testing.assert_allclose(gradient, gradients, rtol=0, atol=near)
    products = [b.hessian_product(c, c) for b, c in zip(binary, coef, strict=True)]
    np.testing.assert_allclose(product, products, rtol=0, atol=near)


def test_a_bounded_hessian_gives_a_product_of_its_own():
    """That of the losses' majorant: its outer products are left out, so that it never is negative."""
    rng = np.random.default_rng(12)
    coef = rng.standard_normal((3, D + 1)) * 3
    for q in (0.0, 0.4, 1.0):
        exact = fl.LinearObjective(fl.MulticlassGeneralizedCE(q), X, CLASSES)
        bounded = fl.LinearObjective(fl.MulticlassGeneralizedCE(q, hessian="bounded"), X, CLASSES)
        f = X @ coef[:, :-1].T + coef[:, -1]
        e = np.exp(f - f.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        own = np.take_along_axis(p, CLASSES[:, None], 1)
        for v in rng.standard_normal((20, 3, D + 1)):
            product = bounded.hessian_product(coef, v)
            assert (v * product).sum() > 0
            u = X @ v[:, :-1].T + v[:, -1]
            moved = own**q * p * (u - (p * u).sum(axis=1, keepdims=True)) / N
            expected = np.column_stack([moved.T @ X, moved.sum(axis=0)])
            np.testing.assert_allclose(product, expected, rtol=0, atol=1e-14)
            if q == 0:
                np.testing.assert_array_equal(product, exact.hessian_product(coef, v))


BOUNDED_ROWS = [
    reference.name
    for reference in ROW_REFERENCES
    if "hessian" in fl.get_loss(reference.name).params
]


@pytest.mark.parametrize("name", BOUNDED_ROWS)
def test_a_product_of_a_bounded_hessian_has_its_diagonal(name):
    """And is never negative."""
    reference = next(one for one in ROW_REFERENCES if one.name == name)
    rng = np.random.default_rng(5)
    loss, n = fl.get_loss(name, hessian="bounded"), 2 if name.startswith("gaussian") else 4
    for _ in range(50):
        coef, y = rng.standard_normal((n, 1)) * 2, row_labels(reference, n, 1, rng)
        objective = fl.LinearObjective(loss, np.ones((1, 1)), y, n_outputs=n, fit_intercept=False)
        unit = np.eye(n)[..., None]
        product = np.array([objective.hessian_product(coef, u)[:, 0] for u in unit])
        bend = loss.gradient_hessian(y, coef.T, reduction="none")[1][0]
        np.testing.assert_allclose(np.diag(product), bend, rtol=1e-11, atol=1e-14)
        assert np.linalg.eigvalsh(0.5 * (product + product.T)).min() >= -1e-15
