/* Cross-entropy of blocks of samples by the steps of hard_tile.h.
 *
 * Included once per precision, after hard_tile.h, relatives.h, smooth.h and tile_panels.h.
 */

/* Lines of so many classes that are a power of two apart stay in L1 beside each other. */
#undef FL_L1_WAYS
#define FL_L1_WAYS 12

/* The steps of a panel, by the way of the loss: a relative, smoothed labels (a constant), or neither. */

/* Whether the gradient is not that of hard labels. */
FL_INLINE int FN(fl_is_related)(const FlRelative *relative)
{
    return relative && !relative->as_hard;
}

FL_INLINE int FN(fl_way_sums)(FN(FlColumns) x, FN(FlColumns) e, ptrdiff_t n_tiles,
                              ptrdiff_t n_classes, const FlRelative *relative, int smooth,
                              FN(FlHard) * hard, FN(FlLines) * lines)
{
    if (relative && relative->shift)
        return FN(fl_added_sums)(x, e, n_tiles, n_classes, relative, hard, lines);
    if (relative)
        return FN(fl_related_sums)(x, e, n_tiles, n_classes, hard, lines);
    if (smooth)
        return FN(fl_smooth_sums)(x, e, n_tiles, n_classes, hard, lines);
    return FN(fl_hard_sums)(x, e, n_tiles, n_classes, hard, lines);
}

FL_INLINE void FN(fl_way_losses)(const FlCrossEntropyBlock *block, const FlRelative *relative,
                                 int smooth, const FN(FlLabels) * labels, ptrdiff_t start,
                                 ptrdiff_t n, FN(FlHard) * hard, double sums[])
{
    if (relative) /* which also makes the factors */
        FN(fl_related_settle)(block, relative, labels, start, n, hard, sums);
    else if (smooth && (block->wants & FL_WANT_LOSS))
        FN(fl_smooth_loss)(block, labels, start, n, hard, sums);
    else if (block->wants & FL_WANT_LOSS)
        FN(fl_hard_loss)(block, labels, start, n, hard, sums);
}

FL_INLINE void FN(fl_way_factors)(const FlCrossEntropyBlock *block, const FlRelative *relative,
                                  int smooth, const FN(FlLabels) * labels, ptrdiff_t n,
                                  FN(FlHard) * hard)
{
    if (smooth)
        FN(fl_smooth_factors)(block, labels, n, hard);
    else if (!relative)
        FN(fl_hard_factors)(labels, n, hard);
}

FL_INLINE void FN(fl_way_gradient)(FN(FlColumns) e, FN(FlColumns) gradient, ptrdiff_t n_tiles,
                                   ptrdiff_t n_classes, const FlRelative *relative, int smooth,
                                   const FN(FlHard) * hard)
{
    if (FN(fl_is_related)(relative))
        FN(fl_related_gradient)(e, gradient, n_tiles, n_classes, hard);
    else if (smooth)
        FN(fl_smooth_gradients)(e, gradient, n_tiles, n_classes, hard);
    else
        FN(fl_hard_gradient)(e, gradient, n_tiles, n_classes, hard);
}

/* Samples that lie side by side, to columns: the lines of classes that are a power of two apart would evict each
 * other before they are read again. Fetches those of the next panel, if there is more: no processor sees so
 * many runs coming. */
FL_OUTLINE void FN(fl_copy_panel)(FN(FlColumns) from, FN(FlColumns) to, ptrdiff_t n_tiles,
                                  ptrdiff_t n_classes, int more)
{
    const ptrdiff_t ahead = more ? n_tiles : 0;
    for (ptrdiff_t k = 0; k < n_classes; k++)
        for (ptrdiff_t j = 0; j < n_tiles; j++) {
            FL_PREFETCH(FN(fl_column)(&from, k, j + ahead), 0);
            vstore(FN(fl_column)(&to, k, j), vload(FN(fl_column)(&from, k, j)));
        }
}

