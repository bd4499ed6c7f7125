"""
Every public entry point under arguments of any kind: an error with words, or the right result.

FASTLOSS_FUZZ=100 makes a hundred times the calls. A call is known by its subject and its number:
`CALLS["losses"](np.random.default_rng([0, 17]))` repeats one.
"""

import inspect
import os
import re

import numpy as np
import pytest
from helpers.calls import OPERATIONS, tuple_of
from helpers.hostile import Refused, called, hostile, option
from references import REFERENCES
from references.base import labels_of
from references.rows import ROW_REFERENCES, row_labels

import fastloss as fl

TIMES = int(os.environ.get("FASTLOSS_FUZZ", "1"))
# an error begins with an argument, or with the loss that cannot do what is asked
NAMED = re.compile(
    r"(y_true|raw_prediction|sample_weight|out|axis|reduction|n_threads|X|y|coef|v|l2|fit_intercept"
    r"|offset|order|params?|grads?|rows|momentum|momentum_buffer|max_norm|clip_value|class_weight|lr"
    r"|n_outputs|alpha|eta0|learning_rate|penalty|batch_size|average|clip_gradient|dtype|seed|shuffle"
    r"|coefficients|ignore_index|max_value|nesterov)\b|[A-Za-z]+\(.*\) has no dense Hessian"
    r"|state|state_dict\b|\w+ = "
)
ROWS = {reference.name: reference for reference in ROW_REFERENCES}


def same(loss, one, other):
    """The same bits whatever the memory; of cross-entropy up to rounding, which has ways of its own."""
    for a, b in zip(tuple_of(one), tuple_of(other), strict=True):
        if isinstance(loss, fl.CrossEntropy):
            rtol = 1e-5 if np.asarray(a).dtype == np.float32 or isinstance(a, float) else 1e-12
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)
        else:
            np.testing.assert_array_equal(a, b)


def problem(rng, dtype):
    """A loss, labels and predictions that it takes, weights or None, and the class axis."""
    name = rng.choice(fl.available_losses())
    n = int(rng.choice([0, 1, 2, 5, 17, 64, 300]))
    w = None if rng.random() < 0.4 else rng.random(n) + 0.1
    if name in REFERENCES:
        reference = REFERENCES[name]
        params = reference.parameters[rng.integers(0, len(reference.parameters))]
        y = labels_of(reference.labels_for(params), rng, n)
        f = reference.inside(rng.uniform(-6, 6, n)).astype(dtype)
        return fl.get_loss(name, **params), y, f, w
    loss = fl.get_loss(name)
    if name == "cumulative_logit":
        return loss, rng.integers(0, 3, n), rng.normal(size=n).astype(dtype), w
    c = loss.n_outputs or int(rng.integers(1, 9))
    f = rng.normal(size=(n, c)).astype(dtype)
    if name in ROWS:
        return loss, row_labels(ROWS[name], c, n, rng), f, w
    y = rng.dirichlet(np.ones(c), n) if rng.random() < 0.3 else rng.integers(0, c, n)
    return loss, y if name != "one_vs_rest" or y.ndim == 1 else y.round(), f, w


def losses(rng):
    dtype = rng.choice([np.float32, np.float64])
    loss, y, f, w = problem(rng, dtype)
    dose = float(rng.choice([0.0, 0.15, 0.4]))
    method = str(rng.choice([*OPERATIONS, "partial", "predict", "initial_prediction"]))
    call = getattr(loss, method)
    if method == "initial_prediction":
        return called(call, hostile(rng, y, dose), None if w is None else hostile(rng, w, dose))
    options = {"n_threads": option(rng, [None, 1, 2, 3], dose / 4)}
    axis = 0
    if f.ndim == 2:
        axis = int(rng.integers(-2, 2))
        options["axis"] = option(rng, [axis], dose / 4)
    turned = [np.moveaxis(a, -1, axis) if a.ndim == 2 else a for a in (y, f)]
    if method == "predict":
        given = hostile(rng, turned[1], dose)
        got = called(call, given, **options)
        if not dose:
            same(loss, got, called(call, np.array(turned[1]), **options))
        return got
    if method != "partial":
        options["reduction"] = option(rng, ["mean", "sum", "none"], dose / 4)
    given = [hostile(rng, a, dose) for a in turned]
    given.append(None if w is None else hostile(rng, w, dose))
    written = ()
    if method in OPERATIONS and rng.random() < 0.5:
        parts = method.split("_")
        written = []
        for part in parts:
            place = None
            if part != "loss" or str(options["reduction"]) == "none":
                shape = np.shape(w if w is not None else y) if part == "loss" else turned[1].shape
                if part == "loss" and f.ndim == 2:
                    shape = (len(f),)
                place = hostile(rng, np.zeros(shape, dtype), dose, True)
                if rng.random() < 0.1 and part != "loss":
                    place = given[1]
            written.append(place)
        options["out"] = tuple(written) if len(parts) > 1 else written[0]
    kept = [np.array(a) if isinstance(a, np.ndarray) else a for a in given]
    got = called(call, *given, written=written, **options)
    options.pop("out", None)
    if not dose and method != "partial":
        same(loss, got, called(call, *kept, **options))
    return got


