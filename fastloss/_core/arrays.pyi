from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

def array_of(values: npt.ArrayLike, argument: str) -> npt.NDArray[Any]: ...
def own_rows(values: npt.ArrayLike, argument: str, n: int, what: str) -> npt.NDArray[np.int64]: ...
def checked_place(
    out: object,
    argument: str,
    prototype: npt.NDArray[Any],
    prototype_name: str,
    taken: Sequence[tuple[npt.NDArray[Any] | None, str]] = (),
) -> npt.NDArray[Any]: ...
def share_memory(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool: ...
def refuse_masked(values: object, argument: str) -> None: ...
