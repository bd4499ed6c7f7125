"""Updates of single rows of an array, and of its states: embeddings, sparse features."""

import numpy as np

cimport numpy as cnp
from cython.parallel cimport prange
from libc.stdint cimport int64_t
from libc.string cimport memset
from numpy cimport ndarray

from fastloss._core.arrays cimport *
from fastloss._core.prefetch cimport fl_prefetch
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *
from fastloss.optim._positions cimport PIECE

cnp.import_array()

cdef enum:
    RELEASE_GIL_FROM = 4096
    AHEAD = 8             # rows: what is named stands anywhere, and would be waited for
    PREFETCHED = 512      # bytes of a row; what follows the processor fetches by itself
    CACHE_LINE = 64


cdef struct Job:
    FlOptimFn function
    FlOptimBlock block
    int precision
    Py_ssize_t width         # elements of a row
    FlArray param
    FlArray grads
    FlArray state[3]
    const int64_t* rows      # by occurrence
    const int64_t* order     # the occurrences, those of one row side by side, the earlier first
    const int64_t* starts    # where in order each row's occurrences begin; one more at the end


cdef void _sum(
    const Job* job, const int64_t* first, const int64_t* last, Py_ssize_t column, Py_ssize_t n,
    void* out
) noexcept nogil:
    """The gradients of one row, summed in float64 in the order in which they are given."""
    cdef double sums[PIECE]
    cdef double terms[PIECE]
    cdef Py_ssize_t j
    memset(sums, 0, n * sizeof(double))
    cdef const float* singles
    while first < last:
        if job.grads.contiguous and job.precision == FL_F32:
            singles = <const float*>job.grads.data + first[0] * job.width + column
            for j in range(n):
                sums[j] += singles[j]
        else:
            kernels().read[<int>FL_F64](&job.grads, first[0] * job.width + column, n, terms)
            for j in range(n):
                sums[j] += terms[j]
        first += 1
    if job.precision == FL_F64:
        for j in range(n):
            (<double*>out)[j] = sums[j]
    else:
        for j in range(n):
            (<float*>out)[j] = <float>sums[j]


cdef void _run_row(const Job* job, Py_ssize_t group) noexcept nogil:
    cdef FlOptimBlock block = job.block
    cdef int precision = job.precision, k
    cdef Py_ssize_t item = 8 if precision == FL_F64 else 4
    cdef const int64_t* first = &job.order[job.starts[group]]
    cdef const int64_t* last = &job.order[job.starts[group + 1]]
    cdef Py_ssize_t begin = job.rows[first[0]] * job.width, column = 0, n
    cdef bint alone = last - first == 1
    cdef double param[PIECE]
    cdef double grad[PIECE]
    cdef double state[3][PIECE]
    while column < job.width:
        n = min(job.width - column, <Py_ssize_t>PIECE)
        if alone and job.grads.contiguous:
            block.grad = job.grads.data + (first[0] * job.width + column) * item
        else:
            block.grad = grad
            if alone:
                kernels().read[precision](
                    &job.grads, first[0] * job.width + column, n, grad
                )
            else:
                _sum(job, first, last, column, n, grad)
        if job.param.contiguous:
            block.param = job.param.data + (begin + column) * item
        else:
            block.param = param
            kernels().read[precision](&job.param, begin + column, n, param)
        for k in range(FL_OPTIM_STATES):
            if job.block.state[k] == NULL:
                continue
            if job.state[k].contiguous:
                block.state[k] = job.state[k].data + (begin + column) * item
            else:
                block.state[k] = state[k]
                kernels().read[precision](&job.state[k], begin + column, n, state[k])
        job.function(&block, n)
        if not job.param.contiguous:
            kernels().write[precision](&job.param, begin + column, n, param)
        for k in range(FL_OPTIM_STATES):
            if job.block.state[k] != NULL and not job.state[k].contiguous:
                kernels().write[precision](&job.state[k], begin + column, n, state[k])
        column += n


