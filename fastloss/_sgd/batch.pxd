# SGD steps of several samples, or of losses of several outputs, for the loops that run without the GIL:
# rows to raw predictions, losses, sums of gradients, one step of all coefficients.
from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t
from libc.string cimport memset

from fastloss._bases.row_job cimport Job as RowJob
from fastloss._bases.row_job cimport kernel_scratch
from fastloss._core.arrays cimport *
from fastloss._core.prefetch cimport fl_prefetch
from fastloss._core.runtime cimport *
from fastloss._sgd.job cimport Matrix, Schedule, next_steps
from fastloss._sgd.optimizer cimport OptimizerJob, end_step, step_coefficients, step_met
from fastloss.kernels cimport *

cdef enum:
    # Rows of a batch that are computed together, with sums of their own: about as many bytes.
    CHUNK_BYTES = 131072
    LEAST_CHUNK_ROWS = 32
    MOST_CHUNK_ROWS = 64
    # of short rows, gathered before they are predicted: memory brings the next ones meanwhile
    PIECE_ROWS = 16
    # so many have sums at once, with threads
    MOST_CHUNKS = 64
    # sparse rows that are fetched ahead, and entries of each at most
    ROWS_AHEAD = 8
    FETCHED = 256


cdef inline void fetch_row(const Matrix* x, int64_t row) noexcept nogil:
    """The beginning of a sparse row, which stands anywhere."""
    cdef int64_t entry = x.indptr[row]
    cdef int64_t end = min(x.indptr[row + 1], entry + FETCHED)
    cdef Py_ssize_t index = 8 if x.wide_indices else 4
    while entry < end:
        fl_prefetch(x.data + entry * x.item)
        fl_prefetch(x.indices + entry * index)
        entry += 64 // index


cdef struct BatchJob:
    const FlSgdKernels* kernels
    const FlLinearKernels* linear
    int precision
    Matrix x
    Schedule schedule
    FlSgdSteps steps
    int of_rows                 # the loss takes several outputs a sample
    RowJob rows                 # its kernel and parameters
    FlPointwiseFn pointwise
    const double* params
    const void* table
    const char* y               # REAL[n_samples], or NULL
    const int64_t* classes      # [n_samples], or NULL
    int one_hot                 # output k learns whether it is the class
    const double* weight        # [n_samples], or NULL
    const double* class_weight  # of one_hot
    const int64_t* order
    Py_ssize_t n_order, batch_size, chunk_rows
    Py_ssize_t n_outputs, coef_stride, raw_stride
    Py_ssize_t n_coef           # REALs of coef
    double clip, intercept_rate
    # REAL: of dense rows [n_outputs][coef_stride], else [n_features][n_outputs]
    char* coef
    double* intercept
    double* received            # as coef, or NULL
    double* average             # as coef, or NULL
    double* average_intercept
    double n_averaged
    FlSgdMomentum momentum      # velocity as coef, or NULL
    double* intercept_velocity
    OptimizerJob* optimizer     # which steps in place of all that, or NULL
    double* total               # as coef: the sums of a batch
    double* intercept_total     # [n_outputs]
    double* losses              # [n_outputs]; all in the first, if the loss takes several outputs
    char* narrow_intercept      # REAL[n_outputs], with room for a vector
    char* chunks                # [n chunks][chunk_bytes]: sums
    Py_ssize_t chunk_bytes, n_chunks
    char* scratch               # [threads][scratch_bytes]
    Py_ssize_t scratch_bytes


# Where a thread's memory begins.
cdef struct BatchBuffers:
    char* kernel
    char* x
    char* raw
    char* y
    char* loss
    char* staged
    int64_t* labels
    double* weight


