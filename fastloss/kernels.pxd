# The C core as Cython sees it; src/kernels.h says what each thing means.
from libc.stdint cimport int64_t, uint64_t


cdef extern from "kernels.h" nogil:
    enum:
        FL_F64
        FL_F32
        FL_LOSS
        FL_GRADIENT
        FL_LOSS_GRADIENT
        FL_GRADIENT_HESSIAN
        FL_LOSS_GRADIENT_HESSIAN
        FL_N_OPERATIONS
        FL_LABELS_FINITE
        FL_LABELS_NONNEGATIVE
        FL_LABELS_POSITIVE
        FL_LABELS_UNIT_INTERVAL
        FL_LABELS_BINARY
        FL_LABELS_ABOVE_MINUS_ONE
        FL_LABELS_BOUNDED
        FL_LABELS_CLASSES
        FL_LINK_IDENTITY
        FL_LINK_EXP
        FL_LINK_EXPIT
        FL_N_POINTWISE
        FL_N_UNARY
        FL_MAX_DIMS
        FL_MAX_PARAMS
        FL_LEAST_LABEL
        FL_EXCLUDED_LABEL
        FL_LAST_CLASS
        FL_SUM_LANES
        FL_DTYPE_BOOL
        FL_DTYPE_INT8
        FL_DTYPE_UINT8
        FL_DTYPE_INT16
        FL_DTYPE_UINT16
        FL_DTYPE_INT32
        FL_DTYPE_UINT32
        FL_DTYPE_INT64
        FL_DTYPE_UINT64
        FL_DTYPE_FLOAT16
        FL_DTYPE_FLOAT32
        FL_DTYPE_FLOAT64

    ctypedef struct FlPointwiseBlock:
        const void* y_true
        const void* raw_prediction
        const void* sample_weight
        void* loss
        void* gradient
        void* hessian
        const double* params
        const void* table
        double scale
        double sums[32]
        int fresh
        Py_ssize_t following
        int stream
        int invalid

    ctypedef void (*FlPointwiseFn)(FlPointwiseBlock* block, Py_ssize_t n) noexcept nogil

    ctypedef struct FlPointwiseKernels:
        FlPointwiseFn run[5][2]

    ctypedef void (*FlUnaryFn)(const void* x, void* out, Py_ssize_t n) noexcept nogil
    ctypedef void (*FlBinaryFn)(const void* x, const void* y, void* out, Py_ssize_t n) noexcept nogil

    ctypedef struct FlArray:
        char* data
        int dtype
        int swapped
        int ndim
        int contiguous
        Py_ssize_t itemsize
        Py_ssize_t shape[64]
        Py_ssize_t strides[64]

    ctypedef void (*FlReadFn)(
        const FlArray* array, Py_ssize_t start, Py_ssize_t n, void* out
    ) noexcept nogil
    ctypedef int (*FlCheckLabelsFn)(
        int64_t* labels, Py_ssize_t n, int64_t n_classes, int has_ignored, int64_t ignored
    ) noexcept nogil
    ctypedef void (*FlReadLabelsFn)(
        const FlArray* array, Py_ssize_t start, Py_ssize_t n, int64_t* out
    ) noexcept nogil
    ctypedef void (*FlWriteFn)(
        const FlArray* array, Py_ssize_t start, Py_ssize_t n, const void* values
    ) noexcept nogil
    ctypedef int (*FlSumWeightsFn)(const void* weights, Py_ssize_t n, double* sums) noexcept nogil
    ctypedef Py_ssize_t (*FlFindInvalidFn)(
        const void* x, Py_ssize_t n, int labels
    ) noexcept nogil

    enum:
        FL_OPTIM_adagrad
        FL_OPTIM_adam
        FL_OPTIM_clamp
        FL_OPTIM_ftrl
        FL_OPTIM_rmsprop
        FL_OPTIM_scale
        FL_OPTIM_sgd
        FL_DECAY
        FL_SGD_MOMENTUM
        FL_SGD_NESTEROV
        FL_SGD_FIRST
        FL_ADAM_AMSGRAD
        FL_RMSPROP_CENTERED
        FL_RMSPROP_MOMENTUM
        FL_FTRL_REBASE
        FL_OPTIM_STATES
        FL_OPTIM_NUMBERS
        FL_NORM_SQUARES
        FL_NORM_SIZES
        FL_NORM_LARGEST

    ctypedef struct FlOptimBlock:
        void* param
        const void* grad
        void* state[3]
        const double* numbers
        int variant

    ctypedef void (*FlOptimFn)(const FlOptimBlock* block, Py_ssize_t n) noexcept nogil

    ctypedef struct FlOptimKernels:
        FlOptimFn step[2]

    ctypedef void (*FlNormFn)(const void* x, Py_ssize_t n, double* lanes) noexcept nogil

    enum:
        FL_WANT_LOSS
        FL_WANT_GRADIENT
        FL_WANT_HESSIAN

    enum:
        FL_ROW_CLASS
        FL_ROW_VALUE
        FL_ROW_TARGETS
        FL_ROW_LOG_TARGETS
        FL_ROW_SETS
        FL_ROW_MAX_PARAMS
        FL_N_ROWS

    ctypedef struct FlRowBlock:
        Py_ssize_t n_samples
        Py_ssize_t n_classes
        const void* raw_prediction
        Py_ssize_t sample_stride
        Py_ssize_t class_stride
        int64_t* labels
        const void* unread
        int unread_size
        int has_ignored
        int64_t ignored
        const void* values
        const void* targets
        Py_ssize_t target_sample_stride
        Py_ssize_t target_class_stride
        const void* sample_weight
        const void* class_weight
        double class_weight_sum
        double label_smoothing
        const double* params
        const void* per_output
        double scale
        int wants
        int stream
        void* loss
        void* gradient
        Py_ssize_t gradient_sample_stride
        Py_ssize_t gradient_class_stride
        void* hessian
        Py_ssize_t hessian_sample_stride
        Py_ssize_t hessian_class_stride
        void* scratch
        double loss_sum
        int invalid

    ctypedef void (*FlRowFn)(FlRowBlock* block) noexcept nogil
    ctypedef struct FlRelative:
        pass
    ctypedef void (*FlRelativeFn)(FlRowBlock* block, const FlRelative* relative) noexcept nogil

    ctypedef struct FlRowKernels:
        FlRowFn run[2]
        int takes_unread

    ctypedef struct FlRowInfo:
        const char* name
        int labels

    size_t fl_cross_entropy_scratch_bytes(Py_ssize_t n_classes)
    size_t fl_row_scratch_bytes(Py_ssize_t n_outputs)

    enum:
        FL_LINEAR_ROWS
        FL_LINEAR_PAD

    ctypedef struct FlLinearBlock:
        Py_ssize_t n_rows
        Py_ssize_t n_features
        Py_ssize_t n_outputs
        const void* x
        Py_ssize_t row_stride
        Py_ssize_t column_stride
        const void* data
        const void* indices
        const int64_t* indptr
        const void* coef
        Py_ssize_t coef_stride
        const void* intercept
        void* raw
        Py_ssize_t raw_stride
        void* sums
        double* intercept_sums
        const void* next
        int no_way_back

    ctypedef void (*FlLinearFn)(const FlLinearBlock* block) noexcept nogil

    ctypedef struct FlLinearKernels:
        FlLinearFn dense_forward[2]
        FlLinearFn dense_backward[2]
        FlLinearFn csr_forward[2][2]
        FlLinearFn csr_backward[2][2]
        void (*flush[2])(void* sums, Py_ssize_t n, double* total) noexcept nogil
        void (*add[2])(void* x, const void* y, Py_ssize_t n) noexcept nogil
        void (*multiply[2])(void* x, const void* y, Py_ssize_t n) noexcept nogil
        void (*scale_columns[2])(
            const FlLinearBlock* block, const void* factor, void* to, Py_ssize_t to_stride
        ) noexcept nogil
        void (*csr_gram[2][2])(
            const FlLinearBlock* block, const void* factor, double* total, Py_ssize_t stride
        ) noexcept nogil
        void (*softmax_product[2])(
            const void* p, void* u, const void* weight, Py_ssize_t n, Py_ssize_t n_classes,
            Py_ssize_t row_stride, Py_ssize_t class_stride
        ) noexcept nogil

    enum:
        FL_SGD_AHEAD
        FL_SGD_SHORT_ROW
        FL_SGD_PAD
        FL_SGD_PASSIVE_1
        FL_SGD_PASSIVE_2

    ctypedef struct FlSgdAfter:
        double* received
        double penalty
        const double* l1
        double* average
        const double* sums
        const double* after
        double average_intercept
        double n_averaged

    ctypedef void (*FlSgdAfterFn)(void* run, Py_ssize_t i, double times) noexcept nogil

    ctypedef struct FlSgdRows:
        const char* rows
        const char* tail
        Py_ssize_t row_bytes, tail_bytes
        Py_ssize_t whole_rows

    const char* fl_sgd_row(const FlSgdRows* x, int64_t i)

    ctypedef struct FlSgdSteps:
        double* eta
        double* before
        double* inverse
        double* after
        double* l1
        double* sums

    ctypedef struct FlSgdRun:
        Py_ssize_t n
        Py_ssize_t n_features
        const void** rows
        const int64_t* starts
        const int64_t* ends
        const void* data
        const void* indices
        int wide_indices
        const int64_t* indptr
        const int64_t* later
        Py_ssize_t n_later
        const void* y_true
        const double* before
        const double* inverse
        const double* rate
        int passive
        double most
        double clip
        const void* pending_row
        double pending_times
        double dot
        int has_dot
        int is_last
        double intercept
        double intercept_rate
        int forget
        void* coef
        void* raw
        const double* params
        const void* table
        int plain_labels
        FlSgdAfter* more
        FlSgdAfterFn after

    ctypedef void (*FlSgdFn)(FlSgdRun* run) noexcept nogil

    ctypedef struct FlSgdLoss:
        FlSgdFn dense[2]
        FlSgdFn sparse[2]

    ctypedef struct FlSgdMomentum:
        double* velocity
        double momentum
        double l2
        int nesterov
        int fresh

    ctypedef struct FlSgdKernels:
        FlSgdAfterFn dense_after[2]
        FlSgdAfterFn sparse_after[2]
        double (*squares[2])(
            const FlSgdRun* run, Py_ssize_t first, Py_ssize_t n, Py_ssize_t step, float* squares
        ) noexcept nogil
        void (*meet[2])(
            void* coef, const void* replicas, Py_ssize_t replica_bytes, const float* squares,
            Py_ssize_t squares_stride, Py_ssize_t n_replicas, double times, void* further,
            float* part, double way, Py_ssize_t n
        ) noexcept nogil
        void (*dot_both[2])(
            const FlSgdRun* run, Py_ssize_t start, Py_ssize_t end, const void* one,
            const void* other, double* dots
        ) noexcept nogil
        void (*optimal)(
            double* eta, Py_ssize_t n, double alpha, double init, double t
        ) noexcept nogil
        Py_ssize_t (*scales)(
            const FlSgdSteps* steps, Py_ssize_t n, double scale, double l2, double least
        ) noexcept nogil
        void (*fold[2])(
            void* coef, Py_ssize_t n, double scale, double* average, double sum
        ) noexcept nogil
        void (*add[2])(
            void* coef, const void* x, double times, Py_ssize_t n
        ) noexcept nogil
        void (*gather)(
            const FlSgdRows* rows, const int64_t* order, Py_ssize_t n, Py_ssize_t left,
            Py_ssize_t n_bytes, void* out, Py_ssize_t stride
        ) noexcept nogil
        void (*take[2])(
            const void* values, const int64_t* order, Py_ssize_t n, Py_ssize_t left, void* out
        ) noexcept nogil
        void (*step[2])(
            void* coef, const double* sums, Py_ssize_t n, double shrink, double eta,
            const FlSgdMomentum* momentum
        ) noexcept nogil
        void (*outer[2])(
            void* coef, Py_ssize_t coef_stride, Py_ssize_t n_outputs, const void* x, Py_ssize_t n,
            const void* factor, Py_ssize_t stride, double shrink, double eta
        ) noexcept nogil
        void (*after_step[2])(
            void* coef, Py_ssize_t n, double* average, double* received, double penalty
        ) noexcept nogil
        double (*weigh[2])(
            const void* loss, const double* weight, void* gradient, Py_ssize_t n,
            Py_ssize_t n_outputs, Py_ssize_t sample_stride, Py_ssize_t output_stride, double scale,
            double clip
        ) noexcept nogil
        void (*permute)(int64_t* order, Py_ssize_t n, uint64_t* state) noexcept nogil
        int (*finite[2])(const void* x, Py_ssize_t n) noexcept nogil

    ctypedef struct FlKernels:
        const char* isa
        int vector_bits
        int fused_multiply_add
        const FlPointwiseKernels* pointwise[1]  # FL_N_POINTWISE of them in C
        FlUnaryFn unary[1][2]                   # FL_N_UNARY rows in C
        FlBinaryFn pow[2]
        FlReadFn read[2]
        FlReadLabelsFn read_labels
        FlCheckLabelsFn check_labels
        int (*count_labels)(const FlRowBlock* block, int by_class, int64_t* counts) noexcept nogil
        FlWriteFn write[2]
        FlSumWeightsFn sum_weights[2]
        double (*fold_sums)(const double* sums) noexcept nogil
        FlFindInvalidFn find_invalid[2]
        FlNormFn norm[3][2]
        const FlOptimKernels* optim[1]          # FL_N_OPTIMIZERS of them in C
        FlRowFn cross_entropy[2]
        FlRowFn softmax[2]
        FlRelativeFn relatives[2]
        const FlRowKernels* rows[1]             # FL_N_ROWS of them in C
        const FlLinearKernels* linear
        const FlSgdKernels* sgd
        const FlSgdLoss* sgd_losses[1]          # FL_N_POINTWISE of them in C

    ctypedef struct FlPointwiseInfo:
        const char* name
        int labels
        int link

    const FlPointwiseInfo fl_pointwise_info[1]
    const FlRowInfo fl_row_info[1]
    const char* fl_unary_names[1]

    const FlKernels* fl_select_kernels(const char* requested, const char** problem)
    int fl_available_isas(const char** names, int capacity)
    int fl_openmp_available()
    int fl_may_thread()
    int fl_thread_limit()
    void fl_install_fork_guard()
    void fl_array_merge_axes(FlArray* array)
    double fl_sum_pairwise(const double* x, Py_ssize_t n)
