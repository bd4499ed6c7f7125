# The step of an optimizer of fastloss.optim in the place of a plain one, for the loops that run without
# the GIL: from the sums of a batch's gradients, of all coefficients or of those that sparse rows meet.
cimport numpy as cnp
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memset
from numpy cimport ndarray

from fastloss._core.runtime cimport kernels
from fastloss._sgd.job cimport Matrix, data_of
from fastloss.kernels cimport *

cdef enum:
    PIECE = 512           # coefficients that are gathered
    NUMBERS_AHEAD = 1024  # steps whose numbers are prepared at once, where each has its own


cdef struct OptimizerJob:
    FlOptimFn function[2]
    int variant, intercept_variant, first  # first: besides, in the first step of all
    int lazy                # a gradient of 0 changes nothing: only what the rows meet is stepped
    Py_ssize_t done         # steps, of all epochs
    const double* numbers   # of the next step, for the coefficients; for the intercepts
    const double* intercept_numbers
    Py_ssize_t numbers_apart  # from one step to the next; 0 where all have the same
    char* state[3]          # as coef, or NULL
    double* intercept_state[3]


cdef inline int describe_optimizer(
    OptimizerJob* job, tuple recipe, tuple intercept_recipe, bint lazy, dict state, dict held
) except -1:
    """What of a step does not change; the numbers are still to come."""
    cdef ndarray own
    cdef int k, kernel = recipe[0]
    cdef int first, rebase
    _, first, rebase = recipe[2]
    always = rebase if state["rebase"] else 0
    memset(job, 0, sizeof(OptimizerJob))
    job.function[<int>FL_F64] = kernels().optim[kernel].step[<int>FL_F64]
    job.function[<int>FL_F32] = kernels().optim[kernel].step[<int>FL_F32]
    job.variant = recipe[2][0] | always
    job.intercept_variant = intercept_recipe[2][0] | always
    job.first = first | rebase
    job.lazy = lazy
    job.done = state["optimizer_steps"]
    own = state["intercept_moments"]
    for k in range(FL_OPTIM_STATES):
        if held[f"moment_{k}"] is not None:
            job.state[k] = <char*>data_of(held[f"moment_{k}"])
            job.intercept_state[k] = <double*>cnp.PyArray_GETPTR2(own, k, 0)
    return 0


cdef inline void step_piece(
    OptimizerJob* job, int precision, char* coef, const void* gradient, Py_ssize_t start,
    Py_ssize_t n
) noexcept nogil:
    """Coefficients from `start` on; the gradient is theirs alone."""
    cdef FlOptimBlock block
    cdef Py_ssize_t item = 8 if precision == FL_F64 else 4
    cdef int k
    block.numbers = job.numbers
    block.variant = job.variant | (job.first if job.done == 0 else 0)
    block.param = coef + start * item
    block.grad = gradient
    for k in range(FL_OPTIM_STATES):
        block.state[k] = NULL
        if job.state[k] != NULL:
            block.state[k] = job.state[k] + start * item
    job.function[precision](&block, n)


cdef inline void step_coefficients(
    OptimizerJob* job, int precision, char* coef, const double* sums, Py_ssize_t start,
    Py_ssize_t n
) noexcept nogil:
    cdef float narrow[PIECE]
    cdef Py_ssize_t i, m
    if precision == FL_F64:
        step_piece(job, precision, coef, sums + start, start, n)
        return
    while n > 0:
        m = min(n, <Py_ssize_t>PIECE)
        for i in range(m):
            narrow[i] = <float>sums[start + i]
        step_piece(job, precision, coef, narrow, start, m)
        start += m
        n -= m


# Coefficients from here and there, as one piece.
cdef struct Gathered:
    Py_ssize_t n
    Py_ssize_t places[PIECE]
    double coef[PIECE]      # REALs, as the others
    double gradient[PIECE]
    double state[3][PIECE]


cdef inline void step_gathered(
    OptimizerJob* job, int precision, char* coef, Gathered* piece
) noexcept nogil:
    cdef OptimizerJob own = job[0]
    cdef Py_ssize_t i
    cdef int k
    for k in range(FL_OPTIM_STATES):
        if job.state[k] != NULL:
            own.state[k] = <char*>piece.state[k]
    step_piece(&own, precision, <char*>piece.coef, piece.gradient, 0, piece.n)
    for i in range(piece.n):
        move(precision, coef, piece.places[i], <char*>piece.coef, i, True)
    for k in range(FL_OPTIM_STATES):
        if job.state[k] != NULL:
            for i in range(piece.n):
                move(precision, job.state[k], piece.places[i], <char*>piece.state[k], i, True)
    piece.n = 0


cdef inline void move(
    int precision, char* array, Py_ssize_t place, char* piece, Py_ssize_t i, bint back
) noexcept nogil:
    """One REAL from its place in an array to the piece, or back."""
    if precision == FL_F64:
        if back:
            (<double*>array)[place] = (<double*>piece)[i]
        else:
            (<double*>piece)[i] = (<double*>array)[place]
    elif back:
        (<float*>array)[place] = (<float*>piece)[i]
    else:
        (<float*>piece)[i] = (<float*>array)[place]


cdef inline void step_met(
    OptimizerJob* job, int precision, char* coef, double* sums, const Matrix* x,
    const int64_t* order, Py_ssize_t n, Py_ssize_t n_outputs
) noexcept nogil:
    """The coefficients that n sparse rows meet, each once: its sum is 0 afterwards."""
    cdef Gathered piece
    cdef Py_ssize_t i, k, place
    cdef int64_t entry, feature
    cdef int s
    piece.n = 0
    for i in range(n):
        for entry in range(x.indptr[order[i]], x.indptr[order[i] + 1]):
            if x.wide_indices:
                feature = (<const int64_t*>x.indices)[entry]
            else:
                feature = (<const int32_t*>x.indices)[entry]
            for k in range(n_outputs):
                place = <Py_ssize_t>feature * n_outputs + k
                if sums[place] == 0.0:
                    continue
                if precision == FL_F64:
                    piece.gradient[piece.n] = sums[place]
                else:
                    (<float*>piece.gradient)[piece.n] = <float>sums[place]
                sums[place] = 0.0
                piece.places[piece.n] = place
                move(precision, coef, place, <char*>piece.coef, piece.n, False)
                for s in range(FL_OPTIM_STATES):
                    if job.state[s] != NULL:
                        move(precision, job.state[s], place, <char*>piece.state[s], piece.n, False)
                piece.n += 1
                if piece.n == PIECE:
                    step_gathered(job, precision, coef, &piece)
    if piece.n > 0:
        step_gathered(job, precision, coef, &piece)


cdef inline void end_step(
    OptimizerJob* job, double* intercept, const double* sums, Py_ssize_t n_outputs, bint learnt
) noexcept nogil:
    """The intercepts, if they are learnt; and on to the next step."""
    cdef FlOptimBlock block
    cdef int k
    if learnt:
        block.numbers = job.intercept_numbers
        block.variant = job.intercept_variant | (job.first if job.done == 0 else 0)
        block.param = intercept
        block.grad = sums
        for k in range(FL_OPTIM_STATES):
            block.state[k] = job.intercept_state[k]
        job.function[<int>FL_F64](&block, n_outputs)
    job.done += 1
    job.numbers += job.numbers_apart
    job.intercept_numbers += job.numbers_apart
