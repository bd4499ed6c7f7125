/* A chunk of samples with hard labels between the steps of hard_tile.h, hard_row.h and relatives.h; and what may
 * be added to logits class by class.
 *
 * Included once per precision, after softmax.h.
 */
struct FN(FlRuns);

/* Whether what E was rounded by is picked among the classes': of more of them its exponential is computed again. */
FL_INLINE int FN(fl_picks_low)(ptrdiff_t n_classes)
{
    return n_classes <= 8;
}

typedef struct {
    struct FN(FlRuns) * runs; /* that move while the sums are computed, or NULL */
    /* what is fetched meanwhile, a few lines a tile: memory sends them no faster, and would have what is loaded next
     * wait for all of them */
    const REAL *ahead;
    ptrdiff_t n_ahead;
    int has_outer; /* of relatives.h: whether there is `outer` */
    FL_ALIGNED INT label[FL_CLASS_CHUNK_ROWS]; /* -1: ignored */
    FL_ALIGNED REAL magic[FL_CLASS_CHUNK_ROWS]; /* how exponentials are scaled: softmax_scale() */
    FL_ALIGNED REAL own[FL_CLASS_CHUNK_ROWS]; /* E */
    FL_ALIGNED REAL others[FL_CLASS_CHUNK_ROWS], low[FL_CLASS_CHUNK_ROWS]; /* S */
    FL_ALIGNED REAL factor[FL_CLASS_CHUNK_ROWS], factor_low[FL_CLASS_CHUNK_ROWS];
    /* of relatives.h alone: the logit at the label; what E was rounded by, known of fl_picks_low() from the sums on;
     * the loss; one more factor; the gradient at the label */
    FL_ALIGNED REAL raw[FL_CLASS_CHUNK_ROWS], own_low[FL_CLASS_CHUNK_ROWS];
    FL_ALIGNED REAL loss[FL_CLASS_CHUNK_ROWS];
    FL_ALIGNED REAL outer[FL_CLASS_CHUNK_ROWS], at_label[FL_CLASS_CHUNK_ROWS];
    FL_ALIGNED REAL max[FL_CLASS_CHUNK_ROWS]; /* of both: the largest logit */
    /* of smooth.h alone: the sum of all distances from that; what is subtracted but at the label */
    FL_ALIGNED REAL distance[FL_CLASS_CHUNK_ROWS];
    FL_ALIGNED REAL even[FL_CLASS_CHUNK_ROWS], even_low[FL_CLASS_CHUNK_ROWS];
} FN(FlHard);

/* Of each class: what is added to its logit, at most 0 and not so low that e^-shift overflows with the rest; and
 * the exponential of that, which the exponential of the logit itself is multiplied by. So the sum
 * is never rounded. */
#ifndef FL_ADDED_KINDS
#define FL_ADDED_KINDS
/* A constant wherever it is passed, so that each kind is compiled for itself. */
enum {
    FL_ADDED_NOTHING,
    FL_ADDED_LITTLE, /* no shift is below -FL_LITTLE: scales and floors need not know it */
    FL_ADDED_ANY
};

/* How exponentials become gradients: a constant, too. */
enum {
    FL_SCALE_HARD, /* times a number and its rounding error, -S taking the label's place */
    FL_SCALE_LABEL, /* that, but the label has a value of its own */
    FL_SCALE_RELATED, /* likewise, and the others times one more number */
    FL_SCALE_SMOOTH /* times a number, less another one, both with their rounding errors; likewise */
};
#endif

/* e^-FL_DEPTH of the largest logit is this much nearer to that of the largest sum, and then as much lower. */
#undef FL_LITTLE
#if FL_BITS == 64
#define FL_LITTLE 70.0
#else
#define FL_LITTLE 8.0f
#endif

typedef struct {
    int kind;
    int picks; /* whether the logits at the labels are wanted: a constant, too, and so is */
    int measures; /* whether the distances from the largest logit are */
    const REAL *shift, *gain;
} FN(FlAdded);

FL_INLINE FN(FlAdded) FN(fl_added_from)(FN(FlAdded) added, ptrdiff_t k)
{
    if (added.kind != FL_ADDED_NOTHING) {
        added.shift += k;
        added.gain += k;
    }
    return added;
}
