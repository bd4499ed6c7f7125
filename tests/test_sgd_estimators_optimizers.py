"""SGDClassifier and SGDRegressor with optimizers: torch's steps, in the one loop of epochs."""

import pickle

import numpy as np
import pytest
from helpers.optimizers import NAMES, TORCH_NAMES, Reference
from scipy import sparse
from sklearn.base import clone

import fastloss as fl
from fastloss.linear_model import SGDClassifier, SGDRegressor, _sgd_checkpoint

rng = np.random.default_rng(4)
N, D, C = 100, 6, 3
X = rng.normal(size=(N, D)) * (rng.random((N, D)) < 0.6)
F = X @ rng.normal(size=(D, C)) + rng.normal(size=(N, C))
CLASSES = F.argmax(axis=1)
NUMBERS = F[:, 0]
ALPHA = 0.02
PLAIN = {"shuffle": False, "max_iter": 3, "tol": None, "batch_size": 16}


def gradient(kind, y, f):
    """Derivatives of the losses by the raw predictions, of one block."""
    if kind == "numbers":
        return f - y[:, None]
    if kind == "cross_entropy":
        p = np.exp(f - f.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True) - (y[:, None] == np.arange(C))
    return 1 / (1 + np.exp(-f)) - (y[:, None] == np.arange(C))


def batches(epochs=3, size=16):
    return [slice(start, start + size) for start in range(0, N, size)] * epochs


