/* What the C core offers, and nothing of how: one table of functions per instruction set.
 *
 * Plain C without Python.h. Pure functions over blocks of numbers; no mutable state. Sizes and
 * strides are ptrdiff_t. Index [FL_F64] or [FL_F32] picks the precision.
 */
#ifndef FL_KERNELS_H
#define FL_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "linear/linear.h"
#include "multiclass/cross_entropy.h"
#include "sgd/sgd.h"

enum { FL_F64, FL_F32, FL_N_PRECISIONS };

enum {
    FL_LOSS,
    FL_GRADIENT,
    FL_LOSS_GRADIENT,
    FL_GRADIENT_HESSIAN,
    FL_LOSS_GRADIENT_HESSIAN,
    FL_N_OPERATIONS
};

/* label domains of losses.def */
enum {
    FL_LABELS_FINITE,
    FL_LABELS_NONNEGATIVE,
    FL_LABELS_POSITIVE,
    FL_LABELS_UNIT_INTERVAL,
    FL_LABELS_BINARY,
    FL_LABELS_ABOVE_MINUS_ONE,
    FL_LABELS_BOUNDED,
    FL_LABELS_CLASSES
};

/* every pointwise loss: FL_ID_<name> */
enum {
#define FL_POINTWISE(name, labels, link, stage) FL_ID_##name,
#include "losses.def"
#undef FL_POINTWISE
    FL_N_POINTWISE
};

/* the one-argument functions of vecmath.h: FL_UNARY_<name> */
enum {
#define FL_UNARY(name) FL_UNARY_##name,
#include "unary.def"
#undef FL_UNARY
    FL_N_UNARY
};

/* the inverse links of losses.def: one of the one-argument functions, or none */
enum {
    FL_LINK_IDENTITY = -1,
    FL_LINK_EXP = FL_UNARY_exp,
    FL_LINK_EXPIT = FL_UNARY_expit,
    FL_LINK_EXPIT_TWICE = FL_UNARY_expit_twice,
    FL_LINK_INVERSE_CLOGLOG = FL_UNARY_inverse_cloglog,
    FL_LINK_NORMAL_CDF = FL_UNARY_normal_cdf
};

/* Float64 partial sums of one block, its terms dealt round to as many lanes as two vectors have. */
#define FL_SUM_LANES 32
#define FL_MAX_PARAMS 16
/* Where FL_LABELS_BOUNDED finds its domain, set by the driver: labels are finite, at least the first and
 * not the second (NaN where none is excluded). */
#define FL_LEAST_LABEL 14
#define FL_EXCLUDED_LABEL 15
/* Where FL_LABELS_CLASSES finds its last class. */
#define FL_LAST_CLASS 15

/* One contiguous run of samples. A block may be handed over in pieces, if each but the last is a
 * multiple of FL_SUM_LANES long: the sums come out with the same bits. */
typedef struct {
    const void *y_true;         /* REAL[n] */
    const void *raw_prediction; /* REAL[n] */
    const void *sample_weight;  /* REAL[n], or NULL for ones */
    void *loss;                 /* REAL[n], or NULL where only the sum is wanted */
    void *gradient;             /* REAL[n]; may be raw_prediction itself */
    void *hessian;              /* REAL[n]; may be raw_prediction itself */
    const double *params;       /* FL_MAX_PARAMS of them, as the loss's header numbers them */
    const void *table;          /* REALs in place of params, for a STAGED_TABLE loss */
    double scale;               /* multiplies what is stored: 1, or 1 / (sum of weights) */
    double sums[FL_SUM_LANES];  /* in and out: sum of weight * loss, unscaled */
    int fresh;                  /* sums are out only and begin at 0 */
    ptrdiff_t following;        /* samples behind these in the same arrays, to be fetched ahead */
    int stream;                 /* outputs do not fit the cache: store around it */
    int invalid;                /* out: set where a label is outside the domain */
} FlPointwiseBlock;

typedef void (*FlPointwiseFn)(FlPointwiseBlock *block, ptrdiff_t n);

/* The kernels of one loss; the linker knows them as fl_pointwise_<loss>_<isa>. */
typedef struct {
    FlPointwiseFn run[FL_N_OPERATIONS][FL_N_PRECISIONS];
} FlPointwiseKernels;

