"""Every message about parameters of losses, and about classes that are no losses."""

import numpy as np
import pytest
from helpers.calls import METHODS, raises
from references import REFERENCES, case_id

import fastloss as fl

every_loss = pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)


PARAMETERS = [
    (reference.name, key)
    for reference in REFERENCES.values()
    for key in sorted(
        {
            key
            for params in reference.parameters
            for key, value in params.items()
            if not isinstance(value, (str, tuple))
        }
    )
]


# parameters that may be negative, and one that may be infinite
MINUS_INFINITY = {("barron_robust", "alpha")}
SIGNED = MINUS_INFINITY | {("tweedie", "power"), ("tweedie_identity", "power")}
# parameters that may not be in (0, 1)
AT_LEAST_ONE = {("lq", "q"), ("tweedie", "power"), ("tweedie_identity", "power")}


@pytest.mark.parametrize(("name", "key"), PARAMETERS)
def test_parameters_are_finite_numbers(name, key):
    for bad in ("1", None, True, [1.0], 1j, np.array([1.0, 2.0])):
        if bad is None and fl.get_loss(name).params[key] is None:
            continue
        with raises(TypeError, f"{key} = {bad!r}: expected a number"):
            fl.get_loss(name, **{key: bad})
    for bad in (np.nan, np.inf, *([-np.inf] if (name, key) not in MINUS_INFINITY else [])):
        with raises(ValueError, f"{key} = {bad!r}: expected a finite number"):
            fl.get_loss(name, **{key: bad})
    if (name, key) not in SIGNED:
        with pytest.raises(ValueError, match=rf"^{key} = -1\.5: expected a number"):
            fl.get_loss(name, **{key: -1.5})


@pytest.mark.parametrize(("name", "key"), PARAMETERS)
def test_parameters_too_large_for_a_float_are_errors_that_name_them(name, key):
    with pytest.raises(ValueError, match=rf"^{key} = 1000"):
        fl.get_loss(name, **{key: 10**400})


@pytest.mark.parametrize(("name", "key"), PARAMETERS)
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16])
def test_parameters_take_numpy_numbers(name, key, kind):
    value = 1.5 if (name, key) in AT_LEAST_ONE else 0.5
    loss = fl.get_loss(name, **{key: kind(value)})
    assert type(loss.params[key]) is float
    assert loss.params[key] == value


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("huber", {"delta": 0}, "delta = 0: expected a number greater than 0"),
        (
            "log_loss",
            {"pos_weight": 1e300, "cost_fn": 1e300},
            "pos_weight = 1e+300, cost_fn = 1e+300: expected pos_weight * cost_fn of at most "
            "1.79e308",
        ),
        (
            "generalized_cross_entropy",
            {"q": 0.5, "cost_fp": 1.5e308},
            "cost_fp = 1.5e+308, q = 0.5: expected cost_fp / q of at most 1.79e308",
        ),
        (
            "smooth_hinge",
            {"gamma": 0.5, "cost_fn": 1.5e308},
            "cost_fn = 1.5e+308, gamma = 0.5: expected cost_fn / gamma of at most 1.79e308",
        ),
        ("focal", {"hessian": "none"}, "hessian = 'none': expected one of 'exact', 'bounded'"),
        ("focal", {"alpha": 1.5}, "alpha = 1.5: expected a number in [0, 1]"),
        ("asymmetric", {"clip": 1.0}, "clip = 1.0: expected a number in [0, 1)"),
        ("huber", {"delta": -0.0}, "delta = -0.0: expected a number greater than 0"),
        ("pinball", {"quantile": 0.0}, "quantile = 0.0: expected a number in (0, 1)"),
        ("pinball", {"quantile": 1}, "quantile = 1: expected a number in (0, 1)"),
        ("log_loss", {"pos_weight": 0}, "pos_weight = 0: expected a number greater than 0"),
        (
            "log_loss",
            {"label_smoothing": 1.5},
            "label_smoothing = 1.5: expected a number in [0, 1]",
        ),
        ("log_loss", {"cost_fn": 0}, "cost_fn = 0: expected a number greater than 0"),
        ("hinge", {"cost_fp": -2}, "cost_fp = -2: expected a number greater than 0"),
        ("squared_hinge", {"cost_fn": 0.0}, "cost_fn = 0.0: expected a number greater than 0"),
        ("expectile", {"alpha": 1}, "alpha = 1: expected a number in (0, 1)"),
        ("epsilon_insensitive", {"epsilon": -1}, "epsilon = -1: expected a number of at least 0"),
        ("cauchy", {"c": 0}, "c = 0: expected a number in [1e-150, 1e+150]"),
        ("tukey", {"c": 1e151}, "c = 1e+151: expected a number in [1e-150, 1e+150]"),
        ("welsch", {"hessian": "true"}, "hessian = 'true': expected one of 'exact', 'bounded'"),
    ],
)
def test_parameters_out_of_range(name, params, message):
    with raises(ValueError, message):
        fl.get_loss(name, **params)


