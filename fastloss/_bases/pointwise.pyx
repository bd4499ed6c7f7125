"""The compiled base of every pointwise loss: checks, the loop over blocks, threads, reductions."""

import numpy as np

from fastloss._core.label_hints import signs_hint
from fastloss._core.weights import checked_weights
from fastloss._bases.sums import LossSums

cimport cython
cimport numpy as cnp
from cython.parallel cimport prange
from libc.math cimport INFINITY, NAN, ldexp
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from numpy cimport ndarray

from fastloss._bases.pointwise_job cimport *
from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss._core.vecmath cimport *
from fastloss._core.weights cimport *
from fastloss.kernels cimport *

cnp.import_array()

cdef enum:
    RELEASE_GIL_FROM = 4096
    MOST_CLASSES = 4194304  # labels are told from others by float32 arithmetic

_LABELS = {
    FL_LABELS_FINITE: "finite numbers",
    FL_LABELS_NONNEGATIVE: "finite labels of at least 0",
    FL_LABELS_POSITIVE: "finite labels greater than 0",
    FL_LABELS_UNIT_INTERVAL: "labels in [0, 1]",
    FL_LABELS_BINARY: "labels 0 or 1",
    FL_LABELS_ABOVE_MINUS_ONE: "finite labels greater than -1",
}
# What a loss whose domain depends on its parameters may choose: the domain, the least label and one
# that is excluded.
_BOUNDED = {
    "finite": (FL_LABELS_FINITE, -INFINITY, NAN),
    "nonnegative": (FL_LABELS_NONNEGATIVE, 0.0, NAN),
    "positive": (FL_LABELS_POSITIVE, 0.0, 0.0),
}


_OPERATIONS = {
    ("loss",): FL_LOSS,
    ("gradient",): FL_GRADIENT,
    ("loss", "gradient"): FL_LOSS_GRADIENT,
    ("gradient", "hessian"): FL_GRADIENT_HESSIAN,
    ("loss", "gradient", "hessian"): FL_LOSS_GRADIENT_HESSIAN,
}


cdef inline int _run_one(
    const Job* job, Py_ssize_t start, Py_ssize_t n, Py_ssize_t length, double* partial
) noexcept nogil:
    """The block of at most `length` samples from `start` on, of n."""
    length = min(length, n - start)
    return run_block(job, start, length, n - start - length, partial)


cdef int _run_blocks(
    const Job* job, Py_ssize_t n, Py_ssize_t length, double* partials, int threads
) noexcept nogil:
    """All blocks; how many of them hold an invalid label."""
    cdef Py_ssize_t b, n_blocks = (n + length - 1) // length
    cdef int invalid = 0
    if threads > 1:
        for b in prange(n_blocks, schedule="static", num_threads=threads):
            invalid += _run_one(job, b * length, n, length, &partials[b])
    else:
        for b in range(n_blocks):
            invalid += _run_one(job, b * length, n, length, &partials[b])
    return invalid


cdef ndarray _checked(
    object out, str argument, ndarray f, ndarray y, ndarray w, ndarray loss, ndarray gradient,
    Py_ssize_t n, bint narrow,
):
    """One provided output, checked against everything it must not overlap."""
    cdef ndarray array
    if (
        PyArray_CheckExact(out)
        and cnp.PyArray_TYPE(<ndarray>out) == cnp.PyArray_TYPE(f)
        and same_shape(<ndarray>out, f)
        and PyArray_CHKFLAGS(<ndarray>out, cnp.NPY_ARRAY_C_CONTIGUOUS | cnp.NPY_ARRAY_WRITEABLE)
    ):
        array = <ndarray>out
    else:
        array = checked_out(out, argument, f, "raw_prediction", narrow)
    if not apart(array, y, n):
        refuse_overlap(array, argument, y, "y_true")
    if not apart(array, w, n):
        refuse_overlap(array, argument, w, "sample_weight")
    if not apart(array, loss, n):
        refuse_overlap(array, argument, loss, "out (loss)")
    if not apart(array, gradient, n):
        refuse_overlap(array, argument, gradient, "out (gradient)")
    return array


