"""Derivatives by differences, and their own estimate of their error."""

import numpy as np

from fastloss._differences import slopes


def test_differences_of_known_functions():
    x = np.array([-30.0, -1.0, 1e-3, 0.5, 300.0])
    for function, derivative in (
        (np.exp, np.exp),
        (np.sin, np.cos),
        (np.tanh, lambda x: np.cosh(x) ** -2),
    ):
        found, true = slopes(function, x), derivative(x)
        assert np.all(np.abs(found.value - true) <= 10 * found.error)
        inside = slice(1, 4)
        np.testing.assert_allclose(found.value[inside], true[inside], rtol=1e-9)
        assert np.all(found.error[inside] < 1e-9)
        np.testing.assert_array_equal(found.left, found.right)


def test_differences_at_a_kink():
    found = slopes(lambda x: np.abs(x) + x**2, np.array([0.0]))
    np.testing.assert_allclose([found.left, found.right], [[-1.0], [1.0]], rtol=1e-4)
    found = slopes(np.abs, np.array([0.0, 1.0]))
    np.testing.assert_allclose(found.left, [-1.0, 1.0], rtol=1e-12)
    np.testing.assert_allclose(found.right, [1.0, 1.0], rtol=1e-12)


def test_noise_is_no_kink():
    found = slopes(lambda x: np.sin(1e12 * x), np.linspace(-1, 1, 50))
    np.testing.assert_array_equal(found.left, found.right)
    assert (found.error > 1).all()


def test_differences_of_what_is_not_finite():
    found = slopes(np.log, np.array([-5.0]))
    assert found.error[0] == np.inf
