# One evaluation of a linear objective, described for the loops that run without the GIL, and a chunk of
# rows of it: block by block X to raw predictions, these to gradients, and back to the coefficients.
from libc.stdint cimport int64_t, uintptr_t
from libc.string cimport memset

from fastloss._bases.pointwise_job cimport Job as PointwiseJob
from fastloss._bases.pointwise_job cimport run_block
from fastloss._bases.row_job cimport GRADIENT, RAW, divide_scratch, run_row_block
from fastloss._bases.row_job cimport Buffers as RowBuffers
from fastloss._bases.row_job cimport Job as RowJob
from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *

cdef enum:
    # the way from raw predictions to what goes back
    LINEAR_LOSS               # nothing does
    LINEAR_GRADIENT
    LINEAR_PRODUCT            # the Hessian times a vector; the losses' Hessian is diagonal
    LINEAR_SOFTMAX_PRODUCT    # the same for softmax cross-entropy
    LINEAR_GRAM               # gradient and dense Hessian

cdef enum:
    # Sums of float32 go on in float64 after about so many rows.
    FLUSH_ROWS = 2048
    # A block of this size and the next stay in the first cache, with what belongs to them.
    FIRST_CACHE_BYTES = 16384
    LABELS_AT_ONCE = 256


cdef struct LinearJob:
    const FlLinearKernels* kernels
    int precision
    int way                   # LINEAR_*
    int of_rows               # the loss takes several outputs a sample
    int each_output           # one loss of each output: of one of all of them where X is sparse
    int by_class              # its labels are classes, each 1 at the output of its number and else 0
    Py_ssize_t label_stride   # else the bytes from a label to that of the next output
    int has_beside            # another loss of the same raw predictions, of one output
    PointwiseJob pointwise, beside
    RowJob rows
    Py_ssize_t item           # bytes of a REAL
    Py_ssize_t n_samples, n_features
    Py_ssize_t n_outputs      # of the loss
    Py_ssize_t n_predictions  # that X is multiplied for: twice n_outputs for a product
    # X
    int sparse, wide_indices, in_columns
    int copied                # no kernel can read its memory: block by block into a buffer
    int fetches               # the next block, while one is computed
    Py_ssize_t whole_rows     # so many can be read to the end of their last vector
    FlArray x
    Py_ssize_t row_stride, column_stride
    const char* data
    const char* indices
    const int64_t* indptr
    # coefficients
    const void* coef
    const void* intercept
    Py_ssize_t coef_stride, raw_stride
    int has_offset
    FlArray offset
    const char* curvature     # REAL[n_samples]: what the softmax Hessian is multiplied by
    # the division of work and memory
    Py_ssize_t block_rows, chunk_rows, n_chunks
    Py_ssize_t n_sums         # doubles of a chunk: coefficients, intercepts, and the Hessian
    double* sums              # [n_chunks][n_sums]
    double* losses            # [n_chunks]
    double* losses_beside     # [n_chunks]
    char* scratch             # [threads][scratch_bytes]
    size_t scratch_bytes


# Where a thread's memory begins; all 64-aligned.
cdef struct LinearBuffers:
    char* raw
    char* second              # a Hessian's diagonal, or probabilities
    char* beside              # the gradient of the other loss
    char* labels              # REAL: whether a sample's class is that of an output
    char* offset
    char* x
    char* sums                # REAL [n_outputs][coef_stride]
    char* columns             # REAL [n_features + 1][raw_stride]
    char* gram                # REAL [n_features + 1][coef_stride]
    char* rows                # what a row loss wants


cdef inline size_t divide_linear_scratch(
    const LinearJob* job, char* base, LinearBuffers* out
) noexcept nogil:
    """Places the buffers one behind the other; returns how much they need."""
    cdef RowBuffers unused
    cdef size_t at = 0
    cdef Py_ssize_t columns = job.n_features + 1
    out.raw = base
    at += whole_lines(job.n_predictions * job.raw_stride * job.item)
    out.second = base + at
    if job.way >= LINEAR_PRODUCT:
        at += whole_lines(job.n_outputs * job.raw_stride * job.item)
    out.beside = base + at
    if job.has_beside:
        at += whole_lines(job.raw_stride * job.item)
    out.labels = base + at
    if job.by_class and not job.sparse:
        at += whole_lines(job.raw_stride * job.item)
    out.offset = base + at
    if job.has_offset:
        at += whole_lines(job.block_rows * job.n_outputs * job.item)
    out.x = base + at
    if not job.sparse and not job.in_columns:
        at += whole_lines((job.block_rows * job.n_features + FL_LINEAR_PAD) * job.item)
    out.sums = base + at
    if not job.sparse:
        at += whole_lines(job.n_outputs * job.coef_stride * job.item)
    out.columns = base + at
    if job.way == LINEAR_GRAM and not job.sparse:
        at += whole_lines(columns * job.raw_stride * job.item)
    out.gram = base + at
    if job.way == LINEAR_GRAM and not job.sparse:
        at += whole_lines(columns * job.coef_stride * job.item)
    out.rows = base + at
    if job.of_rows:
        at += divide_scratch(&job.rows, NULL, &unused) + 64
    return at + 64


