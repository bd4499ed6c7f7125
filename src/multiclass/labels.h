/* The target distribution of a run of samples: looked up before the vectors start, and what becomes of it
 * once the exponentials of a vector of samples are summed.
 *
 * Included once per precision, after softmax.h.
 */
#ifndef FL_TARGET_KINDS
#define FL_TARGET_KINDS
/* How q is made. A constant wherever it is passed, so that each kind is compiled for itself. */
enum {
    FL_TARGET_HARD,   /* one at the label; the class weight is part of the sample's */
    FL_TARGET_SMOOTH, /* a label, and class_weight * label_smoothing / n_classes everywhere */
    FL_TARGET_SOFT,   /* an array */
    FL_TARGET_NONE    /* no target: the "gradient" is the softmax itself */
};
#define FL_HAS_LABEL(kind) ((kind) == FL_TARGET_HARD || (kind) == FL_TARGET_SMOOTH)
#define FL_HAS_Q(kind) ((kind) == FL_TARGET_SMOOTH || (kind) == FL_TARGET_SOFT)
#endif

/* Weights times scale outside this range (the lower end times the number of classes) must not meet the
 * lifted 1 / (A + S). */
#undef FL_WEIGHT_LEAST
#undef FL_WEIGHT_MOST
#if FL_BITS == 64
#define FL_WEIGHT_LEAST 0x1p-600
#define FL_WEIGHT_MOST 0x1p200
#else
#define FL_WEIGHT_LEAST 0x1p-42f
#define FL_WEIGHT_MOST 0x1p30f
#endif

/* A chunk of samples. The last vector may be read beyond the samples: its lanes hold zeros there. */
typedef struct {
    FL_ALIGNED REAL raw[FL_CLASS_CHUNK_ROWS];      /* raw_prediction at the label */
    FL_ALIGNED REAL weight[FL_CLASS_CHUNK_ROWS];   /* for FL_TARGET_HARD times class_weight */
    FL_ALIGNED REAL scaled[FL_CLASS_CHUNK_ROWS];   /* weight * scale */
    FL_ALIGNED REAL kept[FL_CLASS_CHUNK_ROWS];     /* q at the label without the smoothing term */
    FL_ALIGNED REAL at_label[FL_CLASS_CHUNK_ROWS]; /* q at the label */
    FL_ALIGNED REAL total[FL_CLASS_CHUNK_ROWS];    /* Q */
    ptrdiff_t label[FL_CLASS_CHUNK_ROWS];          /* 0 where ignored */
    unsigned char ignored[FL_CLASS_CHUNK_ROWS];
    int any_ignored;
    int extreme; /* some weight is outside the range above */
} FN(FlLabels);

FL_INLINE void FN(fl_read_class_weights)(const FlCrossEntropyBlock *block, int kind, ptrdiff_t start,
                                        ptrdiff_t n, FN(FlLabels) *labels)
{
    const REAL *sample_weight = block->sample_weight, *class_weight = block->class_weight;
    const REAL scale = (REAL)block->scale;
    if (sample_weight)
        memcpy(labels->weight, sample_weight + start, (size_t)n * sizeof(REAL));
    else
        for (ptrdiff_t i = 0; i < n; i++)
            labels->weight[i] = R(1.0);
    labels->any_ignored = 0;
    if (FL_HAS_LABEL(kind)) {
        int64_t smallest = 0;
        for (ptrdiff_t i = 0; i < n; i++) {
            const int64_t y = block->labels[start + i];
            smallest = y < smallest ? y : smallest;
            labels->ignored[i] = y < 0;
            labels->label[i] = y < 0 ? 0 : (ptrdiff_t)y;
        }
        labels->any_ignored = smallest < 0;
    }
    if (kind == FL_TARGET_HARD && class_weight)
        for (ptrdiff_t i = 0; i < n; i++)
            labels->weight[i] *= class_weight[labels->label[i]];
    if (kind == FL_TARGET_SMOOTH) {
        const double keep = 1.0 - block->label_smoothing;
        const double floor = block->label_smoothing / (double)block->n_classes;
        for (ptrdiff_t i = 0; i < n; i++) {
            const double w = class_weight ? (double)class_weight[labels->label[i]] : 1.0;
            labels->kept[i] = (REAL)(w * keep);
            labels->at_label[i] = (REAL)(w * (keep + floor));
            labels->total[i] = (REAL)(w * keep + floor * block->class_weight_sum);
        }
    }
    const REAL least = FL_WEIGHT_LEAST * (REAL)block->n_classes;
    int extreme = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const REAL w = labels->weight[i] * scale;
        labels->scaled[i] = w;
        extreme |= (w != R(0.0)) & ((w < least) | (w > FL_WEIGHT_MOST));
    }
    labels->extreme = extreme;
    for (ptrdiff_t i = n; i < FL_CLASS_CHUNK_ROWS && i % LANES; i++) {
        labels->weight[i] = labels->scaled[i] = R(0.0);
        labels->kept[i] = labels->at_label[i] = labels->total[i] = R(0.0);
        labels->label[i] = 0;
        labels->ignored[i] = 0;
    }
}

/* The same and the logits at the labels. */
FL_INLINE void FN(fl_read_class_labels)(const FlCrossEntropyBlock *block, int kind, ptrdiff_t start,
                                        ptrdiff_t n, FN(FlLabels) *labels)
{
    const REAL *raw = (const REAL *)block->raw_prediction + start * block->sample_stride;
    FN(fl_read_class_weights)(block, kind, start, n, labels);
    if (!FL_HAS_LABEL(kind))
        return;
    for (ptrdiff_t i = 0; i < n; i++)
        labels->raw[i] = raw[i * block->sample_stride + labels->label[i] * block->class_stride];
    for (ptrdiff_t i = n; i < FL_CLASS_CHUNK_ROWS && i % LANES; i++)
        labels->raw[i] = R(0.0);
}

