/* Bernoulli log-likelihood under the complementary log-log link, P(y = 1) = 1 - e^-E with E = e^f,
 * labels y in {0, 1}: -cost_fn log(1 - e^-E) for y = 1, cost_fp E for y = 0.
 *
 * For y = 1 with h = E / (e^E - 1): gradient -h, Hessian h (E + h - 1). Below f = 0, where these
 * cancel, E + h - 1 and log(E / (1 - e^-E)) are E/2 and a series in E^2; from f = 0 on e^-E takes E in
 * a pair, since the absolute error of E counts. Worst error 4 ULP, of the Hessian 6.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp.
 */
/* E and what it was rounded by, and e^-E, larger by 1 / EXP_BACK */
typedef struct {
    V e, low, tail;
} FN(c_log_log_kept);

FL_INLINE FN(c_log_log_kept) FN(c_log_log_first)(V y, V f, const REAL *p)
{
    const V most = vsplat((REAL)(FL_BITS == 64 ? 599 : 59));
    FN(c_log_log_kept) k;
    (void)y, (void)p;
    k.e = FN(fl_opaque)(FN(fl_exp_nonpositive_twofold)(vmin(most, f), &k.low));
    k.low = FN(fl_opaque)(vkeep(f < R(7.0), k.low));
    if (FL_UNLIKELY(vany(f > most)))
        k.e = vselect(f > most, vexp(f), k.e);
    const V bounded = vmin(vsplat(R(800.0)), k.e);
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
    if (FL_UNLIKELY(vany(beyond))) {
        const V root = vexp(half * f);
        negative = vselect(beyond, (cost * root) * root, negative);
    }
    *loss = vselect(positive, cost * value, negative);
    *gradient = vselect(positive, cost * -h, negative);
    *hessian = vselect(positive, cost * (h * excess), negative);
}

FL_OF_STAGES(c_log_log)
#define FL_KEPT FN(c_log_log_kept)
