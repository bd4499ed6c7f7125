"""The compiled base of losses of several outputs a sample: checks, the loop over blocks, reductions."""

import numpy as np

from fastloss._bases.sums import LossSums
from fastloss._core.label_hints import ignored_hint, one_hot_hint
from fastloss._core.runtime import as_index
from fastloss._core.weights import checked_weights

cimport cython
cimport numpy as cnp
from libc.math cimport NAN, ldexp
from libc.stdint cimport int64_t
from libc.stdlib cimport free
from numpy cimport ndarray

from fastloss._bases.pointwise cimport PointwiseLoss
from fastloss._bases.row_blocks cimport *
from fastloss._bases.row_job cimport *
from fastloss._bases.row_layout cimport *
from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss._core.vecmath cimport *
from fastloss._core.weights cimport *
from fastloss.kernels cimport *

cnp.import_array()

cdef enum:
    LINK_SOFTMAX = -2

_LINKS = {
    "identity": FL_LINK_IDENTITY, "exp": FL_LINK_EXP, "expit": FL_LINK_EXPIT, "softmax": LINK_SOFTMAX
}
_KINDS = {
    LABELS_CLASS_OR_SOFT: "class or soft",
    FL_ROW_CLASS: "class",
    FL_ROW_VALUE: "value",
    FL_ROW_TARGETS: "targets",
    FL_ROW_LOG_TARGETS: "log targets",
    FL_ROW_SETS: "sets",
}
_WANTS = {"loss": FL_WANT_LOSS, "gradient": FL_WANT_GRADIENT, "hessian": FL_WANT_HESSIAN}
# what labels that stand in rows must be
_ROWS = {
    FL_ROW_TARGETS: "targets that are finite and not negative",
    FL_ROW_LOG_TARGETS: "logarithms of targets, finite or -inf",
    FL_ROW_SETS: "classes 0 to {last}, each once, up to the first -1",
}


cdef int _class_axis(ndarray f, object axis) except -1:
    cdef int ndim = cnp.PyArray_NDIM(f)
    position = as_index(axis, "axis", "an integer")
    if ndim == 0:
        raise ValueError("raw_prediction has no axis: expected a class axis at least")
    if not -ndim <= position < ndim:
        raise ValueError(
            f"axis = {position}: raw_prediction has {ndim} axes, expected one of {-ndim} to "
            f"{ndim - 1}"
        )
    if (<object>f).shape[position] == 0:
        raise ValueError(
            f"raw_prediction has shape {(<object>f).shape}: expected at least one class along axis "
            f"{position}"
        )
    return position % ndim


cdef int _kernel_number(object cls, str name) except -2:
    """The place of a kernel in rows.def, -1 for softmax cross-entropy."""
    cdef int i
    if name == "cross_entropy":
        return -1
    for i in range(FL_N_ROWS):
        if fl_row_info[i].name.decode() == name:
            return i
    raise TypeError(f"{cls.__name__} has no kernel named {name!r}")


def _shape_hint(int kind, y, f, int class_axis, bint levels):
    """
    What may be done about labels of a wrong shape.

    Of rows where classes are expected, what makes classes of them; else which other class axis would
    fit labels without one, if one alone would; not of a matrix.
    """
    labels, shape = y.shape, f.shape
    if kind == FL_ROW_CLASS and len(labels) == len(shape):
        return one_hot_hint(labels, shape, class_axis, levels=levels)
    fitting = [k for k in range(len(shape)) if shape[:k] + shape[k + 1:] == labels]
    takes = kind == FL_ROW_VALUE or (
        kind in (LABELS_CLASS_OR_SOFT, FL_ROW_CLASS) and y.dtype.kind in "iub"
    )
    if not takes or len(fitting) != 1 or fitting[0] == class_axis or len(shape) < 3:
        return ""
    return f"; with axis={fitting[0]} it would be that"


