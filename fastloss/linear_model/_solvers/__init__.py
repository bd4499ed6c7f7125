"""Solvers: they know functions of a vector, and neither data nor losses."""

from fastloss.linear_model._solvers.interior_point import piecewise_linear
from fastloss.linear_model._solvers.lbfgs import lbfgs
from fastloss.linear_model._solvers.newton import newton
from fastloss.linear_model._solvers.owlqn import owlqn
from fastloss.linear_model._solvers.proximal_newton import proximal_newton
from fastloss.linear_model._solvers.solution import NotFiniteError, Solution, StopFit

__all__ = [
    "NotFiniteError",
    "Solution",
    "StopFit",
    "lbfgs",
    "newton",
    "owlqn",
    "piecewise_linear",
    "proximal_newton",
]
