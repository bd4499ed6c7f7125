/* The target distribution of a run of samples: looked up before the vectors start, and what follows once
 * the exponentials are summed.
 *
 * Included once per precision, after softmax.h.
 */
#ifndef FL_TARGET_KINDS
#define FL_TARGET_KINDS
/* How q is made. A constant wherever it is passed, so that each kind is compiled for itself. */
enum {
    FL_TARGET_HARD, /* one at the label; the class weight is part of the sample's */
    FL_TARGET_SMOOTH, /* a label, and class_weight * label_smoothing / n_classes everywhere */
    FL_TARGET_SOFT, /* an array */
    FL_TARGET_NONE /* no target: the "gradient" is the softmax itself */
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

/* A chunk of samples; the last vector may be read beyond them. */
typedef struct {
    FL_ALIGNED REAL raw[FL_CLASS_CHUNK_ROWS]; /* raw_prediction at the label */
    /* weight, for FL_TARGET_HARD times class_weight, and weight * scale; with their rounding errors */
    FL_ALIGNED REAL weight[FL_CLASS_CHUNK_ROWS], weight_low[FL_CLASS_CHUNK_ROWS];
    FL_ALIGNED REAL scaled[FL_CLASS_CHUNK_ROWS], scaled_low[FL_CLASS_CHUNK_ROWS];
    FL_ALIGNED REAL kept[FL_CLASS_CHUNK_ROWS]; /* q at the label without the smoothing term */
    FL_ALIGNED REAL at_label[FL_CLASS_CHUNK_ROWS]; /* q at the label */
    FL_ALIGNED REAL total[FL_CLASS_CHUNK_ROWS]; /* Q */
    FL_ALIGNED REAL number[FL_CLASS_CHUNK_ROWS]; /* the label itself, where classes are few */
    int64_t without_ignored[FL_CLASS_CHUNK_ROWS];
    const int64_t *label; /* those of the chunk, 0 for ignored ones */
    int any_ignored;
    int extreme; /* some weight is outside the range above */
} FN(FlLabels);

/* How many lanes a chunk of so many samples fills, at most FL_CLASS_CHUNK_ROWS. */
FL_INLINE ptrdiff_t FN(fl_chunk_lanes)(ptrdiff_t n)
{
    return n < FL_CLASS_CHUNK_ROWS ? (n + LANES - 1) / LANES * LANES : FL_CLASS_CHUNK_ROWS;
}

/* Before the first chunk of a block. */
FL_INLINE void FN(fl_begin_labels)(const FlCrossEntropyBlock *block, FN(FlLabels) * labels)
{
    const ptrdiff_t n = FN(fl_chunk_lanes)(block->n_samples);
    const REAL scale = (REAL)block->scale;
    for (ptrdiff_t i = 0; i < n; i++) {
        labels->raw[i] = labels->number[i] = labels->kept[i] = labels->at_label[i] =
            labels->total[i] = R(0.0);
        labels->weight[i] = R(1.0);
        labels->weight_low[i] = R(0.0);
        labels->scaled[i] = scale;
        labels->scaled_low[i] = (REAL)(block->scale - (double)scale);
    }
    labels->any_ignored = 0;
    labels->extreme =
        !(scale >= FL_WEIGHT_LEAST * (REAL)block->n_classes && scale <= FL_WEIGHT_MOST);
}

FL_OUTLINE void FN(fl_read_weights)(const FlCrossEntropyBlock *block, int kind, ptrdiff_t start,
                                    ptrdiff_t n, FN(FlLabels) * labels)
{
    const REAL *sample_weight = block->sample_weight, *class_weight = block->class_weight;
    const REAL least = FL_WEIGHT_LEAST * (REAL)block->n_classes;
    const V scale = vsplat((REAL)block->scale);
    const FN(FlFactor) by = {scale, vsplat((REAL)(block->scale - (double)(REAL)block->scale))};
    FL_ALIGNED REAL of_class[FL_CLASS_CHUNK_ROWS];
    int extreme = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        labels->weight[i] = sample_weight ? sample_weight[start + i] : R(1.0);
        of_class[i] =
            kind == FL_TARGET_HARD && class_weight ? class_weight[labels->label[i]] : R(1.0);
    }
    for (ptrdiff_t i = n; i % LANES; i++)
        labels->weight[i] = of_class[i] = R(0.0);
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        FN(FlFactor) w;
        w.high = FN(fl_product)(vload(labels->weight + j), vload(of_class + j), &w.low);
        vstore(labels->weight + j, w.high);
        vstore(labels->weight_low + j, w.low);
        w = FN(fl_scale_factor)(w, by);
        vstore(labels->scaled + j, w.high);
        vstore(labels->scaled_low + j, w.low);
    }
    for (ptrdiff_t i = 0; i < n; i++) {
        const REAL w = labels->scaled[i];
        extreme |= (w != R(0.0)) & ((w < least) | (w > FL_WEIGHT_MOST));
    }
    labels->extreme = extreme;
}

