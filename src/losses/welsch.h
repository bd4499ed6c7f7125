/* Welsch (Leclerc) loss: (c^2 / 2) (1 - e^{-q^2}) with q = r / c, r = f - y. gradient r e^{-q^2}, Hessian
 * (1 - 2 q^2) e^{-q^2}, negative beyond c / sqrt(2), or e^{-q^2}, the weight of iteratively reweighted least
 * squares. The relative error of a power is the absolute error of its exponent: q^2 is a pair of numbers.
 * With e^{-q^2} = 2^n (1 + g), 1 - e^{-q^2} is (1 - 2^n) - 2^n g, which does not cancel much. Worst error 3 ULP.
 * Parameters: p[0] + p[1] = 1 / c, p[0] of at most 24 bits; p[2] + p[3] = c^2 / 2 likewise; p[4] = -2, or 0 for
 * the weight as Hessian.
 */
#include "vecmath/scale_pair.h"

FL_INLINE void FN(welsch)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V one = vsplat(R(1.0));
    /* below it 1 - e^{-q^2} is q^2, which may underflow where r^2 does not */
    const V tiny = vsplat((REAL)(FL_BITS == 64 ? 0x1p-28 : 0x1p-13));
    V r_lo, q_lo, h_lo;
    const V r = FN(fl_two_sum)(f, -y, &r_lo), q = FN(fl_scale_pair)(r, r_lo, p, &q_lo);
    const V h = FN(fl_square_pair)(q, q_lo, &h_lo);
    const VI left = (h > -EXP_LOWEST) == 0; /* the others' low parts may be NaN */
    h_lo = vkeep(left, h_lo);
    /* -h = n log 2 + x; NaN stays: vmax gives its second operand */
    const V bounded = vmax(vsplat(EXP_LOWEST), -h);
    const V shift = vround_shift() + (REAL)(EXPONENT_BIAS + EXP_HEADROOM);
    const V shifted = bounded * LOG2_E + shift, n = shifted - shift;
    const V x = (bounded - n * LN2_HI) - n * LN2_LO, x2 = x * x, tail = FN(fl_exp_tail)(x, x2);
    /* e^x, what h_lo takes from it, and g */
    const V whole = one + (x + x2 * tail), less = FN(fl_opaque)(whole * h_lo);
    const V g = x + (x2 * tail - less);
    const V large = FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS);
    const V scale = large * EXP_BACK, part = (one - scale) - scale * g;
    const V power = FN(fl_opaque)((whole - less) * large);
    (void)t;
    *loss = vselect(vabs(q) < tiny, (R(0.5) * r) * r, FN(fl_times_sum)(part, p + 2));
    *gradient = vkeep(left, (r * power) * EXP_BACK);
    *hessian = vkeep(left, (FN(fl_one_plus_multiple)(h, h_lo, p[4]) * power) * EXP_BACK);
}
