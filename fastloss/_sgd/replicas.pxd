# Plain SGD by threads that do not wait for each other, for the loops that run without the GIL: each
# steps on coefficients of its own, and from time to time these meet.
#
# A replica takes its share of a stretch of the order, and moves by m_r from where all began. Were the
# moves added, a column that is in most rows would go too far, for each replica went all the way to
# where its loss no longer falls; their mean would waste the steps on rare columns, which no other
# replica took. What ordered steps do lies between, and the curvature tells where (Maleki, Musuvathi,
# Mytkowicz 2018, of whose combination this is the diagonal): a step on row i leaves
# 1 - rate_i h_i x_ij^2 of the way that w_j has to go, one share exp(-c_j) of it, where
#
#     c_j = the sum over a share's rows of rate_i h_i x_ij^2,
#
# and n shares one after another go (1 - exp(-n c)) / (1 - exp(-c)) times as far as the first, which is
# about (1 + c) / (1 + n c) of all moves together. It is 1 where steps are few, and 1 / n where they
# have done all they can; n counts the replicas that moved the coefficient at all. h is the mean Hessian
# of the losses, or that of a parabola that touches 0 and has the loss and its slope, whichever is
# larger (a hinge has no Hessian). The sums of squares are those of some of the rows: of so many that a
# column without one of them has a small c.
#
# Columns that go together contract faster than each alone, and this sees each alone. So it is only a
# proposal: some rows tell how far to go from the mean, which is safe for convex losses, towards it; and
# a column whose replicas then go back has less of it the next times, which may be one of few rows that
# none of these meets. Where slopes were clipped, which the losses do not know of, it stays at the mean.
from cython.parallel cimport prange, threadid
from libc.math cimport INFINITY
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from fastloss._bases.pointwise_job cimport Job as PointwiseJob
from fastloss._bases.pointwise_job cimport run_block
from fastloss._sgd.job cimport (
    RUN, SIGNAL_WORK, Bend, Part, SampleJob, Schedule, fill_labels, find_entries, fold_scale,
    next_steps, place_steps, run_output, weight_of,
)
from fastloss.kernels cimport *

cdef enum:
    # Entries that a share has for each coefficient: to meet costs a thread as much as one or two.
    SHARE_ENTRIES = 8
    LEAST_ENTRIES = 2       # shares of fewer cost more than they save
    LEAST_SHARE = 256       # samples
    SAMPLED = 61            # of so many rows, one tells the sums of squares, at least
    JUDGES = 256            # rows of a stretch that tell how far to go
    WORTH_THREADS = 8192    # entries of these, or coefficients: fewer are over before others begin
    TRIALS = 5              # 1, 1/2, ... of the way, and not at all
    CACHE_LINE = 64


cdef struct ReplicaJob:
    SampleJob* job
    PointwiseJob loss       # with gradient and Hessian
    Py_ssize_t n_replicas   # of each output
    Py_ssize_t row_entries  # about
    Schedule* schedules     # [n_replicas]: at the beginning of each share
    Py_ssize_t* begin       # [n_replicas + 1]: samples of the stretch before each share
    char* coef              # REAL[n_replicas][n_outputs][coef_stride]
    char* further           # REAL[n_outputs][coef_stride]: what was proposed last
    float* part             # [n_outputs][coef_stride]: of what is proposed
    double* way             # [n_outputs]: how far it was gone
    float* squares          # [n_replicas][coef_stride]
    double* square_sums     # [n_replicas]
    double n_seen           # rows that the squares stand for
    Py_ssize_t step         # of so many rows, one tells them
    Py_ssize_t n_stretches
    int64_t* judges         # [JUDGES]
    double* intercept       # [n_replicas][n_outputs]
    double* losses          # [n_replicas][n_outputs]
    Bend* bends             # [n_replicas][n_outputs]
    char* scratch           # for each thread, so many bytes
    Py_ssize_t scratch_bytes


