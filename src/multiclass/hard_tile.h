/* Loss and gradient of hard labels with samples as lanes: what most calls ask for, as long as no sample is far
 * from 0 (FL_FAR) or NaN, no label hopelessly wrong (FL_HOPELESS) and no weight extreme. The steps of class_tile.h
 * do the rest.
 *
 * The label's class is left out of the sum S of a sample, by comparison, instead of the largest class. With E
 * the exponential of the label, nothing cancels in
 *
 *   loss = log1p(S / E),    gradient_label = -S / (E + S),    gradient_k = e_k / (E + S)
 *
 * An ignored label is equal to no class: such a sample only needs a factor of 0.
 *
 * Included once per precision, after class_tile.h, hard_chunk.h and at_label.h.
 */

/* Below, E may have been raised to the least exponential, and S / E may overflow. */
#undef FL_HOPELESS
#if FL_BITS == 64
#define FL_HOPELESS 0x1p-600
#else
#define FL_HOPELESS 0x1p-50f
#endif

/* sum + x but where label == k */
FL_INLINE V FN(fl_add_others)(VI label, INT k, V sum, V x)
{
#if FL_VECTOR_BYTES == 64 && FL_BITS == 64
    const __mmask8 is = _mm512_cmpneq_epi64_mask((__m512i)label, _mm512_set1_epi64(k));
    return (V)_mm512_mask_add_pd((__m512d)sum, is, (__m512d)sum, (__m512d)x);
#elif FL_VECTOR_BYTES == 64
    const __mmask16 is = _mm512_cmpneq_epi32_mask((__m512i)label, _mm512_set1_epi32(k));
    return (V)_mm512_mask_add_ps((__m512)sum, is, (__m512)sum, (__m512)x);
#else
    return sum + vkeep((label == k) == 0, x);
#endif
}

typedef struct {
    V own, others, low; /* E; S and what it has lost to rounding */
    V raw; /* the logit at the label, if `added` picks it */
    FN(FlExpParts) parts; /* and of few classes its exponential's, */
    V own_low; /* and what E was rounded by */
    V max, distance, distance_low; /* if `added` measures it: from max */
} FN(FlHardSum);

/* n <= 5 classes (a constant) of a tile, added as a tree (`closely`: by twos), to a sum of 0 if they are the
 * `first`; label less the first of them, and `added` of that one. `low`: the parts of E instead of itself. */
FL_INLINE void FN(fl_hard_add)(const REAL *x, ptrdiff_t x_stride, REAL *e, ptrdiff_t e_stride,
                               ptrdiff_t n, int closely, int first, FN(FlAdded) added, VI label,
                               V floor, V magic, int low, FN(FlHardSum) * sum)
{
    V t[5], s[3];
    FN(FlExpParts) parts[5];
    if (added.picks)
        for (ptrdiff_t i = 0; i < n; i++)
            sum->raw = FN(fl_at_label)(label, (INT)i, vload(x + i * x_stride), sum->raw);
    if (added.measures) {
        V d[5];
        for (ptrdiff_t i = 0; i < n; i++)
            d[i] = sum->max - vload(x + i * x_stride);
        if (n == 5)
            d[0] = d[0] + d[4];
        for (ptrdiff_t i = 0; i + 2 < n && i < 2; i++)
            d[i] = d[i] + d[i + 2];
        if (n > 1)
            d[0] = d[0] + d[1];
        FN(fl_add_compensated)(&sum->distance, &sum->distance_low, d[0]);
    }
    FN(fl_exp_of_classes)(x, x_stride, n, e, e_stride, added, floor, magic, t, parts);
    for (ptrdiff_t i = 0; i < n; i++)
        if (low) {
            sum->parts.tail = FN(fl_at_label)(label, (INT)i, parts[i].tail, sum->parts.tail);
            if (FL_LOOKUP)
                sum->parts.scale = FN(fl_at_label)(label, (INT)i, parts[i].scale, sum->parts.scale);
        } else
            sum->own = FN(fl_at_label)(label, (INT)i, t[i], sum->own);
    for (ptrdiff_t i = 0; i < n; i += 2) {
        s[i / 2] = FN(fl_at_label)(label, (INT)i, vsplat(R(0.0)), t[i]);
        if (i + 1 < n)
            s[i / 2] = FN(fl_add_others)(label, (INT)i + 1, s[i / 2], t[i + 1]);
    }
    if (n > 2 && !closely)
        s[0] = s[0] + s[1];
    for (ptrdiff_t i = closely ? (n - 1) / 2 : 0; i >= 0; i--) {
        if (first)
            sum->others = s[i];
        else
            FN(fl_add_compensated)(&sum->others, &sum->low, s[i]);
        first = 0;
    }
}