def estimator(kind, **options):
    if kind == "numbers":
        return SGDRegressor(**PLAIN, **options)
    return SGDClassifier(kind, **PLAIN, **options)


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("kind", ["numbers", "log_loss", "cross_entropy"])
@pytest.mark.parametrize("name", TORCH_NAMES[1:])
def test_fits_are_those_of_torch(name, kind, layout):
    torch = pytest.importorskip("torch")
    y = NUMBERS if kind == "numbers" else CLASSES
    K = 1 if kind == "numbers" else C
    coef, intercept = torch.zeros(K, D).double(), torch.zeros(K).double()
    groups = [{"params": [coef], "weight_decay": ALPHA}]
    groups.append({"params": [intercept], "weight_decay": 0.0})
    optimizer = getattr(torch.optim, name)(groups, lr=0.03, eps=1e-6)
    for rows in batches():
        f = X[rows] @ coef.numpy().T + intercept.numpy()
        g = gradient(kind, y[rows], f) / len(f)
        coef.grad, intercept.grad = torch.from_numpy(g.T @ X[rows]), torch.from_numpy(g.sum(axis=0))
        optimizer.step()
    own = {} if name != "AdamW" else {"weight_decay": 0.0}
    instance = getattr(fl.optim, name)(lr=0.03, eps=1e-6, **own)
    model = estimator(kind, optimizer=instance, alpha=ALPHA).fit(layout(X), y)
    np.testing.assert_allclose(model.coef_.reshape(K, D), coef.numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(model.intercept_, intercept.numpy(), rtol=1e-12, atol=1e-12)
    assert np.abs(model.coef_).max() > 0.1


@pytest.mark.parametrize("name", NAMES[1:])
def test_names_are_instances_at_eta0(name):
    own = {"weight_decay": 0.0} if name == "AdamW" else {}
    make = getattr(fl.optim, name)
    rates = {
        "constant": 0.2,
        "optimal": 0.2,
        "invscaling": fl.optim.InverseScaling(0.2, 0.3),
    }
    for learning_rate, lr in rates.items():
        named, given = (
            estimator("cross_entropy", optimizer=optimizer, **options).fit(X, CLASSES)
            for optimizer, options in (
                (name.lower(), {"learning_rate": learning_rate, "eta0": 0.2, "power_t": 0.3}),
                (make(lr=lr, **own), {}),
            )
        )
        assert np.array_equal(named.coef_, given.coef_)
        assert np.array_equal(named.intercept_, given.intercept_)
        steps = np.array([7, 14, 21])
        expected = 0.2 / steps**0.3 if learning_rate == "invscaling" else [0.2] * 3
        np.testing.assert_allclose(named.history_.learning_rate, expected, rtol=1e-14)


def test_ftrl_has_both_penalties():
    """McMahan's: against the sum of the losses of all steps, not of the intercept."""
    references = [
        Reference("FTRL", np.zeros(D), lr=0.3, l1=0.4, l2=1.2),
        Reference("FTRL", np.zeros(1), lr=0.3),
    ]
    for rows in batches():
        f = X[rows] @ references[0].param.astype(float) + references[1].param.astype(float)
        g = (f - NUMBERS[rows]) / len(f)
        references[0].step(g @ X[rows])
        references[1].step(g.sum(keepdims=True))
    options = {"penalty": "elasticnet", "alpha": 1.6, "l1_ratio": 0.25}
    for matrix in (X, sparse.csr_array(X)):
        model = estimator("numbers", optimizer=fl.optim.FTRL(lr=0.3), **options).fit(
            matrix, NUMBERS
        )
        np.testing.assert_allclose(
            model.coef_, references[0].param.astype(float), rtol=1e-12, atol=1e-12
        )
        np.testing.assert_allclose(model.intercept_, references[1].param.astype(float), rtol=1e-12)
    assert (model.history_.objective == model.history_.train_loss).all()
    assert 0 < np.count_nonzero(model.coef_) <= D


def test_losses_of_numbers_as_classifiers():
    """One machine for each class, of which each has a state of its own."""
    model = estimator("huber", optimizer="adam", eta0=0.1).fit(X, CLASSES)
    for k in range(C):
        alone = estimator("huber", optimizer="adam", eta0=0.1).fit(X, k == CLASSES)
        assert np.array_equal(model.coef_[k], alone.coef_[0])


def test_adaptive_rates_are_divided():
    model = SGDClassifier(
        "log_loss", optimizer=fl.optim.Adam(lr=0.5), learning_rate="adaptive", batch_size=10,
        max_iter=200, random_state=0,
    ).fit(X, CLASSES)  # fmt: skip
    assert model.history_.converged
    assert model.history_.learning_rate[0] == 0.5
    assert model.history_.learning_rate[-1] <= 1e-6


@pytest.mark.parametrize("optimizer", ["adam", "ftrl", fl.optim.RMSprop(lr=0.05, momentum=0.5)])
def test_streams_have_the_bits_of_arrays(optimizer):
    def parts():
        for start in range(0, N, 32):
            yield X[start : start + 32], CLASSES[start : start + 32]

    whole = estimator("cross_entropy", optimizer=optimizer, average=20).fit(X, CLASSES)
    streamed = estimator("cross_entropy", optimizer=optimizer, average=20).fit(parts)
    online = estimator("cross_entropy", optimizer=optimizer, average=20)
    for A, b in [*parts(), *parts(), *parts()]:
        online.partial_fit(A, b, classes=range(C))
        online = pickle.loads(pickle.dumps(online))
    for model in (streamed, online):
        assert np.array_equal(model.coef_, whole.coef_)
        assert np.array_equal(model.intercept_, whole.intercept_)


@pytest.mark.parametrize("name", NAMES)
def test_checkpoints_keep_the_state_of_the_optimizer(tmp_path, name):
    path = tmp_path / "state"
    schedule = fl.optim.Cosine(0.2, 100)
    options = {
        "batch_size": 8,
        "max_iter": 6,
        "tol": None,
        "random_state": 0,
        "early_stopping": True,
    }
    options.update(optimizer=getattr(fl.optim, name)(lr=schedule), restore_best=True)

    def interrupt(progress):
        if progress.iteration == 3:
            raise KeyboardInterrupt

    model = SGDClassifier("log_loss", **options)
    with pytest.warns(UserWarning, match="interrupted after 3 epochs"):
        model.fit(X, CLASSES, callback=interrupt, checkpoint=path, checkpoint_every=0)
    other = clone(model).set_params(optimizer=fl.optim.SGD(lr=schedule, dampening=0.5))
    with pytest.raises(ValueError, match=r"written by a fit with optimizer = .*Cosine"):
        other.fit(X, CLASSES, checkpoint=path)
    resumed = clone(model).fit(X, CLASSES, checkpoint=path)
    whole = clone(model).fit(X, CLASSES)
    assert np.array_equal(resumed.coef_, whole.coef_)
    assert np.array_equal(resumed.intercept_, whole.intercept_)
    assert np.array_equal(resumed.history_.learning_rate, whole.history_.learning_rate)
    assert _sgd_checkpoint.load(path) is None


def test_another_optimizer_goes_on_from_the_coefficients():
    """Its state begins anew; that of a changed rate goes on."""
    model = SGDRegressor(optimizer="adam", eta0=1e-9, learning_rate="constant", shuffle=False)
    model.partial_fit(X, NUMBERS, sample_weight=np.ones(N))
    model.set_params(optimizer=fl.optim.SGD(lr=0.1)).partial_fit(X, NUMBERS)
    learnt = model.coef_
    assert np.abs(learnt).max() > 0.1
    for optimizer in ("adagrad", "rmsprop", "ftrl", "adam", "sgd"):
        model.set_params(optimizer=optimizer).partial_fit(X[:10], NUMBERS[:10])
        np.testing.assert_allclose(model.coef_, learnt, atol=1e-6)
    optimizer = fl.optim.Adam(lr=1e-9)
    model.set_params(optimizer=optimizer).partial_fit(X[:10], NUMBERS[:10])
    optimizer.lr = 0.1  # in place
    model.partial_fit(X[:10], NUMBERS[:10])
    assert np.abs(model.coef_ - learnt).max() > 0.1


def test_clones_and_text():
    optimizer = fl.optim.Adam(lr=0.05)
    model = SGDClassifier(optimizer=optimizer)
    assert "optimizer=Adam(lr=0.05" in repr(model)
    assert repr(SGDClassifier(optimizer="adam")) == "SGDClassifier(optimizer='adam')"
    assert repr(SGDClassifier()) == "SGDClassifier()"
    copy = clone(model)
    assert copy.optimizer is not optimizer
    assert repr(copy.optimizer) == repr(optimizer)
    before = optimizer.state_dict()
    model.fit(X, CLASSES)
    assert model.optimizer is optimizer
    assert optimizer.state_dict() == before
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "adamax"}, "optimizer = 'adamax': expected one of 'sgd', 'adam'"),
        ({"optimizer": "adam", "penalty": "l1"}, "penalty = 'l1': optimizer = 'adam' has no L1"),
        (
            {"optimizer": fl.optim.SGD(), "penalty": "elasticnet"},
            "penalty = 'elasticnet': optimizer = SGD",
        ),
        ({"optimizer": "adam", "momentum": 0.9}, "momentum = 0.9: belongs to optimizer='sgd'"),
        ({"optimizer": "adam", "nesterov": True}, "nesterov = True: belongs to"),
        ({"optimizer": "adam", "learning_rate": "pa1"}, "learning_rate = 'pa1': expected"),
        (
            {"optimizer": "adam", "learning_rate": "invscaling", "power_t": -0.5},
            "power_t = -0.5: expected",
        ),
        (
            {"optimizer": fl.optim.Adam(fl.optim.Cosine(1.0, 9)), "learning_rate": "adaptive"},
            "learning_rate = 'adaptive': optimizer = Adam",
        ),
        ({"optimizer": fl.optim.Adam(maximize=True)}, "expected maximize=False"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match="^.*" + message.replace("(", r"\(")):
        SGDClassifier(**options).fit(X, CLASSES)


def test_wrong_types():
    for optimizer in (None, 3, fl.optim.Adam):
        with pytest.raises(TypeError, match=r"optimizer = .*: expected 'sgd', .* or an instance"):
            SGDRegressor(optimizer=optimizer).fit(X, NUMBERS)
