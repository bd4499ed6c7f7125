/* Welsch (Leclerc) loss: (c^2 / 2) (1 - e^{-q^2}) with q = r / c, r = f - y. gradient r e^{-q^2}, Hessian
 * (1 - 2 q^2) e^{-q^2}, negative beyond c / sqrt(2), or e^{-q^2}, the weight of iteratively reweighted least
 * squares. The relative error of a power is the absolute error of its exponent: q^2 is a pair of numbers.
 * 1 - e^{-q^2} is a polynomial for q^2 below log 2, where the difference would cancel. Worst error 3 ULP.
 * Parameters: p[0] + p[1] = 1 / c, p[0] of at most 24 bits; p[2] + p[3] = c^2 / 2 likewise; p[4] = -2, or 0 for
 * the weight as Hessian.
 */
FL_INLINE void FN(welsch)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
#if FL_BITS == 64
    /* (1 - e^-h - h) / h^2 for 0 <= h <= ln2 */
    static const double c[] = {-0.5,
                               0.16666666666666655,
                               -0.04166666666665508,
                               0.008333333333000242,
                               -0.0013888888844605057,
                               0.00019841266581034143,
                               -2.480144198280302e-05,
                               2.755322832239396e-06,
                               -2.748391879969526e-07,
                               2.423312618546824e-08,
                               -1.5609983166498998e-09};
#else
    static const float c[] = {-0.5f,        0.16666661f,    -0.041665144f,
                              0.008322469f, -0.0013562132f, 0.0001536307f};
#endif
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    /* below it 1 - e^{-q^2} is q^2, which may underflow where r^2 does not */
    const V tiny = vsplat((REAL)(FL_BITS == 64 ? 0x1p-28 : 0x1p-13));
    V r_lo, q_lo, h_lo;
    VI far;
    /* r_lo is NaN where r is infinite, which is far */
    const V r = FN(fl_two_sum)(f, -y, &r_lo), q = FN(fl_scaled_pair)(r, r_lo, p, &q_lo, &far);
    const V h = FN(fl_square_pair)(q, q_lo, &h_lo);
    const VI gone = h > -EXP_LOWEST;
    const V most = vexp_headroom(-h), power = most - most * h_lo;
    const V h2 = h * h, rest = vkeep(gone == 0, power) * EXP_BACK;
    const V series = h + (h2 * FN(fl_polynomial)(h, h2, c, sizeof c / sizeof *c) + h_lo * rest);
    const V part = vselect(h < LN2_HI + LN2_LO, series, one - rest);
    (void)t;
    *loss = vselect(vabs(q) < tiny, (R(0.5) * r) * r, FN(fl_times_sum)(part, p + 2));
    *gradient = vselect(gone, zero, (r * power) * EXP_BACK);
    *hessian = vselect(gone, zero, (FN(fl_one_plus_multiple)(h, h_lo, p[4]) * power) * EXP_BACK);
}
