/* Half the Tweedie deviance of a power, identity link: with a = 2 - power and b = 1 - power
 *     loss     = f^a / a - y f^b / b + max(y, 0)^a / (a b)
 *     gradient = f^-power (f - y), Hessian f^(-power - 1) (b f + power y), or at least f^-power,
 *                its mean where f is right: an upper bound, and never negative
 * for f > 0, NaN elsewhere; and the limits y log(y/f) + f - y for power = 1, log(f/y) + y/f - 1 for 2.
 * Everything is made of A = f^a, y/f and y^a as fractions of powers of 2, the powers from logarithms in pairs
 * of numbers. Worst error 4 ULP, of the Hessian 5: of the Hessian in ULP of the larger term, of the loss, unless f is near y, of
 * the largest.
 * Parameters: p[0] = a, its rest p[1]; p[2], p[3], p[4] = 1/a, -1/b, 1/(a b); or 1, -1, 0 for power = 1, and
 * -1, 1, 0 for 2; p[5] = b, p[6] = power; p[7] = -infinity, or 1 for the bounded Hessian. float32 is computed
 * in float64, without pairs.
 *
 * For power = 1.5 with w = sqrt(f) and u = w - sqrt(y) = (f - y) / (w + sqrt(y)) the loss is 2 u^2 / w, where
 * nothing cancels, the gradient (f - y) / (f w).
 */
FL_INLINE int FN(tweedie_identity_is_plain)(const REAL *p)
{
    return FL_EXACT(p)[6] == 1.5;
}

#if FL_BITS == 64
FL_INLINE void FN(tweedie_identity)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), infinity = vsplat((REAL)INFINITY);
    const V least = vsplat((REAL)(1 - EXPONENT_BIAS)), most = vsplat(EXP_PARTS_MOST);
    const V b = vsplat(p[5]);
    const VI logarithmic = vsplat(p[4]) == R(0.0), of_power_2 = vsplat(p[6]) == R(2.0);
    const VI positive = y > R(0.0);
    const REAL a_lo = p[1];
    V log_f_lo, log_y_lo, low, n, j, k_f, k_y, k_r, d_lo, more;
    (void)t;
    const V m_f = FN(fl_parts)(f, &k_f), m_y = FN(fl_parts)(y, &k_y);
    const V log_f = FN(fl_log_pair)(vabs(f), &log_f_lo);
    const V log_y = FN(fl_log_pair)(vabs(y), &log_y_lo);
    const V a_log_f = FN(fl_product)(log_f, vsplat(p[0]), &low);
    const V e_f = FN(fl_exp_parts)(a_log_f, low + (log_f_lo * p[0] + log_f * a_lo), &n);
    const V a_log_y = FN(fl_product)(log_y, vsplat(p[0]), &low);
    const V e_y = FN(fl_exp_parts)(a_log_y, low + (log_y_lo * p[0] + log_y * a_lo), &j);
    const V ratio = m_y / m_f, k = vkeep(y != R(0.0), k_y - k_f);

    /* the terms of the loss, times 2^n, 2^(n+k) and 2^j */
    const V logarithm = (log_y - log_f) + (log_y_lo - log_f_lo);
    const V first = FN(fl_opaque)(e_f * p[2]), second = FN(fl_opaque)(e_f * ratio * p[3]);
    V third = vselect(logarithmic, logarithm * vselect(of_power_2, -one, m_y), e_y * p[4]);
    third = vkeep(positive, FN(fl_opaque)(third));
    j = vselect(logarithmic, vkeep(of_power_2 == 0, k_y), j);
    j = vselect(positive, j, n);
    const V top = vmax(vmax(n + k, j), n);
    const V sum = (first * FN(fl_power_of_two)(vmax(least, n - top)) +
                   third * FN(fl_power_of_two)(vmax(least, j - top))) +
                  second * FN(fl_power_of_two)(vmax(least, n + k - top));
    V value = vmax(zero, FN(fl_scale)(sum, top));
    value = vselect((a_log_f > most) | ((a_log_y > most) & positive), infinity, value);

    /* f^-power = A / f^2 */
    const V e = e_f / (m_f * m_f), exponent = n - (k_f + k_f);
    const V r = FN(fl_scaled_residual)(y, f, &d_lo, &more), m_r = FN(fl_parts)(r, &k_r);
    const V slope = FN(fl_scale)(e * m_r, exponent + (k_r + more));
    /* near the label, where the terms of the loss cancel: f^-power r^2 times the sum over k of power
     * (power + 1) ... (power + k - 1) (r/f)^k / (k + 2)! */
    const V part = vcopysign(FN(fl_scale)(m_r / m_f, k_r + more - k_f), r);
    const VI near = vabs(part) * (vabs(vsplat(p[6])) + R(8.0)) < R(0.25);
    const V p_part = part * p[6];
    V series = one;
    for (int i = 10; i >= 0; i--)
        series = one + (p_part + part * (REAL)i) * ((REAL)1 / (REAL)(i + 3)) * series;
    const V squared =
        FN(fl_scale)(e * m_r * m_r * (series * R(0.5)), exponent + R(2.0) * (k_r + more));
    value = vselect(near, squared, value);
    const V above = vmax(zero, k);
    const V factor = FN(fl_power_of_two)(vmax(least, -above)) * b +
                     FN(fl_opaque)(FN(fl_power_of_two)(vmax(least, k - above)) * ratio * p[6]);
    /* beside a large y / f the 1 may be too small a fraction of it for a number */
    const V curvature =
        vmax(FN(fl_scale)(e * p[7], exponent), FN(fl_scale)(e * factor, exponent + above));

    const VI infinite = f > REAL_MAX, valid = f > R(0.0);
    const V nan = vsplat((REAL)NAN);
    const V last = vselect(b == zero, one, vkeep(b > zero, infinity));
    *loss = vselect(valid, vselect(infinite & (vsplat(p[0]) >= zero), infinity, value), nan);
    *gradient = vselect(valid, vselect(infinite, last, slope), nan);
    *hessian = vselect(valid, vselect(infinite, vkeep(b > one, infinity), curvature), nan);
}