cdef inline Py_ssize_t divide_batch_scratch(
    const BatchJob* job, char* base, BatchBuffers* out
) noexcept nogil:
    """Places the buffers one behind the other; returns how much they need."""
    cdef Py_ssize_t at = 0, item = job.x.item, n = job.chunk_rows
    out.kernel = base
    if job.of_rows:
        at += kernel_scratch(&job.rows)
    out.x = base + at
    at += 0 if job.x.sparse else whole_lines((n * job.coef_stride + FL_SGD_PAD) * item)
    out.raw = base + at
    at += whole_lines((job.n_outputs * job.raw_stride + FL_SGD_PAD) * item)
    out.y = base + at
    at += whole_lines(n * item)
    out.loss = base + at
    at += whole_lines(n * item)
    out.staged = base + at
    at += whole_lines(n * item)
    out.labels = <int64_t*>(base + at)
    at += whole_lines(n * 8)
    out.weight = <double*>(base + at)
    at += whole_lines(n * 8)
    return at


# The sums of one chunk.
cdef inline double* chunk_intercepts(const BatchJob* job, Py_ssize_t c) noexcept nogil:
    return <double*>(job.chunks + c * job.chunk_bytes)


cdef inline double* chunk_losses(const BatchJob* job, Py_ssize_t c) noexcept nogil:
    return chunk_intercepts(job, c) + job.n_outputs


cdef inline char* chunk_sums(const BatchJob* job, Py_ssize_t c) noexcept nogil:
    return job.chunks + c * job.chunk_bytes + whole_lines(2 * job.n_outputs * 8)


cdef inline void predict_batch(
    const BatchJob* job, const BatchBuffers* buffers, const int64_t* order, Py_ssize_t n,
    Py_ssize_t left, FlLinearBlock* block
) noexcept nogil:
    """The rows' raw predictions; dense rows are gathered. So many are left of the whole order."""
    cdef Py_ssize_t i, m, piece = n, d = job.x.n_features, item = job.x.item
    cdef Py_ssize_t row_bytes = job.coef_stride * item
    cdef int p = job.precision
    block.n_features = d
    block.n_outputs = job.n_outputs
    block.coef = job.coef
    block.coef_stride = job.coef_stride
    block.raw_stride = job.raw_stride
    block.intercept = job.narrow_intercept
    block.next = NULL
    block.no_way_back = False
    if job.x.sparse:
        block.data = job.x.data
        block.indices = job.x.indices
        block.n_rows = 1
        for i in range(n):
            if i + ROWS_AHEAD < left:
                fetch_row(&job.x, order[i + ROWS_AHEAD])
            block.indptr = job.x.indptr + order[i]
            block.raw = buffers.raw + i * job.n_outputs * item
            job.linear.csr_forward[p][job.x.wide_indices](block)
        return
    if job.x.copied:
        for i in range(n):
            kernels().read[p](&job.x.array, order[i] * d, d, buffers.x + i * row_bytes)
    elif d * item <= FL_SGD_SHORT_ROW:
        piece = PIECE_ROWS
    block.row_stride = job.coef_stride
    block.column_stride = 1
    i = 0
    while i < n:
        m = min(piece, n - i)
        block.n_rows = m
        block.x = buffers.x + i * row_bytes
        block.raw = buffers.raw + i * item
        if not job.x.copied:
            job.kernels.gather(
                &job.x.dense, order + i, m, left - i, d * item, buffers.x + i * row_bytes, row_bytes
            )
        job.linear.dense_forward[p](block)
        i += m
    block.n_rows = n
    block.x = buffers.x
    block.raw = buffers.raw