/* What was lost, put where it counts. */
FL_INLINE void FN(fl_hard_settle)(V *sum, V *low)
{
    const V total = *sum + *low;
    *low = *low - (total - *sum);
    *sum = total;
}

/* One tile: the exponentials of all classes into e unless that is NULL, and their sums. */
FL_INLINE FN(FlHardSum) FN(fl_hard_sum)(const REAL *x, ptrdiff_t x_stride, REAL *e,
                                        ptrdiff_t e_stride, ptrdiff_t n_classes, int closely,
                                        FN(FlAdded) added, VI label, V max, V floor, V magic)
{
    const V zero = vsplat(R(0.0));
    const int low = added.picks && !added.measures && FN(fl_picks_low)(n_classes);
    const REAL *gain = added.kind == FL_ADDED_ANY ? added.gain : NULL;
    const VI at = label;
    FN(FlHardSum) sum = {zero, zero, zero, zero, {zero, zero}, zero, max, zero, zero};
    ptrdiff_t k = 0;
    /* fives where nothing is left then */
    const ptrdiff_t step = n_classes == 5 || n_classes == 10 ? 5 : 4;
    for (; k + step <= n_classes; k += step) {
        FN(fl_hard_add)(x, x_stride, e, e_stride, step, closely, k == 0, added, label, floor, magic,
                        low, &sum);
        label = label - (INT)step;
        added = FN(fl_added_from)(added, step);
        x += step * x_stride;
        e += e ? step * e_stride : 0;
    }
    switch (n_classes - k) {
    case 3:
        FN(fl_hard_add)(x, x_stride, e, e_stride, 3, closely, k == 0, added, label, floor, magic,
                        low, &sum);
        break;
    case 2:
        FN(fl_hard_add)(x, x_stride, e, e_stride, 2, closely, k == 0, added, label, floor, magic,
                        low, &sum);
        break;
    case 1:
        FN(fl_hard_add)(x, x_stride, e, e_stride, 1, closely, k == 0, added, label, floor, magic,
                        low, &sum);
        break;
    }
    FN(fl_hard_settle)(&sum.others, &sum.low);
    if (low)
        sum.own = FN(fl_softmax_exp_of_parts)(vmax(floor, sum.raw), magic, sum.parts, &sum.own_low);
    if (low && gain) {
        const V by = FN(fl_of_label)(gain, n_classes, at);
        V error;
        sum.own = FN(fl_product)(sum.own, by, &error);
        sum.own_low = error + sum.own_low * by;
    }
    return sum;
}

