/* Cauchy (Lorentzian) loss: (c^2 / 2) log1p(q^2) with q = r / c, r = f - y. gradient r / (1 + q^2),
 * Hessian (1 - q^2) / (1 + q^2)^2, negative beyond c, or 1 / (1 + q^2), the weight of iteratively reweighted
 * least squares. q, q^2 and 1 / (1 + q^2) are pairs of numbers, so 1 - q^2 does not cancel; where q^2
 * overflows it is 2 log |q|. Worst error 3 ULP.
 * The loss is a log1p(q^2) with a = d c^2 / 2, so that Student's t has the same kernel. Parameters: p[0] +
 * p[1] = 1 / c, p[2] + p[3] = a, p[4] + p[5] = d, the first of each of at most 24 bits; p[6] = 2 a; p[7] =
 * -1, or 1 for the weight as Hessian.
 */
#include "vecmath/log_by_inverse.h"
#include "vecmath/scale_pair.h"

FL_INLINE void FN(cauchy)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    /* below it q^2 may underflow where r^2 does not */
    const V tiny = vsplat((REAL)(FL_BITS == 64 ? 0x1p-500 : 0x1p-60)), most = vsplat(SIZE_MOST);
    V r_lo, q_lo, h_lo, w_lo, v_lo;
    const V r = FN(fl_two_sum)(f, -y, &r_lo), q = FN(fl_scale_pair)(r, r_lo, p, &q_lo);
    const V w = FN(fl_one_plus_square)(q, q_lo, &w_lo), v = FN(fl_inverse_pair)(w, w_lo, &v_lo);
    const V h = FN(fl_square_pair)(q, FN(fl_decided_low)(q, q_lo), &h_lo);
    const V bend = FN(fl_one_plus_multiple)(h, h_lo, p[7]), none = vsplat(R(0.0));
    const V bent = FN(fl_pair_product_once)(bend, none, v, v_lo);
    const V slope = FN(fl_pair_product)(r, r_lo, v, v_lo);
    const V weight = FN(fl_pair_product_once)(v, v_lo, vsplat(p[4]), vsplat(p[5]));
    (void)t;
    *loss = FN(fl_times_sum)(FN(fl_log_of_inverse)(w, w_lo * v, v), p + 2);
    *gradient = FN(fl_times_sum)(slope, p + 4);
    *hessian = bent * weight;
    /* rare */
    const V size = vabs(q);
    const VI far = size >= most, small = (size < tiny) & (r != R(0.0));
    if (FL_UNLIKELY(vany_at_most(most, size) || (vany_less(size, tiny) && vany(small)))) {
        const V far_slope = p[6] / r;
        /* infinity times a zero p[3] would be NaN */
        const V far_loss = vselect(vabs(r) > REAL_MAX, vabs(r),
                                   FN(fl_times_sum)(FN(fl_log_of_far_square)(r, p), p + 2));
        *loss = vselect(small, (R(0.5) * r) * FN(fl_times_sum)(r, p + 4),
                        vselect(far, far_loss, *loss));
        *gradient = vselect(far, far_slope, *gradient);
        *hessian = vselect(far, p[7] * (far_slope / r), *hessian);
    }
}
