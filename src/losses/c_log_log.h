/* Bernoulli log-likelihood under the complementary log-log link, P(y = 1) = 1 - e^-E with E = e^f,
 * labels y in {0, 1}: -cost_fn log(1 - e^-E) for y = 1, cost_fp E for y = 0.
 *
 * For y = 1 with h = E / (e^E - 1): gradient -h, Hessian h (E + h - 1). Below f = 0, where these
 * cancel, E + h - 1 and log(E / (1 - e^-E)) are E/2 and a series in E^2; from f = 0 on e^-E takes E in
 * a pair, since the absolute error of E counts. Worst error 4 ULP, of the Hessian 6, with costs 5 and 7.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp.
 */
/* e^x for x < 600 (60 in float32) in a pair: 1 + r + r^2/2, and in float64 r^3/6, without error, and the rest of
 * the series. To a relative 2^-62 (2^-31 in float32), as much as counts where E is large. */
FL_INLINE V FN(c_log_log_exp)(V x, V *low)
{
#if FL_LOOKUP
    return FN(fl_exp_nonpositive_twofold)(x, low);
#else
    const V one = vsplat(R(1.0)), bounded = vmax(vsplat(EXP_LOWEST), x); /* NaN stays */
    const V shift = vround_shift() + (REAL)(EXPONENT_BIAS + EXP_HEADROOM);
    const V shifted = bounded * LOG2_E + shift, n = shifted - shift;
    const V r_high = bounded - n * LN2_HI, less = FN(fl_opaque)(n * LN2_LO), r = r_high - less;
    const V r_low = (r_high - r) - less;
    V square_low;
    const V square = FN(fl_product)(r, r, &square_low), half = R(0.5) * square;
    const V sum1 = one + r, lost1 = (one - sum1) + r;
    const V sum2 = sum1 + half, lost2 = (sum1 - sum2) + half;
    const V small = r_low * sum2 + R(0.5) * square_low;
#if FL_BITS == 64
    /* (e^r - 1 - r - r^2/2 - r^3/6) / r^4 */
    static const double c[] = {
        0.041666666666666685,   0.008333333333327158,   0.0013888888888871423,
        0.00019841269875413663, 2.480158735408742e-05,  2.7557252939257603e-06,
        2.755724696624736e-07,  2.5106479581787045e-08, 2.092341026537985e-09};
    const V sixth = vsplat(0x1.5555555555555p-3), sixth_low = vsplat(0x1.5555555555555p-57);
    const V fourth = FN(fl_opaque)(square * square);
    V cube_low, part_low;
    const V cube = FN(fl_product)(square, r, &cube_low);
    const V part = FN(fl_product)(cube, sixth, &part_low);
    const V sum = sum2 + part, lost3 = (sum2 - sum) + part;
    const V rest = fourth * FN(fl_polynomial)(r, square, c, sizeof c / sizeof *c) +
                   ((part_low + cube * sixth_low) + (cube_low + square_low * r) * sixth);
    const V lost = (lost1 + lost2) + (lost3 + (small + rest));
#else
    /* (e^r - 1 - r - r^2/2) / r^3 */
    static const float c[] = {0.166666672f, 0.0416664593f, 0.00833327509f, 0.00139354041f,
                              0.000199131959f};
    const V sum = sum2, cube = FN(fl_opaque)(square * r);
    const V rest = cube * FN(fl_polynomial)(r, square, c, sizeof c / sizeof *c);
    const V lost = (lost1 + lost2) + (small + rest);
#endif
    const V high = sum + lost;
    const V scale = FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS);
    *low = ((sum - high) + lost) * scale * EXP_BACK;
    return high * scale * EXP_BACK;
#endif
}

/* E and what it was rounded by, and then e^-E, larger by 1 / EXP_BACK */
typedef struct {
    V e, low, tail;
} FN(c_log_log_kept);

