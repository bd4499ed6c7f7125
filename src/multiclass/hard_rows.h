/* Cross-entropy of blocks of samples by the steps of hard_row.h.
 *
 * Included once per precision, after hard_row.h.
 */

/* Samples `start` to `end` of arrays of any strides; n_classes >= LANES. */
FL_INLINE void FN(fl_hard_rows_of)(FlCrossEntropyBlock *block, const FlRelative *relative,
                                   int smooth, ptrdiff_t start, ptrdiff_t end, double sums[])
{
    const FN(FlRowScratch) scratch = FN(fl_row_scratch)(block);
    REAL *gradient = block->wants & FL_WANT_GRADIENT ? block->gradient : NULL;
    const int stream = block->stream && gradient && block->gradient_class_stride == 1 &&
                       block->gradient_sample_stride == block->n_classes;
    REAL *buffer = scratch.out + scratch.pitch;
    FN(FlLines)
    lines = FN(fl_lines_begin)(gradient + (stream ? start * block->n_classes : 0), buffer);
    FN(FlLabels) labels;
    FN(FlHard) hard;
    FN(fl_begin_labels)(block, &labels);
    for (ptrdiff_t i = start; i < end; i += scratch.rows) {
        const ptrdiff_t n = end - i < scratch.rows ? end - i : scratch.rows;
        int usual = FN(fl_hard_labels)(block, i, n, &labels, &hard);
        if (relative && relative->shift && relative->least >= -FL_LITTLE)
            usual = usual && FN(fl_little_row_sums)(block, &scratch, i, n, relative, &hard, &lines);
        else if (relative && relative->shift)
            usual = usual && FN(fl_any_row_sums)(block, &scratch, i, n, relative, &hard, &lines);
        else if (relative)
            usual = usual && FN(fl_related_row_sums)(block, &scratch, i, n, &hard, &lines);
        else if (smooth)
            usual = usual && FN(fl_smooth_row_sums)(block, &scratch, i, n, &hard, &lines);
        else
            usual = usual && FN(fl_hard_row_sums)(block, &scratch, i, n, &hard, &lines);
        if (FL_UNLIKELY(!usual)) {
            if (stream)
                FN(fl_lines_end)(&lines);
            FN(fl_hard_keep_labels)(block, i, n, &hard);
            if (relative)
                FN(fl_related_rare)(block, relative, i, n, sums);
            else
                FN(fl_cross_entropy_rows)(block, smooth ? FL_TARGET_SMOOTH : FL_TARGET_HARD, i,
                                          i + n, sums);
            if (stream)
                lines = FN(fl_lines_begin)(gradient + (i + n) * block->n_classes, buffer);
            continue;
        }
        if (relative) {
            FN(fl_related_settle)(block, relative, &labels, i, n, &hard, sums);
            if (gradient && relative->as_hard)
                FN(fl_hard_row_gradients)(block, &scratch, i, n, &hard, stream ? &lines : NULL);
            else if (gradient)
                FN(fl_related_row_gradients)(block, &scratch, i, n, &hard, stream ? &lines : NULL);
            continue;
        }
        if (smooth && (block->wants & FL_WANT_LOSS))
            FN(fl_smooth_loss)(block, &labels, i, n, &hard, sums);
        else if (block->wants & FL_WANT_LOSS)
            FN(fl_hard_loss)(block, &labels, i, n, &hard, sums);
        if (!gradient)
            continue;
        if (smooth)
            FN(fl_smooth_factors)(block, &labels, n, &hard);
        else
            FN(fl_hard_factors)(&labels, n, &hard);
        if (smooth)
            FN(fl_smooth_row_gradients)(block, &scratch, i, n, &hard, stream ? &lines : NULL);
        else
            FN(fl_hard_row_gradients)(block, &scratch, i, n, &hard, stream ? &lines : NULL);
    }
    if (stream)
        FN(fl_lines_end)(&lines);
}

FL_OUTLINE void FN(fl_hard_rows)(FlCrossEntropyBlock *block, ptrdiff_t start, ptrdiff_t end,
                                 double sums[])
{
    FN(fl_hard_rows_of)(block, NULL, 0, start, end, sums);
}

FL_OUTLINE void FN(fl_smooth_rows)(FlCrossEntropyBlock *block, ptrdiff_t start, ptrdiff_t end,
                                   double sums[])
{
    FN(fl_hard_rows_of)(block, NULL, 1, start, end, sums);
}

FL_OUTLINE void FN(fl_relatives_rows)(FlCrossEntropyBlock *block, const FlRelative *relative,
                                      ptrdiff_t start, ptrdiff_t end, double sums[])
{
    FN(fl_hard_rows_of)(block, relative, 0, start, end, sums);
}
