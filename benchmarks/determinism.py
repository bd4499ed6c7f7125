"""What the promise of equal bits for any number of threads costs."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastloss as fl
import fastloss._core.runtime as runtime
from benchmarks.target import Settings, Target
from fastloss.bench.limit import compile_c
from fastloss.bench.peers import FASTLOSS, make_fastloss
from fastloss.bench.timing import interleaved
from fastloss.bench.workloads import DTYPES, make_workload
from fastloss.losses.logistic import log_loss_values

SUBJECT = "Bit-identical reduction"
BOUND_PERCENT = 2.0
HERE = Path(__file__).parent
FREE = "one share per thread"
# As the losses prepare them in Python; the others here have none.
PARAMS = {"log_loss": log_loss_values(1.0, 0.0, 1.0, 1.0)}
# As runtime.beyond_cache: both sides store alike.
STREAM_FROM_BYTES = 8 * 2**20


def run(settings: Settings) -> list[Target]:
    """Return the targets of this subject; none without a C compiler."""
    driver = Driver.compiled()
    if driver is None:
        settings.say(f"{SUBJECT}: skipped, there is no C compiler with OpenMP")
        return []
    targets = []
    for loss in ("squared_error", "log_loss"):
        for dtype in DTYPES:
            n = settings.size(20_000_000)
            settings.say(f"{SUBJECT}: {loss} {dtype}, {n:,}")
            workload = make_workload(loss, n=n, dtype=dtype, n_threads=settings.n_threads)
            assert workload.gradient is not None
            free = driver.call(
                loss,
                workload.y_true,
                workload.raw_prediction,
                workload.gradient,
                settings.n_threads,
                stream=workload.gradient.nbytes >= STREAM_FROM_BYTES,
            )
            library = make_fastloss(workload)
            if not np.isclose(free(), fl.get_loss(loss)(workload.y_true, workload.raw_prediction)):
                raise AssertionError(f"{loss} {dtype}: the two sides compute different losses")
            cases = {FASTLOSS: library, FREE: free}
            timings = interleaved(cases, repeats=3 * settings.repeats)
            cost = 100 * (timings.ratio(FASTLOSS, FREE) - 1)
            what = f"{loss} {dtype}, n = {n:,}: more time"
            targets.append(Target(SUBJECT, what, FREE, BOUND_PERCENT, cost, False, "%"))
    return targets


class Driver:
    """The C program beside this file, on the kernel table of the imported library.

    Parameters
    ----------
    library : CDLL
        determinism.c, compiled.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        self._function = library.unordered_loss_gradient
        self._function.restype = ctypes.c_double
        self._loss_id = library.loss_id
        capsule = runtime.__pyx_capi__["kernels"]  # type: ignore[attr-defined]
        api = ctypes.pythonapi
        api.PyCapsule_GetName.restype = ctypes.c_char_p
        api.PyCapsule_GetName.argtypes = [ctypes.py_object]
        api.PyCapsule_GetPointer.restype = ctypes.c_void_p
        api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
        address = api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))
        self._kernels = ctypes.CFUNCTYPE(ctypes.c_void_p)(address)()

    @classmethod
    def compiled(cls) -> Driver | None:
        """Return the driver, None without a C compiler that has OpenMP."""
        source = HERE.parent / "src"
        flags = ("-O2", "-fopenmp", f"-I{source}", "-std=gnu11")
        library = compile_c(HERE / "determinism.c", (flags,))
        return None if library is None else cls(library)

    def call(
        self,
        loss: str,
        y_true: NDArray[Any],
        raw_prediction: NDArray[Any],
        gradient: NDArray[Any],
        n_threads: int,
        *,
        stream: bool,
        block_length: int = 0,
    ) -> Callable[[], float]:
        """Return one evaluation.

        Parameters
        ----------
        loss : str
            A pointwise loss of `PARAMS`, or one without parameters.
        y_true, raw_prediction, gradient : ndarray
            Contiguous, of one dtype.
        n_threads : int
            Threads.
        stream : bool
            Whether to store around the cache.
        block_length : int
            Samples of a block; 0 for one block per thread.

        Returns
        -------
        callable
            Returns the mean loss and writes the gradient.
        """
        params = np.zeros(8)
        values = PARAMS.get(loss, ())
        params[: len(values)] = values
        identity = self._loss_id(loss.encode())
        precision = 0 if raw_prediction.dtype == np.float64 else 1
        pointer = ctypes.c_void_p
        size = ctypes.c_ssize_t

        def evaluate() -> float:
            mean: float = self._function(
                pointer(self._kernels),
                identity,
                precision,
                pointer(params.ctypes.data),
                pointer(y_true.ctypes.data),
                pointer(raw_prediction.ctypes.data),
                pointer(gradient.ctypes.data),
                size(raw_prediction.size),
                size(block_length),
                int(stream),
                n_threads,
            )
            return mean

        return evaluate