/* Whether no sample is far or NaN, and no label hopeless. Meanwhile `lines` are flushed and runs move. */
FL_INLINE int FN(fl_hard_sums_of)(FN(FlColumns) x, FN(FlColumns) e, ptrdiff_t n_tiles,
                                  ptrdiff_t n_classes, int closely, FN(FlAdded) added,
                                  FN(FlHard) * hard, FN(FlLines) * lines)
{
    const ptrdiff_t share = FN(fl_lines_share)(lines, n_tiles);
    const ptrdiff_t fetch = (hard->n_ahead / FL_LINE + n_tiles - 1) / n_tiles * FL_LINE;
    FL_ALIGNED REAL floors[FL_CLASS_CHUNK_ROWS];
    VI bad = vsplat_int(0);
    for (ptrdiff_t j = 0; j < n_tiles; j++) {
        const REAL *from = FN(fl_column)(&x, 0, j);
        const V max = added.kind == FL_ADDED_ANY
                          ? FN(fl_max_of_classes)(from, x.of_class, n_classes, added)
                          : max_columns(from, x.of_class, n_classes);
        V floor, magic;
        softmax_scale(max, &floor, &magic);
        bad |= (vabs(max) < FL_FAR) == 0;
        vstore(floors + j * LANES, floor);
        vstore(hard->magic + j * LANES, magic);
        if (added.measures || added.picks)
            vstore(hard->max + j * LANES, max);
    }
    if (FL_UNLIKELY(vany(bad)))
        return 0;
    for (ptrdiff_t j = 0; j < n_tiles; j++) {
        const VI label = FN(fl_load_labels)(hard->label + j * LANES);
        const V floor = vload(floors + j * LANES), magic = vload(hard->magic + j * LANES);
        const REAL *from = FN(fl_column)(&x, 0, j);
        V max = floor;
        FN(FlHardSum) sum;
        if (added.measures)
            max = vload(hard->max + j * LANES);
        if (share)
            FN(fl_lines_flush)(lines, share);
        if (hard->runs)
            FN(fl_runs_move)(hard->runs, n_classes * (j + 1) / n_tiles);
        for (ptrdiff_t i = j * fetch; i < (j + 1) * fetch; i += FL_LINE)
            FL_PREFETCH(hard->ahead + i, 0);
        if (e.data)
            sum = FN(fl_hard_sum)(from, x.of_class, FN(fl_column)(&e, 0, j), e.of_class, n_classes,
                                  closely, added, label, max, floor, magic);
        else
            sum = FN(fl_hard_sum)(from, x.of_class, NULL, 0, n_classes, closely, added, label, max,
                                  floor, magic);
        sum.own = vselect_negative(vfrom_bits(label), vsplat(FL_RAISE), sum.own);
        bad |= ((sum.own >= FL_HOPELESS) & (sum.others >= R(0.0))) == 0;
        vstore(hard->own + j * LANES, sum.own);
        vstore(hard->others + j * LANES, sum.others);
        vstore(hard->low + j * LANES, sum.low);
        if (added.picks)
            vstore(hard->raw + j * LANES, sum.raw);
        if (added.picks && !added.measures && FN(fl_picks_low)(n_classes))
            vstore(hard->own_low + j * LANES, sum.own_low);
        if (added.measures)
            vstore(hard->distance + j * LANES, FN(fl_carried_sum)(sum.distance, sum.distance_low));
    }
    return !vany(bad);
}

/* The same; a few classes have code of their own, without loops over them. */
FL_INLINE int FN(fl_hard_sums_added)(FN(FlColumns) x, FN(FlColumns) e, ptrdiff_t n_tiles,
                                     ptrdiff_t n_classes, FN(FlAdded) added, FN(FlHard) * hard,
                                     FN(FlLines) * lines)
{
#define FL_OF(n) \
    case n: \
        return FN(fl_hard_sums_of)(x, e, n_tiles, n, (n) > 4, added, hard, lines);
    switch (n_classes) {
        FL_OF(1)
        FL_OF(2)
        FL_OF(3)
        FL_OF(4)
        FL_OF(5)
        FL_OF(6)
        FL_OF(7)
        FL_OF(8)
        FL_OF(9)
        FL_OF(10)
    }
#undef FL_OF
    return FN(fl_hard_sums_of)(x, e, n_tiles, n_classes, 1, added, hard, lines);
}

FL_OUTLINE int FN(fl_hard_sums)(FN(FlColumns) x, FN(FlColumns) e, ptrdiff_t n_tiles,
                                ptrdiff_t n_classes, FN(FlHard) * hard, FN(FlLines) * lines)
{
    const FN(FlAdded) nothing = {FL_ADDED_NOTHING, 0, 0, NULL, NULL};
    return FN(fl_hard_sums_added)(x, e, n_tiles, n_classes, nothing, hard, lines);
}

/* The loss of the samples j to j + LANES - 1 of n from `start` on: weighed, added and stored. */
FL_INLINE void FN(fl_hard_keep)(const FlCrossEntropyBlock *block, const FN(FlLabels) * labels,
                                ptrdiff_t start, ptrdiff_t n, ptrdiff_t j, const FN(FlHard) * hard,
                                V loss, FN(fl_sum) * total)
{
    const V scale = vsplat((REAL)block->scale);
    if (block->sample_weight || block->class_weight)
        loss = FN(fl_weigh_loss)(loss, labels, j);
    loss = vkeep(FN(fl_load_labels)(hard->label + j) >= 0, loss);
    FN(fl_sum_add)(total, loss);
    if (block->loss) {
        REAL *out = (REAL *)block->loss + start + j;
        if (n - j >= LANES)
            vstore(out, loss * scale);
        else
            vstore_partial(out, n % LANES, loss * scale);
    }
}

