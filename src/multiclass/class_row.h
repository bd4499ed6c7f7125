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

/* A row is worked on in chunks of eight vectors; what is left at its end is a chunk more. Only the chunk that
 * holds the maximum has to keep it out of its sum: the others are added as they are, which is two
 * operations less a vector. */

/* The largest of a row in some lane, and in that lane minus the number of its chunk; n_classes >= LANES. The
 * vector that ends the row overlaps the one before, so that one logit may be found in two lanes: the
 * first of the chunks is right. */
FL_OUTLINE V FN(fl_row_max)(const REAL *x, ptrdiff_t n_classes, V *chunk)
{
    const ptrdiff_t n_chunks = n_classes / (8 * LANES);
    const REAL *last = x + n_chunks * 8 * LANES;
    V best = vsplat((REAL)-INFINITY), where = vsplat(R(0.0));
    for (ptrdiff_t c = 0; c < n_chunks; c++) {
        V m[8];
        for (ptrdiff_t j = 0; j < 8; j++)
            m[j] = vload(x + (c * 8 + j) * LANES);
        for (ptrdiff_t width = 4; width >= 1; width /= 2)
            for (ptrdiff_t j = 0; j < width; j++)
                m[j] = vmax(m[j], m[j + width]);
        where = vselect(m[0] > best, vsplat((REAL)-c), where);
        best = vmax(m[0], best);
    }
    const V m = vmax(vload(x + n_classes - LANES),
                     max_columns(last, LANES, (n_classes - (last - x)) / LANES));
    *chunk = vselect(m > best, vsplat((REAL)-n_chunks), where);
    return vmax(m, best);
}

/* Chunks begin .. end - 1, all of their exponentials added to sum. */
FL_INLINE void FN(fl_row_exp_plain)(const REAL *x, REAL *e, ptrdiff_t begin, ptrdiff_t end,
                                    const V *shift, V floor, V magic, FN(FlExpSum) * sum)
{
    for (ptrdiff_t c = begin; c < end;) {
        V partial = vsplat(R(0.0));
        for (const ptrdiff_t stop = end - c < 4 ? end : c + 4; c < stop; c++) {
            V t[8];
            const ptrdiff_t at = c * 8 * LANES, half = at + 4 * LANES;
            FN(fl_exp_of)(x + at, LANES, 4, e ? e + at : NULL, LANES, shift, floor, magic, t);
            FN(fl_exp_of)(x + half, LANES, 4, e ? e + half : NULL, LANES, shift, floor, magic,
                          t + 4);
            for (ptrdiff_t width = 4; width >= 1; width /= 2)
                for (ptrdiff_t j = 0; j < width; j++)
                    t[j] = t[j] + t[j + width];
            partial = partial + t[0];
        }
        FN(fl_add_compensated)(&sum->rest, &sum->low, partial);
    }
}

/* All of a row. The vector that ends it overlaps the one before: it is stored first, and what it holds of that
 * one does not count. The chunk of the maximum is rounded as REAL: beyond MANTISSA_BITS of them another may
 * be excluded, which costs accuracy only. */
FL_INLINE FN(FlExpSum) FN(fl_row_exp)(const REAL *x, ptrdiff_t n_classes, REAL *e, ptrdiff_t chunk,
                                      const V *shift, V floor, V magic)
{
    const ptrdiff_t n_chunks = n_classes / (8 * LANES), done = n_chunks * 8 * LANES;
    const ptrdiff_t tail = n_classes % LANES;
    V last = vsplat(R(0.0));
    if (tail)
        FN(fl_exp_of)(x + n_classes - LANES, LANES, 1, e ? e + n_classes - LANES : NULL, LANES,
                      shift, floor, magic, &last);
    FN(FlExpSum)
    sum = exp_columns(x + done, LANES, (n_classes - done) / LANES, e ? e + done : NULL, LANES,
                      shift, floor, magic);
    if (tail)
        FN(fl_softmax_accumulate)(&sum.top, &sum.rest, &sum.low, FN(fl_last_lanes)(last, tail),
                                  vsplat(R(0.0)));
    if (chunk < n_chunks) {
        const ptrdiff_t at = chunk * 8 * LANES;
        const FN(FlExpSum) s =
            exp_columns(x + at, LANES, 8, e ? e + at : NULL, LANES, shift, floor, magic);
        FN(fl_softmax_accumulate)(&sum.top, &sum.rest, &sum.low, s.top, s.rest);
        FN(fl_row_exp_plain)(x, e, 0, chunk, shift, floor, magic, &sum);
        FN(fl_row_exp_plain)(x, e, chunk + 1, n_chunks, shift, floor, magic, &sum);
    } else
        FN(fl_row_exp_plain)(x, e, 0, n_chunks, shift, floor, magic, &sum);
    return sum;
}

