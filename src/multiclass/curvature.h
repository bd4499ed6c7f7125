/* The diagonal of the cross-entropy's Hessian, Q w p (1 - p), apart from loss and gradient.
 *
 * In p_k (1 - p_k) = e_k (S - e_k) / S^2 the rounding error of an exponential may count four times. So here each one
 * is a pair of numbers, and so is all that is made of them up to the last product; loss and gradient, which
 * need no such care, do not pay for it.
 *
 * Of the classes with the largest logit, e = A, one is left out of `rest`, the sum of the others: for each of them
 * S - e_k is `rest`, for another class it is rest + (A - e_k), and nothing cancels. A, rest and one of the two 1 / S
 * are without the 2^FL_LIFT, so that nothing overflows.
 *
 * Included once per precision, after labels.h, class_tile.h and class_row.h.
 */
typedef struct {
    V max, shift, floor, magic; /* as softmax_shift() */
    V count; /* of classes with the largest logit */
    V top, top_low; /* A, and what it lacks of itself */
    V rest, low; /* the sum of the other classes */
    FN(FlFactor) factor; /* what e_k (S - e_k) is multiplied by */
} FN(FlCurvature);

FL_INLINE FN(FlCurvature) FN(fl_begin_curvature)(V max)
{
    const V zero = vsplat(R(0.0));
    FN(FlCurvature) c = {max, zero, zero, zero, zero, zero, zero, zero, zero, {zero, zero}};
    (void)softmax_shift(max, &c.shift, &c.floor, &c.magic);
    return c;
}

/* Exponentials of n <= 4 vectors (a constant) of logits, into e and e_low and the sums: of the last vector the first
 * `last` lanes. */
FL_INLINE void FN(fl_curvature_add)(const V f[], ptrdiff_t n, ptrdiff_t last, REAL *e, REAL *e_low,
                                    FN(FlCurvature) * c)
{
    const V floors[4] = {c->floor, c->floor, c->floor, c->floor};
    const V magics[4] = {c->magic, c->magic, c->magic, c->magic};
    V x[4], raised[4];
    FN(FlExpParts) parts[4];
    for (ptrdiff_t j = 0; j < n; j++) {
        x[j] = f[j] - c->shift;
        raised[j] = vmax(c->floor, x[j]); /* NaN stays */
    }
    FN(fl_softmax_exps_parts)(x, n, floors, magics, parts);
    for (ptrdiff_t j = 0; j < n; j++) {
        const VI is_top = f[j] == c->max;
        V low, one = vkeep(is_top, vsplat(R(1.0)));
        V high = FN(fl_softmax_exp_of_parts)(raised[j], c->magic, parts[j], &low);
        vstore(e + j * LANES, high);
        vstore(e_low + j * LANES, low);
        c->top = vselect(is_top, high, c->top);
        c->top_low = vselect(is_top, low, c->top_low);
        high = vkeep(is_top == 0, high);
        low = vkeep(is_top == 0, low);
        if (last < LANES && j == n - 1) {
            high = vkeep_first(last, high);
            low = vkeep_first(last, low);
            one = vkeep_first(last, one);
        }
        c->count = c->count + one;
        FN(fl_add_compensated)(&c->rest, &c->low, high);
        c->low = c->low + low;
    }
}

/* All is added: `rest` gets the other classes with the largest logit, and Q w is known. */
FL_INLINE void FN(fl_settle_curvature)(FN(FlCurvature) * c, FN(FlFactor) by)
{
    V error;
    const V more = FN(fl_product)(c->count - R(1.0), c->top, &error);
    FN(fl_add_compensated)(&c->rest, &c->low, more);
    c->low = c->low + (error + (c->count - R(1.0)) * c->top_low);
    FN(fl_hard_settle)(&c->rest, &c->low);
    const FN(FlExpSum) sum = {c->top, c->rest, c->low + c->top_low};
    const FN(FlFactor) inverse = FN(fl_softmax_inverse)(&sum);
    const FN(FlFactor) whole = {inverse.high * FL_RAISE, inverse.low * FL_RAISE};
    c->factor = FN(fl_scale_factor)(whole, FN(fl_scale_factor)(inverse, by));
    c->top = c->top * FL_UNLIFT;
    c->top_low = c->top_low * FL_UNLIFT;
    c->rest = c->rest * FL_UNLIFT;
    c->low = c->low * FL_UNLIFT;
}

