/* Hard labels that are smoothed, without class weights and by at most a half, through the steps of hard_tile.h and
 * hard_row.h. With s the smoothing, E and S of the label and the others, m the largest of C logits
 *
 *   loss = (1 - s) l + s (l - (m - f_label)) + s / C sum_k (m - f_k),   l = log1p(S / E)
 *   gradient_k = w (e_k / (E + S) - s / C)
 *
 * The first term keeps what the second may lose to cancellation small.
 *
 * Included once per precision, after hard_tile.h.
 */
FL_OUTLINE int FN(fl_smooth_sums)(FN(FlColumns) x, FN(FlColumns) e, ptrdiff_t n_tiles,
                                  ptrdiff_t n_classes, FN(FlHard) * hard, FN(FlLines) * lines)
{
    const FN(FlAdded) nothing = {FL_ADDED_NOTHING, 1, 1, NULL, NULL};
    return FN(fl_hard_sums_added)(x, e, n_tiles, n_classes, nothing, hard, lines);
}

FL_OUTLINE void FN(fl_smooth_gradients)(FN(FlColumns) e, FN(FlColumns) gradient, ptrdiff_t n_tiles,
                                        ptrdiff_t n_classes, const FN(FlHard) * hard)
{
    FN(fl_hard_gradient_of)(e, gradient, n_tiles, n_classes, hard, FL_SCALE_SMOOTH);
}

FL_OUTLINE void FN(fl_smooth_gradient_runs)(FN(FlColumns) e, FN(FlColumns) gradient,
                                            ptrdiff_t n_tiles, ptrdiff_t n_classes,
                                            const FN(FlHard) * hard, int stream)
{
    FN(fl_hard_gradient_runs_of)(e, gradient, n_tiles, n_classes, hard, FL_SCALE_SMOOTH, stream);
}

FL_OUTLINE void FN(fl_smooth_gradient_rows)(FN(FlColumns) e, ptrdiff_t n_tiles, ptrdiff_t n_classes,
                                            const FN(FlHard) * hard, REAL *rows,
                                            ptrdiff_t sample_stride)
{
    FN(fl_hard_gradient_rows_of)(e, n_tiles, n_classes, hard, FL_SCALE_SMOOTH, rows, sample_stride);
}

/* Losses of n samples from `start` on, whose sums are known. */
FL_OUTLINE void FN(fl_smooth_loss)(const FlCrossEntropyBlock *block, const FN(FlLabels) * labels,
                                   ptrdiff_t start, ptrdiff_t n, const FN(FlHard) * hard,
                                   double sums[])
{
    const double s = block->label_smoothing;
    const REAL keep = (REAL)(1.0 - s), even = (REAL)(s / (double)block->n_classes);
    const V zero = vsplat(R(0.0));
    FN(fl_sum) total;
    FL_ALIGNED REAL fs[FL_CLASS_CHUNK_ROWS], ks[FL_CLASS_CHUNK_ROWS];
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        V k;
        vstore(fs + j, FN(fl_log1p_split)(vload(hard->others + j) / vload(hard->own + j), &k));
        vstore(ks + j, k);
    }
    memcpy(&total, sums, sizeof total);
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        const V own = FN(fl_log_sum)(vload(ks + j), vload(fs + j));
        const V gap = vload(hard->max + j) - vload(hard->raw + j);
        const V loss =
            own * keep + (vload(hard->distance + j) * even + vmax(zero, own - gap) * (REAL)s);
        FN(fl_hard_keep)(block, labels, start, n, j, hard, loss, &total);
    }
    memcpy(sums, &total, sizeof total);
}

/* and what their gradients are made of; of ignored ones zeros */
FL_OUTLINE void FN(fl_smooth_factors)(const FlCrossEntropyBlock *block, const FN(FlLabels) * labels,
                                      ptrdiff_t n, FN(FlHard) * hard)
{
    const double keep = 1.0 - block->label_smoothing;
    const double even = block->label_smoothing / (double)block->n_classes;
    const V at_label = vsplat((REAL)(keep + even));
    const V total = vsplat((REAL)(keep + even * (double)block->n_classes));
    const FN(FlFactor) floor = {vsplat((REAL)even), vsplat((REAL)(even - (double)(REAL)even))};
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        const V own = vload(hard->own + j), others = vload(hard->others + j);
        const VI counts = FN(fl_load_labels)(hard->label + j) >= 0;
        const FN(FlExpSum) sum = {own, others, vload(hard->low + j)};
        const FN(FlFactor) inverse = FN(fl_softmax_inverse)(&sum),
                           scaled = FN(fl_scaled)(labels, j);
        vstore(hard->at_label + j,
               FN(fl_times)(FN(fl_target_gradient)(own, others, inverse, total, at_label), scaled));
        const FN(FlFactor) factor = FN(fl_scale_factor)(inverse, scaled),
                           less = FN(fl_scale_factor)(scaled, floor);
        vstore(hard->factor + j, vkeep(counts, factor.high));
        vstore(hard->factor_low + j, vkeep(counts, factor.low));
        vstore(hard->even + j, vkeep(counts, less.high));
        vstore(hard->even_low + j, vkeep(counts, less.low));
    }
}
