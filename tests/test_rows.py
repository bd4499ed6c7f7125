"""Losses of several outputs: layouts, threads, weights, outputs, errors, best constants, peers."""

import pickle
import re
import warnings

import numpy as np
import pytest
from helpers.arrays import LAYOUTS
from mpmath import mp
from references.rows import ROW_REFERENCES, exact, row_labels, softmax, sparsemax_projection

import fastloss as fl

OPERATIONS = ("loss", "gradient", "loss_gradient", "gradient_hessian", "loss_gradient_hessian")


def first_case(reference):
    n_outputs = 3 if 3 in reference.outputs else reference.outputs[-1]
    return reference, n_outputs, reference.parameters(n_outputs)[0]


CASES = [first_case(reference) for reference in ROW_REFERENCES]
IDS = [f"{reference.name}-{reference.labels}" for reference in ROW_REFERENCES]
every_loss = pytest.mark.parametrize(("reference", "n_outputs", "params"), CASES, ids=IDS)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def data(reference, n_outputs, n, dtype=np.float64, seed=3):
    rng = np.random.default_rng([seed, n, n_outputs])
    y = row_labels(reference, n_outputs, n, rng, dtype)
    f = (rng.normal(size=(n, n_outputs)) * 2).astype(dtype)
    return y, f, rng.random(n).astype(dtype)


def tuple_of(result):
    return result if isinstance(result, tuple) else (result,)


def raises(error, message):
    return pytest.raises(error, match=f"^{re.escape(message)}$")


# ---------------------------------------------------------------- registry


def test_the_references_are_all_row_losses():
    classes = {
        name
        for name in fl.available_losses()
        if not issubclass(type(fl.get_loss(name)), fl.LogLoss.__base__)
    }
    # made of others, or with tests of its own
    assert classes - {"cross_entropy", "one_vs_rest", "cumulative_logit"} == {
        r.name for r in ROW_REFERENCES
    }


# ---------------------------------------------------------------- layouts and threads


@both_dtypes
@every_loss
@pytest.mark.parametrize("n", [1, 5, 16, 33, 67, 700])
def test_a_sample_is_the_same_wherever_it_stands(reference, n_outputs, params, dtype, n):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, n, dtype)
    want = loss.loss_gradient_hessian(y, f, w, reduction="none")
    for i in {0, n // 2, n - 1}:
        one = loss.loss_gradient_hessian(y[i : i + 1], f[i : i + 1], w[i : i + 1], reduction="none")
        for part, whole in zip(one, want, strict=True):
            np.testing.assert_array_equal(part[0], whole[i])


@both_dtypes
@every_loss
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_any_layout(reference, n_outputs, params, dtype, layout):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 150, dtype)
    want = loss.loss_gradient_hessian(y, f, w, reduction="none")
    arrange = LAYOUTS[layout]
    got = loss.loss_gradient_hessian(arrange(y), arrange(f), arrange(w), reduction="none")
    for part, whole in zip(got, want, strict=True):
        np.testing.assert_array_equal(part, whole)


@every_loss
@pytest.mark.parametrize("shape", [(6, 25), (2, 3, 25), (1, 150)])
def test_any_class_axis(reference, n_outputs, params, shape):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 150)
    want = loss.loss_gradient_hessian(y, f, w, reduction="none")
    for axis in range(len(shape) + 1):
        rows = np.moveaxis(f.reshape(*shape, n_outputs), -1, axis)
        labels = y.reshape(*shape, n_outputs) if y.ndim == 2 else y.reshape(shape)
        if y.ndim == 2:
            labels = np.moveaxis(labels, -1, axis)
        for copy in (np.ascontiguousarray, np.asfortranarray, lambda a: a):
            got = loss.loss_gradient_hessian(
                copy(labels), copy(rows), w.reshape(shape), reduction="none", axis=axis
            )
            np.testing.assert_array_equal(got[0].ravel(), want[0])
            for part, whole in zip(got[1:], want[1:], strict=True):
                np.testing.assert_array_equal(
                    np.moveaxis(part, axis, -1).reshape(-1, n_outputs), whole
                )