FL_INLINE FN(FlFactor) FN(fl_scaled)(const FN(FlLabels) * labels, ptrdiff_t j)
{
    const FN(FlFactor) f = {vload(labels->scaled + j), vload(labels->scaled_low + j)};
    return f;
}

/* The labels and weights of samples start .. start + n - 1. */
FL_INLINE void FN(fl_read_labels)(const FlCrossEntropyBlock *block, int kind, ptrdiff_t start,
                                  ptrdiff_t n, FN(FlLabels) * labels)
{
    if (FL_HAS_LABEL(kind)) {
        const int64_t *label = block->labels + start;
        int64_t smallest = 0;
        for (ptrdiff_t i = 0; i < n; i++)
            smallest = label[i] < smallest ? label[i] : smallest;
        labels->label = label;
        labels->any_ignored = smallest < 0;
        if (FL_UNLIKELY(smallest < 0)) {
            for (ptrdiff_t i = 0; i < n; i++)
                labels->without_ignored[i] = label[i] < 0 ? 0 : label[i];
            labels->label = labels->without_ignored;
        }
    }
    if (kind != FL_TARGET_NONE && (block->sample_weight || block->class_weight))
        FN(fl_read_weights)(block, kind, start, n, labels);
    if (kind == FL_TARGET_SMOOTH) {
        const REAL *class_weight = block->class_weight;
        const double keep = 1.0 - block->label_smoothing;
        const double floor = block->label_smoothing / (double)block->n_classes;
        if (!class_weight)
            for (ptrdiff_t i = 0; i < n; i++) {
                labels->kept[i] = (REAL)keep;
                labels->at_label[i] = (REAL)(keep + floor);
                labels->total[i] = (REAL)(keep + floor * block->class_weight_sum);
            }
        else
            for (ptrdiff_t i = 0; i < n; i++) {
                const double w = (double)class_weight[labels->label[i]];
                labels->kept[i] = (REAL)(w * keep);
                labels->at_label[i] = (REAL)(w * (keep + floor));
                labels->total[i] = (REAL)(w * keep + floor * block->class_weight_sum);
            }
    }
}

/* After fl_read_labels: the logits at the labels. */
FL_INLINE void FN(fl_read_logits)(const FlCrossEntropyBlock *block, ptrdiff_t start, ptrdiff_t n,
                                  FN(FlLabels) * labels)
{
    const REAL *raw = (const REAL *)block->raw_prediction + start * block->sample_stride;
    const ptrdiff_t sample_stride = block->sample_stride, class_stride = block->class_stride;
    if (class_stride == 1)
        for (ptrdiff_t i = 0; i < n; i++, raw += sample_stride)
            labels->raw[i] = raw[labels->label[i]];
    else
        for (ptrdiff_t i = 0; i < n; i++, raw += sample_stride)
            labels->raw[i] = raw[labels->label[i] * class_stride];
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
#if FL_HAS_FMA
    const V small = (e * factor.high - q) + e * factor.low;
    const V large = ((total - q) - others * factor.high) - others * factor.low;
    return vselect(e > others, large, small);
#else /* one product, whose rounding error is not lost */
    const VI is_large = e > others;
    const V part = vselect(is_large, others, e), rest = vselect(is_large, total - q, q);
    V error;
    const V product = FN(fl_product)(part, factor.high, &error);
    const V gradient = (product - rest) + (error + part * factor.low);
    return vselect(is_large, R(0.0) - gradient, gradient); /* 0, not -0 */
#endif
}

/* A sum and its rounding error; an infinite one leaves a NaN in that. */
FL_INLINE V FN(fl_carried_sum)(V sum, V lost)
{
    return vselect(sum < (REAL)INFINITY, sum + lost, sum);
}

/* Q p - q of smoothed labels without class weights, where the label is another class: q is `floor`, at most 1/2, and
 * 1 - p need not be known. Scaled at last, as the difference may be small. */
FL_INLINE V FN(fl_smooth_gradient)(V e, FN(FlFactor) factor, V floor, FN(FlFactor) scaled)
{
    const FN(FlFactor) less = {floor, vsplat(R(0.0))};
    return FN(fl_times)(FN(fl_times_less)(e, factor, less), scaled);
}

