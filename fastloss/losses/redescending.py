"""Robust losses of a residual that are not convex: what is far away hardly counts. Identity link."""

from __future__ import annotations

from fractions import Fraction

from fastloss._bases.pointwise import PointwiseLoss
from fastloss.losses._constants import Vector
from fastloss.losses._kernel_values import natural_log1p, rounded, split, square_root, three_parts
from fastloss.losses._locations import cusp_location, redescending_location
from fastloss.losses._parameters import HESSIANS, between, one_of, parameter, scale

MOST_SLOPE = 10**150  # of Wing, w / eps: its square is a float64


class Cauchy(PointwiseLoss):
    """
    Cauchy (Lorentzian) loss: c**2 / 2 * log1p((r / c)**2), r = raw_prediction - y_true.

    Link: identity. Labels: finite numbers. With q = r / c the gradient is r / (1 + q**2), largest at
    c; the Hessian (1 - q**2) / (1 + q**2)**2 is negative beyond c. Near 0 the loss is r**2 / 2. Not
    convex: `initial_prediction` searches for the lowest minimum. Error at most 3 ULP.

    Next to its zero the exact Hessian has fewer digits: its error there is some 2**-75 (in float32
    2**-44) of its larger term.

    hessian="bounded" reports gradient / r = 1 / (1 + q**2), the weight of iteratively reweighted least
    squares, which second-order boosting can divide by.

    Parameters
    ----------
    c : float
        The scale, in [1e-150, 1e150], in the unit of y_true; 2.385 standard deviations give 95 % of the
        efficiency of the mean on normal data.
    hessian : {"exact", "bounded"}
        The second derivative, or the weight that never is negative.

    References
    ----------
    Black, Anandan, The Robust Estimation of Multiple Motions, 1996.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Cauchy()([0.0, 0.0], [1.0, 1e9]), fl.Cauchy().gradient([0.0], [1e9])
    (10.534919713613192, array([1.e-09]))
    """

    __slots__ = ()
    name = "cauchy"
    c = parameter("c")
    hessian = parameter("hessian")

    def __init__(self, c: float = 1.0, hessian: str = "exact") -> None:
        c, hessian = scale("c", c), one_of("hessian", hessian, HESSIANS)
        exact = Fraction(c)
        values = cauchy_values(split(1 / exact), exact**2 / 2, Fraction(1), hessian)
        super().__init__({"c": c, "hessian": hessian}, values)

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return redescending_location(self, labels, weights)


class StudentT(PointwiseLoss):
    """
    Negative log-likelihood of Student's t: (df + 1) / 2 * log1p(r**2 / (df * scale**2)).

    Without its constant, in nats; r = raw_prediction - y_true. Link: identity. Labels: finite numbers.
    With c = scale * sqrt(df), q = r / c and d = (df + 1) / c**2 the gradient is d * r / (1 + q**2); the
    Hessian d * (1 - q**2) / (1 + q**2)**2 is negative beyond c. Not convex: `initial_prediction`
    searches for the lowest minimum. Error at most 3 ULP, of the Hessian at most 4.

    Next to its zero the exact Hessian has fewer digits: its error there is some 2**-75 (in float32
    2**-44) of its larger term.

    hessian="bounded" reports gradient / r = d / (1 + q**2), the weight of iteratively reweighted least
    squares, which second-order boosting can divide by.

    Parameters
    ----------
    df : float
        Degrees of freedom, in [1e-100, 1e100]; the fewer, the heavier the tails.
    scale : float
        The scale of the residuals, in [1e-100, 1e100], in the unit of y_true.
    hessian : {"exact", "bounded"}
        The second derivative, or the weight that never is negative.

    References
    ----------
    Lange, Little, Taylor, Robust Statistical Modeling Using the t Distribution, 1989.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.StudentT(df=3.0)([0.0], [3.0])
    2.772588722239781
    """

    __slots__ = ()
    name = "student_t"
    df = parameter("df")
    scale = parameter("scale")
    hessian = parameter("hessian")

    def __init__(self, df: float = 4.0, scale: float = 1.0, hessian: str = "exact") -> None:
        df, scale = between("df", df, 1e-100, 1e100), between("scale", scale, 1e-100, 1e100)
        hessian = one_of("hessian", hessian, HESSIANS)
        freedom = Fraction(df)
        inverse_square = 1 / (freedom * Fraction(scale) ** 2)
        values = cauchy_values(
            split(square_root(inverse_square)),
            (freedom + 1) / 2,
            (freedom + 1) * inverse_square,
            hessian,
        )
        super().__init__({"df": df, "scale": scale, "hessian": hessian}, values)

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return redescending_location(self, labels, weights)


