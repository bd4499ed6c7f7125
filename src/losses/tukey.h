/* Tukey's biweight: (c^2 / 6) (1 - d^3) with d = 1 - q^2 where |q| < 1, else c^2 / 6; q = r / c, r = f - y.
 * gradient r d^2 and Hessian d (1 - 5 q^2), negative beyond c / sqrt(5), or d^2, the weight of iteratively
 * reweighted least squares; both 0 outside. The loss as (r^2 / 2) (1 - q^2 + q^4 / 3) and q^2 as a pair of
 * numbers: nothing cancels, but d beside c, where it is 2 x - x^2 with x = (c - |r|) / c. Worst error 3 ULP, beside c 4 ULP.
 * Parameters: p[0] + p[1] = 1 / c, p[0] of at most 24 bits; p[2] + p[3] + p[4] = c; p[5] = c^2 / 6; p[6] = -4,
 * or 0 for the weight as Hessian; p[7] = p[6] - 1.
 */

/* d = 2 x - x^2 and its rounding error */
FL_INLINE V FN(tukey_beside)(V r, V r_lo, const REAL *p, V *low)
{
    V e_lo, x_lo;
    const V e = FN(fl_excess)(r, r_lo, p + 2, &e_lo);
    const V minus_x = FN(fl_product)(e, vsplat(p[0]), &x_lo);
    const V rest = x_lo + (e * p[1] + e_lo * p[0]), rounded = minus_x + rest;
    *low = R(-2.0) * rest - rounded * rounded;
    return R(-2.0) * minus_x;
}

FL_INLINE void FN(tukey)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0));
    V r_lo, q_lo, h_lo, minus_lo;
    VI far;
    /* r_lo is NaN where r is infinite, which is outside */
    const V r = FN(fl_two_sum)(f, -y, &r_lo), q = FN(fl_scaled_pair)(r, r_lo, p, &q_lo, &far);
    V high = -FN(fl_square_minus_one)(q, q_lo, &minus_lo), low = -minus_lo;
    const VI beside = vabs(high) < (REAL)0x1p-15;
    /* rare */
    if (FL_UNLIKELY(vany_less(vabs(high), vsplat((REAL)0x1p-15)))) {
        V near_lo;
        const V near = FN(tukey_beside)(r, r_lo, p, &near_lo);
        high = vselect(beside, near, high);
        low = vselect(beside, near_lo, low);
    }
    const V d = high + low, d_lo = (high - d) + low, d2 = d * d + (d + d) * d_lo;
    const V h = FN(fl_square_pair)(q, q_lo, &h_lo);
    const V bend = vselect(beside, d + h * p[6], FN(fl_one_plus_multiple)(h, h_lo, p[7]));
    const V x = d + (h * h) * (REAL)(1.0 / 3.0);
    const VI outside = d <= zero; /* false for NaN, which then takes the branch that keeps it */
    (void)t;
    /* c^2 / 6 (1 - d^3) where d^3 is small, for it then has fewer rounding errors */
    *loss = vselect(d <= R(0.5), p[5] - vkeep(d > zero, p[5] * (d2 * d)),
                    (R(0.5) * r) * (r * x + (r_lo + r_lo) * x));
    *gradient = vselect(outside, zero, r * d2 + r_lo * d2);
    *hessian = vselect(outside, zero, d * bend);
}
