/* Cross-entropy with samples as lanes: a tile of LANES samples is n_classes vectors, and nothing is ever
 * summed across a vector. For few classes, and wherever the samples lie side by side.
 *
 * A panel of a few tiles goes through each step before the next one starts: within one tile a maximum, an
 * exponential, a sum, a logarithm and a division wait for each other, between tiles nothing does.
 *
 * Included once per precision, after labels.h.
 */

#ifndef FL_FEW_CLASSES
/* Up to so many classes, hard labels pick their logit and their gradient by comparison, which is cheaper than
 * an access to memory for every sample; ... */
#define FL_FEW_CLASSES 8
/* ... up to so many, the exponentials of a tile are a step of their own before their sums. */
#define FL_PLAIN_CLASSES 16
#endif

/* The columns of a panel: class k of tile j at data + k * of_class + j * of_tile. */
typedef struct {
    REAL *data;
    ptrdiff_t of_class, of_tile;
} FN(FlColumns);

FL_INLINE REAL *FN(fl_column)(const FN(FlColumns) * c, ptrdiff_t k, ptrdiff_t tile)
{
    return c->data + k * c->of_class + tile * c->of_tile;
}

/* Four tiles at a time, so that an array whose classes lie far apart is read in whole runs. */
FL_OUTLINE void FN(fl_tile_maxima)(FN(FlColumns) x, ptrdiff_t n_tiles, ptrdiff_t n_classes,
                                   REAL *max)
{
    ptrdiff_t j = 0;
    for (; j + 4 <= n_tiles; j += 4) {
        V m[4];
        for (ptrdiff_t i = 0; i < 4; i++)
            m[i] = vload(FN(fl_column)(&x, 0, j + i));
        for (ptrdiff_t k = 1; k < n_classes; k++)
            for (ptrdiff_t i = 0; i < 4; i++)
                m[i] = vmax(vload(FN(fl_column)(&x, k, j + i)), m[i]);
        for (ptrdiff_t i = 0; i < 4; i++)
            vstore(max + (j + i) * LANES, m[i]);
    }
    for (; j < n_tiles; j++)
        vstore(max + j * LANES, max_columns(FN(fl_column)(&x, 0, j), x.of_class, n_classes));
}

/* For a few classes and hard labels: with the logits at the labels. */
FL_OUTLINE void FN(fl_tile_few_maxima)(FN(FlColumns) x, ptrdiff_t n_tiles, ptrdiff_t n_classes,
                                       FN(FlLabels) * labels, REAL *max)
{
    for (ptrdiff_t j = 0; j < n_tiles; j++) {
        const V label = vload(labels->number + j * LANES);
        V raw = vload(FN(fl_column)(&x, 0, j)), m = raw;
        for (ptrdiff_t k = 1; k < n_classes; k++) {
            const V f = vload(FN(fl_column)(&x, k, j));
            raw = vselect(label == (REAL)k, f, raw);
            m = vmax(f, m);
        }
        vstore(labels->raw + j * LANES, raw);
        vstore(max + j * LANES, m);
    }
}

/* Exponentials and sums of a panel with few classes. First the exponentials, four at a time and none waiting
 * for another, then the sums. */