cdef inline double row_losses(
    const BatchJob* job, const BatchBuffers* buffers, const int64_t* order, Py_ssize_t n,
    Py_ssize_t left, double scale
) noexcept nogil:
    """Raw predictions of n samples become what they add to the gradients; returns the loss."""
    cdef FlRowBlock block
    cdef Py_ssize_t i
    cdef double one
    memset(&block, 0, sizeof(block))
    block.n_samples = n
    block.n_classes = job.n_outputs
    block.raw_prediction = buffers.raw
    block.sample_stride = job.n_outputs if job.x.sparse else 1
    block.class_stride = 1 if job.x.sparse else job.raw_stride
    block.class_weight = job.rows.class_weight
    block.class_weight_sum = job.rows.class_weight_sum
    block.label_smoothing = job.rows.label_smoothing
    block.params = job.rows.params
    block.per_output = job.rows.per_output
    block.scale = 1.0
    block.wants = FL_WANT_LOSS | FL_WANT_GRADIENT
    block.loss = buffers.loss
    block.gradient = buffers.raw
    block.gradient_sample_stride = block.sample_stride
    block.gradient_class_stride = block.class_stride
    block.scratch = buffers.kernel
    for i in range(n):
        buffers.weight[i] = job.weight[order[i]] if job.weight != NULL else 1.0
    if job.classes != NULL:
        for i in range(n):
            buffers.labels[i] = job.classes[order[i]]
        block.labels = buffers.labels
        if job.rows.fold_class_weight:
            block.class_weight = NULL
            block.class_weight_sum = <double>job.n_outputs
            for i in range(n):
                if buffers.labels[i] < 0:
                    continue
                if job.precision == FL_F64:
                    one = (<const double*>job.rows.class_weight)[buffers.labels[i]]
                else:
                    one = (<const float*>job.rows.class_weight)[buffers.labels[i]]
                buffers.weight[i] *= one
    else:
        job.kernels.take[job.precision](job.y, order, n, left, buffers.y)
        block.values = buffers.y
    job.rows.function(&block)
    return job.kernels.weigh[job.precision](
        buffers.loss, buffers.weight, buffers.raw, n, job.n_outputs, block.sample_stride,
        block.class_stride, scale, job.clip,
    )


cdef inline bint is_idle(
    const BatchJob* job, const BatchBuffers* buffers, const int64_t* order, Py_ssize_t i
) noexcept nogil:
    """Whether row i of a chunk adds nothing, not even the NaN that 0 times an infinity is."""
    if job.of_rows:
        return not buffers.weight[i] > 0.0 or (job.classes != NULL and buffers.labels[i] < 0)
    return job.weight != NULL and not job.weight[order[i]] > 0.0


cdef inline void move_output(
    const BatchJob* job, const BatchBuffers* buffers, Py_ssize_t k, Py_ssize_t n, bint back
) noexcept nogil:
    """Raw predictions of one output of sparse rows, to where they are contiguous and back."""
    cdef Py_ssize_t i, at
    for i in range(n):
        at = i * job.n_outputs + k
        if job.precision == FL_F64:
            if back:
                (<double*>buffers.raw)[at] = (<double*>buffers.staged)[i]
            else:
                (<double*>buffers.staged)[i] = (<double*>buffers.raw)[at]
        elif back:
            (<float*>buffers.raw)[at] = (<float*>buffers.staged)[i]
        else:
            (<float*>buffers.staged)[i] = (<float*>buffers.raw)[at]


cdef inline double output_losses(
    const BatchJob* job, const BatchBuffers* buffers, const int64_t* order, Py_ssize_t k,
    Py_ssize_t n, Py_ssize_t left, double scale
) noexcept nogil:
    """The same for one output of a loss of one."""
    cdef FlPointwiseBlock block
    cdef Py_ssize_t i
    cdef char* raw = buffers.raw
    cdef bint staged = job.x.sparse and job.n_outputs > 1
    cdef bint weighted = job.weight != NULL or job.class_weight != NULL
    if staged:
        move_output(job, buffers, k, n, False)
        raw = buffers.staged
    else:
        raw += k * job.raw_stride * job.x.item
    if job.one_hot:
        for i in range(n):
            if job.precision == FL_F64:
                (<double*>buffers.y)[i] = job.classes[order[i]] == k
            else:
                (<float*>buffers.y)[i] = job.classes[order[i]] == k
    else:
        job.kernels.take[job.precision](job.y, order, n, left, buffers.y)
    if weighted:
        for i in range(n):
            buffers.weight[i] = job.weight[order[i]] if job.weight != NULL else 1.0
            if job.class_weight != NULL and job.classes[order[i]] == k:
                buffers.weight[i] *= job.class_weight[k]
    memset(&block, 0, sizeof(block))
    block.y_true = buffers.y
    block.raw_prediction = raw
    block.loss = buffers.loss
    block.gradient = raw
    block.params = job.params
    block.table = job.table
    block.scale = 1.0
    block.fresh = True
    job.pointwise(&block, n)
    scale = job.kernels.weigh[job.precision](
        buffers.loss, buffers.weight if weighted else NULL, raw, n, 1, 1, 0, scale, job.clip
    )
    if staged:
        move_output(job, buffers, k, n, True)
    return scale


