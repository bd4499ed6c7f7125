/* Exponential loss on half a logit f, labels y in [0, 1]: a e^-f + b e^f with a = cost_fn y and b =
 * cost_fp (1 - y). gradient b e^f - a e^-f, the Hessian is the loss. Each term is one product, which
 * neither overflows nor underflows before its factors are together, and no 0 * inf arises: worst error
 * 3 ULP; for soft labels the gradient's is in ULP of its larger term.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp.
 */

/* The only term of y in {0, 1}; of soft labels the first. */
FL_INLINE V FN(exponential_prepare)(V y, V f, const REAL *p)
{
    const VI positive = y > R(0.0);
    return FN(fl_exp_times)(vselect(positive, p[0] * y, p[1] * (R(1.0) - y)),
                            vselect(positive, -f, f));
}

FL_INLINE void FN(exponential)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const VI positive = y > R(0.0);
    const V up = vselect(positive, FN(fl_exp_times)(p[1] * (R(1.0) - y), f), t);
    const V down = vkeep(positive, t);
    *loss = *hessian = down + up;
    *gradient = up - down;
}

/* The same for y in {0, 1}, whose other term is 0 */
FL_INLINE int FN(exponential_is_plain)(const REAL *p)
{
    (void)p;
    return 1;
}

FL_INLINE void FN(exponential_plain)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    (void)f, (void)p;
    *loss = *hessian = t;
    *gradient = vselect(y > R(0.0), -t, t);
}