def linear_data(rng):
    """X, sparse or dense, as scikit-learn would take it."""
    n, d = int(rng.choice([1, 2, 9, 40, 200])), int(rng.choice([1, 3, 17]))
    return rng.normal(size=(n, d)).astype(rng.choice([np.float32, np.float64]))


def sparse(rng, X, dose):
    """CSR, perhaps with arrays that do not belong together."""
    scipy_sparse = pytest.importorskip("scipy.sparse")
    matrix = scipy_sparse.csr_array(np.where(rng.random(X.shape) < 0.5, X, 0))
    if rng.random() < dose:
        return matrix.tocsc() if rng.random() < 0.5 else matrix.tocoo()

    class Parts:
        shape = matrix.shape
        data, indices, indptr = matrix.data, matrix.indices, matrix.indptr

    parts = Parts()
    for name in ("data", "indices", "indptr"):
        part = getattr(parts, name)
        setattr(parts, name, hostile(rng, part, dose) if rng.random() < dose else part)
        if rng.random() < dose / 2 and part.dtype.kind == "i" and part.size:
            wrong = part.copy()
            wrong[rng.integers(0, part.size)] = rng.choice([-1, 10**6, 2**31 - 1, -(2**31)])
            setattr(parts, name, wrong)
    if rng.random() < dose / 4:
        parts.shape = option(rng, [(3,), (-1, 2), (2**40, 3), (0, 0)], 0.2)
    return parts


def linear_loss(rng, n):
    """A loss of one output, or of classes; and labels."""
    name = rng.choice(["log_loss", "huber", "poisson", "gamma", "cross_entropy", "coral", "nll"])
    options = {}
    if name in ("cross_entropy", "coral", "nll"):
        options = {"n_outputs": 3}
        return fl.get_loss(name), rng.integers(0, 3, n), options
    return fl.get_loss(name), rng.integers(name == "gamma", 2, n), options


def linear_objective(rng):
    X = linear_data(rng)
    dose = float(rng.choice([0.0, 0.15, 0.4]))
    loss, y, options = linear_loss(rng, len(X))
    given = hostile(rng, X, dose) if rng.random() < 0.6 else sparse(rng, X, dose)
    w = None if rng.random() < 0.5 else hostile(rng, rng.random(len(X)) + 0.1, dose)
    if options:
        options = {"n_outputs": option(rng, [3, None], dose / 2)}
    elif rng.random() < 0.3:
        options["offset"] = hostile(rng, rng.normal(size=len(X)), dose)
    options["l2"] = option(rng, [0, 0.5, np.ones(X.shape[1])], dose / 2)
    options["fit_intercept"] = option(rng, [True, False], dose / 4)
    options["n_threads"] = option(rng, [None, 1, 2], dose / 4)
    objective = called(fl.LinearObjective, loss, given, hostile(rng, y, dose), w, **options)
    coef = rng.normal(size=objective.coef_shape)
    method = str(rng.choice(["loss", "gradient", "loss_gradient", "hessian_product", "hessian"]))
    arguments = [hostile(rng, coef, dose)]
    if method == "hessian_product":
        arguments.append(hostile(rng, coef, dose))
    keywords, written = {}, []
    if method in ("gradient", "loss_gradient") and rng.random() < 0.5:
        written = [hostile(rng, np.zeros_like(coef), dose, True)]
        keywords["out"] = written[0]
    try:
        return called(getattr(objective, method), *arguments, written=written, **keywords)
    except RuntimeWarning:  # of data that are not finite, or far too large
        return None


