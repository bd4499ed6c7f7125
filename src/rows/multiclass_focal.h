/* Focal loss (Lin et al. 2017) of several classes: a_y q^g l with l = -log p_y, q = 1 - p_y, p the softmax
 * of f, g = gamma and a the class's factor. With c_k = p_k / q for k != y (the share of the others, so that
 * q^(g - 1) never meets a q of 0), h = q + g p_y l and b = q l - 2 q - (g - 1) p_y l:
 *     gradient = a q^g c_k h, at the label -a q^g h
 *     Hessian  = a q^g c_k ((1 - p_k) h - g p_y c_k b), at the label a p_y q^g (h - g b)
 * The Hessian may be negative; with p[1] = 1 it is bounded, with min(b, 0) in place of b: what second-order methods
 * want. As a function of l the loss has the slope a q^(g - 1) h, and curves upwards where b < 0. q^g = pow(q, g)
 * magnifies the error of q by g, so that a part of it is put back; so are the bits that float32 lacks of g.
 * Parameters: p[0] + p[2] = gamma, p[0] of at most 24 bits, p[1] = bounded. per_output: the factors a, 1 by default.
 */
#include "rows/related.h"

#define FL_RELATED_LOG_SUM 0
#define FL_RELATED_NUMBER 1
#define FL_RELATED_LOG_LOW 0
#define FL_RELATED_OUTER 1

/* gamma, which is the same number for all samples, and in *rest what float32 lacks of it */
FL_INLINE REAL FN(fl_focal_gamma)(const REAL *p, REAL *rest)
{
    *rest = FL_BITS == 64 ? R(0.0) : p[2];
    return FL_BITS == 64 ? p[0] + p[2] : p[0];
}

/* q^rest - 1, for tiny rest; 0 for q = 0 */
FL_INLINE V FN(fl_focal_rest)(V q, REAL rest)
{
    return vkeep(q > vsplat(R(0.0)), vlog(q)) * rest;
}

FL_INLINE V FN(multiclass_focal)(const FN(FlRowTile) * t, int wants)
{
    REAL gamma_low;
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const V gamma = vsplat(FN(fl_focal_gamma)(t->p, &gamma_low));
    REAL *e = t->room[0];
    const FN(FlRowSoftmax) s = FN(fl_row_softmax)(t->f, t->n, t->label, e);
    V error, factor = one, at = zero, product, q, low, power, loss;
    for (ptrdiff_t k = 0; k < t->n; k++) {
        factor = vselect(FN(fl_row_is)(t->label, k), FN(fl_row_number)(t, k), factor);
        at = vselect(FN(fl_row_is)(t->label, k), vload(e + k * LANES), at);
    }
    /* q and what it lacks, relative to it */
    q = FN(fl_opaque)(s.others / s.sum);
    product = FN(fl_product)(q, s.sum, &error);
    low = ((((s.others - product) - error) + s.others_low) - q * s.sum_low) / s.others;
    low = vkeep(s.others > zero, low);
    power = vpow(q, gamma);
    V lacks = gamma * low;
    if (gamma_low != 0)
        lacks = lacks + FN(fl_focal_rest)(q, gamma_low);
    power = FN(fl_opaque)(power + power * lacks);
    power = power * factor;
    q = q + q * low;
    const V p = FN(fl_row_share)(at, zero, &s), l = FN(fl_row_log_loss)(&s);
    const V pl = vkeep((p > zero) | (p != p), p * l); /* not 0 * inf */
    const V weighted = FN(fl_opaque)(gamma * pl), h = q + weighted;
    /* of a larger l, p is 0, and so is what b is multiplied by: not 0 * inf */
    const V ql = q * vmin(vsplat((REAL)(FL_BITS == 64 ? 2000 : 200)), l);
    V b = (ql - (q + q)) - (weighted - pl);
    if (t->p[1] != R(0.0))
        b = vmin(zero, b); /* which gives its second operand for NaN */
    for (ptrdiff_t k = 0; k < t->n && (wants & (FL_WANT_GRADIENT | FL_WANT_HESSIAN)); k++) {
        const VI here = FN(fl_row_is)(t->label, k);
        const V x = vload(e + k * LANES);
        const V share = vselect(here, -one, vselect(s.others > zero, x / s.others, s.others));
        const V slope = FN(fl_opaque)(power * share);
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES, slope * h);
        if (wants & FL_WANT_HESSIAN) {
            const V rest = vselect(here, -p, FN(fl_row_not)(&s, x));
            const V bend = vselect(here, p, FN(fl_opaque)(p * share));
            vstore(t->hessian + k * LANES,
                   vselect(here, power * p, slope) *
                       (vselect(here, h, rest * h) -
                        FN(fl_opaque)(gamma * (vselect(here, one, bend) * b))));
        }
    }
    loss = power * l;
    return vselect(power > zero, loss, power); /* q^g = 0 times any l */
}