FL_INLINE V FN(fl_curvature_of)(const FN(FlCurvature) * c, V f, V e, V e_low)
{
    const VI is_top = f == c->max;
    V apart_low, others_low, error;
    const V apart = FN(fl_two_sum)(c->top, -(e * FL_UNLIFT), &apart_low);
    V others = FN(fl_two_sum)(c->rest, apart, &others_low);
    others_low = (others_low + apart_low) + (c->low + (c->top_low - e_low * FL_UNLIFT));
    others = vselect(is_top, c->rest, others);
    others_low = vselect(is_top, c->low, others_low);
    const V product = FN(fl_product)(e, others, &error);
    error = error + (e * others_low + e_low * others);
    return product * c->factor.high + (product * c->factor.low + error * c->factor.high);
}

/* Whether Q w of some lane must not meet the lifted 1 / S, which would underflow or overflow. */
FL_INLINE int FN(fl_is_extreme)(FN(FlFactor) by, ptrdiff_t n_classes)
{
    const V least = vsplat(FL_WEIGHT_LEAST * (REAL)n_classes), most = vsplat(FL_WEIGHT_MOST);
    return FN(fl_any)((by.high != R(0.0)) & ((by.high < least) | (by.high > most)));
}

/* Such a Q w multiplies the result: a large one that of lifted exponentials, which keep their digits. */
FL_INLINE FN(FlFactor) FN(fl_early_factor)(FN(FlFactor) by, int extreme)
{
    if (extreme) {
        by.high = vselect(by.high > R(1.0), vsplat(FL_RAISE), vsplat(R(1.0)));
        by.low = vsplat(R(0.0));
    }
    return by;
}

FL_INLINE V FN(fl_late_factor)(V x, FN(FlFactor) by, int extreme)
{
    if (FL_UNLIKELY(extreme)) {
        const V unit = vselect(by.high > R(1.0), vsplat(FL_UNLIFT), vsplat(R(1.0)));
        const FN(FlFactor) late = {by.high * unit, by.low * unit};
        return FN(fl_times)(x, late);
    }
    return x;
}

/* A tile: n_classes columns at f, whose place those of h may take. room: of 2 n_classes vectors. */
FL_OUTLINE void FN(fl_curvature_tile)(const REAL *f, ptrdiff_t stride, ptrdiff_t n_classes,
                                      FN(FlFactor) by, REAL *room, REAL *h, ptrdiff_t h_stride)
{
    const int extreme = FN(fl_is_extreme)(by, n_classes);
    FN(FlCurvature) c = FN(fl_begin_curvature)(max_columns(f, stride, n_classes));
    REAL *e = room, *e_low = room + n_classes * LANES;
    V x[4];
    ptrdiff_t k = 0;
    for (; k + 4 <= n_classes; k += 4) {
        for (ptrdiff_t j = 0; j < 4; j++)
            x[j] = vload(f + (k + j) * stride);
        FN(fl_curvature_add)(x, 4, LANES, e + k * LANES, e_low + k * LANES, &c);
    }
    for (; k < n_classes; k++) {
        x[0] = vload(f + k * stride);
        FN(fl_curvature_add)(x, 1, LANES, e + k * LANES, e_low + k * LANES, &c);
    }
    FN(fl_settle_curvature)(&c, FN(fl_early_factor)(by, extreme));
    for (k = 0; k < n_classes; k++) {
        const V value = FN(fl_curvature_of)(&c, vload(f + k * stride), vload(e + k * LANES),
                                            vload(e_low + k * LANES));
        vstore(h + k * h_stride, FN(fl_late_factor)(value, by, extreme));
    }
}

/* The sum of all lanes of a sum and of what it has lost */
FL_INLINE REAL FN(fl_fold_lanes)(V sum, V lost, REAL *low)
{
    FL_ALIGNED REAL sums[LANES], lows[LANES];
    REAL total, error;
    vstore(sums, sum);
    vstore(lows, lost);
    total = sums[0];
    error = lows[0];
    for (ptrdiff_t l = 1; l < LANES; l++) {
        const REAL next = total + sums[l], kept = next - total;
        error += ((total - (next - kept)) + (sums[l] - kept)) + lows[l];
        total = next;
    }
    *low = error;
    return total;
}

