/* Geman-McClure loss: (r^2 / 2) / (1 + q^2) with q = r / c, r = f - y; it tends to c^2 / 2. gradient r /
 * (1 + q^2)^2, Hessian (1 - 3 q^2) / (1 + q^2)^3, negative beyond c / sqrt(3), or 1 / (1 + q^2)^2, the weight
 * of iteratively reweighted least squares. q, q^2 and 1 / (1 + q^2) are pairs of numbers, so 1 - 3 q^2 does
 * not cancel and no power multiplies an error. Worst error 3 ULP. Parameters: p[0] + p[1] = 1 / c, p[0] of at most 24
 * bits; p[2] = c^2 / 2; p[3] = -3, or 1 for the weight as Hessian.
 */
#include "vecmath/scale_pair.h"

FL_INLINE void FN(geman_mc_clure)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), most = vsplat(SIZE_MOST);
    V r_lo, q_lo, h_lo, w_lo, v_lo;
    const V r = FN(fl_two_sum)(f, -y, &r_lo), q = FN(fl_scale_pair)(r, r_lo, p, &q_lo);
    const V w = FN(fl_one_plus_square)(q, q_lo, &w_lo), v = FN(fl_inverse_pair)(w, w_lo, &v_lo);
    const V h = FN(fl_square_pair)(q, FN(fl_decided_low)(q, q_lo), &h_lo);
    const V bend = FN(fl_one_plus_multiple)(h, h_lo, p[3]);
    const V bent = FN(fl_pair_product_once)(bend, zero, v, v_lo);
    /* v^2 alone may be too small where the Hessian is not */
    const REAL up = (REAL)(FL_BITS == 64 ? 0x1p60 : 0x1p24);
    const V raised = v * up, raised_lo = v_lo * up;
    const V square = FN(fl_pair_product_once)(raised, raised_lo, raised, raised_lo);
    const V once = FN(fl_pair_product)(r, r_lo, v, v_lo);
    (void)t;
    *loss = (R(0.5) * r) * once;
    *gradient = once * v + once * v_lo;
    *hessian = FN(fl_opaque)(bent * (R(1.0) / (up * up))) * square;
    /* rare */
    const VI far = vabs(q) >= most;
    if (FL_UNLIKELY(vany_at_most(most, vabs(q)))) {
        *loss = vselect(far, vsplat(p[2]), *loss);
        *gradient = vselect(far, zero, *gradient);
        *hessian = vselect(far, zero, *hessian);
    }
}
