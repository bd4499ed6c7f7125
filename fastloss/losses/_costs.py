"""What the losses of two classes share: the costs of their two errors."""

from __future__ import annotations

from fastloss._bases.pointwise import PointwiseLoss
from fastloss.losses._constants import Vector, class_costs
from fastloss.losses._parameters import parameter, positive


class Costs:
    """The parameters ``cost_fn`` and ``cost_fp``; a second base, next to `PointwiseLoss`."""

    __slots__ = ()
    cost_fn = parameter("cost_fn")
    cost_fp = parameter("cost_fp")

    def _class_costs(self, labels: Vector, weights: Vector) -> tuple[float, float]:
        """Return the costs of all positive and of all negative samples, by one exact factor."""
        return class_costs(labels, weights, self.cost_fn, self.cost_fp)


def checked_costs(cost_fn: object, cost_fp: object) -> dict[str, float]:
    """Return both costs by name, or raise an error that names the one that is not positive."""
    return {"cost_fn": positive("cost_fn", cost_fn), "cost_fp": positive("cost_fp", cost_fp)}


class CostLoss(PointwiseLoss, Costs):
    """Base of the losses of two classes that have no parameters but the costs."""

    __slots__ = ()

    def __init__(self, cost_fn: float = 1.0, cost_fp: float = 1.0) -> None:
        costs = checked_costs(cost_fn, cost_fp)
        super().__init__(costs, tuple(costs.values()))