/* Losses of n samples from `start` on, whose sums are known. */
FL_OUTLINE void FN(fl_hard_loss)(const FlCrossEntropyBlock *block, const FN(FlLabels) * labels,
                                 ptrdiff_t start, ptrdiff_t n, const FN(FlHard) * hard,
                                 double sums[])
{
    FN(fl_sum) total;
    FL_ALIGNED REAL fs[FL_CLASS_CHUNK_ROWS], ks[FL_CLASS_CHUNK_ROWS];
    /* two loops: a logarithm is a chain of operations, of which few fit in a processor's scheduler */
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        V k;
        vstore(fs + j, FN(fl_log1p_split)(vload(hard->others + j) / vload(hard->own + j), &k));
        vstore(ks + j, k);
    }
    memcpy(&total, sums, sizeof total);
    for (ptrdiff_t j = 0; j < n; j += LANES)
        FN(fl_hard_keep)(block, labels, start, n, j, hard,
                         FN(fl_log_sum)(vload(ks + j), vload(fs + j)), &total);
    memcpy(sums, &total, sizeof total);
}

/* and their weight * scale / (E + S) */
FL_OUTLINE void FN(fl_hard_factors)(const FN(FlLabels) * labels, ptrdiff_t n, FN(FlHard) * hard)
{
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        const FN(FlExpSum)
            sum = {vload(hard->own + j), vload(hard->others + j), vload(hard->low + j)};
        const FN(FlFactor) factor =
            FN(fl_scale_factor)(FN(fl_softmax_inverse)(&sum), FN(fl_scaled)(labels, j));
        const VI counts = FN(fl_load_labels)(hard->label + j) >= 0;
        vstore(hard->factor + j, vkeep(counts, factor.high));
        vstore(hard->factor_low + j, vkeep(counts, factor.low));
    }
}

/* What gradients are made of, LANES samples from i on, by FL_SCALE_*; `even` is what is subtracted. */
typedef struct {
    int kind;
    FN(FlFactor) factor, even;
    V outer, at_label;
} FN(FlHardScale);

FL_INLINE FN(FlHardScale) FN(fl_hard_scale)(const FN(FlHard) * hard, int kind, ptrdiff_t i)
{
    const V zero = vsplat(R(0.0));
    FN(FlHardScale)
    scale = {kind,
             {vload(hard->factor + i), vload(hard->factor_low + i)},
             {zero, zero},
             zero,
             -vload(hard->others + i)};
    if (kind != FL_SCALE_HARD)
        scale.at_label = vload(hard->at_label + i);
    if (kind == FL_SCALE_RELATED)
        scale.outer = vload(hard->outer + i);
    if (kind == FL_SCALE_SMOOTH) {
        scale.even.high = vload(hard->even + i);
        scale.even.low = vload(hard->even_low + i);
    }
    return scale;
}

/* e of a class that is not the label's */
FL_INLINE V FN(fl_scale_other)(const FN(FlHardScale) * scale, V e)
{
    if (scale->kind == FL_SCALE_SMOOTH)
        return FN(fl_times_less)(e, scale->factor, scale->even);
    e = FN(fl_times)(e, scale->factor);
    if (scale->kind == FL_SCALE_RELATED)
        e = e * scale->outer;
    return e;
}

/* Class k of a tile; label less k */
FL_INLINE V FN(fl_hard_scaled)(const FN(FlHardScale) * scale, VI label, INT k, V e)
{
    if (scale->kind == FL_SCALE_HARD)
        return FN(fl_times)(FN(fl_at_label)(label, k, scale->at_label, e), scale->factor);
    return FN(fl_at_label)(label, k, scale->at_label, FN(fl_scale_other)(scale, e));
}

FL_INLINE void FN(fl_hard_gradient_of)(FN(FlColumns) e, FN(FlColumns) gradient, ptrdiff_t n_tiles,
                                       ptrdiff_t n_classes, const FN(FlHard) * hard, int kind)
{
    for (ptrdiff_t j = 0; j < n_tiles; j++) {
        const FN(FlHardScale) scale = FN(fl_hard_scale)(hard, kind, j * LANES);
        const REAL *from = FN(fl_column)(&e, 0, j);
        REAL *to = FN(fl_column)(&gradient, 0, j);
        VI label = FN(fl_load_labels)(hard->label + j * LANES);
        ptrdiff_t k = 0;
        for (; k + 4 <= n_classes; k += 4) {
            for (ptrdiff_t m = 0; m < 4; m++)
                vstore(
                    to + (k + m) * gradient.of_class,
                    FN(fl_hard_scaled)(&scale, label, (INT)m, vload(from + (k + m) * e.of_class)));
            label = label - 4;
        }
        for (; k < n_classes; k++) {
            vstore(to + k * gradient.of_class,
                   FN(fl_hard_scaled)(&scale, label, 0, vload(from + k * e.of_class)));
            label = label - 1;
        }
    }
}

