"""The optimizer of a `LinearSGD`: what its steps are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss.losses._parameters import positive
from fastloss.optim import FTRL, SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

_KINDS = (SGD, Adam, AdamW, Adagrad, RMSprop, FTRL)
_Array = npt.NDArray[Any]


class LinearOptimizer:
    """
    Copies of an optimizer, for coefficients and for intercepts, which are not penalised.

    Parameters
    ----------
    optimizer : Optimizer
        Of fastloss.optim; only its settings are read.
    l1, l2 : float
        Penalties that join its own.

    Attributes
    ----------
    coef, intercept : Optimizer
        They prepare the numbers of the steps; the state is elsewhere.
    eta0 : float
        The first rate.
    varies : bool
        Whether each step has numbers of its own.
    idles : bool
        Whether a gradient of 0 leaves a coefficient and its state as they are.
    """

    def __init__(self, optimizer: Optimizer, l1: float, l2: float) -> None:
        kind: Any = type(optimizer)
        if kind not in _KINDS:
            raise TypeError(
                f"optimizer = {optimizer!r}: expected an instance of fastloss.optim."
                f"{', '.join(each.__name__ for each in _KINDS[:-1])} or {_KINDS[-1].__name__}"
            )
        settings = optimizer.settings
        if settings["maximize"]:
            raise ValueError(f"optimizer = {optimizer!r}: expected maximize=False, for a loss")
        if kind is FTRL:
            own = {"l1": settings["l1"] + l1, "l2": settings["l2"] + l2}
        elif l1:
            raise ValueError(
                f"optimizer = {optimizer!r}: has no L1 penalty; expected penalty 'l2' or None, or "
                "FTRL"
            )
        else:
            own = {"weight_decay": settings["weight_decay"] + l2}
        self.coef: Any = kind(**{**settings, **own})
        self.intercept: Any = kind(**{**settings, **dict.fromkeys(own, 0.0)})
        self.scheduled = callable(settings["lr"])
        self.eta0 = self.coef._rate(0) if self.scheduled else positive("lr", settings["lr"])
        self.varies = self.scheduled or kind in (Adam, AdamW) or bool(settings.get("lr_decay"))
        self.idles = kind is FTRL or (
            kind in (SGD, Adagrad) and not own["weight_decay"] and not settings.get("momentum")
        )

    def begin(self, state: dict[str, Any]) -> None:
        """Add what the steps remember to the state of a `LinearSGD`."""
        _, names, _, initial = self.coef._recipe
        n_outputs = len(state["coef"])
        intercepts = np.zeros((len(names), n_outputs))
        intercepts[0] = initial
        for k, name in enumerate(names):
            state[f"moment_{k}"] = None if name is None else np.zeros_like(state["coef"])
        if initial:
            state["moment_0"][...] = initial
        state.update(
            intercept_moments=intercepts,
            optimizer=type(self.coef).__name__,
            optimizer_steps=0,
            rebase=self.scheduled,
            eta=self.eta0,
        )

    def moved(self, state: dict[str, Any], moments: _Array | None) -> None:
        """Take note that a rate was changed, or what FTRL takes for a function of its states."""
        if type(self.coef) is FTRL:
            state["rebase"] = True
            if moments is not None:
                moments[...] = 0.0

    def numbers(self, done: int, count: int, eta: float) -> tuple[_Array, _Array]:
        """Return the numbers of the kernel of the next steps, for coefficients and intercepts."""
        rates = [eta]
        if self.scheduled:
            rates = [self.coef._rate(step) for step in range(done, done + count)]
        elif self.varies:
            rates = [eta] * count
        coef: _Array = self.coef._step_numbers(done + 1, rates)
        if self.coef.settings == self.intercept.settings:
            return coef, coef
        return coef, self.intercept._step_numbers(done + 1, rates)

    def last_rate(self, done: int, eta: float) -> float:
        """Return the rate of the last of so many steps."""
        return float(self.coef._rate(done - 1)) if self.scheduled and done else eta
