/* Fair's loss (1974): c^2 (q - log1p q) with q = |r| / c, r = f - y. gradient r / (1 + q), Hessian
 * 1 / (1 + q)^2, or 1 / (1 + q), the weight of iteratively reweighted least squares. With 1 + q = 2^k (1 + g),
 * -1/4 <= g <= 1/2, it is q - k log 2 - g, where the first two cancel the third exactly for k = 0, and the small
 * rest of log(1 + g); q and 1 / (1 + q) are pairs of numbers. Worst error 4 ULP. Parameters: p[0] + p[1] = 1 / c, p[0]
 * of at most 24 bits; p[2] + p[3] = c^2 likewise; p[4] = c; p[5] = 1 for the weight as Hessian.
 */
#include "vecmath/scale_pair.h"

/* sinh(L) K(x) with L = log(1 + g) and x = g^2 / (1 + g), as in log_by_inverse.h, for x up to 1/6: an error of K counts
 * beside g^2 / 2, not beside g */
FL_INLINE V FN(fair_rest)(V g, V x)
{
#if FL_BITS == 64
    static const double c[] = {-0.16666666666666666,    0.03333333333332041,
                               -0.007142857141226278,   0.001587301508779635,
                               -0.0003607485003390266,  8.322606645872563e-05,
                               -1.9252142630829078e-05, 3.912240228636415e-06};
#else
    static const float c[] = {-0.16666667f, 0.033332948f, -0.007131156f, 0.0014731307f};
#endif
    return (g - R(0.5) * x) * FN(fl_polynomial)(x, FN(fl_opaque)(x * x), c, sizeof c / sizeof *c);
}

/* log(1 + g) - g as -g^2 / 2 and a small rest, so that only the last rounding counts; inverse = 1 / (1 + g) to a few ULP */
FL_INLINE V FN(fair_tail)(V g, V inverse)
{
    const V half = R(0.5) * g, x = FN(fl_opaque)(g * (g * inverse));
    const V rest = FN(fl_opaque)(x * (half + FN(fair_rest)(g, x)));
    return rest - half * g;
}

FL_INLINE void FN(fair)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    /* below it q - log1p q is q^2 / 2, which may underflow where r^2 / 2 does not */
    const V tiny = vsplat((REAL)(FL_BITS == 64 ? 0x1p-56 : 0x1p-27)), most = vsplat(SIZE_MOST);
    const UINT exponent_bits = ((UINT)EXPONENT_BIAS * 2 + 1) << MANTISSA_BITS;
    V r_lo, q_lo, w_lo, v_lo;
    const V r = FN(fl_two_sum)(f, -y, &r_lo);
    const V q = FN(fl_scale_pair)(vabs(r), vflip(r_lo, r), p, &q_lo);
    const V w = FN(fl_one_plus_pair)(q, q_lo, &w_lo), v = FN(fl_inverse_pair)(w, w_lo, &v_lo);
    /* 2^k, where w is from 3/4 to 3/2 of it, and 2^-k; then g = q 2^-k + (2^-k - 1) is exact, unless q is so large that
     * g does not count */
    const VU upper = (FN(fl_ubits)(w) + ((UINT)1 << (MANTISSA_BITS - 1))) & exponent_bits;
    const V whole = FN(fl_from_ubits)(upper);
    const V scale = FN(fl_from_ubits)(((UINT)(2 * EXPONENT_BIAS) << MANTISSA_BITS) - upper);
#if FL_LOOKUP
    const V k = FN(fl_exponent)(whole);
#else
    const V k = FN(fl_log_exponent)(upper >> MANTISSA_BITS);
#endif
    const V g = q * scale + (scale - R(1.0)), inverse = v * whole;
    const V rest = q_lo * (q * v) - (k * LN2_LO + FN(fair_tail)(g, inverse));
    (void)t;
    *loss = FN(fl_times_sum)(((q - k * LN2_HI) - g) + rest, p + 2);
    *gradient = FN(fl_pair_product)(r, r_lo, v, v_lo);
    *hessian = v * v + (v + v) * v_lo;
    /* rare */
    const VI far = q >= most, small = (q < tiny) & (r != R(0.0));
    if (FL_UNLIKELY(vany_at_most(most, q) || (vany_less(q, tiny) && vany(small)))) {
        *loss = vselect(small, (R(0.5) * r) * r, vselect(far, vabs(r) * p[4], *loss));
        *gradient = vselect(far, vcopysign(vsplat(p[4]), r), *gradient);
        *hessian = vselect(far, vsplat(REAL_TINY), *hessian); /* where q is SIZE_MOST; not 0 */
    }
    if (FL_UNLIKELY(p[5] > R(0.0)))
        *hessian = vselect(far, p[4] / vabs(r), v);
}