cdef void _prefetch_row(const FlArray* array, Py_ssize_t row, Py_ssize_t width) noexcept nogil:
    cdef Py_ssize_t byte = 0, n_bytes = min(width * array.itemsize, <Py_ssize_t>PREFETCHED)
    if not array.contiguous:
        return
    while byte < n_bytes:
        fl_prefetch(array.data + row * width * array.itemsize + byte)
        byte += CACHE_LINE


cdef void _prefetch(const Job* job, Py_ssize_t group) noexcept nogil:
    cdef const int64_t* first = &job.order[job.starts[group]]
    cdef const int64_t* last = &job.order[job.starts[group + 1]]
    cdef Py_ssize_t row = job.rows[first[0]]
    cdef int k
    _prefetch_row(&job.param, row, job.width)
    for k in range(FL_OPTIM_STATES):
        if job.block.state[k] != NULL:
            _prefetch_row(&job.state[k], row, job.width)
    while first < last:
        _prefetch_row(&job.grads, first[0], job.width)
        first += 1


cdef void _run_part(const Job* job, Py_ssize_t start, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t group
    for group in range(start, end):
        if group + AHEAD < end:
            _prefetch(job, group + AHEAD)
        _run_row(job, group)


cdef void _run_all(const Job* job, Py_ssize_t n_groups, int threads) noexcept nogil:
    # one row is one thread's: which one makes no difference to it
    cdef Py_ssize_t part
    if threads > 1:
        for part in prange(threads, schedule="static", num_threads=threads):
            _run_part(job, n_groups * part // threads, n_groups * (part + 1) // threads)
    else:
        _run_part(job, 0, n_groups)


cdef tuple _arranged(object rows, Py_ssize_t n, Py_ssize_t n_rows):
    """The occurrences by row, those of one row in their order, and the row of each."""
    bits = int(n).bit_length()
    if bits + int(n_rows).bit_length() > 63:
        order = np.argsort(rows, kind="stable").astype(np.int64, copy=False)
        return order, rows[order]
    # row and occurrence in one number: numbers are sorted several times as fast as they are ranked
    keys = (rows << bits) | np.arange(n)
    keys.sort()
    return keys & ((1 << bits) - 1), keys >> bits


cdef int run_rows(
    ndarray param, ndarray rows, ndarray grads, tuple states, int optimizer,
    const FlOptimBlock* block, object n_threads
) except -1:
    """Updates the rows of param named; arrays are checked, block has numbers and variant."""
    cdef Job job
    cdef int k, threads
    cdef Py_ssize_t n = size_of(rows), n_groups
    cdef ndarray order, starts
    job.precision = precision_of(param, "param")
    job.function = kernels().optim[optimizer].step[job.precision]
    job.block = block[0]
    job.width = size_of(grads) // n if n else 0
    threads = thread_count(n_threads, n * job.width)
    if n == 0 or job.width == 0:
        return 0
    named = <object>rows
    if (named[1:] > named[:n - 1]).all():
        order = np.arange(n, dtype=np.int64)
        starts = np.arange(n + 1, dtype=np.int64)
    else:
        order, arranged = _arranged(named, n, cnp.PyArray_DIM(param, 0))
        first = np.flatnonzero(arranged[1:] != arranged[:n - 1]) + 1
        starts = np.concatenate(([0], first, [n])).astype(np.int64, copy=False)
    n_groups = size_of(starts) - 1
    describe(param, "param", job.precision, &job.param)
    describe(grads, "grads", job.precision, &job.grads)
    for k in range(FL_OPTIM_STATES):
        job.block.state[k] = NULL
        if states is not None and states[k] is not None:
            describe(<ndarray>states[k], "state", job.precision, &job.state[k])
            job.block.state[k] = job.state[k].data
    job.rows = <const int64_t*>cnp.PyArray_DATA(rows)
    job.order = <const int64_t*>cnp.PyArray_DATA(order)
    job.starts = <const int64_t*>cnp.PyArray_DATA(starts)
    if n * job.width >= RELEASE_GIL_FROM:
        with nogil:
            _run_all(&job, n_groups, threads)
    else:
        _run_all(&job, n_groups, 1)
    return 0
