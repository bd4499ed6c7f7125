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
# larger (a hinge has no Hessian); the sums of squares are those of some of the rows.
from cython.parallel cimport prange, threadid
from libc.math cimport INFINITY
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from fastloss._bases.pointwise_job cimport Job as PointwiseJob
from fastloss._sgd.job cimport (
    RUN, SIGNAL_WORK, Bend, Part, SampleJob, Schedule, find_entries, fold_scale, next_steps,
    place_steps, run_output,
)
from fastloss.kernels cimport *

cdef enum:
    # Entries that a share has for each coefficient: to meet costs a thread as much as one or two.
    SHARE_ENTRIES = 8
    LEAST_ENTRIES = 2       # shares of fewer cost more than they save
    LEAST_SHARE = 256       # samples
    SAMPLED = 64            # of so many rows, one tells the sums of squares
    CACHE_LINE = 64


cdef struct ReplicaJob:
    SampleJob* job
    PointwiseJob loss       # with gradient and Hessian
    Py_ssize_t n_replicas   # of each output
    Py_ssize_t row_entries  # about
    Schedule* schedules     # [n_replicas]: at the beginning of each share
    Py_ssize_t* begin       # [n_replicas + 1]: samples of the stretch before each share
    char* coef              # REAL[n_replicas][n_outputs][coef_stride]
    float* squares          # [n_replicas][coef_stride]
    double* square_sums     # [n_replicas]
    double n_sampled
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
    cdef Py_ssize_t items = r * shared.job.n_outputs
    return (
        CACHE_LINE + items * stride * shared.job.x.item + r * stride * sizeof(float)
        + r * (sizeof(Schedule) + sizeof(double)) + (r + 1) * sizeof(Py_ssize_t)
        + items * (2 * sizeof(double) + sizeof(Bend)) + threads * shared.scratch_bytes
    )


cdef inline void place_replicas(ReplicaJob* shared, char* memory) noexcept nogil:
    cdef Py_ssize_t stride = shared.job.coef_stride, r = shared.n_replicas
    cdef Py_ssize_t items = r * shared.job.n_outputs
    shared.coef = memory + (-<size_t>memory) % CACHE_LINE
    shared.squares = <float*>(shared.coef + items * stride * shared.job.x.item)
    shared.square_sums = <double*>(shared.squares + r * stride)
    shared.intercept = shared.square_sums + r
    shared.losses = shared.intercept + items
    shared.bends = <Bend*>(shared.losses + items)
    shared.schedules = <Schedule*>(shared.bends + items)
    shared.begin = <Py_ssize_t*>(shared.schedules + r)
    shared.scratch = <char*>(shared.begin + r + 1)
    memset(shared.squares, 0, r * stride * sizeof(float))
    memset(shared.square_sums, 0, r * sizeof(double))
    shared.n_sampled = 0.0


cdef inline Py_ssize_t share_length(const ReplicaJob* shared, Py_ssize_t at) noexcept nogil:
    """How many samples of the next stretch each replica takes; 0 where ordered steps are better."""
    cdef const SampleJob* job = shared.job
    cdef Py_ssize_t n = shared.n_replicas, left = job.n_order - at, stretches
    cdef Py_ssize_t length = SHARE_ENTRIES * job.x.n_features // shared.row_entries
    length = min(max(length, <Py_ssize_t>(2 * LEAST_SHARE)), SIGNAL_WORK // shared.row_entries + 1)
    stretches = (left + n * length - 1) // (n * length)
    length = (left + n * stretches - 1) // (n * stretches)
    if length < LEAST_SHARE or length * shared.row_entries < LEAST_ENTRIES * job.x.n_features:
        return 0
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
            shared.square_sums[r] += own.kernels.squares[own.precision](
                &rows, part.n, SAMPLED, shared.squares + r * own.coef_stride
            )
        part.at += part.n


cdef inline Py_ssize_t sampled(Py_ssize_t n) noexcept nogil:
    """How many of the n samples of a share tell the sums of squares."""
    return n // RUN * (RUN // SAMPLED) + (n % RUN + SAMPLED - 1) // SAMPLED


cdef inline double curvature(const ReplicaJob* shared, Py_ssize_t k, double* bend) noexcept nogil:
    """
    What times the sum of squares is c of a column of output k; bend becomes that of a column of ones.
    """
    cdef const SampleJob* job = shared.job
    cdef double share = <double>shared.begin[shared.n_replicas] / shared.n_replicas
    cdef double rates = 0.0, losses = 0.0, squares = 0.0, hessians = 0.0, all_squares = 0.0, times
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
        times = 0.5 * share * shared.n_sampled / all_squares
    else:
        times = hessians / (share * shared.n_replicas) if job.clip == INFINITY else 0.0
        if losses > 0.0:
            times = max(times, 0.5 * squares / losses)
        times = max(times, 0.0) * rates / shared.n_replicas
    if not times <= 1e300:  # or NaN
        times = 1e300
    bend[0] = times * job.intercept_rate
    return max(times / max(shared.n_sampled, 1.0), 1e-300)


cdef inline void meet(ReplicaJob* shared, int threads) noexcept nogil:
    """The coefficients take up what the replicas have learnt."""
    cdef SampleJob* job = shared.job
    cdef Py_ssize_t n = shared.n_replicas, outputs = job.n_outputs, d = job.x.n_features
    cdef Py_ssize_t row_bytes = job.coef_stride * job.x.item, k, r, part, length, start
    cdef double times, bend = 0.0, moved
    length = ((d + threads - 1) // threads + FL_SGD_PAD - 1) // FL_SGD_PAD * FL_SGD_PAD
    for r in range(n):
        shared.n_sampled += sampled(shared.begin[r + 1] - shared.begin[r])
    for k in range(outputs):
        times = curvature(shared, k, &bend)
        for part in prange(
            (d + length - 1) // length, schedule="static", num_threads=threads
        ):
            start = part * length
            job.kernels.meet[job.precision](
                job.coef + k * row_bytes + start * job.x.item,
                shared.coef + k * row_bytes + start * job.x.item, outputs * row_bytes,
                shared.squares + start, job.coef_stride, n, times, min(length, d - start),
            )
        moved = 0.0
        for r in range(n):
            moved += shared.intercept[r * outputs + k] - job.intercept[k]
            job.losses[k] += shared.losses[r * outputs + k]
        job.intercept[k] += moved * (1.0 / n + (1.0 - 1.0 / n) / (1.0 + n * bend))


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
        meet(shared, threads)
        if job.schedule.scale < job.schedule.fold_below:
            fold_scale(job)
    return n
