/* Labels and weights of a chunk of samples with hard labels: from the caller's array itself where the block is
 * `unread`, checked on their way.
 *
 * Included once per precision, after labels.h, hard_chunk.h and of_label.h.
 */

/* Whether one of n labels may be no class; as INTs into `to`. */
#undef FL_CONVERT_LABELS
#define FL_CONVERT_LABELS(TYPE, UNSIGNED) \
    { \
        const TYPE *label = (const TYPE *)block->unread + start; \
        const UNSIGNED last = (UNSIGNED)block->n_classes - 1; \
        UNSIGNED outside = 0; /* the sign: of a label, or of its distance from the last one */ \
        for (ptrdiff_t i = 0; i < n; i++) { \
            const TYPE v = label[i]; \
            outside |= (UNSIGNED)v | (last - (UNSIGNED)v); \
            to[i] = (INT)v; \
        } \
        return outside >> (8 * sizeof(TYPE) - 1) != 0; \
    }

FL_INLINE int FN(fl_convert_labels)(const FlCrossEntropyBlock *block, ptrdiff_t start, ptrdiff_t n,
                                    INT *to)
{
    if (block->unread_size == 8)
        FL_CONVERT_LABELS(int64_t, uint64_t)
    FL_CONVERT_LABELS(int32_t, uint32_t)
}

/* The same where one is: -1 in its place. */
FL_OUTLINE void FN(fl_doubt_labels)(FlCrossEntropyBlock *block, ptrdiff_t start, ptrdiff_t n,
                                    INT *to)
{
    int64_t some[FL_CLASS_CHUNK_ROWS];
    fl_read_label_run(block->unread_size == 8 ? FL_DTYPE_INT64 : FL_DTYPE_INT32, 0,
                      (const char *)block->unread + start * block->unread_size, block->unread_size,
                      n, some);
    block->invalid |=
        fl_check_labels(some, n, block->n_classes, block->has_ignored, block->ignored);
    for (ptrdiff_t i = 0; i < n; i++)
        to[i] = (INT)some[i];
}

/* The chunk's weights. Whether none is extreme. */
FL_OUTLINE int FN(fl_hard_weights)(const FlCrossEntropyBlock *block, ptrdiff_t start, ptrdiff_t n,
                                   const INT *label, FN(FlLabels) * labels)
{
    const REAL *class_weight = block->class_weight;
    const REAL *sample_weight =
        block->sample_weight ? (const REAL *)block->sample_weight + start : NULL;
    const REAL least = FL_WEIGHT_LEAST * (REAL)block->n_classes;
    const V zero = vsplat(R(0.0)), scale = vsplat((REAL)block->scale);
    const FN(FlFactor) by = {scale, vsplat((REAL)(block->scale - (double)(REAL)block->scale))};
    VI extreme = vsplat_int(0);
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        const VI at = FN(fl_load_labels)(label + j);
        V of_class = zero;
        FN(FlFactor) w = {zero, zero};
        if (class_weight)
            of_class = FN(fl_of_label)(class_weight, block->n_classes, at);
        if (sample_weight)
            w.high = LANES > 1 && n - j < LANES ? vload_partial(sample_weight + j, n - j, zero)
                                                : vload(sample_weight + j);
        if (!sample_weight)
            w.high = of_class;
        else if (class_weight)
            w.high = FN(fl_product)(w.high, of_class, &w.low);
        w.high = vkeep(at >= 0, w.high);
        w.low = vkeep(at >= 0, w.low);
        vstore(labels->weight + j, w.high);
        vstore(labels->weight_low + j, w.low);
        w = FN(fl_scale_factor)(w, by);
        vstore(labels->scaled + j, w.high);
        vstore(labels->scaled_low + j, w.low);
        extreme = extreme | ((w.high != zero) & ((w.high < least) | (w.high > FL_WEIGHT_MOST)));
    }
    labels->extreme = vany(extreme);
    return !labels->extreme;
}

/* Labels and weights of samples start .. start + n - 1; the lanes that pad them are ignored. Whether the weights
 * are ordinary. */
FL_INLINE int FN(fl_hard_labels)(FlCrossEntropyBlock *block, ptrdiff_t start, ptrdiff_t n,
                                 FN(FlLabels) * labels, FN(FlHard) * hard)
{
    if (block->unread) {
        if (FL_UNLIKELY(FN(fl_convert_labels)(block, start, n, hard->label)))
            FN(fl_doubt_labels)(block, start, n, hard->label);
    } else
        for (ptrdiff_t i = 0; i < n; i++)
            hard->label[i] = (INT)block->labels[start + i];
    for (ptrdiff_t i = n; i % LANES; i++)
        hard->label[i] = -1;
    if (block->sample_weight || block->class_weight)
        return FN(fl_hard_weights)(block, start, n, hard->label, labels);
    return !labels->extreme;
}

/* For the steps of class_tile.h and class_row.h, which the chunk is left to. */
FL_INLINE void FN(fl_hard_keep_labels)(const FlCrossEntropyBlock *block, ptrdiff_t start,
                                       ptrdiff_t n, const FN(FlHard) * hard)
{
    if (block->unread)
        for (ptrdiff_t i = 0; i < n; i++)
            block->labels[start + i] = hard->label[i];
}
