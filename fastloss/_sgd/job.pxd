# Plain SGD on a linear model, described for the loops that run without the GIL: where rows stand, how
# the learning rate goes on, and a run of samples for each output.
cimport numpy as cnp
from libc.math cimport INFINITY
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset
from cython cimport floating
from numpy cimport ndarray

from fastloss._bases.pointwise_job cimport Job as PointwiseJob
from fastloss._bases.pointwise_job cimport run_block
from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *

cdef enum:
    RUN = 1024          # samples a run, at most
    # runs of as many bytes of rows, where several outputs read them
    RUN_BYTES = 262144
    THREAD_WORK = 16384     # multiplications of a run that threads share, at least
    SIGNAL_WORK = 33554432  # multiplications between two looks for Ctrl-C, about

cdef enum:
    RATE_CONSTANT
    RATE_OPTIMAL
    RATE_INVSCALING


# Where X stands: dense rows that the kernels can read, but for the last few; dense of any other layout;
# CSR.
cdef struct Matrix:
    int sparse, wide_indices, copied
    Py_ssize_t n_samples, n_features, item
    FlArray array
    FlSgdRows dense
    const char* data
    const char* indices
    const int64_t* indptr


# How the learning rate and with it the scale of the coefficients go on: the same for all outputs.
cdef struct Schedule:
    int kind
    double eta0, power_t, alpha, optimal_init
    double l1, l2           # parts of alpha
    double fold_below       # scales
    double average_from     # the first averaged sample, INFINITY for none
    double t, eta, scale, sums, penalty


# What the losses of some samples say of how soon steps have done their work.
cdef struct Bend:
    double rates, losses, squares, hessians  # sums
    int clipped             # whether a slope was


cdef struct SampleJob:
    const FlSgdKernels* kernels
    FlSgdFn run
    FlSgdAfterFn after
    int precision
    Matrix x
    Schedule schedule
    PointwiseJob loss       # of the raw predictions of a run
    const char* y           # REAL[n_samples], or NULL
    const int64_t* classes  # [n_samples]: output k learns whether it is the class
    const double* weight    # [n_samples], or NULL
    const double* class_weight  # of the positive samples of each class, or NULL
    int plain_labels
    const int64_t* order
    Py_ssize_t n_order
    Py_ssize_t n_outputs, coef_stride, run_length
    double clip, intercept_rate
    int passive             # FL_SGD_PASSIVE_*, or 0
    char* coef              # REAL[n_outputs][coef_stride]
    double* intercept       # [n_outputs]
    double* received        # [n_outputs][coef_stride], or NULL
    double* average         # [n_outputs][coef_stride], or NULL
    double* average_intercept
    double n_averaged
    char* pending_row       # REAL[coef_stride]
    double* pending_times   # [n_outputs]
    int pending
    double* dots            # [n_outputs]
    int has_dots
    double* losses          # [n_outputs]
    FlSgdSteps steps
    const void** rows       # [RUN + FL_SGD_AHEAD]
    int64_t* starts
    int64_t* ends
    char* copies            # REAL[RUN + 1][coef_stride] of rows that the kernels cannot read
    Bend* bends             # of each output, or NULL: see replicas.pxd
    char* scratch           # for each thread, so many bytes
    Py_ssize_t scratch_bytes


# Samples that follow each other.
cdef struct Part:
    Py_ssize_t at           # their place in the order
    Py_ssize_t n
    const FlSgdSteps* steps
    const int64_t* starts
    const int64_t* ends
    int forget, is_last


cdef inline void* data_of(object array) noexcept:
    """Where an array's numbers stand, NULL for None."""
    return NULL if array is None else cnp.PyArray_DATA(<ndarray>array)


