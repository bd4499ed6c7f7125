"""FTRL-proximal."""

from __future__ import annotations

from fastloss.losses._parameters import nonnegative, positive, truth
from fastloss.optim._optimizer import FTRL_REBASE, Optimizer
from fastloss.optim._settings import Schedule, checked_rate, setting, sign


class FTRL(Optimizer):
    """
    FTRL-proximal: follow the regularized leader; sparse solutions from an L1 penalty.

    Algorithm 1 of McMahan et al. (2013), per coordinate::

        sigma = (sqrt(n + grad**2) - sqrt(n)) / lr
        z += grad - sigma * param
        n += grad**2
        param = 0 if abs(z) <= l1 else -(z - sign(z) * l1) / ((beta + sqrt(n)) / lr + l2)

    Parameters
    ----------
    lr : float or callable
        The paper's alpha, greater than 0, or a schedule: see `fastloss.optim.schedules`.
    beta : float
        Greater than 0; lowers the rate of the first steps.
    l1, l2 : float
        Penalties, at least 0, on the sum of sizes and half the sum of squares.
    maximize : bool
        Climb instead of descending.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    The parameters are a function of z and n. The first step begins at the values it finds: z is set
    such that it gives them. Later changes from outside are lost where lr is a number and rows are not
    updated singly. A change of the rate leaves the parameters where they are.

    References
    ----------
    McMahan et al., Ad click prediction: a view from the trenches, KDD 2013.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> optimizer = fl.optim.FTRL(lr=0.5, l1=1.0)
    >>> weights = np.zeros(2)
    >>> optimizer.step(weights, np.array([3.0, -0.5]))
    >>> weights
    array([-0.25,  0.  ])
    """

    beta = setting("beta")
    l1 = setting("l1")
    l2 = setting("l2")
    maximize = setting("maximize")

    def __init__(
        self,
        lr: float | Schedule = 0.1,
        beta: float = 1.0,
        l1: float = 0.0,
        l2: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {
            "lr": checked_rate("lr", lr),
            "beta": positive("beta", beta),
            "l1": nonnegative("l1", l1),
            "l2": nonnegative("l2", l2),
            "maximize": truth("maximize", maximize),
        }
        if not callable(lr):
            positive("lr", lr)
        super().__init__("ftrl", settings, ("z", "n"), rebase=FTRL_REBASE)

    def _numbers(self, step: int, lr: float) -> tuple[float, ...]:
        s = self.settings
        if lr <= 0:
            raise ValueError(f"lr = {lr!r} in step {step}: FTRL needs a number greater than 0")
        return (sign(s["maximize"]), 0.0, 1 / lr, s["beta"] / lr + s["l2"], s["l1"])
