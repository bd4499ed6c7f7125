/* Log loss on a logit f, labels y in [0, 1]: a softplus(-f) + b softplus(f), where a and b are the
 * weights of the positive and the negative part. Parameters: p[0], p[1]: a = p[0] + p[1] y;
 * p[2], p[3]: b = p[2] + p[3] (1 - y) (pos_weight, cost_fn, cost_fp and label_smoothing are all of this
 * form, prepared in Python in float64); p[4] to p[6]: a + b = p[4] + p[5] y + p[6] (1 - y), where p[5]
 * or p[6] is 0, so that it has fewer rounding errors than the sum of a and b.
 *
 * With t = e^{-|f|} and u = sigma(-|f|) = t - t q, q = t/(1 + t), so that q's own error counts less,
 * and c = (f >= 0 ? b : a):
 *     loss     = c |f| + (a + b) log1p(t)
 *     gradient = (f >= 0 ? 1 : -1) (c (1 - u) - d u), d the other of a and b
 *     Hessian  = (a + b) u (1 - u)
 * For hard labels c is 0 or a + b: nothing cancels in either tail, unlike softplus(f) - y f. Worst
 * error 3.5 ULP; for soft labels the gradient's is in ULP of its larger term.
 */
#include "vecmath/log1p_of.h"

FL_INLINE V FN(log_loss_prepare)(V y, V f, const REAL *p)
{
    (void)y, (void)p;
    return vexp_nonpositive(vminus_abs(f));
}

FL_INLINE void FN(log_loss)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const V a = p[0] + p[1] * y, b = p[2] + p[3] * (one - y);
    const V c = vselect_negative(f, a, b), d = vselect_negative(f, b, a);
    const V total = p[4] + p[5] * y + p[6] * (one - y);
    const V u = t - t * (t / (one + t));
    /* a zero weight drops its term: 0 * inf would be NaN */
    *loss = vkeep(c > zero, c * vabs(f)) + total * FN(fl_log1p_of)(t, u);
    *gradient = vcopysign(one, f) * (c * (one - u) - FN(fl_opaque)(d * u));
    *hessian = total * (u - u * u);
}

/* The same with fewer operations for y in {0, 1} and unit costs, then a = y and b = 1 - y: with
 * z = (1 - 2y) f the loss is max(z, 0) + log1p(t), the gradient (1 - 2y) sigma(z). All products by 0
 * or 1 are exact, so the bits are those of log_loss(). */
FL_INLINE int FN(log_loss_is_plain)(const REAL *p)
{
    return p[0] == R(0.0) && p[1] == R(1.0) && p[2] == R(0.0) && p[3] == R(1.0);
}

FL_INLINE void FN(log_loss_plain)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    /* the sign bit where y is 1: the exponent of 1 is a run of ones, that of 0 is 0 */
    const VU flip = (FN(fl_ubits)(y) << 2) & FN(fl_ubits)(vsplat(R(-0.0)));
    const V z = FN(fl_from_ubits)(FN(fl_ubits)(f) ^ flip);
    const V u = t - t * (t / (one + t));
    (void)p;
    *loss = vmax(zero, z) + FN(fl_log1p_of)(t, u); /* vmax: NaN stays */
    *gradient = FN(fl_from_ubits)(FN(fl_ubits)(vselect_negative(z, u, one - u)) ^ flip);
    *hessian = u - u * u;
}
