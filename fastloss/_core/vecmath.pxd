# Inverse links.
from numpy cimport ndarray

cdef int apply_link(ndarray f, ndarray target, int link, int threads) except -1