class Welsch(PointwiseLoss):
    """
    Welsch (Leclerc, correntropy) loss: c**2 / 2 * (1 - exp(-q**2)), q = r / c.

    r = raw_prediction - y_true. Link: identity. Labels: finite numbers. The gradient is
    r * exp(-q**2); the Hessian (1 - 2 * q**2) * exp(-q**2) is negative beyond c / sqrt(2). Near 0 the
    loss is r**2 / 2, far out c**2 / 2. Not convex: `initial_prediction` searches for the lowest
    minimum. Error at most 3 ULP; where exp(-q**2) is below the smallest number, gradient and Hessian
    are 0.

    Next to its zero the exact Hessian has fewer digits: its error there is some 2**-75 (in float32
    2**-44) of its larger term.

    hessian="bounded" reports gradient / r = exp(-q**2), the weight of iteratively reweighted least
    squares, which second-order boosting can divide by.

    Parameters
    ----------
    c : float
        The scale, in [1e-150, 1e150], in the unit of y_true; 2.985 standard deviations give 95 % of the
        efficiency of the mean on normal data.
    hessian : {"exact", "bounded"}
        The second derivative, or the weight that never is negative.

    References
    ----------
    Dennis, Welsch, Techniques for Nonlinear Least Squares and Robust Regression, 1978.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Welsch()([0.0, 0.0], [1e-9, 100.0])
    0.25
    """

    __slots__ = ()
    name = "welsch"
    c = parameter("c")
    hessian = parameter("hessian")

    def __init__(self, c: float = 1.0, hessian: str = "exact") -> None:
        c, hessian = scale("c", c), one_of("hessian", hessian, HESSIANS)
        exact, bend = Fraction(c), -2.0 if hessian == "exact" else 0.0
        values = (*split(1 / exact), *split(exact**2 / 2), bend)
        super().__init__({"c": c, "hessian": hessian}, values)

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return redescending_location(self, labels, weights)


class GemanMcClure(PointwiseLoss):
    """
    Geman-McClure loss: r**2 / 2 / (1 + q**2), q = r / c, r = raw_prediction - y_true.

    Link: identity. Labels: finite numbers. The gradient is r / (1 + q**2)**2; the Hessian
    (1 - 3 * q**2) / (1 + q**2)**3 is negative beyond c / sqrt(3). Near 0 the loss is r**2 / 2, far out
    c**2 / 2; Barron's general loss at alpha = -2 is this with a c half as large. Not convex:
    `initial_prediction` searches for the lowest minimum. Error at most 3 ULP.

    Next to its zero the exact Hessian has fewer digits: its error there is some 2**-75 (in float32
    2**-44) of its larger term.

    hessian="bounded" reports gradient / r = 1 / (1 + q**2)**2, the weight of iteratively reweighted
    least squares, which second-order boosting can divide by.

    Parameters
    ----------
    c : float
        The scale, in [1e-150, 1e150], in the unit of y_true.
    hessian : {"exact", "bounded"}
        The second derivative, or the weight that never is negative.

    References
    ----------
    Geman, McClure, Bayesian Image Analysis: An Application to Single Photon Emission Tomography, 1985.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.GemanMcClure()([0.0, 0.0], [1.0, 1e9])
    0.375
    """

    __slots__ = ()
    name = "geman_mc_clure"
    c = parameter("c")
    hessian = parameter("hessian")

    def __init__(self, c: float = 1.0, hessian: str = "exact") -> None:
        c, hessian = scale("c", c), one_of("hessian", hessian, HESSIANS)
        exact, bend = Fraction(c), -3.0 if hessian == "exact" else 1.0
        values = (*split(1 / exact), rounded(exact**2 / 2), bend)
        # its kernel's gradient is 0 from abs(q) = 2**62 on, in float32, where it is c / abs(q)**3
        super().__init__({"c": c, "hessian": hessian}, values, beyond_float32=c > 1 << 60)

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return redescending_location(self, labels, weights)