/* Samples whose exponentials are summed, LANES of them a vector, and what follows from that. */
typedef struct {
    FL_ALIGNED REAL max[FL_CLASS_CHUNK_ROWS];
    FL_ALIGNED REAL top[FL_CLASS_CHUNK_ROWS], rest[FL_CLASS_CHUNK_ROWS], low[FL_CLASS_CHUNK_ROWS];
    /* sum_k q_k (max - f_k) and Q; Q is 1 without FL_HAS_Q */
    FL_ALIGNED REAL linear[FL_CLASS_CHUNK_ROWS], total[FL_CLASS_CHUNK_ROWS];
    FL_ALIGNED REAL shift[FL_CLASS_CHUNK_ROWS], floor[FL_CLASS_CHUNK_ROWS];
    FL_ALIGNED REAL magic[FL_CLASS_CHUNK_ROWS];
    FL_ALIGNED REAL loss[FL_CLASS_CHUNK_ROWS]; /* times weight */
    FL_ALIGNED REAL at_label[FL_CLASS_CHUNK_ROWS]; /* the gradient there */
    /* what gradients are made of: 1 / (A + S) times Q, or times weight and scale without FL_HAS_Q */
    FL_ALIGNED REAL factor[FL_CLASS_CHUNK_ROWS], factor_low[FL_CLASS_CHUNK_ROWS];
} FN(FlPanel);

/* Before the first chunk of a block: what a step may not set, or not for all of LANES samples. */
FL_INLINE void FN(fl_begin_panel)(const FlCrossEntropyBlock *block, FN(FlPanel) * panel)
{
    const ptrdiff_t n = FN(fl_chunk_lanes)(block->n_samples);
    for (ptrdiff_t i = 0; i < n; i++) {
        panel->linear[i] = R(0.0);
        panel->total[i] = R(1.0);
    }
}

/* The maxima of n samples are known: how each is scaled, and whether one of them is far from 0. */
FL_INLINE int FN(fl_shift_panel)(FN(FlPanel) * panel, ptrdiff_t n)
{
    VI any = vsplat_int(0);
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        V shift, floor, magic;
        any |= softmax_shift(vload(panel->max + j), &shift, &floor, &magic);
        vstore(panel->shift + j, shift);
        vstore(panel->floor + j, floor);
        vstore(panel->magic + j, magic);
    }
    return vany(any);
}

/* A loss may be infinite, and infinity times a rounding error of 0 is not a number. */
FL_INLINE V FN(fl_weigh_loss)(V loss, const FN(FlLabels) * labels, ptrdiff_t j)
{
    const V finite = vkeep(loss < (REAL)INFINITY, loss);
    return loss * vload(labels->weight + j) + finite * vload(labels->weight_low + j);
}

/* The sums of n samples are known: w * loss. */
FL_INLINE void FN(fl_panel_loss)(int kind, const FN(FlLabels) * labels, FN(FlPanel) * panel,
                                 ptrdiff_t n)
{
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        const V max = vload(panel->max + j), raw = vload(labels->raw + j);
        const V log_sum = vlog1p(vload(panel->rest + j) / vload(panel->top + j));
        V loss;
        if (kind == FL_TARGET_HARD)
            loss = (max - raw) + log_sum;
        else {
            loss = vload(panel->linear + j) + vload(panel->total + j) * log_sum;
            if (kind == FL_TARGET_SMOOTH)
                loss = loss + FN(fl_target_loss)(vload(labels->kept + j), max, raw);
        }
        vstore(panel->loss + j, FN(fl_weigh_loss)(loss, labels, j));
    }
}

/* And the factors of the gradient. A loop of its own: sharing the loss's division was slower. */
FL_INLINE void FN(fl_panel_factors)(int kind, const FN(FlLabels) * labels, FN(FlPanel) * panel,
                                    ptrdiff_t n)
{
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        const FN(FlExpSum)
            sum = {vload(panel->top + j), vload(panel->rest + j), vload(panel->low + j)};
        const FN(FlFactor) inverse = FN(fl_softmax_inverse)(&sum);
        FN(FlFactor) factor = inverse;
        const FN(FlFactor) total = {vload(panel->total + j), vsplat(R(0.0))};
        if (FL_HAS_Q(kind))
            factor = FN(fl_scale_factor)(inverse, total);
        else if (kind == FL_TARGET_HARD && !labels->extreme)
            factor = FN(fl_scale_factor)(inverse, FN(fl_scaled)(labels, j));
        vstore(panel->factor + j, factor.high);
        vstore(panel->factor_low + j, factor.low);
    }
}

