/* Huber's loss (1964): r^2 / 2 where |r| <= delta, else delta (|r| - delta/2); r = f - y.
 * gradient r clipped to [-delta, delta]; Hessian 1 inside, 0 outside, or delta / |r|, so that it is
 * gradient / r, the weight of iteratively reweighted least squares. |r| - delta/2 >= |r|/2 outside,
 * so nothing cancels: worst error 3 ULP. Parameters: p[0] = delta > 0; p[1] = 1 for the weight as Hessian.
 */
FL_INLINE void FN(huber)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V r = f - y, size = vabs(r);
    const REAL delta = p[0];
    const VI outside = size > delta; /* false for NaN, which then takes the branch that keeps it */
    (void)t;
    *loss = vselect(outside, delta * (size - R(0.5) * delta), (r * R(0.5)) * r);
    *gradient = vselect(outside, vcopysign(vsplat(delta), r), r);
    *hessian = vselect(r == r, vselect(outside, vsplat(R(0.0)), vsplat(R(1.0))), r);
    if (FL_UNLIKELY(p[1] > R(0.0)))
        *hessian = vmin(vsplat(R(1.0)), delta / size); /* NaN stays */
}
