# What every loss is, for its compiled bases.


cdef class Loss:
    cdef dict _params
