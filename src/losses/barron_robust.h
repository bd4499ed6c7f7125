/* The general robust loss of Barron (2019, eq. 8): with x = (r/c)^2, r = f - y, b = |alpha - 2| and z = x/b
 *     loss     = b/alpha ((1 + z)^(alpha/2) - 1)
 *     gradient = r/c^2 (1 + z)^(alpha/2 - 1)
 *     Hessian  = 1/c^2 (1 + z)^(alpha/2 - 1) (1 + (alpha - 1) z) / (1 + z)
 * and its limits: log(1 + z) for alpha = 0, x/2 for alpha = 2, 1 - e^(-x/2) for alpha = -inf. With L = log(1
 * + z) in a pair of numbers, z and r as well, the powers are e^(alpha/2 L) and expm1 of it, as m 2^n. At
 * -inf, L is z = x/2 instead, and the powers of 1 + z alone are 1. Small x take x/2 itself.
 *
 * Worst error 4 ULP, of the Hessian 7, in ULP of the larger term of 1 + (alpha - 1) z.
 * Parameters: p[0] = 1 / (c sqrt b), its rests p[1] in float64 and p[2] in float32; p[3] = 1 / c^2; p[4] =
 * alpha/2, p[5] = its rest in float32; p[6] = b/alpha; p[7] = alpha - 1. Limits: p[6] = 0 says alpha = 0;
 * p[4] = -1 and p[7] = -2 say -inf, and then b is 2, p[6] = -1; p[6] = infinity says 2, and then b is 2, p[4]
 * = p[7] = 0.
 */
FL_INLINE void FN(barron_robust)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), infinity = vsplat((REAL)INFINITY);
    const V half_alpha = vsplat(p[4]), factor = vsplat(p[6]);
    const VI square = factor > REAL_MAX;
    const VI linear = square | ((half_alpha == R(-1.0)) & (vsplat(p[7]) == R(-2.0)));
    const VI power_law = linear == 0;
    /* from `large` on log(1 + v^2) is 2 log v; beyond `most` no Hessian is a normal number */
    const V large = vsplat((REAL)(FL_BITS == 64 ? 0x1p40 : 0x1p30));
    const V most = vsplat((REAL)(FL_BITS == 64 ? 0x1p510 : 0x1p63));
    V size_lo, more, v_lo, z_lo, s_lo, L_lo, w_lo, x_lo, j, k, n;
    (void)t;
    const V r = FN(fl_scaled_residual)(y, f, &size_lo, &more), size = vabs(r);
    const V unit = vselect(more > zero, vsplat((REAL)0x1p60), one), whole = size * unit;
    /* z = v^2 */
    const V v = FN(fl_product)(size, vsplat(p[0]), &v_lo);
    v_lo = FN(fl_opaque)(v_lo + (size_lo * p[0] + size * p[FL_BITS == 64 ? 1 : 2]));
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
    if (FL_BITS == 32)
        w_lo = w_lo + L * p[5];
    const V less = vkeep(power_law, L);
    const V x = FN(fl_two_sum)(w, -less, &x_lo);
    const V e = FN(fl_exp_parts)(x, x_lo + (w_lo - vkeep(power_law, L_lo)), &n);
    const V m = FN(fl_parts)(size, &k);
    const V slope = FN(fl_scale)(e * m * p[3], n + (k + more));
    /* a ratio below -2^60 stands beside a power that is 0 */
    const V bounded = vmin(most, v_whole), square_of = bounded * bounded;
    const V ratio = (one + square_of * p[7]) / (one + vkeep(power_law, square_of));
    const V curvature = FN(fl_scale)(e * vmax(vsplat((REAL)-0x1p60), ratio) * p[3], n);
    const V power = FN(fl_expm1_parts)(w, w_lo, &j);
    const V value = vselect(factor == zero, L, FN(fl_scale)(power * factor, j));
    const V x_half = (whole * p[3]) * (whole * R(0.5));
    const VI tiny = x_half < REAL_EPS / 8;
    const V last = vselect(half_alpha < zero, -factor, infinity);
    *loss = vselect(square | tiny, x_half, vselect(infinite, last, value));
    const V last_slope =
        vselect(half_alpha == R(0.5), vsplat(p[0]), vkeep(half_alpha > R(0.5), infinity));
    *gradient = vcopysign(vselect(infinite & power_law, last_slope, slope), r);
    const V last_curvature = vkeep(half_alpha > one, infinity);
    *hessian = vselect(infinite & power_law, last_curvature, curvature);
}
