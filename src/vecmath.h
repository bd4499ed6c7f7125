/* Elementary functions on vectors, branch-free, written once for both precisions.
 *
 * Included after real.h, once with FL_BITS 64 and once with 32; the instances are named fl_exp_f64,
 * fl_exp_f32 and so on and are spelled vexp, vlog, ... here and by users. Each element's result
 * depends on that element alone.
 *
 * The errors stated are in ULP of the result, the worst that was found: float32 over all 2^32 inputs
 * (pow: 10^8 random pairs), float64 over 10^8 and more random and special inputs, each against
 * results of at least 113 bits. "FMA" is for targets with a fused multiply-add, "no FMA" for plain
 * x86-64. NaN propagates, signed zeros and subnormal numbers are right, unless a function says
 * otherwise.
 *
 * Polynomials are minimax fits by the Remez exchange in 60-digit arithmetic, weighted so that the
 * error is relative to the function's result; the leading coefficients are rounded first and the
 * others fitted again around them. No tables: they pay on some targets only.
 *
 * Contraction is on, so a product may or may not be rounded before it is added. Error-free sums
 * below therefore only add products that are exact (by a power of two, or by a constant with enough
 * trailing zeros), and error-free products go through fl_product().
 */
#include <math.h>

#undef VU
#undef LN2_HI
#undef LN2_LO
#undef LOG2_E
#undef EXP_LOWEST
#undef EXP_HIGHEST

#if FL_VECTOR_BYTES
typedef UINT FN(fl_vu) __attribute__((vector_size(FL_VECTOR_BYTES), may_alias));
#else
typedef UINT FN(fl_vu);
#endif
#define VU FN(fl_vu)

#define vexp FN(fl_exp)
#define vexp_nonpositive FN(fl_exp_nonpositive)
#define vexp_reduce FN(fl_exp_reduce)
#define vexp_poly FN(fl_exp_poly)
#define vscale_pow2 FN(fl_scale_pow2)
#define vscale_pow2_nonpositive FN(fl_scale_pow2_nonpositive)
#define vexpm1 FN(fl_expm1)
#define vlog FN(fl_log)
#define vlog1p FN(fl_log1p)
#define vlog1p_unit FN(fl_log1p_unit)
#define vexpit FN(fl_expit)
#define vsoftplus FN(fl_softplus)
#define vtanh FN(fl_tanh)
#define vpow FN(fl_pow)
#define vsqrt FN(fl_sqrt)

/* ln 2 = LN2_HI + LN2_LO, where n LN2_HI is exact for every |n| < 2^13 (2^11 in float32); between
 * EXP_LOWEST and EXP_HIGHEST lie all x whose e^x is neither 0 nor infinite. */
#if FL_BITS == 64
#define LN2_HI 0x1.62e42fefa2p-1
#define LN2_LO 0x1.9ef35793c7673p-41
#define LOG2_E 1.4426950408889634
#define EXP_LOWEST (-746.0)
#define EXP_HIGHEST 709.782712893383973096
#else
#define LN2_HI 0x1.62ep-1f
#define LN2_LO 0x1.0bfbe8p-15f
#define LOG2_E 1.44269504f
#define EXP_LOWEST (-104.0f)
#define EXP_HIGHEST 88.7228391116729996054f
#endif

FL_INLINE VU FN(fl_ubits)(V x)
{
    return (VU)vbits(x);
}

FL_INLINE V FN(fl_from_ubits)(VU u)
{
    return vfrom_bits((VI)u);
}

/* c[0] + c[1] x + ... + c[n-1] x^(n-1) with x2 = x^2, in pairs: half the latency of Horner's rule.
 * n is a constant wherever this is called, the loop disappears. */
FL_INLINE V FN(fl_polynomial)(V x, V x2, const REAL *c, int n)
{
    int i = (n - 1) & ~1;
    V p = vsplat(c[i]);
    if (i + 1 < n)
        p = p + c[i + 1] * x;
    while ((i -= 2) >= 0)
        p = (c[i] + c[i + 1] * x) + p * x2;
    return p;
}

/* ---------------------------------------------------------------------------------------- exp -- */