cdef inline Py_ssize_t replica_scratch_bytes() noexcept nogil:
    return (6 * RUN + 1 + 2 * (RUN + FL_SGD_AHEAD)) * 8


cdef inline Py_ssize_t replica_bytes(const ReplicaJob* shared, int threads) noexcept nogil:
    """Of what place_replicas() places."""
    cdef Py_ssize_t stride = shared.job.coef_stride, r = shared.n_replicas
    cdef Py_ssize_t outputs = shared.job.n_outputs, items = r * outputs
    return (
        CACHE_LINE + (items + outputs) * stride * shared.job.x.item
        + (r + outputs) * stride * sizeof(float) + outputs * sizeof(double)
        + r * (sizeof(Schedule) + sizeof(double)) + (r + 1) * sizeof(Py_ssize_t)
        + items * (2 * sizeof(double) + sizeof(Bend)) + JUDGES * sizeof(int64_t)
        + threads * shared.scratch_bytes
    )


cdef inline void place_replicas(ReplicaJob* shared, char* memory) noexcept nogil:
    cdef Py_ssize_t stride = shared.job.coef_stride, r = shared.n_replicas
    cdef Py_ssize_t outputs = shared.job.n_outputs, items = r * outputs, i
    shared.coef = memory + (-<size_t>memory) % CACHE_LINE
    shared.further = shared.coef + items * stride * shared.job.x.item
    shared.part = <float*>(shared.further + outputs * stride * shared.job.x.item)
    shared.squares = shared.part + outputs * stride
    shared.square_sums = <double*>(shared.squares + r * stride)
    shared.way = shared.square_sums + r
    shared.intercept = shared.way + outputs
    shared.losses = shared.intercept + items
    shared.bends = <Bend*>(shared.losses + items)
    shared.schedules = <Schedule*>(shared.bends + items)
    shared.begin = <Py_ssize_t*>(shared.schedules + r)
    shared.judges = <int64_t*>(shared.begin + r + 1)
    shared.scratch = <char*>(shared.judges + JUDGES)
    memset(shared.further, 0, outputs * stride * shared.job.x.item)
    for i in range(outputs * stride):
        shared.part[i] = 1.0
    for i in range(outputs):
        shared.way[i] = 0.0
    memset(shared.squares, 0, r * stride * sizeof(float))
    memset(shared.square_sums, 0, r * sizeof(double))
    shared.n_seen = 0.0
    shared.step = 1
    shared.n_stretches = 0


