/* Continuous ranked probability score of a normal distribution (Gneiting et al. 2005), f = (mean, log scale s),
 * r = mean - y, a = |r| / e^s, phi the standard normal density:
 *     loss = |r| erf(a / sqrt 2) + e^s (2 phi(a) - 1 / sqrt pi)
 * gradient (sign(r) erf(a / sqrt 2), e^s (2 phi(a) - 1 / sqrt pi)), Hessian diagonal
 * (2 e^-s phi(a), e^s (2 phi(a) (1 + a^2) - 1 / sqrt pi)). For a <= 1 the error function is its series, and
 * 2 phi(a) - 1 / sqrt pi everywhere the difference from its value at 0, so that neither cancels. phi(a) magnifies
 * the error of a by a^2, so that the Hessian of the mean has its exponent -a^2 / 2 - s in a pair, or in float64.
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

/* 2^-places e^s, and its inverse by the odd terms of the same series with the other sign. Worst error as of vexp. */
FL_INLINE V FN(fl_crps_scale)(V s, V places, V *inverse)
{
    /* (e^r - 1 - r) / r^2 for |r| <= ln2/2, by even and odd powers */
#if FL_BITS == 64
    static const double even[] = {0.50000000000000056, 0.04166666666657394, 0.0013888888932248864,
                                  2.4801504607998885e-05, 2.7626263424491411e-07};
    static const double odd[] = {0.16666666666666605, 0.0083333333333797596, 0.00019841269739981744,
                                 2.7557389023394336e-06, 2.5059572561504407e-08};
#else
    static const float even[] = {0.49999997f, 0.041667521f, 0.00138627738f};
    static const float odd[] = {0.16666542f, 0.00836667791f};
#endif
    /* beyond, one is 0 and the other infinite; NaN stays */
    const V most = vsplat((REAL)(FL_BITS == 64 ? 1500 : 190));
    const V bounded = vmin(most, vmax(vsplat((REAL)(FL_BITS == 64 ? -1400 : -170)), s));
    const V shift = vround_shift() + (REAL)(2 * EXPONENT_BIAS);
    const V shifted = bounded * LOG2_E + shift, n = shifted - shift;
    const V r = (bounded - n * LN2_HI) - n * LN2_LO, r2 = FN(fl_opaque)(r * r), r4 = r2 * r2;
    const V e = FN(fl_opaque)(r2 * FN(fl_polynomial)(r2, r4, even, sizeof even / sizeof *even));
    const V o = FN(fl_polynomial)(r2, r4, odd, sizeof odd / sizeof *odd), r3 = r * r2;
    const V moved = shifted - places, m = moved - shift;
    const VU i = FN(fl_ubits)(moved);
    const V fall = R(1.0) + ((e - r3 * o) - r);
    *inverse = FN(fl_scale_by)(fall, -m, (UINT)(4 * EXPONENT_BIAS) - i);
    return FN(fl_scale_by)(R(1.0) + (r + (e + r3 * o)), m, i);
}

/* erf(a / sqrt 2) for 0 <= a <= 40 and bell = e^(-a^2 / 2): for a <= 1 its series, then what bell times a polynomial
 * in (a - 5/2) / (a + 5/2) lacks of 1. The error of the polynomial counts bell times. */
FL_INLINE V FN(fl_crps_erf)(V a, V a2, V bell)
{
#if FL_BITS == 64
    /* sqrt(2 / pi) (-1/2)^k / (k! (2 k + 1)) */
    static const double c[] = {
        0.79788456080286536,     -0.13298076013381089,    0.019947114020071634,
        -0.0023746564309609088,  0.00023086937523231058,  -1.8889312519007229e-5,
        1.3319387032633303e-6,   -8.2453348297253778e-8,  4.5470596487456127e-9,
        -2.2602343283238426e-10, 1.0224869580512621e-11,  -4.2435229484340918e-13,
        1.6266837968997352e-14,  -5.7930334647426467e-16, 1.9262549698035894e-17};
    static const double tail[] = {
        0.2826626627611505,     -0.45613951949994036,   0.22627176813995126,
        -0.04909924155435857,   -0.010251680029390437,  0.005906006006438245,
        0.0016652683245927632,  -0.0007115736562561445, -0.00043336398437466005,
        2.4522537977949515e-05, 9.724417498016228e-05,  3.0070437379946922e-05,
        -7.32406497595467e-06,  -5.965324408631175e-06};
#else
    static const float c[] = {0.797884561f,    -0.13298076f,    0.019947114f,  -0.00237465643f,
                              0.000230869375f, -1.88893125e-5f, 1.3319387e-6f, -8.24533483e-8f};
    static const float tail[] = {0.28266272f,   -0.45613775f,  0.2262719f,
                                 -0.049263578f, -0.011303296f, 0.003490694f};
#endif
    const V q = (a - R(2.5)) / (a + R(2.5));
    const V far = bell * FN(fl_polynomial)(q, q * q, tail, sizeof tail / sizeof *tail);
    const V series = a * FN(fl_polynomial)(a2, a2 * a2, c, sizeof c / sizeof *c);
    return vselect(a <= R(1.0), series, R(1.0) - far);
}

