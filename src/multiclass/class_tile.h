/* Cross-entropy with samples as lanes: a tile of LANES samples is n_classes vectors, and nothing is ever
 * summed across a vector. For few classes, and wherever the samples lie side by side.
 *
 * Included once per precision, after labels.h.
 */

/* One tile: column k of each array stands at k * stride. */
typedef struct {
    const REAL *x, *t; /* logits and soft labels */
    REAL *e;           /* exponentials; may be x or gradient, or NULL if nothing but the loss is wanted */
    REAL *gradient, *hessian;
    ptrdiff_t x_stride, t_stride, e_stride, gradient_stride, hessian_stride;
} FN(FlColumns);

/* Everything of one tile but the gradient at the labels, which is returned in *at_label. The Hessian is
 * made before the gradient, which may replace e. */
FL_INLINE void FN(fl_cross_entropy_tile)(const FlCrossEntropyBlock *block, int kind, ptrdiff_t n_classes,
                                         const FN(FlColumns) *c, const FN(FlLabels) *labels,
                                         ptrdiff_t j, V *loss, V *at_label)
{
    const REAL keep = (REAL)(1.0 - block->label_smoothing);
    const REAL floor = (REAL)(block->label_smoothing / (double)block->n_classes);
    const REAL *class_weight = block->class_weight;
    const V scaled = vload(labels->scaled + j);
    FN(FlSums) s;
    s.max = max_columns(c->x, c->x_stride, n_classes);
    const VI far = softmax_shift(s.max, &s.shift, &s.floor, &s.magic);
    s.linear = vsplat(R(0.0));
    s.total = vsplat(R(1.0));
    if (FL_HAS_Q(kind)) {
        V lost = vsplat(R(0.0)), total = lost, total_lost = lost;
        for (ptrdiff_t k = 0; k < n_classes; k++) {
            const V w = vsplat(class_weight ? class_weight[k] : R(1.0));
            const V t = FN(fl_soft_label)(kind, c->t, k * c->t_stride);
            const V q = FN(fl_target)(kind, keep, floor, w, t);
            FN(fl_add_compensated)(&total, &total_lost, q);
            FN(fl_add_compensated)(&s.linear, &lost,
                                   FN(fl_target_loss)(q, s.max, vload(c->x + k * c->x_stride)));
        }
        /* an infinite sum leaves a NaN in its rounding error */
        s.linear = vselect(s.linear < (REAL)INFINITY, s.linear + lost, s.linear);
        s.total = total + total_lost;
        if (kind == FL_TARGET_SMOOTH)
            s.total = vload(labels->total + j);
    }
    if (FL_UNLIKELY(vany(far)))
        FN(fl_exp_columns_far)(c->x, c->x_stride, n_classes, c->e, c->e_stride, &s.shift, &s.floor,
                               &s.magic, &s.top, &s.rest);
    else
        exp_columns(c->x, c->x_stride, n_classes, c->e, c->e_stride, NULL, s.floor, s.magic, &s.top,
                    &s.rest);
    if (block->wants & FL_WANT_LOSS)
        *loss = FN(fl_class_loss)(kind, &s, labels, j);
    if (!(block->wants & (FL_WANT_GRADIENT | FL_WANT_HESSIAN)))
        return;

    const FN(FlFactor) inverse = FN(fl_softmax_inverse)(s.top, s.rest);
    if (block->wants & FL_WANT_HESSIAN) {
        const V factor = s.total * scaled;
        for (ptrdiff_t k = 0; k < n_classes; k++) {
            const V e = vload(c->e + k * c->e_stride);
            const V others = s.rest + (s.top - e);
            vstore(c->hessian + k * c->hessian_stride,
                   FN(fl_times)(e, inverse) * FN(fl_times)(others, inverse) * factor);
        }
    }
    if (!(block->wants & FL_WANT_GRADIENT))
        return;
    if (FL_HAS_LABEL(kind))
        *at_label = FN(fl_gradient_at_label)(kind, &s, inverse, labels, j);
    if (FL_HAS_Q(kind)) {
        const FN(FlFactor) factor = FN(fl_scale_factor)(inverse, s.total);
        for (ptrdiff_t k = 0; k < n_classes; k++) {
            const V w = vsplat(class_weight ? class_weight[k] : R(1.0));
            const V t = FN(fl_soft_label)(kind, c->t, k * c->t_stride);
            const V q = FN(fl_target)(kind, keep, floor, w, t);
            const V e = vload(c->e + k * c->e_stride);
            const V others = s.rest + (s.top - e);
            vstore(c->gradient + k * c->gradient_stride,
                   FN(fl_target_gradient)(e, others, factor, s.total, q) * scaled);
        }
    } else if (FL_UNLIKELY(labels->extreme)) {
        for (ptrdiff_t k = 0; k < n_classes; k++)
            vstore(c->gradient + k * c->gradient_stride,
                   FN(fl_times)(vload(c->e + k * c->e_stride), inverse) * scaled);
    } else {
        const FN(FlFactor) factor = FN(fl_scale_factor)(inverse, scaled);
        for (ptrdiff_t k = 0; k < n_classes; k++)
            vstore(c->gradient + k * c->gradient_stride,
                   FN(fl_times)(vload(c->e + k * c->e_stride), factor));
    }
}

