/* Log loss on a logit f, labels y in [0, 1]: a softplus(-f) + b softplus(f), where a and b are the
 * weights of the positive and the negative part. Parameters: p[0], p[1]: a = p[0] + p[1] y;
 * p[2], p[3]: b = p[2] + p[3] (1 - y) (pos_weight, cost_fn, cost_fp and label_smoothing are all of this
 * form, prepared in Python in float64).
 *
 * With t = e^{-|f|}, q = t/(1 + t): softplus(+-f) = max(+-f, 0) + log1p(t), and sigma(|f|) = 1 - q,
 * sigma(-|f|) = q = t - t q, where q's own error counts less. So
 *     loss     = (f >= 0 ? b : a) |f| + (a + b) log1p(t)
 *     gradient = b sigma(f) - a sigma(-f)
 *     Hessian  = (a + b) sigma(f) sigma(-f)
 * have terms of one sign for hard labels: nothing cancels in either tail, unlike softplus(f) - y f.
 * Worst error 3.5 ULP, of the Hessian 4; for soft labels the gradient's is in ULP of its larger term.
 */
FL_INLINE V FN(log_loss_prepare)(V y, V f, const REAL *p)
{
    (void)y, (void)p;
    return vexp_nonpositive(vminus_abs(f));
}

FL_INLINE void FN(log_loss)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V a = p[0] + p[1] * y, b = p[2] + p[3] * (R(1.0) - y), zero = vsplat(R(0.0));
    const V q = t / (R(1.0) + t), large = R(1.0) - q, small = t - t * q;
    const V slope = vselect_negative(f, a, b);
    /* a zero weight drops its term: 0 * inf would be NaN */
    *loss = vkeep(slope > zero, slope * vabs(f)) + (a + b) * vlog1p_unit(t);
    *gradient = b * vselect_negative(f, small, large) - a * vselect_negative(f, large, small);
    *hessian = (a + b) * (small - small * q);
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
    const V sign = R(1.0) - R(2.0) * y, z = sign * f;
    const V q = t / (R(1.0) + t), top = vselect_negative(z, t, vsplat(R(1.0)));
    const V small = t - t * q;
    (void)p;
    *loss = vmax(vsplat(R(0.0)), z) + vlog1p_unit(t); /* vmax: NaN stays */
    *gradient = sign * (top - top * q) + R(0.0); /* 0, not -0, where t underflows */
    *hessian = small - small * q;
}