/* (e^r - 1 - r) / r^2 for |r| <= ln2/2 */
FL_INLINE V FN(fl_exp_tail)(V r, V r2)
{
#if FL_BITS == 64
    static const double c[] = {0.50000000000000056,    0.16666666666666605,
                               0.04166666666657394,    0.0083333333333797596,
                               0.0013888888932248864,  0.00019841269739981744,
                               2.4801504607998885e-05, 2.7557389023394336e-06,
                               2.7626263424491411e-07, 2.5059572561504407e-08};
#else
    static const float c[] = {0.49999997f, 0.16666542f, 0.041667521f, 0.00836667791f,
                              0.00138627738f};
#endif
    return FN(fl_polynomial)(r, r2, c, sizeof c / sizeof *c);
}

/* r and n of x = n ln2 + r with n integral, |r| <= ln2/2 (1 + tiny); |x| <= 4500, 400 in float32. */
FL_INLINE V vexp_reduce(V x, V *n)
{
    const V shift = vround_shift();
    const V k = (x * LOG2_E + shift) - shift;
    *n = k;
    return (x - k * LN2_HI) - k * LN2_LO;
}

/* e^r for |r| <= ln2/2 (1 + tiny). Worst error as of vexp. */
FL_INLINE V vexp_poly(V r)
{
    const V r2 = r * r;
    return R(1.0) + (r + r2 * FN(fl_exp_tail)(r, r2));
}

/* x 2^n, where n + 2 EXPONENT_BIAS stands in the low bits of i and |n| < 2 EXPONENT_BIAS - 2: one
 * factor cannot hold such an n, its two halves can. The first product is exact, so that a subnormal
 * result is rounded once. */
FL_INLINE V FN(fl_scale_by_halves)(V x, VU i)
{
    const VU half = i >> 1;
    return x * FN(fl_from_ubits)(half << MANTISSA_BITS) *
           FN(fl_from_ubits)((i - half) << MANTISSA_BITS);
}

/* x 2^n for any integral n, correctly rounded: 0 or infinity beyond the range. x is 0, infinite, NaN,
 * or 2^-900 < |x| < 2^900 (float32: 2^-90, 2^90). */
FL_INLINE V vscale_pow2(V x, V n)
{
    const REAL most = (REAL)(2 * EXPONENT_BIAS - 6);
    n = vmin(vsplat(most), vmax(vsplat(-most), n));
    return FN(fl_scale_by_halves)(
        x, FN(fl_ubits)(n + (vround_shift() + (REAL)(2 * EXPONENT_BIAS))));
}

/* The exponent is kept this much too large until the last product, which alone may be subnormal. */
#undef HEADROOM
#undef POW2_MINUS_HEADROOM
#if FL_BITS == 64
#define HEADROOM 64
#define POW2_MINUS_HEADROOM 0x1p-64
#else
#define HEADROOM 32
#define POW2_MINUS_HEADROOM 0x1p-32f
#endif

/* The same for n <= 1 (float64: <= 900) and 2^-1 < |x| < 2^60 (2^30), 0 or NaN; underflows to 0. */
FL_INLINE V vscale_pow2_nonpositive(V x, V n)
{
    const REAL least = (REAL)(-EXPONENT_BIAS - HEADROOM + 2);
    const V shift = vround_shift() + (REAL)(EXPONENT_BIAS + HEADROOM);
    const VU i = FN(fl_ubits)(n + shift);
    const V scaled = x * FN(fl_from_ubits)(i << MANTISSA_BITS) * POW2_MINUS_HEADROOM;
    return vkeep((n < least) == 0, scaled);
}

/* e^x = 2^n e^r. */
FL_INLINE V vexp(V x)
{
    const V shift = vround_shift() + (REAL)(2 * EXPONENT_BIAS);
    const V shifted = x * LOG2_E + shift, n = shifted - shift;
    const V r = (x - n * LN2_HI) - n * LN2_LO;
    V y = FN(fl_scale_by_halves)(vexp_poly(r), FN(fl_ubits)(shifted));
    y = vselect(x > EXP_HIGHEST, vsplat((REAL)INFINITY), y);
    return vkeep((x < EXP_LOWEST) == 0, y);
}

