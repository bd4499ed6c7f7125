/* Cross-entropy row by row, for many classes: maximum, exponentials and their sum into scratch, scale.
 * What is left across a vector at the end of each row is done for up to LANES rows together, whose
 * sums then lie in lanes: one logarithm, one division for all of them.
 *
 * Included once per precision, after labels.h.
 */

/* Row of n_classes at `from`, contiguous: itself, or a copy in `to`. */
FL_INLINE const REAL *FN(fl_contiguous_row)(const REAL *from, ptrdiff_t class_stride,
                                            ptrdiff_t n_classes, REAL *to)
{
    if (class_stride == 1)
        return from;
    for (ptrdiff_t k = 0; k < n_classes; k++)
        to[k] = from[k * class_stride];
    return to;
}

/* x where the lane is one of the last n, else 0 */
FL_INLINE V FN(fl_last_lanes)(V x, ptrdiff_t n)
{
    FL_ALIGNED static const INT order[] = {-16, -15, -14, -13, -12, -11, -10, -9,
                                           -8,  -7,  -6,  -5,  -4,  -3,  -2,  -1};
    VI lane;
    memcpy(&lane, order + 16 - LANES, sizeof lane);
    return vselect(lane >= vsplat_int((INT)-n), x, vsplat(R(0.0)));
}

/* The largest of a row, in some lane; n_classes >= LANES. */
FL_INLINE V FN(fl_row_max)(const REAL *x, ptrdiff_t n_classes)
{
    return vmax(vload(x + n_classes - LANES), max_columns(x, LANES, n_classes / LANES));
}

/* exp_columns along a row. The vector that ends it overlaps the one before: it is stored first, and what
 * it holds of that one does not count. */
FL_INLINE void FN(fl_row_exp)(const REAL *x, ptrdiff_t n_classes, REAL *e, int far, V shift, V floor,
                              V magic, V *top, V *rest)
{
    const ptrdiff_t tail = n_classes % LANES;
    V last = vsplat(R(0.0));
    if (tail) {
        const V f = vload(x + n_classes - LANES);
        last = softmax_exp(f - shift, floor, magic); /* shift is 0 unless far */
        if (e)
            vstore(e + n_classes - LANES, last);
    }
    if (FL_UNLIKELY(far))
        FN(fl_exp_columns_far)(x, LANES, n_classes / LANES, e, LANES, &shift, &floor, &magic, top, rest);
    else
        exp_columns(x, LANES, n_classes / LANES, e, LANES, NULL, floor, magic, top, rest);
    if (tail)
        merge(top, rest, FN(fl_last_lanes)(last, tail), vsplat(R(0.0)));
}

/* sum_k q_k (max - f_k) and Q of one row, for targets that are not hard. */
FL_INLINE void FN(fl_row_target_sums)(int kind, REAL keep, REAL floor, const REAL *class_weight,
                                      const REAL *x, const REAL *t, ptrdiff_t n_classes, REAL max,
                                      REAL *linear, REAL *total)
{
    const V zero = vsplat(R(0.0));
    V sum = zero, lost = zero, q_sum = zero, q_lost = zero;
    for (ptrdiff_t k = 0; k < n_classes; k += LANES) {
        const ptrdiff_t left = n_classes - k;
        const ptrdiff_t from = left < LANES ? n_classes - LANES : k;
        const V w = FN(fl_class_weights)(class_weight, from);
        V q = FN(fl_target)(kind, keep, floor, w, FN(fl_soft_label)(kind, t, from));
        if (left < LANES)
            q = FN(fl_last_lanes)(q, left);
        FN(fl_add_compensated)(&q_sum, &q_lost, q);
        FN(fl_add_compensated)(&sum, &lost, FN(fl_target_loss)(q, vsplat(max), vload(x + from)));
    }
    FL_ALIGNED REAL sums[LANES], losts[LANES], q_sums[LANES], q_losts[LANES];
    vstore(sums, sum);
    vstore(losts, lost);
    vstore(q_sums, q_sum);
    vstore(q_losts, q_lost);
    double value = 0.0, correction = 0.0, q_value = 0.0;
    for (ptrdiff_t l = 0; l < LANES; l++) {
        value += (double)sums[l];
        correction += (double)losts[l];
        q_value += (double)q_sums[l] + (double)q_losts[l];
    }
    /* an infinite sum leaves a NaN in its rounding error */
    *linear = (REAL)(value < INFINITY ? value + correction : value);
    *total = (REAL)q_value;
}

/* What the last pass over a row needs of it: A, S, Q, weight * scale, and the pair 1 / (A + S). */
typedef struct {
    REAL top, rest, total, scaled, inverse, inverse_low;
} FN(FlRow);