def linear_sgd(rng):
    X = linear_data(rng)
    dose = float(rng.choice([0.0, 0.15, 0.4]))
    loss, y, options = linear_loss(rng, len(X))
    for name, good in (
        ("alpha", [1e-4, 0.1]),
        ("eta0", [0.01, 0.1]),
        ("learning_rate", ["optimal", "constant", "invscaling", "adaptive", "pa1"]),
        ("penalty", ["l2", "l1", "elasticnet", None]),
        ("momentum", [0.0, 0.9]),
        ("batch_size", [1, 2, 7, 1000]),
        ("average", [False, True, 3]),
        ("clip_gradient", [None, 1.0]),
        ("class_weight", [None, None, np.ones(2), np.ones(3)]),
        ("dtype", [np.float32, np.float64]),
        ("seed", [0, 7]),
        ("n_outputs", [None, 1, 3]),
        ("n_threads", [None, 1, 2]),
    ):
        if rng.random() < 0.3:
            options[name] = option(rng, good, dose / 3)
    sgd = called(fl.LinearSGD, loss, X.shape[1], **options)
    given = hostile(rng, X, dose) if rng.random() < 0.6 else sparse(rng, X, dose)
    w = None if rng.random() < 0.5 else hostile(rng, rng.random(len(X)) + 0.1, dose)
    keywords = {"shuffle": option(rng, [True, False], dose / 4)}
    if rng.random() < 0.3:
        keywords["order"] = hostile(rng, rng.integers(0, len(X), 5), dose)
    called(sgd.epoch, given, hostile(rng, y, dose), w, **keywords)
    for name in ("coef", "intercept", "average_coef", "average_intercept"):
        assert np.isfinite(getattr(sgd, name)).all()
    fl.LinearSGD(loss, X.shape[1], **options).load_state_dict(sgd.state_dict())


