from typing import Any

import numpy.typing as npt

def checked_weights(
    weights: npt.NDArray[Any],
    dtype: npt.DTypeLike,
    *,
    for_mean: bool,
    n_threads: int | None = None,
) -> tuple[npt.NDArray[Any], float, int]: ...
