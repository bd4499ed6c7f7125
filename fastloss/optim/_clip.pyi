from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[np.floating[Any]]

def clip_grad_norm(
    grads: _Array | Iterable[_Array | None],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    *,
    n_threads: int | None = None,
) -> float: ...
def clip_grad_value(
    grads: _Array | Iterable[_Array | None], clip_value: float, *, n_threads: int | None = None
) -> None: ...
