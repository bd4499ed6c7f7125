/* Symmetric cross-entropy (Wang et al. 2019): alpha (-log p_y) + beta A (1 - p_y), p the softmax of f and -A
 * what stands for log 0. With q = 1 - p_y = sum_{k != y} p_k:
 *     gradient = (p_k - [k = y]) (alpha + beta A p_y)
 *     Hessian  = p_k (1 - p_k) (alpha + beta A p_y) - beta A p_y (p_k - [k = y])^2
 * or its first term, never negative: 1 - p_y is a concave function of the cross-entropy, and p_y the slope of its
 * tangent, which is above it. Parameters: p[0] = alpha, p[1] = beta A; p[2] = 1, or 0 for the bounded Hessian.
 */
#include "rows/related.h"

#define FL_RELATED_LOG_SUM 0
#define FL_RELATED_NUMBER 0
#define FL_RELATED_LOG_LOW 1
#define FL_RELATED_OUTER 1

FL_INLINE V FN(symmetric_cross_entropy)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0)), alpha = vsplat(t->p[0]), beta = vsplat(t->p[1]);
    REAL *e = t->room[0];
    const FN(FlRowSoftmax) s = FN(fl_row_softmax)(t->f, t->n, t->label, e);
    const V q = FN(fl_row_share)(s.others, s.others_low, &s);
    V at = zero;
    for (ptrdiff_t k = 0; k < t->n; k++)
        at = vselect(FN(fl_row_is)(t->label, k), vload(e + k * LANES), at);
    const V p = FN(fl_row_share)(at, zero, &s), part = FN(fl_opaque)(beta * p),
            factor = alpha + part, bent = part * t->p[2];
    for (ptrdiff_t k = 0; k < t->n && (wants & (FL_WANT_GRADIENT | FL_WANT_HESSIAN)); k++) {
        const V x = vload(e + k * LANES);
        const V gap = vselect(FN(fl_row_is)(t->label, k), -q, FN(fl_row_share)(x, zero, &s));
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES, gap * factor);
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES,
                   FN(fl_opaque)(FN(fl_row_share)(x, zero, &s) * FN(fl_row_not)(&s, x)) * factor -
                       FN(fl_opaque)(bent * gap) * gap);
    }
    const V log_loss = FN(fl_row_log_loss)(&s);
    /* a weight of 0 drops its term: 0 * inf would be NaN */
    return vkeep((alpha > zero) | (log_loss != log_loss), alpha * log_loss) + beta * q;
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