FL_OUTLINE void FN(fl_tile_plain)(FN(FlColumns) x, FN(FlColumns) e, ptrdiff_t n_tiles,
                                  ptrdiff_t n_classes, FN(FlPanel) * panel)
{
    ptrdiff_t j = 0;
    for (; j + 4 <= n_tiles; j += 4) {
        V floor[4], magic[4];
        for (ptrdiff_t i = 0; i < 4; i++) {
            floor[i] = vload(panel->floor + (j + i) * LANES);
            magic[i] = vload(panel->magic + (j + i) * LANES);
        }
        for (ptrdiff_t k = 0; k < n_classes; k++) {
            V f[4];
            for (ptrdiff_t i = 0; i < 4; i++)
                f[i] = vload(FN(fl_column)(&x, k, j + i));
            FN(fl_softmax_exps)(f, 4, floor, magic);
            for (ptrdiff_t i = 0; i < 4; i++)
                vstore(FN(fl_column)(&e, k, j + i), f[i]);
        }
    }
    for (; j < n_tiles; j++) {
        const V floor = vload(panel->floor + j * LANES), magic = vload(panel->magic + j * LANES);
        for (ptrdiff_t k = 0; k < n_classes; k++) {
            V f = vload(FN(fl_column)(&x, k, j));
            softmax_exp(&f, 1, floor, magic);
            vstore(FN(fl_column)(&e, k, j), f);
        }
    }
    for (j = 0; j < n_tiles; j++) {
        const FN(FlExpSum) sum =
            FN(fl_settle)(FN(fl_exp_sum)(FN(fl_column)(&e, 0, j), e.of_class, n_classes));
        vstore(panel->top + j * LANES, sum.top);
        vstore(panel->rest + j * LANES, sum.rest);
        vstore(panel->low + j * LANES, sum.low);
    }
}

/* Exponentials of a panel into e, unless e.data is NULL, and their sums. */
FL_OUTLINE void FN(fl_tile_exponentials)(FN(FlColumns) x, FN(FlColumns) e, ptrdiff_t n_tiles,
                                         ptrdiff_t n_classes, int far, FN(FlPanel) * panel)
{
    if (e.data && !far && n_classes <= FL_PLAIN_CLASSES) {
        FN(fl_tile_plain)(x, e, n_tiles, n_classes, panel);
        return;
    }
    for (ptrdiff_t j = 0; j < n_tiles; j++) {
        const V floor = vload(panel->floor + j * LANES), magic = vload(panel->magic + j * LANES);
        const V shift = vload(panel->shift + j * LANES);
        const REAL *from = FN(fl_column)(&x, 0, j);
        FN(FlExpSum) sum;
        if (FL_UNLIKELY(far) || !e.data) /* all that is rare in one copy */
            sum = exp_columns(from, x.of_class, n_classes, e.data ? FN(fl_column)(&e, 0, j) : NULL,
                              e.of_class, &shift, floor, magic);
        else
            sum = exp_columns(from, x.of_class, n_classes, FN(fl_column)(&e, 0, j), e.of_class,
                              NULL, floor, magic);
        sum = FN(fl_settle)(sum);
        vstore(panel->top + j * LANES, sum.top);
        vstore(panel->rest + j * LANES, sum.rest);
        vstore(panel->low + j * LANES, sum.low);
    }
}

/* sum_k (max - f_k) of a tile, four classes at a time: of smoothed labels without class weights. */
FL_INLINE V FN(fl_tile_distance)(const REAL *x, ptrdiff_t stride, ptrdiff_t n_classes, V max)
{
    V sum = vsplat(R(0.0)), lost = sum;
    ptrdiff_t k = 0;
    for (; k + 4 <= n_classes; k += 4, x += 4 * stride)
        FN(fl_add_compensated)(&sum, &lost,
                               ((max - vload(x)) + (max - vload(x + stride))) +
                                   ((max - vload(x + 2 * stride)) + (max - vload(x + 3 * stride))));
    for (; k < n_classes; k++, x += stride)
        FN(fl_add_compensated)(&sum, &lost, max - vload(x));
    return FN(fl_carried_sum)(sum, lost);
}

