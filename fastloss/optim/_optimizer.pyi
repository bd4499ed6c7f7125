from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

_Array = npt.NDArray[np.floating[Any]]

KERNELS: dict[str, tuple[int, dict[int, int]]]
DECAY: int
SGD_MOMENTUM: int
SGD_NESTEROV: int
SGD_FIRST: int
ADAM_AMSGRAD: int
RMSPROP_CENTERED: int
RMSPROP_MOMENTUM: int
FTRL_REBASE: int
EARLIER: str

@disjoint_base
class Optimizer:
    def __init__(
        self,
        kernel: str,
        settings: Mapping[str, Any],
        states: tuple[str | None, ...],
        *,
        variant: int = 0,
        first: int = 0,
        rebase: int = 0,
        initial: float = 0.0,
    ) -> None: ...
    @property
    def settings(self) -> dict[str, Any]: ...
    @property
    def lr(self) -> float | Callable[[int], float]: ...
    @lr.setter
    def lr(self, value: float | Callable[[int], float]) -> None: ...
    def _row_numbers(self, step: int, lr: float) -> tuple[float, ...]: ...
    def _step_numbers(self, first: int, rates: list[float]) -> npt.NDArray[np.float64]: ...
    @property
    def _recipe(self) -> tuple[int, tuple[str | None, ...], tuple[int, int, int], float]: ...
    def _rate(self, steps: int) -> float: ...
    def step(
        self,
        params: _Array | Iterable[_Array],
        grads: npt.ArrayLike | Iterable[npt.ArrayLike | None] | None,
        *,
        n_threads: int | None = None,
    ) -> None: ...
    def step_rows(
        self,
        param: _Array,
        rows: npt.ArrayLike,
        grads: npt.ArrayLike,
        *,
        position: int = 0,
        n_threads: int | None = None,
    ) -> None: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any]) -> None: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