@every_loss
@pytest.mark.parametrize("n_outputs_asked", [1, 2, 7, 30, 65, 200])
def test_many_outputs(reference, n_outputs, params, n_outputs_asked):
    if len(reference.outputs) == 1:
        pytest.skip("a fixed number of outputs")
    params = reference.parameters(n_outputs_asked)[0]
    loss = fl.get_loss(reference.name, **params)
    y, f, _ = data(reference, n_outputs_asked, 37)
    got = loss.loss_gradient(y, f, reduction="none")
    with mp.workprec(200):
        for i in (0, 20, 36):
            value, gradient, _, _ = exact(reference, y[i], f[i], params)
            assert got[0][i] == pytest.approx(float(value), rel=1e-12, abs=1e-14)
            np.testing.assert_allclose(
                got[1][i], [float(g) for g in gradient], rtol=1e-12, atol=1e-14
            )


@both_dtypes
@every_loss
def test_the_bits_do_not_depend_on_the_threads(reference, n_outputs, params, dtype):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 40_000, dtype)
    want = loss.loss_gradient_hessian(y, f, w, n_threads=1)
    for threads in (2, 3, 7):
        got = loss.loss_gradient_hessian(y, f, w, n_threads=threads)
        assert got[0] == want[0]
        np.testing.assert_array_equal(got[1], want[1])
        np.testing.assert_array_equal(got[2], want[2])


@every_loss
def test_labels_of_other_types(reference, n_outputs, params):
    loss = fl.get_loss(reference.name, **params)
    y, f, _ = data(reference, n_outputs, 50)
    if reference.labels in ("class", "sets"):
        types = ["b", "h", "i", "q", "f", "d", ">i4"] + ["B"] * (reference.labels == "class")
        for kind in types:
            assert loss(y.astype(kind), f) == loss(y, f)
    else:
        half = y.astype(np.float16)
        assert loss(half, f) == loss(half.astype(np.float64), f)


# ---------------------------------------------------------------- reductions, weights, outputs


@both_dtypes
@every_loss
def test_reductions_and_weights(reference, n_outputs, params, dtype):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 300, dtype)
    each = loss.loss_gradient_hessian(y, f, reduction="none")
    tiny = float(np.finfo(dtype).tiny)
    tolerance = {"rtol": 4e-7 if dtype == np.float32 else 1e-15}
    for weights, total in ((None, 300.0), (w, w.sum(dtype=np.float64))):
        factor = np.ones(300, dtype) if weights is None else weights
        for reduction, divisor in (("none", 1.0), ("sum", 1.0), ("mean", total)):
            value, gradient, hessian = loss.loss_gradient_hessian(
                y, f, weights, reduction=reduction
            )
            if reduction == "none":
                np.testing.assert_allclose(value, each[0] * factor, **tolerance)
            else:
                sum_ = (each[0].astype(np.float64) * factor).sum()
                assert value == pytest.approx(
                    sum_ / divisor, rel=1e-6 if dtype == np.float32 else 1e-13
                )
            for part, whole in ((gradient, each[1]), (hessian, each[2])):
                want = whole.astype(np.float64) * factor[:, None] / divisor
                np.testing.assert_allclose(part, want, rtol=tolerance["rtol"] * 2, atol=tiny)
    a = loss.partial(y[:100], f[:100], w[:100])
    b = loss.partial(y[100:], f[100:], w[100:])
    assert (a + b).loss_sum == pytest.approx(loss(y, f, w, reduction="sum"), rel=1e-12)
    assert (a + b).n_samples == 300


@every_loss
def test_outputs_are_filled_and_may_be_the_prediction(reference, n_outputs, params):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 90)
    want = loss.loss_gradient_hessian(y, f, w, reduction="none")
    out = np.empty(90), np.empty_like(f), np.empty((n_outputs, 90)).T
    got = loss.loss_gradient_hessian(y, f, w, reduction="none", out=out)
    for part, given, whole in zip(got, out, want, strict=True):
        assert part is given
        np.testing.assert_array_equal(part, whole)
    for which in (1, 2):
        same = f.copy()
        places = [None, None, None]
        places[which] = same
        got = loss.loss_gradient_hessian(y, same, w, reduction="none", out=tuple(places))
        for part, whole in zip(got, want, strict=True):
            np.testing.assert_array_equal(part, whole)


