/* Pseudo-Huber loss, Charbonnier et al. (1997): delta^2 (s - 1) with s = sqrt(1 + q^2), q = r / delta, r
 * = f - y. gradient r / s, Hessian 1 / s^3, or 1 / s, the weight of iteratively reweighted least squares.
 * s - 1 = q^2 / (1 + s) does not cancel; q^2, s and 1 / s are pairs of numbers, for their errors would count
 * threefold in s^3. Where q^2 overflows s is |q|. Worst error 3 ULP.
 * Parameters: p[0] + p[1] = 1 / delta, p[0] of at most 24 bits; p[2] = delta; p[3] = 0, or 1 for the weight as
 * Hessian.
 */
#include "vecmath/scale_pair.h"

FL_INLINE void FN(pseudo_huber)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V one = vsplat(R(1.0)), most = vsplat(SIZE_MOST);
    V r_lo, q_lo, w_lo;
    const V r = FN(fl_two_sum)(f, -y, &r_lo), q = FN(fl_scale_pair)(r, r_lo, p, &q_lo);
    const V w = FN(fl_one_plus_square)(q, q_lo, &w_lo), s = vsqrt(w), more = one + s;
    /* 1 / s and 1 / (1 + s) by one division, each with the rest that its product lacks of 1 */
    const V both = one / (s + w);
    const V v = FN(fl_opaque)(both * more), u = FN(fl_opaque)(both * s), slope = r * u;
    const V s_lo = (FN(fl_rest_of_product)(s, s, w) + w_lo) * (R(0.5) * v);
    const V v_lo = v * (FN(fl_rest_of_product)(s, v, one) - v * s_lo);
    const V more_lo = ((s - more) + one) + s_lo;
    const V u_rest = FN(fl_rest_of_product)(more, u, one) - u * more_lo;
    /* 1 / s^2, or 1 for the weight */
    const V v2 = vmax(vsplat(p[3]), v * v + (v + v) * v_lo);
    (void)t;
    /* not -inf, where the loss is beyond all numbers */
    const V lost = vmax(vsplat(-REAL_MAX), ((r_lo + r_lo) + r * u_rest) * slope);
    *loss = r * slope + lost;
    *gradient = FN(fl_pair_product)(r, r_lo, v, v_lo);
    *hessian = v2 * v + v2 * v_lo;
    /* rare */
    const VI far = vabs(q) >= most;
    if (FL_UNLIKELY(vany_at_most(most, vabs(q)))) {
        *loss = vselect(far, vabs(r) * p[2], *loss);
        *gradient = vselect(far, vcopysign(vsplat(p[2]), r), *gradient);
        *hessian = vselect(far, p[3] * (p[2] / vabs(r)), *hessian);
    }
}