FL_INLINE void FN(tweedie_identity_plain)(V y, V f, V t, const REAL *p, V *loss, V *gradient,
                                          V *hessian)
{
    const V zero = vsplat(0.0), infinity = vsplat((REAL)INFINITY), nan = vsplat((REAL)NAN);
    V r_lo, sum_lo, error, v_lo;
    const VI infinite = f > REAL_MAX, valid = f > zero;
    const V r = FN(fl_two_sum)(f, -y, &r_lo);
    /* the roots, their rounding errors, and 1 / w in a pair */
    const V w = vsqrt(f), z = vsqrt(y);
    const V w_square = FN(fl_product)(w, w, &error), w_lo = ((f - w_square) - error) * (0.5 / w);
    const V z_square = FN(fl_product)(z, z, &error);
    const V z_lo = vkeep(y > zero, ((y - z_square) - error) * (0.5 / z));
    const V v = FN(fl_inverse_pair)(w, w_lo, &v_lo);
    /* u in a pair */
    const V sum = FN(fl_two_sum)(w, z, &sum_lo), inverse = 1.0 / sum;
    const V u = FN(fl_opaque)(r * inverse), product = FN(fl_product)(u, sum, &error);
    const V rest = ((r - product) - error) + (r_lo - u * (sum_lo + (w_lo + z_lo)));
    const V u_lo = FN(fl_opaque)(rest * inverse);
    const V part = u * v + (u * v_lo + u_lo * v);
    const V ratio = y / f, slope = r / f;
    /* no correction of what overflows */
    const V low = vkeep(vabs(u * part) <= REAL_MAX, u_lo * part);
    const V slope_low = vkeep(vabs(slope * v) <= REAL_MAX, slope * v_lo);
    (void)t;
    *loss = vselect(valid, vselect(infinite, infinity, R(2.0) * (u * part + low)), nan);
    *gradient = vselect(valid, vkeep(infinite == 0, slope * v + slope_low), nan);
    *hessian = vselect(
        valid, vkeep(infinite == 0, (vmax(vsplat(p[7]), p[5] + ratio * p[6]) * v) / f), nan);
}