@every_loss
def test_empty_and_weightless(reference, n_outputs, params):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 4)
    assert loss(y[:0], f[:0], reduction="sum") == 0.0
    assert loss(y[:0], f[:0], reduction="none").shape == (0,)
    for labels, rows, weights in ((y[:0], f[:0], None), (y, f, 0 * w)):
        with pytest.warns(RuntimeWarning, match="mean of"):
            assert np.isnan(loss(labels, rows, weights))


@both_dtypes
@every_loss
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_sample(reference, n_outputs, params, dtype, bad):
    loss = fl.get_loss(reference.name, **params)
    y, f, _ = data(reference, n_outputs, 60, dtype)
    want = loss.loss_gradient_hessian(y, f, reduction="none")
    for k in range(n_outputs):
        spoilt = f.copy()
        spoilt[17, k] = bad
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            got = loss.loss_gradient_hessian(y, spoilt, reduction="none")
        keep = np.arange(60) != 17
        for part, whole in zip(got, want, strict=True):
            np.testing.assert_array_equal(part[keep], whole[keep])
        # the likelihood of a class asks for that class alone, an empty set for nothing
        if (
            np.isnan(bad)
            and reference.name != "nll"
            and not np.array_equal(y[17], [-1] * n_outputs)
        ):
            assert np.isnan(got[0][17])
            assert np.isnan(got[1][17]).any()


# ---------------------------------------------------------------- errors


@every_loss
def test_shapes_that_do_not_fit(reference, n_outputs, params):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 4)
    with pytest.raises(ValueError, match=r"^y_true has shape \(3,.*raw_prediction has shape"):
        loss(y[:3], f)
    with pytest.raises(ValueError, match=r"^sample_weight has shape \(3,\): expected \(4,\)"):
        loss(y, f, w[:3])
    with pytest.raises(ValueError, match=r"^axis = 2: raw_prediction has 2 axes"):
        loss(y, f, axis=2)
    with pytest.raises(ValueError, match="raw_prediction has no axis"):
        loss(1.0, 1.0)
    with pytest.raises(TypeError, match="raw_prediction has dtype int64: expected float32"):
        loss(y, f.astype(int))
    other = y.astype(np.float64)[:, 0] if y.ndim == 2 else np.tile(y, (n_outputs, 1)).T
    if n_outputs > 1:
        with pytest.raises(ValueError, match=r"^y_true has shape .*: expected "):
            loss(other, f)


BAD_LABELS = {
    "class": (-1, 99, 0.5, np.nan, np.inf),
    "value": (np.nan, np.inf, -np.inf),
    "targets": (-0.25, np.nan, np.inf),
    "log_targets": (np.inf, np.nan),
    "sets": (-2, 99, 0.5, np.nan),
}


@every_loss
@pytest.mark.parametrize("in_place", [False, True])
def test_labels_outside_the_domain(reference, n_outputs, params, in_place):
    loss = fl.get_loss(reference.name, **params)
    for position in (0, 13, 39):
        for bad in BAD_LABELS[reference.labels]:
            y, f, w = data(reference, n_outputs, 40)
            y = y.astype(np.float64)
            where = (position, 0) if y.ndim == 2 else (position,)
            y[where] = bad
            before = f.copy()
            inside = ", ".join(map(str, where))
            value = re.escape(repr(float(bad)))
            message = rf"^y_true\[{inside}\] = {value}: {type(loss).__name__} expects "
            with pytest.raises(ValueError, match=message):
                loss.gradient(y, f, w, out=f if in_place else None)
            np.testing.assert_array_equal(f, before)


