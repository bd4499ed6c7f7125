"""Parameters of an estimator's loss and optimizer among its own, as searches set them."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import BaseEstimator

from fastloss._bases.loss import Loss
from fastloss.losses.registry import make_loss
from fastloss.optim import Optimizer


class InnerParameters(BaseEstimator):  # type: ignore[misc]
    """What get_params and set_params know of a loss and an optimizer, which are made anew."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """
        Return the parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Whether those of the loss and of the optimizer are among them, if they are instances:
            ``loss__delta``, ``optimizer__lr``.

        Returns
        -------
        dict
            A new one.
        """
        params: dict[str, Any] = super().get_params(deep)
        if deep:
            for owner, kind in _KINDS.items():
                if isinstance(params.get(owner), kind):
                    inner = _settings(params[owner])
                    params.update({f"{owner}__{name}": value for name, value in inner.items()})
        return params

    def set_params(self, **params: Any) -> Self:
        """
        Set parameters by name.

        Parameters
        ----------
        **params
            Parameters of the estimator, and as ``loss__delta`` and ``optimizer__lr`` those of its loss
            and its optimizer: the estimator then has another, with all other parameters of this one.

        Returns
        -------
        self
            The estimator.

        Raises
        ------
        TypeError
            If the loss or the optimizer has no parameter of that name.
        ValueError
            If the estimator has none, or its loss or optimizer is a name.
        """
        known = self._get_param_names()
        own: dict[str, Any] = {}
        inner: dict[str, dict[str, Any]] = {}
        for name, value in params.items():
            owner, dots, rest = name.partition("__")
            if dots and owner in _KINDS and owner in known:
                inner.setdefault(owner, {})[rest] = value
            else:
                own[name] = value
        super().set_params(**own)
        for owner, changes in inner.items():
            old = getattr(self, owner, None)
            if not isinstance(old, _KINDS[owner]):
                raise ValueError(
                    f"{owner}__{next(iter(changes))}: expected an estimator whose {owner} is an "
                    f"instance, as {_EXAMPLES[owner]}, not {owner} = {old!r}"
                )
            setattr(self, owner, _changed(old, changes))
        return self


_KINDS: dict[str, Any] = {"loss": Loss, "optimizer": Optimizer}
_EXAMPLES = {"loss": "fl.Huber()", "optimizer": "fl.optim.Adam()"}


def _settings(owner: Any) -> dict[str, Any]:
    """Return what its class is made with."""
    settings: dict[str, Any] = owner.params if isinstance(owner, Loss) else owner.settings
    return settings


def _changed(old: Any, changes: dict[str, Any]) -> Any:
    """Return a new one with other settings."""
    settings = _settings(old)
    if isinstance(old, Loss):
        return make_loss(type(old), {**settings, **changes})
    for name in changes:
        if name not in settings:
            raise TypeError(
                f"{type(old).__name__} has no parameter {name!r}: expected one of {', '.join(settings)}"
            )
    return type(old)(**{**settings, **changes})
