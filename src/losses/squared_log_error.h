/* Squared logarithmic error: r^2 with r = log1p(f) - log1p(y), y > -1. gradient 2 r / (1 + f), Hessian
 * 2 (1 - r) / (1 + f)^2, negative where r > 1. r = +-log1p(|f - y| / (1 + min(f, y))) in pairs of numbers,
 * without cancellation and for any f. Outside f > -1: NaN below, infinite at -1. Worst error 3 ULP, of the
 * Hessian in ULP of its larger term. Parameters: none.
 */
FL_INLINE void FN(squared_log_error)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    /* the quotient may overflow where its logarithm does not: then 2^-shift times it */
    const REAL large = FL_BITS == 64 ? (REAL)0x1p900 : (REAL)0x1p100;
    const REAL down = FL_BITS == 64 ? (REAL)0x1p-60 : (REAL)0x1p-30;
    V d_lo, m_lo, product_lo, x_lo, log_lo;
    (void)t, (void)p;
    const V d = FN(fl_two_sum)(f, -y, &d_lo), m = FN(fl_two_sum)(one, vmin(y, f), &m_lo);
    const VI shifted = (vabs(d) > large) & (m < one);
    const V unit = vselect(shifted, vsplat(down), one);
    const V size = vabs(d) * unit, size_lo = vselect_negative(d, -d_lo, d_lo) * unit;
    const V q = size / m, product = FN(fl_product)(q, m, &product_lo);
    const V q_lo = FN(fl_opaque)((((size - product) - product_lo) + size_lo - q * m_lo) / m);
    const V x = FN(fl_two_sum)(one, q, &x_lo);
    V log_hi = FN(fl_log_pair_of)(x, x_lo + q_lo,
                                  vkeep(shifted, vsplat((REAL)(FL_BITS == 64 ? 60 : 30))), &log_lo);
    log_hi = FN(fl_log1p_of_small)(q, q_lo, log_hi, &log_lo);
    /* q itself where it is infinite, at f = -1 and beyond all numbers, or NaN */
    const VI finite = (q <= REAL_MAX) & (m > zero);
    V size_of_r = vselect(finite, log_hi, q);
    size_of_r = vselect(m < zero, vsplat((REAL)NAN), size_of_r);
    const V r = vcopysign(size_of_r, d), double_r = r + r;
    const V w = one + f;
    const VI last = f > REAL_MAX;
    *loss = r * r + FN(fl_opaque)(vkeep(finite, (size_of_r + size_of_r) * log_lo));
    *gradient = vselect(last, zero, double_r / w);
    *hessian = vselect(last, zero, (R(2.0) - double_r) / w / w);
}
