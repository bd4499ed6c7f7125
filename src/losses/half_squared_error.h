/* Half squared error: r^2 / 2 with r = f - y. gradient r, Hessian 1. Stable everywhere; worst error
 * 2 ULP. Parameters: none.
 */
FL_INLINE void FN(half_squared_error)(V y, V f, V t, const REAL *p, V *loss, V *gradient,
                                      V *hessian)
{
    const V r = f - y;
    (void)t, (void)p;
    /* the half first: r*r may overflow where the loss does not */
    *loss = (r * R(0.5)) * r;
    *gradient = r;
    *hessian = vselect(r == r, vsplat(R(1.0)), r);
}