/* e^x for x <= 0, cheaper than vexp: 2^n needs headroom at one end only. Worst error as of vexp. */
FL_INLINE V vexp_nonpositive(V x)
{
    const V shift = vround_shift() + (REAL)(EXPONENT_BIAS + HEADROOM);
    const V shifted = x * LOG2_E + shift, n = shifted - shift;
    const V r = (x - n * LN2_HI) - n * LN2_LO;
    const V scale = FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS);
    return vkeep((x < EXP_LOWEST) == 0, vexp_poly(r) * scale * POW2_MINUS_HEADROOM);
}

/* (e^x - 1) / 2 = (2^(n-1) - 1/2) + 2^(n-1) (e^r - 1) for x in about [-60, 710] ([-60, 89] in
 * float32). r keeps its rounding error and the two terms are added without one (Fast2Sum: the first
 * is 0 or the larger), for they nearly cancel where n = -1 or 1. Halved so that 2^1024 fits. */
FL_INLINE V FN(fl_half_expm1)(V x)
{
    const V shift = vround_shift() + (REAL)(EXPONENT_BIAS - 1);
    const V shifted = x * LOG2_E + shift, n = shifted - shift;
    const V scale = FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS);
    const V r_hi = x - n * LN2_HI, r = r_hi - n * LN2_LO, r_lo = (r_hi - r) - n * LN2_LO;
    const V r2 = r * r, tail = r2 * FN(fl_exp_tail)(r, r2) + r_lo;
    const V a = scale - R(0.5), b = scale * r, sum = a + b, lost = (a - sum) + b;
    return sum + (lost + scale * tail);
}

/* e^x - 1. */
FL_INLINE V vexpm1(V x)
{
    const V least = vsplat(R(-60.0)), most = vsplat((REAL)(FL_BITS == 64 ? 710 : 89));
    const V y = FN(fl_half_expm1)(vmin(most, vmax(least, x)));
    /* x itself where x^2/2 is below half an ULP: keeps the sign of 0 and the bits of subnormals */
    return vselect(vabs(x) < REAL_EPS / 4, x, y + y);
}

/* ---------------------------------------------------------------------------------------- log -- */

/* k ln2 + log(1 + f) for f in [sqrt(1/2) - 1, sqrt(2) - 1]: f - f^2/2 + f^3 q(f), the two large terms
 * added without error (Fast2Sum: k LN2_HI is 0 or the larger). */
FL_INLINE V FN(fl_log_sum)(V k, V f)
{
#if FL_BITS == 64
    static const double c[] = {
        0.3333333333333327,    -0.24999999999992539,  0.20000000000045204,   -0.16666666668941915,
        0.14285714280440606,   -0.12499999755343406,  0.11111111234688197,   -0.10000012934275701,
        0.090909181682934881,  -0.083329557835855231, 0.076916859277483929,  -0.071490704934007832,
        0.066824524434744695,  -0.061970572581898559, 0.056825964125406317,  -0.056934545256819243,
        0.064720093423034003,  -0.059050736079607653, 0.025703064452986021};
#else
    static const float c[] = {0.333333284f, -0.250007808f, 0.200011417f, -0.166244015f,
                              0.142069191f, -0.131581157f, 0.127174363f, -0.0757644176f};
#endif
    const V f2 = f * f, q = FN(fl_polynomial)(f, f2, c, sizeof c / sizeof *c);
    const V a = k * LN2_HI, sum = a + f, lost = (a - sum) + f;
    return sum + (lost + (k * LN2_LO + f2 * (f * q - R(0.5))));
}

/* u = 2^k m with m in [sqrt(1/2), sqrt(2)), for normal u > 0: returns m; *e = k + EXPONENT_BIAS as
 * an integer. */
FL_INLINE V FN(fl_log_split)(V u, VU *e)
{
    const UINT one = (UINT)EXPONENT_BIAS << MANTISSA_BITS;
    const UINT sqrt_half = FL_BITS == 64 ? (UINT)0x3fe6a09e667f3bcd : (UINT)0x3f3504f3;
    const VU i = FN(fl_ubits)(u) + (one - sqrt_half);
    *e = i >> MANTISSA_BITS;
    return FN(fl_from_ubits)((i & (((UINT)1 << MANTISSA_BITS) - 1)) + sqrt_half);
}

/* An integer of at most MANTISSA_BITS bits as a number, less `bias`. */
FL_INLINE V FN(fl_small_uint)(VU e, REAL bias)
{
    const UINT whole = (UINT)(EXPONENT_BIAS + MANTISSA_BITS) << MANTISSA_BITS;
    return FN(fl_from_ubits)(e | whole) - ((REAL)((UINT)1 << MANTISSA_BITS) + bias);
}