/* sum_k q_k (max - f_k) and Q, for targets that are not hard. */
FL_OUTLINE void FN(fl_tile_targets)(const FlCrossEntropyBlock *block, int kind, FN(FlColumns) x,
                                    FN(FlColumns) t, ptrdiff_t n_tiles, ptrdiff_t n_classes,
                                    const FN(FlLabels) * labels, FN(FlPanel) * panel)
{
    const REAL keep = (REAL)(1.0 - block->label_smoothing);
    const REAL floor = (REAL)(block->label_smoothing / (double)block->n_classes);
    const REAL *class_weight = block->class_weight;
    for (ptrdiff_t j = 0; j < n_tiles; j++) {
        const V max = vload(panel->max + j * LANES);
        V linear = vsplat(R(0.0)), lost = linear, total = linear, total_lost = linear;
        if (kind == FL_TARGET_SMOOTH && !class_weight) {
            linear = FN(fl_tile_distance)(FN(fl_column)(&x, 0, j), x.of_class, n_classes, max);
            vstore(panel->linear + j * LANES, linear * floor);
            vstore(panel->total + j * LANES, vload(labels->total + j * LANES));
            continue;
        }
        for (ptrdiff_t k = 0; k < n_classes; k++) {
            const V w = vsplat(class_weight ? class_weight[k] : R(1.0));
            const V q =
                FN(fl_target)(kind, keep, floor, w,
                              FN(fl_soft_label)(kind, t.data, k * t.of_class + j * t.of_tile));
            FN(fl_add_compensated)(&total, &total_lost, q);
            FN(fl_add_compensated)(&linear, &lost,
                                   FN(fl_target_loss)(q, max, vload(FN(fl_column)(&x, k, j))));
        }
        total = total + total_lost;
        if (kind == FL_TARGET_SMOOTH)
            total = vload(labels->total + j * LANES);
        vstore(panel->linear + j * LANES, FN(fl_carried_sum)(linear, lost));
        vstore(panel->total + j * LANES, total);
    }
}

FL_OUTLINE void FN(fl_tile_gradient)(const FlCrossEntropyBlock *block, int kind, FN(FlColumns) e,
                                     FN(FlColumns) t, FN(FlColumns) gradient, ptrdiff_t n_tiles,
                                     ptrdiff_t n_classes, const FN(FlLabels) * labels,
                                     const FN(FlPanel) * panel)
{
    const REAL keep = (REAL)(1.0 - block->label_smoothing);
    const REAL floor = (REAL)(block->label_smoothing / (double)block->n_classes);
    const REAL *class_weight = block->class_weight;
    for (ptrdiff_t j = 0; j < n_tiles; j++) {
        const ptrdiff_t i = j * LANES;
        const FN(FlFactor) factor = {vload(panel->factor + i), vload(panel->factor_low + i)};
        const FN(FlFactor) scaled = FN(fl_scaled)(labels, i);
        if (kind == FL_TARGET_SMOOTH && !class_weight) {
            for (ptrdiff_t k = 0; k < n_classes; k++)
                vstore(FN(fl_column)(&gradient, k, j),
                       FN(fl_smooth_gradient)(vload(FN(fl_column)(&e, k, j)), factor, vsplat(floor),
                                              scaled));
        } else if (FL_HAS_Q(kind)) {
            const V top = vload(panel->top + i), rest = vload(panel->rest + i);
            const V total = vload(panel->total + i);
            for (ptrdiff_t k = 0; k < n_classes; k++) {
                const V w = vsplat(class_weight ? class_weight[k] : R(1.0));
                const V q =
                    FN(fl_target)(kind, keep, floor, w,
                                  FN(fl_soft_label)(kind, t.data, k * t.of_class + j * t.of_tile));
                const V value = vload(FN(fl_column)(&e, k, j)), others = rest + (top - value);
                vstore(
                    FN(fl_column)(&gradient, k, j),
                    FN(fl_times)(FN(fl_target_gradient)(value, others, factor, total, q), scaled));
            }
        } else if (kind == FL_TARGET_HARD && FL_UNLIKELY(labels->extreme))
            for (ptrdiff_t k = 0; k < n_classes; k++)
                vstore(FN(fl_column)(&gradient, k, j),
                       FN(fl_times)(FN(fl_times)(vload(FN(fl_column)(&e, k, j)), factor), scaled));
        else
            for (ptrdiff_t k = 0; k < n_classes; k++)
                vstore(FN(fl_column)(&gradient, k, j),
                       FN(fl_times)(vload(FN(fl_column)(&e, k, j)), factor));
    }
}