cdef ndarray describe_labels(Job* job, ndarray y, ndarray f, object sample_weight):
    """Labels and weights in the job, if their shapes are those of the predictions; the weights."""
    cdef ndarray w = None
    job.contiguous = True
    if job.one_hot:
        describe(y, "y_true", job.precision, &job.y_true)
        job.contiguous = False
    elif same_shape(y, f):
        describe_in_job(y, "y_true", job.precision, job, &job.y_true)
    else:
        raise ValueError(
            f"y_true has shape {(<object>y).shape}, raw_prediction has shape "
            f"{(<object>f).shape}: they must be equal"
        )
    job.has_weight = sample_weight is not None
    if job.has_weight:
        w = as_values(sample_weight, "sample_weight")
        if not same_shape(w, f):
            raise ValueError(
                f"sample_weight has shape {(<object>w).shape}, raw_prediction has shape "
                f"{(<object>f).shape}: they must be equal"
            )
        describe_in_job(w, "sample_weight", job.precision, job, &job.sample_weight)
    return w


cdef int _check_out_tuple(object out, int expected) except -1:
    if not isinstance(out, tuple):
        raise TypeError(f"out: expected a tuple of {expected}, got {type(out).__name__}")
    if len(<tuple>out) != expected:
        raise ValueError(f"out has {len(<tuple>out)} entries: expected {expected}")
    return 0


