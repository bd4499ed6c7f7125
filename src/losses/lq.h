/* Lq loss: |r|^q with r = f - y, q > 1 (1 and 2 are the absolute and the squared error). gradient
 * q |r|^(q-1) sign(r), Hessian q (q - 1) |r|^(q-2): infinite at r = 0 for q < 2.
 * r is kept exactly, its logarithm in a pair of numbers, so that q does not magnify their errors; |r|^(q-1)
 * is m 2^n until it has its factors. For q = 3/2 it is the square root. float32 is computed in float64. Worst
 * error 3 ULP, of the Hessian 4.
 * Parameters: p[0] = q - 1, p[1] = q, p[2] = q (q - 1); the Hessian at r = 0: p[3], at infinity: p[4].
 */
FL_INLINE int FN(lq_is_plain)(const REAL *p)
{
    return FL_EXACT(p)[1] == 1.5;
}

FL_INLINE void FN(lq_plain)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    (void)t;
    /* a residual that overflows has a square root: that of a quarter, twice */
    const V r = f - y, size = vabs(r), quarter = vabs(R(0.25) * f - R(0.25) * y);
    const VI over = (size > REAL_MAX) & (vabs(f) <= REAL_MAX);
    const V root =
        vsqrt(vselect(over, quarter, size)) * vselect(over, vsplat(R(2.0)), vsplat(R(1.0)));
    *loss = size * root;
    *gradient = vcopysign(root * p[1], r);
    *hessian = p[2] / root;
}

#if FL_BITS == 64
FL_INLINE void FN(lq_of_float)(V y, V f, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V r = f - y, size = vabs(r);
    const VI finite = size <= REAL_MAX, zero = size == 0.0;
    const V e = FN(fl_wide_exp)(p[0] * FN(fl_wide_log)(vmax(vsplat(REAL_TINY), size)));
    *loss = vselect(finite & (zero == 0), size * e, size);
    *gradient = vcopysign(vselect(finite & (zero == 0), e * p[1], size), r);
    *hessian =
        vselect(zero, vsplat(p[3]),
                vselect(finite, (p[2] * e) / size, vselect(size > REAL_MAX, vsplat(p[4]), size)));
}

FL_INLINE void FN(lq)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    V size_lo, more, log_lo, low, n, k;
    (void)t;
    const V r = FN(fl_scaled_residual)(y, f, &size_lo, &more), size = vabs(r);
    const V log_hi = FN(fl_log_pair_of)(size, size_lo, more, &log_lo);
    const V m = FN(fl_parts)(size, &k);
    const V x = FN(fl_product)(log_hi, vsplat(p[0]), &low);
    const V e = FN(fl_exp_parts)(x, low + log_lo * p[0], &n);
    const VI finite = size <= REAL_MAX, zero = size == R(0.0);
    k = k + more;
    *loss = vselect(finite, FN(fl_scale)(e * m, n + k), size); /* 0 if m is */
    const V slope = vselect(zero, size, FN(fl_scale)(e * p[1], n));
    *gradient = vcopysign(vselect(finite, slope, size), r);
    const V curvature = vselect(zero, vsplat(p[3]), FN(fl_scale)(e * p[2] / m, n - k));
    *hessian = vselect(finite, curvature, vselect(size > REAL_MAX, vsplat(p[4]), size));
}
#else
FL_FROM_WIDE(lq, lq_of_float)
#endif
