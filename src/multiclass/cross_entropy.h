/* Softmax cross-entropy: what a block of rows means to it. scratch is
 * fl_cross_entropy_scratch_bytes(n_classes) long. Three layouts have kernels of their own, the rest is
 * gathered tile by tile:
 *
 *   class_stride == 1     (N, C) and its row slices
 *   sample_stride == 1    (N, C, H, W): samples of one n lie side by side
 *   anything else
 */
#ifndef FL_CROSS_ENTROPY_H
#define FL_CROSS_ENTROPY_H

#include "rows/row_block.h"

/* With q the target distribution, Q its sum, p the softmax and w the sample's weight:
 *
 *   loss       w * sum_k q_k * -log(p_k)
 *   gradient   w * (Q * p_k - q_k)
 *   hessian    w * Q * p_k * (1 - p_k)
 *   q_k        class_weight_k * ((1 - label_smoothing) * t_k + label_smoothing / n_classes)
 *
 * where t is the soft label, or one at the hard label. */
typedef FlRowBlock FlCrossEntropyBlock;

/* A loss whose gradient is a multiple of the softmax but at the label: what its own unit says of it, so that it
 * can go the ways of the cross-entropy (multiclass/relatives.h). */
typedef struct {
    /* of n samples of an FlHard, whose sums are known, also those past n that fill a vector: the loss without its
     * weight; and with it (REAL[n], and its rounding errors) the gradient at the label, and the factors of the
     * others' exponentials, 0 for an ignored one */
    void (*settle)(const FlCrossEntropyBlock *block, ptrdiff_t n, void *chunk, const void *weight,
                   const void *weight_low);
    void (*rare)(FlCrossEntropyBlock *block); /* any samples, for those that are not usual */
    const void *shift, *gain; /* REAL[n_classes]: as FlAdded, or NULL */
    double least;             /* shift */
    int as_hard; /* the gradient at the label is minus the sum of the others': nothing but their factors counts */
    int outer; /* whether one more number multiplies the others' exponentials */
} FlRelative;

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
