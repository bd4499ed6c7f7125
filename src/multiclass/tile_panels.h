/* Cross-entropy of blocks of samples by the steps of class_tile.h.
 *
 * Included once per precision, after class_tile.h.
 */

FL_INLINE int FN(fl_is_few)(const FlCrossEntropyBlock *block, int kind)
{
    return kind == FL_TARGET_HARD && block->n_classes >= 2 && block->n_classes <= FL_FEW_CLASSES;
}

/* Everything up to the outputs for one panel of n samples from `start` on: n is a multiple of LANES unless the
 * columns are padded. e.data may be NULL if nothing but the loss is wanted. */
FL_INLINE void FN(fl_tile_sums)(const FlCrossEntropyBlock *block, int kind, FN(FlColumns) x,
                                FN(FlColumns) t, FN(FlColumns) e, ptrdiff_t start, ptrdiff_t n,
                                FN(FlLabels) * labels, FN(FlPanel) * panel, double sums[])
{
    const ptrdiff_t n_classes = block->n_classes, n_tiles = (n + LANES - 1) / LANES;
    const int few = FN(fl_is_few)(block, kind);
    FN(fl_read_labels)(block, kind, start, n, labels);
    if (few) {
        for (ptrdiff_t i = 0; i < n; i++)
            labels->number[i] = (REAL)(int32_t)labels->label[i];
        FN(fl_tile_few_maxima)(x, n_tiles, n_classes, labels, panel->max);
    } else {
        if (FL_HAS_LABEL(kind))
            FN(fl_read_logits)(block, start, n, labels);
        FN(fl_tile_maxima)(x, n_tiles, n_classes, panel->max);
    }
    const int far = FN(fl_shift_panel)(panel, n);
    if (FL_HAS_Q(kind))
        FN(fl_tile_targets)(block, kind, x, t, n_tiles, n_classes, labels, panel);
    FN(fl_tile_exponentials)(x, e, n_tiles, n_classes, far, panel);
    if (block->wants & FL_WANT_LOSS) {
        FN(fl_panel_loss)(kind, labels, panel, n);
        FN(fl_keep_losses)(block, labels, start, n, panel->loss, sums);
    }
    if (block->wants & FL_WANT_GRADIENT)
        FN(fl_panel_factors)(kind, labels, panel, n);
    if ((block->wants & FL_WANT_GRADIENT) && FL_HAS_LABEL(kind) && !few)
        FN(fl_panel_at_labels)(kind, labels, panel, n);
}

FL_INLINE void FN(fl_tile_gradients)(const FlCrossEntropyBlock *block, int kind, FN(FlColumns) e,
                                     FN(FlColumns) t, FN(FlColumns) gradient, ptrdiff_t n,
                                     const FN(FlLabels) * labels, const FN(FlPanel) * panel)
{
    if (FN(fl_is_few)(block, kind))
        FN(fl_tile_few_gradient)(e, gradient, (n + LANES - 1) / LANES, block->n_classes, labels,
                                 panel);
    else
        FN(fl_tile_gradient)(block, kind, e, t, gradient, (n + LANES - 1) / LANES, block->n_classes,
                             labels, panel);
}

/* How many samples a panel takes, at least `least` tiles. */
FL_INLINE ptrdiff_t FN(fl_panel_rows)(ptrdiff_t tile_vectors, ptrdiff_t least)
{
    const ptrdiff_t most = FL_CLASS_CHUNK_ROWS / LANES < 8 ? FL_CLASS_CHUNK_ROWS / LANES : 8;
    ptrdiff_t tiles = FL_CLASS_STAGE_BYTES / (tile_vectors * LANES * (ptrdiff_t)sizeof(REAL));
    tiles = tiles < least ? least : tiles;
    return (tiles < most ? tiles : most) * LANES;
}

