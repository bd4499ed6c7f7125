# Lists of arrays that one call updates in place: checked, described and dealt out to threads.
from numpy cimport ndarray

from fastloss.kernels cimport FlArray, FlOptimBlock, FlOptimFn

cdef enum:
    PIECE = 1024   # elements of a buffer on the stack


# Of arrays that do not lie alike, or with gaps. None is 1 KB.
cdef struct Layouts:
    FlArray param
    FlArray grad
    FlArray state[3]


cdef struct Position:
    FlOptimBlock block   # of whole arrays
    FlOptimFn function
    Py_ssize_t n
    Py_ssize_t start     # the elements of all positions before
    int precision
    Layouts* layouts     # NULL where the kernel can run through the memory as it is


cdef struct Extent:
    size_t low
    size_t high
    Py_ssize_t index


cdef class Positions:
    cdef Position* at
    cdef Extent* written   # the memory of the arrays written, by index
    cdef Extent* ordered   # that of the call before, by address
    cdef Extent* known     # that of the call before, by index
    cdef Py_ssize_t count, capacity, total, n_written, n_known
    cdef bint disjoint     # no two of ordered meet
    cdef bint single       # one array instead of a list
    cdef bint c_order      # elements are taken in C order, not as they lie
    cdef tuple owner       # arrays that must live as long, where no caller holds them

    cdef tuple arrays(self, object given, str name)
    cdef str label(self, str name, Py_ssize_t index)
    cdef int begin(self, Py_ssize_t capacity) except -1
    cdef Position* add(self, ndarray param, ndarray grad, tuple states, int optimizer) except NULL
    cdef int refuse_overlaps(self, tuple written, str name) except -1
    cdef int refuse_meeting(
        self, ndarray read, Py_ssize_t index, str read_name, tuple written, str name
    ) except -1
    cdef void _forget_layouts(self) noexcept
    cdef int _refuse(self, tuple written, str name, Py_ssize_t i, Py_ssize_t j) except -1
    cdef int _refuse_read(
        self, ndarray read, Py_ssize_t index, str read_name, tuple written, str name, Py_ssize_t i
    ) except -1
    cdef int run(self, object n_threads) except -1
