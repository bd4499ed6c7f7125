/* The general robust loss of Barron (2019, eq. 8): with x = (r/c)^2, r = f - y, b = |alpha - 2| and z = x/b
 *     loss     = b/alpha ((1 + z)^(alpha/2) - 1)
 *     gradient = r/c^2 (1 + z)^(alpha/2 - 1)
 *     Hessian  = 1/c^2 (1 + z)^(alpha/2 - 1) (1 + (alpha - 1) z) / (1 + z)
 * or gradient / r, which is never negative, the weight of iteratively reweighted least squares; and its limits:
 * x/2 for alpha = 2, 1 - e^(-x/2) for alpha = -inf; for alpha = 0 it is cauchy.h. For alpha = 1 and the exact
 * Hessian the power is a square root. Else, with L = log(1 + z) in a pair of numbers, z and r as well, the powers
 * are e^(alpha/2 L) and expm1 of it, as m 2^n. At -inf, L is z = x/2 instead, and the powers of 1 + z alone are
 * 1. Small x take x/2 itself. Then float32 is computed in float64, without pairs.
 *
 * Worst error 4 ULP, of the Hessian 7, in ULP of the larger term of 1 + (alpha - 1) z.
 * Parameters: p[0] = 1 / (c sqrt b), its rests p[1] in float64 and p[2] in float32; p[3] = 1 / c^2; p[4] =
 * alpha/2; p[5] = b/alpha; p[6] = alpha - 1, or 1 for the weight as Hessian; p[7] = 0. Limits: p[7] = 1, and b
 * is 2; at -inf p[4] = p[5] = -1 and p[6] = -2, or 0 for the weight; at 2 p[5] = infinity, p[4] = p[6] = 0.
 */

/* alpha = 1: sqrt(1 + q^2) - 1 with q = r / c, in pairs as in pseudo_huber.h; |q| where q^2 overflows. There the
 * weight 1 / |q| would ask for a division more, which slowed down the others: it goes the way of the other alphas. */
FL_INLINE int FN(barron_robust_is_plain)(const REAL *p)
{
    return FL_EXACT(p)[4] == 0.5 && FL_EXACT(p)[6] == 0.0;
}

FL_INLINE void FN(barron_robust_plain)(V y, V f, V t, const REAL *p, V *loss, V *gradient,
                                       V *hessian)
{
    (void)t;
    const REAL scale[2] = {p[0], p[FL_BITS == 64 ? 1 : 2]};
    V r_lo, q_lo, w_lo, error, v_lo;
    VI far;
    const V r = vresidual(y, f, &r_lo), q = FN(fl_scaled_pair)(r, r_lo, scale, &q_lo, &far);
    const V w = FN(fl_one_plus_square)(q, q_lo, &w_lo), s = vsqrt(w);
    const V inverse = R(1.0) / s, square = FN(fl_product)(s, s, &error);
    const V s_lo = (((w - square) - error) + w_lo) * (R(0.5) * inverse);
    const V v = FN(fl_inverse_pair)(s, s_lo, &v_lo), v2 = v * v + (v + v) * v_lo;
    const V slope = q / (R(1.0) + s);
    /* half the residual, which does not overflow */
    const V half = vabs(R(0.5) * f - R(0.5) * y) * p[0];
    *loss = vselect(far, half + half, q * slope + (q_lo + q_lo) * slope);
    *gradient =
        vselect(far, vcopysign(vsplat(p[0]), r), FN(fl_pair_product)(r, r_lo, v, v_lo) * p[3]);
    *hessian = v2 * (v * p[3] + v_lo * p[3]); /* v^3 alone may be too small */
}

#if FL_BITS == 64
FL_INLINE void FN(barron_of_float)(V y, V f, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V r = f - y, one = vsplat(1.0), half_alpha = vsplat(p[4]), factor = vsplat(p[5]);
    const VI square = factor > REAL_MAX;
    const VI linear = vsplat(p[7]) == one;
    /* finite: what is beyond float32 is infinite in any of the limits */
    const V size = vmin(vsplat(1e60), vabs(r)), root = size * p[0], z = FN(fl_opaque)(root * root);
    const V over = vselect(linear, one, one / (one + z));
    const V L = vselect(linear, z, FN(fl_wide_log1p)(z)), w = FN(fl_opaque)(L * half_alpha);
    const V power = FN(fl_wide_exp)(w);
    const V slope = FN(fl_opaque)((power * over) * p[3]);
    const VI infinite = (vabs(r) > REAL_MAX) & (linear == 0);
    const V value = FN(fl_wide_expm1)(w, power) * p[5];
    *loss =
        vselect(infinite, vsplat(p[4] < 0.0 ? -p[5] : (double)INFINITY), vselect(square, L, value));
    *gradient =
        vcopysign(vselect(infinite, vsplat(p[4] > 0.5 ? (double)INFINITY : 0.0), slope * size), r);
    *hessian = vselect(infinite, vsplat(p[4] > 1.0 ? (double)INFINITY : 0.0),
                       slope * ((one + z * p[6]) * over));
}