class Tukey(PointwiseLoss):
    """
    Tukey's biweight: c**2 / 6 * (1 - (1 - q**2)**3) where abs(q) < 1, else c**2 / 6; q = r / c.

    r = raw_prediction - y_true. Link: identity. Labels: finite numbers. The gradient is
    r * (1 - q**2)**2 and the Hessian (1 - q**2) * (1 - 5 * q**2), negative beyond c / sqrt(5); both are
    0 from c on. Near 0 the loss is r**2 / 2. Not convex: `initial_prediction` searches for the lowest
    minimum. Error at most 4 ULP, where c - abs(r) is below 2**-16 * c; else 3.

    Next to its zero at c / sqrt(5) the exact Hessian has fewer digits: its error there is some 2**-75
    (in float32 2**-44) of its larger term. Next to that at c it keeps them.

    hessian="bounded" reports gradient / r = (1 - q**2)**2, the weight of iteratively reweighted least
    squares, which second-order boosting can divide by.

    Parameters
    ----------
    c : float
        Where the tails begin, in [1e-150, 1e150], in the unit of y_true; 4.685 standard deviations give
        95 % of the efficiency of the mean on normal data.
    hessian : {"exact", "bounded"}
        The second derivative, or the weight that never is negative.

    References
    ----------
    Beaton, Tukey, The Fitting of Power Series, 1974.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Tukey(c=2.0)([0.0, 0.0], [1.0, 10.0])
    0.5260416666666666
    """

    __slots__ = ()
    name = "tukey"
    c = parameter("c")
    hessian = parameter("hessian")

    def __init__(self, c: float = 4.685, hessian: str = "exact") -> None:
        c, hessian = scale("c", c), one_of("hessian", hessian, HESSIANS)
        exact, bend = Fraction(c), -4.0 if hessian == "exact" else 0.0
        values = (
            *split(1 / exact),
            *three_parts(c),
            rounded(exact**2 / 6),
            bend,
            bend - 1.0,
        )
        super().__init__({"c": c, "hessian": hessian}, values)

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return redescending_location(self, labels, weights)


class Wing(PointwiseLoss):
    """
    Wing loss, which enlarges small and medium errors: w * log1p(abs(r) / eps), linear from w on.

    abs(r) - C where abs(r) >= w, with C = w - w * log1p(w / eps) and r = raw_prediction - y_true.
    Link: identity. Labels: finite numbers. The gradient is sign(r) * w / (eps + abs(r)), 0 at r = 0,
    and sign(r) outside; the Hessian -w / (eps + abs(r))**2, negative everywhere inside, and 0
    outside: not for second-order boosting. Not convex: `initial_prediction` searches for the lowest
    minimum. Error at most 3 ULP.

    Parameters
    ----------
    w : float
        Where the straight line begins, in [1e-100, 1e100], in the unit of y_true.
    eps : float
        The curvature: the slope at 0 is w / eps, at most 1e150. In [1e-100, 1e100], in the unit of
        y_true.

    References
    ----------
    Feng, Kittler, Awais, Huber, Wu, Wing Loss for Robust Facial Landmark Localisation, 2018.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Wing()([0.0, 0.0], [1.0, 12.0])
    11.986122886681096
    """

    __slots__ = ()
    name = "wing"
    w = parameter("w")
    eps = parameter("eps")

    def __init__(self, w: float = 10.0, eps: float = 2.0) -> None:
        w, eps = between("w", w, 1e-100, 1e100), between("eps", eps, 1e-100, 1e100)
        width, curvature = Fraction(w), Fraction(eps)
        if width / curvature > MOST_SLOPE:
            raise ValueError(f"w / eps = {w!r} / {eps!r}: expected at most 1e+150")
        offset = width - width * natural_log1p(width / curvature)
        values = (
            *split(1 / curvature),
            *split(width),
            *split(offset),
            rounded(width / curvature),
            rounded(-width / curvature**2),
        )
        # abs(r) / eps is up to 2**62 in its kernel, whose square is a float32
        beyond = width / curvature > 1 << 62
        super().__init__({"w": w, "eps": eps}, values, beyond_float32=beyond)

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return cusp_location(self, labels, weights, self.w)


def cauchy_values(
    inverse: tuple[float, float], factor: Fraction, curvature: Fraction, hessian: str
) -> tuple[float, ...]:
    """Return the parameters of src/losses/cauchy.h: 1 / c, a and d in two parts, 2 a, -1 or 1."""
    bend = -1.0 if hessian == "exact" else 1.0
    return (*inverse, *split(factor), *split(curvature), rounded(2 * factor), bend)
