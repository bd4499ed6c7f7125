from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, overload

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

from fastloss._bases.loss import Loss
from fastloss._bases.pointwise import PointwiseLoss
from fastloss._bases.sums import LossSums

# The dtype of raw_prediction is that of every result.
_Real = TypeVar("_Real", bound=np.floating[Any])
_AnyReal: TypeAlias = npt.NDArray[np.floating[Any]]
_Reduced: TypeAlias = Literal["mean", "sum"]

@disjoint_base
class RowLoss(Loss):
    name: ClassVar[str]

    def __init__(
        self,
        params: Mapping[str, Any] | tuple[()] = (),
        values: Sequence[float] = (),
        *,
        kernel: str | None = None,
        link: str = "identity",
        class_weight: npt.NDArray[np.float64] | None = None,
        per_output: tuple[str, npt.ArrayLike] | None = None,
        label_smoothing: float = 0.0,
        ignore_index: int | None = None,
        n_outputs: int = 0,
        extra_classes: int = 0,
        soft_kernel: str | None = None,
        weighted_smoothing: bool = True,
        weighted_mean: bool = True,
        zero_if_ignored: bool = False,
        binary: PointwiseLoss | None = None,
    ) -> None: ...
    @property
    def label_kind(self) -> str: ...
    @property
    def n_outputs(self) -> int | None: ...
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
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
        axis: int = -1,
    ) -> Any: ...
    def partial(
        self,
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        n_threads: int | None = None,
        axis: int = -1,
    ) -> LossSums: ...
    @overload
    def predict(
        self,
        raw_prediction: npt.NDArray[_Real],
        *,
        out: npt.NDArray[_Real] | None = None,
        n_threads: int | None = None,
        axis: int = -1,
    ) -> npt.NDArray[_Real]: ...
    @overload
    def predict(
        self,
        raw_prediction: npt.ArrayLike,
        *,
        out: _AnyReal | None = None,
        n_threads: int | None = None,
        axis: int = -1,
    ) -> _AnyReal: ...
    def _samplewise(
        self,
        parts: tuple[str, ...],
        y_true: npt.ArrayLike,
        raw_prediction: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None,
        out: tuple[_AnyReal, ...],
        n_threads: int | None,
    ) -> None: ...
    def _finish_link(
        self, values: npt.NDArray[np.floating[Any]], axis: int, n_threads: int | None
    ) -> None: ...
    def _evaluate_composite(
        self,
        parts: tuple[str, ...],
        y_true: npt.NDArray[Any],
        raw_prediction: npt.NDArray[Any],
        sample_weight: npt.ArrayLike | None,
        reduction: str,
        out: Any,
        n_threads: int | None,
        class_axis: int,
    ) -> tuple[tuple[Any, ...], float]: ...