/* The gradient at the labels of n samples, after that of all classes is stored. */
FL_INLINE void FN(fl_store_at_labels)(V at_label, const ptrdiff_t *label, ptrdiff_t n, REAL *gradient,
                                      ptrdiff_t sample_stride, ptrdiff_t class_stride)
{
    FL_ALIGNED REAL values[LANES];
    vstore(values, at_label);
    for (ptrdiff_t i = 0; i < n; i++)
        gradient[i * sample_stride + label[i] * class_stride] = values[i];
}

/* Samples `start` to `end`, a multiple of LANES, of arrays whose sample_stride is 1. */
FL_INLINE void FN(fl_cross_entropy_direct)(FlCrossEntropyBlock *block, int kind, ptrdiff_t start,
                                           ptrdiff_t end, double sums[])
{
    const ptrdiff_t n_classes = block->n_classes;
    const int in_scratch = n_classes * LANES * (ptrdiff_t)sizeof(REAL) <= FL_CLASS_TILE_BYTES;
    FN(FlLabels) labels;
    for (ptrdiff_t i = start; i < end; i += FL_CLASS_CHUNK_ROWS) {
        const ptrdiff_t n = end - i < FL_CLASS_CHUNK_ROWS ? end - i : FL_CLASS_CHUNK_ROWS;
        FN(fl_read_class_labels)(block, kind, i, n, &labels);
        for (ptrdiff_t j = 0; j < n; j += LANES) {
            V loss = vsplat(R(0.0)), at_label = loss;
            FN(FlColumns) c;
            c.x = (const REAL *)block->raw_prediction + i + j;
            c.x_stride = block->class_stride;
            c.t = kind == FL_TARGET_SOFT ? (const REAL *)block->targets + i + j : NULL;
            c.t_stride = block->target_class_stride;
            c.gradient = block->wants & FL_WANT_GRADIENT ? (REAL *)block->gradient + i + j : NULL;
            c.gradient_stride = block->gradient_class_stride;
            c.hessian = block->wants & FL_WANT_HESSIAN ? (REAL *)block->hessian + i + j : NULL;
            c.hessian_stride = block->hessian_class_stride;
            c.e = in_scratch ? block->scratch : c.gradient ? c.gradient : c.hessian;
            c.e_stride = in_scratch ? LANES : c.gradient ? c.gradient_stride : c.hessian_stride;
            if (!c.gradient && !c.hessian)
                c.e = NULL;
            FN(fl_cross_entropy_tile)(block, kind, n_classes, &c, &labels, j, &loss, &at_label);
            if (block->wants & FL_WANT_LOSS)
                FN(fl_keep_losses)(block, &labels, i, j, LANES, loss, sums);
            if (c.gradient && FL_HAS_LABEL(kind))
                FN(fl_store_at_labels)(at_label, labels.label + j, LANES, c.gradient, 1,
                                       c.gradient_stride);
        }
        if (labels.any_ignored) {
            if (block->wants & FL_WANT_GRADIENT)
                FN(fl_clear_ignored)(&labels, n, n_classes, (REAL *)block->gradient + i, 1,
                                     block->gradient_class_stride);
            if (block->wants & FL_WANT_HESSIAN)
                FN(fl_clear_ignored)(&labels, n, n_classes, (REAL *)block->hessian + i, 1,
                                     block->hessian_class_stride);
        }
    }
}

/* n <= LANES samples of an array of any strides -> columns; through pieces where class_stride is 1. */
FL_INLINE void FN(fl_load_tile)(const REAL *from, ptrdiff_t sample_stride, ptrdiff_t class_stride,
                                ptrdiff_t n, ptrdiff_t n_classes, REAL *pieces, REAL *columns)
{
    if (class_stride == 1) {
        FN(fl_pieces_from_rows)(from, sample_stride, n, n_classes, pieces);
        FN(fl_columns_from_pieces)(pieces, n_classes, columns);
        return;
    }
    for (ptrdiff_t k = 0; k < n_classes; k++)
        for (ptrdiff_t l = 0; l < LANES; l++)
            columns[k * LANES + l] =
                from[(l < n ? l : n - 1) * sample_stride + k * class_stride];
}

