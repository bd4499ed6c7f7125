/* Loss and gradient of hard labels row by row, for many classes: as hard_tile.h, with classes as lanes. Groups of
 * rows go through each step together, so that what is left across a vector at the end of each is done for
 * LANES rows at once. class_row.h does the rest.
 *
 * The exponentials of a group wait in scratch; there each label's gives way, first to 0 while the others are
 * added, then to minus their sum: scaled, it is the gradient.
 *
 * Included once per precision, after hard_tile.h, relatives.h, smooth.h and class_row.h.
 */

/* A row of so many vectors is long. */
#undef FL_LONG_ROW
#define FL_LONG_ROW 24

/* n_classes >= LANES: the vector that ends the row overlaps the one before. */
FL_INLINE V FN(fl_hard_row_max)(const REAL *x, ptrdiff_t n_classes)
{
    return vmax(vload(x + n_classes - LANES), max_columns(x, LANES, n_classes / LANES));
}

/* Exponentials of a row, the last vector filled up with zeros. Fetches the lines of `ahead`, another row, unless
 * that is x itself. */
FL_INLINE void FN(fl_hard_row_exp)(const REAL *x, ptrdiff_t n_classes, const REAL *ahead,
                                   FN(FlAdded) added, V floor, V magic, REAL *e)
{
    V t[4];
    ptrdiff_t k = 0;
    for (; k + 4 * LANES <= n_classes; k += 4 * LANES) {
        if (ahead != x)
            for (ptrdiff_t b = 0; b < 4 * LANES; b += FL_LINE)
                FL_PREFETCH_FAR(ahead + k + b);
        FN(fl_exp_of_row)(x + k, 4, e + k, FN(fl_added_from)(added, k), floor, magic, t);
    }
    if (k + 2 * LANES <= n_classes) {
        FN(fl_exp_of_row)(x + k, 2, e + k, FN(fl_added_from)(added, k), floor, magic, t);
        k += 2 * LANES;
    }
    if (k + LANES <= n_classes) {
        FN(fl_exp_of_row)(x + k, 1, e + k, FN(fl_added_from)(added, k), floor, magic, t);
        k += LANES;
    }
    if (k < n_classes)
        vstore(e + k,
               FN(fl_exp_of_part)(x + k, n_classes - k, FN(fl_added_from)(added, k), floor, magic));
}

/* The lanes' sums of n vectors, by fours */
FL_INLINE void FN(fl_hard_row_sum)(const REAL *e, ptrdiff_t n, V *sum, V *low)
{
    ptrdiff_t k = 0;
    *sum = *low = vsplat(R(0.0));
    for (; k + 4 <= n; k += 4) {
        const REAL *p = e + k * LANES;
        FN(fl_add_compensated)(sum, low,
                               (vload(p) + vload(p + LANES)) +
                                   (vload(p + 2 * LANES) + vload(p + 3 * LANES)));
    }
    for (; k < n; k++)
        FN(fl_add_compensated)(sum, low, vload(e + k * LANES));
}

/* Where a row is long, the exponentials are added as they come, eight vectors as a tree: elements begin to end,
 * a multiple of eight vectors. As many of `lines` are flushed. */
FL_INLINE void FN(fl_hard_row_run)(const REAL *x, ptrdiff_t begin, ptrdiff_t end, const REAL *ahead,
                                   FN(FlAdded) added, V floor, V magic, REAL *e,
                                   FN(FlLines) * lines, V *sum, V *low)
{
    for (ptrdiff_t k = begin; k < end; k += 8 * LANES) {
        V t[8];
        FN(fl_lines_flush)(lines, 8 * LANES < FL_LINE ? FL_LINE : 8 * LANES);
        if (ahead != x)
            for (ptrdiff_t b = 0; b < 8 * LANES; b += FL_LINE)
                FL_PREFETCH_FAR(ahead + k + b);
        FN(fl_exp_of_row)(x + k, 4, e + k, FN(fl_added_from)(added, k), floor, magic, t);
        FN(fl_exp_of_row)(x + k + 4 * LANES, 4, e + k + 4 * LANES,
                          FN(fl_added_from)(added, k + 4 * LANES), floor, magic, t + 4);
        for (ptrdiff_t width = 4; width >= 1; width /= 2)
            for (ptrdiff_t j = 0; j < width; j++)
                t[j] = t[j] + t[j + width];
        FN(fl_add_compensated)(sum, low, t[0]);
    }
}