def test_how_many_outputs():
    with raises(ValueError, "raw_prediction has 3 outputs a sample: GaussianNLL expects 2"):
        fl.GaussianNLL()([1.0], [[1.0, 2.0, 3.0]])
    with raises(ValueError, "raw_prediction has 2 outputs a sample: MultiPinball expects 3"):
        fl.MultiPinball()([1.0], [[1.0, 2.0]])
    with raises(
        ValueError,
        "alpha has 2 entries, raw_prediction has 3 outputs a sample: they must be equal",
    ):
        fl.MulticlassFocal(alpha=(1, 2))([1], [[1.0, 2.0, 3.0]])
    with raises(
        ValueError,
        "importance has 1 entries, raw_prediction has 2 outputs a sample: they must be equal",
    ):
        fl.Coral(importance=[1.0]).predict([[1.0, 2.0]])
    with raises(ValueError, "y_true[0] = 3: Coral expects class labels 0 to 2"):
        fl.Coral()([3], [[1.0, 2.0]])


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (
            lambda: fl.MulticlassFocal(gamma=-1),
            ValueError,
            "gamma = -1.0: expected a number of at least 0",
        ),
        (
            lambda: fl.MulticlassFocal(alpha=3),
            TypeError,
            "alpha = 3: expected a sequence of numbers",
        ),
        (
            lambda: fl.MulticlassFocal(alpha=[1, -2]),
            ValueError,
            "alpha[1] = -2: expected a number of at least 0",
        ),
        (
            lambda: fl.MulticlassFocal(hessian="no"),
            ValueError,
            "hessian = 'no': expected 'exact' or 'bounded'",
        ),
        (lambda: fl.MulticlassGeneralizedCE(0), ValueError, "q = 0.0: expected a number in (0, 1]"),
        (
            lambda: fl.SymmetricCrossEntropy(log_zero=0),
            ValueError,
            "log_zero = 0: expected a number less than 0",
        ),
        (
            lambda: fl.SymmetricCrossEntropy(beta=-2),
            ValueError,
            "beta = -2.0: expected a number of at least 0",
        ),
        (lambda: fl.MulticlassHinge(p=3), ValueError, "p = 3: expected 1 or 2"),
        (lambda: fl.CrammerSinger(0), ValueError, "margin = 0: expected a number greater than 0"),
        (
            lambda: fl.MultiPinball((0.5, 1.0)),
            ValueError,
            "quantiles[1] = 1.0: expected a number in (0, 1)",
        ),
        (lambda: fl.MultiPinball(()), ValueError, "quantiles = (): expected at least one number"),
        (lambda: fl.KLDivergence(1), TypeError, "log_target = 1: expected True or False"),
        (
            lambda: fl.NLL(class_weight=[1, np.nan]),
            ValueError,
            "class_weight[1] = nan: expected a finite number of at least 0",
        ),
        (
            lambda: fl.NLL(ignore_index=0.5),
            TypeError,
            "ignore_index = 0.5: expected an integer or None",
        ),
    ],
)
def test_parameters_outside_their_domain(build, error, message):
    with raises(error, message):
        build()


# ---------------------------------------------------------------- link and best constants


@both_dtypes
def test_predict(dtype):
    f = np.random.default_rng(5).normal(size=(4, 5, 3)).astype(dtype) * 2
    eps = np.finfo(dtype).eps
    with mp.workprec(100):
        for name in ("multiclass_focal", "jensen_shannon", "ranked_probability_score"):
            p = fl.get_loss(name).predict(f)
            want = [[float(x) for x in softmax([mp.mpf(float(v)) for v in row])] for row in f[0]]
            np.testing.assert_allclose(p[0], want, rtol=4 * eps)
        p = fl.Sparsemax().predict(np.moveaxis(f, -1, 1), axis=1)
        want = [
            [float(x) for x in sparsemax_projection([mp.mpf(float(v)) for v in row])[0]]
            for row in f[2]
        ]
        np.testing.assert_allclose(np.moveaxis(p, 1, -1)[2], want, atol=4 * eps)
    for name, link in (("nll", np.exp), ("coral", lambda x: 1 / (1 + np.exp(-x)))):
        np.testing.assert_allclose(fl.get_loss(name).predict(f), link(f), rtol=8 * eps)
    np.testing.assert_array_equal(fl.MulticlassHinge().predict(f), f)
    pairs = f[..., :2]
    result = fl.GaussianNLL().predict(pairs)
    np.testing.assert_array_equal(result[..., 0], pairs[..., 0])
    np.testing.assert_allclose(result[..., 1], np.exp(pairs[..., 1]), rtol=4 * eps)
    out = np.empty_like(pairs)
    assert fl.GaussianNLL().predict(pairs, out=out) is out


