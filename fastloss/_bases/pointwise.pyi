from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, overload

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

from fastloss._bases.loss import Loss
from fastloss._bases.sums import LossSums

# The dtype of raw_prediction is that of every result.
_Real = TypeVar("_Real", bound=np.floating[Any])
_AnyReal: TypeAlias = npt.NDArray[np.floating[Any]]
_Reduced: TypeAlias = Literal["mean", "sum"]
# Of a kernel's numbers in float64 and in float32.
_Tables: TypeAlias = tuple[npt.NDArray[np.float64], npt.NDArray[np.float32] | None]

@disjoint_base
class PointwiseLoss(Loss):
    name: ClassVar[str]

    def __init__(
        self,
        params: Mapping[str, object] | tuple[()] = (),
        values: Sequence[float] = (),
        *,
        kernel: str | None = None,
        labels: Literal["finite", "nonnegative", "positive"] | None = None,
        n_classes: int = 0,
        tables: _Tables | None = None,
        beyond_float32: bool = False,
    ) -> None: ...
    @overload
    def loss(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.NDArray[_Real],
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: Literal["none"],
        out: npt.NDArray[_Real] | None = None,
        n_threads: int | None = None,
    ) -> npt.NDArray[_Real]: ...
    @overload
    def loss(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: _Reduced = "mean",
        out: None = None,
        n_threads: int | None = None,
    ) -> float: ...
    @overload
    def loss(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: Literal["none"],
        out: _AnyReal | None = None,
        n_threads: int | None = None,
    ) -> _AnyReal: ...
    @overload
    def loss(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str,
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any: ...
    __call__ = loss
    @overload
    def gradient(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.NDArray[_Real],
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str = "mean",
        out: npt.NDArray[_Real] | None = None,
        n_threads: int | None = None,
    ) -> npt.NDArray[_Real]: ...
    @overload
    def gradient(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str = "mean",
        out: _AnyReal | None = None,
        n_threads: int | None = None,
    ) -> _AnyReal: ...
    @overload
    def loss_gradient(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.NDArray[_Real],
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: _Reduced = "mean",
        out: tuple[None, npt.NDArray[_Real] | None] | None = None,
        n_threads: int | None = None,
    ) -> tuple[float, npt.NDArray[_Real]]: ...
    @overload
    def loss_gradient(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.NDArray[_Real],
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: Literal["none"],
        out: tuple[npt.NDArray[_Real] | None, npt.NDArray[_Real] | None] | None = None,
        n_threads: int | None = None,
    ) -> tuple[npt.NDArray[_Real], npt.NDArray[_Real]]: ...
    @overload
    def loss_gradient(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: _Reduced = "mean",
        out: tuple[None, _AnyReal | None] | None = None,
        n_threads: int | None = None,
    ) -> tuple[float, _AnyReal]: ...
    @overload
    def loss_gradient(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: Literal["none"],
        out: tuple[_AnyReal | None, _AnyReal | None] | None = None,
        n_threads: int | None = None,
    ) -> tuple[_AnyReal, _AnyReal]: ...
    @overload
    def loss_gradient(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str,
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any: ...
    @overload
    def gradient_hessian(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.NDArray[_Real],
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str = "mean",
        out: tuple[npt.NDArray[_Real] | None, npt.NDArray[_Real] | None] | None = None,
        n_threads: int | None = None,
    ) -> tuple[npt.NDArray[_Real], npt.NDArray[_Real]]: ...
    @overload
    def gradient_hessian(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str = "mean",
        out: tuple[_AnyReal | None, _AnyReal | None] | None = None,
        n_threads: int | None = None,
    ) -> tuple[_AnyReal, _AnyReal]: ...
    @overload
    def loss_gradient_hessian(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.NDArray[_Real],
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: _Reduced = "mean",
        out: tuple[None, npt.NDArray[_Real] | None, npt.NDArray[_Real] | None] | None = None,
        n_threads: int | None = None,
    ) -> tuple[float, npt.NDArray[_Real], npt.NDArray[_Real]]: ...
    @overload
    def loss_gradient_hessian(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.NDArray[_Real],
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: Literal["none"],
        out: tuple[npt.NDArray[_Real] | None, npt.NDArray[_Real] | None, npt.NDArray[_Real] | None]
        | None = None,
        n_threads: int | None = None,
    ) -> tuple[npt.NDArray[_Real], npt.NDArray[_Real], npt.NDArray[_Real]]: ...
    @overload
    def loss_gradient_hessian(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: _Reduced = "mean",
        out: tuple[None, _AnyReal | None, _AnyReal | None] | None = None,
        n_threads: int | None = None,
    ) -> tuple[float, _AnyReal, _AnyReal]: ...
    @overload
    def loss_gradient_hessian(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: Literal["none"],
        out: tuple[_AnyReal | None, _AnyReal | None, _AnyReal | None] | None = None,
        n_threads: int | None = None,
    ) -> tuple[_AnyReal, _AnyReal, _AnyReal]: ...
    @overload
    def loss_gradient_hessian(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        reduction: str,
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any: ...
    def partial(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        n_threads: int | None = None,
    ) -> LossSums: ...
    @overload
    def predict(
        self,
        raw_prediction: npt.NDArray[_Real],
        *,
        out: npt.NDArray[_Real] | None = None,
        n_threads: int | None = None,
    ) -> npt.NDArray[_Real]: ...
    @overload
    def predict(
        self,
        raw_prediction: npt.ArrayLike,
        *,
        out: _AnyReal | None = None,
        n_threads: int | None = None,
    ) -> _AnyReal: ...
    def initial_prediction(
        self, y_true: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> float: ...
    def _scaled(
        self,
        parts: tuple[str, ...],
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None,
        factor: float,
        out: tuple[_AnyReal, ...],
        n_threads: int | None,
        n_classes: int = 0,
    ) -> float | None: ...
    def _samplewise(
        self,
        parts: tuple[str, ...],
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None,
        out: tuple[_AnyReal, ...],
        n_threads: int | None,
    ) -> None: ...
    def _why_not_float32(self) -> str: ...
    def _best_constant(
        self, labels: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
    ) -> float: ...
