"""What all compiled modules share: the kernels for this CPU, and threads."""

import os

import numpy as np

from fastloss._core.cpu_limit import cgroup_cpu_limit
from fastloss.kernels cimport *

# ---------------------------------------------------------------- kernels

cdef const FlKernels* _kernels = NULL
cdef str _why = ""


cdef int _select_kernels() except -1:
    global _kernels, _why
    cdef const char* problem = NULL
    requested = os.environ.get("FASTLOSS_ISA", "")
    if requested:
        name = requested.encode()
        _kernels = fl_select_kernels(name, &problem)
        if _kernels == NULL:
            available = ", ".join(_available())
            raise ImportError(
                f"FASTLOSS_ISA={requested}: {problem.decode()}; this machine runs {available}"
            )
        _why = f"FASTLOSS_ISA={requested}"
    else:
        _kernels = fl_select_kernels(NULL, &problem)
        if _kernels == NULL:  # a build without plain C
            raise ImportError("fastloss: no instruction set of this build runs on this machine")
        _why = "the fastest that this processor supports"
    fl_install_fork_guard()
    return 0


cdef list _available():
    cdef const char* names[8]
    cdef int i, n = fl_available_isas(names, 8)
    return [names[i].decode() for i in range(n)]


cdef const FlKernels* kernels() noexcept nogil:
    return _kernels


def cpu_info():
    """
    Tell which instruction set and how many threads the kernels use, and why.

    Returns
    -------
    dict
        ``isa`` (str): the kernels in use: "generic" (plain C), "baseline" (x86-64 v1), "v3" (AVX2),
        "v4" (AVX-512) or "neon"; ``reason`` (str): why these; ``available`` (list of str): all that
        run here, slowest first, each a value for the environment variable ``FASTLOSS_ISA``;
        ``vector_bits`` (int; 0 without vectors); ``fused_multiply_add`` (bool); ``openmp`` (bool);
        ``n_threads`` (int): the default for large inputs at this moment; ``cgroup_cpus`` (int or
        None): the control group's limit.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.cpu_info()["isa"] in fl.cpu_info()["available"]
    True
    """
    return {
        "isa": _kernels.isa.decode(),
        "reason": _why,
        "available": _available(),
        "vector_bits": _kernels.vector_bits,
        "fused_multiply_add": bool(_kernels.fused_multiply_add),
        "openmp": bool(fl_openmp_available()),
        "n_threads": get_num_threads(),
        "cgroup_cpus": cgroup_cpu_limit(),
    }


# ---------------------------------------------------------------- threads

cdef enum:
    ELEMENTS_PER_THREAD = 8192

cdef int _num_threads = 0      # 0: not set by the user
cdef int _cgroup_limit = -1    # -1: not asked yet


def set_num_threads(n_threads):
    """
    Set the default number of threads of every fastloss call in this process.

    Parameters
    ----------
    n_threads : int or None
        At least 1. None returns to the rule: OpenMP's limit at the time of the call
        (``OMP_NUM_THREADS``, threadpoolctl, the affinity mask) and the control group's CPU limit,
        whichever is less.

    Raises
    ------
    TypeError, ValueError
        If `n_threads` is not an integer, or is less than 1.

    Notes
    -----
    The number of threads never changes a result, only its speed.
    """
    global _num_threads
    _num_threads = 0 if n_threads is None else _checked_threads(n_threads)


def get_num_threads():
    """
    Return the number of threads that a call with large inputs would use now.

    Returns
    -------
    int
        What `set_num_threads` set, else OpenMP's limit or the control group's, whichever is less;
        1 after a fork and without OpenMP.
    """
    return _default_threads() if fl_may_thread() else 1


cpdef object as_index(object value, str argument, str expected):
    """
    Return an integer as Python's own, or name an argument that is none.

    Parameters
    ----------
    value : object
        Anything.
    argument, expected : str
        Its name and what it should be, for the error.

    Returns
    -------
    int
        Of any size.
    """
    if type(value) is int:
        return value
    try:
        if not isinstance(value, (bool, np.bool_)):
            return value.__index__()
    except (AttributeError, TypeError):
        pass
    raise TypeError(f"{argument} = {value!r}: expected {expected}")


cdef int _checked_threads(object n_threads) except -1:
    n = as_index(n_threads, "n_threads", "an integer of at least 1, or None")
    if n < 1:
        raise ValueError(f"n_threads = {n}: expected an integer of at least 1, or None")
    return min(n, 4096)


cdef int _default_threads() except -1:
    global _cgroup_limit
    if _num_threads:
        return _num_threads
    if _cgroup_limit < 0:
        _cgroup_limit = cgroup_cpu_limit() or 0
    cdef int limit = fl_thread_limit()
    return min(limit, _cgroup_limit) if _cgroup_limit else limit


cdef int asked_thread_count(object n_threads, Py_ssize_t work) except -1:
    cdef int wanted = 0
    if n_threads is not None:
        wanted = _checked_threads(n_threads)
    if work < PARALLEL_GRAIN or wanted == 1 or not fl_may_thread():
        return 1
    if not wanted:
        wanted = _default_threads()
    return <int>min(<Py_ssize_t>wanted, work // ELEMENTS_PER_THREAD)


_select_kernels()
