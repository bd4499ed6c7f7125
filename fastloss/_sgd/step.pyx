"""The compiled SGD step."""

cimport numpy as cnp
from cython.parallel cimport prange
from libc.math cimport isfinite
from numpy cimport ndarray

from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *

cnp.import_array()

cdef enum:
    PIECE = 1024
    RELEASE_GIL_FROM = 4096


cdef struct Job:
    FlOptimFn function
    FlOptimBlock block
    double numbers[FL_OPTIM_NUMBERS]
    int precision
    int has_buffer
    FlArray param
    FlArray grad
    FlArray momentum_buffer


cdef void _run_block(const Job* job, Py_ssize_t start, Py_ssize_t n) noexcept nogil:
    cdef FlOptimBlock block = job.block
    cdef Py_ssize_t item = 8 if job.precision == FL_F64 else 4
    cdef Py_ssize_t end = start + n, m
    cdef double param[PIECE]
    cdef double grad[PIECE]
    cdef double momentum_buffer[PIECE]
    cdef int precision = job.precision
    if (
        job.param.contiguous and job.grad.contiguous
        and (not job.has_buffer or job.momentum_buffer.contiguous)
    ):
        block.param = job.param.data + start * item
        block.grad = job.grad.data + start * item
        if job.has_buffer:
            block.state[0] = job.momentum_buffer.data + start * item
        job.function(&block, n)
        return
    block.param = param
    block.grad = grad
    block.state[0] = momentum_buffer
    while start < end:
        m = min(end - start, <Py_ssize_t>PIECE)
        kernels().read[precision](&job.param, start, m, param)
        kernels().read[precision](&job.grad, start, m, grad)
        if job.has_buffer and not block.variant & FL_SGD_FIRST:
            kernels().read[precision](&job.momentum_buffer, start, m, momentum_buffer)
        job.function(&block, m)
        kernels().write[precision](&job.param, start, m, param)
        if job.has_buffer:
            kernels().write[precision](&job.momentum_buffer, start, m, momentum_buffer)
        start += m


cdef void _run_blocks(
    const Job* job, Py_ssize_t n, Py_ssize_t length, int threads
) noexcept nogil:
    cdef Py_ssize_t b, n_blocks = (n + length - 1) // length
    if threads > 1:
        for b in prange(n_blocks, schedule="static", num_threads=threads):
            _run_block(job, b * length, min(length, n - b * length))
    else:
        for b in range(n_blocks):
            _run_block(job, b * length, min(length, n - b * length))


cdef double _number(object value, str argument, bint may_be_negative) except? -1.0:
    cdef double x
    try:
        x = value
    except TypeError:
        raise TypeError(f"{argument} = {value!r}: expected a number") from None
    if not isfinite(x) or (x < 0 and not may_be_negative):
        kind = "a finite number" if may_be_negative else "a finite number of at least 0"
        raise ValueError(f"{argument} = {value!r}: expected {kind}")
    return x


