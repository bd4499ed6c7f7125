"""Gradients and Hessians are derivatives: of the references, and of the kernels' losses."""

import numpy as np
import pytest
from mpmath import mp
from references import CASES, case_id
from references.base import exactly, labels_of

import fastloss as fl


def smooth_points(reference, params, n=12):
    """Points well away from every kink."""
    rng = np.random.default_rng(5)
    exact = exactly(params)
    points = []
    while len(points) < n:
        y = mp.mpf(float(labels_of(reference.labels_for(params), rng, 1)[0]))
        f = rng.uniform(-30, 30) if len(points) % 2 else rng.uniform(-3, 3)
        f = mp.mpf(float(reference.well_inside(f)))
        kinks = reference.kinks(y, f, **exact)
        if all(abs(f - kink) > mp.mpf("1e-3") for kink in kinks):
            points.append((y, f))
    return points


@pytest.mark.parametrize(("reference", "params"), CASES, ids=case_id)
def test_references_are_derivatives(reference, params):
    """A wrong formula in tests/references must not vouch for a wrong kernel."""
    with mp.workprec(300):
        exact = exactly(params)
        step = mp.mpf(2) ** -70  # central differences: the error is about step**2 = 1e-42
        for y, f in smooth_points(reference, params):

            def slope(formula, y=y, f=f):
                rise = formula(y, f + step, **exact) - formula(y, f - step, **exact)
                return rise / (2 * step)

            gradient = reference.gradient(y, f, **exact)
            assert abs(slope(reference.loss) - gradient) <= mp.mpf("1e-35") * (1 + abs(gradient))
            if reference.has_true_hessian(params):
                hessian = reference.hessian(y, f, **exact)
                curvature = slope(reference.gradient)
                assert abs(curvature - hessian) <= mp.mpf("1e-35") * (1 + abs(hessian))


@pytest.mark.parametrize(("reference", "params"), CASES, ids=case_id)
def test_kernel_gradient_is_the_slope_of_the_kernel_loss(reference, params):
    points = smooth_points(reference, params)
    y = np.array([float(y) for y, _ in points])
    f = np.array([float(f) for _, f in points])
    loss = fl.get_loss(reference.name, **params)
    step = 2.0**-17
    up, down = loss.loss(y, f + step, reduction="none"), loss.loss(y, f - step, reduction="none")
    gradient, hessian = loss.gradient_hessian(y, f, reduction="none")
    term = reference.largest_term.get("loss")
    size = np.abs(up) if term is None else reference.float64_of(term, y, f, params)
    # rounding of the two losses over the step, and the third derivative times its square
    tolerance = 2.0**17 * 4e-16 * (size + np.abs(y * f)) + 1e-8 * (
        np.abs(gradient) + np.abs(hessian)
    )
    assert np.all(np.abs((up - down) / (2 * step) - gradient) <= tolerance + 1e-300)
    if reference.has_true_hessian(params):
        up = loss.gradient(y, f + step, reduction="none")
        down = loss.gradient(y, f - step, reduction="none")
        tolerance = 2.0**17 * 4e-16 * (np.abs(up) + np.abs(y)) + 1e-8 * (
            np.abs(gradient) + np.abs(hessian)
        )
        assert np.all(np.abs((up - down) / (2 * step) - hessian) <= tolerance + 1e-300)


@pytest.mark.parametrize(("reference", "params"), CASES, ids=case_id)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_differentiates_what_loss_returns(reference, params, reduction, weighted):
    """Under mean and sum, with and without weights: against the float that is returned."""
    points = smooth_points(reference, params, n=6)
    y = np.array([float(y) for y, _ in points])
    f = reference.well_inside(np.array([float(f) / 10 for _, f in points]))
    weight = np.array([0.5, 2.0, 0.0, 1.0, 3.25, 0.125]) if weighted else None
    loss = fl.get_loss(reference.name, **params)
    gradient = loss.gradient(y, f, weight, reduction=reduction)
    step = 2.0**-16
    for i in range(len(f)):
        if any(
            abs(f[i] - float(kink)) <= 2 * step
            for kink in reference.kinks(mp.mpf(y[i]), mp.mpf(f[i]), **params)
        ):
            continue
        shifted = [f.copy(), f.copy()]
        shifted[0][i] += step
        shifted[1][i] -= step
        up, down = (loss.loss(y, shift, weight, reduction=reduction) for shift in shifted)
        tolerance = (
            2.0**16 * 1e-15 * abs(up) + 1e-7 * abs(gradient[i]) + 1e-9 * (reduction == "sum")
        )
        assert abs((up - down) / (2 * step) - gradient[i]) <= tolerance
