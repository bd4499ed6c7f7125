/* Softmax cross-entropy: what one call works on.
 *
 * The driver cuts the samples into blocks (some hundred rows each, fewer where a row is long), and
 * calls a kernel of FlKernels once per block. Every stride is in elements, may be negative, and is
 * free for every array: three layouts have kernels of their own, the rest is gathered tile by tile.
 *
 *   class_stride == 1     (N, C) and its row slices
 *   sample_stride == 1    (N, C, H, W): samples of one n lie side by side
 *   anything else
 *
 * gradient or hessian may be raw_prediction itself (same address, same strides); a partial overlap
 * is not allowed, and neither is one between gradient and hessian.
 */
#ifndef FL_CROSS_ENTROPY_H
#define FL_CROSS_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

enum { FL_WANT_LOSS = 1, FL_WANT_GRADIENT = 2, FL_WANT_HESSIAN = 4 };

/* With q the target distribution, Q its sum, p the softmax and w the sample's weight:
 *
 *   loss       w * sum_k q_k * -log(p_k)
 *   gradient   w * (Q * p_k - q_k)
 *   hessian    w * Q * p_k * (1 - p_k)
 *   q_k        class_weight_k * ((1 - label_smoothing) * t_k + label_smoothing / n_classes)
 *
 * where t is the soft label, or one at the hard label. */
typedef struct {
    ptrdiff_t n_samples, n_classes; /* n_classes >= 1 */
    const void *raw_prediction;     /* REAL */
    ptrdiff_t sample_stride, class_stride;

    const int64_t *labels; /* [n_samples] in [0, n_classes), or -1: ignored, everything is 0 */
    const void *targets;   /* soft labels, REAL; read where labels == NULL */
    ptrdiff_t target_sample_stride, target_class_stride;

    const void *sample_weight; /* REAL[n_samples], or NULL for ones */
    const void *class_weight;  /* REAL[n_classes], or NULL for ones */
    double class_weight_sum;   /* of class_weight; n_classes where it is NULL */
    double label_smoothing;    /* in [0, 1] */
    double scale;              /* multiplies whatever is stored, not loss_sum */

    int wants;  /* FL_WANT_* */
    int stream; /* the outputs do not fit the cache: store around it where that pays */
    void *loss; /* REAL[n_samples], or NULL where only loss_sum is wanted */
    void *gradient;
    ptrdiff_t gradient_sample_stride, gradient_class_stride;
    void *hessian;
    ptrdiff_t hessian_sample_stride, hessian_class_stride;

    void *scratch; /* fl_cross_entropy_scratch_bytes(n_classes) bytes, 64-aligned, one per thread */
    double loss_sum; /* out, with FL_WANT_LOSS: sum of w * loss */
} FlCrossEntropyBlock;

/* The kernel softmax reads n_samples, n_classes, raw_prediction, stream and scratch with their
 * strides, and stores the probabilities into gradient. */

enum {
    FL_CLASS_CHUNK_ROWS = 128, /* samples that go through each step together */
    FL_CLASS_STAGE_BYTES = 1
        << 13, /* about so many bytes of their logits: a step's data stay in L1 */
    FL_CLASS_PANEL_BYTES = 1 << 18, /* a larger panel keeps its exponentials in the output */
    FL_CLASS_GROUP_BYTES = 1 << 14 /* rows of exponentials that are finished together */
};

/* The same for every precision and instruction set, so that a driver can allocate before it knows. */
static inline size_t fl_cross_entropy_scratch_bytes(ptrdiff_t n_classes)
{
    const size_t row = ((size_t)n_classes * sizeof(double) + 127) / 64 * 64;
    return (size_t)FL_CLASS_PANEL_BYTES + 3 * (row + FL_CLASS_GROUP_BYTES);
}

#endif