cdef inline void point_at(
    FlArray* array, char* block, Py_ssize_t start, Py_ssize_t stride
) noexcept nogil:
    """Makes a block that begins with sample `start` look like a part of an array of all samples."""
    array.data = <char*>(<uintptr_t>block - <uintptr_t>(start * stride))


cdef inline void find_rows(
    const LinearJob* job, Py_ssize_t start, Py_ssize_t n, char* buffer, FlLinearBlock* block
) noexcept nogil:
    """Where the block's rows of X stand; they are copied where the kernels cannot read them."""
    block.next = NULL
    block.no_way_back = job.way == LINEAR_LOSS
    if job.sparse:
        block.indptr = job.indptr + start
        return
    if job.copied or (not job.in_columns and start + n > job.whole_rows):
        kernels().read[job.precision](
            &job.x, start * job.n_features, n * job.n_features, buffer
        )
        block.x = buffer
        block.row_stride = job.n_features
        block.column_stride = 1
        return
    block.x = job.x.data + start * job.row_stride * job.item
    block.row_stride = job.row_stride
    block.column_stride = job.column_stride
    if job.fetches and not job.in_columns:
        block.next = <const char*>block.x + n * job.row_stride * job.item


cdef inline void find_class(
    const LinearJob* job, Py_ssize_t start, Py_ssize_t n, Py_ssize_t k, char* out
) noexcept nogil:
    """1 for each sample of class k, and 0 for the others."""
    cdef int64_t labels[LABELS_AT_ONCE]
    cdef Py_ssize_t at = 0, m, i
    while at < n:
        m = min(n - at, <Py_ssize_t>LABELS_AT_ONCE)
        kernels().read_labels(&job.pointwise.y_true, start + at, m, labels)
        for i in range(m):
            if job.precision == FL_F64:
                (<double*>out)[at + i] = labels[i] == k
            else:
                (<float*>out)[at + i] = labels[i] == k
        at += m


cdef inline int has_no_class(const LinearJob* job, Py_ssize_t start, Py_ssize_t n) noexcept nogil:
    """Whether a sample's label is no class."""
    cdef int64_t labels[LABELS_AT_ONCE]
    cdef Py_ssize_t at = 0, m, i
    cdef int outside = 0
    while at < n:
        m = min(n - at, <Py_ssize_t>LABELS_AT_ONCE)
        kernels().read_labels(&job.pointwise.y_true, start + at, m, labels)
        for i in range(m):
            outside |= labels[i] < 0 or labels[i] >= job.n_outputs
        at += m
    return outside


cdef inline int apply_each(
    LinearJob* job, PointwiseJob* pointwise, const LinearBuffers* buffers, Py_ssize_t start,
    Py_ssize_t n, double* loss
) noexcept nogil:
    """One loss of each output of dense X, output after output."""
    cdef Py_ssize_t k, at
    cdef double partial
    cdef int invalid = 0
    for k in range(job.n_outputs):
        at = k * job.raw_stride * job.item
        point_at(&pointwise.raw_prediction, buffers.raw + at, start, job.item)
        pointwise.gradient.data = pointwise.raw_prediction.data
        point_at(&pointwise.hessian, buffers.second + at, start, job.item)
        if job.by_class:
            find_class(job, start, n, k, buffers.labels)
            point_at(&pointwise.y_true, buffers.labels, start, job.item)
            pointwise.y_true.contiguous = True
            pointwise.y_true.itemsize = job.item
        else:
            pointwise.y_true.data = job.pointwise.y_true.data + k * job.label_stride
        invalid += run_block(pointwise, start, n, 0, &partial)
        loss[0] += partial
    return invalid