/* The largest lane, NaN aside, and where it is */
FL_INLINE REAL FN(fl_largest_lane)(V x, ptrdiff_t *lane)
{
    FL_ALIGNED REAL lanes[LANES];
    REAL largest = (REAL)-INFINITY;
    vstore(lanes, x);
    *lane = 0;
    for (ptrdiff_t l = 0; l < LANES; l++)
        if (lanes[l] > largest) {
            largest = lanes[l];
            *lane = l;
        }
    return largest;
}

/* A row, n_classes >= LANES; e and e_low have room for whole vectors. h may be f itself. */
FL_OUTLINE void FN(fl_curvature_row)(const REAL *f, ptrdiff_t n_classes, FN(FlFactor) by, REAL *e,
                                     REAL *e_low, REAL *h)
{
    const int extreme = FN(fl_is_extreme)(by, n_classes);
    const ptrdiff_t whole = n_classes - n_classes % LANES, last = n_classes - whole;
    const V nothing = vsplat((REAL)-INFINITY);
    const V max = vmax(vload(f + n_classes - LANES), max_columns(f, LANES, n_classes / LANES));
    FL_ALIGNED REAL lanes[LANES];
    ptrdiff_t at, k = 0;
    FN(FlCurvature) c = FN(fl_begin_curvature)(vsplat(FN(fl_largest_lane)(max, &at)));
    V x[4];
    REAL low;
    for (; k + 4 * LANES <= whole; k += 4 * LANES) {
        for (ptrdiff_t j = 0; j < 4; j++)
            x[j] = vload(f + k + j * LANES);
        FN(fl_curvature_add)(x, 4, LANES, e + k, e_low + k, &c);
    }
    for (; k < whole; k += LANES) {
        x[0] = vload(f + k);
        FN(fl_curvature_add)(x, 1, LANES, e + k, e_low + k, &c);
    }
    if (last) {
        x[0] = vload_partial(f + whole, last, nothing);
        FN(fl_curvature_add)(x, 1, last, e + whole, e_low + whole, &c);
    }
    vstore(lanes,
           c.top_low); /* of each lane's own of the largest, if any: all have the same bits */
    c.top = vsplat(FN(fl_largest_lane)(c.top, &at));
    c.top_low = vsplat(lanes[at]);
    c.count = vsplat(FN(fl_fold_lanes)(c.count, vsplat(R(0.0)), &low));
    c.rest = vsplat(FN(fl_fold_lanes)(c.rest, c.low, &low));
    c.low = vsplat(low);
    FN(fl_settle_curvature)(&c, FN(fl_early_factor)(by, extreme));
    for (k = 0; k < whole; k += LANES)
        vstore(h + k, FN(fl_late_factor)(
                          FN(fl_curvature_of)(&c, vload(f + k), vload(e + k), vload(e_low + k)), by,
                          extreme));
    if (last) {
        x[0] = vload_partial(f + k, last, nothing);
        const V value = FN(fl_curvature_of)(&c, x[0], vload(e + k), vload(e_low + k));
        vstore_partial(h + k, last, FN(fl_late_factor)(value, by, extreme));
    }
}

/* What label smoothing gives each sample of Q: s / C times the sum of the class weights */
FL_INLINE FN(FlFactor) FN(fl_even_total)(const FlCrossEntropyBlock *block)
{
    FN(FlFactor) even;
#if FL_BITS == 64
    V error, back_error;
    const V classes = vsplat((double)block->n_classes);
    const V product =
        FN(fl_product)(vsplat(block->label_smoothing), vsplat(block->class_weight_sum), &error);
    even.high = product / classes;
    const V back = FN(fl_product)(even.high, classes, &back_error);
    even.low = (((product - back) - back_error) + error) / classes;
#else
    const double total =
        block->label_smoothing * block->class_weight_sum / (double)block->n_classes;
    even.high = vsplat((float)total);
    even.low = vsplat((float)(total - (double)(float)total));
#endif
    return even;
}

