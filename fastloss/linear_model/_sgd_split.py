"""The samples that early stopping sets aside: those that scikit-learn sets aside."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit


def validation_rows(
    y: npt.NDArray[Any],
    weights: npt.NDArray[np.float64] | None,
    fraction: float,
    random_state: Any,
    stratified: bool,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the rows to learn from and those to judge by, both sorted."""
    splitter = StratifiedShuffleSplit if stratified else ShuffleSplit
    split = splitter(test_size=fraction, random_state=random_state)
    train, held = next(split.split(np.zeros((len(y), 1)), y))
    if weights is not None and not weights[held].any():
        raise ValueError(
            "The sample weights for validation set are all zero, consider using a different "
            "random state."
        )
    if len(train) == 0 or len(held) == 0:
        raise ValueError(
            f"validation_fraction = {fraction}: of {len(y)} samples {len(train)} are left to learn "
            f"from and {len(held)} to judge by; expected at least one of each"
        )
    return np.sort(train), np.sort(held)