/* q of one class for a vector of samples (w and t are the class's weight and their soft labels), or of a
 * vector of classes for one sample. FL_TARGET_SMOOTH leaves out what stands at the label. */
FL_INLINE V FN(fl_target)(int kind, REAL keep, REAL floor, V w, V t)
{
    return kind == FL_TARGET_SOFT ? w * (t * keep + floor) : w * floor;
}

/* a vector of t, where there is one */
FL_INLINE V FN(fl_soft_label)(int kind, const REAL *t, ptrdiff_t offset)
{
    if (kind == FL_TARGET_SOFT)
        return vload(t + offset);
    return vsplat(R(1.0));
}

FL_INLINE V FN(fl_class_weights)(const REAL *class_weight, ptrdiff_t k)
{
    if (class_weight)
        return vload(class_weight + k);
    return vsplat(R(1.0));
}

/* q (max - f), where a class of no weight counts for nothing even at -inf */
FL_INLINE V FN(fl_target_loss)(V q, V max, V f)
{
    return vselect(q == R(0.0), vsplat(R(0.0)), q * (max - f));
}

/* Q p - q from e, without cancellation beyond that of Q and q themselves: where p is near 1 it is
 * (Q - q) - Q (1 - p). `others` is S + (A - e), `factor` Q / (A + S). */
FL_INLINE V FN(fl_target_gradient)(V e, V others, FN(FlFactor) factor, V total, V q)
{
    return vselect(e > others, (total - q) - FN(fl_times)(others, factor),
                   FN(fl_times)(e, factor) - q);
}

/* *sum += term, the rounding error kept aside (TwoSum) */
FL_INLINE void FN(fl_add_compensated)(V *sum, V *error, V term)
{
    const V total = *sum + term, kept = total - *sum;
    *error = *error + ((*sum - (total - kept)) + (term - kept));
    *sum = total;
}

/* A vector of samples whose exponentials are summed. */
typedef struct {
    V max, shift, floor, magic; /* softmax_shift */
    V top, rest;                /* A and S */
    V linear, total;            /* sum_k q_k (max - f_k) and Q; 0 and 1 without FL_HAS_Q */
} FN(FlSums);

/* w * loss of samples j, j + 1, ... of the chunk. */
FL_INLINE V FN(fl_class_loss)(int kind, const FN(FlSums) *s, const FN(FlLabels) *labels, ptrdiff_t j)
{
    const V log_sum = vlog1p(s->rest / s->top);
    const V weight = vload(labels->weight + j);
    V loss;
    if (kind == FL_TARGET_HARD)
        loss = (s->max - vload(labels->raw + j)) + log_sum;
    else {
        loss = s->linear + s->total * log_sum;
        if (kind == FL_TARGET_SMOOTH)
            loss = loss + FN(fl_target_loss)(vload(labels->kept + j), s->max, vload(labels->raw + j));
    }
    return weight * loss;
}

/* The gradient at the labels, as the classes' loops cannot give it. The exponential is computed once more;
 * where the label is the largest class it must cancel A exactly, whatever the compiler fused. */
FL_INLINE V FN(fl_gradient_at_label)(int kind, const FN(FlSums) *s, FN(FlFactor) inverse,
                                     const FN(FlLabels) *labels, ptrdiff_t j)
{
    const V raw = vload(labels->raw + j);
    const V e = vselect(raw == s->max, s->top, softmax_exp(raw - s->shift, s->floor, s->magic));
    const V others = s->rest + (s->top - e);
    const V scaled = vload(labels->scaled + j);
    if (kind == FL_TARGET_HARD)
        return -FN(fl_times)(others, inverse) * scaled;
    return FN(fl_target_gradient)(e, others, FN(fl_scale_factor)(inverse, s->total), s->total,
                                  vload(labels->at_label + j)) *
           scaled;
}

/* Losses of n <= LANES samples, from j on in a chunk that starts at sample `start`: summed and stored. */
FL_INLINE void FN(fl_keep_losses)(const FlCrossEntropyBlock *block, const FN(FlLabels) *labels,
                                  ptrdiff_t start, ptrdiff_t j, ptrdiff_t n, V loss, double sums[])
{
    REAL *out = block->loss;
    FL_ALIGNED REAL values[LANES];
    if (FL_LIKELY(n == LANES && !labels->any_ignored)) {
        vstore(values, loss);
        for (ptrdiff_t i = 0; i < LANES; i++)
            sums[i] += (double)values[i];
        if (out)
            vstore(out + start + j, loss * (REAL)block->scale);
        return;
    }
    vstore(values, loss);
    for (ptrdiff_t i = 0; i < n; i++) {
        const REAL value = labels->any_ignored && labels->ignored[j + i] ? R(0.0) : values[i];
        sums[i] += (double)value;
        if (out)
            out[start + j + i] = value * (REAL)block->scale;
    }
}

/* Zeros for the ignored samples of n, whatever was computed for them. */
FL_INLINE void FN(fl_clear_ignored)(const FN(FlLabels) *labels, ptrdiff_t n, ptrdiff_t n_classes,
                                    REAL *out, ptrdiff_t sample_stride, ptrdiff_t class_stride)
{
    for (ptrdiff_t i = 0; i < n; i++)
        if (labels->ignored[i])
            for (ptrdiff_t k = 0; k < n_classes; k++)
                out[i * sample_stride + k * class_stride] = R(0.0);
}