/* log x. */
FL_INLINE V vlog(V x)
{
    const V zero = vsplat(R(0.0)), infinity = vsplat((REAL)INFINITY);
    const REAL up = (REAL)((UINT)1 << MANTISSA_BITS);
    const VI subnormal = x < REAL_TINY;
    VU e;
    const V m = FN(fl_log_split)(vselect(subnormal, x * up, x), &e);
    const V k = FN(fl_small_uint)(e, (REAL)EXPONENT_BIAS) -
                vselect(subnormal, vsplat((REAL)MANTISSA_BITS), zero);
    const V y = vselect(x < infinity, FN(fl_log_sum)(k, m - R(1.0)), x);
    return vselect(x <= zero, vselect(x == zero, -infinity, vsplat((REAL)NAN)), y);
}

/* log(1 + x) = k ln2 + log(1 + f), where 1 + x = 2^k (1 + f): k is taken from the rounded 1 + x, but
 * f = 2^-k x + (2^-k - 1) from x itself, with one rounding and none where k = 0. */
FL_INLINE V vlog1p(V x)
{
    const V one = vsplat(R(1.0)), infinity = vsplat((REAL)INFINITY);
    VU e;
    (void)FN(fl_log_split)(one + x, &e);
    /* 2^-k through 2^(2-k), for 2^-1024 has no biased exponent */
    const V scale = R(0.25) * FN(fl_from_ubits)(((UINT)(2 * EXPONENT_BIAS + 2) - e)
                                                << MANTISSA_BITS);
    const V f = x * scale + (scale - one);
    const V k = FN(fl_small_uint)(e, (REAL)EXPONENT_BIAS);
    /* log1p keeps the sign of x, also of -0 */
    const V y = vselect(x < infinity, vcopysign(FN(fl_log_sum)(k, f), x), x);
    return vselect(x <= -one, vselect(x == -one, -infinity, vsplat((REAL)NAN)), y);
}

/* log(1 + t) for t in [0, 1]: t + t (t q(t - 1/2)). One polynomial, no division and no cases. */
FL_INLINE V vlog1p_unit(V t)
{
#if FL_BITS == 64
    static const double c[] = {
        -0.37813956756734246,    0.17922493693603728,     -0.093230366363672323,
        0.051083446105378356,    -0.028943183164046635,   0.016788742492653053,
        -0.0099099007854117054,  0.0059290115266122803,   -0.0035856642982293949,
        0.002187647916392442,    -0.0013445380727365593,  0.00083134315206726363,
        -0.00051648086846093667, 0.00032343661196924896,  -0.00020516224879282879,
        0.00012568622566142221,  -7.0355364118635999e-05, 5.1957579839767534e-05,
        -5.1905807661276378e-05, 2.6304278725330418e-05};
#else
    static const float c[] = {-0.378139555f,   0.179224879f,  -0.0932321325f,
                              0.0510897785f,   -0.0289012678f, 0.0166450106f,
                              -0.0101854f,     0.00697878748f, -0.00335308956f};
#endif
    const V u = t - R(0.5);
    const V q = FN(fl_polynomial)(u, u * u, c, sizeof c / sizeof *c);
    return t + t * (t * q); /* t^2 would be a slow subnormal for small t */
}

/* ------------------------------------------------------------------------- the logistic family -- */

/* 1 / (1 + e^-x) = t / (1 + t) with t = e^-|x|, or 1 / (1 + t) for x >= 0: relative accuracy in both
 * tails. */
FL_INLINE V vexpit(V x)
{
    const V one = vsplat(R(1.0)), t = vexp_nonpositive(-vabs(x));
    const V q = t / (one + t), a = vselect(x < R(0.0), t, one);
    return a - a * q;
}

/* log(1 + e^x) = max(x, 0) + log1p(e^-|x|). */
FL_INLINE V vsoftplus(V x)
{
    const V zero = vsplat(R(0.0));
    return vmax(x, zero) + vlog1p_unit(vexp_nonpositive(-vabs(x)));
}

