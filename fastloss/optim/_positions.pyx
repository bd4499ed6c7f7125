"""Lists of arrays that one call updates in place: checked, described and dealt out to threads."""

cimport cython
cimport numpy as cnp
from cython.parallel cimport prange
from libc.stdlib cimport free, malloc, qsort, realloc
from libc.string cimport memcpy
from numpy cimport ndarray

from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *

cnp.import_array()

cdef enum:
    RELEASE_GIL_FROM = 4096


cdef bint _lies(ndarray array, int order) noexcept:
    return PyArray_CHKFLAGS(array, order | cnp.NPY_ARRAY_ALIGNED) and PyArray_ISNOTSWAPPED(array)


cdef bint _alike(ndarray param, ndarray grad, tuple states, int order) noexcept:
    if not _lies(param, order) or not _lies(grad, order):
        return False
    if states is not None:
        for state in states:
            if state is not None and not _lies(<ndarray>state, order):
                return False
    return True


cdef int _by_address(const void* a, const void* b) noexcept nogil:
    cdef size_t low_a = (<const Extent*>a).low, low_b = (<const Extent*>b).low
    return (low_a > low_b) - (low_a < low_b)


# ---------------------------------------------------------------- running

cdef void _run(const Position* position, Py_ssize_t start, Py_ssize_t n) noexcept nogil:
    """Elements [start, start + n) of one position."""
    cdef FlOptimBlock block = position.block
    cdef int precision = position.precision, k
    cdef Py_ssize_t item = 8 if precision == FL_F64 else 4
    cdef Py_ssize_t end = start + n, m
    cdef Layouts* layouts = position.layouts
    cdef double param[PIECE]
    cdef double grad[PIECE]
    cdef double state[3][PIECE]
    if layouts == NULL:
        block.param = <char*>block.param + start * item
        block.grad = <const char*>block.grad + start * item
        for k in range(FL_OPTIM_STATES):
            if block.state[k] != NULL:
                block.state[k] = <char*>block.state[k] + start * item
        position.function(&block, n)
        return
    block.param = param
    block.grad = grad
    while start < end:
        m = min(end - start, <Py_ssize_t>PIECE)
        kernels().read[precision](&layouts.param, start, m, param)
        kernels().read[precision](&layouts.grad, start, m, grad)
        for k in range(FL_OPTIM_STATES):
            if block.state[k] != NULL:
                block.state[k] = state[k]
                kernels().read[precision](&layouts.state[k], start, m, state[k])
        position.function(&block, m)
        kernels().write[precision](&layouts.param, start, m, param)
        for k in range(FL_OPTIM_STATES):
            if block.state[k] != NULL:
                kernels().write[precision](&layouts.state[k], start, m, state[k])
        start += m


cdef Py_ssize_t _position_of(const Position* at, Py_ssize_t count, Py_ssize_t element) noexcept nogil:
    """The last position that starts at or before an element of the whole list."""
    cdef Py_ssize_t low = 0, high = count, middle
    while high - low > 1:
        middle = (low + high) // 2
        if at[middle].start <= element:
            low = middle
        else:
            high = middle
    return low


cdef Py_ssize_t _boundary(
    const Position* at, Py_ssize_t count, Py_ssize_t total, int part, int parts
) noexcept nogil:
    """Where a part of the list begins: at an array's first element, or a whole piece into it."""
    cdef Py_ssize_t element = total // parts * part + total % parts * part // parts
    cdef Py_ssize_t start
    if part == parts:
        return total
    start = at[_position_of(at, count, element)].start
    return start + (element - start) // PIECE * PIECE


cdef void _run_part(
    const Position* at, Py_ssize_t count, Py_ssize_t total, int part, int parts
) noexcept nogil:
    cdef Py_ssize_t element = _boundary(at, count, total, part, parts)
    cdef Py_ssize_t end = _boundary(at, count, total, part + 1, parts)
    cdef Py_ssize_t i, offset, n
    if element >= end:
        return
    i = _position_of(at, count, element)
    while element < end:
        offset = element - at[i].start
        n = min(end - element, at[i].n - offset)
        if n > 0:
            _run(&at[i], offset, n)
            element += n
        i += 1


