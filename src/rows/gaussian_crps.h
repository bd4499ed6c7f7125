/* Continuous ranked probability score of a normal distribution (Gneiting et al. 2005), f = (mean, log scale s),
 * r = mean - y, a = |r| / e^s, phi the standard normal density:
 *     loss = |r| erf(a / sqrt 2) + e^s (2 phi(a) - 1 / sqrt pi)
 * gradient (sign(r) erf(a / sqrt 2), e^s (2 phi(a) - 1 / sqrt pi)), Hessian diagonal
 * (2 e^-s phi(a), e^s (2 phi(a) (1 + a^2) - 1 / sqrt pi)). For a <= 1 the error function is its series, and
 * 2 phi(a) - 1 / sqrt pi the difference from its value at 0, so that neither cancels. phi(a) magnifies the
 * error of a by a^2, so that the Hessian of the mean has its exponent -a^2 / 2 - s in a pair, or in float64.
 * The bounded Hessian is at least (1 / (e^s sqrt pi), e^s / (2 sqrt pi)): the score is the integral of the square of the
 * distribution function less a step, this twice the integral of the squares of its slopes, as Gauss and Newton have
 * it, and the mean of the exact one under the distribution. Parameters: p[0] = 1 for the bounded Hessian.
 */
#include "vecmath/wide.h"

#define FL_ROW_FEW 2

#if FL_BITS == 64
/* 2 phi(r e^-s) e^-s. e^(-s / 2), to 2^-62 of it, is applied twice, for e^-s may overflow where this does not. */
FL_INLINE V FN(fl_crps_bend)(V y, V f, V s)
{
    const V most = vsplat(1400.0), far = vsplat(1e300), last = vsplat(100.0);
    V r_lo, half_lo, first_lo, a_lo, square_lo, x_lo;
    const V r = vresidual(y, f, &r_lo), size = vabs(r), size_lo = vflip(r_lo, r);
    const V bounded = vmin(most, vmax(-most, s)); /* NaN stays */
    const V half = FN(fl_exp_twofold)(R(-0.5) * bounded, &half_lo);
    V first = FN(fl_product)(size, half, &first_lo);
    first_lo = vkeep(first < far, first_lo + (size * half_lo + size_lo * half));
    first = vmin(far, first);
    V a = FN(fl_product)(first, half, &a_lo);
    a_lo = vkeep(a < last, a_lo + (first * half_lo + first_lo * half));
    a = vmin(last, a);
    const V square = FN(fl_product)(a, a, &square_lo);
    const V x = FN(fl_two_sum)(R(-0.5) * square, -bounded, &x_lo);
    const V low = x_lo - R(0.5) * (square_lo + (a + a) * a_lo);
    return R(0.79788456080286535588) * FN(fl_exp_of_sum)(x, low);
}

/* The same to the precision of float32 */
FL_INLINE V FN(fl_crps_bend_of_float)(V y, V f, V s)
{
    const V zero = vsplat(0.0), size = vabs(f - y), inverse = vexp(-s);
    const V ratio = vselect(size == zero, size, size * inverse); /* not 0 * inf */
    const V a = vmin(vsplat(1e150), ratio), bounded = vmax(vsplat(-1e250), s); /* NaN stays */
    return 0.79788456080286535588 * vexp(-0.5 * (a * a) - bounded);
}
#elif FL_VECTOR_BYTES
FL_INLINE V FN(fl_crps_bend)(V y, V f, V s)
{
    return vnarrow(fl_crps_bend_of_float_f64(vwiden_low(y), vwiden_low(f), vwiden_low(s)),
                   fl_crps_bend_of_float_f64(vwiden_high(y), vwiden_high(f), vwiden_high(s)));
}
#else
FL_INLINE V FN(fl_crps_bend)(V y, V f, V s)
{
    return (V)fl_crps_bend_of_float_f64(y, f, s);
}
#endif

FL_INLINE V FN(gaussian_crps)(const FN(FlRowTile) * t, int wants)
{
#if FL_BITS == 64
    /* sqrt(2 / pi) (-1/2)^k / (k! (2 k + 1)) */
    static const double c[] = {
        0.79788456080286536,     -0.13298076013381089,    0.019947114020071634,
        -0.0023746564309609088,  0.00023086937523231058,  -1.8889312519007229e-5,
        1.3319387032633303e-6,   -8.2453348297253778e-8,  4.5470596487456127e-9,
        -2.2602343283238426e-10, 1.0224869580512621e-11,  -4.2435229484340918e-13,
        1.6266837968997352e-14,  -5.7930334647426467e-16, 1.9262549698035894e-17};
#else
    static const float c[] = {0.797884561f,    -0.13298076f,    0.019947114f,  -0.00237465643f,
                              0.000230869375f, -1.88893125e-5f, 1.3319387e-6f, -8.24533483e-8f};
#endif
    const V one = vsplat(R(1.0)), zero = vsplat(R(0.0));
    const V root = vsplat(R(0.79788456080286535588)); /* 2 phi(0) */
    const V half = vsplat(R(0.56418958354775628695)); /* 1 / sqrt pi */
    const V least = vsplat(R(0.23369497725510906893)); /* their difference */
    const V r = vload(t->f) - t->value, s = vload(t->f + LANES), size = vabs(r);
    const V scale = vexp(s), inverse = vexp(-s);
    const V ratio = vselect(size == zero, size, FN(fl_opaque)(size * inverse));
    /* beyond, the tail is 0; NaN stays */
    const V a = vmin(vsplat((REAL)(FL_BITS == 64 ? 40 : 16)), ratio), a2 = FN(fl_opaque)(a * a);
    V low;
    const V excess = FN(fl_normal_excess)(a, &low), bell = FN(fl_normal_bell)(a);
    const V tail = bell / FN(fl_normal_scaled_hazard)(a, excess, low);
    const VI near = a <= one;
    const V series = a * FN(fl_polynomial)(a2, a2 * a2, c, sizeof c / sizeof *c);
    const V error = vselect(near, series, one - (tail + tail));
    const V density = FN(fl_opaque)(root * bell);
    const V rest = vselect(near, least + root * vexpm1(R(-0.5) * a2), density - half);
    if (wants & FL_WANT_GRADIENT) {
        vstore(t->gradient, vcopysign(error, r));
        vstore(t->gradient + LANES, scale * rest);
    }
    if (wants & FL_WANT_HESSIAN) {
        V first = FN(fl_crps_bend)(t->value, vload(t->f), s);
        V second = scale * (rest + FN(fl_opaque)(a2 * density));
        if (FL_UNLIKELY(t->p[0] > R(0.0))) { /* vmax: NaN stays */
            V n, k;
            const V up = FN(fl_exp_parts)(s, zero, &n), down = FN(fl_exp_parts)(-s, zero, &k);
            first = vmax(FN(fl_scale)(down * half, k), first);
            second = vmax(FN(fl_scale)(up * (R(0.5) * half), n), second);
        }
        vstore(t->hessian, first);
        vstore(t->hessian + LANES, second);
    }
    return FN(fl_opaque)(size * error) + FN(fl_opaque)(scale * rest);
}
