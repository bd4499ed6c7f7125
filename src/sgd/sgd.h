/* Plain stochastic gradient descent on a linear model of one output: a run of samples, one after another.
 *
 * The coefficients are w = scale * coef: to shrink them all is one multiplication. How they shrink does not
 * depend on the data, so that the driver knows the scales of a whole run beforehand:
 *
 *     raw = before * (coef . x) + intercept
 *     step = -rate * (the loss's derivative at raw, clipped)
 *     coef += step * inverse * x              inverse = 1 / (the scale after this sample's shrinking)
 *     intercept += step * intercept_rate
 */
#ifndef FL_SGD_H
#define FL_SGD_H

#include <stddef.h>
#include <stdint.h>

enum {
    FL_SGD_AHEAD = 25, /* a run's rows have so many more behind them, to be fetched ahead */
    FL_SGD_SHORT_ROW = 2048, /* bytes: of a shorter row all lines are fetched at once */
    FL_SGD_COPIED_ROW = 8192, /* bytes: two, and what is fetched, fit a first cache of 48 kB */
    FL_SGD_PASSIVE_1 = 1,
    FL_SGD_PASSIVE_2 = 2,
    FL_SGD_PAD = 16 /* coefficients have room for a multiple of it, 0 behind the features */
};

/* What may come after each step: L1 by cumulative penalty (Tsuruoka, Tsujii, Ananiadou 2009), and averages of
 * the coefficients (Bottou 2012), as lazy as the scale. With S the sum of the scales after each averaged step,
 * the sum of the averaged coefficients is S * coef + average.
 */
typedef struct {
    double *received; /* [n_features]: what L1 has added to each coefficient; NULL without L1 */
    double penalty; /* in and out: what L1 may have taken from any coefficient by now */
    const double *l1; /* [n]: what each step adds to it */
    double *average; /* [n_features], or NULL */
    const double *sums; /* [n + 1]: S before each step, and after the last */
    const double *after; /* [n]: the scale after each step */
    double average_intercept, n_averaged; /* in and out */
} FlSgdAfter;

/* Dense rows, from any feature of which a whole vector may be read on; the last of them stand elsewhere. */
typedef struct {
    const char *rows, *tail;
    ptrdiff_t row_bytes, tail_bytes; /* from one to the next */
    ptrdiff_t whole_rows; /* so many stand in rows */
} FlSgdRows;

static inline const char *fl_sgd_row(const FlSgdRows *x, int64_t i)
{
    return i < x->whole_rows ? x->rows + i * x->row_bytes
                             : x->tail + (i - x->whole_rows) * x->tail_bytes;
}

/* The schedule of a run. */
typedef struct {
    double *eta, *before, *inverse, *after, *l1; /* [n] */
    double *sums; /* [n + 1] */
} FlSgdSteps;

/* Rows are dense, rows[i] the REALs of row i, from which a whole vector may be read on from any feature; or
 * sparse: row i has the entries starts[i] to ends[i] of data and indices. */
typedef struct {
    ptrdiff_t n, n_features;
    const void *const *rows; /* [n + FL_SGD_AHEAD] */
    const int64_t *starts, *ends; /* [n + FL_SGD_AHEAD] */
    const void *data, *indices;
    int wide_indices;
    /* Places of indptr that a later run looks up: one is fetched with each row of this run, n_later at most. */
    const int64_t *indptr, *later;
    ptrdiff_t n_later;
    const void *y_true; /* REAL[n] */
    const double *before, *inverse, *rate; /* [n] */
    int passive; /* FL_SGD_PASSIVE_*: rate is a factor of passive-aggressive steps; or 0 */
    double most; /* of those, C */
    double clip; /* the derivative's largest size; INFINITY for any */
    /* Of dense rows. A step joins the dot product that is already known of the next row: where none is, the last
     * step stays pending until there is one, so that a stream of parts has the bits of the whole. */
    const void *pending_row; /* [n_features], of a step that is not yet taken; or NULL */
    double pending_times; /* in and out */
    double dot; /* in and out: coef . rows[0], unless a step is pending or it is not known */
    int has_dot;
    int is_last; /* rows[n] is no row: leave the last step pending */
    double intercept, intercept_rate;
    int forget; /* of the first sample's step: the coefficients shrink to 0 */
    void *coef; /* REAL */
    void *raw; /* REAL[n], written */
    const double *params;
    const void *table;
    int plain_labels; /* y_true is 0 or 1 */
    FlSgdAfter *more; /* or NULL */
    /* of FlSgdKernels: comes after sample i, whose row was added so many times */
    void (*after)(void *run, ptrdiff_t i, double times);
} FlSgdRun;

typedef void (*FlSgdFn)(FlSgdRun *run);