/* h / (1 + h) with h = (e^(2|x|) - 1) / 2, and the sign of x. */
FL_INLINE V vtanh(V x)
{
    const V magnitude = vabs(x);
    const V most = vsplat((REAL)(FL_BITS == 64 ? 40 : 20));
    const V h = FN(fl_half_expm1)(vmin(most, magnitude + magnitude));
    V y = h / (R(1.0) + h);
    y = vselect(h < R(0.5), h - h * y, y);
    return vcopysign(y, x);
}

/* ---------------------------------------------------------------------------------- pow, sqrt -- */

/* x, with its origin hidden from the compiler: no product is fused through it */
FL_INLINE V FN(fl_opaque)(V x)
{
#if FL_VECTOR_BYTES && FL_HAS_FMA && (defined(__x86_64__) || defined(__i386__))
    __asm__("" : "+v"(x));
#elif FL_VECTOR_BYTES && FL_HAS_FMA && defined(__aarch64__)
    __asm__("" : "+w"(x));
#elif FL_HAS_FMA
    volatile V hidden = x;
    x = hidden;
#endif
    return x;
}

/* a b = p + *error: p is the rounded product */
FL_INLINE V FN(fl_product)(V a, V b, V *error)
{
    const V p = FN(fl_opaque)(a * b);
#if FL_HAS_FMA && FL_VECTOR_BYTES
    V e;
    for (ptrdiff_t i = 0; i < LANES; i++)
        e[i] = FL_BITS == 64 ? __builtin_fma(a[i], b[i], -p[i]) : __builtin_fmaf(a[i], b[i], -p[i]);
    *error = e;
#elif FL_HAS_FMA
    *error = FL_BITS == 64 ? (REAL)fma(a, b, -p) : (REAL)fmaf((float)a, (float)b, (float)-p);
#else
    /* Dekker (1971), the factors split by their bits */
    const UINT upper = ~(UINT)0 << (MANTISSA_BITS / 2 + 1);
    const V a_hi = FN(fl_from_ubits)(FN(fl_ubits)(a) & upper), a_lo = a - a_hi;
    const V b_hi = FN(fl_from_ubits)(FN(fl_ubits)(b) & upper), b_lo = b - b_hi;
    *error = (((a_hi * b_hi - p) + a_hi * b_lo) + a_lo * b_hi) + a_lo * b_lo;
#endif
    return p;
}

/* log x = returned + *low for x > 0, finite, to about 2^-65 (2^-34 in float32). With x = 2^k (1 + f)
 * and s = f / (2 + f): log x = k ln2 + 2 s + s z (2/3 + z P(z)), z = s^2, in pairs of numbers where
 * the error would matter. */
FL_INLINE V FN(fl_log_pair)(V x, V *low)
{
#if FL_BITS == 64
    static const double c[] = {0.39999999999999997, 0.28571428571433805, 0.22222222220050331,
                               0.18181818587352244, 0.1538457466494024,  0.1333568322029417,
                               0.11686802614425169, 0.11895687543558878};
    const V third_hi = vsplat(0x1.5555555555555p-1), third_lo = vsplat(0x1.5555555555555p-55);
#else
    static const float c[] = {0.400000006f, 0.285715044f, 0.22202754f, 0.191958562f};
    const V third_hi = vsplat(0x1.555556p-1f), third_lo = vsplat(-0x1.555556p-26f);
#endif
    const V zero = vsplat(R(0.0)), two = vsplat(R(2.0));
    const VI subnormal = x < REAL_TINY;
    VU e;
    const V m = FN(fl_log_split)(
        vselect(subnormal, x * (REAL)((UINT)1 << MANTISSA_BITS), x), &e);
    const V k = FN(fl_small_uint)(e, (REAL)EXPONENT_BIAS) -
                vselect(subnormal, vsplat((REAL)MANTISSA_BITS), zero);
    const V f = m - R(1.0);
    /* s */
    const V d = two + f, d_lo = f - (d - two), inverse = R(1.0) / d;
    const V s = FN(fl_opaque)(f * inverse);
    V sd_lo;
    const V sd = FN(fl_product)(s, d, &sd_lo);
    const V s_lo = (((f - sd) - sd_lo) - s * d_lo) * inverse;
    /* z (2/3 + z P(z)) */
    V z_lo, t_lo, u_lo;
    const V z = FN(fl_product)(s, s, &z_lo);
    z_lo = z_lo + (s + s) * s_lo;
    const V w = FN(fl_opaque)(z * FN(fl_polynomial)(z, z * z, c, sizeof c / sizeof *c));
    const V b = third_hi + w, b_lo = ((third_hi - b) + w) + third_lo;
    const V t = FN(fl_product)(z, b, &t_lo);
    t_lo = t_lo + (z * b_lo + z_lo * b);
    const V u = FN(fl_product)(s, t, &u_lo);
    u_lo = u_lo + (s * t_lo + s_lo * t);
    /* the sum, largest first; each Fast2Sum's first term is 0 or the larger */
    const V a = k * LN2_HI, s2 = s + s;
    const V sum1 = a + s2, lost1 = (a - sum1) + s2;
    const V sum2 = sum1 + u, lost2 = (sum1 - sum2) + u;
    const V rest = ((lost1 + lost2) + (u_lo + (s_lo + s_lo))) + k * LN2_LO;
    const V high = sum2 + rest;
    *low = (sum2 - high) + rest;
    return high;
}