def sgd_step(
    param, grad, *, lr, momentum=0.0, momentum_buffer=None, dampening=0.0, weight_decay=0.0,
    nesterov=False, n_threads=None,
):
    """
    Update parameters in place by one step of stochastic gradient descent.

    The semantics of ``torch.optim.SGD``, in one pass over memory::

        g = grad + weight_decay * param
        buffer = momentum * buffer + (1 - dampening) * g      # the first step: buffer = g
        param -= lr * (g + momentum * buffer if nesterov else buffer)

    Parameters
    ----------
    param : ndarray of float32 or float64
        Of any shape and strides, writeable; updated in place.
    grad : ndarray
        Gradient of param's shape and dtype. Left as it is.
    lr : float
        Learning rate, at least 0.
    momentum : float
        Momentum factor, at least 0; with 0 there is no buffer.
    momentum_buffer : ndarray, optional
        What the previous step returned, updated in place. None on the first step: a buffer
        is allocated, set to the gradient (without dampening, as torch does) and returned.
    dampening : float
        Dampening of the gradient in the buffer.
    weight_decay : float
        L2 penalty, at least 0: added to the gradient as ``weight_decay * param``.
    nesterov : bool
        Use Nesterov's momentum (Sutskever et al., 2013); needs momentum > 0 and dampening = 0.
    n_threads : int, optional
        Threads for this call; see `set_num_threads`.

    Returns
    -------
    ndarray or None
        The momentum buffer, for the next step; None with momentum = 0.

    Raises
    ------
    TypeError, ValueError
        If a dtype, shape or number is wrong, `param` or the buffer is read-only, or arrays overlap.
        Nothing is written then.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> w = np.array([1.0, 2.0])
    >>> buffer = fl.sgd_step(w, np.array([0.5, 0.5]), lr=0.1, momentum=0.9)
    >>> buffer = fl.sgd_step(w, np.array([0.5, 0.5]), lr=0.1, momentum=0.9, momentum_buffer=buffer)
    >>> w
    array([0.855, 1.855])
    """
    cdef Job job
    cdef ndarray p, g, b = None
    cdef int precision, threads
    cdef Py_ssize_t n, length
    cdef double dampened
    if not cnp.PyArray_Check(param):
        raise TypeError(f"param: expected a NumPy array, got {type(param).__name__}")
    p = <ndarray>param
    precision = precision_of(p, "param")
    checked_out(p, "param", p, "itself")
    g = as_values(grad, "grad")
    if cnp.PyArray_TYPE(g) != cnp.PyArray_TYPE(p):
        raise TypeError(f"grad has dtype {g.dtype}: expected {p.dtype}, that of param")
    if not same_shape(g, p):
        raise ValueError(
            f"grad has shape {(<object>g).shape}, param has shape {(<object>p).shape}: they must "
            "be equal"
        )
    # as src/optim/sgd.h numbers them
    job.numbers[0] = 0.0
    job.numbers[2] = _number(lr, "lr", False)
    job.numbers[3] = _number(momentum, "momentum", False)
    dampened = _number(dampening, "dampening", True)
    job.numbers[4] = 1.0 - dampened
    job.numbers[1] = _number(weight_decay, "weight_decay", False)
    job.block.numbers = job.numbers
    job.block.variant = FL_DECAY if job.numbers[1] != 0 else 0
    job.has_buffer = job.numbers[3] != 0
    if nesterov and (not job.has_buffer or dampened != 0):
        raise ValueError(
            f"nesterov = {nesterov!r}: needs momentum > 0 (is {momentum!r}) and dampening = 0 (is "
            f"{dampening!r})"
        )
    n = size_of(p)
    threads = thread_count(n_threads, n)
    if not apart(p, g, n):
        refuse_overlap(p, "param", g, "grad")
    if job.has_buffer:
        job.block.variant |= FL_SGD_MOMENTUM | (FL_SGD_NESTEROV if nesterov else 0)
        if momentum_buffer is None:
            b = new_like(p)
            job.block.variant |= FL_SGD_FIRST
        else:
            b = checked_out(momentum_buffer, "momentum_buffer", p, "param")
            if not apart(b, p, n):
                refuse_overlap(b, "momentum_buffer", p, "param")
            if not apart(b, g, n):
                refuse_overlap(b, "momentum_buffer", g, "grad")
        describe(b, "momentum_buffer", precision, &job.momentum_buffer)
    describe(p, "param", precision, &job.param)
    describe(g, "grad", precision, &job.grad)
    job.precision = precision
    job.function = kernels().optim[<int>FL_OPTIM_sgd].step[precision]
    length = block_length(n)
    if n >= RELEASE_GIL_FROM:
        with nogil:
            _run_blocks(&job, n, length, threads)
    else:
        _run_blocks(&job, n, length, 1)
    return b