/* Q of the samples `start` to start + n - 1, whose labels are smoothed */
FL_INLINE void FN(fl_smooth_totals)(const FlCrossEntropyBlock *block, const FN(FlLabels) * labels,
                                    ptrdiff_t n, REAL *total, REAL *total_low)
{
    const REAL *class_weight = block->class_weight;
    const double s = block->label_smoothing, keep = 1.0 - s;
    const FN(FlFactor) even = FN(fl_even_total)(block);
    const FN(FlFactor) kept = {vsplat((REAL)keep),
                               vsplat((REAL)((keep - (double)(REAL)keep) + ((1.0 - keep) - s)))};
    for (ptrdiff_t i = 0; i < n; i++)
        total[i] = class_weight ? class_weight[labels->label[i]] : R(1.0);
    for (ptrdiff_t i = n; i % LANES; i++)
        total[i] = R(0.0);
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        const FN(FlFactor) own = {vload(total + j), vsplat(R(0.0))};
        FN(FlFactor) q = FN(fl_scale_factor)(own, kept);
        V lost;
        q.high = FN(fl_two_sum)(q.high, even.high, &lost);
        q.low = q.low + (even.low + lost);
        if (!class_weight) { /* (1 - s) + s */
            q.high = vsplat(R(1.0));
            q.low = vsplat(R(0.0));
        }
        vstore(total + j, q.high);
        vstore(total_low + j, q.low);
    }
}

/* One term of Q of soft labels, added to it */
FL_INLINE void FN(fl_soft_total_add)(const FlCrossEntropyBlock *block, V t, V weight,
                                     FN(FlFactor) * total)
{
    const REAL keep = (REAL)(1.0 - block->label_smoothing);
    const REAL floor = (REAL)(block->label_smoothing / (double)block->n_classes);
    V error;
    const V q = FN(fl_product)(t * keep + floor, weight, &error);
    FN(fl_add_compensated)(&total->high, &total->low, q);
    total->low = total->low + error;
}

/* Q of a tile of samples, and of one in all lanes */
FL_INLINE FN(FlFactor) FN(fl_soft_tile_total)(const FlCrossEntropyBlock *block, const REAL *t)
{
    const REAL *class_weight = block->class_weight;
    FN(FlFactor) total = {vsplat(R(0.0)), vsplat(R(0.0))};
    for (ptrdiff_t k = 0; k < block->n_classes; k++)
        FN(fl_soft_total_add)(block, vload(t + k * LANES),
                              vsplat(class_weight ? class_weight[k] : R(1.0)), &total);
    return total;
}

FL_INLINE FN(FlFactor) FN(fl_soft_row_total)(const FlCrossEntropyBlock *block, const REAL *t)
{
    const REAL *class_weight = block->class_weight;
    FN(FlFactor) total = {vsplat(R(0.0)), vsplat(R(0.0))};
    REAL low;
    for (ptrdiff_t k = 0; k < block->n_classes; k += LANES) {
        const ptrdiff_t left = block->n_classes - k;
        V some = vload(t + (left < LANES ? block->n_classes - LANES : k));
        V weight = FN(fl_class_weights)(class_weight, left < LANES ? block->n_classes - LANES : k);
        if (left < LANES) /* what the vector before has added */
            weight = FN(fl_last_lanes)(weight, left);
        FN(fl_soft_total_add)(block, some, weight, &total);
    }
    total.high = vsplat(FN(fl_fold_lanes)(total.high, total.low, &low));
    total.low = vsplat(low);
    return total;
}

/* Whether samples that lie side by side are lanes: where scratch has room for three tiles. */
FL_INLINE int FN(fl_curvature_is_direct)(const FlCrossEntropyBlock *block)
{
    return block->sample_stride == 1 && block->hessian_sample_stride == 1 &&
           3 * block->n_classes * (ptrdiff_t)sizeof(V) <= FL_CLASS_PANEL_BYTES;
}

/* `count` samples from i on, at most LANES, of few classes or side by side */
FL_INLINE void FN(fl_curvature_tiled)(const FlCrossEntropyBlock *block, int kind, ptrdiff_t i,
                                      ptrdiff_t count, FN(FlFactor) by)
{
    const ptrdiff_t n_classes = block->n_classes, tile = n_classes * LANES;
    const REAL *raw = (const REAL *)block->raw_prediction + i * block->sample_stride;
    REAL *hessian = (REAL *)block->hessian + i * block->hessian_sample_stride;
    REAL *room = block->scratch, *own = room + 2 * tile;
    const FN(FlColumns) columns = {own, LANES, tile};
    if (kind == FL_TARGET_SOFT) {
        const REAL *soft = (const REAL *)block->targets + i * block->target_sample_stride;
        FN(fl_load_panel)(soft, block->target_sample_stride, block->target_class_stride, count,
                          n_classes, soft, columns);
        by = FN(fl_scale_factor)(FN(fl_soft_tile_total)(block, own), by);
    }
    if (count == LANES && FN(fl_curvature_is_direct)(block)) {
        FN(fl_curvature_tile)(raw, block->class_stride, n_classes, by, room, hessian,
                              block->hessian_class_stride);
        return;
    }
    FN(fl_load_panel)(raw, block->sample_stride, block->class_stride, count, n_classes, raw,
                      columns);
    FN(fl_curvature_tile)(own, LANES, n_classes, by, room, own, LANES);
    FN(fl_store_panel)(columns, count, n_classes, hessian, block->hessian_sample_stride,
                       block->hessian_class_stride);
}