FL_OUTLINE FN(FlExpSum) FN(fl_row_exp_near)(const REAL *x, ptrdiff_t n_classes, REAL *e,
                                            ptrdiff_t chunk, V floor, V magic)
{
    if (e) /* two loops without a test inside */
        return FN(fl_row_exp)(x, n_classes, e, chunk, NULL, floor, magic);
    return FN(fl_row_exp)(x, n_classes, NULL, chunk, NULL, floor, magic);
}

FL_OUTLINE FN(FlExpSum) FN(fl_row_exp_far)(const REAL *x, ptrdiff_t n_classes, REAL *e,
                                           ptrdiff_t chunk, V shift, V floor, V magic)
{
    return FN(fl_row_exp)(x, n_classes, e, chunk, &shift, floor, magic);
}

/* Lane i of *sum is the sum of all lanes of s[i]; the arrays are used up. */
FL_INLINE void FN(fl_row_reduce)(V s[], V low[])
{
#if FL_VECTOR_BYTES
    for (ptrdiff_t n = LANES / 2; n >= 1; n /= 2)
        for (ptrdiff_t i = 0; i < n; i++) {
            const ptrdiff_t a = 2 * i, b = 2 * i + 1;
            V sum = even_lanes(s[a], s[b]);
            V lost = even_lanes(low[a], low[b]) + odd_lanes(low[a], low[b]);
            FN(fl_add_compensated)(&sum, &lost, odd_lanes(s[a], s[b]));
            s[i] = sum;
            low[i] = lost;
        }
#else
    (void)s;
    (void)low;
#endif
}

/* sum_k (max - f_k) of one row in the lanes, by fours: of smoothed labels without class weights. */
FL_OUTLINE void FN(fl_row_distance)(const REAL *x, ptrdiff_t n_classes, V max, V *sum, V *lost)
{
    const V zero = vsplat(R(0.0));
    const ptrdiff_t tail = n_classes % LANES;
    V total = zero, error = zero, rest = zero, last = zero;
    ptrdiff_t k = 0;
    if (4 * LANES <= n_classes) { /* there is nothing to carry yet */
        total = ((max - vload(x)) + (max - vload(x + LANES))) +
                ((max - vload(x + 2 * LANES)) + (max - vload(x + 3 * LANES)));
        k = 4 * LANES;
    }
    for (; k + 4 * LANES <= n_classes; k += 4 * LANES)
        FN(fl_add_compensated)(
            &total, &error,
            ((max - vload(x + k)) + (max - vload(x + k + LANES))) +
                ((max - vload(x + k + 2 * LANES)) + (max - vload(x + k + 3 * LANES))));
    if (k + 2 * LANES <= n_classes) {
        rest = (max - vload(x + k)) + (max - vload(x + k + LANES));
        k += 2 * LANES;
    }
    if (k + LANES <= n_classes)
        last = max - vload(x + k);
    if (tail)
        last = last + FN(fl_last_lanes)(max - vload(x + n_classes - LANES), tail);
    FN(fl_add_compensated)(&total, &error, rest + last);
    *sum = total;
    *lost = error;
}

/* What targets of LANES rows that are not hard add up to, in the lanes of a vector for each: sum_k q_k (max - f_k)
 * and Q, with what they have lost to rounding. */
