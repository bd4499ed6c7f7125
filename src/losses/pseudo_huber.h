/* Pseudo-Huber loss, Charbonnier et al. (1997): delta^2 (s - 1) with s = sqrt(1 + q^2), q = r / delta, r
 * = f - y. gradient r / s, Hessian 1 / s^3. s - 1 = q^2 / (1 + s) does not cancel; q^2, s and 1 / s are pairs of
 * numbers, for their errors would count threefold in s^3. Where q^2 overflows s is |q|. Worst error 3 ULP.
 * Parameters: p[0] + p[1] = 1 / delta, p[0] of at most 24 bits; p[2] = delta.
 */
FL_INLINE void FN(pseudo_huber)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    V r_lo, q_lo, w_lo, error, v_lo;
    VI far;
    /* r_lo is NaN where r is infinite, which is far */
    const V r = FN(fl_two_sum)(f, -y, &r_lo), q = FN(fl_scaled_pair)(r, r_lo, p, &q_lo, &far);
    const V w = FN(fl_one_plus_square)(q, q_lo, &w_lo), s = vsqrt(w);
    const V inverse = R(1.0) / s, square = FN(fl_product)(s, s, &error);
    const V s_lo = (((w - square) - error) + w_lo) * (R(0.5) * inverse);
    const V v = FN(fl_inverse_pair)(s, s_lo, &v_lo), v2 = v * v + (v + v) * v_lo;
    const V slope = r / (R(1.0) + s);
    /* not -inf, where the loss is beyond all numbers */
    const V lost = vmax(vsplat(-REAL_MAX), (r_lo + r_lo) * slope);
    (void)t;
    *loss = vselect(far, vabs(r) * p[2], r * slope + lost);
    *gradient = vselect(far, vcopysign(vsplat(p[2]), r), FN(fl_pair_product)(r, r_lo, v, v_lo));
    *hessian = v2 * v + v2 * v_lo;
}