#define FL_POINTWISE_TABLE_(name, isa) fl_pointwise_##name##_##isa
#define FL_POINTWISE_TABLE(name, isa) FL_POINTWISE_TABLE_(name, isa)

typedef void (*FlUnaryFn)(const void *x, void *out, ptrdiff_t n);

/* An array of any dtype, strides and byte order, read and written by flat (C-order) index. */
#define FL_MAX_DIMS 64
typedef struct {
    char *data;
    int dtype;       /* FL_DTYPE_* */
    int swapped;     /* other byte order than the machine's */
    int ndim;        /* after merging: axes of length 1 gone, contiguous axes joined */
    int contiguous;  /* native, aligned, and flat index i stands at data + i * itemsize */
    ptrdiff_t itemsize;
    ptrdiff_t shape[FL_MAX_DIMS], strides[FL_MAX_DIMS]; /* strides in bytes */
} FlArray;

enum {
    FL_DTYPE_BOOL,
    FL_DTYPE_INT8,
    FL_DTYPE_UINT8,
    FL_DTYPE_INT16,
    FL_DTYPE_UINT16,
    FL_DTYPE_INT32,
    FL_DTYPE_UINT32,
    FL_DTYPE_INT64,
    FL_DTYPE_UINT64,
    FL_DTYPE_FLOAT16,
    FL_DTYPE_FLOAT32,
    FL_DTYPE_FLOAT64
};

/* n elements from flat index start, converted to REAL. */
typedef void (*FlReadFn)(const FlArray *array, ptrdiff_t start, ptrdiff_t n, void *out);
/* n elements from flat index start as int64 labels; a value that is no integer of int64's range
 * becomes INT64_MIN. */
typedef void (*FlReadLabelsFn)(const FlArray *array, ptrdiff_t start, ptrdiff_t n, int64_t *out);
/* -1 in place of every label that is `ignored` or outside the classes; whether one of the latter was there. */
typedef int (*FlCheckLabelsFn)(int64_t *labels, ptrdiff_t n, int64_t n_classes, int has_ignored,
                               int64_t ignored);
/* Reads all unread labels of a block, if there are any. */
typedef void (*FlTakeLabelsFn)(FlRowBlock *block);
/* Adds how often each class, or unless `by_class` any of them, is among a block's unread labels; returns whether one
 * of these is invalid. */
typedef int (*FlCountLabelsFn)(const FlRowBlock *block, int by_class, int64_t *counts);
/* n REALs to flat index start of an array of that very dtype. */
typedef void (*FlWriteFn)(const FlArray *array, ptrdiff_t start, ptrdiff_t n, const void *values);
/* Adds REAL[n] to sums as FlPointwiseBlock does; returns 0 if one is negative, NaN or infinite. */
typedef int (*FlSumWeightsFn)(const void *weights, ptrdiff_t n, double sums[FL_SUM_LANES]);
/* The first i with x[i] outside the label domain, or -1. */
typedef ptrdiff_t (*FlFindInvalidFn)(const void *x, ptrdiff_t n, int labels);

/* every update of optimizers.def: FL_OPTIM_<name> */
enum {
#define FL_OPTIMIZER(name, variants) FL_OPTIM_##name,
#include "optimizers.def"
#undef FL_OPTIMIZER
    FL_N_OPTIMIZERS
};

/* Bits of FlOptimBlock.variant: what an update does besides. */
enum {
    FL_DECAY = 1,     /* of all but ftrl: the weight decay goes into the gradient */
    FL_SGD_MOMENTUM = 2,
    FL_SGD_NESTEROV = 4,
    FL_SGD_FIRST = 8, /* the buffer, whatever it holds, becomes the gradient itself */
    FL_ADAM_AMSGRAD = 2,
    FL_RMSPROP_CENTERED = 2,
    FL_RMSPROP_MOMENTUM = 4,
    FL_FTRL_REBASE = 1
};

#define FL_OPTIM_STATES 3
#define FL_OPTIM_NUMBERS 9

