"""What `LinearSGD` has learnt, to be read, set, kept and pickled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastloss._bases.pointwise import PointwiseLoss
from fastloss._core.arrays import refuse_masked
from fastloss._sgd.base import LinearSGDBase
from fastloss._sgd.checks import whole
from fastloss._sgd.state import checked_state
from fastloss._sgd.under_way import EPOCH, refuse_meanwhile
from fastloss.losses._parameters import positive

if TYPE_CHECKING:
    from fastloss._sgd.linear_sgd import LinearSGD
    from fastloss._sgd.linear_sgd_optimizer import LinearOptimizer

_Array = npt.NDArray[Any]


class LinearSGDState(LinearSGDBase):
    """Base of `LinearSGD`: coefficients, averages, rates, and the whole state."""

    one_vs_rest: bool
    _of_rows: bool
    _optimizer: LinearOptimizer | None
    _parameters: dict[str, Any]
    _overflowed: bool  # whether an epoch has ended without finite coefficients, and they may be so

    def _in_shape(self, array: _Array) -> _Array:
        return array if self.one_vs_rest or self._of_rows else array[0]

    @property
    def coef(self) -> _Array:
        """Coefficients (n_features,), of several outputs (n_outputs, n_features): a new array."""
        self._refuse_in_epoch()
        state, d = self._state, self.n_features
        stored = self._with_pending(state) if state["pending"] else state["coef"]
        coef = stored[:, :d].astype(np.float64) * state["scale"]
        if state["received"] is not None:
            owed, received = state["penalty"], state["received"][:, :d]
            taken = np.where(
                coef > 0,
                np.maximum(coef - (owed + received), 0.0),
                np.minimum(coef + (owed - received), 0.0),
            )
            coef = np.where(coef == 0, coef, taken)
        return self._in_shape(coef.astype(self.dtype))

    @coef.setter
    def coef(self, value: npt.ArrayLike) -> None:
        self._refuse_in_epoch()
        state, d = self._state, self.n_features
        refuse_masked(value, "coef")
        given = np.asarray(value, dtype=self.dtype)
        shape = (self.n_outputs, d) if self.one_vs_rest or self._of_rows else (d,)
        if given.shape != shape:
            raise ValueError(f"coef has shape {given.shape}: expected {shape}")
        _refuse_nonfinite("coef", given)
        if state["average"] is not None:
            old = self._with_pending(state) if state["pending"] else state["coef"]
            with np.errstate(over="ignore", invalid="ignore"):  # it may have overflowed
                state["average"] += state["sums"] * old.astype(np.float64)
        state["coef"][:, :d] = given
        state["coef"][:, d:] = 0.0
        state["scale"], state["sums"], state["pending"] = 1.0, 0.0, False
        for name in ("pending_row", "pending_times"):
            state[name][...] = 0.0
        if state["received"] is not None:
            state["received"][...] = 0.0
            state["penalty"] = 0.0
        if self._optimizer is not None:
            self._optimizer.moved(state, state["moment_0"])
        self._forget_overflows()

    @property
    def intercept(self) -> _Array:
        """Intercepts (n_outputs,), float64: a new array."""
        self._refuse_in_epoch()
        copy: _Array = self._state["intercept"].copy()
        return copy

    @intercept.setter
    def intercept(self, value: npt.ArrayLike) -> None:
        self._refuse_in_epoch()
        refuse_masked(value, "intercept")
        given = np.asarray(value, dtype=np.float64)
        _refuse_nonfinite("intercept", given)
        self._state["intercept"][...] = given
        if self._optimizer is not None:
            self._optimizer.moved(self._state, self._state["intercept_moments"][0])
        self._forget_overflows()

    @property
    def average_coef(self) -> _Array:
        """The averages of the coefficients, like `coef`; `coef` itself before the first of them."""
        state, d = self._state, self.n_features
        if state["average"] is None or state["n_averaged"] == 0:
            return self.coef
        self._refuse_in_epoch()
        stored = self._with_pending(state) if state["pending"] else state["coef"]
        with np.errstate(over="ignore", invalid="ignore"):
            sums = state["sums"] * stored[:, :d].astype(np.float64) + state["average"][:, :d]
            return self._in_shape((sums / state["n_averaged"]).astype(self.dtype))

    @property
    def average_intercept(self) -> _Array:
        """The averages of the intercepts; `intercept` itself before the first of them."""
        if self._state["average"] is None or self._state["n_averaged"] == 0:
            return self.intercept
        self._refuse_in_epoch()
        copy: _Array = self._state["average_intercept"].copy()
        return copy

    @property
    def t(self) -> int:
        """The number of steps taken, plus 1."""
        return int(self._state["t"])

    @t.setter
    def t(self, value: int) -> None:
        self._refuse_in_epoch()
        self._state["t"] = float(whole("t", value, 1, "a positive integer"))

    @property
    def eta(self) -> float:
        """The rate of the last step; under "constant" and "adaptive" that of the next ones too."""
        return float(self._state["eta"])

    @eta.setter
    def eta(self, value: float) -> None:
        self._refuse_in_epoch()
        value = positive("eta", value)
        if self._optimizer is not None:
            if self._optimizer.scheduled:
                raise ValueError(f"eta = {value!r}: the optimizer's lr is a schedule, and stays so")
            self._optimizer.moved(self._state, None)
        self._state["eta"] = value

    def _forget_overflows(self) -> None:
        """Begin velocities, moments and averages anew that are not finite: nothing would be again."""
        state = self._state

        def overflowed(*names: str) -> bool:
            arrays = (state[name] for name in names)
            return any(array is not None and not np.isfinite(array).all() for array in arrays)

        if overflowed("velocity", "intercept_velocity"):
            if state["velocity"] is not None:
                state["velocity"][...] = 0.0
            state["intercept_velocity"][...] = 0.0
            state["has_velocity"] = False
        if overflowed("average", "average_intercept"):
            if state["average"] is not None:
                state["average"][...] = 0.0
            state["average_intercept"][...] = 0.0
            state["sums"] = state["n_averaged"] = 0.0
        if self._optimizer is not None and overflowed(
            "moment_0", "moment_1", "moment_2", "intercept_moments"
        ):
            eta = state["eta"]
            self._optimizer.begin(state)
            state["eta"] = eta

    def _refuse_in_epoch(self) -> None:
        """Within an epoch coefficients are without their scale, and what is set would be lost."""
        refuse_meanwhile(self, EPOCH)

    def state_dict(self) -> dict[str, Any]:
        """
        Return all that a continuation with the same bits needs.

        Returns
        -------
        dict
            Of arrays, numbers and None; copies. ``coef`` is as the kernels hold it, in rows of whole
            vectors and to be multiplied by ``scale``: the property `coef` is what predicts.

        Raises
        ------
        RuntimeError
            If an epoch is under way: also of pickling, copying, and the coefficients.
        """
        self._refuse_in_epoch()
        copies = {
            name: value.copy() if isinstance(value, np.ndarray) else value
            for name, value in self._state.items()
        }
        return {"n_features": self.n_features, **copies}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """
        Continue where another object of the same parameters was.

        Parameters
        ----------
        state : dict
            Of `state_dict`.

        Raises
        ------
        TypeError, ValueError
            If an entry is missing, or is none that this object could have come to: nothing has changed.
        RuntimeError
            If an epoch is under way.
        """
        self._refuse_in_epoch()
        new = checked_state(state, {"n_features": self.n_features, **self._state})
        del new["n_features"]
        if self._optimizer is not None and self._optimizer.scheduled:  # the other's lr may not be
            new["rebase"] = True
        self._state = new
        self._overflowed = not self._is_finite()

    def __reduce__(self) -> tuple[Any, ...]:
        given = (type(self), self.loss_function, self.n_features, self._parameters)
        return _remade, given, (self.state_dict(), vars(self))

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        learnt, attributes = state
        vars(self).update(attributes)
        self.load_state_dict(learnt)


def _refuse_nonfinite(name: str, given: _Array) -> None:
    wrong = np.argwhere(~np.isfinite(given))
    if len(wrong):
        place = tuple(int(i) for i in wrong[0])
        inside = f"[{', '.join(map(str, place))}]" if place else ""
        raise ValueError(f"{name}{inside} = {given[place]}: expected finite numbers")


def _remade(
    kind: type[LinearSGD], loss: PointwiseLoss, n_features: int, parameters: dict[str, Any]
) -> LinearSGD:
    """Return one of a subclass too, whatever that takes."""
    from fastloss._sgd.linear_sgd import LinearSGD  # which is built on this module

    new = kind.__new__(kind)
    LinearSGD.__init__(new, loss, n_features, **parameters)
    return new
