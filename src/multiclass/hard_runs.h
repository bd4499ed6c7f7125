/* Cross-entropy of samples that lie side by side, by the steps of hard_tile.h: of panels that runs.h moves, unless
 * classes are so many that three panels leave L1 far behind.
 *
 * Included once per precision, after hard_panels.h and runs.h.
 */

#undef FL_RUN_BYTES
#undef FL_RUN_LINES
#undef FL_RUN_CLASSES
#undef FL_RUN_CLASSES_PAST
#define FL_RUN_BYTES 24576 /* of three panels: they stay in L1 together */
#define FL_RUN_LINES 4 /* of each class, even where they do not */
/* No more classes are moved by runs.h, and no more where outputs do not fit the cache. */
#define FL_RUN_CLASSES 48 /* FL_TILE_CLASSES */
#define FL_RUN_CLASSES_PAST 128

/* How many samples a panel takes. */
FL_INLINE ptrdiff_t FN(fl_run_rows)(ptrdiff_t n_classes)
{
    const ptrdiff_t most = FL_CLASS_CHUNK_ROWS / FL_LINE;
    const ptrdiff_t lines = FL_RUN_BYTES / (3 * 64) / n_classes;
    if (lines < FL_RUN_LINES)
        return FL_RUN_LINES * FL_LINE;
    return (lines < most ? lines : most) * FL_LINE;
}

/* The samples of a block whose sample_strides are 1. Returns how many are done: if not all, the whole vectors. */
FL_INLINE ptrdiff_t FN(fl_hard_runs_of)(FlCrossEntropyBlock *block, const FlRelative *relative,
                                        int smooth, double sums[])
{
    const ptrdiff_t whole = block->n_samples - block->n_samples % LANES;
    /* more classes are left to rows, as they are where nothing goes past the cache: the same bits */
    const int few = block->n_classes <= FL_RUN_CLASSES;
    const ptrdiff_t end = few ? block->n_samples : whole;
    const ptrdiff_t n_classes = block->n_classes, tile = n_classes * LANES;
    const ptrdiff_t rows = FN(fl_run_rows)(n_classes);
    const REAL *raw = block->raw_prediction;
    REAL *gradient = block->wants & FL_WANT_GRADIENT ? block->gradient : NULL;
    REAL *here = block->scratch, *there = here + rows * n_classes;
    /* in the place of logits, whose lines are in the cache, nothing is gained */
    const int stream = block->stream && gradient != raw;
    FN(FlLines) lines = FN(fl_lines_begin)(gradient, here); /* none are pushed */
    FN(FlLabels) labels;
    FN(FlHard) hard;
    struct FN(FlRuns) runs = {.n_classes = n_classes,
                              .panel = rows,
                              .come_ahead = FL_LINES_TO_COME * FL_LINE / rows,
                              .go_ahead = FL_LINES_TO_GO * FL_LINE / rows,
                              .from_stride = block->class_stride,
                              .rows = there + rows * n_classes,
                              .to_stride = block->gradient_class_stride,
                              .stream = stream};
    if (!few && (!block->stream || n_classes > FL_RUN_CLASSES_PAST)) {
        if (relative)
            FN(fl_relatives_direct)(block, relative, 0, whole, sums);
        else if (smooth)
            FN(fl_smooth_direct)(block, 0, whole, sums);
        else
            FN(fl_hard_direct)(block, 0, whole, sums);
        return whole;
    }
    hard.runs = &runs;
    hard.ahead = NULL;
    hard.n_ahead = 0;
    FN(fl_begin_labels)(block, &labels);
    for (ptrdiff_t i = 0, next; i < end; i = next) {
        const ptrdiff_t n = end - i < rows ? end - i : rows, n_tiles = (n + LANES - 1) / LANES;
        next = i + n;
        if (runs.tiles != here) { /* the first one, or rare ones have taken the buffers */
            runs.from = raw + i;
            runs.n_coming = n;
            runs.tiles = here;
            FN(fl_runs_finish)(&runs);
        }
        runs.from = raw + next;
        runs.n_coming = end - next < rows ? end - next : rows;
        runs.tiles = there;
        there = here;
        here = runs.tiles;
        const FN(FlColumns) x = {there, LANES, tile}, e = {gradient ? there : NULL, LANES, tile};
        int usual = FN(fl_hard_labels)(block, i, n, &labels, &hard);
        usual = usual && FN(fl_way_sums)(x, e, n_tiles, n_classes, relative, smooth, &hard, &lines);
        FN(fl_runs_finish)(&runs);
        if (FL_UNLIKELY(!usual)) {
            FN(fl_runs_end)(&runs);
            FN(fl_hard_keep_labels)(block, i, n, &hard);
            FN(fl_hard_rare_panel)(block, relative, smooth, n % LANES == 0, i, n, sums);
            runs.tiles = NULL;
            continue;
        }
        FN(fl_way_losses)(block, relative, smooth, &labels, i, n, &hard, sums);
        if (!gradient)
            continue;
        FN(fl_way_factors)(block, relative, smooth, &labels, n, &hard);
        const FN(FlColumns) g = {runs.rows + FL_LINE, rows + FL_LINE, LANES};
        FN(fl_way_gradient)(e, g, n_tiles, n_classes, relative, smooth, &hard);
        runs.to = gradient + i;
        runs.n_going = n;
    }
    FN(fl_runs_finish)(&runs);
    FN(fl_runs_end)(&runs);
    return end;
}

FL_OUTLINE ptrdiff_t FN(fl_hard_runs)(FlCrossEntropyBlock *block, double sums[])
{
    return FN(fl_hard_runs_of)(block, NULL, 0, sums);
}

FL_OUTLINE ptrdiff_t FN(fl_relatives_runs)(FlCrossEntropyBlock *block, const FlRelative *relative,
                                           double sums[])
{
    return FN(fl_hard_runs_of)(block, relative, 0, sums);
}

FL_OUTLINE ptrdiff_t FN(fl_smooth_runs)(FlCrossEntropyBlock *block, double sums[])
{
    return FN(fl_hard_runs_of)(block, NULL, 1, sums);
}
