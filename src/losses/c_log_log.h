/* Bernoulli log-likelihood under the complementary log-log link, P(y = 1) = 1 - e^-E with E = e^f,
 * labels y in {0, 1}: -cost_fn log(1 - e^-E) for y = 1, cost_fp E for y = 0.
 *
 * For y = 1 with h = E / (e^E - 1): gradient -h, Hessian h (E + h - 1). Below f = 0, where these
 * cancel, E + h - 1 and log(E / (1 - e^-E)) are E/2 and a series in E^2; from f = 0 on e^-E takes E in
 * a pair, since the absolute error of E counts. Worst error 4 ULP, of the Hessian 5.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp.
 */
#if FL_BITS == 64
#include "vecmath/single.h"

FL_INLINE void FN(c_log_log)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    static const double log_series[] = {0.041666666666666664,   -0.0003472222222219878,
                                        5.511463841041519e-06,  -1.0333992450315766e-07,
                                        2.0876108983915732e-09, -4.393916469151035e-11,
                                        8.851627502255624e-13};
    static const double excess_series[] = {0.08333333333333333,    -0.0013888888888888586,
                                           3.3068783068145235e-05, -8.267195716069155e-07,
                                           2.087673683638037e-08,  -5.283757898636377e-10,
                                           1.3330961991201414e-11, -3.0659722541194154e-13};
    const V one = vsplat(R(1.0)), half = vsplat(R(0.5));
    const VI positive = y > R(0.0), small = f < R(0.0);
    const V cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V most = vsplat(599.0);
    V e_low;
    V e = FN(fl_exp_nonpositive_twofold)(vmin(most, f), &e_low);
    if (FL_UNLIKELY(vany(f > most)))
        e = vselect(f > most, vexp(f), e);
    const V bounded = vmin(vsplat(800.0), e), square = bounded * bounded, fourth = square * square;
    /* e^-E, and that over 1 - e^-E, which is h / E; both larger until the last product */
    const V tail = FN(fl_exp_headroom_of_sum)(-bounded, vkeep(f < R(7.0), -e_low));
    const V odds = vkeep((e > -EXP_LOWEST) == 0, tail / (one - tail * EXP_BACK));
    const V log_part =
        FN(fl_polynomial)(square, fourth, log_series, sizeof log_series / sizeof *log_series);
    const V excess_part = FN(fl_polynomial)(square, fourth, excess_series,
                                            sizeof excess_series / sizeof *excess_series);
    const V half_e = half * e, excess_square = FN(fl_opaque)(square * excess_part);
    const V h_large = (bounded * odds) * EXP_BACK;
    const V h = vselect(small, one - (half_e - excess_square), h_large);
    const V excess = vselect(small, half_e + excess_square, (bounded - one) + h_large);
    const V value = vselect(small, (half_e - square * log_part) - f, vlog1p_unit(odds * EXP_BACK));
    (void)t;
    *loss = cost * vselect(positive, value, e);
    *gradient = cost * vselect(positive, -h, e);
    *hessian = cost * vselect(positive, h * excess, e);
}

/* Here E is small below 1/8, for float64 has bits to lose. */
FL_INLINE void FN(c_log_log_of_float)(V y, V f, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V one = vsplat(1.0);
    const VI positive = y > 0.0;
    const V cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V e = FN(fl_single_exp)(f), square = FN(fl_opaque)(e * e);
    const VI small = e < 0.125;
    const V tail = FN(fl_single_exp)(-e);
    /* h / E, and E + h - 1 */
    const V h_part = FN(fl_opaque)(tail / (one - tail));
    const V excess_part =
        FN(fl_opaque)(square * (1.0 / 12 + square * (-1.0 / 720 + square * (1.0 / 30240))));
    /* no further than where the tail is as good as 0 */
    const V bounded = vmin(vsplat(1e30), e);
    const V half_e = 0.5 * e, h_large = FN(fl_opaque)(bounded * h_part);
    const V h = vselect(small, one - (half_e - excess_part), h_large);
    const V excess = vselect(small, half_e + excess_part, (bounded - one) + h_large);
    /* log E - log(1 - e^-E) = E/2 less a series; and -log(1 - e^-E) */
    const V series = square * (1.0 / 24 - square * (1.0 / 2880));
    const V large = FN(fl_single_log1p)(vselect(small, one, h_part));
    const V value = vselect(small, (half_e - series) - f, large);
    *loss = cost * vselect(positive, value, e);
    *gradient = cost * vselect(positive, -h, e);
    *hessian = cost * vselect(positive, h * excess, e);
}
#else
FL_FROM_WIDE(c_log_log, c_log_log_of_float)
#endif