@cython.auto_pickle(False)  # the base says how
cdef class PointwiseLoss(Loss):
    """
    Base of the losses that take one raw prediction a sample; not for use by itself.

    A subclass names its kernel (``name``, a row of src/losses.def) and hands its parameters to
    ``__init__``; everything else is here. An instance whose parameters are a limit of the formula may
    choose the kernel of another loss (``kernel``), and one whose row says BOUNDED chooses its label
    domain (``labels``: "finite", "nonnegative" or "positive"). One whose row says CLASSES tells how
    many there are (``n_classes``), and one whose row says STAGED_TABLE hands over two ``tables``, in
    float64 and float32, or None where its parameters cannot be told apart in float32.
    ``beyond_float32`` says that float32 arrays want the float64 kernel; constants that no float32 holds
    say so themselves.
    """

    name = ""

    def __init__(
        self, params=(), values=(), *, kernel=None, labels=None, n_classes=0, tables=None,
        beyond_float32=False,
    ):
        cdef int i, k
        name = type(self).name if kernel is None else kernel
        if len(values) > FL_LEAST_LABEL:
            raise ValueError(f"{name}: at most {FL_LEAST_LABEL} kernel parameters")
        for i in range(FL_N_POINTWISE):
            if fl_pointwise_info[i].name.decode() == name:
                for k in range(FL_MAX_PARAMS):
                    self._values[k] = values[k] if k < len(values) else 0.0
                self._beyond_float32 = beyond_float32 or outgrows_float32(values)
                self._params = dict(params)
                self._labels = fl_pointwise_info[i].labels
                if self._labels == FL_LABELS_BOUNDED:
                    self._labels, self._values[FL_LEAST_LABEL], self._values[FL_EXCLUDED_LABEL] = (
                        _BOUNDED[labels]
                    )
                elif self._labels == FL_LABELS_CLASSES:
                    if not 1 <= n_classes <= MOST_CLASSES:
                        raise ValueError(f"{name}: {n_classes} classes, at most {MOST_CLASSES}")
                    self._values[FL_LAST_CLASS] = n_classes - 1
                self._tables = tables
                self._link = fl_pointwise_info[i].link
                self._which = i
                self._functions = &kernels().pointwise[i].run[0][0]
                return
        raise TypeError(f"{type(self).__name__} has no kernel named {name!r}")

    # ------------------------------------------------------------ evaluation

    def __call__(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None,
    ):
        """Return the loss; the same as `loss`."""
        return self._evaluate(
            FL_LOSS, y_true, raw_prediction, sample_weight, reduction, out, n_threads
        )

    def loss(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None,
    ):
        """
        Return the loss.

        Parameters
        ----------
        y_true : array-like
            Labels in the loss's domain, of any shape; bool, any integer type, float16, float32 or
            float64, any strides and byte order. They are rounded to the dtype computed in, then
            checked.
        raw_prediction : array-like of float32 or float64
            Predictions on the link scale, of y_true's shape. Its dtype is the one computed in, but that
            parameters beyond float32 ask for float64.
        sample_weight : array-like, optional
            Finite weights of at least 0, of y_true's shape; all 1 by default. They are rounded to the
            dtype computed in; of any size under "mean", which only their ratios count for.
        reduction : {"mean", "sum", "none"}
            "mean" is the weighted mean, sum(w * loss) / sum(w).
        out : ndarray, optional
            With reduction "none": where the losses go, of raw_prediction's shape and dtype. May be
            raw_prediction itself.
        n_threads : int, optional
            Threads for this call; see `fastloss.set_num_threads`. The result does not depend on it.

        Returns
        -------
        float or ndarray
            A float, or with reduction "none" an array of raw_prediction's shape and dtype.

        Raises
        ------
        TypeError, ValueError
            If an argument has a wrong dtype or shape, a label lies outside the domain, or a weight
            is negative or not finite; the message names argument, index and value.
        """
        return self._evaluate(
            FL_LOSS, y_true, raw_prediction, sample_weight, reduction, out, n_threads
        )

    def gradient(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None,
    ):
        """
        Return the gradient with respect to raw_prediction of what `loss` returns.

        Parameters are those of `loss`; `out` is for the gradient under every reduction.

        Returns
        -------
        ndarray
            Of raw_prediction's shape and dtype. Under "mean" divided by the sum of the weights.
        """
        return self._evaluate(
            FL_GRADIENT, y_true, raw_prediction, sample_weight, reduction, out, n_threads
        )

    def loss_gradient(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None,
    ):
        """
        Return loss and gradient from one pass.

        Parameters are those of `loss`; `out` is a pair (loss, gradient), None for a part that is to
        be allocated or, under "mean" and "sum", for the loss.

        Returns
        -------
        tuple of (float or ndarray, ndarray)
            Loss and gradient.
        """
        return self._evaluate(
            FL_LOSS_GRADIENT, y_true, raw_prediction, sample_weight, reduction, out, n_threads
        )

    def gradient_hessian(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None,
    ):
        """
        Return gradient and Hessian diagonal from one pass.

        Parameters are those of `loss`; `out` is a pair (gradient, hessian).

        Returns
        -------
        tuple of (ndarray, ndarray)
            Gradient and Hessian, both scaled as the reduction says.
        """
        return self._evaluate(
            FL_GRADIENT_HESSIAN, y_true, raw_prediction, sample_weight, reduction, out, n_threads
        )

    def loss_gradient_hessian(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None,
    ):
        """
        Return loss, gradient and Hessian diagonal from one pass.

        Parameters are those of `loss`; `out` is a triple (loss, gradient, hessian).

        Returns
        -------
        tuple of (float or ndarray, ndarray, ndarray)
            Loss, gradient and Hessian.
        """
        return self._evaluate(
            FL_LOSS_GRADIENT_HESSIAN, y_true, raw_prediction, sample_weight, reduction, out,
            n_threads,
        )

    def partial(self, y_true, raw_prediction, sample_weight=None, *, n_threads=None):
        """
        Return the sums of a part of the data, to be merged with those of other parts.

        Parameters are those of `loss`.

        Returns
        -------
        LossSums
            With ``loss_sum``, ``weight_sum`` and ``n_samples``; ``a + b`` merges.
        """
        f = as_prediction(raw_prediction, "raw_prediction")
        n = cnp.PyArray_SIZE(<ndarray>f)
        weight_sum, exponent = float(n), 0
        if sample_weight is not None:
            precision_of(<ndarray>f, "raw_prediction")
            sample_weight, weight_sum, exponent = checked_weights(
                as_values(sample_weight, "sample_weight"),
                np.dtype(np.float64) if self._beyond_float32 else f.dtype, for_mean=True,
                n_threads=n_threads,
            )
        loss_sum = self._evaluate(FL_LOSS, y_true, f, sample_weight, "sum", None, n_threads)
        return LossSums(ldexp(loss_sum, exponent), ldexp(weight_sum, exponent), n, self)

    cdef object _evaluate(
        self, int operation, object y_true, object raw_prediction, object sample_weight,
        object reduction, object out, object n_threads, double scale=1.0, Py_ssize_t one_hot=0,
        bint narrow=False,
    ):
        cdef Job job
        cdef ndarray f = as_prediction(raw_prediction, "raw_prediction")
        cdef ndarray y = as_values(y_true, "y_true")
        cdef ndarray w = None
        cdef ndarray loss = None, gradient = None, hessian = None
        cdef object loss_out = None, gradient_out = None, hessian_out = None
        cdef int mode = reduction_code(reduction), precision, invalid, threads, exponent
        cdef bint want_loss = operation != FL_GRADIENT and operation != FL_GRADIENT_HESSIAN
        cdef bint want_gradient = operation != FL_LOSS
        cdef bint want_hessian = (
            operation == FL_GRADIENT_HESSIAN or operation == FL_LOSS_GRADIENT_HESSIAN
        )
        cdef bint in_place = False
        cdef Py_ssize_t n = size_of(f), length = block_length(n), n_blocks
        cdef double weight_sum = <double>n, loss_sum, value
        cdef double few[8]
        cdef double* partials = few

        if self._functions == NULL:
            raise TypeError(f"{type(self).__name__}: __init__ of the base class was not called")
        precision = precision_of(f, "raw_prediction")
        if self._beyond_float32:
            precision = FL_F64
        threads = thread_count(n_threads, n)
        self._choose_kernel(operation, precision, &job)
        job.one_hot = one_hot
        w = describe_labels(&job, y, f, sample_weight)

        # ---- outputs: all checked before any is written
        if out is not None:
            if want_loss + want_gradient + want_hessian == 1:
                if isinstance(out, tuple):
                    raise TypeError("out: expected one array, got a tuple")
                if want_loss:
                    loss_out = out
                else:
                    gradient_out = out
            else:
                _check_out_tuple(out, want_loss + want_gradient + want_hessian)
                if want_loss:
                    loss_out = (<tuple>out)[0]
                    gradient_out = (<tuple>out)[1]
                    if want_hessian:
                        hessian_out = (<tuple>out)[2]
                else:
                    gradient_out = (<tuple>out)[0]
                    hessian_out = (<tuple>out)[1]
            if loss_out is not None:
                if mode != REDUCTION_NONE:
                    raise ValueError(
                        f"out: the loss is a float under reduction={reduction!r}, so its place in "
                        "out must be None"
                    )
                loss = _checked(loss_out, "out (loss)", f, y, w, None, None, n, narrow)
            if gradient_out is not None:
                gradient = _checked(
                    gradient_out, "out (gradient)", f, y, w, loss, None, n, narrow
                )
            if hessian_out is not None:
                hessian = _checked(
                    hessian_out, "out (hessian)", f, y, w, loss, gradient, n, narrow
                )
            if not (apart(loss, f, n) and apart(gradient, f, n) and apart(hessian, f, n)):
                for array in (loss, gradient, hessian):
                    if array is not None and overlaps(array, f):
                        in_place = True
                        if not same_memory(array, f):
                            # shifted against the input: it would be overwritten before it is read
                            f = (<object>f).copy()
        describe_in_job(f, "raw_prediction", precision, &job, &job.raw_prediction)
        if job.has_weight:
            if mode == REDUCTION_MEAN:
                w = balanced_weights(
                    w, "sample_weight", precision, n_threads, &weight_sum, &exponent
                )
                if exponent != 0:
                    describe_in_job(w, "sample_weight", precision, &job, &job.sample_weight)
            else:
                weight_sum = sum_weights(w, "sample_weight", precision, n_threads)
        if in_place:
            # an invalid label must be found while the input still stands
            self._check_labels(y, precision)
        if want_loss and mode == REDUCTION_NONE and loss is None:
            loss = new_like(f)
        if want_gradient and gradient is None:
            gradient = new_like(f)
        if want_hessian and hessian is None:
            hessian = new_like(f)
        job.has_loss = loss is not None
        job.has_gradient = gradient is not None
        job.has_hessian = hessian is not None
        if job.has_loss:
            describe_in_job(loss, "out", precision, &job, &job.loss)
        if job.has_gradient:
            describe_in_job(gradient, "out", precision, &job, &job.gradient)
        if job.has_hessian:
            describe_in_job(hessian, "out", precision, &job, &job.hessian)

        # ---- the pass
        job.want_loss = want_loss
        job.scale = scale
        if mode == REDUCTION_MEAN:
            job.scale = 1.0 / weight_sum if weight_sum > 0 else NAN
        job.stream = beyond_cache(
            n * job.raw_prediction.itemsize * (job.has_loss + job.has_gradient + job.has_hessian)
        )
        n_blocks = (n + length - 1) // length
        if n_blocks > 8:
            partials = <double*>malloc(n_blocks * sizeof(double))
            if partials == NULL:
                raise MemoryError
        if n >= RELEASE_GIL_FROM:
            with nogil:
                invalid = _run_blocks(&job, n, length, partials, threads)
        else:
            invalid = _run_blocks(&job, n, length, partials, 1)
        loss_sum = fl_sum_pairwise(partials, n_blocks)
        if partials != few:
            free(partials)
        if invalid and one_hot:
            raise IndexError("a class is not among the outputs")
        if invalid:
            self._check_labels(y, precision)
        if mode == REDUCTION_MEAN and not weight_sum > 0:
            warn_empty(
                "an empty array" if n == 0 else "samples whose weights sum to zero"
            )

        # ---- the result
        if not want_loss:
            return (gradient, hessian) if want_hessian else gradient
        if mode == REDUCTION_NONE:
            result = loss
        else:
            value = loss_sum
            if mode == REDUCTION_MEAN:
                value = loss_sum / weight_sum if weight_sum > 0 else NAN
            result = value
        if want_hessian:
            return (result, gradient, hessian)
        return (result, gradient) if want_gradient else result

    def _scaled(
        self, parts, y_true, raw_prediction, sample_weight, factor, out, n_threads, n_classes=0
    ):
        """
        Return the sum of the losses; gradient and Hessian times a factor go to `out`.

        Parameters
        ----------
        parts : tuple of str
            What an operation's name names, such as ("loss", "gradient").
        y_true, raw_prediction, sample_weight, n_threads
            As `loss`; or y_true holds classes, of raw_prediction's shape without the last axis.
        factor : float
            Multiplies what is stored.
        out : tuple of ndarray
            For gradient and Hessian, as far as they are wanted.
        n_classes : int
            If not 0: y_true holds classes, and so many outputs the last axis of raw_prediction. A label
            is 1 at the class and else 0.

        Returns
        -------
        float or None
            None where the loss is not wanted.

        Raises
        ------
        IndexError
            If a class is not one of n_classes; outputs may have been written to.
        """
        cdef int operation = _OPERATIONS[parts]
        cdef bint want_loss = parts[0] == "loss"
        if want_loss and len(parts) > 1:
            out = (None, *out)
        elif len(parts) == 1:
            out = out[0] if out else None
        result = self._evaluate(
            operation, y_true, raw_prediction, sample_weight, "sum", out, n_threads, factor, n_classes
        )
        if not want_loss:
            return None
        return result[0] if len(parts) > 1 else result

    def _samplewise(self, parts, y_true, raw_prediction, sample_weight, out, n_threads):
        """
        Store what is wanted of each sample, rounded to float32 where an output is of that.

        Parameters
        ----------
        parts : tuple of str
            What an operation's name names, such as ("loss", "gradient").
        y_true, raw_prediction, sample_weight, n_threads
            As `loss`.
        out : tuple of ndarray
            One a part, of raw_prediction's shape, and of its dtype or a narrower one.
        """
        self._evaluate(
            _OPERATIONS[parts], y_true, raw_prediction, sample_weight, "none",
            out if len(parts) > 1 else out[0], n_threads, 1.0, 0, True,
        )

    cdef int _choose_kernel(self, int operation, int precision, Job* job) except -1:
        job.precision = precision
        job.function = self._functions[operation * 2 + precision]
        job.params = self._values
        job.one_hot = 0
        job.table = NULL
        if self._tables is not None:
            job.table = self._table(precision)
        return 0

    cdef int _check_labels(self, ndarray y, int precision) except -1:
        cdef FlArray array
        cdef Py_ssize_t index, n = cnp.PyArray_SIZE(y)
        cdef int64_t last
        describe(y, "y_true", precision, &array)
        if self._labels == FL_LABELS_CLASSES:
            last = <int64_t>self._values[FL_LAST_CLASS]
            expected = f"class labels 0 to {last}"
            with nogil:
                index = find_no_class(&array, n, last, NULL)
        else:
            expected = _LABELS[self._labels]
            with nogil:
                index = find_invalid(&array, precision, n, self._labels)
        if index >= 0:
            hint = ""
            if self._labels == FL_LABELS_BINARY or self._labels == FL_LABELS_UNIT_INTERVAL:
                hint = signs_hint((<object>y).flat[index])
            raise ValueError(
                f"{element('y_true', y, index)}: {type(self).__name__} expects {expected}{hint}"
            )
        return 0

    cdef const void* _table(self, int precision) except NULL:
        """The numbers that stand for the parameters in this precision."""
        cdef ndarray table
        if self._tables[precision] is None:
            raise ValueError(self._why_not_float32())
        table = self._tables[precision]
        return cnp.PyArray_DATA(table)

    def _why_not_float32(self):
        """For a loss without a table in float32: what is wrong with its parameters."""
        raise TypeError(f"{type(self).__name__} does not say what float32 lacks")

    # ------------------------------------------------------------ link and start

    def predict(self, raw_prediction, *, out=None, n_threads=None):
        """
        Return predictions on the scale of the labels: the inverse link of raw_prediction.

        Parameters
        ----------
        raw_prediction : array-like of float32 or float64
            Of any shape.
        out : ndarray, optional
            Where the result goes, of raw_prediction's shape and dtype; may be raw_prediction itself.
        n_threads : int, optional
            See `loss`.

        Returns
        -------
        ndarray
            Of raw_prediction's shape and dtype.
        """
        cdef ndarray f = as_prediction(raw_prediction, "raw_prediction")
        cdef ndarray target
        cdef int threads
        cdef Py_ssize_t n = cnp.PyArray_SIZE(f)
        if self._functions == NULL:
            raise TypeError(f"{type(self).__name__}: __init__ of the base class was not called")
        precision_of(f, "raw_prediction")
        threads = thread_count(n_threads, n)
        if out is None:
            target = new_like(f)
        else:
            target = checked_out(out, "out", f, "raw_prediction")
            if overlaps(target, f) and not same_memory(target, f):
                f = (<object>f).copy()
        apply_link(f, target, self._link, threads)
        return target

    def initial_prediction(self, y_true, sample_weight=None):
        """
        Return the best constant raw prediction: the one that minimises the weighted mean loss.

        Parameters
        ----------
        y_true : array-like
            Labels in the loss's domain, not empty.
        sample_weight : array-like, optional
            Finite weights of at least 0, of y_true's shape, not all 0.

        Returns
        -------
        float
            On the link scale. Where the optimum lies at infinity (all labels 0, say) the mean is
            kept one float64 epsilon inside the domain, so that the result is finite.

        Raises
        ------
        TypeError, ValueError
            As `loss`; also for empty labels and weights that sum to zero.
        """
        cdef ndarray y = as_values(y_true, "y_true")
        cdef ndarray w = None
        cdef FlArray unused
        if self._functions == NULL:
            raise TypeError(f"{type(self).__name__}: __init__ of the base class was not called")
        describe(y, "y_true", FL_F64, &unused)
        self._check_labels(y, FL_F64)
        if cnp.PyArray_SIZE(y) == 0:
            raise ValueError("y_true is empty: expected at least one label")
        if sample_weight is not None:
            w = as_values(sample_weight, "sample_weight")
            if not same_shape(w, y):
                raise ValueError(
                    f"sample_weight has shape {(<object>w).shape}, y_true has shape "
                    f"{(<object>y).shape}: they must be equal"
                )
            if not sum_weights(w, "sample_weight", FL_F64, None) > 0:
                raise ValueError("sample_weight sums to zero: expected a positive weight")
        labels = np.asarray(y, dtype=np.float64).ravel()
        if w is None:
            weights = np.ones_like(labels)
        else:
            # by an exact factor to at most 1, so that no sum of them overflows
            weights = np.asarray(w, dtype=np.float64).ravel()
            weights = np.ldexp(weights, -np.frexp(weights.max())[1])
        # what overflows on the way to a finite result is no news
        with np.errstate(all="ignore"):
            return float(self._best_constant(labels, weights))

    def _best_constant(self, labels, weights):
        """Of flat float64 labels and weights, checked by initial_prediction."""
        raise TypeError(f"{type(self).__name__} does not define its best constant")
