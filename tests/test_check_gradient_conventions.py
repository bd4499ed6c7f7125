"""fl.check_gradient: Hessians that are no derivative on purpose."""

import numpy as np
import pytest
from helpers.wrapped_loss import data
from references import REFERENCES
from references.rows import ROW_REFERENCES

import fastloss as fl

RNG = np.random.default_rng(17)


CONVENTIONS = (
    fl.AbsoluteError(),
    fl.SmoothL1(beta=0.0),
    fl.Lq(1.0),
    fl.Hinge(),
    fl.Perceptron(),
    fl.EpsilonInsensitive(),
)


@pytest.mark.parametrize("loss", CONVENTIONS, ids=repr)
def test_a_hessian_by_convention_is_not_compared(loss):
    y, f = data(50)
    check = fl.check_gradient(loss, y, f, hessian=True)
    assert check.ok
    assert check.hessian is None
    assert check.convention == f"a convention of {type(loss).__name__}: not a derivative"
    assert str(check).endswith(f"hessian: not compared, {check.convention}")
    assert not fl.check_gradient(loss, y, f).convention


def test_a_convention_of_one_parameter_is_none_of_the_others():
    f = RNG.normal(size=30)
    for loss in (fl.SmoothL1(beta=0.5), fl.Lq(2.0)):
        assert fl.check_gradient(loss, np.zeros(30), f, hessian=True).hessian is not None
    scores, y = RNG.normal(size=(30, 3)), RNG.integers(0, 3, 30)
    assert fl.check_gradient(fl.MulticlassHinge(p=1), y, scores, hessian=True).convention
    check = fl.check_gradient(fl.MulticlassHinge(p=2), y, scores, hessian=True)
    assert check.hessian is not None
    assert not check.convention


@pytest.mark.parametrize("loss", [fl.OneVsRest(fl.Hinge()), fl.OneVsRest(fl.LogLoss())], ids=repr)
def test_the_convention_of_a_loss_within(loss):
    check = fl.check_gradient(loss, [0, 1, 2], RNG.normal(size=(3, 3)), hessian=True)
    assert check.ok
    assert bool(check.convention) == isinstance(loss.params["loss"], fl.Hinge)


def test_a_bounded_hessian_is_not_compared():
    y, f = data(50)
    for loss in (fl.Focal(hessian="bounded"), fl.OneVsRest(fl.Focal(hessian="bounded"))):
        rows = isinstance(loss, fl.OneVsRest)
        given = (np.zeros(10, int), f.reshape(10, 5)) if rows else (y, f)
        check = fl.check_gradient(loss, *given, hessian=True)
        assert check.ok
        assert check.convention == "bounded: not a derivative"
    assert fl.check_gradient(fl.Focal(), y, f, hessian=True).hessian is not None


def test_all_conventions_are_named():
    """Those of the references, which say whose Hessian is the derivative of the gradient."""
    for reference in (*REFERENCES.values(), *ROW_REFERENCES):
        loss = fl.get_loss(reference.name)
        derivative = (
            reference.has_true_hessian({})
            if reference.name in REFERENCES
            else reference.hessian_is_derivative
        )
        assert getattr(loss, "_hessian_by_convention", False) == (not derivative), reference