cdef inline int apply_loss(
    LinearJob* job, PointwiseJob* pointwise, RowJob* rows, const LinearBuffers* buffers,
    Py_ssize_t start, Py_ssize_t n, double* loss
) noexcept nogil:
    """Raw predictions to gradients, in place, and the Hessian's diagonal; 1 if a label is invalid."""
    cdef double partial
    cdef int invalid = job.by_class and has_no_class(job, start, n)
    if job.each_output and not job.sparse:
        return invalid + apply_each(job, pointwise, buffers, start, n, loss)
    if job.of_rows:
        point_at(
            &rows.operands[RAW].array, buffers.raw, start, rows.operands[RAW].array.strides[0]
        )
        rows.operands[GRADIENT].array.data = rows.operands[RAW].array.data
        invalid = run_row_block(
            rows, start, <char*>((<uintptr_t>buffers.rows + 63) // 64 * 64), &partial
        )
    else:
        if job.each_output:
            start, n = start * job.n_outputs, n * job.n_outputs
        point_at(&pointwise.raw_prediction, buffers.raw, start, job.item)
        pointwise.gradient.data = pointwise.raw_prediction.data
        point_at(&pointwise.hessian, buffers.second, start, job.item)
        invalid += run_block(pointwise, start, n, 0, &partial)
    loss[0] += partial
    return invalid


cdef inline int apply_beside(
    LinearJob* job, PointwiseJob* beside, const LinearBuffers* buffers, Py_ssize_t start,
    Py_ssize_t n, double* loss
) noexcept nogil:
    """The other loss of the same raw predictions, which stay."""
    cdef double partial
    cdef int invalid
    point_at(&beside.raw_prediction, buffers.raw, start, job.item)
    point_at(&beside.gradient, buffers.beside, start, job.item)
    invalid = run_block(beside, start, n, 0, &partial)
    loss[0] += partial
    return invalid


cdef inline char* second_half(const LinearJob* job, const LinearBuffers* buffers) noexcept nogil:
    return buffers.raw + job.n_outputs * job.raw_stride * job.item


cdef inline void apply_softmax(
    LinearJob* job, const LinearBuffers* buffers, Py_ssize_t start, Py_ssize_t n
) noexcept nogil:
    """The softmax Hessian at the raw predictions times what stands behind them, in place."""
    cdef FlRowBlock block
    cdef Py_ssize_t sample_stride = job.n_outputs if job.sparse else 1
    cdef Py_ssize_t class_stride = 1 if job.sparse else job.raw_stride
    memset(&block, 0, sizeof(block))
    block.n_samples = n
    block.n_classes = job.n_outputs
    block.raw_prediction = buffers.raw
    block.sample_stride = sample_stride
    block.class_stride = class_stride
    block.gradient = buffers.raw
    block.gradient_sample_stride = sample_stride
    block.gradient_class_stride = class_stride
    block.scratch = <char*>((<uintptr_t>buffers.rows + 63) // 64 * 64)
    kernels().softmax[job.precision](&block)
    job.kernels.softmax_product[job.precision](
        buffers.raw, second_half(job, buffers),
        job.curvature + start * job.item, n, job.n_outputs, sample_stride, class_stride,
    )


cdef inline void flush_sums(
    LinearJob* job, const LinearBuffers* buffers, double* sums
) noexcept nogil:
    """The sums of the last rows to those of the chunk."""
    cdef Py_ssize_t k, d = job.n_features
    if job.sparse:
        return
    for k in range(job.n_outputs):
        job.kernels.flush[job.precision](
            buffers.sums + k * job.coef_stride * job.item, d, sums + k * d
        )
    if job.way == LINEAR_GRAM:
        for k in range(d + 1):
            job.kernels.flush[job.precision](
                buffers.gram + k * job.coef_stride * job.item, d,
                sums + d + 1 + k * d,
            )


cdef inline void predict_rows(
    LinearJob* job, const LinearBuffers* buffers, Py_ssize_t start, FlLinearBlock* block
) noexcept nogil:
    """Raw predictions, and behind them what X times the vector of a product is."""
    cdef Py_ssize_t k, n = block.n_rows, n_outputs = job.n_outputs, item = job.item
    cdef int p = job.precision
    block.raw = buffers.raw
    block.coef = job.coef
    block.intercept = job.intercept
    if job.sparse:
        block.n_outputs = n_outputs
        job.kernels.csr_forward[p][job.wide_indices](block)
        if job.n_predictions > n_outputs:
            block.raw = second_half(job, buffers)
            block.coef = <const char*>job.coef + job.n_features * n_outputs * item
            block.intercept = <const char*>job.intercept + n_outputs * item
            job.kernels.csr_forward[p][job.wide_indices](block)
    else:
        block.n_outputs = job.n_predictions
        job.kernels.dense_forward[p](block)
    if not job.has_offset:
        return
    if job.sparse:
        kernels().read[p](&job.offset, start * n_outputs, n * n_outputs, buffers.offset)
        job.kernels.add[p](buffers.raw, buffers.offset, n * n_outputs)
        return
    for k in range(n_outputs):  # its axes are those of raw
        kernels().read[p](&job.offset, k * job.n_samples + start, n, buffers.offset)
        job.kernels.add[p](buffers.raw + k * job.raw_stride * item, buffers.offset, n)


cdef inline void add_gram(
    LinearJob* job, const LinearBuffers* buffers, double* sums, FlLinearBlock* block
) noexcept nogil:
    cdef Py_ssize_t d = job.n_features
    cdef int p = job.precision
    if job.sparse:
        job.kernels.csr_gram[p][job.wide_indices](block, buffers.second, sums, d + 1)
        return
    job.kernels.scale_columns[p](block, buffers.second, buffers.columns, job.raw_stride)
    block.n_outputs = d + 1
    block.raw = buffers.columns
    block.sums = buffers.gram
    block.intercept_sums = sums + (d + 1) * d
    job.kernels.dense_backward[p](block)


cdef inline int run_linear_chunk(LinearJob* job, Py_ssize_t chunk, int thread) noexcept nogil:
    """One chunk of rows; its sums go to their place. How many of its blocks hold an invalid label."""
    cdef LinearBuffers buffers
    cdef FlLinearBlock block
    cdef PointwiseJob pointwise, beside
    cdef RowJob rows
    cdef char* scratch = job.scratch + thread * job.scratch_bytes
    cdef double* sums = job.sums + chunk * job.n_sums
    cdef Py_ssize_t at = chunk * job.chunk_rows, end, n, since = 0, d = job.n_features
    cdef Py_ssize_t k, all_sums = job.n_outputs * d
    cdef int invalid = 0, p = job.precision, wide = job.wide_indices
    cdef double loss = 0.0, loss_beside = 0.0
    end = min(at + job.chunk_rows, job.n_samples)
    divide_linear_scratch(job, scratch, &buffers)
    memset(sums, 0, job.n_sums * sizeof(double))
    if not job.sparse:
        memset(buffers.sums, 0, job.n_outputs * job.coef_stride * job.item)
        if job.way == LINEAR_GRAM:
            memset(buffers.gram, 0, (d + 1) * job.coef_stride * job.item)
    if job.of_rows:
        rows = job.rows
    else:
        pointwise = job.pointwise
    if job.has_beside:
        beside = job.beside
    block.n_features = d
    block.data = job.data
    block.indices = job.indices
    block.coef_stride = job.coef_stride
    block.raw_stride = job.raw_stride
    while at < end:
        n = min(job.block_rows, end - at)
        block.n_rows = n
        find_rows(job, at, n, buffers.x, &block)
        predict_rows(job, &buffers, at, &block)
        if job.way == LINEAR_SOFTMAX_PRODUCT:
            apply_softmax(job, &buffers, at, n)
        else:
            if job.has_beside:
                invalid += apply_beside(job, &beside, &buffers, at, n, &loss_beside)
            invalid += apply_loss(job, &pointwise, &rows, &buffers, at, n, &loss)
        if job.way != LINEAR_LOSS:
            block.n_outputs = job.n_outputs
            block.intercept_sums = sums + all_sums
            block.sums = sums if job.sparse else <void*>buffers.sums
            block.raw = buffers.raw
            if job.n_predictions > job.n_outputs:
                block.raw = second_half(job, &buffers)
                if job.way == LINEAR_PRODUCT and job.sparse:
                    job.kernels.multiply[p](block.raw, buffers.second, n * job.n_outputs)
                elif job.way == LINEAR_PRODUCT:
                    for k in range(job.n_outputs):
                        job.kernels.multiply[p](
                            <char*>block.raw + k * job.raw_stride * job.item,
                            buffers.second + k * job.raw_stride * job.item, n,
                        )
            elif job.has_beside and job.way == LINEAR_GRAM:
                block.raw = buffers.beside
            if job.sparse:
                job.kernels.csr_backward[p][wide](&block)
            else:
                job.kernels.dense_backward[p](&block)
            if job.way == LINEAR_GRAM:
                add_gram(job, &buffers, sums + d + 1, &block)
        at += n
        since += n
        if since >= FLUSH_ROWS or at == end:
            flush_sums(job, &buffers, sums)
            since = 0
    job.losses[chunk] = loss
    job.losses_beside[chunk] = loss_beside
    return invalid
