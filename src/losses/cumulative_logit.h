/* Proportional odds (McCullagh 1980): the label's class reaches from a threshold l to a threshold u, either of
 * which may be infinite, and its probability is sigma(b) - sigma(a) with a = l - f, b = u - f. Written as
 * sigma(b) sigma(-a) (1 - e^{l - u}) nothing cancels:
 *     loss     = softplus(-b) + softplus(a) - log(1 - e^{l - u})
 *     gradient = sigma(-b) - sigma(a)
 *     Hessian  = sigma(a) sigma(-a) + sigma(b) sigma(-b)
 * What rounding takes from the differences is put back to first order: an exponential would magnify it.
 * Worst error 3 ULP, the gradient's of its larger term. Table: p[0] = the last class, p[1] = the length of
 * a column, at least 16; from p[16] on three columns with a number a class: l, u, -log(1 - e^{l - u}).
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

/* x = end - f, and *t = e^-|x| */
FL_INLINE V FN(fl_from_threshold)(V end, V f, V *t)
{
    V low;
    const V difference = FN(fl_finite_sum)(end, -f, &low);
    /* an end at infinity stays there, but for a NaN */
    const V x = vselect((vabs(end) > REAL_MAX) & (f == f), end, difference);
    /* t = 0 there, without an exponential that underflows, which is slow */
    const VI infinite = vabs(x) > REAL_MAX;
    const V e = vexp_nonpositive(vselect(infinite, vsplat(R(0.0)), vminus_abs(x)));
    *t = vselect(infinite, vsplat(R(0.0)), e - e * vselect_negative(x, -low, low));
    return x;
}

FL_INLINE void FN(cumulative_logit)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const V lower = FN(fl_of_class)(p, 0, y), upper = FN(fl_of_class)(p, 1, y);
    V under, over;
    const V a = FN(fl_from_threshold)(lower, f, &under);
    const V minus_b = -FN(fl_from_threshold)(upper, f, &over);
    const V q = under / (one + under), r = over / (one + over);
    const V low = vselect_negative(a, under, one), high = vselect_negative(minus_b, over, one);
    (void)t;
    *loss = ((vmax(minus_b, zero) + FN(fl_log1p_of)(over, over - over * r)) +
             (vmax(a, zero) + FN(fl_log1p_of)(under, under - under * q))) +
            FN(fl_of_class)(p, 2, y);
    *gradient = (high - high * r) - (low - low * q);
    *hessian = (q - q * q) + (r - r * r);
}