FL_INLINE void FN(fl_row_gradient)(int kind, int extreme, REAL keep, REAL floor,
                                   const REAL *class_weight, const FN(FlRow) *row, const REAL *e,
                                   const REAL *t, ptrdiff_t n_classes, REAL *gradient)
{
    const V scaled = vsplat(row->scaled), top = vsplat(row->top), rest = vsplat(row->rest);
    const V total = vsplat(row->total);
    FN(FlFactor) factor = {vsplat(row->inverse), vsplat(row->inverse_low)};
    if (FL_HAS_Q(kind)) {
        factor = FN(fl_scale_factor)(factor, total);
        for (ptrdiff_t k = 0; k < n_classes; k += LANES) {
            const ptrdiff_t from = n_classes - k < LANES ? n_classes - LANES : k;
            const V w = FN(fl_class_weights)(class_weight, from);
            const V q = FN(fl_target)(kind, keep, floor, w, FN(fl_soft_label)(kind, t, from));
            const V value = vload(e + from), others = rest + (top - value);
            vstore(gradient + from,
                   FN(fl_target_gradient)(value, others, factor, total, q) * scaled);
        }
        return;
    }
    if (FL_UNLIKELY(extreme)) {
        for (ptrdiff_t k = 0; k < n_classes; k += LANES) {
            const ptrdiff_t from = n_classes - k < LANES ? n_classes - LANES : k;
            vstore(gradient + from, FN(fl_times)(vload(e + from), factor) * scaled);
        }
        return;
    }
    factor = FN(fl_scale_factor)(factor, scaled);
    ptrdiff_t k = 0;
    for (; k + 4 * LANES <= n_classes; k += 4 * LANES)
        for (ptrdiff_t j = 0; j < 4 * LANES; j += LANES)
            vstore(gradient + k + j, FN(fl_times)(vload(e + k + j), factor));
    for (; k + LANES <= n_classes; k += LANES)
        vstore(gradient + k, FN(fl_times)(vload(e + k), factor));
    if (k < n_classes)
        vstore(gradient + n_classes - LANES, FN(fl_times)(vload(e + n_classes - LANES), factor));
}

FL_INLINE void FN(fl_row_hessian)(const FN(FlRow) *row, const REAL *e, ptrdiff_t n_classes, REAL *hessian)
{
    const V top = vsplat(row->top), rest = vsplat(row->rest);
    const FN(FlFactor) inverse = {vsplat(row->inverse), vsplat(row->inverse_low)};
    const V factor = vsplat(row->total * row->scaled);
    for (ptrdiff_t k = 0; k < n_classes; k += LANES) {
        const ptrdiff_t from = n_classes - k < LANES ? n_classes - LANES : k;
        const V value = vload(e + from), others = rest + (top - value);
        vstore(hessian + from, FN(fl_times)(value, inverse) * FN(fl_times)(others, inverse) * factor);
    }
}

/* Scratch of a group of rows. */
typedef struct {
    REAL *x, *e, *out;
    ptrdiff_t pitch; /* of x and e */
    ptrdiff_t rows;  /* how many fit, at most LANES */
} FN(FlRowScratch);

FL_INLINE FN(FlRowScratch) FN(fl_row_scratch)(const FlCrossEntropyBlock *block)
{
    FN(FlRowScratch) s;
    s.pitch = (block->n_classes + LANES - 1) / LANES * LANES;
    s.rows = FL_CLASS_GROUP_BYTES / (s.pitch * (ptrdiff_t)sizeof(REAL));
    s.rows = s.rows < 1 ? 1 : s.rows > LANES ? LANES : s.rows;
    s.x = block->scratch;
    s.e = s.x + s.rows * s.pitch;
    s.out = s.e + s.rows * s.pitch;
    return s;
}

/* A finished row that was not written to its place at once: one that is not contiguous, or that is to go
 * around the cache. */
FL_INLINE void FN(fl_place_row)(const REAL *out, ptrdiff_t n_classes, REAL *to, ptrdiff_t class_stride)
{
    if (class_stride != 1)
        for (ptrdiff_t k = 0; k < n_classes; k++)
            to[k * class_stride] = out[k];
    else
        stream_copy(to, out, n_classes);
}

/* Samples `start` to `end` of arrays of any strides; n_classes >= LANES. Ignored rows cost nothing but
 * their zeros. */