FL_INLINE int FN(multiclass_focal_is_related)(FlRowBlock *block, FlRelative *relative)
{
    (void)block;
    (void)relative;
    return 1;
}

/* The same where nothing is 0 or infinite, for g = 2: q^2 c_k is e_k q / (E + S), no power and no quotient. Where that
 * underflows a gradient of about 3 q^3 does, too. */
FL_INLINE FN(FlRelatedTerms) FN(fl_focal_square)(const FN(FlRelatedSums) * s, V first, V lost)
{
    /* below, the rounding error of a square may itself be rounded */
    const V least = vsplat((REAL)(FL_BITS == 64 ? 0x1p-900 : 0x1p-100));
    const FN(FlFactor) q = {first, lost};
    FN(FlRelatedTerms) terms;
    V low;
    const V square = FN(fl_product)(first, first, &low);
    const V power = square + (vkeep(square >= least, low) + R(2.0) * FN(fl_opaque)(first * lost));
    const V h =
        ((first + lost) + R(2.0) * FN(fl_opaque)(FN(fl_related_own)(s) * s->log_loss)) * s->number;
    terms.loss = FN(fl_opaque)(power * s->number) * s->log_loss;
    terms.factor = FN(fl_scale_factor)(s->inverse, q);
    terms.outer = FN(fl_times)(h, s->weight);
    terms.at_label = -(power * terms.outer);
    return terms;
}

/* For any g */
FL_INLINE FN(FlRelatedTerms)
    FN(multiclass_focal_related)(const FN(FlRelatedSums) * s, const REAL *p)
{
    V error, back;
    const V first = FN(fl_product)(s->others, s->inverse.high, &error);
    const V lost = error + (s->others * s->inverse.low + s->low * s->inverse.high);
    REAL gamma_low;
    const REAL g = FN(fl_focal_gamma)(p, &gamma_low);
    if (g == R(2.0) && gamma_low == 0)
        return FN(fl_focal_square)(s, first, lost);
    const V gamma = vsplat(g), outside = R(1.0) / s->others;
    FN(FlRelatedTerms) terms;
    const V inverse = (s->own + s->others) * outside;
    /* what `first` lacks of q, relative to it; a subnormal q has no digits to put right */
    const V low = vkeep(first >= REAL_TINY, lost * inverse);
    V lacks = gamma * low; /* of the power */
    if (gamma_low != 0)
        lacks = lacks + FN(fl_focal_rest)(first, gamma_low);
    const V power = vpow(first, gamma) * s->number;
    const V h = (first + lost) + gamma * FN(fl_opaque)(FN(fl_related_own)(s) * s->log_loss);
    const V loss = FN(fl_opaque)(power * s->log_loss);
    terms.loss = loss + loss * lacks;
    terms.outer = FN(fl_times)(power * h, s->weight);
    terms.at_label = -(terms.outer + terms.outer * lacks);
    const V product = FN(fl_product)(outside, s->others, &back);
    terms.factor.high = outside;
    terms.factor.low = ((((R(1.0) - product) - back) - s->low * outside) + lacks) * outside;
    return terms;
}
