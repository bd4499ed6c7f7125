# What the compiled modules share: the chosen kernels, threads, blocks.
#
# What every call goes through stands here, as in arrays.pxd, as inline functions: a call between
# modules costs two nanoseconds, and a call on one sample has a dozen of them.
from fastloss.kernels cimport FlKernels

cdef enum:
    # A warm parallel region costs about a microsecond; from this many elements on it pays.
    PARALLEL_GRAIN = 16384

cdef const FlKernels* kernels() noexcept nogil
# the rest of thread_count, for what is rare
cdef int asked_thread_count(object n_threads, Py_ssize_t work) except -1


cdef inline int thread_count(object n_threads, Py_ssize_t work) except -1:
    """Threads for so many elements of work; validates n_threads also where one thread will do."""
    if n_threads is None and work < PARALLEL_GRAIN:
        return 1
    return asked_thread_count(n_threads, work)


cdef inline Py_ssize_t block_length(Py_ssize_t n) noexcept nogil:
    """The fixed boundaries of partial sums: a function of n alone, never of the threads."""
    return 4096 if n <= 262144 else 16384


cdef inline bint beyond_cache(Py_ssize_t n_bytes) noexcept nogil:
    """Whether outputs of this size are better stored around the cache."""
    # on one loaded machine and one thread: a loss at 0.5 MiB, a gain of 2 to 35 % from 1 to 16 MiB
    # and about none at 32; a cautious value between
    return n_bytes >= 8388608


cdef inline size_t whole_lines(size_t n_bytes) noexcept nogil:
    """Room for so many bytes between parts of a thread's memory, all of which begin with a line."""
    return (n_bytes + 63) // 64 * 64