FL_INLINE void FN(barron_robust)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), infinity = vsplat((REAL)INFINITY);
    const V half_alpha = vsplat(p[4]), factor = vsplat(p[5]);
    const VI square = factor > REAL_MAX;
    const VI linear = vsplat(p[7]) == one;
    const VI power_law = linear == 0;
    /* from `large` on log(1 + v^2) is 2 log v; beyond `most` no Hessian is a normal number */
    const V large = vsplat(0x1p40);
    const V most = vsplat(0x1p510);
    V size_lo, more, v_lo, z_lo, s_lo, L_lo, w_lo, x_lo, j, k, n;
    (void)t;
    const V r = FN(fl_scaled_residual)(y, f, &size_lo, &more), size = vabs(r);
    const V unit = vselect(more > zero, vsplat((REAL)0x1p60), one), whole = size * unit;
    /* z = v^2 */
    const V v = FN(fl_product)(size, vsplat(p[0]), &v_lo);
    v_lo = FN(fl_opaque)(v_lo + (size_lo * p[0] + size * p[1]));
    const V v_whole = v * unit;
    const VI big = v_whole > large, infinite = size > REAL_MAX;
    v_lo = vkeep(infinite == 0, v_lo);
    const V root = vselect(big, large, v_whole), root_lo = vkeep(big == 0, v_lo * unit);
    const V z = FN(fl_product)(root, root, &z_lo);
    z_lo = FN(fl_opaque)(z_lo + (root + root) * root_lo);
    /* L = log(1 + z) */
    const V s = FN(fl_two_sum)(one, z, &s_lo);
    V L = FN(fl_log_pair_of)(vselect(big, v, s), vselect(big, v_lo, s_lo + z_lo), vkeep(big, more),
                             &L_lo);
    L = FN(fl_log1p_of_small)(z, z_lo, L, &L_lo); /* not where z is big */
    const V twice = vselect(big, vsplat(R(2.0)), one);
    L = vselect(linear, z, L * twice);
    L_lo = vselect(linear, z_lo, L_lo * twice);
    L = vselect(size == size, L, size);
    /* w = alpha/2 L and w - L, the exponents */
    const V w = FN(fl_product)(L, half_alpha, &w_lo);
    w_lo = w_lo + L_lo * p[4];
    const V less = vkeep(power_law, L);
    const V x = FN(fl_two_sum)(w, -less, &x_lo);
    const V e = FN(fl_exp_parts)(x, x_lo + (w_lo - vkeep(power_law, L_lo)), &n);
    const V m = FN(fl_parts)(size, &k);
    const V slope = FN(fl_scale)(e * m * p[3], n + (k + more));
    /* a ratio below -2^60 stands beside a power that is 0 */
    const V bounded = vmin(most, v_whole), square_of = bounded * bounded;
    const V ratio = (one + square_of * p[6]) / (one + vkeep(power_law, square_of));
    const V curvature = FN(fl_scale)(e * vmax(vsplat((REAL)-0x1p60), ratio) * p[3], n);
    const V power = FN(fl_expm1_parts)(w, w_lo, &j);
    const V value = FN(fl_scale)(power * factor, j);
    const V x_half = (whole * p[3]) * (whole * R(0.5));
    const VI tiny = x_half < REAL_EPS / 8;
    const V last = vselect(half_alpha < zero, -factor, infinity);
    *loss = vselect(square | tiny, x_half, vselect(infinite, last, value));
    const V last_slope = vkeep(half_alpha > R(0.5), infinity);
    *gradient = vcopysign(vselect(infinite & power_law, last_slope, slope), r);
    const V last_curvature = vkeep(half_alpha > one, infinity);
    *hessian = vselect(infinite & power_law, last_curvature, curvature);
}
#else
FL_FROM_WIDE(barron_robust, barron_of_float)
#endif
