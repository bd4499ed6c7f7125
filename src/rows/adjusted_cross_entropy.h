/* Softmax cross-entropy on adjusted logits x_k = f_k + a_k with a penalty on the normaliser, for class
 * labels; adjusted_soft_cross_entropy.h is the same for rows of targets. With q_k = w_k ((1 - s) t_k + s / n)
 * (w the class weights, s the smoothing), Q their sum, p the softmax of x and L = log sum e^x:
 *     loss     = sum_k q_k (-log p_k) + z L^2
 *     gradient = -q_k (1 - p_k) + (Q - q_k) p_k + 2 z L p_k
 *     Hessian  = (Q + 2 z L) p_k (1 - p_k) + 2 z p_k^2
 * The sum f_k + a_k is carried with its rounding error. Parameters: p[0] = s, p[1] = z, p[2] = 2 z, p[3] = A -
 * least a, p[4] = A = largest a; class_weight; per_output: a_k, a_k - A and its exponential, 0, 0 and 1 by default.
 */
#include "rows/adjusted_softmax.h"

#include "rows/related.h"

#define FL_RELATED_LOG_SUM 1
#define FL_RELATED_NUMBER 0
#define FL_RELATED_LOG_LOW 0
#define FL_RELATED_OUTER 0

FL_INLINE V FN(adjusted_cross_entropy)(const FN(FlRowTile) * t, int wants)
{
    return FN(fl_adjusted_softmax)(t, 0, wants);
}

/* Without smoothing: one class counts. Its weight is a factor of the sample's as long as there is no penalty.
 * e^{A - a_k} must not take exponentials beyond their range, nor 2 z L be infinite. */
FL_INLINE int FN(adjusted_cross_entropy_is_related)(FlRowBlock *block, FlRelative *relative)
{
    if (block->params[0] != 0.0 || (block->class_weight && block->params[1] != 0.0) ||
        !(block->params[1] <= (FL_BITS == 64 ? 0x1p900 : 0x1p90)) ||
        !(block->params[3] <= (FL_BITS == 64 ? 400.0 : 40.0)))
        return 0;
    relative->as_hard = block->params[1] == 0.0;
    if (block->per_output) {
        relative->shift = (const REAL *)block->per_output + block->n_classes;
        relative->least = -block->params[3];
        relative->gain = (const REAL *)block->per_output + 2 * block->n_classes;
    }
    return 1;
}

FL_INLINE FN(FlRelatedTerms)
    FN(adjusted_cross_entropy_related)(const FN(FlRelatedSums) * s, const REAL *p)
{
    FN(FlRelatedTerms) terms;
    terms.outer = vsplat(R(1.0));
    if (!s->logs) { /* as_hard */
        terms.loss = s->log_loss;
        terms.factor = FN(fl_scale_factor)(s->inverse, s->weight);
        terms.at_label = vsplat(R(0.0));
        return terms;
    }
    V slope_low, low;
    const V slope = FN(fl_product)(vsplat(p[2]), s->log_sum, &slope_low);
    const V q = FN(fl_times)(s->others, s->inverse) + s->low * s->inverse.high;
    FN(FlFactor) by = {FN(fl_two_sum)(vsplat(R(1.0)), slope, &low), slope_low};
    by.low = by.low + low;
    terms.loss = s->log_loss + R(0.5) * FN(fl_opaque)(slope * s->log_sum);
    terms.factor = FN(fl_scale_factor)(FN(fl_scale_factor)(s->inverse, by), s->weight);
    terms.at_label = FN(fl_times)(slope * FN(fl_related_own)(s) - FN(fl_opaque)(q), s->weight);
    return terms;
}
