/* Symmetric cross-entropy (Wang et al. 2019): alpha (-log p_y) + beta A (1 - p_y), p the softmax of f and -A
 * what stands for log 0. With q = 1 - p_y = sum_{k != y} p_k:
 *     gradient = (p_k - [k = y]) (alpha + beta A p_y)
 *     Hessian  = p_k (1 - p_k) (alpha + beta A p_y) - beta A p_y (p_k - [k = y])^2
 * or its first term, never negative: 1 - p_y is a concave function of the cross-entropy, and p_y the slope of its
 * tangent, which is above it. Parameters: p[0] = alpha, p[1] = beta A; p[2] = 1, or 0 for the bounded Hessian.
 */
#include "rows/pairs.h"

#include "rows/related.h"

#define FL_RELATED_LOG_SUM 0
#define FL_RELATED_NUMBER 0
#define FL_RELATED_LOG_LOW 1
#define FL_RELATED_OUTER 1

/* Of blocks that go the ways of the cross-entropy the Hessian alone, and what is rare there: in pairs all of it. */
FL_INLINE V FN(symmetric_cross_entropy)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0)), alpha = vsplat(t->p[0]), beta = vsplat(t->p[1]);
    REAL *e = t->room[0], *e_low = t->room[1];
    const FN(FlPairSoftmax) s = FN(fl_pair_softmax)(t->f, t->n, t->label, e, e_low);
    const FN(FlPair) p = pair_times(s.own, s.inverse);
    const FN(FlPair) q = pair_times(FN(fl_pair_others)(&s, s.own), s.inverse);
    const FN(FlPair) part = pair_times(pair_of(beta), p), factor = pair_sum(pair_of(alpha), part);
    const FN(FlPair) bent = {part.high * t->p[2], part.low * t->p[2]};
    for (ptrdiff_t k = 0; k < t->n && (wants & (FL_WANT_GRADIENT | FL_WANT_HESSIAN)); k++) {
        const VI is_label = FN(fl_row_is)(t->label, k);
        const FN(FlPair) x = pair_load(e, e_low, k);
        FN(FlPair) spread, square;
        if (wants & FL_WANT_GRADIENT) {
            const FN(FlPair) minus = {-q.high, -q.low};
            const FN(FlPair) gap = pair_select(is_label, minus, pair_times(x, s.inverse));
            vstore(t->gradient + k * LANES, FN(fl_pair_whole)(pair_times(gap, factor)));
        }
        if (wants & FL_WANT_HESSIAN) {
            FN(fl_pair_squares)(&s, x, is_label, &spread, &square);
            vstore(t->hessian + k * LANES,
                   FN(fl_pair_difference)(pair_times(spread, factor), pair_times(square, bent)));
        }
    }
    if (wants == FL_WANT_HESSIAN)
        return zero;
    const FN(FlRowSoftmax) single = FN(fl_row_softmax)(t->f, t->n, t->label, e);
    const V log_loss = FN(fl_row_log_loss)(&single);
    /* a weight of 0 drops its term: 0 * inf would be NaN */
    return vkeep((alpha > zero) | (log_loss != log_loss), alpha * log_loss) +
           beta * FN(fl_pair_whole)(q);
}

/* Whether alpha + beta A p_y is of a size that can be a part of the factors of exponentials. */
FL_INLINE int FN(fl_symmetric_as_hard)(REAL alpha, REAL beta)
{
    return alpha >= R(0x1p-20) && alpha <= R(0x1p20) && beta <= R(0x1p20);
}

FL_INLINE int FN(symmetric_cross_entropy_is_related)(FlRowBlock *block, FlRelative *relative)
{
    const REAL alpha = (REAL)block->params[0], beta = (REAL)block->params[1];
    relative->as_hard = FN(fl_symmetric_as_hard)(alpha, beta);
    /* their sum is finite, and so is what it was rounded by */
    return alpha < REAL_MAX / 4 && beta < REAL_MAX / 4;
}

FL_INLINE FN(FlRelatedTerms)
    FN(symmetric_cross_entropy_related)(const FN(FlRelatedSums) * s, const REAL *p)
{
    const V q = FN(fl_times)(s->others, s->inverse) + s->low * s->inverse.high;
    FN(FlRelatedTerms) terms;
    FN(FlFactor) slope;
    V lost, low, rest;
    const V share = FN(fl_product)(s->own, s->inverse.high, &lost);
    lost = lost + (s->own * s->inverse.low + s->own_low * s->inverse.high);
    const V part = FN(fl_product)(vsplat(p[1]), share, &low);
    slope.high = FN(fl_two_sum)(vsplat(p[0]), part, &rest);
    slope.low = rest + (low + p[1] * lost);
    terms.loss = p[0] * s->log_loss + FN(fl_opaque)(p[1] * q + p[0] * s->log_low);
    if (!FN(fl_symmetric_as_hard)(p[0], p[1])) {
        const V lacks = vkeep(slope.high > R(0.0), slope.low / slope.high);
        FN(fl_related_gradient_of)(s, slope.high, lacks, &terms);
        return terms;
    }
    terms.factor = FN(fl_scale_factor)(FN(fl_scale_factor)(s->inverse, slope), s->weight);
    terms.outer = terms.at_label = vsplat(R(0.0));
    return terms;
}
