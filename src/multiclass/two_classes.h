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

/* Samples `start` to `end`, a multiple of LANES: either both classes side by side (class_stride 1,
 * sample_stride 2: `interleaved`), or samples side by side (sample_stride 1). */
FL_INLINE void FN(fl_two_classes)(FlCrossEntropyBlock *block, int interleaved, ptrdiff_t start,
                                  ptrdiff_t end, double sums[])
{
    const REAL *raw = block->raw_prediction;
    REAL *gradient = block->wants & FL_WANT_GRADIENT ? block->gradient : NULL;
    REAL *hessian = block->wants & FL_WANT_HESSIAN ? block->hessian : NULL;
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    FN(FlLabels) labels;
    for (ptrdiff_t i = start; i < end; i += FL_CLASS_CHUNK_ROWS) {
        const ptrdiff_t n = end - i < FL_CLASS_CHUNK_ROWS ? end - i : FL_CLASS_CHUNK_ROWS;
        FL_ALIGNED REAL signs[FL_CLASS_CHUNK_ROWS];
        FN(fl_read_class_weights)(block, FL_TARGET_HARD, i, n, &labels);
        for (ptrdiff_t j = 0; j < n; j++)
            signs[j] = labels.label[j] ? R(-1.0) : R(1.0);
        for (ptrdiff_t j = 0; j < n; j += LANES) {
            V first, second, t;
            if (interleaved) {
                const REAL *x = raw + 2 * (i + j);
                first = even_lanes(vload(x), vload(x + LANES));
                second = odd_lanes(vload(x), vload(x + LANES));
            } else {
                first = vload(raw + i + j);
                second = vload(raw + i + j + block->class_stride);
            }
            const V sign = vload(signs + j), scaled = vload(labels.scaled + j);
            const VI label_second = sign < zero;
            const V z = FN(fl_two_class_margin)(vselect(label_second, second, first),
                                                vselect(label_second, first, second), &t);
            const V inverse = one / (one + t);
            if (block->wants & FL_WANT_LOSS) {
                const V loss = vmax(zero, z) + vlog1p_unit(t);
                FN(fl_keep_losses)(block, &labels, i, j, LANES, loss * vload(labels.weight + j), sums);
            }
            if (hessian) {
                const V value = (t * inverse) * inverse * scaled;
                if (interleaved) {
                    vstore(hessian + 2 * (i + j), interleave_low(value, value));
                    vstore(hessian + 2 * (i + j) + LANES, interleave_high(value, value));
                } else {
                    vstore(hessian + i + j, value);
                    vstore(hessian + i + j + block->hessian_class_stride, value);
                }
            }
            if (gradient) {
                const V p = vselect(z < zero, t * inverse, inverse) * scaled;
                const V g = -p * sign;
                if (interleaved) {
                    vstore(gradient + 2 * (i + j), interleave_low(g, -g));
                    vstore(gradient + 2 * (i + j) + LANES, interleave_high(g, -g));
                } else {
                    vstore(gradient + i + j, g);
                    vstore(gradient + i + j + block->gradient_class_stride, -g);
                }
            }
        }
        if (labels.any_ignored) {
            if (gradient)
                FN(fl_clear_ignored)(&labels, n, 2, gradient + i * block->gradient_sample_stride,
                                     block->gradient_sample_stride, block->gradient_class_stride);
            if (hessian)
                FN(fl_clear_ignored)(&labels, n, 2, hessian + i * block->hessian_sample_stride,
                                     block->hessian_sample_stride, block->hessian_class_stride);
        }
    }
}