/* n samples from `start` on in which something is rare. */
FL_INLINE void FN(fl_hard_rare_panel)(FlCrossEntropyBlock *block, const FlRelative *relative,
                                      int smooth, int direct, ptrdiff_t start, ptrdiff_t n,
                                      double sums[])
{
    const int kind = smooth ? FL_TARGET_SMOOTH : FL_TARGET_HARD;
    if (relative)
        FN(fl_related_rare)(block, relative, start, n, sums);
    else if (direct)
        FN(fl_cross_entropy_direct)(block, kind, start, start + n, sums);
    else
        FN(fl_cross_entropy_tiled)(block, kind, start, start + n, sums);
}

/* Samples `start` to `end` of any strides: `direct` those whose sample_stride is 1, a multiple of LANES; the
 * others through columns in scratch. */
FL_INLINE void FN(fl_hard_panels)(FlCrossEntropyBlock *block, const FlRelative *relative,
                                  int smooth, int direct, ptrdiff_t start, ptrdiff_t end,
                                  double sums[])
{
    const ptrdiff_t n_classes = block->n_classes, tile = n_classes * LANES;
    const ptrdiff_t rows = FN(fl_panel_rows)(n_classes, 4), room = rows / LANES * tile;
    const int related = FN(fl_is_related)(relative);
    const int in_scratch = room * (ptrdiff_t)sizeof(REAL) <= FL_CLASS_PANEL_BYTES;
    const REAL *raw = block->raw_prediction;
    REAL *gradient = block->wants & FL_WANT_GRADIENT ? block->gradient : NULL;
    REAL *columns = block->scratch, *buffer = columns + room;
    const int in_rows = gradient && block->gradient_class_stride == 1 &&
                        (n_classes == 3 ? block->gradient_sample_stride == 3 : n_classes >= QUAD);
    const int stream = !direct && block->stream && gradient && block->gradient_class_stride == 1 &&
                       block->gradient_sample_stride == n_classes;
    /* whole vectors past the cache, where the samples of each class begin at one; slower for a few runs of float64 */
    const int stream_runs = direct && in_scratch && block->stream && gradient && gradient != raw &&
                            (FL_BITS == 32 || n_classes > FL_FEW_CLASSES) &&
                            (((uintptr_t)(gradient + start) |
                              (uintptr_t)(block->gradient_class_stride * (ptrdiff_t)sizeof(REAL))) &
                             (sizeof(V) - 1)) == 0;
    const int by_class = direct && in_scratch && (stream_runs || n_classes > FL_L1_WAYS);
    FN(FlLines) lines = FN(fl_lines_begin)(gradient + (stream ? start * n_classes : 0), buffer);
    FN(FlLabels) labels;
    FN(FlHard) hard;
    if (direct && !in_scratch && gradient == raw) {
        /* the exponentials would take the logits' place, and what is rare could not be redone */
        fl_take_labels(block);
        FN(fl_hard_rare_panel)(block, relative, smooth, 1, start, end - start, sums);
        return;
    }
    hard.runs = NULL;
    hard.ahead = NULL;
    hard.n_ahead = 0;
    FN(fl_begin_labels)(block, &labels);
    for (ptrdiff_t i = start; i < end; i += rows) {
        const ptrdiff_t n = end - i < rows ? end - i : rows, n_tiles = (n + LANES - 1) / LANES;
        REAL *to = gradient ? gradient + i * block->gradient_sample_stride : NULL;
        const REAL *from = raw + i * block->sample_stride;
        FN(FlColumns) x = {columns, LANES, tile}, e = {NULL, LANES, tile};
        FN(FlColumns) g = {columns, LANES, tile};
        int usual = FN(fl_hard_labels)(block, i, n, &labels, &hard);
        if (direct) {
            x.data = (REAL *)from;
            x.of_class = block->class_stride;
            x.of_tile = LANES;
            g.data = to;
            g.of_class = block->gradient_class_stride;
            g.of_tile = LANES;
        } else {
            FN(fl_load_panel)(from, block->sample_stride, block->class_stride, n, n_classes, from,
                              x);
            if (block->class_stride == 1 && block->sample_stride == n_classes) {
                hard.ahead = from + n * n_classes;
                hard.n_ahead = i + 2 * rows <= end ? rows * n_classes : 0;
            }
        }
        if (gradient) {
            if (in_scratch || !direct)
                e.data = columns;
            else
                e = g;
        }
        if (by_class) {
            const FN(FlColumns) copy = {columns, LANES, tile};
            FN(fl_copy_panel)(x, copy, n_tiles, n_classes, i + 2 * rows <= end);
            x = copy;
        }
        usual = usual && FN(fl_way_sums)(x, e, n_tiles, n_classes, relative, smooth, &hard, &lines);
        if (FL_UNLIKELY(!usual)) {
            if (stream)
                FN(fl_lines_end)(&lines);
            FN(fl_hard_keep_labels)(block, i, n, &hard);
            FN(fl_hard_rare_panel)(block, relative, smooth, direct, i, n, sums);
            if (stream)
                lines = FN(fl_lines_begin)(to + n * n_classes, buffer);
            continue;
        }
        FN(fl_way_losses)(block, relative, smooth, &labels, i, n, &hard, sums);
        if (!gradient)
            continue;
        FN(fl_way_factors)(block, relative, smooth, &labels, n, &hard);
        if (direct) {
            if (related && by_class)
                FN(fl_related_gradient_runs)(e, g, n_tiles, n_classes, &hard, stream_runs);
            else if (smooth && by_class)
                FN(fl_smooth_gradient_runs)(e, g, n_tiles, n_classes, &hard, stream_runs);
            else if (by_class)
                FN(fl_hard_gradient_runs)(e, g, n_tiles, n_classes, &hard, stream_runs);
            else
                FN(fl_way_gradient)(e, g, n_tiles, n_classes, relative, smooth, &hard);
            continue;
        }
        if (stream)
            to = FN(fl_lines_room)(&lines);
        if (related && in_rows && n % LANES == 0)
            FN(fl_related_gradient_rows)(e, n_tiles, n_classes, &hard, to,
                                         block->gradient_sample_stride);
        else if (smooth && in_rows && n % LANES == 0)
            FN(fl_smooth_gradient_rows)(e, n_tiles, n_classes, &hard, to,
                                        block->gradient_sample_stride);
        else if (in_rows && n % LANES == 0)
            FN(fl_hard_gradient_rows)(e, n_tiles, n_classes, &hard, to,
                                      block->gradient_sample_stride);
        else {
            FN(fl_way_gradient)(e, g, n_tiles, n_classes, relative, smooth, &hard);
            FN(fl_store_panel)(g, n, n_classes, to, block->gradient_sample_stride,
                               block->gradient_class_stride);
        }
        if (stream)
            FN(fl_lines_push)(&lines, n * n_classes);
    }
    if (stream)
        FN(fl_lines_end)(&lines);
}