FL_INLINE FN(c_log_log_kept) FN(c_log_log_first)(V y, V f, const REAL *p)
{
    const V most = vsplat((REAL)(FL_BITS == 64 ? 599 : 59));
    FN(c_log_log_kept) k;
    (void)y, (void)p;
    k.e = FN(fl_opaque)(FN(c_log_log_exp)(vmin(most, f), &k.low));
    k.low = FN(fl_opaque)(vkeep(f < R(7.0), k.low));
    if (FL_UNLIKELY(vany_less(most, f)))
        k.e = vselect(f > most, vexp(f), k.e);
    k.tail = k.e;
    return k;
}

FL_INLINE FN(c_log_log_kept) FN(c_log_log_second)(FN(c_log_log_kept) k, const REAL *p)
{
    const V bounded = vmin(vsplat(R(800.0)), k.e);
    (void)p;
    k.tail = FN(fl_opaque)(FN(fl_exp_headroom_of_sum)(-bounded, -k.low));
    return k;
}

FL_INLINE void FN(c_log_log_rest)(V y, V f, FN(c_log_log_kept) k, const REAL *p, V *loss,
                                  V *gradient, V *hessian)
{
#if FL_BITS == 64
    static const double log_series[] = {0.041666666666666664,   -0.0003472222222219878,
                                        5.511463841041519e-06,  -1.0333992450315766e-07,
                                        2.0876108983915732e-09, -4.393916469151035e-11,
                                        8.851627502255624e-13};
    static const double excess_series[] = {0.08333333333333333,    -0.0013888888888888586,
                                           3.3068783068145235e-05, -8.267195716069155e-07,
                                           2.087673683638037e-08,  -5.283757898636377e-10,
                                           1.3330961991201414e-11, -3.0659722541194154e-13};
#else
    static const float log_series[] = {0.0416666642f, -0.000347165740f, 5.35990284e-06f};
    static const float excess_series[] = {0.0833333358f, -0.00138887856f, 3.30478215e-05f,
                                          -8.117004e-07f, 1.63568714e-08f};
#endif
    const V one = vsplat(R(1.0)), half = vsplat(R(0.5));
    const VI positive = y > R(0.0), small = f < R(0.0);
    const V cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V e = k.e, tail = k.tail;
    const V bounded = vmin(vsplat(800.0), e), square = bounded * bounded, fourth = square * square;
    /* h / E, larger until the last product */
    const V odds = vkeep((e > -EXP_LOWEST) == 0, tail / (one - tail * EXP_BACK));
    const V log_part =
        FN(fl_polynomial)(square, fourth, log_series, sizeof log_series / sizeof *log_series);
    const V excess_part = FN(fl_polynomial)(square, fourth, excess_series,
                                            sizeof excess_series / sizeof *excess_series);
    const V half_e = half * e, excess_square = FN(fl_opaque)(square * excess_part);
    const V h_large = (bounded * odds + k.low * odds) * EXP_BACK;
    /* float32's series reach further: to E = 1.25, and to 2, before the other forms lose less */
    const VI near = f < (REAL)(FL_BITS == 64 ? 0.0 : 0.22);
    const VI early = f < (REAL)(FL_BITS == 64 ? 0.0 : 0.69);
    const V h = vselect(near, one - (half_e - excess_square), h_large);
    const V excess = vselect(early, half_e + excess_square, (bounded - one) + (h_large + k.low));
    const V value = vselect(small, (half_e - square * log_part) - f, vlog1p_unit(odds * EXP_BACK));
    V negative = cost * e;
    /* a cost below 1 may bring back what e^f goes beyond */
    const VI beyond = (e > REAL_MAX) & (f < (REAL)(FL_BITS == 64 ? 1500 : 200));
    if (FL_UNLIKELY(vany_less(vsplat(REAL_MAX), e))) {
        const V root = vexp(half * f);
        negative = vselect(beyond, (cost * root) * root, negative);
    }
    *loss = vselect(positive, cost * value, negative);
    *gradient = vselect(positive, cost * -h, negative);
    *hessian = vselect(positive, cost * (h * excess), negative);
}

FL_OF_THREE_STAGES(c_log_log)
#define FL_KEPT FN(c_log_log_kept)
