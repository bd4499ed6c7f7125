from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

_Real = TypeVar("_Real", bound=np.floating[Any])

def sgd_step(
    param: npt.NDArray[_Real],
    grad: npt.ArrayLike,
    *,
    lr: float,
    momentum: float = 0.0,
    momentum_buffer: npt.NDArray[_Real] | None = None,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    n_threads: int | None = None,
) -> npt.NDArray[_Real] | None: ...
