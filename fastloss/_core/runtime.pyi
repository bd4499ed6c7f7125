from typing import TypedDict

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
def as_index(value: object, argument: str, expected: str) -> int: ...
