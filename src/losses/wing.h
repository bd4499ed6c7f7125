/* Wing loss, Feng et al. (2018): w log1p(|r| / eps) where |r| < w, else |r| - C with C = w - w log1p(w /
 * eps); r = f - y. gradient sign(r) w / (eps + |r|), 0 at r = 0, and sign(r) outside; Hessian -w / (eps +
 * |r|)^2, negative everywhere inside, and 0 outside. The residual is a pair of numbers, which decides on the
 * right side of the kink at w and lets |r| - C cancel. Worst error 3 ULP. Parameters: p[0] + p[1] = 1 / eps,
 * p[2] + p[3] = w, p[4] + p[5] = C, the first of each of at most 24 bits; p[6] = w / eps, p[7] = -w / eps^2.
 */
#include "vecmath/log_by_inverse.h"
#include "vecmath/scale_pair.h"

FL_INLINE void FN(wing)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    /* below it log1p(q) is q, which may underflow where w q does not */
    const V tiny = vsplat((REAL)(FL_BITS == 64 ? 0x1p-60 : 0x1p-30));
    V r_lo, q_lo, u_lo, v_lo;
    const V r = vresidual(y, f, &r_lo), size = vabs(r), size_lo = vflip(r_lo, r);
    /* infinite outside alone */
    const V q = FN(fl_scale_pair)(size, size_lo, p, &q_lo);
    const V u = FN(fl_one_plus_pair)(q, q_lo, &u_lo), v = FN(fl_inverse_pair)(u, u_lo, &v_lo);
    const VI outside = (size - p[2]) + (size_lo - p[3]) >= R(0.0);
    const V log = FN(fl_log_of_inverse)(u, u_lo * v, v), v2 = v * v + (v + v) * v_lo;
    (void)t;
    const V inside = vselect(q < tiny, size * p[6], p[2] * log + p[3] * log);
    *loss = vselect(outside, (size - p[4]) + (size_lo - p[5]), inside);
    *gradient = vkeep(r != zero, vcopysign(vselect(outside, one, p[6] * v), r)); /* NaN stays */
    *hessian = vselect(outside, zero, p[7] * v2);
}