/* x^y = e^(y log x), log x and its product with y in pairs of numbers. C99 Annex F for every special
 * case. */
FL_INLINE V vpow(V x, V y)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), infinity = vsplat((REAL)INFINITY);
    const V x_abs = vabs(x), y_abs = vabs(y);
    const REAL whole = (REAL)((UINT)1 << MANTISSA_BITS); /* from here on every number is integral */
    /* a larger y overflows or underflows for every x but 1 */
    const V y_most = vsplat((REAL)(FL_BITS == 64 ? 0x1p70 : 0x1p40));
    const V y_finite = vcopysign(vmin(y_most, y_abs), y);
    const V most = vsplat((REAL)(FL_BITS == 64 ? 800 : 150));
    V log_lo, p_lo;
    const V log_hi = FN(fl_log_pair)(x_abs, &log_lo);
    V p = FN(fl_product)(y_finite, log_hi, &p_lo);
    p_lo = vselect(vabs(p) > most, zero, p_lo + y_finite * log_lo);
    p = vmin(most, vmax(-most, p));
    /* e^(p + p_lo) */
    const V shift = vround_shift() + (REAL)(2 * EXPONENT_BIAS);
    const V shifted = p * LOG2_E + shift, n = shifted - shift;
    const V r_hi = p - n * LN2_HI, c = p_lo - n * LN2_LO, r = r_hi + c, r_lo = (r_hi - r) + c;
    const V r2 = r * r, tail = r2 * FN(fl_exp_tail)(r, r2) + r_lo;
    const V sum = one + r, lost = (one - sum) + r;
    V z = FN(fl_scale_by_halves)(sum + (lost + tail), FN(fl_ubits)(shifted));
    /* 0 and infinity to a power */
    const VI y_negative = y < zero;
    z = vselect(x_abs == zero, vselect(y_negative, infinity, zero), z);
    z = vselect(x_abs == infinity, vselect(y_negative, zero, infinity), z);
    /* negative x: the sign of an odd power; NaN for a fractional one. The half of y is integral
     * where y is even. */
    const V y_half = y_abs * R(0.5);
    const VI integral = (y_abs >= whole) | ((y_abs + whole) - whole == y_abs);
    const VI even = (y_half >= whole) | ((y_half + whole) - whole == y_half);
    const V odd_sign = vselect(even, one, vselect(integral, x, one));
    z = vcopysign(z, odd_sign);
    const V fractional = vselect(integral, one, x_abs - x_abs); /* NaN for infinite x: no matter */
    z = vselect((x < zero) & (fractional == zero), vsplat((REAL)NAN), z);
    /* NaN, unless the other number alone decides */
    z = vselect((x == x) & (y == y), z, x + y);
    return vselect((x == one) | (y == zero), one, z);
}

/* The square root, correctly rounded: the loop becomes the vector instruction. */
FL_INLINE V vsqrt(V x)
{
#if FL_VECTOR_BYTES
    V y;
    for (ptrdiff_t i = 0; i < LANES; i++)
        y[i] = FL_BITS == 64 ? __builtin_sqrt(x[i]) : __builtin_sqrtf(x[i]);
    return y;
#else
    return FL_BITS == 64 ? (REAL)sqrt(x) : (REAL)sqrtf((float)x);
#endif
}