/* And the gradient at the labels: a loop over many classes cannot give that without looking for them. The
 * exponential is computed once more; where the label is the largest class it must cancel A exactly, whatever
 * the compiler fused. */
FL_INLINE void FN(fl_panel_at_labels)(int kind, const FN(FlLabels) * labels, FN(FlPanel) * panel,
                                      ptrdiff_t n)
{
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        const V raw = vload(labels->raw + j), top = vload(panel->top + j);
        const FN(FlFactor) factor = {vload(panel->factor + j), vload(panel->factor_low + j)};
        V e = raw - vload(panel->shift + j), gradient;
        softmax_exp(&e, 1, vload(panel->floor + j), vload(panel->magic + j));
        e = vselect(raw == vload(panel->max + j), top, e);
        const V others = vload(panel->rest + j) + (top - e);
        if (kind == FL_TARGET_HARD)
            gradient = -FN(fl_times)(others, factor);
        else
            gradient = FN(fl_target_gradient)(e, others, factor, vload(panel->total + j),
                                              vload(labels->at_label + j));
        if (kind != FL_TARGET_HARD || FL_UNLIKELY(labels->extreme))
            gradient = FN(fl_times)(gradient, FN(fl_scaled)(labels, j));
        vstore(panel->at_label + j, gradient);
    }
}

/* Losses of n samples from `start` on: added to LANES sums, and stored. */
FL_INLINE void FN(fl_keep_losses)(const FlCrossEntropyBlock *block, const FN(FlLabels) * labels,
                                  ptrdiff_t start, ptrdiff_t n, REAL *loss, double sums[])
{
    REAL *out = block->loss;
    ptrdiff_t i = 0;
    if (FL_UNLIKELY(labels->any_ignored))
        for (ptrdiff_t j = 0; j < n; j++)
            if (block->labels[start + j] < 0)
                loss[j] = R(0.0);
    for (; i + LANES <= n; i += LANES)
        for (ptrdiff_t l = 0; l < LANES; l++)
            sums[l] += (double)loss[i + l];
    for (ptrdiff_t l = 0; i + l < n; l++)
        sums[l] += (double)loss[i + l];
    if (out)
        for (ptrdiff_t j = 0; j < n; j++)
            out[start + j] = loss[j] * (REAL)block->scale;
}

/* The gradient at the labels of n samples, after that of all classes is stored. */
FL_INLINE void FN(fl_store_at_labels)(const REAL *at_label, const int64_t *label, ptrdiff_t n,
                                      REAL *gradient, ptrdiff_t sample_stride,
                                      ptrdiff_t class_stride)
{
    /* volatile, for a scatter instruction is slower than its stores one by one */
    volatile REAL *to = gradient;
    if (class_stride == 1)
        for (ptrdiff_t i = 0; i < n; i++, to += sample_stride)
            to[label[i]] = at_label[i];
    else
        for (ptrdiff_t i = 0; i < n; i++, to += sample_stride)
            to[label[i] * class_stride] = at_label[i];
}

/* Zeros for the ignored ones of n samples, whatever was computed for them. */
FL_OUTLINE void FN(fl_clear_ignored)(const int64_t *label, ptrdiff_t n, ptrdiff_t n_classes,
                                     REAL *out, ptrdiff_t sample_stride, ptrdiff_t class_stride)
{
    for (ptrdiff_t i = 0; i < n; i++)
        if (label[i] < 0)
            for (ptrdiff_t k = 0; k < n_classes; k++)
                out[i * sample_stride + k * class_stride] = R(0.0);
}

FL_INLINE void FN(fl_clear_all_ignored)(const FlCrossEntropyBlock *block,
                                        const FN(FlLabels) * labels, ptrdiff_t start, ptrdiff_t n)
{
    if (FL_LIKELY(!labels->any_ignored))
        return;
    if (block->wants & FL_WANT_GRADIENT)
        FN(fl_clear_ignored)(block->labels + start, n, block->n_classes,
                             (REAL *)block->gradient + start * block->gradient_sample_stride,
                             block->gradient_sample_stride, block->gradient_class_stride);
    if (block->wants & FL_WANT_HESSIAN)
        FN(fl_clear_ignored)(block->labels + start, n, block->n_classes,
                             (REAL *)block->hessian + start * block->hessian_sample_stride,
                             block->hessian_sample_stride, block->hessian_class_stride);
}