cdef void _run_parts(
    const Position* at, Py_ssize_t count, Py_ssize_t total, int threads
) noexcept nogil:
    # results do not depend on where a part ends: an update takes each element by itself
    cdef int part
    for part in prange(threads, schedule="static", num_threads=threads):
        _run_part(at, count, total, part, threads)


@cython.auto_pickle(False)
cdef class Positions:
    """
    The arrays of one call, position by position.

    An instance is filled anew by each call and keeps its memory, and what it found out about the
    memory of the arrays written, for the next.
    """

    def __cinit__(self):
        self.at = NULL
        self.written = self.ordered = self.known = NULL

    def __dealloc__(self):
        self._forget_layouts()
        free(self.at)
        free(self.written)
        free(self.ordered)
        free(self.known)

    cdef void _forget_layouts(self) noexcept:
        cdef Py_ssize_t i
        for i in range(self.count):
            free(self.at[i].layouts)
        self.count = 0

    cdef tuple arrays(self, object given, str name):
        """The arrays as a tuple, which keeps them alive while the GIL is released."""
        self.single = cnp.PyArray_Check(given)
        if self.single:
            return (given,)
        if isinstance(given, (str, bytes, dict, set)):
            raise TypeError(
                f"{name}: expected an array or a list of arrays, got {type(given).__name__}"
            )
        try:
            return tuple(given)
        except TypeError:
            raise TypeError(
                f"{name}: expected an array or a list of arrays, got {type(given).__name__}"
            ) from None

    cdef str label(self, str name, Py_ssize_t index):
        return name if self.single else f"{name}[{index}]"

    cdef int begin(self, Py_ssize_t capacity) except -1:
        """Empty, with room for so many positions."""
        cdef void* at
        cdef void* written
        cdef void* ordered
        cdef void* known
        self._forget_layouts()
        self.total = self.n_written = 0
        if capacity > self.capacity:
            at = realloc(self.at, capacity * sizeof(Position))
            if at != NULL:
                self.at = <Position*>at
            written = realloc(self.written, capacity * sizeof(Extent))
            if written != NULL:
                self.written = <Extent*>written
            ordered = realloc(self.ordered, capacity * sizeof(Extent))
            if ordered != NULL:
                self.ordered = <Extent*>ordered
            known = realloc(self.known, capacity * sizeof(Extent))
            if known != NULL:
                self.known = <Extent*>known
            if at == NULL or written == NULL or ordered == NULL or known == NULL:
                raise MemoryError
            self.capacity = capacity
        return 0

    cdef Position* add(
        self, ndarray param, ndarray grad, tuple states, int optimizer
    ) except NULL:
        """One more position, of arrays that are checked; its numbers and variant are the caller's."""
        cdef Position* position = &self.at[self.count]
        cdef int k
        position.precision = precision_of(param, "param")
        position.n = size_of(param)
        position.start = self.total
        position.function = kernels().optim[optimizer].step[position.precision]
        position.block.param = cnp.PyArray_DATA(param)
        position.block.grad = cnp.PyArray_DATA(grad)
        for k in range(FL_OPTIM_STATES):
            position.block.state[k] = NULL
            if states is not None and states[k] is not None:
                position.block.state[k] = cnp.PyArray_DATA(<ndarray>states[k])
        position.layouts = NULL
        if not (
            _alike(param, grad, states, cnp.NPY_ARRAY_C_CONTIGUOUS)
            or (
                not self.c_order and _alike(param, grad, states, cnp.NPY_ARRAY_F_CONTIGUOUS)
            )
        ):
            position.layouts = <Layouts*>malloc(sizeof(Layouts))
            if position.layouts == NULL:
                raise MemoryError
        self.count += 1
        self.total += position.n
        if position.layouts != NULL:
            describe(param, "param", position.precision, &position.layouts.param)
            describe(grad, "grad", position.precision, &position.layouts.grad)
            for k in range(FL_OPTIM_STATES):
                if position.block.state[k] != NULL:
                    describe(
                        <ndarray>states[k], "state", position.precision, &position.layouts.state[k]
                    )
        return position

    cdef int refuse_overlaps(self, tuple written, str name) except -1:
        """Arrays that share memory, where all are written."""
        cdef Py_ssize_t i, j, n = len(written)
        cdef bint changed = n != self.n_known
        self.n_written = n
        for i in range(n):
            extent(<ndarray>written[i], &self.written[i].low, &self.written[i].high)
            self.written[i].index = i
            changed = (
                changed or self.written[i].low != self.known[i].low
                or self.written[i].high != self.known[i].high
            )
        # extents that meet may interleave in one way now and in another the next time
        if not changed and self.disjoint:
            return 0
        self.n_known = 0
        if n == 0:  # there may be no memory at all, which C's functions must not be given
            self.disjoint = True
            return 0
        memcpy(self.ordered, self.written, n * sizeof(Extent))
        qsort(self.ordered, n, sizeof(Extent), _by_address)
        self.disjoint = True
        for i in range(n):
            j = i + 1
            while j < n and self.ordered[j].low < self.ordered[i].high:
                if self.ordered[j].low < self.ordered[j].high:
                    self.disjoint = False
                    self._refuse(written, name, self.ordered[i].index, self.ordered[j].index)
                j += 1
        memcpy(self.known, self.written, n * sizeof(Extent))
        self.n_known = n
        return 0

    cdef int _refuse(self, tuple written, str name, Py_ssize_t i, Py_ssize_t j) except -1:
        i, j = max(i, j), min(i, j)
        return refuse_overlap(
            <ndarray>written[i], self.label(name, i), <ndarray>written[j], self.label(name, j)
        )

    cdef int refuse_meeting(
        self, ndarray read, Py_ssize_t index, str read_name, tuple written, str name
    ) except -1:
        """An array that is read, where it shares memory with one that is written."""
        cdef size_t low, high
        cdef Py_ssize_t i, first = 0, last = self.n_written, middle
        extent(read, &low, &high)
        if low == high:
            return 0
        if self.disjoint:
            # the last that begins below the end of `read` is the only one that can end after its start,
            # or one of those before it, down to the first that ends at or below that start
            while first < last:
                middle = (first + last) // 2
                if self.ordered[middle].low < high:
                    first = middle + 1
                else:
                    last = middle
            i = first - 1
            while i >= 0 and (
                self.ordered[i].high > low or self.ordered[i].low == self.ordered[i].high
            ):
                if self.ordered[i].high > low:
                    self._refuse_read(read, index, read_name, written, name, self.ordered[i].index)
                i -= 1
            return 0
        for i in range(self.n_written):
            if self.written[i].low < high and low < self.written[i].high:
                self._refuse_read(read, index, read_name, written, name, i)
        return 0

    cdef int _refuse_read(
        self, ndarray read, Py_ssize_t index, str read_name, tuple written, str name, Py_ssize_t i
    ) except -1:
        return refuse_overlap(
            <ndarray>written[i], self.label(name, i), read, self.label(read_name, index)
        )

    cdef int run(self, object n_threads) except -1:
        """Every position's update, on the threads that the size of all together is worth."""
        cdef int threads = thread_count(n_threads, self.total)
        if self.total >= RELEASE_GIL_FROM:
            with nogil:
                if threads > 1:
                    _run_parts(self.at, self.count, self.total, threads)
                else:
                    _run_part(self.at, self.count, self.total, 0, 1)
        elif self.total:
            _run_part(self.at, self.count, self.total, 0, 1)
        return 0
