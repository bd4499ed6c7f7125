/* Expectile loss, Newey and Powell (1987): alpha r^2 where r = f - y <= 0, else (1 - alpha) r^2.
 * gradient 2 c r, Hessian 2 c with c the factor of r's side. The loss takes the rounding error of r
 * along; worst error 3 ULP.
 * Parameters: p[0] = 2 alpha, p[1] = 2 (1 - alpha).
 */
FL_INLINE void FN(expectile)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    V r_lo;
    const V r = vresidual(y, f, &r_lo);
    const V curvature = vselect(r > R(0.0), vsplat(p[1]), vsplat(p[0]));
    const V slope = curvature * r;
    (void)t;
    *loss = (R(0.5) * r) * (FN(fl_opaque)(slope) + curvature * (r_lo + r_lo));
    *gradient = slope;
    *hessian = vselect(r == r, curvature, r);
}