/* A long row; returns E. The eight vectors about the label, and what is left at the end, are added last. */
FL_INLINE REAL FN(fl_hard_long_row_added)(const REAL *x, ptrdiff_t n_classes, ptrdiff_t label,
                                          const REAL *ahead, FN(FlAdded) added, V floor, V magic,
                                          REAL *e, FN(FlLines) * lines, V *sum, V *low)
{
    const ptrdiff_t chunk = 8 * LANES, whole = n_classes - n_classes % chunk;
    const ptrdiff_t skip = label < whole ? label - label % chunk : whole;
    V a, b;
    REAL own;
    *sum = *low = vsplat(R(0.0));
    if (skip < whole)
        FN(fl_hard_row_exp)(x + skip, chunk, x + skip, FN(fl_added_from)(added, skip), floor, magic,
                            e + skip);
    FN(fl_hard_row_exp)(x + whole, n_classes - whole, x + whole, FN(fl_added_from)(added, whole),
                        floor, magic, e + whole);
    own = e[label];
    e[label] = R(0.0);
    FN(fl_hard_row_run)(x, 0, skip, ahead, added, floor, magic, e, lines, sum, low);
    if (skip < whole) {
        FN(fl_hard_row_run)(x, skip + chunk, whole, ahead, added, floor, magic, e, lines, sum, low);
        FN(fl_hard_row_sum)(e + skip, 8, &a, &b);
        *low = *low + b;
        FN(fl_add_compensated)(sum, low, a);
    }
    FN(fl_hard_row_sum)(e + whole, (n_classes - whole + LANES - 1) / LANES, &a, &b);
    *low = *low + b;
    FN(fl_add_compensated)(sum, low, a);
    return own;
}

FL_OUTLINE REAL FN(fl_hard_long_row)(const REAL *x, ptrdiff_t n_classes, ptrdiff_t label,
                                     const REAL *ahead, V floor, V magic, REAL *e,
                                     FN(FlLines) * lines, V *sum, V *low)
{
    const FN(FlAdded) nothing = {FL_ADDED_NOTHING, 0, 0, NULL, NULL};
    return FN(fl_hard_long_row_added)(x, n_classes, label, ahead, nothing, floor, magic, e, lines,
                                      sum, low);
}

FL_OUTLINE REAL FN(fl_little_long_row)(const REAL *x, ptrdiff_t n_classes, ptrdiff_t label,
                                       const REAL *ahead, const REAL *gain, V floor, V magic,
                                       REAL *e, FN(FlLines) * lines, V *sum, V *low)
{
    const FN(FlAdded) added = {FL_ADDED_LITTLE, 1, 0, gain, gain};
    return FN(fl_hard_long_row_added)(x, n_classes, label, ahead, added, floor, magic, e, lines,
                                      sum, low);
}

FL_OUTLINE REAL FN(fl_any_long_row)(const REAL *x, ptrdiff_t n_classes, ptrdiff_t label,
                                    const REAL *ahead, const REAL *shift, const REAL *gain, V floor,
                                    V magic, REAL *e, FN(FlLines) * lines, V *sum, V *low)
{
    const FN(FlAdded) added = {FL_ADDED_ANY, 1, 0, shift, gain};
    return FN(fl_hard_long_row_added)(x, n_classes, label, ahead, added, floor, magic, e, lines,
                                      sum, low);
}

