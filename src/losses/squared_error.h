/* Squared error: r^2 with r = f - y, without the factor 1/2 (half_squared_error has it).
 * gradient 2r, Hessian 2. Stable everywhere; worst error 2 ULP (the rounding of r, twice, and one
 * product). Parameters: none.
 */
FL_INLINE void FN(squared_error)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V r = f - y;
    (void)t, (void)p;
    *loss = r * r;
    *gradient = r + r;
    *hessian = vselect(r == r, vsplat(R(2.0)), r);
}
