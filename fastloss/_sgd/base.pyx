"""The compiled part of `LinearSGD`: its state, and epochs of plain SGD for losses of one output."""

import numpy as np

from fastloss._linear.arrays import checked_csr, whole_classes

cimport cython
cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange, threadid
from libc.math cimport INFINITY
from libc.stdint cimport int64_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset
from numpy cimport ndarray

from fastloss._bases.pointwise cimport PointwiseLoss
from fastloss._bases.row_job cimport LABELS_CLASS_OR_SOFT
from fastloss._bases.rows cimport RowLoss
from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss._core.weights cimport *
from fastloss._sgd.batch cimport *
from fastloss._sgd.job cimport *
from fastloss._sgd.optimizer cimport NUMBERS_AHEAD, OptimizerJob, describe_optimizer
from fastloss._sgd.replicas cimport *
from fastloss.kernels cimport *

cnp.import_array()

_KINDS = {
    "constant": RATE_CONSTANT, "adaptive": RATE_CONSTANT, "optimal": RATE_OPTIMAL,
    "invscaling": RATE_INVSCALING, "pa1": RATE_CONSTANT, "pa2": RATE_CONSTANT,
}
_PASSIVE = {"pa1": FL_SGD_PASSIVE_1, "pa2": FL_SGD_PASSIVE_2}


cdef void _run_outputs(SampleJob* job, const Part* part, int threads) noexcept nogil:
    cdef Py_ssize_t k
    if threads > 1:
        for k in prange(job.n_outputs, schedule="dynamic", chunksize=1, num_threads=threads):
            run_output(job, k, part, threadid(), job.losses + k)
    else:
        for k in range(job.n_outputs):
            run_output(job, k, part, 0, job.losses + k)


cdef Py_ssize_t _run_one(
    SampleJob* job, Py_ssize_t at, Py_ssize_t row_work, int threads
) noexcept nogil:
    """The next run from place `at` of the order on; returns how many samples it has."""
    cdef Part part
    part.steps = &job.steps
    part.starts = job.starts
    part.ends = job.ends
    part.at = at
    part.n = prepare_run(job, at, &part.forget, &part.is_last)
    # a short run is over before other threads have begun
    _run_outputs(job, &part, threads if part.n * row_work >= THREAD_WORK else 1)
    finish_run(job, part.n, part.is_last)
    return part.n


cdef Py_ssize_t _run_some(
    SampleJob* job, Py_ssize_t at, Py_ssize_t row_work, int threads
) noexcept nogil:
    """Runs from place `at` of the order on, of about SIGNAL_WORK; returns the place after them."""
    cdef Py_ssize_t n, work = 0
    while at < job.n_order and work < SIGNAL_WORK:
        n = _run_one(job, at, row_work, threads)
        at += n
        work += n * row_work
        if job.schedule.scale == 1.0:  # all coefficients may have taken up their scale
            work += job.n_outputs * job.x.n_features
    return at


cdef Py_ssize_t _run_some_stretches(
    ReplicaJob* shared, Py_ssize_t at, Py_ssize_t row_work, int threads
) noexcept nogil:
    """The same by replicas, as long as these are better than ordered steps."""
    cdef SampleJob* job = shared.job
    cdef Py_ssize_t n, work = 0
    while at < job.n_order and work < SIGNAL_WORK:
        n = run_stretch(shared, at, threads)
        work += n * row_work // shared.n_replicas
        if n == 0:
            n = _run_one(job, at, row_work, min(threads, <int>job.n_outputs))
            work += n * row_work
        at += n
        work += job.n_outputs * job.x.n_features
    return at


cdef Py_ssize_t _run_some_batches(
    BatchJob* job, Py_ssize_t at, Py_ssize_t end, int threads
) noexcept nogil:
    cdef Py_ssize_t n
    while at < end:
        n = min(job.batch_size, job.n_order - at)
        run_batch(job, at, n, threads)
        at += n
    return at


cdef Py_ssize_t _row_entries(const Matrix* x) noexcept:
    """How many a sparse row has, on average."""
    return (x.indptr[x.n_samples] - x.indptr[0]) // max(x.n_samples, <Py_ssize_t>1)


