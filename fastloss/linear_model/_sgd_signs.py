"""Losses of numbers as classifiers: a class's own samples are 1, all others -1."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import fastloss as fl


class SignMachines:
    """
    One `LinearSGD` for two classes, or one for each of several, with the interface of one.

    Parameters
    ----------
    loss : loss
        Of numbers.
    n_features, n_classes : int
        Features and classes.
    class_weight : ndarray of shape (n_classes,) or None
        Weights of the samples of two classes; of each of several classes' own samples.
    **options
        As for `LinearSGD`.
    """

    def __init__(
        self,
        loss: Any,
        n_features: int,
        *,
        n_classes: int,
        class_weight: npt.NDArray[np.float64] | None = None,
        **options: Any,
    ) -> None:
        self.own = [1] if n_classes == 2 else list(range(n_classes))
        self.machines = [fl.LinearSGD(loss, n_features, **options) for _ in self.own]
        self.dtype = np.dtype(options["dtype"])
        self.factors = None  # of the other samples and the own ones, for each machine
        if class_weight is not None:
            others = class_weight[0] if n_classes == 2 else 1.0
            self.factors = [(others, class_weight[k]) for k in self.own]

    def epoch(
        self,
        X: Any,
        y: npt.NDArray[Any],
        sample_weight: npt.NDArray[np.float64] | None = None,
        **options: Any,
    ) -> float:
        """Learn from all samples once, and return the sum of the machines' mean losses."""
        total = 0.0
        for i, (k, machine) in enumerate(zip(self.own, self.machines, strict=True)):
            own = y == k
            weight = sample_weight
            if self.factors is not None:
                others, mine = self.factors[i]
                weight = np.where(own, mine, others)
                if sample_weight is not None:
                    weight *= sample_weight
            total += machine.epoch(X, np.where(own, 1, -1).astype(self.dtype), weight, **options)
        return total

    @property
    def _sums(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        losses, weights = zip(*(machine._sums for machine in self.machines), strict=True)
        return np.concatenate(losses), np.concatenate(weights)

    def _random_order(self, n: int) -> npt.NDArray[np.int64]:
        order: npt.NDArray[np.int64] = self.machines[0]._random_order(n)
        return order

    def _together(self, values: list[Any]) -> npt.NDArray[Any]:
        return np.stack(values) if len(values) > 1 else values[0]

    def _apart(self, values: npt.NDArray[Any]) -> Any:
        return values if len(self.machines) > 1 else [values]

    @property
    def coef(self) -> npt.NDArray[Any]:
        """Coefficients of shape (d,) or (C, d)."""
        return self._together([machine.coef for machine in self.machines])

    @coef.setter
    def coef(self, coef: npt.NDArray[Any]) -> None:
        for machine, row in zip(self.machines, self._apart(coef), strict=True):
            machine.coef = row

    @property
    def intercept(self) -> npt.NDArray[Any]:
        """Intercepts of shape (1,) or (C,)."""
        return np.ravel([machine.intercept for machine in self.machines])

    @intercept.setter
    def intercept(self, intercept: npt.NDArray[Any]) -> None:
        for machine, number in zip(self.machines, np.ravel(intercept), strict=True):
            machine.intercept = number

    @property
    def average_coef(self) -> npt.NDArray[Any]:
        """Averaged coefficients of shape (d,) or (C, d)."""
        return self._together([machine.average_coef for machine in self.machines])

    @property
    def average_intercept(self) -> npt.NDArray[Any]:
        """Averaged intercepts of shape (1,) or (C,)."""
        return np.ravel([machine.average_intercept for machine in self.machines])

    @property
    def t(self) -> Any:
        """Steps made, plus 1."""
        return self.machines[0].t

    @t.setter
    def t(self, t: Any) -> None:
        for machine in self.machines:
            machine.t = t

    @property
    def eta(self) -> float:
        """The learning rate."""
        return float(self.machines[0].eta)

    @eta.setter
    def eta(self, eta: float) -> None:
        for machine in self.machines:
            machine.eta = eta

    def state_dict(self) -> dict[str, Any]:
        """Return the state of all machines."""
        return {str(k): machine.state_dict() for k, machine in enumerate(self.machines)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for k, machine in enumerate(self.machines):
            machine.load_state_dict(state[str(k)])