/* Samples `start` to `end`, a multiple of LANES, of arrays whose sample_stride is 1. */
FL_OUTLINE void FN(fl_cross_entropy_direct)(FlCrossEntropyBlock *block, int kind, ptrdiff_t start,
                                            ptrdiff_t end, double sums[])
{
    const ptrdiff_t n_classes = block->n_classes, rows = FN(fl_panel_rows)(n_classes, 4);
    const int in_scratch = n_classes * rows * (ptrdiff_t)sizeof(REAL) <= FL_CLASS_PANEL_BYTES;
    REAL *gradient = block->wants & FL_WANT_GRADIENT ? block->gradient : NULL;
    const int few = FN(fl_is_few)(block, kind);
    FN(FlLabels) labels;
    FN(FlPanel) panel;
    FN(fl_begin_labels)(block, &labels);
    FN(fl_begin_panel)(block, &panel);
    for (ptrdiff_t i = start; i < end; i += rows) {
        const ptrdiff_t n = end - i < rows ? end - i : rows;
        const FN(FlColumns) x = {(REAL *)block->raw_prediction + i, block->class_stride, LANES};
        const FN(FlColumns) t = {kind == FL_TARGET_SOFT ? (REAL *)block->targets + i : NULL,
                                 block->target_class_stride, LANES};
        const FN(FlColumns)
            g = {gradient ? gradient + i : NULL, block->gradient_class_stride, LANES};
        FN(FlColumns) e = {block->scratch, rows, LANES};
        if (!in_scratch)
            e = g;
        if (!gradient)
            e.data = NULL;
        FN(fl_tile_sums)(block, kind, x, t, e, i, n, &labels, &panel, sums);
        if (gradient) {
            FN(fl_tile_gradients)(block, kind, e, t, g, n, &labels, &panel);
            if (FL_HAS_LABEL(kind) && !few)
                FN(fl_store_at_labels)(panel.at_label, labels.label, n, g.data, 1, g.of_class);
        }
        FN(fl_clear_all_ignored)(block, &labels, i, n);
    }
}

/* Samples `start` to `end` of arrays of any strides, through panels in scratch. */
FL_OUTLINE void FN(fl_cross_entropy_tiled)(FlCrossEntropyBlock *block, int kind, ptrdiff_t start,
                                           ptrdiff_t end, double sums[])
{
    const ptrdiff_t n_classes = block->n_classes;
    const ptrdiff_t tile = n_classes * LANES;
    const ptrdiff_t rows = FN(fl_panel_rows)(tile / LANES, 1), room = rows / LANES * tile;
    REAL *gradient = block->wants & FL_WANT_GRADIENT ? block->gradient : NULL;
    const FN(FlColumns) x = {block->scratch, LANES, tile};
    const FN(FlColumns) t = {x.data + room, LANES, tile};
    const int few = FN(fl_is_few)(block, kind);
    FN(FlLabels) labels;
    FN(FlPanel) panel;
    FN(fl_begin_labels)(block, &labels);
    FN(fl_begin_panel)(block, &panel);
    for (ptrdiff_t i = start; i < end; i += rows) {
        const ptrdiff_t n = end - i < rows ? end - i : rows;
        const REAL *from = (const REAL *)block->raw_prediction + i * block->sample_stride;
        FN(fl_load_panel)(from, block->sample_stride, block->class_stride, n, n_classes,
                          i + 2 * rows <= end ? from + rows * block->sample_stride : from, x);
        if (kind == FL_TARGET_SOFT) {
            const REAL *soft = (const REAL *)block->targets + i * block->target_sample_stride;
            FN(fl_load_panel)(soft, block->target_sample_stride, block->target_class_stride, n,
                              n_classes, soft, t);
        }
        FN(fl_tile_sums)(block, kind, x, t, x, i, n, &labels, &panel, sums);
        if (gradient) {
            REAL *to = gradient + i * block->gradient_sample_stride;
            FN(fl_tile_gradients)(block, kind, x, t, x, n, &labels, &panel);
            FN(fl_store_panel)(x, n, n_classes, to, block->gradient_sample_stride,
                               block->gradient_class_stride);
            if (FL_HAS_LABEL(kind) && !few)
                FN(fl_store_at_labels)(panel.at_label, labels.label, n, to,
                                       block->gradient_sample_stride, block->gradient_class_stride);
        }
        FN(fl_clear_all_ignored)(block, &labels, i, n);
    }
}