cdef object _describe_x(Matrix* x, object X, int precision, Py_ssize_t row_length):
    """X, an array or CSR arrays; returns what has to live as long as its rows are read."""
    cdef ndarray tail
    if isinstance(X, tuple):
        describe_csr(x, X[0], X[1], X[2], X[3], X[4])
        return None
    describe_rows(x, X, precision)
    if x.copied:
        return None
    # the last rows, with zeros behind them
    tail = np.zeros((x.n_samples - x.dense.whole_rows, row_length), X.dtype)
    tail[:, :x.n_features] = X[x.dense.whole_rows:]
    x.dense.tail = <const char*>cnp.PyArray_DATA(tail)
    x.dense.tail_bytes = row_length * x.item
    return tail


@cython.auto_pickle(False)  # the subclass says how
cdef class LinearSGDBase:
    """
    What is compiled of LinearSGD; not for use by itself.

    Coefficients stand in memory divided by their scale, and the last step may be pending: the next
    row's dot product with the coefficients is taken before it.
    """

    cdef readonly object dtype
    cdef readonly Py_ssize_t n_features, n_outputs
    cdef readonly object loss_function
    cdef public dict _state    # arrays and numbers, what load_state_dict takes
    cdef readonly dict _settings
    cdef object _order, _labels_kept
    cdef readonly Py_ssize_t _n_stretches  # of the last epoch: times that replicas met

    def _begin(self, loss, n_features, n_outputs, dtype, dict settings):
        """Zeros for all coefficients; settings are checked."""
        self.loss_function = loss
        self.n_features = n_features
        self.n_outputs = n_outputs
        self.dtype = np.dtype(dtype)
        self._settings = settings
        length = (n_features + FL_SGD_PAD - 1) // FL_SGD_PAD * FL_SGD_PAD
        self._state = {
            "coef": np.zeros((n_outputs, length), self.dtype),
            "intercept": np.zeros(n_outputs),
            "received": np.zeros((n_outputs, length)) if settings["l1"] > 0 else None,
            "average": np.zeros((n_outputs, length)) if settings["average"] else None,
            "average_intercept": np.zeros(n_outputs),
            "velocity": np.zeros((n_outputs, length)) if settings["momentum"] else None,
            "intercept_velocity": np.zeros(n_outputs),
            "has_velocity": False,
            "pending_row": np.zeros(length, self.dtype),
            "pending_times": np.zeros(n_outputs),
            "pending": False,
            "t": 1.0, "eta": settings["eta0"], "scale": 1.0, "sums": 0.0, "penalty": 0.0,
            "n_averaged": 0.0, "random": settings["seed"],
        }

    def _with_pending(self, dict state):
        cdef ndarray coef = state["coef"].copy()
        cdef ndarray row = state["pending_row"]
        cdef ndarray times = state["pending_times"]
        cdef Py_ssize_t k
        cdef int precision = FL_F64 if self.dtype == np.float64 else FL_F32
        for k in range(self.n_outputs):
            kernels().sgd.add[precision](
                <char*>cnp.PyArray_DATA(coef) + k * cnp.PyArray_STRIDE(coef, 0),
                cnp.PyArray_DATA(row), (<double*>cnp.PyArray_DATA(times))[k], self.n_features,
            )
        return coef

    def _rows_in_order(self, Py_ssize_t n):
        """0 to n - 1, in memory that is kept for the next epoch."""
        cdef ndarray order
        cdef int64_t* rows
        cdef Py_ssize_t i
        if self._order is None or cnp.PyArray_DIM(<ndarray>self._order, 0) != n:
            self._order = np.empty(n, dtype=np.int64)
        order = self._order
        rows = <int64_t*>cnp.PyArray_DATA(order)
        for i in range(n):
            rows[i] = i
        return order

    def _own_labels(self, ndarray y):
        """Labels in this dtype, in memory that is kept; whether all are 0 or 1. They are checked."""
        cdef PointwiseLoss loss = self.loss_function
        cdef int precision = FL_F64 if self.dtype == np.float64 else FL_F32
        cdef FlArray array
        cdef ndarray labels
        cdef Py_ssize_t n = cnp.PyArray_DIM(y, 0)
        if self._labels_kept is None or cnp.PyArray_DIM(<ndarray>self._labels_kept, 0) != n:
            self._labels_kept = np.empty(n, dtype=self.dtype)
        labels = self._labels_kept
        if y.dtype != self.dtype and y.dtype.kind not in "biu":  # casting could make labels valid
            plain = self._check_labels(y)
            np.copyto(labels, y, casting="unsafe")
            return labels, plain
        np.copyto(labels, y, casting="unsafe")
        describe(labels, "y", precision, &array)
        if loss._labels != FL_LABELS_CLASSES and loss._labels != FL_LABELS_BOUNDED and (
            loss._labels != FL_LABELS_POSITIVE
        ) and find_invalid(&array, precision, n, FL_LABELS_BINARY) < 0:
            return labels, True
        return labels, self._check_labels(y)

    def _random_order(self, Py_ssize_t n):
        """A permutation of n rows; the generator goes on."""
        cdef ndarray order = self._rows_in_order(n)
        cdef uint64_t random = self._state["random"]
        cdef int64_t* rows = <int64_t*>cnp.PyArray_DATA(order)
        with nogil:
            kernels().sgd.permute(rows, n, &random)
        self._state["random"] = int(random)
        return order

    def _check_labels(self, ndarray y):
        """Whether all are 0 or 1; an error for the first outside the loss's domain."""
        cdef PointwiseLoss loss = self.loss_function
        cdef int precision = FL_F64 if self.dtype == np.float64 else FL_F32
        cdef FlArray array
        cdef Py_ssize_t n = cnp.PyArray_DIM(y, 0)
        loss._check_labels(y, precision)
        describe(y, "y", precision, &array)
        return find_invalid(&array, precision, n, FL_LABELS_BINARY) < 0

    def _matrix(self, X):
        """X as an array of its own dtype, or CSR arrays of this one; and its number of rows."""
        cdef ndarray array
        if hasattr(X, "indptr") or hasattr(X, "tocsr"):
            matrix = checked_csr(X, self.dtype)
            n, d = matrix[3:]
        else:
            array = as_values(X, "X")
            if cnp.PyArray_NDIM(array) != 2:
                raise ValueError(
                    f"X has shape {(<object>array).shape}: expected (n, {self.n_features})"
                )
            n, d = (<object>array).shape
            matrix = array
        if d != self.n_features:
            raise ValueError(f"X has shape ({n}, {d}): expected (n, {self.n_features})")
        return matrix, n

    def _values(self, values, argument, n):
        """Numbers of n rows as an array of their own dtype."""
        cdef ndarray array = as_values(values, argument)
        if (<object>array).shape != (n,):
            raise ValueError(f"{argument} has shape {(<object>array).shape}: expected ({n},)")
        return array

    def _weight_sum(self, ndarray weight, threads):
        """The sum of the weights; an error if one is negative or not finite."""
        cdef int precision = FL_F64 if self.dtype == np.float64 else FL_F32
        return sum_weights(weight, "sample_weight", precision, threads)

    def _threads(self, n_threads, Py_ssize_t work):
        return thread_count(n_threads, work)

    cdef int _begin_schedule(self, Schedule* schedule) except -1:
        cdef dict state = self._state, settings = self._settings
        schedule.kind = _KINDS[settings["learning_rate"]]
        schedule.eta0 = settings["eta0"]
        schedule.power_t = settings["power_t"]
        schedule.alpha = settings["alpha"]
        schedule.optimal_init = settings["optimal_init"]
        schedule.l1 = settings["l1"]
        schedule.l2 = settings["l2"]
        schedule.fold_below = 1e-9 if self.dtype == np.float64 else 1e-6
        if settings["average"]:  # what the averages owe to the scale cancels digit by digit
            schedule.fold_below = 0.5
        schedule.average_from = settings["average"] if settings["average"] else INFINITY
        schedule.t = state["t"]
        schedule.eta = state["eta"]
        schedule.scale = state["scale"]
        schedule.sums = state["sums"]
        schedule.penalty = state["penalty"]
        return 0

    cdef int _end_schedule(self, const Schedule* schedule) except -1:
        cdef dict state = self._state
        state["t"] = schedule.t
        state["eta"] = schedule.eta
        state["scale"] = schedule.scale
        state["sums"] = schedule.sums
        state["penalty"] = schedule.penalty
        return 0

    def _fold(self):
        """Coefficients as they are: nothing pending, of scale 1."""
        cdef dict state = self._state
        if state["pending"]:
            state["coef"] = self._with_pending(state)
            state["pending"] = False
        if state["average"] is not None and state["sums"] != 0:
            state["average"] += state["sums"] * state["coef"].astype(np.float64)
        if state["scale"] != 1:
            state["coef"] = (state["coef"] * state["scale"]).astype(self.dtype)
        state["scale"], state["sums"] = 1.0, 0.0

    def _own_outputs(self, RowLoss loss):
        """How many outputs a loss has by itself, None where it may have any number."""
        if loss._composite or loss._labels not in (
            LABELS_CLASS_OR_SOFT, FL_ROW_CLASS, FL_ROW_VALUE
        ):
            raise TypeError(f"loss = {loss!r}: expected a loss of class labels or of numbers")
        if loss.n_outputs is None and loss._class_weight is not None:
            return len(loss._class_weight)
        return loss.n_outputs

    def _row_labels(self, ndarray y):
        """What a loss of several outputs takes: classes, -1 where ignored; or numbers of this dtype."""
        cdef RowLoss loss = self.loss_function
        name = type(loss).__name__
        if loss._labels == FL_ROW_VALUE:
            wrong = np.flatnonzero(~np.isfinite(np.asarray(y, dtype=np.float64)))
            if wrong.size:
                raise ValueError(f"y[{wrong[0]}] = {y[wrong[0]]}: {name} expects finite numbers")
            return np.require(y, self.dtype, ["C", "A"]), None
        last = self.n_outputs - 1 + loss._extra_classes
        classes, is_class = whole_classes(y, last + 1)
        ignored = np.zeros(classes.shape, bool)
        if loss._ignore_index is not None:
            ignored = np.asarray(y == loss._ignore_index)
        wrong = np.flatnonzero(~is_class & ~ignored)
        if wrong.size:
            i = wrong[0]
            raise ValueError(f"y[{i}] = {y[i]}: {name} expects class labels 0 to {last}")
        classes[ignored] = -1
        return None, classes

    def _class_count(self, RowLoss loss, n_outputs):
        """How many classes a loss of so many outputs tells apart."""
        return n_outputs + loss._extra_classes

    def _mean_weight(self):
        """The loss's own class weights if its mean divides by them, else None."""
        if not isinstance(self.loss_function, RowLoss):
            return None
        return (<RowLoss>self.loss_function)._class_weight if (
            (<RowLoss>self.loss_function)._weighted_mean
        ) else None

    def _run_batches(self, X, y, classes, weight, class_weight, ndarray order, threads):
        """As _run_samples, a step for every `batch_size` of them."""
        cdef BatchJob job
        cdef BatchBuffers unused
        cdef PointwiseLoss pointwise
        cdef RowLoss rows
        cdef PointwiseJob parameters
        cdef char* start
        cdef OptimizerJob optimizer
        cdef dict state, settings = self._settings
        cdef Py_ssize_t at = 0, end, step, d = self.n_features, n_chunks, shared
        cdef int precision = FL_F64 if self.dtype == np.float64 else FL_F32
        cdef int n_threads = threads
        cdef char* memory
        cdef ndarray losses = np.zeros(self.n_outputs)
        self._fold()
        state = self._state
        memset(&job, 0, sizeof(BatchJob))
        length = state["coef"].shape[1]
        job.kernels = kernels().sgd
        job.linear = kernels().linear
        job.precision = precision
        job.coef_stride = length
        job.n_outputs = self.n_outputs
        _tail = _describe_x(&job.x, X, precision, job.coef_stride)
        if job.x.sparse:
            n_threads = 1
        self._begin_schedule(&job.schedule)
        job.of_rows = isinstance(self.loss_function, RowLoss)
        if job.of_rows:
            rows = self.loss_function
            job.rows.precision = precision
            job.rows.n_classes = self.n_outputs
            rows._fill_parameters(&job.rows, True)
        else:
            pointwise = self.loss_function
            pointwise._choose_kernel(FL_LOSS_GRADIENT, precision, &parameters)
            job.pointwise = parameters.function
            job.params = parameters.params
            job.table = parameters.table
            job.one_hot = classes is not None
        job.y = <const char*>data_of(y)
        job.classes = <const int64_t*>data_of(classes)
        job.weight = <const double*>data_of(weight)
        job.class_weight = <const double*>data_of(class_weight)
        job.order = <const int64_t*>cnp.PyArray_DATA(order)
        job.n_order = cnp.PyArray_DIM(order, 0)
        job.batch_size = min(settings["batch_size"], max(job.n_order, <Py_ssize_t>1))
        job.chunk_rows = CHUNK_BYTES // (job.coef_stride * job.x.item)
        job.chunk_rows = max(job.chunk_rows, <Py_ssize_t>LEAST_CHUNK_ROWS)
        job.chunk_rows = min(min(job.chunk_rows, <Py_ssize_t>MOST_CHUNK_ROWS), job.batch_size)
        job.raw_stride = (job.chunk_rows // FL_LINEAR_PAD + 2) * FL_LINEAR_PAD
        job.clip = settings["clip"]
        job.intercept_rate = settings["intercept_rate"]
        # coefficients and what belongs to them as the kernels read them
        held = {
            name: self._for_kernels(state.get(name), job.x.sparse)
            for name in (
                "coef", "received", "average", "velocity", "moment_0", "moment_1", "moment_2"
            )
        }
        job.n_coef = self.n_outputs * (d if job.x.sparse else length)
        total = np.zeros(job.n_coef + FL_SGD_PAD)
        job.coef = <char*>data_of(held["coef"])
        job.received = <double*>data_of(held["received"])
        job.average = <double*>data_of(held["average"])
        job.momentum.velocity = <double*>data_of(held["velocity"])
        job.momentum.momentum = settings["momentum"]
        job.momentum.l2 = settings["l2"]
        job.momentum.nesterov = settings["nesterov"]
        job.momentum.fresh = not state["has_velocity"]
        job.total = <double*>data_of(total)
        rule = self._optimizer
        if rule is not None:
            describe_optimizer(
                &optimizer, rule.coef._recipe, rule.intercept._recipe,
                job.x.sparse and rule.idles and job.average == NULL, state, held,
            )
            job.optimizer = &optimizer
        intercepts = np.zeros((2, self.n_outputs + FL_SGD_PAD))
        job.intercept_total = <double*>data_of(intercepts)
        job.narrow_intercept = <char*>(job.intercept_total + self.n_outputs + FL_SGD_PAD)
        job.intercept = <double*>data_of(state["intercept"])
        job.average_intercept = <double*>data_of(state["average_intercept"])
        job.intercept_velocity = <double*>data_of(state["intercept_velocity"])
        job.n_averaged = state["n_averaged"]
        job.losses = <double*>cnp.PyArray_DATA(losses)
        n_chunks = (job.batch_size + job.chunk_rows - 1) // job.chunk_rows
        n_chunks = min(n_chunks, <Py_ssize_t>(max(MOST_CHUNKS, n_threads) if n_threads > 1 else 1))
        job.n_chunks = n_chunks
        job.chunk_bytes = whole_lines(2 * job.n_outputs * 8)
        if not job.x.sparse:
            job.chunk_bytes += whole_lines((job.n_coef + FL_SGD_PAD) * job.x.item)
        job.scratch_bytes = divide_batch_scratch(&job, NULL, &unused)
        shared = whole_lines(8 * sizeof(double)) + 64
        # zeros: what stands behind a row's features is read, and sums begin there
        memory = <char*>calloc(
            shared + n_chunks * job.chunk_bytes + n_threads * job.scratch_bytes, 1
        )
        if memory == NULL:
            raise MemoryError
        start = <char*>((<uintptr_t>memory + 63) // 64 * 64)
        place_steps(&job.steps, <double*>start, 1)
        job.chunks = start + whole_lines(8 * sizeof(double))
        job.scratch = job.chunks + n_chunks * job.chunk_bytes
        if job.x.sparse:  # each step goes through all coefficients
            step = max(_row_entries(&job.x), <Py_ssize_t>64) * self.n_outputs * job.batch_size
            step = job.batch_size * max(SIGNAL_WORK // (job.n_coef + step), <Py_ssize_t>1)
        else:
            step = SIGNAL_WORK // (self.n_outputs * d) + 1
        try:
            while at < job.n_order:
                end = min(at + step, job.n_order)
                if rule is not None:
                    end = min(end, at + NUMBERS_AHEAD * job.batch_size)
                    count = (end - at + job.batch_size - 1) // job.batch_size
                    numbers = rule.numbers(optimizer.done, count, state["eta"])
                    optimizer.numbers = <const double*>data_of(numbers[0])
                    optimizer.intercept_numbers = <const double*>data_of(numbers[1])
                    optimizer.numbers_apart = FL_OPTIM_NUMBERS if rule.varies else 0
                with nogil:
                    at = _run_some_batches(&job, at, end, n_threads)
                PyErr_CheckSignals()
        finally:
            free(memory)
            self._end_schedule(&job.schedule)
            state["n_averaged"] = job.n_averaged
            state["has_velocity"] = not job.momentum.fresh
            if rule is not None:
                state["optimizer_steps"] = optimizer.done
                state["eta"] = rule.last_rate(optimizer.done, state["eta"])
            if job.x.sparse:
                for name, array in held.items():
                    if array is not None:
                        state[name][:, :d] = array[:d * self.n_outputs].reshape(d, -1).T
        return losses

    def _for_kernels(self, array, bint is_sparse):
        """An array of the state as it is, or by features and outputs with room for a vector."""
        if array is None or not is_sparse:
            return array
        d = self.n_features
        flat = np.zeros(d * self.n_outputs + FL_SGD_PAD, array.dtype)
        flat[:d * self.n_outputs] = array[:, :d].T.ravel()
        return flat

    def _run_samples(
        self, X, y, classes, weight, class_weight, ndarray order, plain, threads, replicas=1
    ):
        """
        One step a sample, in this order; returns the sums of the weighted losses by output.

        With several replicas, threads step at the same time for one output (see replicas.pxd), else for
        several outputs. Sparse rows know how, without averages and L1.
        X is an array or CSR arrays; y of this dtype or None, classes int64 or None, weights float64 or
        None, all of one value a row; the order int64.
        """
        cdef SampleJob job
        cdef PointwiseLoss loss = self.loss_function
        cdef dict state = self._state, settings = self._settings
        cdef Py_ssize_t at = 0, row_work, d = self.n_features
        cdef int precision = FL_F64 if self.dtype == np.float64 else FL_F32
        cdef int n_threads = threads, which
        cdef ReplicaJob shared
        cdef Py_ssize_t shared_bytes = 0
        cdef bint apart = replicas > 1
        cdef char* memory
        cdef ndarray losses = np.zeros(self.n_outputs), dots = np.zeros(self.n_outputs)
        cdef ndarray coef = state["coef"]
        memset(&job, 0, sizeof(SampleJob))
        job.kernels = kernels().sgd
        job.precision = precision
        job.coef_stride = cnp.PyArray_DIM(coef, 1)
        _tail = _describe_x(&job.x, X, precision, job.coef_stride)
        which = loss._which
        if job.x.sparse:
            job.run = kernels().sgd_losses[which].sparse[precision]
            job.after = job.kernels.sparse_after[precision]
        else:
            job.run = kernels().sgd_losses[which].dense[precision]
            job.after = job.kernels.dense_after[precision]
        loss._choose_kernel(FL_LOSS, precision, &job.loss)
        job.loss.contiguous = True
        job.loss.want_loss = True
        job.loss.scale = 1.0
        self._begin_schedule(&job.schedule)
        job.y = <const char*>data_of(y)
        job.classes = <const int64_t*>data_of(classes)
        job.weight = <const double*>data_of(weight)
        job.class_weight = <const double*>data_of(class_weight)
        job.plain_labels = plain
        job.order = <const int64_t*>cnp.PyArray_DATA(order)
        job.n_order = cnp.PyArray_DIM(order, 0)
        job.n_outputs = self.n_outputs
        job.run_length = RUN
        if job.n_outputs > 1 or job.x.copied:
            job.run_length = max(RUN_BYTES // (job.coef_stride * job.x.item), <Py_ssize_t>16)
            job.run_length = min(job.run_length, <Py_ssize_t>RUN)
        row_work = self.n_outputs * (max(_row_entries(&job.x), <Py_ssize_t>64) if job.x.sparse else d)
        job.run_length = min(job.run_length, max(SIGNAL_WORK // row_work, <Py_ssize_t>1))
        # raw predictions, labels, weights; rates, or slopes and Hessians of a replica
        job.scratch_bytes = (6 if apart else 4) * RUN * 8
        if apart:
            memset(&shared, 0, sizeof(ReplicaJob))
            shared.job = &job
            shared.loss = job.loss
            loss._choose_kernel(FL_LOSS_GRADIENT_HESSIAN, precision, &shared.loss)
            shared.loss.has_gradient = shared.loss.has_hessian = True
            shared.n_replicas = replicas
            shared.row_entries = max(_row_entries(&job.x), <Py_ssize_t>1)
            shared.scratch_bytes = replica_scratch_bytes()
            shared_bytes = replica_bytes(&shared, n_threads)
        job.clip = settings["clip"]
        job.passive = _PASSIVE.get(settings["learning_rate"], 0)
        job.intercept_rate = settings["intercept_rate"]
        job.coef = <char*>cnp.PyArray_DATA(coef)
        job.intercept = <double*>data_of(state["intercept"])
        job.received = <double*>data_of(state["received"])
        job.average = <double*>data_of(state["average"])
        job.average_intercept = <double*>data_of(state["average_intercept"])
        job.n_averaged = state["n_averaged"]
        job.pending_row = <char*>data_of(state["pending_row"])
        job.pending_times = <double*>data_of(state["pending_times"])
        job.pending = state["pending"]
        job.dots = <double*>cnp.PyArray_DATA(dots)
        job.losses = <double*>cnp.PyArray_DATA(losses)
        memory = <char*>malloc(
            (6 * RUN + 1) * sizeof(double) + (RUN + FL_SGD_AHEAD) * 3 * 8
            + n_threads * job.scratch_bytes + shared_bytes
            + (job.x.copied * (job.run_length + 1) * job.coef_stride + FL_SGD_PAD) * job.x.item
        )
        if memory == NULL:
            raise MemoryError
        job.rows = <const void**>place_steps(&job.steps, <double*>memory, RUN)
        job.starts = <int64_t*>(job.rows + RUN + FL_SGD_AHEAD)
        job.ends = job.starts + RUN + FL_SGD_AHEAD
        job.scratch = <char*>(job.ends + RUN + FL_SGD_AHEAD)
        job.copies = job.scratch + n_threads * job.scratch_bytes
        if apart:
            place_replicas(&shared, job.copies)
        if job.pending and job.x.sparse:
            take_pending(&job)
        try:
            while at < job.n_order:
                with nogil:
                    if apart:
                        at = _run_some_stretches(&shared, at, row_work, n_threads)
                    else:
                        at = _run_some(&job, at, row_work, n_threads)
                PyErr_CheckSignals()
        finally:
            self._n_stretches = shared.n_stretches if apart else 0
            free(memory)
            self._end_schedule(&job.schedule)
            state["n_averaged"] = job.n_averaged
            state["pending"] = bool(job.pending)
        return losses

    def _is_finite(self):
        """Whether all coefficients and intercepts are."""
        cdef ndarray coef = self._state["coef"]
        cdef int precision = FL_F64 if self.dtype == np.float64 else FL_F32
        if self._state["pending"]:
            coef = self._with_pending(self._state)
        return bool(
            kernels().sgd.finite[precision](cnp.PyArray_DATA(coef), cnp.PyArray_SIZE(coef))
        ) and bool(np.isfinite(self._state["intercept"]).all())
