/* Absolute error: |r| with r = f - y. gradient sign(r), 0 at r = 0; the Hessian, zero almost
 * everywhere, is reported as 1, what second-order boosting needs. Worst error 0.5 ULP.
 * Parameters: none.
 */
FL_INLINE void FN(absolute_error)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V r = f - y;
    (void)t, (void)p;
    *loss = vabs(r);
    /* r itself where it is 0 or NaN */
    *gradient = vselect((r < R(0.0)) | (r > R(0.0)), vcopysign(vsplat(R(1.0)), r), r);
    *hessian = vselect(r == r, vsplat(R(1.0)), r);
}
