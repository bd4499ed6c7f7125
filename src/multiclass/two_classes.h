/* Cross-entropy of two classes: the logistic loss of the one difference of logits that matters.
 *
 *   z = f_other - f_label,  t = e^-|z|,  loss = max(z, 0) + log1p(t),
 *   p_other = (z >= 0 ? 1 : t) / (1 + t) = gradient_other = -gradient_label,  hessian = t / (1 + t)^2
 *
 * One exponential for two logits. z is rounded, and e^-|z| magnifies that by |z|: the rounding error of the
 * difference is known exactly (TwoSum), and t (1 - error) puts it right.
 *
 * Included once per precision, after class_tile.h. For hard labels without smoothing.
 */

/* f_other - f_label and its t. A class at -inf is data; one at +inf makes the sample NaN. */
FL_INLINE V FN(fl_two_class_margin)(V label, V other, V *t)
{
    const V zero = vsplat(R(0.0));
    const V z = other - label, back = z - other;
    V error = (other - (z - back)) - (label + back);
    const V top = vmax(other, label);
    error = vselect(vabs(z) < (REAL)INFINITY, error, top - top);
    error = vselect(z < zero, -error, error);
    const V power = vexp_nonpositive(-vabs(z));
    *t = power - power * error;
    return z;
}

/* z and t of n samples into margin and tail, a multiple of LANES: either both classes side by side
 * (`interleaved`, then x1 is not used) or apart. sign is 1 where the label is the first class, else -1. */
FL_OUTLINE void FN(fl_two_class_margins)(const REAL *x, const REAL *x1, int interleaved,
                                         ptrdiff_t n, const REAL *sign, REAL *margin, REAL *tail)
{
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        V first, second, t;
        if (interleaved) {
            const V a = vload(x + 2 * j), b = vload(x + 2 * j + LANES);
            first = even_lanes(a, b);
            second = odd_lanes(a, b);
        } else {
            first = vload(x + j);
            second = vload(x1 + j);
        }
        const VI is_first = vload(sign + j) > R(0.0);
        const V label = vselect(is_first, first, second), other = vselect(is_first, second, first);
        vstore(margin + j, FN(fl_two_class_margin)(label, other, &t));
        vstore(tail + j, t);
    }
}

/* a and b: LANES samples of both classes */
FL_INLINE void FN(fl_store_two)(REAL *to, ptrdiff_t class_stride, int interleaved, V a, V b)
{
    vstore(to, interleaved ? interleave_low(a, b) : a);
    vstore(to + (interleaved ? LANES : class_stride), interleaved ? interleave_high(a, b) : b);
}

/* Samples `start` to `end`, a multiple of LANES: class_stride 1 and sample_stride 2 (`interleaved`), or
 * sample_stride 1. In two steps, as in class_tile.h. */
FL_OUTLINE void FN(fl_two_classes)(FlCrossEntropyBlock *block, int interleaved, ptrdiff_t start,
                                   ptrdiff_t end, double sums[])
{
    const REAL *raw = block->raw_prediction;
    REAL *gradient = block->wants & FL_WANT_GRADIENT ? block->gradient : NULL;
    REAL *hessian = block->wants & FL_WANT_HESSIAN ? block->hessian : NULL;
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    FL_ALIGNED REAL sign[FL_CLASS_CHUNK_ROWS], margin[FL_CLASS_CHUNK_ROWS];
    FL_ALIGNED REAL tail[FL_CLASS_CHUNK_ROWS], loss[FL_CLASS_CHUNK_ROWS];
    FN(FlLabels) labels;
    FN(fl_begin_labels)(block, &labels);
    for (ptrdiff_t i = start; i < end; i += FL_CLASS_CHUNK_ROWS) {
        const ptrdiff_t n = end - i < FL_CLASS_CHUNK_ROWS ? end - i : FL_CLASS_CHUNK_ROWS;
        FN(fl_read_labels)(block, FL_TARGET_HARD, i, n, &labels);
        for (ptrdiff_t j = 0; j < n; j++)
            sign[j] = (REAL)(1 - 2 * (int32_t)labels.label[j]);
        FN(fl_two_class_margins)(raw + i * block->sample_stride, raw + i + block->class_stride,
                                 interleaved, n, sign, margin, tail);
        if (block->wants & FL_WANT_LOSS) {
            for (ptrdiff_t j = 0; j < n; j += LANES) {
                const V l = vmax(zero, vload(margin + j)) + vlog1p_unit(vload(tail + j));
                vstore(loss + j, FN(fl_weigh_loss)(l, &labels, j));
            }
            FN(fl_keep_losses)(block, &labels, i, n, loss, sums);
        }
        if (gradient || hessian)
            for (ptrdiff_t j = 0; j < n; j += LANES) {
                const V t = vload(tail + j);
                const FN(FlFactor) scaled = FN(fl_scaled)(&labels, j);
                const V inverse = one / (one + t);
                if (hessian) {
                    const V h = FN(fl_times)((t * inverse) * inverse, scaled);
                    FN(fl_store_two)(hessian + (i + j) * block->hessian_sample_stride,
                                     block->hessian_class_stride, interleaved, h, h);
                }
                if (gradient) {
                    const V p = vselect(vload(margin + j) < zero, t, one) * inverse;
                    const V g = FN(fl_times)(p, scaled) * vload(sign + j);
                    FN(fl_store_two)(gradient + (i + j) * block->gradient_sample_stride,
                                     block->gradient_class_stride, interleaved, -g, g);
                }
            }
        FN(fl_clear_all_ignored)(block, &labels, i, n);
    }
}