FL_OUTLINE void FN(fl_hard_direct)(FlCrossEntropyBlock *block, ptrdiff_t start, ptrdiff_t end,
                                   double sums[])
{
    FN(fl_hard_panels)(block, NULL, 0, 1, start, end, sums);
}

FL_OUTLINE void FN(fl_hard_tiled)(FlCrossEntropyBlock *block, ptrdiff_t start, ptrdiff_t end,
                                  double sums[])
{
    FN(fl_hard_panels)(block, NULL, 0, 0, start, end, sums);
}

FL_OUTLINE void FN(fl_relatives_direct)(FlCrossEntropyBlock *block, const FlRelative *relative,
                                        ptrdiff_t start, ptrdiff_t end, double sums[])
{
    FN(fl_hard_panels)(block, relative, 0, 1, start, end, sums);
}

FL_OUTLINE void FN(fl_relatives_tiled)(FlCrossEntropyBlock *block, const FlRelative *relative,
                                       ptrdiff_t start, ptrdiff_t end, double sums[])
{
    FN(fl_hard_panels)(block, relative, 0, 0, start, end, sums);
}

FL_OUTLINE void FN(fl_smooth_direct)(FlCrossEntropyBlock *block, ptrdiff_t start, ptrdiff_t end,
                                     double sums[])
{
    FN(fl_hard_panels)(block, NULL, 1, 1, start, end, sums);
}

FL_OUTLINE void FN(fl_smooth_tiled)(FlCrossEntropyBlock *block, ptrdiff_t start, ptrdiff_t end,
                                    double sums[])
{
    FN(fl_hard_panels)(block, NULL, 1, 0, start, end, sums);
}