/* Sample i, of n_classes >= LANES */
FL_INLINE void FN(fl_curvature_of_row)(const FlCrossEntropyBlock *block, int kind, ptrdiff_t i,
                                       FN(FlFactor) by)
{
    const ptrdiff_t n_classes = block->n_classes;
    const ptrdiff_t pitch = (n_classes + LANES - 1) / LANES * LANES;
    REAL *hessian = (REAL *)block->hessian + i * block->hessian_sample_stride;
    REAL *e = block->scratch, *e_low = e + pitch, *copy = e_low + pitch;
    const int through = block->hessian_class_stride != 1;
    if (kind == FL_TARGET_SOFT) {
        const REAL *t =
            FN(fl_contiguous_row)((const REAL *)block->targets + i * block->target_sample_stride,
                                  block->target_class_stride, n_classes, copy);
        by = FN(fl_scale_factor)(FN(fl_soft_row_total)(block, t), by);
    }
    const REAL *f =
        FN(fl_contiguous_row)((const REAL *)block->raw_prediction + i * block->sample_stride,
                              block->class_stride, n_classes, copy);
    FN(fl_curvature_row)(f, n_classes, by, e, e_low, through ? copy : hessian);
    for (ptrdiff_t k = 0; k < n_classes && through; k++)
        hessian[k * block->hessian_class_stride] = copy[k];
}

/* The Hessian of a block whose labels are read, and nothing else of it. */
FL_INLINE void FN(fl_curvature_of_kind)(FlCrossEntropyBlock *block, int kind)
{
    const ptrdiff_t n_samples = block->n_samples;
    const int tiled = block->n_classes <= FL_TILE_CLASSES || FN(fl_curvature_is_direct)(block);
    FL_ALIGNED REAL total[FL_CLASS_CHUNK_ROWS], total_low[FL_CLASS_CHUNK_ROWS];
    FN(FlLabels) labels;
    FN(fl_begin_labels)(block, &labels);
    for (ptrdiff_t i = 0; i < n_samples; i += FL_CLASS_CHUNK_ROWS) {
        const ptrdiff_t left = n_samples - i;
        const ptrdiff_t n = left < FL_CLASS_CHUNK_ROWS ? left : FL_CLASS_CHUNK_ROWS;
        FN(fl_read_labels)(block, kind, i, n, &labels);
        if (kind == FL_TARGET_SMOOTH)
            FN(fl_smooth_totals)(block, &labels, n, total, total_low);
        for (ptrdiff_t j = 0; j < n; j += LANES) {
            const ptrdiff_t count = n - j < LANES ? n - j : LANES;
            FN(FlFactor) by = FN(fl_scaled)(&labels, j);
            if (kind == FL_TARGET_SMOOTH) {
                const FN(FlFactor) q = {vload(total + j), vload(total_low + j)};
                by = FN(fl_scale_factor)(q, by);
            }
            if (tiled) {
                FN(fl_curvature_tiled)(block, kind, i + j, count, by);
                continue;
            }
            FL_ALIGNED REAL high[LANES], low[LANES];
            vstore(high, by.high);
            vstore(low, by.low);
            for (ptrdiff_t r = 0; r < count; r++) {
                const FN(FlFactor) own = {vsplat(high[r]), vsplat(low[r])};
                FN(fl_curvature_of_row)(block, kind, i + j + r, own);
            }
        }
        FN(fl_clear_all_ignored)(block, &labels, i, n);
    }
}

FL_OUTLINE void FN(fl_hard_curvature)(FlCrossEntropyBlock *block)
{
    FN(fl_curvature_of_kind)(block, FL_TARGET_HARD);
}

FL_OUTLINE void FN(fl_smooth_curvature)(FlCrossEntropyBlock *block)
{
    FN(fl_curvature_of_kind)(block, FL_TARGET_SMOOTH);
}

FL_OUTLINE void FN(fl_soft_curvature)(FlCrossEntropyBlock *block)
{
    FN(fl_curvature_of_kind)(block, FL_TARGET_SOFT);
}