/* The kernels of one pointwise loss; the linker knows them as fl_sgd_<loss>_<isa>. */
typedef struct {
    FlSgdFn dense[2], sparse[2];
} FlSgdLoss;

typedef struct {
    double *velocity;
    double momentum, l2;
    int nesterov, fresh; /* fresh: the velocity becomes the gradient */
} FlSgdMomentum;

typedef void (*FlSgdAfterFn)(void *run, ptrdiff_t i, double times);

/* What does not depend on the loss; the linker knows it as fl_sgd_<isa>. */
typedef struct {
    FlSgdAfterFn dense_after[2], sparse_after[2];
    /* squares[j] += step * x_ij^2 of every step-th of n sparse rows from `first` on; returns all of these together. */
    double (*squares[2])(const FlSgdRun *run, ptrdiff_t first, ptrdiff_t n, ptrdiff_t step,
                         float *squares);
    /* n coefficients take up what replicas have learnt: each becomes the mean of the m that have moved from it. further
     * becomes what is to be added for coef[j] + moved * (1 + c) / (1 + m c), where moved is by how much they have
     * together, and c = times * (the sum of all squares)[j]; or only part[j] of it, which falls where the mean goes back
     * from what was added last, way * further. */
    void (*meet[2])(void *coef, const void *replicas, ptrdiff_t replica_bytes, const float *squares,
                    ptrdiff_t squares_stride, ptrdiff_t n_replicas, double times, void *further,
                    float *part, double way, ptrdiff_t n);
    /* The dot products of entries start to end with two vectors. */
    void (*dot_both[2])(const FlSgdRun *run, ptrdiff_t start, ptrdiff_t end, const void *one,
                        const void *other, double *dots);
    /* The rates 1 / (alpha * (init + t - 1)) of n steps from t on. */
    void (*optimal)(double *eta, ptrdiff_t n, double alpha, double init, double t);
    /* Scales from the rates, the first of which is `scale`. Returns of how many steps: to one whose scale is below
     * `least`, or before one that would leave nothing. */
    ptrdiff_t (*scales)(const FlSgdSteps *steps, ptrdiff_t n, double scale, double l2,
                        double least);
    /* coef *= scale, and average += sum * coef before that if there is one */
    void (*fold[2])(void *coef, ptrdiff_t n, double scale, double *average, double sum);
    /* coef += times * x */
    void (*add[2])(void *coef, const void *x, double times, ptrdiff_t n);
    /* n rows of n_bytes to where they stand one after the other, `stride` bytes each; so many are left of their
     * order, the next of which are fetched. */
    void (*gather)(const FlSgdRows *rows, const int64_t *order, ptrdiff_t n, ptrdiff_t left,
                   ptrdiff_t n_bytes, void *out, ptrdiff_t stride);
    /* The same of a number for each row. */
    void (*take[2])(const void *values, const int64_t *order, ptrdiff_t n, ptrdiff_t left,
                    void *out);
    /* A step of many samples: coef = shrink * coef - eta * sums; with a velocity, momentum as torch.optim.SGD has
     * it, where l2 * coef joins the sums. */
    void (*step[2])(void *coef, const double *sums, ptrdiff_t n, double shrink, double eta,
                    const FlSgdMomentum *momentum);
    /* coef[k] = shrink * coef[k] - eta * factor[k * stride] * x */
    void (*outer[2])(void *coef, ptrdiff_t coef_stride, ptrdiff_t n_outputs, const void *x,
                     ptrdiff_t n, const void *factor, ptrdiff_t stride, double shrink, double eta);
    /* average += coef, then L1's part of all coefficients; either may be NULL */
    void (*after_step[2])(void *coef, ptrdiff_t n, double *average, double *received,
                          double penalty);
    /* Losses and derivatives of a block become what they count: sum of weight * loss, and
     * gradient = clipped * weight * scale; n samples by outputs. Without weights, which are then 1,
     * samples stand one after the other. */
    double (*weigh[2])(const void *loss, const double *weight, void *gradient, ptrdiff_t n,
                       ptrdiff_t n_outputs, ptrdiff_t sample_stride, ptrdiff_t output_stride,
                       double scale, double clip);
    /* A random order of n numbers, in place; the generator's state goes on. The same on every platform. */
    void (*permute)(int64_t *order, ptrdiff_t n, uint64_t *state);
    /* whether all are finite */
    int (*finite[2])(const void *x, ptrdiff_t n);
} FlSgdKernels;

#define FL_SGD_LOSS_TABLE_(name, isa) fl_sgd_##name##_##isa
#define FL_SGD_LOSS_TABLE(name, isa) FL_SGD_LOSS_TABLE_(name, isa)
#define FL_SGD_TABLE_(isa) fl_sgd_##isa
#define FL_SGD_TABLE(isa) FL_SGD_TABLE_(isa)

#endif