/* n elements of a row of the gradient, but for the label's class unless that is FL_SCALE_HARD */
FL_INLINE void FN(fl_hard_row_scale)(const REAL *e, ptrdiff_t n, const FN(FlHardScale) * scale,
                                     REAL *to)
{
    ptrdiff_t k = 0;
    for (; k + 4 * LANES <= n; k += 4 * LANES)
        for (ptrdiff_t j = 0; j < 4 * LANES; j += LANES)
            vstore(to + k + j, FN(fl_scale_other)(scale, vload(e + k + j)));
    for (; k + LANES <= n; k += LANES)
        vstore(to + k, FN(fl_scale_other)(scale, vload(e + k)));
    if (k < n)
        vstore_partial(to + k, n - k, FN(fl_scale_other)(scale, vload(e + k)));
}

/* The exponentials of n rows and their sums. Whether no sample is far, and no label hopeless. Meanwhile `lines`
 * are flushed. */
FL_INLINE int FN(fl_hard_row_sums_added)(const FlCrossEntropyBlock *block,
                                         const FN(FlRowScratch) * s, ptrdiff_t start, ptrdiff_t n,
                                         FN(FlAdded) added, FN(FlHard) * hard, FN(FlLines) * lines)
{
    const ptrdiff_t share = FN(fl_lines_share)(lines, n);
    const ptrdiff_t n_classes = block->n_classes, n_vectors = (n_classes + LANES - 1) / LANES;
    const REAL *raw = (const REAL *)block->raw_prediction + start * block->sample_stride;
    const int is_long = n_vectors >= FL_LONG_ROW;
    const V zero = vsplat(R(0.0));
    FL_ALIGNED REAL floors[LANES];
    const REAL *x[LANES] = {NULL};
    V a[LANES], b[LANES], distance[LANES], distance_low[LANES];
    for (ptrdiff_t r = 0; r < LANES; r++) {
        a[r] = b[r] = zero;
        if (added.measures)
            distance[r] = distance_low[r] = zero;
        hard->own[r] = FL_RAISE;
        if (added.picks)
            hard->raw[r] = R(0.0);
        if (hard->label[r] < 0)
            continue;
        x[r] = FN(fl_contiguous_row)(raw + r * block->sample_stride, block->class_stride, n_classes,
                                     s->x + r * s->pitch);
        a[r] = added.kind == FL_ADDED_ANY ? FN(fl_max_of_row)(x[r], n_classes, added)
                                          : FN(fl_hard_row_max)(x[r], n_classes);
        if (added.picks)
            hard->raw[r] = x[r][hard->label[r]];
    }
    const V max = reduce_max(a);
    V floor, magic;
    softmax_scale(max, &floor, &magic);
    if (added.kind == FL_ADDED_LITTLE)
        floor = floor + FL_LITTLE;
    if (FL_UNLIKELY(vany((vabs(max) < FL_FAR) == 0)))
        return 0;
    vstore(floors, floor);
    vstore(hard->magic, magic);
    if (added.measures || added.picks)
        vstore(hard->max, max);
    for (ptrdiff_t r = 0; r < n; r++) {
        REAL *e = s->e + r * s->pitch;
        const REAL *ahead;
        if (hard->label[r] < 0)
            continue;
        ahead = block->class_stride == 1 ? x[r] + n * block->sample_stride : x[r];
        floor = vsplat(floors[r]);
        magic = vsplat(hard->magic[r]);
        if (added.measures)
            FN(fl_row_distance)(x[r], n_classes, vsplat(hard->max[r]), &distance[r],
                                &distance_low[r]);
        if (is_long) {
            const ptrdiff_t label = hard->label[r];
            if (added.kind == FL_ADDED_ANY)
                hard->own[r] =
                    FN(fl_any_long_row)(x[r], n_classes, label, ahead, added.shift, added.gain,
                                        floor, magic, e, lines, &a[r], &b[r]);
            else if (added.kind == FL_ADDED_LITTLE)
                hard->own[r] = FN(fl_little_long_row)(x[r], n_classes, label, ahead, added.gain,
                                                      floor, magic, e, lines, &a[r], &b[r]);
            else
                hard->own[r] = FN(fl_hard_long_row)(x[r], n_classes, label, ahead, floor, magic, e,
                                                    lines, &a[r], &b[r]);
            continue;
        }
        FN(fl_lines_flush)(lines, share);
        FN(fl_hard_row_exp)(x[r], n_classes, ahead, added, floor, magic, e);
        hard->own[r] = e[hard->label[r]];
        e[hard->label[r]] = R(0.0);
    }
    for (ptrdiff_t r = 0; r < LANES; r++) {
        if (hard->label[r] < 0)
            a[r] = b[r] = zero;
        else if (!is_long)
            FN(fl_hard_row_sum)(s->e + r * s->pitch, n_vectors, &a[r], &b[r]);
    }
    FN(fl_row_reduce)(a, b);
    FN(fl_hard_settle)(a, b);
    vstore(hard->others, a[0]);
    vstore(hard->low, b[0]);
    if (added.measures) {
        FN(fl_row_reduce)(distance, distance_low);
        vstore(hard->distance, FN(fl_carried_sum)(distance[0], distance_low[0]));
    }
    return vall((vload(hard->own) >= FL_HOPELESS) & (a[0] >= R(0.0)));
}