cdef inline int describe_rows(Matrix* x, ndarray array, int precision) except -1:
    """Dense X of any dtype and layout; the tail is still to be made."""
    cdef Py_ssize_t row_stride, column_stride, beyond
    cdef bint native
    memset(x, 0, sizeof(Matrix))
    describe(array, "X", precision, &x.array)
    x.item = 8 if precision == FL_F64 else 4
    x.n_samples = cnp.PyArray_DIM(array, 0)
    x.n_features = cnp.PyArray_DIM(array, 1)
    row_stride, column_stride = cnp.PyArray_STRIDE(array, 0), cnp.PyArray_STRIDE(array, 1)
    if x.n_samples <= 1:
        row_stride = x.n_features * x.item
    native = (
        cnp.PyArray_TYPE(array) == <int>(cnp.NPY_FLOAT64 if precision == FL_F64 else cnp.NPY_FLOAT32)
        and PyArray_ISNOTSWAPPED(array)
        and bool(PyArray_CHKFLAGS(array, cnp.NPY_ARRAY_ALIGNED))
        and (column_stride == x.item or x.n_features == 1)
        and row_stride >= x.item and row_stride % x.item == 0
    )
    x.copied = not native
    if native:
        x.dense.rows = <const char*>cnp.PyArray_DATA(array)
        x.dense.row_bytes = row_stride
        # a row's last vector may reach into the rows behind it
        beyond = (FL_SGD_PAD * x.item + row_stride - 1) // row_stride
        x.dense.whole_rows = max(x.n_samples - beyond, <Py_ssize_t>0)
    return 0


cdef inline void describe_csr(
    Matrix* x, ndarray data, ndarray indices, ndarray indptr, Py_ssize_t n, Py_ssize_t d
) noexcept:
    """The parts of a CSR matrix that were checked by _linear.arrays.checked_csr."""
    memset(x, 0, sizeof(Matrix))
    x.n_samples = n
    x.n_features = d
    x.item = cnp.PyArray_ITEMSIZE(data)
    x.sparse = True
    x.wide_indices = cnp.PyArray_ITEMSIZE(indices) == 8
    x.data = <const char*>cnp.PyArray_DATA(data)
    x.indices = <const char*>cnp.PyArray_DATA(indices)
    x.indptr = <const int64_t*>cnp.PyArray_DATA(indptr)


cdef inline double* place_steps(FlSgdSteps* steps, double* memory, Py_ssize_t n) noexcept nogil:
    """Room for n steps; returns what is behind it."""
    steps.eta = memory
    steps.before = memory + n
    steps.inverse = memory + 2 * n
    steps.after = memory + 3 * n
    steps.l1 = memory + 4 * n
    steps.sums = memory + 5 * n
    return steps.sums + n + 1


cdef inline Py_ssize_t next_steps(
    const FlSgdKernels* sgd, Schedule* s, FlSgdSteps* steps, Py_ssize_t n, int* forget
) noexcept nogil:
    """
    Learning rates and scales of at most n samples; returns of how many.

    A run ends where the scale has become so small that the coefficients must take it up.
    """
    cdef Py_ssize_t i
    forget[0] = False
    if s.kind == RATE_INVSCALING:
        for i in range(n):
            steps.eta[i] = s.t + i
            steps.before[i] = s.power_t
        kernels().pow[FL_F64](steps.eta, steps.before, steps.eta, n)
        for i in range(n):
            steps.eta[i] = s.eta0 / steps.eta[i]
    elif s.kind == RATE_OPTIMAL:
        sgd.optimal(steps.eta, n, s.alpha, s.optimal_init, s.t)
    else:
        for i in range(n):
            steps.eta[i] = s.eta
    n = sgd.scales(steps, n, s.scale, s.l2, s.fold_below)
    if n == 0:
        forget[0] = True
        n = 1
        steps.before[0] = s.scale
        steps.after[0] = steps.inverse[0] = 1.0
    steps.sums[0] = steps.sums[1] = s.sums
    if s.t + n > s.average_from:
        for i in range(n):
            if s.t + i >= s.average_from:
                s.sums += steps.after[i]
            steps.sums[i + 1] = s.sums
    if s.l1 > 0.0:
        for i in range(n):
            steps.l1[i] = s.l1 * steps.eta[i]
    s.t += n
    s.eta = steps.eta[n - 1]
    s.scale = steps.after[n - 1]
    return n


