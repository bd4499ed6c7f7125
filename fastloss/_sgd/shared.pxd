# Plain SGD without locks, for the loops that run without the GIL: threads take parts of the order and
# step on the same coefficients at the same time.
from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t

from fastloss._sgd.job cimport (
    Part, SampleJob, Schedule, find_entries, fold_scale, next_steps, place_steps, run_output,
)
from fastloss.kernels cimport *

cdef enum:
    SHARED_PART = 512       # samples that a thread takes at once, at most
    SHARED_PARTS = 1024     # between two times that threads wait for each other, at most


cdef inline double shared_fold_below() noexcept nogil:
    """
    The scale at which a run of parts ends, and the coefficients take it up.

    A thread that is held up predicts with the scale of its rows, and with coefficients that the others
    have divided by that of later ones: predictions grow by the quotient.
    """
    return 0.9


cdef struct SharedJob:
    SampleJob* job
    Py_ssize_t part_length, run_length  # samples: of a part, and of a run of parts, at most
    Schedule* schedules     # [SHARED_PARTS]: of each part
    double* losses          # [SHARED_PARTS][n_outputs]
    char* scratch           # for each thread, so many bytes
    Py_ssize_t scratch_bytes


cdef inline Py_ssize_t shared_scratch_bytes() noexcept nogil:
    return (6 * SHARED_PART + 1 + 2 * (SHARED_PART + FL_SGD_AHEAD)) * 8


cdef inline Py_ssize_t schedule_parts(
    SharedJob* shared, Py_ssize_t at, int* forget, Py_ssize_t* count
) noexcept nogil:
    """
    Where the schedule stands before each of the next parts, from place `at` of the order on.

    Returns the number of samples. They end where the coefficients must take up their scale, or are
    forgotten.
    """
    cdef SampleJob* job = shared.job
    cdef Py_ssize_t wanted, n, total = 0, parts = 0
    cdef Py_ssize_t most = min(shared.run_length, job.n_order - at)
    forget[0] = False
    while parts < SHARED_PARTS and total < most and not forget[0]:
        shared.schedules[parts] = job.schedule
        wanted = min(shared.part_length, most - total)
        n = next_steps(job.kernels, &job.schedule, &job.steps, wanted, forget)
        if forget[0] and parts > 0:  # alone, in the next run
            job.schedule = shared.schedules[parts]
            forget[0] = False
            break
        total += n
        parts += 1
        if n < wanted or job.schedule.scale < job.schedule.fold_below:
            break
    count[0] = parts
    return total


cdef inline void run_part(
    SharedJob* shared, Py_ssize_t at, Py_ssize_t n, Py_ssize_t number, int thread
) noexcept nogil:
    """One output of one part of the n samples from place `at` of the order on."""
    cdef SampleJob* job = shared.job
    cdef Py_ssize_t p = number // job.n_outputs
    cdef FlSgdSteps steps
    cdef Schedule schedule = shared.schedules[p]
    cdef Part part
    cdef int64_t* starts
    cdef int64_t* ends
    starts = <int64_t*>place_steps(
        &steps, <double*>(shared.scratch + thread * shared.scratch_bytes), SHARED_PART
    )
    ends = starts + SHARED_PART + FL_SGD_AHEAD
    part.at = at + p * shared.part_length
    part.n = min(shared.part_length, n - p * shared.part_length)
    part.is_last = False
    next_steps(job.kernels, &schedule, &steps, part.n, &part.forget)
    find_entries(job, part.at, part.n, starts, ends)
    part.steps = &steps
    part.starts = starts
    part.ends = ends
    shared.losses[number] = 0.0
    run_output(job, number % job.n_outputs, &part, thread, shared.losses + number)


cdef inline Py_ssize_t run_parts(SharedJob* shared, Py_ssize_t at, int threads) noexcept nogil:
    """Steps of the samples from place `at` of the order on; returns the place after them."""
    cdef SampleJob* job = shared.job
    cdef Py_ssize_t i, count, n
    cdef int forget
    n = schedule_parts(shared, at, &forget, &count)
    if count == 1 and job.n_outputs == 1:
        run_part(shared, at, n, 0, 0)
    else:
        for i in prange(
            count * job.n_outputs, schedule="dynamic", chunksize=1, num_threads=threads
        ):
            run_part(shared, at, n, i, threadid())
    for i in range(count * job.n_outputs):
        job.losses[i % job.n_outputs] += shared.losses[i]
    if job.schedule.scale < job.schedule.fold_below:
        fold_scale(job)
    return at + n