/* For a few classes and hard labels: with the gradient at the labels. */
FL_OUTLINE void FN(fl_tile_few_gradient)(FN(FlColumns) e, FN(FlColumns) gradient, ptrdiff_t n_tiles,
                                         ptrdiff_t n_classes, const FN(FlLabels) * labels,
                                         const FN(FlPanel) * panel)
{
    for (ptrdiff_t j = 0; j < n_tiles; j++) {
        const ptrdiff_t i = j * LANES;
        const FN(FlFactor) factor = {vload(panel->factor + i), vload(panel->factor_low + i)};
        const V label = vload(labels->number + i), top = vload(panel->top + i);
        const V rest = vload(panel->rest + i);
        for (ptrdiff_t k = 0; k < n_classes; k++) {
            V value = vload(FN(fl_column)(&e, k, j));
            value = vselect(label == (REAL)k, (value - top) - rest, value);
            vstore(FN(fl_column)(&gradient, k, j), FN(fl_times)(value, factor));
        }
        if (FL_UNLIKELY(labels->extreme))
            for (ptrdiff_t k = 0; k < n_classes; k++)
                vstore(
                    FN(fl_column)(&gradient, k, j),
                    FN(fl_times)(vload(FN(fl_column)(&gradient, k, j)), FN(fl_scaled)(labels, i)));
    }
}

/* n samples of an array of any strides -> columns; the last tile is padded. `ahead` is where the next panel
 * begins, or from itself: its lines are fetched meanwhile. */
FL_OUTLINE void FN(fl_load_panel)(const REAL *from, ptrdiff_t sample_stride, ptrdiff_t class_stride,
                                  ptrdiff_t n, ptrdiff_t n_classes, const REAL *ahead,
                                  FN(FlColumns) columns)
{
    const int contiguous = class_stride == 1 && sample_stride == n_classes && ahead != from;
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        const ptrdiff_t left = n - j < LANES ? n - j : LANES;
        REAL *tile = FN(fl_column)(&columns, 0, j / LANES);
        if (contiguous)
            FN(fl_prefetch_run)(ahead + j * sample_stride, left * n_classes);
        if (class_stride == 1 && sample_stride == 2 && n_classes == 2 && left == LANES) {
            const V a = vload(from + j * 2), b = vload(from + j * 2 + LANES);
            vstore(tile, even_lanes(a, b));
            vstore(tile + LANES, odd_lanes(a, b));
        } else if (class_stride == 1 && sample_stride == 3 && n_classes == 3 && left == LANES)
            FN(fl_split_three)(from + j * 3, tile);
        else if (class_stride == 1 && n_classes >= QUAD && left == LANES)
            FN(fl_columns_from_rows)(from + j * sample_stride, sample_stride, n_classes, tile);
        else
            FN(fl_gather_columns)(from + j * sample_stride, sample_stride, class_stride, left,
                                  n_classes, tile);
    }
}

FL_OUTLINE void FN(fl_store_panel)(FN(FlColumns) columns, ptrdiff_t n, ptrdiff_t n_classes,
                                   REAL *to, ptrdiff_t sample_stride, ptrdiff_t class_stride)
{
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        const ptrdiff_t left = n - j < LANES ? n - j : LANES;
        const REAL *tile = FN(fl_column)(&columns, 0, j / LANES);
        if (class_stride == 1 && sample_stride == 2 && n_classes == 2 && left == LANES) {
            const V a = vload(tile), b = vload(tile + LANES);
            vstore(to + j * 2, interleave_low(a, b));
            vstore(to + j * 2 + LANES, interleave_high(a, b));
        } else if (class_stride == 1 && sample_stride == 3 && n_classes == 3 && left == LANES)
            FN(fl_join_three)(tile, to + j * 3);
        else if (class_stride == 1 && n_classes >= QUAD && left == LANES)
            FN(fl_rows_from_columns)(tile, n_classes, to + j * sample_stride, sample_stride);
        else
            FN(fl_scatter_columns)(tile, left, n_classes, to + j * sample_stride, sample_stride,
                                   class_stride);
    }
}