@cython.auto_pickle(False)  # the base says how
cdef class RowLoss(Loss):
    """
    Base of the losses that take several raw predictions a sample; not for use by itself.

    A subclass names its kernel (``name``, a row of src/rows.def, or "cross_entropy") and hands its
    parameters to ``__init__``; everything else is here.
    """

    name = ""

    def __init__(
        self, params=(), values=(), *, kernel=None, link="identity", class_weight=None,
        per_output=None, label_smoothing=0.0, ignore_index=None, n_outputs=0, extra_classes=0,
        soft_kernel=None, weighted_smoothing=True, weighted_mean=True, zero_if_ignored=False,
        binary=None,
    ):
        cdef int i
        name = type(self).name if kernel is None else kernel
        if not name:
            raise TypeError(f"{type(self).__name__} is a base class: expected a loss built on it")
        self._binary = binary
        self._composite = binary is not None
        self._kernel = self._soft_kernel = -1 if self._composite else _kernel_number(type(self), name)
        self._labels = LABELS_CLASS_OR_SOFT
        if soft_kernel is not None:
            self._soft_kernel = _kernel_number(type(self), soft_kernel)
        elif self._kernel >= 0:
            self._labels = fl_row_info[self._kernel].labels
        if len(values) > FL_ROW_MAX_PARAMS:
            raise ValueError(f"{name}: at most {FL_ROW_MAX_PARAMS} kernel parameters")
        for i in range(FL_ROW_MAX_PARAMS):
            self._values[i] = values[i] if i < len(values) else 0.0
        self._beyond_float32 = outgrows_float32((*values, label_smoothing))
        self._link = _LINKS[link]
        self._params = dict(params)
        self._class_weight = class_weight
        self._narrow_weight = None if class_weight is None else class_weight.astype(np.float32)
        self._per_output = None
        if per_output is not None:
            argument, numbers = per_output
            wide = np.array(numbers, dtype=np.float64, order="C")
            with np.errstate(over="ignore", under="ignore"):
                self._per_output = (argument, wide.shape[wide.ndim - 1], wide, wide.astype(np.float32))
            # its first row is the parameter, what is computed of it comes after
            self._beyond_float32 = self._beyond_float32 or outgrows_float32(
                wide.reshape(-1, wide.shape[wide.ndim - 1])[0]
            )
        self._label_smoothing = label_smoothing
        self._ignore_index = ignore_index
        self._weighted_smoothing = weighted_smoothing
        self._weighted_mean = weighted_mean
        self._zero_if_ignored = zero_if_ignored
        self._n_outputs = n_outputs
        self._extra_classes = extra_classes
        self._ready = True

    # ------------------------------------------------------------ identity

    @property
    def label_kind(self):
        """What y_true holds: "class", "class or soft", "value", "targets", "log targets" or "sets"."""
        return _KINDS[self._labels]

    @property
    def n_outputs(self):
        """How many outputs a sample must have, None where it may have any number."""
        if self._n_outputs:
            return self._n_outputs
        return None if self._per_output is None else self._per_output[1]

    # ------------------------------------------------------------ evaluation

    def __call__(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None, axis=-1,
    ):
        """Return the loss; the same as `loss`."""
        return self._evaluate(
            FL_WANT_LOSS, y_true, raw_prediction, sample_weight, reduction, out, n_threads, axis
        )[0]

    def loss(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None, axis=-1,
    ):
        """
        Return the loss.

        Parameters
        ----------
        y_true : array-like
            What the class's docs say under "Labels". Class labels are of any integer type, or floats
            of integral value; they and numbers have raw_prediction's shape without the class axis,
            soft labels and targets raw_prediction's shape. Of a single sample (one axis), soft labels
            are floats: integers would look like labels of many samples. Numbers, soft labels and
            targets are rounded to the dtype computed in, then checked.
        raw_prediction : array-like of float32 or float64
            Of any shape with a class axis, or more generally one along which the outputs of a sample
            stand. Its dtype is the one computed in, but that parameters beyond float32 ask for float64.
        sample_weight : array-like, optional
            Finite weights of at least 0, of raw_prediction's shape without the class axis. They are
            rounded to the dtype computed in; of any size under "mean", which only their ratios count
            for.
        reduction : {"mean", "sum", "none"}
            "mean" divides by the sum of the weights: of sample_weight times the label's class
            weight over all samples that are not ignored, as torch; for soft labels of sample_weight.
        out : ndarray, optional
            With reduction "none": where the losses go.
        n_threads : int, optional
            Threads for this call; see `fastloss.set_num_threads`. The result does not depend on it.
        axis : int
            The class axis of raw_prediction; 1 for images of shape (N, C, H, W).

        Returns
        -------
        float or ndarray
            A float, or with reduction "none" an array of raw_prediction's shape without the class
            axis and its dtype.

        Raises
        ------
        TypeError, ValueError
            If an argument has a wrong dtype or shape, a label is not a class, or a weight is
            negative or not finite; the message names argument, index and value.
        """
        return self._evaluate(
            FL_WANT_LOSS, y_true, raw_prediction, sample_weight, reduction, out, n_threads, axis
        )[0]

    def gradient(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None, axis=-1,
    ):
        """
        Return the gradient with respect to raw_prediction of what `loss` returns.

        Parameters are those of `loss`; `out` is for the gradient under every reduction.

        Returns
        -------
        ndarray
            Of raw_prediction's shape and dtype.
        """
        return self._evaluate(
            FL_WANT_GRADIENT, y_true, raw_prediction, sample_weight, reduction, out, n_threads, axis
        )[0]

    def loss_gradient(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None, axis=-1,
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
            FL_WANT_LOSS | FL_WANT_GRADIENT, y_true, raw_prediction, sample_weight, reduction, out,
            n_threads, axis,
        )

    def gradient_hessian(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None, axis=-1,
    ):
        """
        Return gradient and Hessian diagonal from one pass.

        Parameters are those of `loss`; `out` is a pair (gradient, hessian).

        Returns
        -------
        tuple of (ndarray, ndarray)
            Gradient and the diagonal of each sample's Hessian, both of raw_prediction's shape.
        """
        return self._evaluate(
            FL_WANT_GRADIENT | FL_WANT_HESSIAN, y_true, raw_prediction, sample_weight, reduction,
            out, n_threads, axis,
        )

    def loss_gradient_hessian(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None, axis=-1,
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
            FL_WANT_LOSS | FL_WANT_GRADIENT | FL_WANT_HESSIAN, y_true, raw_prediction,
            sample_weight, reduction, out, n_threads, axis,
        )

    def partial(self, y_true, raw_prediction, sample_weight=None, *, n_threads=None, axis=-1):
        """
        Return the sums of a part of the data, to be merged with those of other parts.

        Parameters are those of `loss`.

        Returns
        -------
        LossSums
            With ``loss_sum``, ``weight_sum`` (what "mean" divides by) and ``n_samples``, ignored ones
            included; ``a + b`` merges.
        """
        sums, exponent = [], 0
        f = as_prediction(raw_prediction, "raw_prediction")
        if sample_weight is not None:
            precision_of(<ndarray>f, "raw_prediction")
            sample_weight, _, exponent = checked_weights(
                as_values(sample_weight, "sample_weight"), f.dtype, for_mean=True,
                n_threads=n_threads,
            )
        loss_sum = self._evaluate(
            FL_WANT_LOSS, y_true, f, sample_weight, "sum", None, n_threads, axis, sums
        )[0]
        n_samples = cnp.PyArray_SIZE(<ndarray>f) // cnp.PyArray_DIM(<ndarray>f, _class_axis(f, axis))
        return LossSums(ldexp(loss_sum, exponent), ldexp(sums[0], exponent), n_samples, self)

    cdef tuple _evaluate(
        self, int wants, object y_true, object raw_prediction, object sample_weight,
        object reduction, object out, object n_threads, object axis, list sums=None,
        bint narrow=False,
    ):
        cdef Job job
        cdef ndarray f = as_prediction(raw_prediction, "raw_prediction")
        cdef ndarray y = as_values(y_true, "y_true")
        cdef ndarray w = None, sample_shape
        cdef ndarray loss = None, gradient = None, hessian = None
        cdef int mode = reduction_code(reduction), class_axis, invalid = 0, threads, i, exponent
        cdef int n_wanted = (
            (1 if wants & FL_WANT_LOSS else 0) + (1 if wants & FL_WANT_GRADIENT else 0)
            + (1 if wants & FL_WANT_HESSIAN else 0)
        )
        cdef int which = TARGET
        cdef bint hard, in_place = False
        cdef double weight_sum, loss_sum, value, nothing = NAN
        cdef const void* class_weight
        cdef bint weighs
        if not self._ready:
            raise TypeError(f"{type(self).__name__}: __init__ of the base class was not called")
        job.precision = precision_of(f, "raw_prediction")
        if self._beyond_float32:
            job.precision = FL_F64
        class_axis = _class_axis(f, axis)
        if self._composite:
            results = self._evaluate_binary(
                wants, y, f, sample_weight, mode, out, n_threads, class_axis
            )
            if results is not None:
                if sums is not None:
                    sums.append(<double>(cnp.PyArray_SIZE(f) // cnp.PyArray_DIM(f, class_axis)))
                return results
            parts = [
                name for bit, name in (
                    (FL_WANT_LOSS, "loss"), (FL_WANT_GRADIENT, "gradient"),
                    (FL_WANT_HESSIAN, "hessian"),
                ) if wants & bit
            ]
            results, weight_sum = self._evaluate_composite(
                tuple(parts), y, f, sample_weight, reduction, out, n_threads, class_axis
            )
            if sums is not None:
                sums.append(weight_sum)
            return results
        job.n_classes = cnp.PyArray_DIM(f, class_axis)
        job.n_samples = cnp.PyArray_SIZE(f) // job.n_classes
        shape = (<object>f).shape[:class_axis] + (<object>f).shape[class_axis + 1:]
        self._check_outputs(job.n_classes)
        job.n_labels = job.n_classes + self._extra_classes
        hard = (<object>y).shape == shape and self._labels in (
            LABELS_CLASS_OR_SOFT, FL_ROW_CLASS, FL_ROW_VALUE
        )
        if not hard and not (
            same_shape(y, f) and self._labels != FL_ROW_CLASS and self._labels != FL_ROW_VALUE
        ):
            raise ValueError(
                f"y_true has shape {(<object>y).shape}, raw_prediction has shape "
                f"{(<object>f).shape} with its class axis {class_axis}: {self._shapes()}"
                f"{_shape_hint(self._labels, y, f, class_axis, self._extra_classes > 0)}"
            )
        if not hard and self._ignore_index is not None:
            raise ValueError(
                f"ignore_index = {self._ignore_index}: needs class labels, y_true has the shape of "
                "soft labels"
            )
        if not hard and self._labels == LABELS_CLASS_OR_SOFT and cnp.PyArray_NDIM(f) == 1 and (
            y.dtype.kind in "biu"
        ):
            n = job.n_classes
            raise TypeError(
                f"y_true has dtype {y.dtype} and raw_prediction's shape, ({n},), which is one sample "
                f"of {n} classes: expected its label as a single integer or its probabilities as "
                f"floats; for {n} labels, raw_prediction of shape ({n}, C)"
            )
        threads = thread_count(n_threads, cnp.PyArray_SIZE(f))
        for i in range(N_ARRAYS):
            job.operands[i].present = False
        self._fill_parameters(&job, hard)

        # ---- inputs and outputs: all checked before anything is written
        if hard:
            which = VALUE if self._labels == FL_ROW_VALUE else LABEL
        describe_operand(&job, which, y, "y_true", -1 if hard else class_axis)
        if sample_weight is not None:
            w = as_values(sample_weight, "sample_weight")
            if (<object>w).shape != shape:
                raise ValueError(
                    f"sample_weight has shape {(<object>w).shape}: expected {shape}, "
                    "raw_prediction's without the class axis"
                )
            describe_operand(&job, WEIGHT, w, "sample_weight", -1)
        loss_out, gradient_out, hessian_out = _split_out(out, wants, n_wanted)
        if loss_out is not None:
            if mode != REDUCTION_NONE:
                raise ValueError(
                    f"out: the loss is a float under reduction={reduction!r}, so its place in out "
                    "must be None"
                )
            sample_shape = <ndarray>np.broadcast_to(np.empty((), f.dtype.newbyteorder("=")), shape)
            loss = checked_out(loss_out, "out (loss)", sample_shape, "the samples", narrow)
            refuse_overlap(loss, "out (loss)", f, "raw_prediction")
            refuse_overlap(loss, "out (loss)", y, "y_true")
            refuse_overlap(loss, "out (loss)", w, "sample_weight")
        if gradient_out is not None:
            gradient = checked_out(gradient_out, "out (gradient)", f, "raw_prediction", narrow)
            refuse_overlap(gradient, "out (gradient)", y, "y_true")
            refuse_overlap(gradient, "out (gradient)", w, "sample_weight")
            refuse_overlap(gradient, "out (gradient)", loss, "out (loss)")
        if hessian_out is not None:
            hessian = checked_out(hessian_out, "out (hessian)", f, "raw_prediction", narrow)
            refuse_overlap(hessian, "out (hessian)", y, "y_true")
            refuse_overlap(hessian, "out (hessian)", w, "sample_weight")
            refuse_overlap(hessian, "out (hessian)", loss, "out (loss)")
            refuse_overlap(hessian, "out (hessian)", gradient, "out (gradient)")
        for array in (gradient, hessian):
            if array is not None and overlaps(array, f):
                in_place = True
                if not same_memory(array, f):
                    # shifted against the input: it would be overwritten before it is read
                    f = (<object>f).copy(order="K")
        if w is not None:
            if mode == REDUCTION_MEAN:
                w = balanced_weights(
                    w, "sample_weight", job.precision, n_threads, &weight_sum, &exponent
                )
                if exponent != 0:
                    describe_operand(&job, WEIGHT, w, "sample_weight", -1)
            else:
                weight_sum = sum_weights(w, "sample_weight", job.precision, n_threads)
        else:
            weight_sum = <double>job.n_samples
        if wants & FL_WANT_LOSS and mode == REDUCTION_NONE and loss is None:
            loss = np.empty(shape, f.dtype.newbyteorder("="))
        if wants & FL_WANT_GRADIENT and gradient is None:
            gradient = _new_in_layout(f)
        if wants & FL_WANT_HESSIAN and hessian is None:
            hessian = _new_in_layout(f)

        describe_operand(&job, RAW, f, "raw_prediction", class_axis)
        if loss is not None:
            describe_operand(&job, LOSS, loss, "out", -1)
        if gradient is not None:
            describe_operand(&job, GRADIENT, gradient, "out", class_axis)
        if hessian is not None:
            describe_operand(&job, HESSIAN, hessian, "out", class_axis)
        arrange_axes(&job, cnp.PyArray_NDIM(f) - 1)
        threads = allocate_row_scratch(&job, threads)
        try:
            # ---- what the mean divides by, and any label in doubt while the input still stands
            weighs = self._class_weight is not None and self._weighted_mean
            if hard and (weighs or self._ignore_index is not None):
                class_weight = job.class_weight
                if not weighs:
                    job.class_weight = NULL
                weight_sum = label_weight(
                    &job, min(threads, thread_count(n_threads, job.n_samples)), &invalid
                )
                job.class_weight = class_weight
                if invalid:
                    self._refuse_labels(y, class_axis, job.n_classes, hard, job.precision)
            elif in_place:
                self._refuse_labels(y, class_axis, job.n_classes, hard, job.precision)
            job.scale = 1.0
            nothing = 0.0 if self._zero_if_ignored and job.n_samples else NAN
            if mode == REDUCTION_MEAN:
                job.scale = 1.0 / weight_sum if weight_sum > 0 else nothing
            job.wants = wants
            job.stream = _stored_directly(&job) and beyond_cache(
                cnp.PyArray_NBYTES(f) * ((gradient is not None) + (hessian is not None))
            )
            loss_sum = row_blocks_summed(&job, False, threads, &invalid)
        finally:
            free(job.scratch)
        if invalid:
            self._refuse_labels(y, class_axis, job.n_classes, hard, job.precision)
        if mode == REDUCTION_MEAN and not weight_sum > 0 and nothing != 0.0:
            warn_empty(
                "an empty array" if job.n_samples == 0
                else "samples that are all ignored or whose weights sum to zero"
            )
        if sums is not None:
            sums.append(weight_sum)

        # ---- the result
        result = []
        if wants & FL_WANT_LOSS:
            if mode == REDUCTION_NONE:
                result.append(loss)
            else:
                value = loss_sum
                if mode == REDUCTION_MEAN:
                    value = loss_sum / weight_sum if weight_sum > 0 else nothing
                result.append(value)
        if gradient is not None:
            result.append(gradient)
        if hessian is not None:
            result.append(hessian)
        return tuple(result)

    cdef tuple _evaluate_binary(
        self, int wants, ndarray y, ndarray f, object sample_weight, int mode, object out,
        object n_threads, int class_axis,
    ):
        """
        The results of a loss that is a binary one on each output, where nothing is out of the ordinary.

        Else None, also where the binary loss refuses an argument: `_evaluate_composite` tells what of.
        """
        cdef PointwiseLoss binary = self._binary
        cdef int axis, ndim = cnp.PyArray_NDIM(f), operation = FL_LOSS
        cdef Py_ssize_t size = size_of(f), n_classes = cnp.PyArray_DIM(f, class_axis)
        cdef bint by_class = cnp.PyArray_NDIM(y) == ndim - 1
        cdef bint want_loss = wants & FL_WANT_LOSS
        cdef double n_samples, factor
        if (
            sample_weight is not None or mode == REDUCTION_NONE or class_axis != ndim - 1 or size == 0
            or not PyArray_CHKFLAGS(f, cnp.NPY_ARRAY_C_CONTIGUOUS)
        ):
            return None
        if by_class:
            if not cnp.PyTypeNum_ISINTEGER(cnp.PyArray_TYPE(y)):
                return None
            for axis in range(ndim - 1):
                if cnp.PyArray_DIM(y, axis) != cnp.PyArray_DIM(f, axis):
                    return None
        elif not same_shape(y, f) or (
            # rounding could bring a label to where the other way, which looks before, refuses it
            cnp.PyTypeNum_ISFLOAT(cnp.PyArray_TYPE(y))
            and cnp.PyArray_ITEMSIZE(y) > cnp.PyArray_ITEMSIZE(f)
        ):
            return None
        if wants & FL_WANT_HESSIAN:
            operation = FL_LOSS_GRADIENT_HESSIAN if want_loss else FL_GRADIENT_HESSIAN
        elif wants & FL_WANT_GRADIENT:
            operation = FL_LOSS_GRADIENT if want_loss else FL_GRADIENT
        if out is not None:
            for place in out if type(out) is tuple else (out,):
                # what is computed in place of its input cannot be begun again
                if place is not None and not (
                    PyArray_CheckExact(place) and not overlaps(<ndarray>place, f)
                ):
                    return None
        n_samples = <double>(size // n_classes)
        factor = 1.0 / n_samples if mode == REDUCTION_MEAN else 1.0
        try:
            results = binary._evaluate(
                operation, y, f, None, "sum", out, n_threads, factor, n_classes if by_class else 0
            )
        except (IndexError, TypeError, ValueError):
            return None
        if operation == FL_GRADIENT:
            return (results,)
        if operation == FL_GRADIENT_HESSIAN:
            return results
        if operation == FL_LOSS:
            return (<double>results * factor,)
        return (<double>(<tuple>results)[0] * factor, *(<tuple>results)[1:])

    def _samplewise(self, parts, y_true, raw_prediction, sample_weight, out, n_threads):
        """
        Store what is wanted of each sample, rounded to float32 where an output is of that.

        Parameters
        ----------
        parts : tuple of str
            What an operation's name names, such as ("loss", "gradient").
        y_true, raw_prediction, sample_weight, n_threads
            As `loss`; the class axis is the last.
        out : tuple of ndarray
            One a part, as `loss` and `gradient` take them, of raw_prediction's dtype or a narrower one.
        """
        cdef int wants = 0
        for part in parts:
            wants |= _WANTS[part]
        self._evaluate(
            wants, y_true, raw_prediction, sample_weight, "none",
            out if len(parts) > 1 else out[0], n_threads, -1, None, True,
        )

    cdef int _fill_parameters(self, Job* job, bint hard) except -1:
        cdef ndarray weight, numbers
        cdef int kernel = self._kernel if hard else self._soft_kernel
        job.softmax = kernel < 0
        if kernel < 0:
            job.function = kernels().cross_entropy[job.precision]
            job.takes_unread = True
        else:
            job.takes_unread = kernels().rows[kernel].takes_unread
            job.function = kernels().rows[kernel].run[job.precision]
        job.params = self._values
        job.per_output = NULL
        if self._per_output is not None:
            numbers = self._per_output[2 if job.precision == FL_F64 else 3]
            job.per_output = cnp.PyArray_DATA(numbers)
        job.label_smoothing = self._label_smoothing
        job.class_weight = NULL
        job.fold_class_weight = False
        job.class_weight_sum = <double>job.n_classes
        job.has_ignore = self._ignore_index is not None
        job.ignore_index = self._ignore_index if job.has_ignore else 0
        if self._class_weight is not None:
            weight = self._class_weight if job.precision == FL_F64 else self._narrow_weight
            if cnp.PyArray_SIZE(weight) != job.n_classes:
                raise ValueError(
                    f"class_weight has {cnp.PyArray_SIZE(weight)} entries, raw_prediction has "
                    f"{job.n_classes} classes: they must be equal"
                )
            job.class_weight = cnp.PyArray_DATA(weight)
            job.fold_class_weight = hard and not self._weighted_smoothing
            job.class_weight_sum = weight.sum(dtype=np.float64)
        return 0

    cdef int _check_outputs(self, Py_ssize_t n_outputs) except -1:
        if self._n_outputs and n_outputs != self._n_outputs:
            raise ValueError(
                f"raw_prediction has {n_outputs} outputs a sample: {type(self).__name__} expects "
                f"{self._n_outputs}"
            )
        if self._per_output is not None and self._per_output[1] != n_outputs:
            raise ValueError(
                f"{self._per_output[0]} has {self._per_output[1]} entries, raw_prediction has "
                f"{n_outputs} outputs a sample: they must be equal"
            )
        return 0

    cdef str _shapes(self):
        """What y_true's shape should have been."""
        without = "raw_prediction's shape without the class axis"
        if self._labels == FL_ROW_CLASS:
            return f"expected class labels of {without}"
        if self._labels == FL_ROW_VALUE:
            return f"expected numbers of {without}"
        if self._labels == LABELS_CLASS_OR_SOFT:
            return (
                f"expected integer labels of {without}, or probabilities of raw_prediction's shape"
            )
        return "expected an array of raw_prediction's shape"

    cdef int _refuse_labels(
        self, ndarray y, int class_axis, Py_ssize_t n_classes, bint hard, int precision
    ) except -1:
        """An error for the first invalid label, if there is one."""
        cdef FlArray array
        cdef Py_ssize_t i, n = cnp.PyArray_SIZE(y), last
        cdef bint has_ignored = self._ignore_index is not None
        cdef int64_t ignored = self._ignore_index if has_ignored else 0
        describe(y, "y_true", precision, &array)
        name = type(self).__name__
        if self._labels == FL_ROW_LOG_TARGETS or self._labels == FL_ROW_SETS:
            return self._refuse_rows(y, class_axis, n_classes, precision)
        if not hard or self._labels == FL_ROW_VALUE:
            i = find_invalid(
                &array, precision, n, FL_LABELS_FINITE if hard else FL_LABELS_NONNEGATIVE
            )
            if i >= 0:
                expected = (
                    "finite numbers" if hard
                    else "soft labels that are finite and not negative" if self._kernel < 0
                    else _ROWS[FL_ROW_TARGETS]
                )
                raise ValueError(f"{element('y_true', y, i)}: {name} expects {expected}")
            return 0
        last = n_classes - 1 + self._extra_classes
        with nogil:
            i = find_no_class(&array, n, last, &ignored if has_ignored else NULL)
        if i >= 0:
            or_ignored = f" or ignore_index {ignored}" if has_ignored else ""
            if not has_ignored:
                or_ignored = ignored_hint((<object>y).flat[i], self._params)
            raise ValueError(
                f"{element('y_true', y, i)}: {name} expects class labels 0 to {last}{or_ignored}"
            )
        return 0

    cdef int _refuse_rows(
        self, ndarray y, int class_axis, Py_ssize_t n_classes, int precision
    ) except -1:
        """An error for the first logarithm or set that is none: slow, for when there is a doubt."""
        # as the kernels see them
        with np.errstate(over="ignore"):
            numbers = np.asarray(y).astype(np.float64 if precision == FL_F64 else np.float32)
        if self._labels == FL_ROW_LOG_TARGETS:
            wrong = ~(numbers < np.inf)
        else:
            closed = np.logical_or.accumulate(numbers == -1, axis=class_axis)
            wrong = ~(
                closed
                | ((numbers == np.floor(numbers)) & (numbers >= 0) & (numbers < n_classes))
            )
        if wrong.any():
            where = element("y_true", y, int(np.flatnonzero(wrong)[0]))
            expected = _ROWS[self._labels].format(last=n_classes - 1)
            raise ValueError(f"{where}: {type(self).__name__} expects {expected}")
        if self._labels == FL_ROW_SETS:
            repeats = _repeats(np.where(closed, -1, numbers), class_axis)
            if repeats.any():
                where = element("y_true", y, int(np.flatnonzero(repeats)[0]))
                expected = _ROWS[self._labels].format(last=n_classes - 1)
                # rows of a 0 or 1 for each class name 0 or 1 twice
                hint = (
                    "; for rows of a 0 or 1 for each class take np.flatnonzero(row), padded by -1"
                    if ((numbers == 0) | (numbers == 1)).all() else ""
                )
                raise ValueError(
                    f"{where}, which its row names before: {type(self).__name__} expects "
                    f"{expected}{hint}"
                )
        return 0

    # ------------------------------------------------------------ link and start

    def predict(self, raw_prediction, *, out=None, n_threads=None, axis=-1):
        """
        Return predictions on the scale of the labels, by the inverse link that the class states.

        Parameters
        ----------
        raw_prediction : array-like of float32 or float64
            Of any shape with a class axis.
        out : ndarray, optional
            Where the result goes, of raw_prediction's shape and dtype; may be raw_prediction itself.
        n_threads : int, optional
            See `loss`.
        axis : int
            The class axis.

        Returns
        -------
        ndarray
            Of raw_prediction's shape and dtype.
        """
        cdef Job job
        cdef ndarray f = as_prediction(raw_prediction, "raw_prediction"), target
        cdef int class_axis, threads, invalid = 0, i
        if not self._ready:
            raise TypeError(f"{type(self).__name__}: __init__ of the base class was not called")
        job.precision = precision_of(f, "raw_prediction")
        class_axis = _class_axis(f, axis)
        job.n_classes = cnp.PyArray_DIM(f, class_axis)
        job.n_samples = cnp.PyArray_SIZE(f) // job.n_classes
        job.n_labels = job.n_classes
        self._check_outputs(job.n_classes)
        threads = thread_count(n_threads, cnp.PyArray_SIZE(f))
        if out is None:
            target = _new_in_layout(f)
        else:
            target = checked_out(out, "out", f, "raw_prediction")
            if overlaps(target, f) and not same_memory(target, f):
                f = (<object>f).copy(order="K")
        if self._link != LINK_SOFTMAX:
            apply_link(f, target, self._link, threads)
            self._finish_link(target, class_axis, n_threads)
            return target
        for i in range(N_ARRAYS):
            job.operands[i].present = False
        describe_operand(&job, RAW, f, "raw_prediction", class_axis)
        describe_operand(&job, GRADIENT, target, "out", class_axis)
        arrange_axes(&job, cnp.PyArray_NDIM(f) - 1)
        job.softmax = True
        job.takes_unread = False
        job.params = self._values
        job.per_output = NULL
        job.wants = FL_WANT_GRADIENT
        job.scale = 1.0
        job.label_smoothing = 0.0
        job.class_weight = NULL
        job.fold_class_weight = False
        job.class_weight_sum = <double>job.n_classes
        job.has_ignore = False
        job.function = kernels().softmax[job.precision]
        job.stream = beyond_cache(cnp.PyArray_NBYTES(f))
        threads = allocate_row_scratch(&job, threads)
        try:
            row_blocks_summed(&job, False, threads, &invalid)
        finally:
            free(job.scratch)
        return target

    def _evaluate_composite(
        self, parts, y_true, raw_prediction, sample_weight, reduction, out, n_threads, class_axis
    ):
        """For a loss that is made of others: the results, and what the mean divides by."""
        raise TypeError(f"{type(self).__name__} does not define its evaluation")

    def _finish_link(self, values, axis, n_threads):
        """For a link that is not element by element: what predict returns, in place."""


def _repeats(classes, axis):
    """Where a class of at least 0 has stood before in its set."""
    order = np.argsort(classes, axis=axis, kind="stable")
    ordered = np.take_along_axis(classes, order, axis)
    before = np.diff(ordered, axis=axis, prepend=-1) == 0
    result = np.empty(classes.shape, dtype=bool)
    np.put_along_axis(result, order, before & (ordered >= 0), axis)
    return result


cdef ndarray _new_in_layout(ndarray f):
    """An uninitialised array with f's order of axes, in native byte order."""
    if PyArray_CHKFLAGS(f, cnp.NPY_ARRAY_C_CONTIGUOUS):
        return new_like(f)
    return np.empty_like(f, dtype=f.dtype.newbyteorder("="), order="K", subok=False)


cdef bint _stored_directly(const Job* job) noexcept:
    """Whether no output of several columns is staged: then it may go past the caches."""
    cdef int i
    for i in range(GRADIENT, HESSIAN + 1):
        if job.operands[i].present and not job.operands[i].direct:
            return False
    return True


cdef tuple _split_out(object out, int wants, int expected):
    """The three places of `out`, None where nothing was provided."""
    cdef bint want_loss = wants & FL_WANT_LOSS
    if out is None:
        return (None, None, None)
    if expected == 1:
        if isinstance(out, tuple):
            raise TypeError("out: expected one array, got a tuple")
        return (out, None, None) if want_loss else (None, out, None)
    if not isinstance(out, tuple):
        raise TypeError(f"out: expected a tuple of {expected}, got {type(out).__name__}")
    if len(out) != expected:
        raise ValueError(f"out has {len(out)} entries: expected {expected}")
    if expected == 3:
        return out
    return (out[0], out[1], None) if want_loss else (None, out[0], out[1])