@every_loss
@pytest.mark.parametrize("weighted", [False, True])
def test_no_constant_is_better(reference, n_outputs, params, weighted):
    if reference.name == "multiclass_generalized_ce":
        params = {"q": 0.2}  # near 1 the best constant lies at infinity
    loss = fl.get_loss(reference.name, **params)
    rng = np.random.default_rng(11)
    y, _, w = data(reference, n_outputs, 200, seed=9)
    if reference.labels == "class":
        y = np.minimum(y, rng.integers(0, 5, 200))
        y[:n_outputs] = np.arange(n_outputs)
    w = w if weighted else None
    best = loss.initial_prediction(y, w)
    assert best.shape == (n_outputs,)

    def mean(constants):
        if reference.name in ("nll", "kl_divergence"):  # of log-probabilities
            constants = constants - np.log(np.exp(constants).sum())
        return loss(y, np.tile(constants, (200, 1)), w)

    least = mean(best)
    for scale in (1e-6, 1e-3, 0.1, 1.0, 5.0):
        for _ in range(40):
            other = mean(best + scale * rng.normal(size=n_outputs))
            assert least <= other + 1e-12 * abs(other)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_best_constants_of_the_hinge_loss_by_all_levels(n_classes):
    """The shortest path finds what trying all whole levels finds."""
    rng = np.random.default_rng(n_classes)
    loss = fl.MulticlassHinge(margin=0.5)
    for _ in range(20):
        frequencies = rng.random(n_classes) ** 3
        y = np.arange(n_classes)
        best = loss(
            y, np.tile(loss.initial_prediction(y, frequencies), (n_classes, 1)), frequencies
        )
        for levels in np.ndindex(*(n_classes,) * n_classes):
            constants = np.tile(0.5 * np.array(levels), (n_classes, 1))
            assert best <= loss(y, constants, frequencies) + 1e-12


@every_loss
def test_values(reference, n_outputs, params):
    loss = fl.get_loss(reference.name, **params)
    assert eval(repr(loss), vars(fl).copy()) == loss
    assert hash(loss) == hash(fl.get_loss(reference.name, **params))
    y, f, _ = data(reference, n_outputs, 20)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        other = pickle.loads(pickle.dumps(loss, protocol))
        assert other == loss
        assert other(y, f) == loss(y, f)


# ---------------------------------------------------------------- peers


def torch_losses():
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    return torch, {
        "nll": (fl.NLL(), F.nll_loss, {}),
        "weighted nll": (
            fl.NLL(class_weight=(1.0, 2.0, 0.5), ignore_index=1),
            F.nll_loss,
            {"weight": torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64), "ignore_index": 1},
        ),
        "multi_margin": (fl.MulticlassHinge(), F.multi_margin_loss, {}),
        "multi_margin 2": (
            fl.MulticlassHinge(margin=0.5, p=2),
            F.multi_margin_loss,
            {"p": 2, "margin": 0.5},
        ),
        "multilabel_margin": (fl.MultilabelMargin(), F.multilabel_margin_loss, {}),
        "kl_div": (fl.KLDivergence(), F.kl_div, {"reduction": "batchmean"}),
        "kl_div log": (
            fl.KLDivergence(log_target=True),
            F.kl_div,
            {"reduction": "batchmean", "log_target": True},
        ),
    }


