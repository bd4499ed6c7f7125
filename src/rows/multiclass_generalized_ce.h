/* Generalised cross-entropy (Zhang, Sabuncu 2018): (1 - p_y^q) / q, p the softmax of f.
 *     gradient = p_y^q (p_k - [k = y])
 *     Hessian  = p_y^q (p_k (1 - p_k) - q (p_k - [k = y])^2)
 * or its part p_y^q p_k (1 - p_k), never negative: the loss is a concave function of the cross-entropy, and p_y^q
 * the slope of its tangent, which is above it.
 * p_y^q = e^{-q (max - f_y)} (1 + rest)^{-q}: the first exponent is kept with its rounding error, since the
 * exponential magnifies it. Parameters: p[0] + p[1] = q, p[0] a float32; p[2] = q, or 0 for
 * the bounded Hessian.
 */
#include "rows/pairs.h"

#include "rows/related.h"

/* (1 - e^{-exponent}) / q of exponent = q * loss: of a small one it is the loss, where their product may underflow */
FL_INLINE V FN(fl_generalized_loss)(V exponent, V loss, V power)
{
    return vselect(exponent < R(0x1p-60), loss, -vexpm1(-exponent) / power);
}

#define FL_RELATED_LOG_SUM 0
#define FL_RELATED_NUMBER 0
#define FL_RELATED_LOG_LOW 1
#define FL_RELATED_OUTER 1

/* weight: p_y^q, which for q = 1 is known better */
FL_INLINE void FN(fl_generalized_hessian)(const FN(FlRowTile) * t, V weight)
{
    REAL *e = t->room[0], *e_low = t->room[1];
    const FN(FlPairSoftmax) s = FN(fl_pair_softmax)(t->f, t->n, t->label, e, e_low);
    const int once = t->p[0] + t->p[1] == R(1.0);
    const FN(FlPair) factor = once ? pair_times(s.own, s.inverse) : pair_of(weight);
    const FN(FlPair) bent = pair_times(factor, pair_of(vsplat(t->p[2])));
    for (ptrdiff_t k = 0; k < t->n; k++) {
        FN(FlPair) spread, square;
        FN(fl_pair_squares)(&s, pair_load(e, e_low, k), FN(fl_row_is)(t->label, k), &spread,
                            &square);
        vstore(t->hessian + k * LANES,
               FN(fl_pair_difference)(pair_times(spread, factor), pair_times(square, bent)));
    }
}

FL_INLINE V FN(multiclass_generalized_ce)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0)), power = vsplat(t->p[0] + t->p[1]);
    const V spare = vsplat(FL_BITS == 32 ? t->p[1] : R(0.0));
    REAL *e = t->room[0];
    const FN(FlRowSoftmax) s = FN(fl_row_softmax)(t->f, t->n, t->label, e);
    const V off = FN(fl_row_share)(s.others, s.others_low, &s);
    V gap_low, product_low, rest;
    const V gap = two_sum(s.max, -s.raw, &gap_low), log_sum = vlog1p(s.rest);
    const V product = FN(fl_product)(gap, power, &product_low);
    const V finite = vkeep(vabs(product) <= REAL_MAX, product_low + gap_low * power + gap * spare);
    const V whole = two_sum(product, FN(fl_opaque)(finite + power * log_sum), &rest);
    /* beyond that the exponential is 0, and the rest may be of any size */
    const V near = vkeep(whole < vsplat(-(EXP_LOWEST)), rest);
    const V weight = FN(fl_exp_headroom_of_sum)(-whole, -near) * EXP_BACK;
    for (ptrdiff_t k = 0; k < t->n && (wants & FL_WANT_GRADIENT); k++) {
        const V p = FN(fl_row_share)(vload(e + k * LANES), zero, &s);
        const V miss = vselect(FN(fl_row_is)(t->label, k), -off, p);
        vstore(t->gradient + k * LANES, weight * miss);
    }
    if (wants & FL_WANT_HESSIAN)
        FN(fl_generalized_hessian)(t, weight);
    return FN(fl_generalized_loss)(whole, gap + (gap_low + log_sum), power);
}

FL_INLINE int FN(multiclass_generalized_ce_is_related)(FlRowBlock *block, FlRelative *relative)
{
    (void)block;
    (void)relative;
    return 1;
}

FL_INLINE FN(FlRelatedTerms)
    FN(multiclass_generalized_ce_related)(const FN(FlRelatedSums) * s, const REAL *p)
{
    const V power = vsplat(p[0] + p[1]), spare = vsplat(FL_BITS == 32 ? p[1] : R(0.0));
    FN(FlRelatedTerms) terms;
    V low, e_low, unused, magic;
    if (p[0] + p[1] == R(1.0)) { /* 1 - p_y, whose slope is p_y itself */
        const V share = FN(fl_product)(s->own, s->inverse.high, &low);
        low = low + (s->own * s->inverse.low + s->own_low * s->inverse.high);
        terms.loss = FN(fl_times)(s->others, s->inverse) + s->low * s->inverse.high;
        FN(fl_related_gradient_of)(s, share, low / share, &terms);
        return terms;
    }
    const V exponent = FN(fl_product)(s->log_loss, power, &low);
    low = low + (s->log_low * power + s->log_loss * spare);
    softmax_scale(vsplat(R(0.0)), &unused, &magic);
    const V e = FN(fl_softmax_exp_both)(-exponent, magic, &e_low);
    terms.loss = FN(fl_generalized_loss)(exponent + low, s->log_loss, power);
    FN(fl_related_gradient_of)(s, e * FL_UNLIFT, e_low / e - low, &terms);
    return terms;
}
