/* Log loss on a logit f, labels y in [0, 1]: a softplus(-f) + b softplus(f), where a and b are the
 * weights of the positive and the negative part. Parameters: p[0], p[1]: a = p[0] + p[1] y;
 * p[2], p[3]: b = p[2] + p[3] y (pos_weight, cost_fn, cost_fp and label_smoothing are all of this
 * form, prepared in Python in float64).
 *
 * With t = e^{-|f|}, s = 1/(1 + t): softplus(+-f) = max(+-f, 0) + log1p(t), sigma(f) = s or t s. So
 *     loss     = (f >= 0 ? b : a) |f| + (a + b) log1p(t)
 *     gradient = b sigma(f) - a sigma(-f)
 *     Hessian  = (a + b) t s^2
 * have terms of one sign for hard labels: nothing cancels in either tail, unlike softplus(f) - y f.
 * Worst error 3 ULP; for soft labels the gradient's is in ULP of its larger term.
 */
FL_INLINE V FN(log_loss_prepare)(V y, V f, const REAL *p)
{
    (void)y, (void)p;
    return vexp_nonpositive(-vabs(f));
}

FL_INLINE void FN(log_loss)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V a = p[0] + p[1] * y, b = p[2] + p[3] * y, zero = vsplat(R(0.0));
    const V s = R(1.0) / (R(1.0) + t), ts = t * s;
    const VI positive = f >= R(0.0);
    const V slope = vselect(positive, b, a);
    /* a zero weight drops its term: 0 * inf would be NaN */
    *loss = vselect(slope == zero, zero, slope * vabs(f)) + (a + b) * vlog1p_unit(t);
    *gradient = b * vselect(positive, s, ts) - a * vselect(positive, ts, s);
    *hessian = (a + b) * (ts * s);
}