cdef inline void fold_scale(SampleJob* job) noexcept nogil:
    """The coefficients take up their scale, and the averages what they have seen of them."""
    cdef Py_ssize_t k, d = job.x.n_features
    cdef double* average = NULL
    for k in range(job.n_outputs):
        if job.average != NULL:
            average = job.average + k * job.coef_stride
        job.kernels.fold[job.precision](
            job.coef + k * job.coef_stride * job.x.item, d, job.schedule.scale, average,
            job.schedule.sums,
        )
    job.schedule.scale = 1.0
    job.schedule.sums = 0.0


cdef inline void find_entries(
    const SampleJob* job, Py_ssize_t at, Py_ssize_t n, int64_t* starts, int64_t* ends
) noexcept nogil:
    """Where the sparse rows from place `at` of the order on stand, and those behind the last."""
    cdef Py_ssize_t i
    cdef Py_ssize_t count = min(n + FL_SGD_AHEAD, job.n_order - at)
    cdef const int64_t* order = job.order + at
    for i in range(count):
        starts[i] = job.x.indptr[order[i]]
        ends[i] = job.x.indptr[order[i] + 1]
    for i in range(count, n + FL_SGD_AHEAD):
        starts[i] = ends[i] = 0


cdef inline void find_rows(SampleJob* job, Py_ssize_t at, Py_ssize_t n) noexcept nogil:
    """The same for dense rows."""
    cdef Py_ssize_t i, item = job.x.item
    cdef Py_ssize_t count = min(n + FL_SGD_AHEAD, job.n_order - at)
    cdef const int64_t* order = job.order + at
    if job.x.copied:
        count = min(count, n + 1)
        for i in range(count):
            job.rows[i] = job.copies + i * job.coef_stride * item
            kernels().read[job.precision](
                &job.x.array, order[i] * job.x.n_features, job.x.n_features, <void*>job.rows[i]
            )
    else:
        for i in range(count):
            job.rows[i] = fl_sgd_row(&job.x.dense, order[i])
    for i in range(count, n + FL_SGD_AHEAD):
        job.rows[i] = job.rows[count - 1]


cdef inline void fill_labels(
    const SampleJob* job, Py_ssize_t k, const int64_t* order, Py_ssize_t n, void* y
) noexcept nogil:
    cdef Py_ssize_t i
    if job.classes != NULL:
        for i in range(n):
            if job.precision == FL_F64:
                (<double*>y)[i] = job.classes[order[i]] == k
            else:
                (<float*>y)[i] = job.classes[order[i]] == k
    elif job.precision == FL_F64:
        for i in range(n):
            (<double*>y)[i] = (<const double*>job.y)[order[i]]
    else:
        for i in range(n):
            (<float*>y)[i] = (<const float*>job.y)[order[i]]


