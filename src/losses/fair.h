/* Fair's loss (1974): c^2 (q - log1p q) with q = |r| / c, r = f - y. gradient r / (1 + q), Hessian
 * 1 / (1 + q)^2, or 1 / (1 + q), the weight of iteratively reweighted least squares. With 1 + q = 2^k (1 + g)
 * as in vlog1p it is q - k log 2 - g, where the first two cancel the third exactly for k = 0, and the small rest
 * of log(1 + g); q and 1 / (1 + q) are pairs of numbers. Worst error 4 ULP. Parameters: p[0] + p[1] = 1 / c, p[0] of at most 24 bits; p[2] + p[3] =
 * c^2 likewise; p[4] = c; p[5] = 1 for the weight as Hessian.
 */
#include "vecmath/log_by_inverse.h"

/* log(1 + g) - g as -g^2 / 2 and a small rest, so that only the last rounding counts; inverse = 1 / (1 + g) to a few ULP */
FL_INLINE V FN(fair_tail)(V g, V inverse)
{
    const V half = R(0.5) * g, x = FN(fl_opaque)(g * (g * inverse));
    const V rest = FN(fl_opaque)(x * (half + FN(fl_log_rest_by_x)(g, x)));
    return rest - half * g;
}

FL_INLINE void FN(fair)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V one = vsplat(R(1.0));
    /* below it q - log1p q is q^2 / 2, which may underflow where r^2 / 2 does not */
    const V tiny = vsplat((REAL)(FL_BITS == 64 ? 0x1p-56 : 0x1p-27));
    V r_lo, q_lo, w_lo, v_lo;
    VI far;
    /* r_lo is NaN where r is infinite, which is far */
    const V r = FN(fl_two_sum)(f, -y, &r_lo);
    const V q = FN(fl_scaled_pair)(vabs(r), vflip(r_lo, r), p, &q_lo, &far);
    const V w = FN(fl_one_plus_pair)(q, q_lo, &w_lo), v = FN(fl_inverse_pair)(w, w_lo, &v_lo);
    VU e;
    (void)t;
    const V inverse = FN(fl_inverse_of_part)(v, w, FN(fl_log_split)(w, &e));
    const V scale = FN(fl_log_scale)(e), k = FN(fl_log_exponent)(e);
    const V low = scale - one, high = q * scale, g = high + low, g_lo = (low - g) + high;
    /* g_lo is not 0 for k = 1 alone, so 2^k is 2 */
    const V rest = (q_lo * (q * v) - (g_lo + g_lo) * v) - (k * LN2_LO + FN(fair_tail)(g, inverse));
    const V beyond = ((q - k * LN2_HI) - g) + rest;
    *loss = vselect(q < tiny, (R(0.5) * r) * r,
                    vselect(far, vabs(r) * p[4], FN(fl_times_sum)(beyond, p + 2)));
    *gradient = vselect(far, vcopysign(vsplat(p[4]), r), FN(fl_pair_product)(r, r_lo, v, v_lo));
    *hessian = v * v + (v + v) * v_lo;
    if (FL_UNLIKELY(p[5] > R(0.0)))
        *hessian = vselect(far, p[4] / vabs(r), v);
}
