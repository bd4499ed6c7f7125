from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

_Real = TypeVar("_Real", bound=np.floating[Any])

def apply_unary(name: str, x: npt.NDArray[_Real]) -> npt.NDArray[_Real]: ...
def apply_pow(x: npt.NDArray[_Real], y: npt.NDArray[Any]) -> npt.NDArray[_Real]: ...