def test_a_choice_is_a_word():
    with raises(TypeError, "hessian = True: expected one of 'exact', 'bounded'"):
        fl.Cauchy(hessian=True)


def test_get_loss_of_an_unknown_name():
    listing = " (fl.available_losses() lists all)"
    for bad in ("", None, 3, "nothing like it", "weibull"):
        with raises(ValueError, f"name = {bad!r}: expected the name of a loss{listing}"):
            fl.get_loss(bad)
    for bad, near in (
        ("LogLoss", "'log_loss'"),
        ("hubber", "'huber'"),
        ("Poisson", "'poisson'"),
        ("mse", "'squared_error'"),
        ("entropy", "'cross_entropy' or 'binary_cross_entropy' or 'generalized_cross_entropy'"),
    ):
        message = f"name = {bad!r}: expected the name of a loss; did you mean {near}?{listing}"
        with raises(ValueError, message):
            fl.get_loss(bad)


def test_get_loss_with_an_unknown_parameter():
    for name, params, message in (
        (
            "poly1",
            {"epsilom": 2.0},
            "epsilom = 2.0: Poly1 has no such parameter, it has epsilon, hessian, cost_fn, cost_fp; "
            "did you mean 'epsilon'?",
        ),
        (
            "huber",
            {"delta": 1.0, "x": 1},
            "x = 1: Huber has no such parameter, it has delta, hessian",
        ),
        ("squared_error", {"x": 1}, "x = 1: SquaredError has no such parameter, it has none"),
        ("huber", {"delta": "x"}, "delta = 'x': expected a number"),
    ):
        with raises(TypeError, message):
            fl.get_loss(name, **params)


def test_the_base_class_is_not_a_loss():
    base = fl.LogLoss.__base__
    with pytest.raises(TypeError, match=r"^PointwiseLoss has no kernel named ''$"):
        base()

    class Unknown(base):
        name = "unknown"

    with pytest.raises(TypeError, match=r"^Unknown has no kernel named 'unknown'$"):
        Unknown()


@every_loss
def test_without_init_every_method_is_an_error(reference):
    cls = type(fl.get_loss(reference.name))
    loss = cls.__new__(cls)
    for method in METHODS:
        with raises(TypeError, f"{cls.__name__}: __init__ of the base class was not called"):
            getattr(loss, method)([1.0], [1.0])
    with raises(TypeError, f"{cls.__name__}: __init__ of the base class was not called"):
        loss.predict([1.0])
    with raises(TypeError, f"{cls.__name__}: __init__ of the base class was not called"):
        loss.initial_prediction([1.0])
    assert isinstance(repr(loss), str)
    assert isinstance(hash(loss), int)
    assert loss == loss.__class__.__new__(cls)


def test_too_many_kernel_parameters():
    class Greedy(fl.LogLoss.__base__):
        name = "huber"

        def __init__(self):
            super().__init__({}, (1.0,) * 100)

    with pytest.raises(ValueError, match="at most"):
        Greedy()


def test_apply_unary_names_what_it_knows():
    from fastloss._core.vecmath import apply_pow, apply_unary

    with pytest.raises(ValueError, match=r"^name = 'cosh': expected one of exp, "):
        apply_unary("cosh", np.ones(3))
    with pytest.raises(TypeError, match=r"^x has dtype int64: expected float32 or float64$"):
        apply_unary("exp", np.ones(3, dtype=np.int64))
    with raises(ValueError, "y has shape (2,): expected (3,), that of x"):
        apply_pow(np.ones(3), np.ones(2))
