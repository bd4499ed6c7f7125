"""Stochastic gradient descent on linear models, and one step on parameters."""