cdef inline void run_batch_chunk(
    const BatchJob* job, Py_ssize_t at, Py_ssize_t n, Py_ssize_t c, double scale, bint sums_wanted,
    int thread
) noexcept nogil:
    """Samples of the order from `at` on; what they add up to goes to chunk c."""
    cdef BatchBuffers buffers
    cdef FlLinearBlock block
    cdef double* intercepts = chunk_intercepts(job, c)
    cdef double* losses = chunk_losses(job, c)
    cdef const int64_t* order = job.order + at
    cdef Py_ssize_t i, k, item = job.x.item, left = job.n_order - at
    cdef int p = job.precision
    divide_batch_scratch(job, job.scratch + thread * job.scratch_bytes, &buffers)
    memset(intercepts, 0, 2 * job.n_outputs * sizeof(double))
    predict_batch(job, &buffers, order, n, left, &block)
    if job.of_rows:
        losses[0] = row_losses(job, &buffers, order, n, left, scale)
    else:
        for k in range(job.n_outputs):
            losses[k] = output_losses(job, &buffers, order, k, n, left, scale)
    if not job.x.sparse and (job.weight != NULL or job.of_rows):
        for i in range(n):
            if is_idle(job, &buffers, order, i):
                memset(
                    buffers.x + i * job.coef_stride * item, 0, job.x.n_features * item
                )
    if not sums_wanted:
        return
    block.intercept_sums = intercepts
    if job.x.sparse:
        block.sums = job.total
        for i in range(n):
            if is_idle(job, &buffers, order, i):
                continue
            block.indptr = job.x.indptr + order[i]
            block.raw = buffers.raw + i * job.n_outputs * item
            job.linear.csr_backward[p][job.x.wide_indices](&block)
        return
    block.sums = chunk_sums(job, c)
    job.linear.dense_backward[p](&block)


cdef inline void step_one_row(
    BatchJob* job, const int64_t* order, double shrink, double eta
) noexcept nogil:
    """One dense row's step of all outputs: the coefficients are read and written once."""
    cdef BatchBuffers buffers
    cdef Py_ssize_t k
    cdef double g
    divide_batch_scratch(job, job.scratch, &buffers)
    job.kernels.outer[job.precision](
        job.coef, job.coef_stride, job.n_outputs, buffers.x, job.x.n_features, buffers.raw,
        job.raw_stride, shrink, eta,
    )
    for k in range(job.n_outputs):
        if job.precision == FL_F64:
            g = (<double*>buffers.raw)[k * job.raw_stride]
        else:
            g = (<float*>buffers.raw)[k * job.raw_stride]
        job.intercept_total[k] = g


cdef inline void step_intercepts(BatchJob* job, double eta) noexcept nogil:
    cdef Py_ssize_t k
    cdef double g
    for k in range(job.n_outputs):
        g = job.intercept_total[k]
        if job.momentum.velocity != NULL:
            if job.momentum.fresh:
                job.intercept_velocity[k] = g
            else:
                job.intercept_velocity[k] = job.momentum.momentum * job.intercept_velocity[k] + g
            if job.momentum.nesterov:
                g = g + job.momentum.momentum * job.intercept_velocity[k]
            else:
                g = job.intercept_velocity[k]
        job.intercept[k] -= eta * g * job.intercept_rate