/* One run of parameters, contiguous, updated in place with their states. */
typedef struct {
    void *param;
    const void *grad;
    void *state[FL_OPTIM_STATES]; /* those that the variant has */
    const double *numbers; /* FL_OPTIM_NUMBERS of them, as the optimizer's header numbers them */
    int variant;
} FlOptimBlock;

typedef void (*FlOptimFn)(const FlOptimBlock *block, ptrdiff_t n);

/* The kernels of one optimizer; the linker knows them as fl_optim_<name>_<isa>. */
typedef struct {
    FlOptimFn step[FL_N_PRECISIONS];
} FlOptimKernels;

#define FL_OPTIM_TABLE_(name, isa) fl_optim_##name##_##isa
#define FL_OPTIM_TABLE(name, isa) FL_OPTIM_TABLE_(name, isa)

/* Adds the terms of REAL[n] to a norm: squares and sizes to the lanes; the largest size into lanes[0]. */
enum { FL_NORM_SQUARES, FL_NORM_SIZES, FL_NORM_LARGEST, FL_N_NORMS };
typedef void (*FlNormFn)(const void *x, ptrdiff_t n, double lanes[FL_SUM_LANES]);

typedef void (*FlRowFn)(FlRowBlock *block);
typedef void (*FlRelativeFn)(FlRowBlock *block, const FlRelative *relative);

/* The kernels of one row loss; the linker knows them as fl_row_<loss>_<isa>. */
typedef struct {
    FlRowFn run[FL_N_PRECISIONS];
    int takes_unread; /* labels; so does cross_entropy */
} FlRowKernels;

#define FL_ROW_TABLE_(name, isa) fl_row_##name##_##isa
#define FL_ROW_TABLE(name, isa) FL_ROW_TABLE_(name, isa)

typedef struct {
    const char *isa; /* "generic", "baseline", "v3", "v4", "neon" */
    int vector_bits;
    int fused_multiply_add;
    const FlPointwiseKernels *pointwise[FL_N_POINTWISE];
    FlUnaryFn unary[FL_N_UNARY][FL_N_PRECISIONS];
    void (*pow[FL_N_PRECISIONS])(const void *x, const void *y, void *out, ptrdiff_t n);
    FlReadFn read[FL_N_PRECISIONS];
    FlReadLabelsFn read_labels;
    FlCheckLabelsFn check_labels;
    FlTakeLabelsFn take_labels;
    FlCountLabelsFn count_labels;
    FlWriteFn write[FL_N_PRECISIONS];
    FlSumWeightsFn sum_weights[FL_N_PRECISIONS];
    double (*fold_sums)(const double sums[FL_SUM_LANES]);
    FlFindInvalidFn find_invalid[FL_N_PRECISIONS];
    FlNormFn norm[FL_N_NORMS][FL_N_PRECISIONS];
    const FlOptimKernels *optim[FL_N_OPTIMIZERS];
    FlRowFn cross_entropy[FL_N_PRECISIONS];
    FlRowFn softmax[FL_N_PRECISIONS];
    FlRelativeFn relatives[FL_N_PRECISIONS];
    const FlRowKernels *rows[FL_N_ROWS];
    const FlLinearKernels *linear;
    const FlSgdKernels *sgd;
    const FlSgdLoss *sgd_losses[FL_N_POINTWISE];
} FlKernels;

/* What losses.def says of a pointwise loss. */
typedef struct {
    const char *name;
    int labels, link;
} FlPointwiseInfo;

/* What rows.def says of a row loss. */
typedef struct {
    const char *name;
    int labels; /* FL_ROW_* */
} FlRowInfo;

extern const FlPointwiseInfo fl_pointwise_info[FL_N_POINTWISE];
extern const FlRowInfo fl_row_info[FL_N_ROWS];
extern const char *const fl_unary_names[FL_N_UNARY];

/* dispatch.c */
const FlKernels *fl_select_kernels(const char *requested, const char **problem);
int fl_available_isas(const char *names[], int capacity);

/* threads.c */
int fl_openmp_available(void);
int fl_may_thread(void);
int fl_thread_limit(void);
void fl_install_fork_guard(void);

/* arrays.c */
void fl_array_merge_axes(FlArray *array);
double fl_sum_pairwise(const double *x, ptrdiff_t n);

#endif
