/* Exponential loss on half a logit f, labels y in [0, 1]: a e^-f + b e^f with a = cost_fn y and b =
 * cost_fp (1 - y). gradient b e^f - a e^-f, the Hessian is the loss. Each term is one product, which
 * neither overflows nor underflows before its factors are together, and no 0 * inf arises: worst error
 * 3 ULP; for soft labels the gradient's is in ULP of its larger term.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp.
 */
FL_INLINE void FN(exponential)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V a = p[0] * y, b = p[1] * (R(1.0) - y);
    const V down = FN(fl_exp_times)(a, -f), up = FN(fl_exp_times)(b, f);
    (void)t;
    *loss = *hessian = down + up;
    *gradient = up - down;
}