/* In units of 2^places: unit * unit = 2^-places, back * back = 2^places. */
FL_INLINE V FN(fl_crps_in_units)(const FN(FlRowTile) * t, int wants, V places, V unit, V back)
{
    const V one = vsplat(R(1.0)), zero = vsplat(R(0.0));
    const V root = vsplat(R(0.79788456080286535588)); /* 2 phi(0), and twice that */
#if FL_BITS == 64
    const REAL twice = 1.5957691216057308, twice_low = -9.96930880911092e-17;
#else
    const REAL twice = 1.59576917f, twice_low = -4.53406805e-08f;
#endif
    const V least = vsplat(R(0.23369497725510906893)); /* that less */
    const V half = vsplat(R(0.56418958354775628695)); /* 1 / sqrt pi */
    const V r = vload(t->f) * unit * unit - t->value * unit * unit, s = vload(t->f + LANES),
            size = vabs(r);
    V inverse;
    const V scale = FN(fl_crps_scale)(s, places, &inverse);
    const V ratio = vselect(size == R(0.0), size, FN(fl_opaque)(size * inverse));
    /* beyond, the tail is 0; NaN stays */
    const V a = vmin(vsplat((REAL)(FL_BITS == 64 ? 40 : 16)), ratio), a2 = FN(fl_opaque)(a * a);
    /* e^(-a^2 / 2) - 1, halved: 2 phi(a) to an ULP of 1 */
    const V fall = FN(fl_half_expm1)(vmax(vsplat(R(-60.0)), R(-0.5) * a2));
    const V error = FN(fl_crps_erf)(a, a2, one + (fall + fall));
    const V rest = (least + twice_low * fall) + twice * fall;
    if (wants & FL_WANT_GRADIENT) {
        vstore(t->gradient, vcopysign(error, r));
        vstore(t->gradient + LANES, scale * rest * back * back);
    }
    if (wants & FL_WANT_HESSIAN) {
        const V density = FN(fl_opaque)(root * FN(fl_normal_bell)(a));
        const V exact = vselect(a <= one, rest, density - half);
        V first = FN(fl_crps_bend)(t->value, vload(t->f), s);
        V second = scale * (exact + FN(fl_opaque)(a2 * density)) * back * back;
        if (FL_UNLIKELY(t->p[0] > R(0.0))) { /* vmax: NaN stays */
            V n, k;
            const V up = FN(fl_exp_parts)(s, zero, &n), down = FN(fl_exp_parts)(-s, zero, &k);
            first = vmax(FN(fl_scale)(down * half, k), first);
            second = vmax(FN(fl_scale)(up * (R(0.5) * half), n), second);
        }
        vstore(t->hessian, first);
        vstore(t->hessian + LANES, second);
    }
    return (FN(fl_opaque)(size * error) + FN(fl_opaque)(scale * rest)) * back * back;
}

FL_INLINE V FN(gaussian_crps)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), s = vload(t->f + LANES);
    const V high = vsplat((REAL)(FL_BITS == 64 ? 690 : 70));
    /* where e^s may overflow, and f - y beside it, before what is made of them; elsewhere an infinite
     * f - y is as good as the true one */
    if (FL_UNLIKELY(vany_less(high, s))) {
#if FL_BITS == 64
        const VI far = high < s, further = vsplat(745.0) < s;
        const V places = vselect(further, vsplat(1030.0), vkeep(far, vsplat(60.0)));
        const V unit = vselect(further, vsplat(0x1p-515), vselect(far, vsplat(0x1p-30), one));
#else
        const VI far = high < s, further = vsplat(104.0f) < s;
        const V places = vselect(further, vsplat(130.0f), vkeep(far, vsplat(60.0f)));
        const V unit = vselect(further, vsplat(0x1p-65f), vselect(far, vsplat(0x1p-30f), one));
#endif
        return FN(fl_crps_in_units)(t, wants, places, unit, one / unit);
    }
    return FN(fl_crps_in_units)(t, wants, zero, one, one);
}