FL_OUTLINE int FN(fl_hard_row_sums)(const FlCrossEntropyBlock *block, const FN(FlRowScratch) * s,
                                    ptrdiff_t start, ptrdiff_t n, FN(FlHard) * hard,
                                    FN(FlLines) * lines)
{
    const FN(FlAdded) nothing = {FL_ADDED_NOTHING, 0, 0, NULL, NULL};
    return FN(fl_hard_row_sums_added)(block, s, start, n, nothing, hard, lines);
}

FL_OUTLINE int FN(fl_related_row_sums)(const FlCrossEntropyBlock *block, const FN(FlRowScratch) * s,
                                       ptrdiff_t start, ptrdiff_t n, FN(FlHard) * hard,
                                       FN(FlLines) * lines)
{
    const FN(FlAdded) nothing = {FL_ADDED_NOTHING, 1, 0, NULL, NULL};
    return FN(fl_hard_row_sums_added)(block, s, start, n, nothing, hard, lines);
}

FL_OUTLINE int FN(fl_smooth_row_sums)(const FlCrossEntropyBlock *block, const FN(FlRowScratch) * s,
                                      ptrdiff_t start, ptrdiff_t n, FN(FlHard) * hard,
                                      FN(FlLines) * lines)
{
    const FN(FlAdded) nothing = {FL_ADDED_NOTHING, 1, 1, NULL, NULL};
    return FN(fl_hard_row_sums_added)(block, s, start, n, nothing, hard, lines);
}

FL_OUTLINE int FN(fl_little_row_sums)(const FlCrossEntropyBlock *block, const FN(FlRowScratch) * s,
                                      ptrdiff_t start, ptrdiff_t n, const FlRelative *relative,
                                      FN(FlHard) * hard, FN(FlLines) * lines)
{
    const FN(FlAdded) added = {FL_ADDED_LITTLE, 1, 0, relative->gain, relative->gain};
    return FN(fl_hard_row_sums_added)(block, s, start, n, added, hard, lines);
}

FL_OUTLINE int FN(fl_any_row_sums)(const FlCrossEntropyBlock *block, const FN(FlRowScratch) * s,
                                   ptrdiff_t start, ptrdiff_t n, const FlRelative *relative,
                                   FN(FlHard) * hard, FN(FlLines) * lines)
{
    const FN(FlAdded) added = {FL_ADDED_ANY, 1, 0, relative->shift, relative->gain};
    return FN(fl_hard_row_sums_added)(block, s, start, n, added, hard, lines);
}

/* Elements k to k + m of the gradient of row r */
FL_INLINE void FN(fl_hard_row_piece)(const FN(FlHard) * hard, int kind, ptrdiff_t r, const REAL *e,
                                     ptrdiff_t k, ptrdiff_t m, REAL *to)
{
    const V zero = vsplat(R(0.0));
    FN(FlHardScale)
    scale = {
        kind, {vsplat(hard->factor[r]), vsplat(hard->factor_low[r])}, {zero, zero}, zero, zero};
    if (kind == FL_SCALE_RELATED)
        scale.outer = vsplat(hard->outer[r]);
    if (kind == FL_SCALE_SMOOTH) {
        scale.even.high = vsplat(hard->even[r]);
        scale.even.low = vsplat(hard->even_low[r]);
    }
    FN(fl_hard_row_scale)(e + k, m, &scale, to);
    if (kind != FL_SCALE_HARD && hard->label[r] >= k && hard->label[r] < k + m)
        to[hard->label[r] - k] = hard->at_label[r];
}