FL_OUTLINE void FN(fl_hard_gradient)(FN(FlColumns) e, FN(FlColumns) gradient, ptrdiff_t n_tiles,
                                     ptrdiff_t n_classes, const FN(FlHard) * hard)
{
    FN(fl_hard_gradient_of)(e, gradient, n_tiles, n_classes, hard, FL_SCALE_HARD);
}

/* The same class by class, to samples that lie side by side: classes may be far apart in memory, so whole runs are
 * written. `stream`: past the cache; then all addresses are multiples of a vector. */
FL_INLINE void FN(fl_hard_gradient_runs_of)(FN(FlColumns) e, FN(FlColumns) gradient,
                                            ptrdiff_t n_tiles, ptrdiff_t n_classes,
                                            const FN(FlHard) * hard, int kind, int stream)
{
    for (ptrdiff_t k = 0; k < n_classes; k++)
        for (ptrdiff_t j = 0; j < n_tiles; j++) {
            const FN(FlHardScale) scale = FN(fl_hard_scale)(hard, kind, j * LANES);
            const V value = FN(fl_hard_scaled)(&scale, FN(fl_load_labels)(hard->label + j * LANES),
                                               (INT)k, vload(FN(fl_column)(&e, k, j)));
            if (stream)
                stream_store(FN(fl_column)(&gradient, k, j), value);
            else
                vstore(FN(fl_column)(&gradient, k, j), value);
        }
}

FL_OUTLINE void FN(fl_hard_gradient_runs)(FN(FlColumns) e, FN(FlColumns) gradient,
                                          ptrdiff_t n_tiles, ptrdiff_t n_classes,
                                          const FN(FlHard) * hard, int stream)
{
    FN(fl_hard_gradient_runs_of)(e, gradient, n_tiles, n_classes, hard, FL_SCALE_HARD, stream);
}

/* The same of n_tiles whole tiles, to rows of three classes that follow each other, or of n_classes >= QUAD. */
FL_INLINE void FN(fl_hard_gradient_rows_of)(FN(FlColumns) e, ptrdiff_t n_tiles, ptrdiff_t n_classes,
                                            const FN(FlHard) * hard, int kind, REAL *rows,
                                            ptrdiff_t sample_stride)
{
    for (ptrdiff_t j = 0; j < n_tiles; j++) {
        const ptrdiff_t i = j * LANES;
        const FN(FlHardScale) scale = FN(fl_hard_scale)(hard, kind, i);
        const VI label = FN(fl_load_labels)(hard->label + i);
        if (n_classes == 3) {
            V v[3];
            for (INT m = 0; m < 3; m++)
                v[m] = FN(fl_hard_scaled)(&scale, label, m, vload(FN(fl_column)(&e, m, j)));
            FN(fl_join_columns)(v[0], v[1], v[2], rows + i * sample_stride);
            continue;
        }
        for (ptrdiff_t k = 0; k < n_classes; k += QUAD) {
            const ptrdiff_t at = k + QUAD <= n_classes ? k : n_classes - QUAD;
            const VI here = label - (INT)at;
            V v[4];
            for (ptrdiff_t m = 0; m < QUAD; m++)
                v[m] =
                    FN(fl_hard_scaled)(&scale, here, (INT)m, vload(FN(fl_column)(&e, at + m, j)));
            FN(fl_store_four)(v, at, rows + i * sample_stride, sample_stride);
        }
    }
}

FL_OUTLINE void FN(fl_hard_gradient_rows)(FN(FlColumns) e, ptrdiff_t n_tiles, ptrdiff_t n_classes,
                                          const FN(FlHard) * hard, REAL *rows,
                                          ptrdiff_t sample_stride)
{
    FN(fl_hard_gradient_rows_of)(e, n_tiles, n_classes, hard, FL_SCALE_HARD, rows, sample_stride);
}