cdef inline Py_ssize_t share_length(const ReplicaJob* shared, Py_ssize_t at) noexcept nogil:
    """How many samples of the next stretch each replica takes; 0 where ordered steps are better."""
    cdef const SampleJob* job = shared.job
    cdef Py_ssize_t n = shared.n_replicas, left = job.n_order - at, stretches
    cdef Py_ssize_t length = SHARE_ENTRIES * job.x.n_features // shared.row_entries
    length = max(length, <Py_ssize_t>(2 * LEAST_SHARE))
    stretches = max(SIGNAL_WORK, LEAST_ENTRIES * job.x.n_features)
    length = min(length, stretches // shared.row_entries + 1)
    stretches = (left + n * length - 1) // (n * length)
    length = (left + n * stretches - 1) // (n * stretches)
    if length < LEAST_SHARE or length * shared.row_entries < LEAST_ENTRIES * job.x.n_features:
        return 0
    # the first tells how many squares the others want
    if shared.n_stretches == 0:
        length = LEAST_SHARE
    # rates that fall have fallen by no more than a half meanwhile
    length = min(length, max(<Py_ssize_t>((job.schedule.t - 1.0) / n), <Py_ssize_t>LEAST_SHARE))
    return length


cdef inline Py_ssize_t plan_stretch(ReplicaJob* shared, Py_ssize_t at) noexcept nogil:
    """
    Where the schedule stands at the beginning of each share of the next stretch.

    Returns the number of samples, which end where the coefficients must take up their scale; 0, with
    the schedule where it was, if ordered steps are better.
    """
    cdef SampleJob* job = shared.job
    cdef Schedule first = job.schedule, before
    cdef Py_ssize_t length = share_length(shared, at), r, n, wanted, end, total = 0
    cdef bint goes_on = length > 0
    cdef int forget
    for r in range(shared.n_replicas):
        shared.begin[r] = total
        shared.schedules[r] = job.schedule
        end = min(total + length, job.n_order - at)
        while goes_on and total < end:
            before = job.schedule
            wanted = min(end - total, <Py_ssize_t>RUN)
            n = next_steps(job.kernels, &job.schedule, &job.steps, wanted, &forget)
            if forget:
                job.schedule = before
                goes_on = False
            else:
                total += n
                goes_on = n == wanted and job.schedule.scale >= job.schedule.fold_below
    shared.begin[shared.n_replicas] = total
    if total < LEAST_SHARE * shared.n_replicas // 2:
        job.schedule = first
        return 0
    return total


cdef inline void run_share(
    ReplicaJob* shared, Py_ssize_t at, Py_ssize_t item, int thread
) noexcept nogil:
    """One replica's share of the stretch from place `at` of the order on, for one output."""
    cdef SampleJob own = shared.job[0]
    cdef Py_ssize_t r = item // own.n_outputs, k = item % own.n_outputs
    cdef Py_ssize_t row_bytes = own.coef_stride * own.x.item, end = at + shared.begin[r + 1], i
    cdef Schedule schedule = shared.schedules[r]
    cdef FlSgdRun rows
    cdef FlSgdSteps steps
    cdef Part part
    cdef int64_t* starts
    starts = <int64_t*>place_steps(
        &steps, <double*>(shared.scratch + thread * shared.scratch_bytes), RUN
    )
    part.steps = &steps
    part.starts = starts
    part.ends = starts + RUN + FL_SGD_AHEAD
    part.is_last = False
    part.at = at + shared.begin[r]
    memcpy(shared.coef + item * row_bytes, own.coef + k * row_bytes, row_bytes)
    shared.intercept[item] = own.intercept[k]
    shared.losses[item] = 0.0
    memset(shared.bends + item, 0, sizeof(Bend))
    own.coef = shared.coef + r * own.n_outputs * row_bytes
    own.intercept = shared.intercept + r * own.n_outputs
    own.bends = shared.bends + r * own.n_outputs
    own.loss = shared.loss
    rows.data = own.x.data
    rows.indices = own.x.indices
    rows.wide_indices = own.x.wide_indices
    rows.starts = part.starts
    rows.ends = part.ends
    while part.at < end:
        part.n = min(end - part.at, <Py_ssize_t>RUN)
        part.n = next_steps(own.kernels, &schedule, &steps, part.n, &part.forget)
        find_entries(&own, part.at, part.n, starts, starts + RUN + FL_SGD_AHEAD)
        run_output(&own, k, &part, thread, shared.losses + item)
        for i in range(part.n):
            own.bends[k].rates += steps.eta[i]
        if k == 0:
            i = (part.at - at - shared.begin[r]) % shared.step
            shared.square_sums[r] += own.kernels.squares[own.precision](
                &rows, shared.step - i if i > 0 else 0, part.n, shared.step,
                shared.squares + r * own.coef_stride,
            )
        part.at += part.n


cdef inline double curvature(ReplicaJob* shared, Py_ssize_t k) noexcept nogil:
    """c of a column of ones, of output k, where a share has as many rows as the mean of them."""
    cdef const SampleJob* job = shared.job
    cdef double n = shared.n_replicas, rows = shared.begin[shared.n_replicas]
    cdef double rates = 0.0, losses = 0.0, squares = 0.0, hessians = 0.0, all_squares = 0.0, h
    cdef const Bend* one
    cdef Py_ssize_t r
    for r in range(shared.n_replicas):
        one = shared.bends + r * job.n_outputs + k
        rates += one.rates
        losses += one.losses
        squares += one.squares
        hessians += one.hessians
        all_squares += shared.square_sums[r]
    if job.passive:  # steps that do their work at once, along their rows
        h = 0.5 * (rows / n) * (shared.n_seen / all_squares)
    else:
        h = hessians / rows
        if losses > 0.0:
            h = max(h, 0.5 * squares / losses)
        h = max(h, 0.0) * (rates / n)
    if not h <= 1e200:  # or NaN
        h = 1e200
    return max(h, 1e-200)


cdef inline Py_ssize_t sampling_step(const ReplicaJob* shared, double bend) noexcept nogil:
    """
    Of how many rows one tells the squares: a column that none tells of has a c of 1 at most, about.

    Odd, for rows may come in an order of some period.
    """
    cdef double rows = <double>shared.begin[shared.n_replicas] / shared.n_replicas
    cdef double squares = 0.0, each
    cdef Py_ssize_t r
    for r in range(shared.n_replicas):
        squares += shared.square_sums[r]
    each = bend / rows * (squares / (shared.n_seen * shared.row_entries))
    if not each > 1.0 / SAMPLED:
        return SAMPLED
    return (<Py_ssize_t>(1.0 / each)) | 1


cdef inline Py_ssize_t choose_judges(
    const ReplicaJob* shared, Py_ssize_t at, Py_ssize_t k
) noexcept nogil:
    """Rows of the stretch from place `at` of the order on that have a weight; returns how many."""
    cdef const SampleJob* job = shared.job
    cdef Py_ssize_t n = shared.begin[shared.n_replicas], i = 0, count = 0
    cdef Py_ssize_t step = (n // JUDGES) | 1
    while i < n and count < JUDGES:
        if weight_of(job, k, job.order[at + i]) > 0.0:
            shared.judges[count] = job.order[at + i]
            count += 1
        i += step
    return count


cdef inline double loss_of(
    const SampleJob* job, Py_ssize_t n, const double* dots, double way, double intercept, char* y,
    char* raw, char* weight,
) noexcept nogil:
    """The weighted sum of the judges' losses so far on the way."""
    cdef PointwiseJob loss = job.loss
    cdef double partial = 0.0, f
    cdef Py_ssize_t i
    for i in range(n):
        f = job.schedule.scale * (dots[2 * i] + way * dots[2 * i + 1]) + intercept
        if job.precision == FL_F64:
            (<double*>raw)[i] = f
        else:
            (<float*>raw)[i] = <float>f
    loss.y_true.data = y
    loss.raw_prediction.data = raw
    loss.sample_weight.data = weight
    loss.has_weight = True
    run_block(&loss, 0, n, 0, &partial)
    return partial


cdef inline double how_far(
    const ReplicaJob* shared, Py_ssize_t at, Py_ssize_t k, const void* coef, const void* further,
    double intercept, double intercept_further, int threads
) noexcept nogil:
    """The part of the way from the mean to the proposal where the judges' loss is least."""
    cdef const SampleJob* job = shared.job
    cdef FlSgdRun rows
    cdef double* dots = <double*>job.scratch
    cdef char* y = job.scratch + RUN * 8
    cdef char* raw = y + RUN * 8
    cdef char* weight = raw + RUN * 8
    cdef double way = 1.0, best = 0.0, least = INFINITY, loss
    cdef Py_ssize_t i, n
    cdef int64_t row
    for i in range(shared.n_replicas):
        if shared.bends[i * job.n_outputs + k].clipped:
            return 0.0
    n = choose_judges(shared, at, k)
    rows.data = job.x.data
    rows.indices = job.x.indices
    rows.wide_indices = job.x.wide_indices
    if n * shared.row_entries < WORTH_THREADS:
        threads = 1
    for i in prange(n, schedule="static", num_threads=threads):
        row = shared.judges[i]
        job.kernels.dot_both[job.precision](
            &rows, job.x.indptr[row], job.x.indptr[row + 1], coef, further, dots + 2 * i
        )
    fill_labels(job, k, shared.judges, n, y)
    for i in range(n):
        if job.precision == FL_F64:
            (<double*>weight)[i] = weight_of(job, k, shared.judges[i])
        else:
            (<float*>weight)[i] = <float>weight_of(job, k, shared.judges[i])
    for i in range(TRIALS):
        if i == TRIALS - 1:
            way = 0.0
        loss = loss_of(
            job, n, dots, way, intercept + way * intercept_further, y, raw, weight
        )
        if loss <= least:  # the mean, if nothing tells them apart
            least, best = loss, way
        way *= 0.5
    return best


cdef inline void meet(ReplicaJob* shared, Py_ssize_t at, int threads) noexcept nogil:
    """The coefficients take up what the replicas have learnt in the stretch from place `at` on."""
    cdef SampleJob* job = shared.job
    cdef Py_ssize_t n = shared.n_replicas, outputs = job.n_outputs, d = job.x.n_features
    cdef Py_ssize_t row_bytes = job.coef_stride * job.x.item, k, r, part, length, start
    cdef Py_ssize_t step = SAMPLED
    cdef double bend, moved, further, way, movers
    cdef char* coef
    cdef char* replica
    cdef char* proposed
    if d * n < WORTH_THREADS:
        threads = 1
    length = ((d + threads - 1) // threads + FL_SGD_PAD - 1) // FL_SGD_PAD * FL_SGD_PAD
    shared.n_seen += shared.begin[n]
    for k in range(outputs):
        bend = curvature(shared, k)
        step = min(step, sampling_step(shared, bend))
        coef = job.coef + k * row_bytes
        replica = shared.coef + k * row_bytes
        proposed = shared.further + k * row_bytes
        for part in prange((d + length - 1) // length, schedule="static", num_threads=threads):
            start = part * length
            job.kernels.meet[job.precision](
                coef + start * job.x.item, replica + start * job.x.item, outputs * row_bytes,
                shared.squares + start, job.coef_stride, n, bend / shared.n_seen,
                proposed + start * job.x.item, shared.part + k * job.coef_stride + start,
                shared.way[k], min(length, d - start),
            )
        moved = movers = 0.0
        for r in range(n):
            moved = moved + (shared.intercept[r * outputs + k] - job.intercept[k])
            movers = movers + (1.0 if shared.begin[r + 1] > shared.begin[r] else 0.0)
            job.losses[k] += shared.losses[r * outputs + k]
        job.intercept[k] += moved / movers
        further = moved * (1.0 - 1.0 / movers) / (1.0 + movers * bend * job.intercept_rate)
        way = how_far(
            shared, at, k, coef, proposed, job.intercept[k], further, threads
        )
        shared.way[k] = way
        if way == 0.0:
            continue
        job.intercept[k] += way * further
        for part in prange((d + length - 1) // length, schedule="static", num_threads=threads):
            start = part * length
            job.kernels.add[job.precision](
                coef + start * job.x.item, proposed + start * job.x.item, way,
                min(length, d - start),
            )
    shared.step = step
    shared.n_stretches += 1


cdef inline Py_ssize_t run_stretch(ReplicaJob* shared, Py_ssize_t at, int threads) noexcept nogil:
    """Steps from place `at` of the order on; returns how many, 0 if ordered steps are better."""
    cdef SampleJob* job = shared.job
    cdef Py_ssize_t i, n = plan_stretch(shared, at)
    if n > 0:
        for i in prange(
            shared.n_replicas * job.n_outputs, schedule="dynamic", chunksize=1,
            num_threads=threads,
        ):
            run_share(shared, at, i, threadid())
        meet(shared, at, threads)
        if job.schedule.scale < job.schedule.fold_below:
            fold_scale(job)
    return n