@pytest.mark.parametrize(
    "case",
    [
        "nll",
        "weighted nll",
        "multi_margin",
        "multi_margin 2",
        "multilabel_margin",
        "kl_div",
        "kl_div log",
    ],
)
def test_torch(case):
    torch, losses = torch_losses()
    loss, theirs, options = losses[case]
    reference = next(
        r
        for r in ROW_REFERENCES
        if r.name == loss.name
        and (r.labels == "log_targets") == bool(loss.params.get("log_target"))
    )
    y, f, _ = data(reference, 3, 500, seed=13)
    x = torch.tensor(f, requires_grad=True)
    if reference.labels == "log_targets":
        y = np.maximum(y, -50)  # torch's 0 * -inf is NaN
    want = theirs(x, torch.tensor(y), **options)
    want.backward()
    value, gradient = loss.loss_gradient(y, f)
    assert value == pytest.approx(want.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, x.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_torch_gaussian_nll():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    y, f = rng.normal(size=300), rng.normal(size=(300, 2))
    x = torch.tensor(f, requires_grad=True)
    want = torch.nn.functional.gaussian_nll_loss(x[:, 0], torch.tensor(y), x[:, 1].exp())
    want.backward()
    value, gradient = fl.GaussianNLL().loss_gradient(y, f)
    assert value == pytest.approx(want.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, x.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_columns_of_multi_pinball_are_pinball_losses():
    rng = np.random.default_rng(4)
    y, f, quantiles = rng.normal(size=300), rng.normal(size=(300, 4)), (0.05, 0.5, 0.75, 0.99)
    value, gradient = fl.MultiPinball(quantiles).loss_gradient(y, f, reduction="none")
    columns = [
        fl.Pinball(q).loss_gradient(y, f[:, k], reduction="none") for k, q in enumerate(quantiles)
    ]
    np.testing.assert_allclose(value, sum(column[0] for column in columns), rtol=1e-14)
    np.testing.assert_array_equal(gradient, np.stack([column[1] for column in columns], axis=1))


def test_limits_of_other_losses():
    rng = np.random.default_rng(6)
    y, f = rng.integers(0, 4, 300), rng.normal(size=(300, 4)) * 3
    plain = fl.CrossEntropy().loss_gradient_hessian(y, f, reduction="none")
    for loss in (
        fl.MulticlassFocal(gamma=0.0),
        fl.SymmetricCrossEntropy(alpha=1.0, beta=0.0),
        fl.MulticlassGeneralizedCE(q=1e-12),
    ):
        for part, whole in zip(
            loss.loss_gradient_hessian(y, f, reduction="none"), plain, strict=True
        ):
            np.testing.assert_allclose(part, whole, rtol=1e-9, atol=1e-11)


def test_two_classes_are_the_binary_focal_formula():
    f = np.linspace(-40, 40, 401)
    rows = np.stack([np.zeros_like(f), f], axis=1)
    p = 1 / (1 + np.exp(-f))
    with np.errstate(all="ignore"):
        want = -((1 - p) ** 2) * np.log(p)
    got = fl.MulticlassFocal().loss(np.ones(401, int), rows, reduction="none")
    np.testing.assert_allclose(got[:250], want[:250], rtol=1e-11)


@pytest.mark.parametrize(
    ("row", "dtype"),
    [
        (
            [0.0, -float.fromhex("0x1.45cc5abc78344p-1"), -float.fromhex("0x1.a2e62d5e3c1a1p-1")],
            "d",
        ),
        ([0.0, -float.fromhex("0x1.160ec4p-1"), -float.fromhex("0x1.8b0760p-1")], "f"),
    ],
)
def test_sparsemax_ends_where_rounding_moves_the_border(row, dtype):
    value, gradient = fl.Sparsemax().loss_gradient([0], np.array([row], dtype=dtype))
    assert np.isfinite(value)
    assert abs(gradient.sum()) < 1e-6


def test_sparsemax_gives_no_negative_probability():
    f = np.random.default_rng(8).normal(size=(20_000, 6))
    f[:, 0] -= 3
    p = fl.Sparsemax().predict(f)
    assert p.min() == 0
    other = fl.Sparsemax().predict(f[:, ::-1].copy())
    np.testing.assert_allclose(p[:, ::-1], other, atol=4e-16)


def test_more_outputs_than_memory_is_an_error():
    for loss in (fl.NLL(), fl.CrossEntropy()):
        with pytest.raises(MemoryError):
            loss([0], np.broadcast_to(np.float64(0), (1, 2**55)))


def test_targets_beyond_the_dtype_are_refused():
    with pytest.raises(ValueError, match=r"^y_true\[0, 0\] = 1e\+39: KLDivergence expects"):
        fl.KLDivergence(log_target=True)([[1e39, 0.0]], np.zeros((1, 2), np.float32))


def test_a_weight_of_zero_drops_its_term():
    f = np.array([[0.0, -np.inf]])
    assert fl.SymmetricCrossEntropy(alpha=0.0)([1], f) == 4.0
    assert fl.NLL(class_weight=(1.0, 0.0))([1], f, reduction="sum") == 0.0
