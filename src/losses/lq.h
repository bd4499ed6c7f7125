/* Lq loss: |r|^q with r = f - y, q > 1 (1 and 2 are the absolute and the squared error). gradient
 * q |r|^(q-1) sign(r), Hessian q (q - 1) |r|^(q-2): infinite at r = 0 for q < 2.
 * r is kept exactly, its logarithm in a pair of numbers, so that q does not magnify their errors; |r|^(q-1)
 * is m 2^n until it has its factors. Worst error 3 ULP, of the Hessian 4.
 * Parameters: p[0] = q - 1, p[1] = its rest in float32, p[2] = q, p[3] = q (q - 1); the Hessian at r = 0:
 * p[4], at infinity: p[5].
 */
FL_INLINE void FN(lq)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    V size_lo, more, log_lo, low, n, k;
    (void)t;
    const V r = FN(fl_scaled_residual)(y, f, &size_lo, &more), size = vabs(r);
    const V log_hi = FN(fl_log_pair_of)(size, size_lo, more, &log_lo);
    const V m = FN(fl_parts)(size, &k);
    const V x = FN(fl_product)(log_hi, vsplat(p[0]), &low);
    low = low + log_lo * p[0];
    if (FL_BITS == 32)
        low = low + log_hi * p[1];
    const V e = FN(fl_exp_parts)(x, low, &n);
    const VI finite = size <= REAL_MAX, zero = size == R(0.0);
    k = k + more;
    *loss = vselect(finite, FN(fl_scale)(e * m, n + k), size); /* 0 if m is */
    const V slope = vselect(zero, size, FN(fl_scale)(e * p[2], n));
    *gradient = vcopysign(vselect(finite, slope, size), r);
    const V curvature = vselect(zero, vsplat(p[4]), FN(fl_scale)(e * p[3] / m, n - k));
    *hessian = vselect(finite, curvature, vselect(size > REAL_MAX, vsplat(p[5]), size));
}
