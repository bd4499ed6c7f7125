/* Linear predictions of a block of rows of a matrix X, and gradients back to the coefficients.
 *
 * A driver takes some rows of X at a time, few enough to stay in the cache: forward makes their raw
 * predictions, a loss turns these into gradients, backward adds what they mean for every coefficient.
 * X is read from memory once.
 */
#ifndef FL_LINEAR_H
#define FL_LINEAR_H

#include <stddef.h>
#include <stdint.h>

enum {
    /* bytes: a block of shorter rows stays in the first cache, with the next one, which is fetched */
    FL_LINEAR_LONG_ROW = 1024,
    FL_LINEAR_ROWS = 8, /* rows that are computed together; raw has room for so many more */
    FL_LINEAR_PAD =
        16 /* coefficients and sums have room for a multiple of it, 0 behind the features */
};

/* Strides are in elements. Dense X stands in rows (column_stride 1: a whole vector may be read from the
 * last features of any row on, what stands behind them does not matter) or in columns (row_stride 1,
 * column_stride another).
 *
 *                      dense                              CSR
 *     coef, sums       [n_outputs][coef_stride]           [n_features][n_outputs]
 *     raw              [n_outputs][raw_stride]            [n_rows][n_outputs]
 *     sums             REAL                               double
 *
 * Of CSR, a vector may be read from the last output of any column on, of intercepts too, and may be written from the
 * last of any row of raw on.
 */
typedef struct {
    ptrdiff_t n_rows, n_features, n_outputs;
    const void *x; /* REAL */
    ptrdiff_t row_stride, column_stride;
    const void *data; /* REAL, the entries of all rows; entry e stands in column indices[e] */
    const void *indices; /* int32_t or int64_t */
    const int64_t *indptr; /* the entries of row i of the block: indptr[i] to indptr[i + 1] */
    const void *coef; /* REAL */
    ptrdiff_t coef_stride;
    const void *intercept; /* REAL[n_outputs] */
    void *raw; /* REAL: written by forward; backward finds gradients there */
    ptrdiff_t raw_stride;
    void *sums; /* added to by backward */
    double *intercept_sums; /* [n_outputs], added to by backward */
    const void *next; /* dense rows: where the next block stands, if it is to be fetched ahead */
    int no_way_back; /* forward alone reads the block, and fetches all of the next */
} FlLinearBlock;

typedef void (*FlLinearFn)(const FlLinearBlock *block);

/* One per instruction set; the linker knows it as fl_linear_<isa>. */
typedef struct {
    FlLinearFn dense_forward[2], dense_backward[2];
    FlLinearFn csr_forward[2][2], csr_backward[2][2]; /* [precision][64-bit indices] */
    /* total += sums, sums = 0 */
    void (*flush[2])(void *sums, ptrdiff_t n, double *total);
    void (*add[2])(void *x, const void *y, ptrdiff_t n); /* x += y */
    void (*multiply[2])(void *x, const void *y, ptrdiff_t n); /* x *= y */
    /* to[j * to_stride + i] = factor[i] * X[i, j], and factor itself behind the last feature */
    void (*scale_columns[2])(const FlLinearBlock *block, const void *factor, void *to,
                             ptrdiff_t to_stride);
    /* total += X' diag(factor) X, with a 1 behind each row of X: double [n_features + 1][stride] */
    void (*csr_gram[2][2])(const FlLinearBlock *block, const void *factor, double *total,
                           ptrdiff_t stride);
    /* the softmax Hessian's product: u_k = weight * p_k * (u_k - sum_l p_l u_l), by rows and classes */
    void (*softmax_product[2])(const void *p, void *u, const void *weight, ptrdiff_t n,
                               ptrdiff_t n_classes, ptrdiff_t row_stride, ptrdiff_t class_stride);
} FlLinearKernels;

#define FL_LINEAR_TABLE_(isa) fl_linear_##isa
#define FL_LINEAR_TABLE(isa) FL_LINEAR_TABLE_(isa)

#endif
