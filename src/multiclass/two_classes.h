/* Cross-entropy of two classes: the logistic loss of the one difference of logits that matters.
 *
 *   z = f_other - f_label,  t = e^-|z|,  loss = max(z, 0) + log1p(t),
 *   p_other = (z >= 0 ? 1 : t) / (1 + t) = gradient_other = -gradient_label
 *
 * One exponential for two logits. z is rounded, and e^-|z| magnifies that by |z|: the rounding error of the
 * difference is known exactly (TwoSum), and t (1 - error) puts it right.
 *
 * Only the sign of z depends on the label. Included once per precision, after hard_panels.h. For hard labels
 * without smoothing.
 */

/* f_1 - f_0 and its t. A class at -inf is data; one at +inf makes the sample NaN. */
FL_INLINE V FN(fl_two_class_margin)(V first, V second, V *t)
{
    const V z = second - first, back = z - second;
    V error = (second - (z - back)) - (first + back);
    const V top = vmax(second, first);
    error = vselect(vabs(z) < (REAL)INFINITY, error, top - top);
    error = vselect_negative(z, -error, error);
    const V power = vexp_nonpositive(vminus_abs(z));
    *t = power - power * error;
    return z;
}

/* f_1 - f_0 and t of n samples into margin and tail, a multiple of LANES: either both classes side by side
 * (`interleaved`, then x1 is not used) or apart. Meanwhile `lines` are flushed. */
FL_OUTLINE void FN(fl_two_class_margins)(const REAL *x, const REAL *x1, int interleaved,
                                         ptrdiff_t n, REAL *margin, REAL *tail, FN(FlLines) * lines)
{
    const ptrdiff_t share = FN(fl_lines_share)(lines, n / LANES);
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        V first, second, t;
        if (share)
            FN(fl_lines_flush)(lines, share);
        if (interleaved) {
            const V a = vload(x + 2 * j), b = vload(x + 2 * j + LANES);
            FL_PREFETCH(x + 2 * j + 2 * FL_CLASS_CHUNK_ROWS, 0);
            FL_PREFETCH(x + 2 * j + 2 * FL_CLASS_CHUNK_ROWS + LANES, 0);
            first = even_lanes(a, b);
            second = odd_lanes(a, b);
        } else {
            first = vload(x + j);
            second = vload(x1 + j);
        }
        vstore(margin + j, FN(fl_two_class_margin)(first, second, &t));
        vstore(tail + j, t);
    }
}

/* f_other - f_label from f_1 - f_0: the other sign where the label is 1. */
FL_INLINE V FN(fl_toward_label)(V margin, VI label)
{
    return FN(fl_from_ubits)(FN(fl_ubits)(margin) ^ ((VU)(label & 1) << (FL_BITS - 1)));
}

FL_OUTLINE void FN(fl_two_class_loss)(const FlCrossEntropyBlock *block, const FN(FlLabels) * labels,
                                      ptrdiff_t start, ptrdiff_t n, const REAL *margin,
                                      const REAL *tail, const INT *label, double sums[])
{
    const int weighted = block->sample_weight || block->class_weight;
    const V zero = vsplat(R(0.0)), scale = vsplat((REAL)block->scale);
    FN(fl_sum) total;
    memcpy(&total, sums, sizeof total);
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        const VI at = FN(fl_load_labels)(label + j);
        const V z = FN(fl_toward_label)(vload(margin + j), at);
        V loss = vmax(zero, z) + vlog1p_unit(vload(tail + j));
        if (weighted)
            loss = FN(fl_weigh_loss)(loss, labels, j);
        loss = vkeep(at >= 0, loss);
        FN(fl_sum_add)(&total, loss);
        if (block->loss)
            vstore((REAL *)block->loss + start + j, loss * scale);
    }
    memcpy(sums, &total, sizeof total);
}

/* a and b: LANES samples of both classes */
FL_INLINE void FN(fl_store_two)(REAL *to, ptrdiff_t class_stride, int interleaved, V a, V b)
{
    vstore(to, interleaved ? interleave_low(a, b) : a);
    vstore(to + (interleaved ? LANES : class_stride), interleaved ? interleave_high(a, b) : b);
}

/* Of n samples. */
FL_OUTLINE void FN(fl_two_class_gradients)(const FlCrossEntropyBlock *block,
                                           const FN(FlLabels) * labels, int interleaved,
                                           ptrdiff_t n, const REAL *margin, const REAL *tail,
                                           const INT *label, REAL *gradient)
{
    const ptrdiff_t stride = interleaved ? 2 : 1;
    const V one = vsplat(R(1.0));
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        const VI at = FN(fl_load_labels)(label + j);
        const V t = vload(tail + j);
        const FN(FlFactor) scaled = FN(fl_scaled)(labels, j);
        const V inverse = one / (one + t);
        const V z = FN(fl_toward_label)(vload(margin + j), at);
        const V p = vselect_negative(z, t, one) * inverse;
        /* the sign of a gradient is that of 1 - 2 label */
        const V g = FN(fl_toward_label)(FN(fl_times)(p, scaled), at);
        FN(fl_store_two)(gradient + j * stride, block->gradient_class_stride, interleaved,
                         vkeep(at >= 0, -g), vkeep(at >= 0, g));
    }
}

/* Samples `start` to `end`, a multiple of LANES: class_stride 1 and sample_stride 2 (`interleaved`), or
 * sample_stride 1. In steps, as in class_tile.h. */
FL_OUTLINE void FN(fl_two_classes)(FlCrossEntropyBlock *block, int interleaved, ptrdiff_t start,
                                   ptrdiff_t end, double sums[])
{
    const ptrdiff_t rows = FL_CLASS_CHUNK_ROWS;
    const REAL *raw = block->raw_prediction;
    REAL *gradient = block->wants & FL_WANT_GRADIENT ? block->gradient : NULL;
    const int stream = interleaved && block->stream && gradient;
    FL_ALIGNED REAL margin[FL_CLASS_CHUNK_ROWS], tail[FL_CLASS_CHUNK_ROWS];
    FN(FlLines) lines = FN(fl_lines_begin)(gradient + (stream ? 2 * start : 0), block->scratch);
    FN(FlLabels) labels;
    FN(FlHard) hard;
    FN(fl_begin_labels)(block, &labels);
    for (ptrdiff_t i = start; i < end; i += rows) {
        const ptrdiff_t n = end - i < rows ? end - i : rows;
        REAL *to = gradient ? gradient + i * block->gradient_sample_stride : NULL;
        (void)FN(fl_hard_labels)(block, i, n, &labels, &hard);
        FN(fl_two_class_margins)(raw + i * block->sample_stride, raw + i + block->class_stride,
                                 interleaved, n, margin, tail, &lines);
        if (block->wants & FL_WANT_LOSS)
            FN(fl_two_class_loss)(block, &labels, i, n, margin, tail, hard.label, sums);
        if (gradient)
            FN(fl_two_class_gradients)(block, &labels, interleaved, n, margin, tail, hard.label,
                                       stream ? FN(fl_lines_room)(&lines) : to);
        if (stream)
            FN(fl_lines_push)(&lines, 2 * n);
    }
    if (stream)
        FN(fl_lines_end)(&lines);
}