typedef struct {
    V linear[LANES], lost[LANES], total[LANES], total_lost[LANES];
} FN(FlTargetSums);

FL_OUTLINE void FN(fl_row_target_sums)(const FlCrossEntropyBlock *block, int kind, const REAL *x,
                                       const REAL *t, REAL max, FN(FlTargetSums) * sums,
                                       ptrdiff_t r)
{
    const ptrdiff_t n_classes = block->n_classes;
    const REAL keep = (REAL)(1.0 - block->label_smoothing);
    const REAL floor = (REAL)(block->label_smoothing / (double)n_classes);
    const V zero = vsplat(R(0.0));
    V sum = zero, lost = zero, q_sum = zero, q_lost = zero;
    for (ptrdiff_t k = 0; k < n_classes; k += LANES) {
        const ptrdiff_t left = n_classes - k;
        const ptrdiff_t from = left < LANES ? n_classes - LANES : k;
        const V w = FN(fl_class_weights)(block->class_weight, from);
        V q = FN(fl_target)(kind, keep, floor, w, FN(fl_soft_label)(kind, t, from));
        if (left < LANES)
            q = FN(fl_last_lanes)(q, left);
        FN(fl_add_compensated)(&q_sum, &q_lost, q);
        FN(fl_add_compensated)(&sum, &lost, FN(fl_target_loss)(q, vsplat(max), vload(x + from)));
    }
    sums->linear[r] = sum;
    sums->lost[r] = lost;
    sums->total[r] = q_sum;
    sums->total_lost[r] = q_lost;
}

/* The sums of LANES rows into the panel; they are used up. */
FL_INLINE void FN(fl_keep_target_sums)(const FlCrossEntropyBlock *block, int kind,
                                       const FN(FlLabels) * labels, FN(FlTargetSums) * sums,
                                       FN(FlPanel) * panel)
{
    V linear, total;
    FN(fl_row_reduce)(sums->linear, sums->lost);
    linear = FN(fl_carried_sum)(sums->linear[0], sums->lost[0]);
    if (kind == FL_TARGET_SMOOTH) {
        if (!block->class_weight)
            linear = linear * (REAL)(block->label_smoothing / (double)block->n_classes);
        total = vload(labels->total);
    } else {
        FN(fl_row_reduce)(sums->total, sums->total_lost);
        total = sums->total[0] + sums->total_lost[0];
    }
    vstore(panel->linear, linear);
    vstore(panel->total, total);
}

FL_OUTLINE void FN(fl_row_gradient)(const FlCrossEntropyBlock *block, int kind,
                                    const FN(FlLabels) * labels, const FN(FlPanel) * panel,
                                    ptrdiff_t r, const REAL *e, const REAL *t, REAL *gradient)
{
    const ptrdiff_t n_classes = block->n_classes;
    const FN(FlFactor) factor = {vsplat(panel->factor[r]), vsplat(panel->factor_low[r])};
    const FN(FlFactor) scaled = {vsplat(labels->scaled[r]), vsplat(labels->scaled_low[r])};
    /* read before the vector it overlaps is stored: gradient may be e itself */
    const V last = vload(e + n_classes - LANES);
    ptrdiff_t k = 0;
    if (kind == FL_TARGET_SMOOTH && !block->class_weight) {
        const REAL floor = (REAL)(block->label_smoothing / (double)n_classes);
        for (; k + LANES <= n_classes; k += LANES)
            vstore(gradient + k,
                   FN(fl_smooth_gradient)(vload(e + k), factor, vsplat(floor), scaled));
        vstore(gradient + n_classes - LANES,
               FN(fl_smooth_gradient)(last, factor, vsplat(floor), scaled));
    } else if (FL_HAS_Q(kind)) {
        const REAL keep = (REAL)(1.0 - block->label_smoothing);
        const REAL floor = (REAL)(block->label_smoothing / (double)n_classes);
        const V top = vsplat(panel->top[r]), rest = vsplat(panel->rest[r]);
        const V total = vsplat(panel->total[r]);
        for (; k < n_classes; k += LANES) {
            const int whole = n_classes - k >= LANES;
            const ptrdiff_t at = whole ? k : n_classes - LANES;
            const V w = FN(fl_class_weights)(block->class_weight, at);
            const V q = FN(fl_target)(kind, keep, floor, w, FN(fl_soft_label)(kind, t, at));
            V value = last;
            if (whole)
                value = vload(e + k);
            const V others = rest + (top - value);
            vstore(gradient + at,
                   FN(fl_times)(FN(fl_target_gradient)(value, others, factor, total, q), scaled));
        }
    } else if (kind == FL_TARGET_HARD && FL_UNLIKELY(labels->extreme)) {
        for (; k + LANES <= n_classes; k += LANES)
            vstore(gradient + k, FN(fl_times)(FN(fl_times)(vload(e + k), factor), scaled));
        vstore(gradient + n_classes - LANES, FN(fl_times)(FN(fl_times)(last, factor), scaled));
    } else {
        for (; k + 4 * LANES <= n_classes; k += 4 * LANES)
            for (ptrdiff_t j = 0; j < 4 * LANES; j += LANES)
                vstore(gradient + k + j, FN(fl_times)(vload(e + k + j), factor));
        for (; k + LANES <= n_classes; k += LANES)
            vstore(gradient + k, FN(fl_times)(vload(e + k), factor));
        vstore(gradient + n_classes - LANES, FN(fl_times)(last, factor));
    }
}

