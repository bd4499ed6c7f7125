/* Losses of hard labels whose gradient is a multiple of the softmax but at the label: the z-loss, adjusted
 * logits, focal losses... They go through the steps of hard_tile.h and hard_row.h; between the sums and the
 * gradients their own unit is asked once a chunk. With E and S of the label and the others
 *
 *   gradient_k = (e_k * factor) * outer,   factor about w / (E + S) or 1 / S, so that nothing underflows
 *
 * Included once per precision, after hard_tile.h.
 */
FL_OUTLINE int FN(fl_related_sums)(FN(FlColumns) x, FN(FlColumns) e, ptrdiff_t n_tiles,
                                   ptrdiff_t n_classes, FN(FlHard) * hard, FN(FlLines) * lines)
{
    const FN(FlAdded) nothing = {FL_ADDED_NOTHING, 1, 0, NULL, NULL};
    return FN(fl_hard_sums_added)(x, e, n_tiles, n_classes, nothing, hard, lines);
}

FL_OUTLINE int FN(fl_added_sums)(FN(FlColumns) x, FN(FlColumns) e, ptrdiff_t n_tiles,
                                 ptrdiff_t n_classes, const FlRelative *relative, FN(FlHard) * hard,
                                 FN(FlLines) * lines)
{
    const FN(FlAdded) added = {FL_ADDED_ANY, 1, 0, relative->shift, relative->gain};
    return FN(fl_hard_sums_added)(x, e, n_tiles, n_classes, added, hard, lines);
}

FL_OUTLINE void FN(fl_related_gradient)(FN(FlColumns) e, FN(FlColumns) gradient, ptrdiff_t n_tiles,
                                        ptrdiff_t n_classes, const FN(FlHard) * hard)
{
    if (hard->has_outer)
        FN(fl_hard_gradient_of)(e, gradient, n_tiles, n_classes, hard, FL_SCALE_RELATED);
    else
        FN(fl_hard_gradient_of)(e, gradient, n_tiles, n_classes, hard, FL_SCALE_LABEL);
}

FL_OUTLINE void FN(fl_related_gradient_runs)(FN(FlColumns) e, FN(FlColumns) gradient,
                                             ptrdiff_t n_tiles, ptrdiff_t n_classes,
                                             const FN(FlHard) * hard, int stream)
{
    const int kind = hard->has_outer ? FL_SCALE_RELATED : FL_SCALE_LABEL;
    FN(fl_hard_gradient_runs_of)(e, gradient, n_tiles, n_classes, hard, kind, stream);
}

FL_OUTLINE void FN(fl_related_gradient_rows)(FN(FlColumns) e, ptrdiff_t n_tiles,
                                             ptrdiff_t n_classes, const FN(FlHard) * hard,
                                             REAL *rows, ptrdiff_t sample_stride)
{
    if (hard->has_outer)
        FN(fl_hard_gradient_rows_of)(e, n_tiles, n_classes, hard, FL_SCALE_RELATED, rows,
                                     sample_stride);
    else
        FN(fl_hard_gradient_rows_of)(e, n_tiles, n_classes, hard, FL_SCALE_LABEL, rows,
                                     sample_stride);
}

/* The losses and factors of n samples from `start` on, whose sums are known. */
FL_OUTLINE void FN(fl_related_settle)(const FlCrossEntropyBlock *block, const FlRelative *relative,
                                      const FN(FlLabels) * labels, ptrdiff_t start, ptrdiff_t n,
                                      FN(FlHard) * hard, double sums[])
{
    FN(fl_sum) total;
    hard->has_outer = relative->outer;
    relative->settle(block, n, hard, labels->scaled, labels->scaled_low);
    if (!(block->wants & FL_WANT_LOSS))
        return;
    memcpy(&total, sums, sizeof total);
    for (ptrdiff_t j = 0; j < n; j += LANES)
        FN(fl_hard_keep)(block, labels, start, n, j, hard, vload(hard->loss + j), &total);
    memcpy(sums, &total, sizeof total);
}

/* n samples from `start` on, in the loss's own way. */
FL_OUTLINE void FN(fl_related_rare)(const FlCrossEntropyBlock *block, const FlRelative *relative,
                                    ptrdiff_t start, ptrdiff_t n, double sums[])
{
    FlCrossEntropyBlock some = *block;
    some.n_samples = n;
    some.raw_prediction = (const REAL *)block->raw_prediction + start * block->sample_stride;
    some.labels = block->labels + start;
    some.unread = NULL;
    if (block->sample_weight)
        some.sample_weight = (const REAL *)block->sample_weight + start;
    if (block->loss)
        some.loss = (REAL *)block->loss + start;
    if (block->gradient)
        some.gradient = (REAL *)block->gradient + start * block->gradient_sample_stride;
    some.loss_sum = 0.0;
    relative->rare(&some);
    sums[0] += some.loss_sum;
}
