/* Poisson loss with log link: e^f - y f, the negative log-likelihood without log(y!). y >= 0.
 * gradient e^f - y, Hessian e^f. Both differences cancel near their roots: there the error is below
 * 1.5 ULP of the larger term; elsewhere worst 2.5 ULP. No 0 * inf: y = 0 drops y f, and where e^f
 * overflows the loss is +inf. Parameters: none.
 */
FL_INLINE V FN(poisson_prepare)(V y, V f, const REAL *p)
{
    (void)y, (void)p;
    return vexp(f);
}

FL_INLINE void FN(poisson)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0));
    (void)p;
    *loss = t - vselect((y == zero) | (t > REAL_MAX), zero, y * f);
    *gradient = t - y;
    *hessian = t;
}
