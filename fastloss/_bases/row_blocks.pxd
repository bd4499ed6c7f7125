# A row loss's loop over blocks: how many rows a block has, its threads' scratch, sums in a fixed order.
from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t, uintptr_t
from libc.stdlib cimport calloc, free, malloc

from fastloss._bases.row_job cimport *
from fastloss._bases.row_layout cimport *
from fastloss.kernels cimport *


cdef extern from "Python.h":
    const Py_ssize_t PY_SSIZE_T_MAX


cdef inline int allocate_row_scratch(Job* job, int threads) except -1:
    """Rows a block, and the scratch of each thread: of no more threads than there are blocks."""
    cdef Buffers unused
    cdef Py_ssize_t n_blocks, rows = BLOCK_ELEMENTS // job.n_classes
    cdef Py_ssize_t item = job.operands[RAW].itemsize
    if rows > 64:
        rows -= rows % 64
    if job.operands[RAW].class_stride != item or not job.operands[RAW].direct:
        rows = max(rows, <Py_ssize_t>ROWS_SIDE_BY_SIDE)
    job.rows = min(max(rows, <Py_ssize_t>1), <Py_ssize_t>MAX_ROWS)
    job.rows = min(job.rows, max(job.n_samples, <Py_ssize_t>1))
    # a buffer of the kernels takes at most 64 bytes an output and column, of which there are 10
    if job.n_classes > PY_SSIZE_T_MAX // 4096 // MAX_ROWS:
        raise MemoryError
    n_blocks = max((job.n_samples + job.rows - 1) // job.rows, <Py_ssize_t>1)
    threads = <int>min(<Py_ssize_t>threads, n_blocks)
    job.scratch_bytes = divide_scratch(job, NULL, &unused) + 128
    if job.scratch_bytes > <size_t>(PY_SSIZE_T_MAX // 2 // threads):
        raise MemoryError
    job.scratch = <char*>malloc(threads * job.scratch_bytes + 64)
    if job.scratch == NULL:
        raise MemoryError
    return threads


cdef inline int run_row_blocks(const Job* job, double* partials, int threads) noexcept nogil:
    cdef Py_ssize_t b, n_blocks = (job.n_samples + job.rows - 1) // job.rows
    cdef int invalid = 0
    if threads > 1:
        for b in prange(n_blocks, schedule="static", num_threads=threads):
            invalid += run_row_block(
                job, b * job.rows, job.scratch + threadid() * job.scratch_bytes, &partials[b]
            )
    else:
        for b in range(n_blocks):
            invalid += run_row_block(job, b * job.rows, job.scratch, &partials[b])
    return invalid


cdef inline int weigh_row_blocks(const Job* job, double* partials, int threads) noexcept nogil:
    cdef Py_ssize_t b, n_blocks = (job.n_samples + job.rows - 1) // job.rows
    cdef int invalid = 0
    if threads > 1:
        for b in prange(n_blocks, schedule="static", num_threads=threads):
            invalid += weigh_block(
                job, b * job.rows, job.scratch + threadid() * job.scratch_bytes, &partials[b]
            )
    else:
        for b in range(n_blocks):
            invalid += weigh_block(job, b * job.rows, job.scratch, &partials[b])
    return invalid


cdef inline double row_blocks_summed(Job* job, bint weigh, int threads, int* invalid) except? -1.0:
    """Runs all blocks and returns the sum of their partial sums, in a fixed order."""
    cdef Py_ssize_t n_blocks = (job.n_samples + job.rows - 1) // job.rows
    cdef char* allocated = job.scratch
    cdef double total
    cdef double* partials = <double*>malloc(max(n_blocks, <Py_ssize_t>1) * sizeof(double))
    if partials == NULL:
        raise MemoryError
    job.scratch = <char*>((<uintptr_t>allocated + 63) // 64 * 64)
    job.scratch_bytes = job.scratch_bytes // 64 * 64
    with nogil:
        if weigh:
            invalid[0] = weigh_row_blocks(job, partials, threads)
        else:
            invalid[0] = run_row_blocks(job, partials, threads)
    job.scratch = allocated
    total = fl_sum_pairwise(partials, n_blocks)
    free(partials)
    return total


cdef inline int count_row_labels(
    const Job* job, int64_t* counts, Py_ssize_t stride, int threads
) noexcept nogil:
    """Counts of as many parts as threads, `stride` apart: whole numbers, added in any order."""
    cdef Py_ssize_t part, length = (job.n_samples + threads - 1) // threads
    cdef int invalid = 0
    if threads > 1:
        for part in prange(threads, schedule="static", num_threads=threads):
            invalid += count_labels(
                job, part * length, min(job.n_samples, (part + 1) * length),
                job.scratch + threadid() * job.scratch_bytes, counts + part * stride,
            )
    else:
        invalid = count_labels(job, 0, job.n_samples, job.scratch, counts)
    return invalid


cdef inline double label_weight(Job* job, int threads, int* invalid) except? -1.0:
    """The weight of all samples that are not ignored: sample weight times class weight."""
    cdef Py_ssize_t k, n_counts = 1 if job.class_weight == NULL else job.n_labels
    cdef Py_ssize_t stride = (n_counts + 15) // 8 * 8  # no line of two threads
    cdef char* allocated = job.scratch
    cdef int64_t* counts
    cdef double total
    cdef int part
    if job.operands[WEIGHT].present or n_counts * 8 > job.n_samples:
        return row_blocks_summed(job, True, threads, invalid)
    counts = <int64_t*>calloc(threads * stride, sizeof(int64_t))
    if counts == NULL:
        raise MemoryError
    job.scratch = <char*>((<uintptr_t>allocated + 63) // 64 * 64)
    job.scratch_bytes = job.scratch_bytes // 64 * 64
    with nogil:
        invalid[0] = count_row_labels(job, counts, stride, threads)
        for part in range(1, threads):
            for k in range(n_counts):
                counts[k] += counts[part * stride + k]
        total = weight_of_counts(job, counts)
    job.scratch = allocated
    free(counts)
    return total