/* The gradients of n rows: to their places, or into `lines` unless that is NULL. Those of rows for which there is
 * no room there leave at once. */
FL_INLINE void FN(fl_hard_row_gradients_of)(const FlCrossEntropyBlock *block,
                                            const FN(FlRowScratch) * s, ptrdiff_t start,
                                            ptrdiff_t n, const FN(FlHard) * hard, int kind,
                                            FN(FlLines) * lines)
{
    const ptrdiff_t n_classes = block->n_classes, class_stride = block->gradient_class_stride;
    const ptrdiff_t piece = FL_CLASS_GROUP_BYTES / (ptrdiff_t)sizeof(REAL) / 4;
    const int is_long = n_classes * (ptrdiff_t)sizeof(REAL) > FL_CLASS_PANEL_BYTES / 2;
    REAL *room = lines ? FN(fl_lines_room)(lines) : NULL;
    for (ptrdiff_t r = 0; r < n; r++) {
        REAL *e = s->e + r * s->pitch;
        if (hard->label[r] >= 0 && kind == FL_SCALE_HARD)
            e[hard->label[r]] = -hard->others[r];
        else if (hard->label[r] < 0)
            memset(e, 0, (size_t)n_classes * sizeof(REAL));
    }
    for (ptrdiff_t r = 0; r < n; r++) {
        const REAL *e = s->e + r * s->pitch;
        REAL *to = (REAL *)block->gradient + (start + r) * block->gradient_sample_stride;
        if (lines && is_long)
            for (ptrdiff_t k = 0; k < n_classes; k += piece) {
                const ptrdiff_t m = n_classes - k < piece ? n_classes - k : piece;
                FN(fl_hard_row_piece)(hard, kind, r, e, k, m, FN(fl_lines_room)(lines));
                FN(fl_lines_push)(lines, m);
            }
        else if (lines) {
            FN(fl_hard_row_piece)(hard, kind, r, e, 0, n_classes, room);
            FN(fl_lines_push)(lines, n_classes);
            room += n_classes;
        } else if (class_stride == 1)
            FN(fl_hard_row_piece)(hard, kind, r, e, 0, n_classes, to);
        else {
            FN(fl_hard_row_piece)(hard, kind, r, e, 0, n_classes, s->out);
            for (ptrdiff_t k = 0; k < n_classes; k++)
                to[k * class_stride] = s->out[k];
        }
    }
}

FL_OUTLINE void FN(fl_hard_row_gradients)(const FlCrossEntropyBlock *block,
                                          const FN(FlRowScratch) * s, ptrdiff_t start, ptrdiff_t n,
                                          const FN(FlHard) * hard, FN(FlLines) * lines)
{
    FN(fl_hard_row_gradients_of)(block, s, start, n, hard, FL_SCALE_HARD, lines);
}

FL_OUTLINE void FN(fl_related_row_gradients)(const FlCrossEntropyBlock *block,
                                             const FN(FlRowScratch) * s, ptrdiff_t start,
                                             ptrdiff_t n, const FN(FlHard) * hard,
                                             FN(FlLines) * lines)
{
    const int kind = hard->has_outer ? FL_SCALE_RELATED : FL_SCALE_LABEL;
    FN(fl_hard_row_gradients_of)(block, s, start, n, hard, kind, lines);
}

FL_OUTLINE void FN(fl_smooth_row_gradients)(const FlCrossEntropyBlock *block,
                                            const FN(FlRowScratch) * s, ptrdiff_t start,
                                            ptrdiff_t n, const FN(FlHard) * hard,
                                            FN(FlLines) * lines)
{
    FN(fl_hard_row_gradients_of)(block, s, start, n, hard, FL_SCALE_SMOOTH, lines);
}
