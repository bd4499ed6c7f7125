"""Parameters of an estimator's loss among its own: ``loss__delta``, as searches set them."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import BaseEstimator

from fastloss._bases.loss import Loss
from fastloss.losses.registry import make_loss

_PREFIX = "loss__"


class LossParameters(BaseEstimator):  # type: ignore[misc]
    """What get_params and set_params know of a loss of fastloss, which itself never changes."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """
        Return the parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Whether those of the loss are among them, if it is an instance: ``loss__delta``.

        Returns
        -------
        dict
            A new one.
        """
        params: dict[str, Any] = super().get_params(deep)
        loss = params.get("loss")
        if deep and isinstance(loss, Loss):
            params.update({_PREFIX + name: value for name, value in loss.params.items()})
        return params

    def set_params(self, **params: Any) -> Self:
        """
        Set parameters by name.

        Parameters
        ----------
        **params
            Parameters of the estimator, and as ``loss__delta`` those of its loss: the estimator then
            has another loss, with all other parameters of this one.

        Returns
        -------
        self
            The estimator.

        Raises
        ------
        TypeError
            If the loss has no parameter of that name.
        ValueError
            If the estimator has none, or its loss is a name.
        """
        own = {name: value for name, value in params.items() if not name.startswith(_PREFIX)}
        super().set_params(**own)
        inner = {
            name.removeprefix(_PREFIX): value for name, value in params.items() if name not in own
        }
        if inner:
            loss = getattr(self, "loss", None)
            if not isinstance(loss, Loss):
                raise ValueError(
                    f"{_PREFIX}{next(iter(inner))}: expected an estimator whose loss is an instance, "
                    f"as fl.Huber(), not loss = {loss!r}"
                )
            self.loss = make_loss(type(loss), {**loss.params, **inner})
        return self
