from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from fastloss._bases.pointwise import PointwiseLoss

_Tables: TypeAlias = tuple[npt.NDArray[np.float64], npt.NDArray[np.float32] | None]

def class_sums(
    loss: PointwiseLoss,
    tables: tuple[_Tables, _Tables],
    y_true: npt.ArrayLike,
    raw_prediction: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    n_threads: int | None = None,
) -> npt.NDArray[np.float64]: ...
