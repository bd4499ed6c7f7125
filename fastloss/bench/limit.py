"""The speed of memory: a plain pass that moves as much as a loss does and computes nothing."""

from __future__ import annotations

import ctypes
import functools
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastloss import cpu_info

SOURCE = Path(__file__).with_name("limit.c")
#: The widest vectors that this processor has, as the library found out.
WIDTH = {"v4": ("-march=x86-64-v4",), "v3": ("-march=x86-64-v3",)}.get(
    cpu_info()["available"][-1], ()
)
FLAG_SETS = (("-O3", *WIDTH, "-fopenmp"), ("-O3", "-fopenmp"), ("-O3", *WIDTH))


def compile_c(source: Path, flag_sets: Sequence[Sequence[str]] = FLAG_SETS) -> ctypes.CDLL | None:
    """Compile a C file to a shared library in a temporary folder and load it.

    Parameters
    ----------
    source : Path
        The file.
    flag_sets : sequence of sequence of str
        Flags to try, the first that compile win.

    Returns
    -------
    CDLL or None
        None without a compiler that takes any of the flags.
    """
    if not source.exists():
        return None
    compiler = os.environ.get("CC", "cc").split()
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, source.stem + ".so")
        for flags in flag_sets:
            command = [*compiler, *flags, "-shared", "-fPIC", str(source), "-o", str(library)]
            try:
                done = subprocess.run(command, capture_output=True, check=False)
            except OSError:
                return None
            if done.returncode == 0:
                # loaded, it may be deleted
                return ctypes.CDLL(str(library))
    return None


@functools.cache
def _library() -> ctypes.CDLL | None:
    """Return limit.c, compiled."""
    library = compile_c(SOURCE)
    if library is not None:
        pointers = [ctypes.c_void_p] * 4
        sizes: list[Any] = [ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t]
        library.limit_pass.argtypes = [*pointers, *sizes, ctypes.c_int, ctypes.c_int]
        library.limit_pass.restype = ctypes.c_uint64
    return library


def limit_passes(
    inputs: Sequence[NDArray[Any]],
    outputs: Sequence[NDArray[Any]],
    n_threads: int,
    labels: NDArray[Any] | None = None,
) -> dict[str, Callable[[], object]]:
    """Return plain passes over the arrays, of which the fastest is the limit.

    Parameters
    ----------
    inputs : sequence of ndarray
        One or two C-contiguous arrays to be read, of one size.
    outputs : sequence of ndarray
        None, one or two to be overwritten, of the same size.
    n_threads : int
        Threads of a pass.
    labels : ndarray, optional
        One more C-contiguous array to be read, of any size.

    Returns
    -------
    dict of str to callable
        "limit" with ordinary stores and "limit, streaming" with non-temporal ones; without a C
        compiler "limit" alone, in NumPy.
    """
    library = _library()
    if library is None:
        return {"limit": _numpy_pass(inputs, outputs, n_threads, labels)}
    a, b, c, d = (
        array.ctypes.data if array is not None else None
        for array in (*_padded(inputs), *_padded(outputs))
    )
    n_bytes = inputs[0].nbytes
    e, label_bytes = (None, 0) if labels is None else (labels.ctypes.data, labels.nbytes)

    def call(stream: int) -> object:
        return library.limit_pass(a, b, c, d, n_bytes, e, label_bytes, stream, n_threads)

    passes: dict[str, Callable[[], object]] = {"limit": functools.partial(call, 0)}
    if outputs:
        passes["limit, streaming"] = functools.partial(call, 1)
    return passes


def _padded(arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any] | None]:
    """Two entries, None for what is missing."""
    return [*arrays, *[None] * (2 - len(arrays))]


def _numpy_pass(
    inputs: Sequence[NDArray[Any]],
    outputs: Sequence[NDArray[Any]],
    n_threads: int,
    labels: NDArray[Any] | None,
) -> Callable[[], object]:
    """Return the nearest that NumPy has, each thread on its share of the arrays."""
    pool = ThreadPoolExecutor(n_threads)
    flat_inputs = [array.reshape(-1) for array in inputs]
    flat_outputs = [array.reshape(-1) for array in outputs]
    edges = np.linspace(0, flat_inputs[0].size, n_threads + 1).astype(np.intp)

    def share(start: int, end: int) -> None:
        a, b = flat_inputs[0][start:end], flat_inputs[-1][start:end]
        if not outputs:
            a.max(initial=0)
            if len(inputs) == 2:
                b.max(initial=0)
        for out in flat_outputs:
            np.add(a, b, out=out[start:end])
        if labels is not None and start == 0:
            labels.max(initial=0)

    if n_threads == 1:
        return lambda: share(0, int(edges[-1]))
    return lambda: list(pool.map(share, edges[:-1], edges[1:]))
