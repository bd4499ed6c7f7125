/* Gamma loss with log link: f + y e^-f, half the deviance without terms in y alone; y > 0.
 * gradient 1 - y e^-f, Hessian y e^-f. The product neither overflows nor underflows where its factors do.
 * Worst error 2 ULP; of the larger term where the two of the loss or the gradient cancel.
 * Parameters: none.
 */
FL_INLINE V FN(gamma_prepare)(V y, V f, const REAL *p)
{
    V k, n;
#if FL_LOOKUP
    const V m = FN(fl_mantissa)(y);
    k = FN(fl_exponent)(y);
#else
    const V m = FN(fl_log_reduce)(y, &k); /* y > 0 */
#endif
    const V e = FN(fl_exp_parts)(-f, vsplat(R(0.0)), &n);
    (void)p;
    return FN(fl_scale)(m * e, k + n);
}

FL_INLINE void FN(gamma)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    (void)y, (void)p;
    *loss = vselect(t > REAL_MAX, t, f + t); /* infinite at f = -inf, too */
    *gradient = R(1.0) - t;
    *hessian = t;
}
