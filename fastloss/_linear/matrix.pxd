# Where X stands, for the loops that run without the GIL: dense of any layout, or CSR.
cimport numpy as cnp
from libc.stdint cimport int64_t
from numpy cimport ndarray

from fastloss._linear.job cimport LinearJob
from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *


cdef inline int describe_dense(LinearJob* job, ndarray x) except -1:
    """What is computed in, and whether kernels can read the memory as it is."""
    cdef Py_ssize_t row_stride, column_stride, item, beyond
    cdef int kind = cnp.PyArray_TYPE(x)
    cdef bint native
    if cnp.PyArray_NDIM(x) != 2:
        raise ValueError(f"X has shape {(<object>x).shape}: expected (n, d)")
    job.precision = FL_F32 if kind == cnp.NPY_FLOAT32 or kind == cnp.NPY_FLOAT16 else FL_F64
    describe(x, "X", job.precision, &job.x)
    item = job.item = 4 if job.precision == FL_F32 else 8
    job.n_samples = cnp.PyArray_DIM(x, 0)
    job.n_features = cnp.PyArray_DIM(x, 1)
    row_stride, column_stride = cnp.PyArray_STRIDE(x, 0), cnp.PyArray_STRIDE(x, 1)
    if job.n_features == 1:
        column_stride = item
    if job.n_samples <= 1:
        row_stride = job.n_features * item
    native = (
        kind == <int>(cnp.NPY_FLOAT32 if job.precision == FL_F32 else cnp.NPY_FLOAT64)
        and PyArray_ISNOTSWAPPED(x)
        and bool(PyArray_CHKFLAGS(x, cnp.NPY_ARRAY_ALIGNED))
        and row_stride % item == 0 and column_stride % item == 0
    )
    job.row_stride, job.column_stride = row_stride // item, column_stride // item
    job.in_columns = native and column_stride != item and row_stride == item
    job.copied = not native or not (
        job.in_columns or (column_stride == item and row_stride >= job.n_features * item)
    )
    if not job.copied:
        job.x.data = <char*>cnp.PyArray_DATA(x)
        # a row's last vector may reach into the rows behind it
        beyond = (FL_LINEAR_PAD - 1 + job.row_stride - 1) // job.row_stride
        job.whole_rows = max(job.n_samples - beyond, <Py_ssize_t>0)
    return 0


cdef inline int describe_sparse(
    LinearJob* job, ndarray data, ndarray indices, ndarray indptr, Py_ssize_t n_samples,
    Py_ssize_t n_features
) except -1:
    """The parts of a CSR matrix that were checked by _linear.arrays.checked_csr."""
    job.n_samples = n_samples
    job.n_features = n_features
    job.precision = FL_F32 if cnp.PyArray_TYPE(data) == cnp.NPY_FLOAT32 else FL_F64
    job.item = cnp.PyArray_ITEMSIZE(data)
    job.sparse = True
    job.wide_indices = cnp.PyArray_ITEMSIZE(indices) == 8
    job.data = <const char*>cnp.PyArray_DATA(data)
    job.indices = <const char*>cnp.PyArray_DATA(indices)
    job.indptr = <const int64_t*>cnp.PyArray_DATA(indptr)
    return 0
