from collections.abc import Sequence
from typing import Any, TypedDict, TypeVar

import numpy as np
import numpy.typing as npt

_Real = TypeVar("_Real", bound=np.floating[Any])

class _CpuInfo(TypedDict):
    isa: str
    reason: str
    available: list[str]
    vector_bits: int
    fused_multiply_add: bool
    openmp: bool
    n_threads: int
    cgroup_cpus: int | None

def cpu_info() -> _CpuInfo: ...
def set_num_threads(n_threads: int | None) -> None: ...
def get_num_threads() -> int: ...
def checked_place(
    out: object,
    argument: str,
    prototype: npt.NDArray[Any],
    prototype_name: str,
    taken: Sequence[tuple[npt.NDArray[Any] | None, str]] = (),
) -> npt.NDArray[Any]: ...
def share_memory(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool: ...
def checked_weights(
    weights: npt.NDArray[Any],
    dtype: npt.DTypeLike,
    *,
    for_mean: bool,
    n_threads: int | None = None,
) -> tuple[npt.NDArray[Any], float, int]: ...
def apply_unary(name: str, x: npt.NDArray[_Real]) -> npt.NDArray[_Real]: ...
def apply_pow(x: npt.NDArray[_Real], y: npt.NDArray[Any]) -> npt.NDArray[_Real]: ...
