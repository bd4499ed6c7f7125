/* Absolute percentage error, as a fraction: |r| / d with r = f - y and d = max(|y|, eps). gradient
 * sign(r) / d, 0 at r = 0; the Hessian, zero almost everywhere, is reported as 1 / d: that of the absolute
 * error with the weight 1 / d. Worst error 2.5 ULP. Parameters: p[0] = eps > 0.
 */
FL_INLINE void FN(absolute_percentage_error)(V y, V f, V t, const REAL *p, V *loss, V *gradient,
                                             V *hessian)
{
    const V r = f - y, d = vmax(vsplat(p[0]), vabs(y)), slope = R(1.0) / d;
    (void)t;
    *loss = vabs(r) / d;
    /* r itself where it is 0 or NaN */
    *gradient = vselect((r < R(0.0)) | (r > R(0.0)), vcopysign(slope, r), r);
    *hessian = vselect(r == r, slope, r);
}
