/* Pinball (quantile) loss, Koenker and Bassett (1978): q max(y - f, 0) + (1 - q) max(f - y, 0).
 * With r = f - y: gradient 1 - q where r > 0, else -q (so also at r = 0); the Hessian, zero almost
 * everywhere, is reported as 1. Worst error 2 ULP. Parameters: p[0] = q in (0, 1), p[1] = 1 - q.
 */
FL_INLINE void FN(pinball)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V r = f - y;
    const V slope = vselect(r > R(0.0), vsplat(p[1]), vsplat(-p[0]));
    (void)t;
    *loss = vabs(slope * r); /* never negative; |.| turns the -0 at r = 0 into 0 */
    *gradient = vselect(r == r, slope, r);
    *hessian = vselect(r == r, vsplat(R(1.0)), r);
}