def optimizers(rng):
    dose = float(rng.choice([0.0, 0.05, 0.2]))
    dtype = rng.choice([np.float32, np.float64])
    name = str(rng.choice(["SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "FTRL"]))
    optimizer = called(getattr(fl.optim, name), lr=option(rng, [0.1, 1e-3], dose / 3))
    shapes = [(5,), (), (0,), (3, 4), (70,)]
    clean = [rng.normal(size=shapes[rng.integers(0, 5)]).astype(dtype) for _ in range(3)]
    params = [hostile(rng, p, dose / 2, writeable=True) for p in clean]
    for _ in range(2):
        grads = [
            hostile(rng, rng.normal(size=p.shape).astype(dtype), dose / 2, True) for p in clean
        ]
        if rng.random() < dose:
            grads[0] = params[rng.integers(0, 3)]
        clipped = rng.integers(0, 4)
        if clipped == 0:
            called(fl.optim.clip_grad_norm, grads, option(rng, [1.0, np.inf], dose / 3))
        elif clipped == 1:
            called(fl.optim.clip_grad_value, grads, option(rng, [0.5], dose / 3))
        called(optimizer.step, params, grads, n_threads=option(rng, [None, 1, 2], dose / 4))
    table = hostile(rng, rng.normal(size=(6, 3)).astype(dtype), dose / 2, True)
    rows = hostile(rng, rng.integers(0, 6, 4), dose)
    grads = hostile(rng, rng.normal(size=(4, 3)).astype(dtype), dose / 2)
    fresh = getattr(fl.optim, name)(lr=0.1)
    called(fresh.step_rows, table, rows, grads, written=[table])
    state = optimizer.state_dict()
    getattr(fl.optim, name)(lr=0.1).load_state_dict(state)
    param = hostile(rng, clean[0], dose, True)
    called(
        fl.sgd_step,
        param,
        hostile(rng, clean[0], dose),
        lr=option(rng, [0.1], dose / 2),
        momentum=option(rng, [0.0, 0.9], dose / 3),
        written=[param],
    )


def estimators(rng):
    linear_model = pytest.importorskip("fastloss.linear_model")
    dose = float(rng.choice([0.05, 0.2]))
    n = int(rng.choice([2, 9, 40]))
    X = rng.normal(size=(n, 3)).astype(rng.choice([np.float32, np.float64]))
    name = str(
        rng.choice(["LinearRegressor", "LogisticRegression", "SGDClassifier", "SGDRegressor"])
    )
    y = np.arange(n) % 2 if name in ("LogisticRegression", "SGDClassifier") else X[:, 0]
    model = getattr(linear_model, name)(max_iter=3)
    w = None if rng.random() < 0.5 else hostile(rng, rng.random(n) + 0.1, dose)
    try:
        called(model.fit, hostile(rng, X, dose), hostile(rng, y, dose), sample_weight=w)
        return called(model.predict, hostile(rng, X, dose))
    except (UserWarning, RuntimeWarning, OverflowError):
        # that a fit has not converged, that numbers are too large; scikit-learn's about data
        return None


def parameters(rng):
    """Losses, optimizers and schedules with parameters of any kind; a repr makes those anew."""
    kind = int(rng.integers(0, 3))
    if kind == 0:
        name = str(rng.choice(fl.available_losses()))
        cls, options = type(fl.get_loss(name)), {}
    elif kind == 1:
        cls = getattr(fl.optim, str(rng.choice(OPTIMIZERS)))
        options = {"lr": 0.1}
    else:
        cls = getattr(fl.optim, str(rng.choice(list(SCHEDULES))))
        options = SCHEDULES[cls.__name__]
    known = list(inspect.signature(cls).parameters)
    given = {
        name: option(rng, [0.5, 1, 2.0, (0.1, 0.9)], 0.6) for name in known if rng.random() < 0.3
    }
    made = called(cls, **{**options, **given})
    if kind == 0:
        assert eval(repr(made), {**vars(fl), "inf": np.inf}) == made
    elif kind == 2:
        assert called(made, int(rng.choice([0, 1, 7, 10**6]))) >= 0


def states(rng):
    """What was saved, spoilt, does not load: or it loads, and goes on."""
    X, y = rng.normal(size=(9, 3)), np.arange(9) % 2
    if rng.random() < 0.5:
        made = [fl.LinearSGD("log_loss", 3, momentum=0.5, average=True) for _ in range(2)]
        made[0].epoch(X, y)
        go = lambda: called(made[1].epoch, X, y)  # noqa: E731
    else:
        made = [getattr(fl.optim, str(rng.choice(OPTIMIZERS)))(lr=0.1) for _ in range(2)]
        made[1] = type(made[0])(lr=0.1)
        made[0].step([X], [X + 1])
        go = lambda: called(made[1].step, [X], [X + 1], written=[X])  # noqa: E731
    state = made[0].state_dict()
    place = state
    while True:
        key = list(place)[rng.integers(0, len(place))]
        if not isinstance(place[key], dict) or not place[key] or rng.random() < 0.2:
            break
        place = place[key]
    value = place[key]
    kind = int(rng.integers(0, 3))
    if kind == 0:
        del place[key]
    elif isinstance(value, np.ndarray):
        place[key] = hostile(rng, value, 0.7)
    else:
        place[key] = option(rng, [value], 0.9)
    called(made[1].load_state_dict, state)
    return go()


OPTIMIZERS = ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "FTRL"]
SCHEDULES = {
    "Constant": {"lr": 0.1},
    "Cosine": {"lr": 0.1, "n_steps": 10},
    "InverseScaling": {"lr": 0.1},
    "OneCycle": {"max_lr": 0.1, "n_steps": 10},
    "Step": {"lr": 0.1, "every": 2},
}
CALLS = {
    function.__name__: function
    for function in (
        losses,
        linear_objective,
        linear_sgd,
        optimizers,
        estimators,
        parameters,
        states,
    )
}
COUNTS = {
    "losses": 600, "linear_objective": 300, "linear_sgd": 300, "optimizers": 300, "estimators": 40,
    "parameters": 600, "states": 200,
}  # fmt: skip


@pytest.mark.parametrize("subject", CALLS)
def test_calls_are_refused_in_words_or_right(subject):
    refused = 0
    for number in range(COUNTS[subject] * TIMES):
        message = None
        try:
            CALLS[subject](np.random.default_rng([0, number]))
        except Refused as error:
            message = str(error)
        except Exception as error:
            raise AssertionError(
                f"CALLS[{subject!r}](np.random.default_rng([0, {number}]))"
            ) from error
        if message is not None:
            refused += 1
            own_words = subject not in ("estimators", "parameters")
            assert not own_words or NAMED.match(message), (number, message)
    assert 0.1 < refused / (COUNTS[subject] * TIMES) < 0.9
