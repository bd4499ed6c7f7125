/* Tweedie loss of a power with log link, half the deviance without terms in y alone: with a = 2 - power
 * and b = 1 - power it is A / a - B / b, A = e^(a f), B = y e^(b f). gradient A - B, Hessian a A - b B, or
 * at least A, its mean where f is right: that is an upper bound, and never negative.
 * The exponents are products in pairs of numbers, for e^x magnifies their rounding errors. A and B stay
 * fractions of 2^top until they are subtracted: their difference is finite where they are not. Worst
 * error 3.5 ULP of the larger term.
 * Parameters: p[0] = a, p[1] = b; the rests of a: p[2] in float64, p[3] in float32, and of b: p[4], p[5];
 * p[6] = 1 / a, p[7] = 1 / b; p[8] = -infinity, or 1 for the bounded Hessian.
 */
FL_INLINE void FN(tweedie)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V least = vsplat((REAL)(1 - EXPONENT_BIAS)), most = vsplat(EXP_PARTS_MOST);
    V a_f_lo, b_f_lo, n, j, k;
    (void)t;
    const V a_f = FN(fl_product)(f, vsplat(p[0]), &a_f_lo),
            b_f = FN(fl_product)(f, vsplat(p[1]), &b_f_lo);
    a_f_lo = a_f_lo + f * p[FL_BITS == 64 ? 2 : 3];
    b_f_lo = b_f_lo + f * p[FL_BITS == 64 ? 4 : 5];
    const VI a_keeps = vabs(a_f) <= most, b_keeps = vabs(b_f) <= most;
    /* where both overflow only the sign of their difference matters, and their ratio is e^f */
    const VI a_over = (a_f > most) & (f > R(0.0)), b_over = (b_f > most) & (f < R(0.0));
    const V b_near = vselect(a_over, most - f, b_f), a_near = vselect(b_over, most + f, a_f);
    const V e_a = FN(fl_exp_parts)(a_near, vkeep(a_keeps, a_f_lo), &n);
    const V e_b = FN(fl_exp_parts)(b_near, vkeep(b_keeps, b_f_lo), &j);
    const V y_e_b = FN(fl_parts)(y, &k) * e_b;
    j = vselect(y == R(0.0), n, j + k);
    const V top = vmax(n, j);
    const V A = e_a * FN(fl_power_of_two)(vmax(least, n - top));
    const V B = FN(fl_opaque)(y_e_b * FN(fl_power_of_two)(vmax(least, j - top)));
    *loss = FN(fl_scale)(A * p[6] - FN(fl_opaque)(B * p[7]), top);
    *gradient = FN(fl_scale)(A - B, top);
    /* beside a large B the fraction that A is of 2^top may be too small a number */
    *hessian =
        vmax(FN(fl_scale)(e_a * p[8], n), FN(fl_scale)(A * p[0] - FN(fl_opaque)(B * p[1]), top));
}
