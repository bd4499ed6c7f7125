/* Proportional odds (McCullagh 1980): the label's class reaches from a threshold l to a threshold u, either of
 * which may be infinite, and its probability is sigma(b) - sigma(a) with a = l - f, b = u - f. Written as
 * sigma(b) sigma(-a) (1 - e^{l - u}) nothing cancels:
 *     loss     = softplus(-b) + softplus(a) - log(1 - e^{l - u})
 *     gradient = sigma(-b) - sigma(a)
 *     Hessian  = sigma(a) sigma(-a) + sigma(b) sigma(-b)
 * What rounding takes from the differences is put back to first order: an exponential would magnify it.
 * Worst error 3 ULP, of the Hessian 5, the gradient's of its larger term. Table: p[0] = the last class, p[1] =
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

/* end - f, where an end at infinity stays there, but for a NaN */
FL_INLINE V FN(fl_from_threshold)(V end, V f)
{
    V x = end - f;
    /* rare */
    if (FL_UNLIKELY(vany_less(vsplat(REAL_MAX), vabs(f))))
        x = vselect((vabs(end) > REAL_MAX) & (f == f), end, x);
    return x;
}

/* e^-|end - f| */
FL_INLINE V FN(fl_odds_at_threshold)(V end, V f)
{
    V low;
    const V x = FN(fl_two_sum)(end, -f, &low);
    /* 0 at infinity, without an exponential that underflows, which is slow, and without the NaN of `low` */
    const VI finite = (vabs(x) > REAL_MAX) == 0;
    const V e = vexp_nonpositive(vkeep(finite, vminus_abs(x)));
    V t = vkeep(finite, e - e * vflip(low, x));
    if (FL_UNLIKELY(vany_less(vsplat(REAL_MAX), vabs(f)))) /* an infinite end less an infinite f */
        t = vkeep((vabs(f) > REAL_MAX) == 0, t);
    return t;
}

/* e^-|a| and e^-|b| */
typedef struct {
    V under, over;
} FN(cumulative_logit_kept);

FL_INLINE FN(cumulative_logit_kept) FN(cumulative_logit_first)(V y, V f, const REAL *p)
{
    FN(cumulative_logit_kept) k;
    k.under = FN(fl_opaque)(FN(fl_odds_at_threshold)(FN(fl_of_class)(p, 0, y), f));
    k.over = FN(fl_opaque)(FN(fl_odds_at_threshold)(FN(fl_of_class)(p, 1, y), f));
    return k;
}

FL_INLINE void FN(cumulative_logit_rest)(V y, V f, FN(cumulative_logit_kept) k, const REAL *p,
                                         V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), under = k.under, over = k.over;
    const V a = FN(fl_from_threshold)(FN(fl_of_class)(p, 0, y), f);
    const V minus_b = -FN(fl_from_threshold)(FN(fl_of_class)(p, 1, y), f);
    const V q = under / (one + under), r = over / (one + over);
    const V low = vselect_negative(a, under, one), high = vselect_negative(minus_b, over, one);
    /* at most one of a and -b is positive; NaN is in the other term, too */
    const V linear = vmax(vmax(minus_b, a), zero);
#if FL_LOOKUP
    /* the logarithm of a product: no term of 1 + (under + over + under over) is negative */
    *loss = (linear + FN(fl_log1p_nonnegative)((under + under * over) + over)) +
            FN(fl_of_class)(p, 2, y);
#else
    *loss = (linear +
             (FN(fl_log1p_of)(over, over - over * r) + FN(fl_log1p_of)(under, under - under * q))) +
            FN(fl_of_class)(p, 2, y);
#endif
    *gradient = (high - high * r) - (low - low * q);
    *hessian = (q - q * q) + (r - r * r);
}

FL_OF_STAGES(cumulative_logit)
#define FL_KEPT FN(cumulative_logit_kept)
