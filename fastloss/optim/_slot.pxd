# What an optimizer keeps of one position in the list of parameters.
from numpy cimport ndarray


cdef class Slot:
    cdef ndarray like        # of the parameter's shape and dtype, without memory of its own
    cdef tuple states        # an array, or None, for each of the kernel's
    cdef Py_ssize_t steps
    cdef bint rebased        # FTRL's z is not current in every element: the parameter tells it


cdef Slot new_slot(ndarray param, tuple names, double initial)
cdef dict saved_slot(Slot slot, tuple names, bint with_rebased)
cdef Slot loaded_slot(object position, object entry, tuple names, bint with_rebased)
cdef Py_ssize_t checked_count(object value, str what) except -1
