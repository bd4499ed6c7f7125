/* Smooth L1 loss: r^2 / (2 beta) where |r| < beta, else |r| - beta / 2; r = f - y. |r| - beta/2 >= |r|/2
 * outside, so nothing cancels: worst error 3 ULP. Hessian 1 / beta inside, 0 outside, or 1 / |r|, so that it
 * is gradient / r, the weight of iteratively reweighted least squares. Parameters: p[0] = beta > 0, p[1] + p[2] =
 * p[3] = 1 / beta, p[1] of at most 24 bits; p[4] = 1 for the weight as Hessian.
 */
FL_INLINE void FN(smooth_l1)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V r = f - y, size = vabs(r), scaled = FN(fl_times_sum)(r, p + 1);
    const VI outside = size >= p[0]; /* false for NaN, which then takes the branch that keeps it */
    (void)t;
    *loss = vselect(outside, size - R(0.5) * p[0], (R(0.5) * r) * scaled);
    *gradient = vselect(outside, vcopysign(vsplat(R(1.0)), r), scaled);
    *hessian = vselect(r == r, vselect(outside, vsplat(R(0.0)), vsplat(p[3])), r);
    if (FL_UNLIKELY(p[4] > R(0.0)))
        *hessian = vmin(vsplat(p[3]), R(1.0) / size); /* NaN stays */
}
