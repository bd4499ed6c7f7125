/* Proportional odds (McCullagh 1980): the label's class reaches from a threshold l to a threshold u, either of
 * which may be infinite, and its probability is sigma(b) - sigma(a) with a = l - f, b = u - f. Written as
 * sigma(b) sigma(-a) (1 - e^{l - u}) nothing cancels:
 *     loss     = softplus(-b) + softplus(a) - log(1 - e^{l - u})
 *     gradient = sigma(-b) - sigma(a)
 *     Hessian  = sigma(a) sigma(-a) + sigma(b) sigma(-b)
 * What rounding takes from the differences goes into the exponent: an exponential would magnify it. The Hessian is
 * that of u = t - t q, q = t / (1 + t), in which q's own error counts less.
 * Worst error 3 ULP, the gradient's of its larger term. Table: p[0] = the last class, p[1] =
 * the length of a column, at least 16; from p[16] on three columns with a number a class: l, u, -log(1 - e^{l - u}).
 */

#include "vecmath/log1p_of.h"

/* A column's numbers for the labels. */
FL_INLINE V FN(fl_of_class)(const REAL *p, int column, V y)
{
    const REAL *numbers = p + 16 + column * (ptrdiff_t)p[1];
    V label;
#if FL_LOOKUP
    if (p[1] == R(16.0))
        return FN(fl_lookup)(numbers, FN(fl_ubits)(y + vround_shift()));
#endif
    /* within the table, also for a label that is no class and will be refused */
    label = vmin(vmax(y, vsplat(R(0.0))), vsplat(p[0]));
    return FN(fl_gather)(numbers, vbits(label + vround_shift()) - vbits(vround_shift()));
}

/* end - f, where an end at infinity stays there, but for a NaN; *odds = e^-|end - f| */
FL_INLINE V FN(fl_from_threshold)(V end, V f, V *odds)
{
    V low;
    const V x = FN(fl_two_sum)(end, -f, &low);
    /* 0 far away and at infinity, without an exponential that underflows, which is slow, and without a `low` that is
     * large or NaN; NaN stays */
    const VI near = (vabs(x) > -EXP_LOWEST) == 0;
    const V e = FN(fl_exp_headroom_of_sum)(vkeep(near, vminus_abs(x)), vkeep(near, -vflip(low, x)));
    *odds = FN(fl_opaque)(vkeep(near, e * EXP_BACK));
    /* rare */
    if (FL_UNLIKELY(vany_less(vsplat(REAL_MAX), vabs(f)))) {
        *odds = vkeep((vabs(f) > REAL_MAX) == 0, *odds);
        return vselect((vabs(end) > REAL_MAX) & (f == f), end, x);
    }
    return x;
}

/* a and -b, e^-|a| and e^-|b| */
typedef struct {
    V a, minus_b, under, over;
} FN(cumulative_logit_kept);

FL_INLINE FN(cumulative_logit_kept) FN(cumulative_logit_first)(V y, V f, const REAL *p)
{
    FN(cumulative_logit_kept) k;
    k.a = FN(fl_from_threshold)(FN(fl_of_class)(p, 0, y), f, &k.under);
    k.minus_b = -FN(fl_from_threshold)(FN(fl_of_class)(p, 1, y), f, &k.over);
    return k;
}

FL_INLINE void FN(cumulative_logit_rest)(V y, V f, FN(cumulative_logit_kept) k, const REAL *p,
                                         V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), under = k.under, over = k.over;
    const V q = under / (one + under), r = over / (one + over);
    const V low = vselect_negative(k.a, under, one), high = vselect_negative(k.minus_b, over, one);
    const V u = under - under * q, v = over - over * r;
    /* at most one of a and -b is positive; NaN is in the other term, too */
    const V linear = vmax(vmax(k.minus_b, k.a), zero);
    (void)f;
#if FL_LOOKUP
    /* the logarithm of a product: no term of 1 + (under + over + under over) is negative; the largest last */
    const V more = vmax(under, over), less = vmin(under, over);
    *loss =
        (linear + FN(fl_log1p_nonnegative)((less + less * more) + more)) + FN(fl_of_class)(p, 2, y);
#else
    *loss = (linear + (FN(fl_log1p_of)(over, v) + FN(fl_log1p_of)(under, u))) +
            FN(fl_of_class)(p, 2, y);
#endif
    *gradient = (high - high * r) - (low - low * q);
    *hessian = (u - u * u) + (v - v * v);
}

FL_OF_STAGES(cumulative_logit)
#define FL_KEPT FN(cumulative_logit_kept)