FL_INLINE void FN(fl_store_tile)(const REAL *columns, ptrdiff_t n, ptrdiff_t n_classes, REAL *pieces,
                                 REAL *to, ptrdiff_t sample_stride, ptrdiff_t class_stride)
{
    if (class_stride == 1) {
        FN(fl_pieces_from_columns)(columns, n_classes, pieces);
        FN(fl_pieces_to_rows)(pieces, n_classes, to, sample_stride, n);
        return;
    }
    for (ptrdiff_t k = 0; k < n_classes; k++)
        for (ptrdiff_t l = 0; l < n; l++)
            to[l * sample_stride + k * class_stride] = columns[k * LANES + l];
}

/* Samples `start` to `end` of arrays of any strides, through a tile in scratch. The rows of a whole chunk
 * are cut into pieces first: a vector read right after the narrow stores that made it would wait for
 * them to leave the store buffer. */
FL_INLINE void FN(fl_cross_entropy_tiled)(FlCrossEntropyBlock *block, int kind, ptrdiff_t n_classes,
                                          ptrdiff_t start, ptrdiff_t end, double sums[])
{
    const REAL *raw = block->raw_prediction;
    REAL *gradient = block->wants & FL_WANT_GRADIENT ? block->gradient : NULL;
    REAL *hessian = block->wants & FL_WANT_HESSIAN ? block->hessian : NULL;
    const ptrdiff_t tile = FN(fl_pieces)(n_classes) * QUAD * LANES;
    const ptrdiff_t staged = FL_CLASS_STAGE_BYTES / (tile * (ptrdiff_t)sizeof(REAL));
    const ptrdiff_t most = FL_CLASS_CHUNK_ROWS / LANES;
    const ptrdiff_t chunk = (staged < 1 ? 1 : staged > most ? most : staged) * LANES;
    REAL *columns = block->scratch, *hessian_columns = columns + tile;
    REAL *target_columns = hessian_columns + tile, *pieces = target_columns + tile;
    REAL *stage = pieces + tile;
    FN(FlLabels) labels;
    for (ptrdiff_t i = start; i < end; i += chunk) {
        const ptrdiff_t n = end - i < chunk ? end - i : chunk;
        FN(fl_read_class_labels)(block, kind, i, n, &labels);
        if (block->class_stride == 1)
            for (ptrdiff_t j = 0; j < n; j += LANES)
                FN(fl_pieces_from_rows)(raw + (i + j) * block->sample_stride, block->sample_stride,
                                        n - j < LANES ? n - j : LANES, n_classes,
                                        stage + j / LANES * tile);
        for (ptrdiff_t j = 0; j < n; j += LANES) {
            const ptrdiff_t rows = n - j < LANES ? n - j : LANES;
            V loss = vsplat(R(0.0)), at_label = loss;
            FN(FlColumns) c = {.x = columns,
                               .t = target_columns,
                               .e = columns,
                               .gradient = columns,
                               .hessian = hessian_columns,
                               .x_stride = LANES,
                               .t_stride = LANES,
                               .e_stride = LANES,
                               .gradient_stride = LANES,
                               .hessian_stride = LANES};
            if (block->class_stride == 1)
                FN(fl_columns_from_pieces)(stage + j / LANES * tile, n_classes, columns);
            else
                FN(fl_load_tile)(raw + (i + j) * block->sample_stride, block->sample_stride,
                                 block->class_stride, rows, n_classes, pieces, columns);
            if (kind == FL_TARGET_SOFT)
                FN(fl_load_tile)((const REAL *)block->targets + (i + j) * block->target_sample_stride,
                                 block->target_sample_stride, block->target_class_stride, rows,
                                 n_classes, pieces, target_columns);
            FN(fl_cross_entropy_tile)(block, kind, n_classes, &c, &labels, j, &loss, &at_label);
            if (block->wants & FL_WANT_LOSS)
                FN(fl_keep_losses)(block, &labels, i, j, rows, loss, sums);
            if (hessian)
                FN(fl_store_tile)(hessian_columns, rows, n_classes, pieces,
                                  hessian + (i + j) * block->hessian_sample_stride,
                                  block->hessian_sample_stride, block->hessian_class_stride);
            if (gradient) {
                REAL *to = gradient + (i + j) * block->gradient_sample_stride;
                FN(fl_store_tile)(columns, rows, n_classes, pieces, to,
                                  block->gradient_sample_stride, block->gradient_class_stride);
                if (FL_HAS_LABEL(kind))
                    FN(fl_store_at_labels)(at_label, labels.label + j, rows, to,
                                           block->gradient_sample_stride,
                                           block->gradient_class_stride);
            }
        }
        if (labels.any_ignored) {
            if (gradient)
                FN(fl_clear_ignored)(&labels, n, n_classes, gradient + i * block->gradient_sample_stride,
                                     block->gradient_sample_stride, block->gradient_class_stride);
            if (hessian)
                FN(fl_clear_ignored)(&labels, n, n_classes, hessian + i * block->hessian_sample_stride,
                                     block->hessian_sample_stride, block->hessian_class_stride);
        }
    }
}