cdef inline void step_optimizer(
    BatchJob* job, const int64_t* order, Py_ssize_t n
) noexcept nogil:
    cdef OptimizerJob* optimizer = job.optimizer
    cdef Py_ssize_t k
    if optimizer.lazy:
        step_met(
            optimizer, job.precision, job.coef, job.total, &job.x, order, n, job.n_outputs
        )
    elif job.x.sparse:
        step_coefficients(optimizer, job.precision, job.coef, job.total, 0, job.n_coef)
    else:
        for k in range(job.n_outputs):
            step_coefficients(
                optimizer, job.precision, job.coef, job.total, k * job.coef_stride,
                job.x.n_features,
            )
    end_step(
        optimizer, job.intercept, job.intercept_total, job.n_outputs, job.intercept_rate != 0.0
    )


cdef inline void run_batch(BatchJob* job, Py_ssize_t at, Py_ssize_t n, int threads) noexcept nogil:
    """One step, from the n samples of the order from `at` on."""
    cdef Py_ssize_t c, k, rows = job.chunk_rows, count, done = 0
    cdef int forget, p = job.precision
    cdef double eta, shrink, scale = 1.0 / n
    cdef bint averages = job.average != NULL and job.schedule.t >= job.schedule.average_from
    cdef bint plain = job.momentum.velocity == NULL and job.optimizer == NULL
    cdef bint alone = n == 1 and not job.x.sparse and plain
    cdef bint lazy = job.optimizer != NULL and job.optimizer.lazy  # sums are 0 after each step
    cdef const FlSgdMomentum* momentum = NULL
    job.schedule.scale = 1.0
    next_steps(job.kernels, &job.schedule, &job.steps, 1, &forget)
    job.schedule.scale = 1.0
    job.schedule.sums = 0.0
    eta = job.steps.eta[0]
    shrink = 0.0 if forget else job.steps.after[0]
    for k in range(job.n_outputs):
        if p == FL_F64:
            (<double*>job.narrow_intercept)[k] = job.intercept[k]
        else:
            (<float*>job.narrow_intercept)[k] = <float>job.intercept[k]
    memset(job.intercept_total, 0, job.n_outputs * sizeof(double))
    if not alone and not lazy:
        memset(job.total, 0, job.n_coef * sizeof(double))
    while done < n:  # in the same order whatever job.n_chunks is
        count = min(job.n_chunks, (n - done + rows - 1) // rows)
        if threads > 1 and count > 1:
            for c in prange(count, schedule="static", num_threads=threads):
                run_batch_chunk(
                    job, at + done + c * rows, min(rows, n - done - c * rows), c, scale, True,
                    threadid(),
                )
        else:
            for c in range(count):
                run_batch_chunk(
                    job, at + done + c * rows, min(rows, n - done - c * rows), c, scale, not alone,
                    0,
                )
        for c in range(count):
            for k in range(job.n_outputs):
                job.intercept_total[k] += chunk_intercepts(job, c)[k]
                job.losses[k] += chunk_losses(job, c)[k]
            if not job.x.sparse and not alone:
                job.linear.flush[p](chunk_sums(job, c), job.n_coef, job.total)
        done += count * rows
    if job.optimizer != NULL:
        step_optimizer(job, job.order + at, n)
    elif alone:
        step_one_row(job, job.order + at, shrink, eta)
    else:
        if job.momentum.velocity != NULL:
            momentum = &job.momentum
        job.kernels.step[p](job.coef, job.total, job.n_coef, shrink, eta, momentum)
    if job.optimizer == NULL:
        step_intercepts(job, eta)
    job.momentum.fresh = False
    if job.received != NULL:
        job.schedule.penalty += job.steps.l1[0]
    if averages:
        job.n_averaged += 1.0
        for k in range(job.n_outputs):
            job.average_intercept[k] += (
                job.intercept[k] - job.average_intercept[k]
            ) / job.n_averaged
    if averages or job.received != NULL:
        job.kernels.after_step[p](
            job.coef, job.n_coef, job.average if averages else NULL, job.received,
            job.schedule.penalty,
        )