FL_INLINE void FN(tweedie_identity_of_float)(V y, V f, const REAL *p, V *loss, V *gradient,
                                             V *hessian)
{
    const V zero = vsplat(0.0), one = vsplat(1.0), infinity = vsplat((REAL)INFINITY);
    const VI logarithmic = vsplat(p[4]) == 0.0, of_power_2 = vsplat(p[6]) == 2.0;
    const VI positive = y > zero, infinite = f > REAL_MAX, valid = f > zero;
    /* no further from the range of float32 than keeps every product finite */
    const V x = vmin(vsplat(1e60), vmax(vsplat(1e-60), f)), over = one / x;
    const V log_f = FN(fl_wide_log)(x), log_y = FN(fl_wide_log)(vmax(vsplat(1e-60), y));
    const V a_log_f = vmin(vsplat(400.0), log_f * p[0]),
            a_log_y = vmin(vsplat(400.0), log_y * p[0]);
    const V A = FN(fl_wide_exp)(a_log_f), ratio = FN(fl_opaque)(y * over);
    const V third = vselect(logarithmic, (log_y - log_f) * vselect(of_power_2, -one, y),
                            FN(fl_wide_exp)(a_log_y) * p[4]);
    const V sum = A * (p[2] + ratio * p[3]) + vkeep(positive, FN(fl_opaque)(third));
    /* what overflows float32 need not be subtracted */
    const V value =
        vselect((a_log_f > 150.0) | ((a_log_y > 150.0) & positive), infinity, vmax(zero, sum));
    const V r = f - y, part = r * over;
    const VI near = vabs(part) * (vabs(vsplat(p[6])) + 8.0) < 0.25;
    const V p_part = part * p[6];
    V series = one;
    for (int i = 5; i >= 0; i--)
        series = one + (p_part + part * (REAL)i) * (1.0 / (REAL)(i + 3)) * series;
    const V e = FN(fl_opaque)((A * over) * over);
    const V last = vselect(vsplat(p[5]) == zero, one, vkeep(vsplat(p[5]) > zero, infinity));
    const V nan = vsplat((REAL)NAN);
    *loss = vselect(infinite & (vsplat(p[0]) >= zero), infinity,
                    vselect(near, ((e * r) * r) * (0.5 * series), value));
    *loss = vselect(valid, *loss, nan);
    *gradient = vselect(valid, vselect(infinite, last, e * r), nan);
    *hessian = vselect(infinite, vkeep(vsplat(p[5]) > one, infinity),
                       e * vmax(vsplat(p[7]), p[5] + ratio * p[6]));
    *hessian = vselect(valid, *hessian, nan);
}

FL_INLINE void FN(tweedie_identity_plain_of_float)(V y, V f, const REAL *p, V *loss, V *gradient,
                                                   V *hessian)
{
    const V zero = vsplat(0.0), infinity = vsplat((REAL)INFINITY), nan = vsplat((REAL)NAN);
    const VI infinite = f > REAL_MAX, valid = f > zero;
    const V r = f - y, w = vsqrt(f), over = 1.0 / w, u = r / (w + vsqrt(y));
    const V cube = FN(fl_opaque)((over * over) * over);
    *loss = vselect(valid, vselect(infinite, infinity, (2.0 * u) * (u * over)), nan);
    *gradient = vselect(valid, vkeep(infinite == 0, r * cube), nan);
    *hessian = vselect(
        valid, vkeep(infinite == 0, vmax(p[7] * f, p[5] * f + p[6] * y) * (cube * (over * over))),
        nan);
}
#else
FL_FROM_WIDE(tweedie_identity, tweedie_identity_of_float)
FL_FROM_WIDE(tweedie_identity_plain, tweedie_identity_plain_of_float)
#endif