/* Scratch of a group of rows. */
typedef struct {
    REAL *x, *e, *out;
    ptrdiff_t pitch; /* of x and e */
    ptrdiff_t rows; /* how many fit, at most LANES */
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
FL_INLINE void FN(fl_place_row)(const REAL *out, ptrdiff_t n_classes, REAL *to,
                                ptrdiff_t class_stride)
{
    if (class_stride != 1)
        for (ptrdiff_t k = 0; k < n_classes; k++)
            to[k * class_stride] = out[k];
    else
        stream_copy(to, out, n_classes);
}

/* Samples `start` to `end` of arrays of any strides; n_classes >= LANES. Ignored rows cost nothing but
 * their zeros. */
FL_OUTLINE void FN(fl_cross_entropy_rows)(FlCrossEntropyBlock *block, int kind, ptrdiff_t start,
                                          ptrdiff_t end, double sums[])
{
    const ptrdiff_t n_classes = block->n_classes;
    const REAL *raw = block->raw_prediction, *targets = block->targets;
    REAL *gradient = block->wants & FL_WANT_GRADIENT ? block->gradient : NULL;
    const FN(FlRowScratch) scratch = FN(fl_row_scratch)(block);
    /* Exponentials wait for their sum in the gradient: its cache lines are fetched while they are computed. Not
     * in place, since the vector that ends a row is stored before the one it overlaps is read. */
    const int direct = gradient && block->gradient_class_stride == 1 && !block->stream &&
                       block->gradient != block->raw_prediction;
    const V zero = vsplat(R(0.0)), nowhere = vsplat(-(REAL)n_classes);
    FN(FlLabels) labels;
    FN(FlPanel) panel;
    FN(FlTargetSums) target;
    FN(fl_begin_labels)(block, &labels);
    FN(fl_begin_panel)(block, &panel);
    for (ptrdiff_t i = start; i < end; i += scratch.rows) {
        const ptrdiff_t n = end - i < scratch.rows ? end - i : scratch.rows;
        const REAL *x[LANES];
        REAL *e[LANES];
        V a[LANES], b[LANES], c[LANES];
        FL_ALIGNED REAL chunk[LANES];
        FN(fl_read_labels)(block, kind, i, n, &labels);
        if (FL_HAS_LABEL(kind))
            FN(fl_read_logits)(block, i, n, &labels);
        for (ptrdiff_t r = 0; r < LANES; r++) {
            a[r] = b[r] = c[r] = zero;
            x[r] = NULL;
            e[r] = NULL;
            if (r >= n || (labels.any_ignored && block->labels[i + r] < 0))
                continue;
            x[r] = FN(fl_contiguous_row)(raw + (i + r) * block->sample_stride, block->class_stride,
                                         n_classes, scratch.x + r * scratch.pitch);
            if (direct)
                e[r] = gradient + (i + r) * block->gradient_sample_stride;
            else if (gradient)
                e[r] = scratch.e + r * scratch.pitch;
            a[r] = c[r] = FN(fl_row_max)(x[r], n_classes, &b[r]);
        }
        vstore(panel.max, reduce_max(a));
        const int far = FN(fl_shift_panel)(&panel, LANES);
        for (ptrdiff_t r = 0; r < LANES; r++)
            b[r] = vselect(c[r] == vsplat(panel.max[r]), b[r], nowhere);
        vstore(chunk, reduce_max(b));

        for (ptrdiff_t r = 0; r < LANES; r++) {
            a[r] = b[r] = c[r] = zero;
            if (!x[r]) {
                if (FL_HAS_Q(kind))
                    target.linear[r] = target.lost[r] = target.total[r] = target.total_lost[r] =
                        zero;
                continue;
            }
            const V floor = vsplat(panel.floor[r]), magic = vsplat(panel.magic[r]);
            if (kind == FL_TARGET_SMOOTH && !block->class_weight)
                FN(fl_row_distance)(x[r], n_classes, vsplat(panel.max[r]), &target.linear[r],
                                    &target.lost[r]);
            else if (FL_HAS_Q(kind)) {
                const REAL *t = NULL;
                if (kind == FL_TARGET_SOFT)
                    t = FN(fl_contiguous_row)(targets + (i + r) * block->target_sample_stride,
                                              block->target_class_stride, n_classes, scratch.out);
                FN(fl_row_target_sums)(block, kind, x[r], t, panel.max[r], &target, r);
            }
            const FN(FlExpSum) s =
                FL_UNLIKELY(far) ? FN(fl_row_exp_far)(x[r], n_classes, e[r], (ptrdiff_t)-chunk[r],
                                                      vsplat(panel.shift[r]), floor, magic)
                                 : FN(fl_row_exp_near)(x[r], n_classes, e[r], (ptrdiff_t)-chunk[r],
                                                       floor, magic);
            a[r] = s.top;
            b[r] = s.rest;
            c[r] = s.low;
        }
        const FN(FlExpSum) sum = FN(fl_softmax_reduce)(a, b, c);
        vstore(panel.top, sum.top);
        vstore(panel.rest, sum.rest);
        vstore(panel.low, sum.low);
        if (FL_HAS_Q(kind))
            FN(fl_keep_target_sums)(block, kind, &labels, &target, &panel);
        if (block->wants & FL_WANT_LOSS) {
            FN(fl_panel_loss)(kind, &labels, &panel, LANES);
            FN(fl_keep_losses)(block, &labels, i, n, panel.loss, sums);
        }
        if (!gradient)
            continue;

        FN(fl_panel_factors)(kind, &labels, &panel, LANES);
        if (FL_HAS_LABEL(kind))
            FN(fl_panel_at_labels)(kind, &labels, &panel, LANES);
        for (ptrdiff_t r = 0; r < n; r++) {
            if (!x[r])
                continue;
            REAL *to = gradient + (i + r) * block->gradient_sample_stride;
            const int through = block->gradient_class_stride != 1 || block->stream;
            REAL *out = through ? scratch.out : to;
            const REAL *t = NULL;
            if (kind == FL_TARGET_SOFT)
                t = FN(fl_contiguous_row)(targets + (i + r) * block->target_sample_stride,
                                          block->target_class_stride, n_classes, scratch.x);
            FN(fl_row_gradient)(block, kind, &labels, &panel, r, e[r], t, out);
            if (FL_HAS_LABEL(kind))
                out[labels.label[r]] = panel.at_label[r];
            if (through)
                FN(fl_place_row)(out, n_classes, to, block->gradient_class_stride);
        }
        FN(fl_clear_all_ignored)(block, &labels, i, n);
    }
}