cdef inline Py_ssize_t keep_weighted(
    floating* y, floating* raw, floating* weight, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t i, kept = 0
    for i in range(n):
        if weight[i] > 0:
            y[kept] = y[i]
            raw[kept] = raw[i]
            weight[kept] = weight[i]
            kept += 1
    return kept


cdef inline Py_ssize_t without_idle(
    int precision, Py_ssize_t n, char* y, char* raw, char* weight
) noexcept nogil:
    """Leaves out samples of weight 0, whose loss may be infinite; returns how many there are then."""
    if precision == FL_F64:
        return keep_weighted(<double*>y, <double*>raw, <double*>weight, n)
    return keep_weighted(<float*>y, <float*>raw, <float*>weight, n)


cdef inline double weight_of(const SampleJob* job, Py_ssize_t k, int64_t row) noexcept nogil:
    cdef double weight = job.weight[row] if job.weight != NULL else 1.0
    if job.class_weight != NULL and job.classes[row] == k:
        weight *= job.class_weight[k]
    return weight


cdef inline void run_output(
    SampleJob* job, Py_ssize_t k, const Part* part, int thread, double* loss_sum
) noexcept nogil:
    """Samples of one output, and their loss; what is scratch belongs to the thread."""
    cdef FlSgdRun run
    cdef FlSgdAfter more
    cdef PointwiseJob loss
    cdef const FlSgdSteps* steps = part.steps
    cdef Py_ssize_t n = part.n
    cdef char* scratch = job.scratch + thread * job.scratch_bytes
    cdef double* rate = <double*>scratch
    cdef char* y = scratch + RUN * 8
    cdef char* raw = y + RUN * 8
    cdef char* weight = raw + RUN * 8
    cdef const int64_t* order = job.order + part.at
    cdef bint weighted = job.weight != NULL or job.class_weight != NULL or job.passive
    cdef double one, partial
    cdef Py_ssize_t i
    fill_labels(job, k, order, n, y)
    if weighted:
        for i in range(n):
            one = weight_of(job, k, order[i])
            rate[i] = one if job.passive else steps.eta[i] * one
            if job.precision == FL_F64:
                (<double*>weight)[i] = one
            else:
                (<float*>weight)[i] = <float>one
    run.n = n
    run.n_features = job.x.n_features
    run.rows = job.rows
    run.starts = part.starts
    run.ends = part.ends
    run.data = job.x.data
    run.indices = job.x.indices
    run.wide_indices = job.x.wide_indices
    # where the rows behind those stand that are already known of
    i = min(part.at + max(n, job.run_length) + FL_SGD_AHEAD, job.n_order)
    run.indptr = job.x.indptr
    run.later = job.order + i
    run.n_later = job.n_order - i
    run.y_true = y
    run.before = steps.before
    run.inverse = steps.inverse
    run.rate = rate if weighted else steps.eta
    run.passive = job.passive
    run.most = job.schedule.eta0
    run.clip = job.clip
    run.pending_row = job.pending_row if job.pending else NULL
    run.pending_times = job.pending_times[k]
    run.dot = job.dots[k]
    run.has_dot = job.has_dots
    run.is_last = part.is_last
    run.intercept = job.intercept[k]
    run.intercept_rate = job.intercept_rate
    run.forget = part.forget
    run.coef = job.coef + k * job.coef_stride * job.x.item
    run.raw = raw
    run.params = job.loss.params
    run.table = job.loss.table
    run.plain_labels = job.plain_labels
    run.more = NULL
    run.after = job.after
    more.received = NULL
    more.average = NULL
    if job.average != NULL and job.schedule.t > job.schedule.average_from:
        more.average = job.average + k * job.coef_stride
    if job.received != NULL:
        more.received = job.received + k * job.coef_stride
    if more.average != NULL or more.received != NULL:
        more.penalty = job.schedule.penalty
        more.l1 = steps.l1
        more.sums = steps.sums
        more.after = steps.after
        more.average_intercept = job.average_intercept[k]
        more.n_averaged = job.n_averaged
        run.more = &more
    job.run(&run)
    job.intercept[k] = run.intercept
    if not job.x.sparse:
        job.pending_times[k] = run.pending_times
        job.dots[k] = run.dot
    if run.more != NULL:
        job.average_intercept[k] = more.average_intercept
    if weighted:
        n = without_idle(job.precision, n, y, raw, weight)
        if n == 0:
            return
    loss = job.loss
    loss.y_true.data = y
    loss.raw_prediction.data = raw
    loss.sample_weight.data = weight
    loss.has_weight = weighted
    if job.bends != NULL:
        loss.gradient.data = weight + RUN * 8
        loss.hessian.data = loss.gradient.data + RUN * 8
    run_block(&loss, 0, n, 0, &partial)
    loss_sum[0] += partial
    if job.bends != NULL:
        job.bends[k].losses += partial
        if job.precision == FL_F64:
            add_bend(
                job, k, <double*>loss.gradient.data, <double*>loss.hessian.data,
                <double*>weight if weighted else NULL, n,
            )
        else:
            add_bend(
                job, k, <float*>loss.gradient.data, <float*>loss.hessian.data,
                <float*>weight if weighted else NULL, n,
            )


cdef inline void add_bend(
    const SampleJob* job, Py_ssize_t k, const floating* gradient, const floating* hessian,
    const floating* weight, Py_ssize_t n,
) noexcept nogil:
    """What the losses of n samples say; the weights are in their slopes, which steps clip before."""
    cdef Py_ssize_t i
    cdef double slope, most = job.clip, squares = 0.0, hessians = 0.0
    for i in range(n):
        if weight != NULL:
            most = job.clip * weight[i]
        slope = gradient[i]
        if abs(slope) > most:
            job.bends[k].clipped = True
        squares += slope * slope
        hessians += hessian[i]
    job.bends[k].squares += squares
    job.bends[k].hessians += hessians


cdef inline Py_ssize_t prepare_run(
    SampleJob* job, Py_ssize_t at, int* forget, int* is_last
) noexcept nogil:
    """The next run's samples, from place `at` of the order on; returns how many."""
    cdef Py_ssize_t n = min(job.run_length, job.n_order - at)
    # averages begin with a run of their own
    if job.schedule.t < job.schedule.average_from < job.schedule.t + n:
        n = <Py_ssize_t>(job.schedule.average_from - job.schedule.t)
    n = next_steps(job.kernels, &job.schedule, &job.steps, n, forget)
    if forget[0] and job.average != NULL:
        forget_average(job)
    if job.x.sparse:
        find_entries(job, at, n, job.starts, job.ends)
    else:
        find_rows(job, at, n)
    is_last[0] = at + n == job.n_order
    return n


cdef inline void forget_average(SampleJob* job) noexcept nogil:
    """The averages take up the coefficients, which are about to become 0."""
    cdef Py_ssize_t k
    cdef double before = job.steps.sums[0]
    if job.pending:
        take_pending(job)
    job.has_dots = False
    for k in range(job.n_outputs):
        job.kernels.fold[job.precision](
            job.coef + k * job.coef_stride * job.x.item, job.x.n_features, 1.0,
            job.average + k * job.coef_stride, before,
        )
    job.schedule.sums -= before
    job.steps.sums[1] -= before
    job.steps.sums[0] = 0.0


cdef inline void finish_run(SampleJob* job, Py_ssize_t n, int is_last) noexcept nogil:
    """What the run leaves to the next."""
    cdef Py_ssize_t i
    cdef bint pends = is_last and not job.x.sparse and job.received == NULL
    if job.received != NULL:
        for i in range(n):
            job.schedule.penalty += job.steps.l1[i]
    if job.schedule.t > job.schedule.average_from:
        job.n_averaged += n
    job.pending = pends
    job.has_dots = not job.x.sparse and not is_last
    if pends:
        memcpy(job.pending_row, job.rows[n - 1], job.x.n_features * job.x.item)
    if job.schedule.scale < job.schedule.fold_below:
        if pends:
            take_pending(job)
        fold_scale(job)
        job.has_dots = False


cdef inline void take_pending(SampleJob* job) noexcept nogil:
    """The step that waited for a next row."""
    cdef Py_ssize_t k
    for k in range(job.n_outputs):
        job.kernels.add[job.precision](
            job.coef + k * job.coef_stride * job.x.item, job.pending_row, job.pending_times[k],
            job.x.n_features,
        )
    job.pending = False
