/* Losses of several raw predictions a sample (a row of outputs): what one call of a kernel works on.
 *
 * The driver cuts the samples into blocks (some hundred rows each, fewer where a row is long), and
 * calls a kernel of FlKernels once per block. Every stride is in elements, may be negative, and is
 * free for every array. gradient or hessian may be raw_prediction itself (same address, same
 * strides); a partial overlap is not allowed, and neither is one between gradient and hessian.
 */
#ifndef FL_ROW_BLOCK_H
#define FL_ROW_BLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { FL_WANT_LOSS = 1, FL_WANT_GRADIENT = 2, FL_WANT_HESSIAN = 4 };

/* What stands for the label of a sample, by the rows of rows.def */
enum {
    FL_ROW_CLASS, /* a class: labels */
    FL_ROW_VALUE, /* a finite number: values */
    FL_ROW_TARGETS, /* a row of targets, finite and not negative */
    FL_ROW_LOG_TARGETS, /* a row of logarithms: finite or -inf */
    FL_ROW_SETS /* a row of classes, ended by the first -1 */
};

typedef struct {
    ptrdiff_t n_samples, n_classes; /* n_classes >= 1: outputs a sample */
    const void *raw_prediction; /* REAL */
    ptrdiff_t sample_stride, class_stride;

    /* [n_samples] in [0, n_classes) ([0, n_classes] for coral), or -1: ignored, everything is 0 */
    int64_t *labels;
    /* The caller's own, of unread_size bytes, where they follow each other: then `labels` is room for them, which a
     * kernel that takes them (FlRowKernels) need not use. None of the classes is `ignored`. */
    const void *unread;
    int unread_size; /* 4 or 8 */
    int has_ignored;
    int64_t ignored;
    const void *values; /* REAL[n_samples] */
    const void *targets; /* REAL; read where labels and values are NULL */
    ptrdiff_t target_sample_stride, target_class_stride;

    const void *sample_weight; /* REAL[n_samples], or NULL for ones */
    const void *class_weight; /* REAL[n_classes], or NULL for ones */
    double class_weight_sum; /* of class_weight; n_classes where it is NULL */
    double label_smoothing; /* in [0, 1] */
    const double *params; /* FL_ROW_MAX_PARAMS of them, as a loss's header numbers them */
    const void *per_output; /* REALs, a multiple of n_classes, as a loss's header says; or NULL */
    double scale; /* multiplies whatever is stored, not loss_sum */

    int wants; /* FL_WANT_* */
    int stream; /* the outputs do not fit the cache: store around it where that pays */
    void *loss; /* REAL[n_samples], or NULL where only loss_sum is wanted */
    void *gradient;
    ptrdiff_t gradient_sample_stride, gradient_class_stride;
    void *hessian;
    ptrdiff_t hessian_sample_stride, hessian_class_stride;

    void *scratch; /* as many bytes as the kernel asks for, 64-aligned, one per thread */
    double loss_sum; /* out, with FL_WANT_LOSS: sum of w * loss */
    int invalid; /* out: set where an unread label, a value or a target is outside its domain */
} FlRowBlock;

enum { FL_ROW_MAX_PARAMS = 8 };

/* every row loss but cross-entropy: FL_ROW_ID_<name> */
enum {
#define FL_ROW(name, labels) FL_ROW_ID_##name,
#include "rows.def"
#undef FL_ROW
    FL_N_ROWS
};

enum { FL_ROW_ROOM = 4 }; /* columns of each kernel's own, for every output */

/* The same for every precision and instruction set, so that a driver can allocate before it knows. */
static inline size_t fl_row_scratch_bytes(ptrdiff_t n_outputs)
{
    /* eight columns, and two pieces of rows with a line each (stream.h) */
    return (size_t)n_outputs * 64 * (4 + FL_ROW_ROOM) + ((size_t)n_outputs + 1) * 128;
}

#endif