FL_INLINE void FN(fl_cross_entropy_rows)(FlCrossEntropyBlock *block, int kind, ptrdiff_t start,
                                         ptrdiff_t end, double sums[])
{
    const ptrdiff_t n_classes = block->n_classes;
    const REAL keep = (REAL)(1.0 - block->label_smoothing);
    const REAL floor = (REAL)(block->label_smoothing / (double)n_classes);
    const REAL *raw = block->raw_prediction, *targets = block->targets;
    const REAL *class_weight = block->class_weight;
    REAL *gradient = block->wants & FL_WANT_GRADIENT ? block->gradient : NULL;
    REAL *hessian = block->wants & FL_WANT_HESSIAN ? block->hessian : NULL;
    const FN(FlRowScratch) scratch = FN(fl_row_scratch)(block);
    FN(FlLabels) labels;
    for (ptrdiff_t i = start; i < end; i += scratch.rows) {
        const ptrdiff_t n = end - i < scratch.rows ? end - i : scratch.rows;
        FL_ALIGNED REAL max[LANES], shift[LANES], low[LANES], magic[LANES];
        FL_ALIGNED REAL linear[LANES], total[LANES];
        FL_ALIGNED REAL tops[LANES], rests[LANES], at_labels[LANES];
        FL_ALIGNED REAL inverses[LANES], inverses_low[LANES];
        const REAL *x[LANES];
        V t[LANES], s[LANES];
        FN(FlSums) sum;
        FN(fl_read_class_labels)(block, kind, i, n, &labels);
        for (ptrdiff_t r = 0; r < LANES; r++) {
            t[r] = vsplat(R(0.0));
            linear[r] = R(0.0);
            total[r] = R(1.0);
            if (r >= n || (labels.any_ignored && labels.ignored[r]))
                continue;
            x[r] = FN(fl_contiguous_row)(raw + (i + r) * block->sample_stride, block->class_stride,
                                         n_classes, scratch.x + r * scratch.pitch);
            t[r] = FN(fl_row_max)(x[r], n_classes);
        }
        sum.max = reduce_max(t);
        const VI far = softmax_shift(sum.max, &sum.shift, &sum.floor, &sum.magic);
        const int any_far = vany(far);
        vstore(max, sum.max);
        vstore(shift, sum.shift);
        vstore(low, sum.floor);
        vstore(magic, sum.magic);
        for (ptrdiff_t r = 0; r < LANES; r++) {
            t[r] = s[r] = vsplat(R(0.0));
            if (r >= n || (labels.any_ignored && labels.ignored[r]))
                continue;
            REAL *e = gradient || hessian ? scratch.e + r * scratch.pitch : NULL;
            FN(fl_row_exp)(x[r], n_classes, e, any_far, vsplat(shift[r]), vsplat(low[r]),
                           vsplat(magic[r]), &t[r], &s[r]);
            if (FL_HAS_Q(kind)) {
                const REAL *target =
                    kind == FL_TARGET_SOFT
                        ? FN(fl_contiguous_row)(targets + (i + r) * block->target_sample_stride,
                                                block->target_class_stride, n_classes, scratch.out)
                        : NULL;
                FN(fl_row_target_sums)(kind, keep, floor, class_weight, x[r], target, n_classes, max[r],
                                       &linear[r], &total[r]);
            }
        }
        FN(fl_softmax_reduce)(t, s);
        sum.top = t[0];
        sum.rest = s[0];
        sum.linear = vload(linear);
        sum.total = vload(kind == FL_TARGET_SMOOTH ? labels.total : total);
        if (block->wants & FL_WANT_LOSS) {
            const V loss = FN(fl_class_loss)(kind, &sum, &labels, 0);
            FN(fl_keep_losses)(block, &labels, i, 0, n, loss, sums);
        }
        if (!gradient && !hessian)
            continue;

        const FN(FlFactor) inverse = FN(fl_softmax_inverse)(sum.top, sum.rest);
        vstore(tops, sum.top);
        vstore(rests, sum.rest);
        vstore(inverses, inverse.high);
        vstore(inverses_low, inverse.low);
        vstore(total, sum.total);
        if (FL_HAS_LABEL(kind))
            vstore(at_labels, FN(fl_gradient_at_label)(kind, &sum, inverse, &labels, 0));
        for (ptrdiff_t r = 0; r < n; r++) {
            const REAL *e = scratch.e + r * scratch.pitch;
            const FN(FlRow) row = {tops[r],          rests[r],    total[r],
                                    labels.scaled[r], inverses[r], inverses_low[r]};
            if (labels.any_ignored && labels.ignored[r])
                continue;
            if (hessian) {
                REAL *to = hessian + (i + r) * block->hessian_sample_stride;
                const int through = block->hessian_class_stride != 1 || block->stream;
                FN(fl_row_hessian)(&row, e, n_classes, through ? scratch.out : to);
                if (through)
                    FN(fl_place_row)(scratch.out, n_classes, to, block->hessian_class_stride);
            }
            if (gradient) {
                REAL *to = gradient + (i + r) * block->gradient_sample_stride;
                const int through = block->gradient_class_stride != 1 || block->stream;
                REAL *out = through ? scratch.out : to;
                const REAL *target = NULL;
                if (kind == FL_TARGET_SOFT)
                    target = FN(fl_contiguous_row)(targets + (i + r) * block->target_sample_stride,
                                                   block->target_class_stride, n_classes, scratch.x);
                FN(fl_row_gradient)(kind, labels.extreme, keep, floor, class_weight, &row, e, target,
                                    n_classes, out);
                if (FL_HAS_LABEL(kind))
                    out[labels.label[r]] = at_labels[r];
                if (through)
                    FN(fl_place_row)(out, n_classes, to, block->gradient_class_stride);
            }
        }
        if (labels.any_ignored) {
            if (gradient)
                FN(fl_clear_ignored)(&labels, n, n_classes, gradient + i * block->gradient_sample_stride,
                                     block->gradient_sample_stride, block->gradient_class_stride);
            if (hessian)
                FN(fl_clear_ignored)(&labels, n, n_classes, hessian + i * block->hessian_sample_stride,
                                     block->hessian_sample_stride, block->hessian_class_stride);
        }
    }
}
