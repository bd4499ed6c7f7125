/* log and log1p, by 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)). */
#define vlog FN(fl_log)
#define vlog1p FN(fl_log1p)
#define vlog1p_unit FN(fl_log1p_unit)

/* log(1 + f) - f for f in [sqrt(1/2) - 1, sqrt(2) - 1]. float64: s = f / (2 + f), z = s^2, then
 * log(1 + f) = 2 s + s R(z) and 2 s = f - s f, so it is s (f^2/2 + R) - f^2/2, where s is multiplied
 * by something small. float32: f^2 (f q(f) - 1/2); a division would cost more than it saves. */
FL_INLINE V FN(fl_log_tail)(V f)
{
    const V f2 = f * f;
#if FL_BITS == 64
    static const double c[] = {0.66666666666666985, 0.39999999999616476, 0.28571428702608859,
                               0.22222202286276801, 0.18183385803468485, 0.15318326407426811,
                               0.14755544206002555};
    const V s = f / (f + R(2.0)), z = s * s;
    const V half_f2 = R(0.5) * f2;
    return s * (half_f2 + z * FN(fl_polynomial)(z, z * z, c, 7)) - half_f2;
#else
    static const float c[] = {0.333333284f, -0.250007808f, 0.200011417f, -0.166244015f,
                              0.142069191f, -0.131581157f, 0.127174363f, -0.0757644176f};
    return f2 * (f * FN(fl_polynomial)(f, f2, c, 8) - R(0.5));
#endif
}

/* k ln2 + log(1 + f) = returned + *tail for the same f, the two large terms added without error (Fast2Sum:
 * k LN2_HI is 0 or the larger). */
FL_INLINE V FN(fl_log_sum_parts)(V k, V f, V *tail)
{
    const V a = k * LN2_HI, sum = a + f, lost = (a - sum) + f;
    *tail = lost + (k * LN2_LO + FN(fl_log_tail)(f));
    return sum;
}

FL_INLINE V FN(fl_log_sum)(V k, V f)
{
    V tail;
    const V sum = FN(fl_log_sum_parts)(k, f, &tail);
    return sum + tail;
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

/* e - EXPONENT_BIAS as a number, for a small integer e >= 0 */
FL_INLINE V FN(fl_log_exponent)(VU e)
{
    const UINT whole = (UINT)(EXPONENT_BIAS + MANTISSA_BITS) << MANTISSA_BITS;
    return FN(fl_from_ubits)(e | whole) - ((REAL)((UINT)1 << MANTISSA_BITS) + (REAL)EXPONENT_BIAS);
}

/* 2^-k for such an e, through 2^(2-k), for 2^-1024 has no biased exponent */
FL_INLINE V FN(fl_log_scale)(VU e)
{
    return R(0.25) * FN(fl_from_ubits)(((UINT)(2 * EXPONENT_BIAS + 2) - e) << MANTISSA_BITS);
}

/* m and k for every finite x > 0, also subnormal, with k as a number. */
FL_INLINE V FN(fl_log_reduce)(V x, V *k)
{
    const VI subnormal = x < REAL_TINY;
    VU e;
    const V m = FN(fl_log_split)(vselect(subnormal, x * (REAL)((UINT)1 << MANTISSA_BITS), x), &e);
    *k = FN(fl_log_exponent)(e) - vkeep(subnormal, vsplat((REAL)MANTISSA_BITS));
    return m;
}

/* log x.
 * Worst error: float64 0.93 ULP at 0x1.69b7987b4bdb7p-1; float32 0.89 at 0x1.45806ap+0. Unfused:
 * 0.94 at 0x1.6a03b379b2e1bp-1; 0.96 at 0x1.69e61p-1. */
FL_INLINE V vlog(V x)
{
    const V zero = vsplat(R(0.0)), infinity = vsplat((REAL)INFINITY);
    V k;
    const V m = FN(fl_log_reduce)(x, &k);
    const V y = vselect(x < infinity, FN(fl_log_sum)(k, m - R(1.0)), x);
    return vselect(x <= zero, vselect(x == zero, -infinity, vsplat((REAL)NAN)), y);
}

/* log(1 + x) = k ln2 + log(1 + f), where 1 + x = 2^k (1 + f): k is taken from the rounded 1 + x,
 * but f = 2^-k x + (2^-k - 1) from x itself, with one rounding and none where k = 0.
 * Worst error: float64 1.37 ULP at 0x1.cfefb59f893f1p-2; float32 1.48 at 0x1.a83746p-2. Unfused:
 * 1.39 at 0x1.b0c5648fe4f81p-2; 1.54 at 0x1.bf7b02p-2. */
FL_INLINE V vlog1p(V x)
{
    const V one = vsplat(R(1.0)), infinity = vsplat((REAL)INFINITY);
    VU e;
    (void)FN(fl_log_split)(one + x, &e);
    const V scale = FN(fl_log_scale)(e);
    const V f = x * scale + (scale - one);
    const V k = FN(fl_log_exponent)(e);
    /* log1p keeps the sign of x, also of -0 */
    const V y = vselect(x < infinity, vcopysign(FN(fl_log_sum)(k, f), x), x);
    return vselect(x <= -one, vselect(x == -one, -infinity, vsplat((REAL)NAN)), y);
}

/* The same for finite x > -1, cheaper, is fl_log_sum() of this f and *k: two steps, which a caller may do apart. */
FL_INLINE V FN(fl_log1p_split)(V x, V *k)
{
    VU e;
    (void)FN(fl_log_split)(R(1.0) + x, &e);
    const V scale = FN(fl_from_ubits)(((UINT)(2 * EXPONENT_BIAS) - e) << MANTISSA_BITS);
    *k = FN(fl_log_exponent)(e);
    return x * scale + (scale - R(1.0));
}

#if FL_LOOKUP
/* x = 2^k m with 1 <= m < 2, for finite x > 0: k as a number; and m */
FL_INLINE V FN(fl_exponent)(V x)
{
    return (V)FL_MM(getexp)(x);
}

FL_INLINE V FN(fl_mantissa)(V x)
{
    return (V)FL_MM(getmant)(x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src);
}

/* For t in [0, 1], u and *log_part such that log(1 + t) = *log_part + log(1 + u), |u| <= 1/30: 1 + t = (1 +
 * u) / a_j, j = round(15 t), where each a_j is near 1/(1 + j/15), is such that a_j - 1 is exact, and is
 * chosen so that log a_j almost is a number of this type. *factor = a_j, which is 1 / (1 + t) within 3.4 %. */
FL_INLINE V FN(fl_log1p_unit_parts)(V t, V *log_part, V *factor)
{
#if FL_BITS == 64
    static const FL_ALIGNED double a[] = {
        0x1.0000000000000p+0, 0x1.e003600000000p-1, 0x1.c3c47e8000000p-1, 0x1.aaaa4f8000000p-1,
        0x1.94366c0000000p-1, 0x1.7ff86e0000000p-1, 0x1.6dacad0000000p-1, 0x1.5d1e5c8000000p-1,
        0x1.4de1e40000000p-1, 0x1.3ff50d8000000p-1, 0x1.333a610000000p-1, 0x1.275e430000000p-1,
        0x1.1c67788000000p-1, 0x1.1246840000000p-1, 0x1.08c8278000000p-1, 0x1.0000450000000p-1};
    /* clang-format off */
    static const FL_ALIGNED double minus_log_a[] = {
        0x0.0p+0,             0x1.083cbea70239ap-4, 0x1.00523a255dc6cp-3, 0x1.7566b6b811c16p-3,
        0x1.e41d20fc2173dp-3, 0x1.26aa51463f849p-2, 0x1.58a8aff6cb6c3p-2, 0x1.881a541d387fcp-2,
        0x1.b5cbf4243a64fp-2, 0x1.e16baa3bdbf49p-2, 0x1.057ef8cbdacaap-1, 0x1.19a6f40f8e007p-1,
        0x1.2d04ed839e3e0p-1, 0x1.3f960ecfbb438p-1, 0x1.519f47b158624p-1, 0x1.62e3a5efb637fp-1};
    /* clang-format on */
#else
    static const
        FL_ALIGNED float a[] = {0x1.000000p+0f, 0x1.e024b8p-1f, 0x1.c39b34p-1f, 0x1.aa3d56p-1f,
                                0x1.93b3eep-1f, 0x1.7f1d2cp-1f, 0x1.6db3eep-1f, 0x1.5d79a6p-1f,
                                0x1.4dd37cp-1f, 0x1.3efdd4p-1f, 0x1.321844p-1f, 0x1.26b8fep-1f,
                                0x1.1c3364p-1f, 0x1.1213a4p-1f, 0x1.09b716p-1f, 0x1.01329ap-1f};
    static const FL_ALIGNED float minus_log_a[] = {
        0x0.000000p+0f, 0x1.072042p-4f, 0x1.010d72p-3f, 0x1.77720ep-3f,
        0x1.e6b2b4p-3f, 0x1.28f3b4p-2f, 0x1.589460p-2f, 0x1.870eb6p-2f,
        0x1.b5f824p-2f, 0x1.e48416p-2f, 0x1.076358p-1f, 0x1.1ac5c0p-1f,
        0x1.2d62b8p-1f, 0x1.3ff510p-1f, 0x1.4fd214p-1f, 0x1.60806ap-1f};
#endif
    const VU j = FN(fl_ubits)(t * R(15.0) + vround_shift());
    *factor = FN(fl_lookup)(a, j);
    *log_part = FN(fl_lookup)(minus_log_a, j);
    return t * *factor + (*factor - R(1.0));
}

FL_INLINE V FN(fl_log1p_unit_split)(V t, V *log_part)
{
    V factor;
    return FN(fl_log1p_unit_parts)(t, log_part, &factor);
}
#endif

/* log(1 + t) for t in [0, 1], without a division: t + t (t q(t - 1/2)).
 * Worst error: float64 1.03 ULP at 0x1.fd006bb7a43a9p-1, with tables 1.04 at 0x1.286429b62aa3cp-5;
 * float32 1.02 at 0x1.f64b36p-1, with tables 1.02 at 0x1.2617dep-5. Unfused: 1.37 at
 * 0x1.ff1638f075d0dp-1; 1.36 at 0x1.f13014p-1. */
FL_INLINE V vlog1p_unit(V t)
{
#if FL_LOOKUP
#if FL_BITS == 64
    /* (log(1 + u) - u) / u^2 for |u| <= 1/30 */
    static const double c[] = {-0.49999999999999317, 0.33333333333349657,  -0.25000000006853029,
                               0.19999999907586824,  -0.16666645885095827, 0.14285865362372258,
                               -0.12524599052398974, 0.11043621097304011};
#else
    static const float c[] = {-0.49999997f, 0.33333495f, -0.2501852f, 0.1980899f};
#endif
    const int last = sizeof c / sizeof *c - 1;
    V log_part;
    const V u = FN(fl_log1p_unit_split)(t, &log_part);
    V q = vsplat(c[last]);
    for (int i = last - 1; i >= 0; i--)
        q = c[i] + q * u;
    /* u^2 might be subnormal, which is slow; so below */
    return log_part + (u + u * (u * q));
#else
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
    static const float c[] = {-0.378139555f, 0.179224879f,   -0.0932321325f,
                              0.0510897785f, -0.0289012678f, 0.0166450106f,
                              -0.0101854f,   0.00697878748f, -0.00335308956f};
#endif
    const V u = t - R(0.5);
    /* c[0], the large term, is added last */
    const V q = c[0] + u * FN(fl_polynomial)(u, u * u, c + 1, sizeof c / sizeof *c - 1);
    return t + t * (t * q);
#endif
}

/* log(1 + x) for finite x >= 0. Worst error as of vlog1p_unit with tables, else as of vlog1p. */
FL_INLINE V FN(fl_log1p_nonnegative)(V x)
{
#if FL_LOOKUP
    const VU bits = FN(fl_ubits)(R(1.0) + x);
    const UINT exponent = ((UINT)EXPONENT_BIAS * 2 + 1) << MANTISSA_BITS;
    const V scale =
        FN(fl_from_ubits)(((UINT)(2 * EXPONENT_BIAS) << MANTISSA_BITS) - (bits & exponent));
    const V k = FN(fl_exponent)(FN(fl_from_ubits)(bits));
    return k * LN2_HI + (vlog1p_unit(x * scale + (scale - R(1.0))) + k * LN2_LO);
#else
    V k;
    const V u = FN(fl_log1p_split)(x, &k);
    return FN(fl_log_sum)(k, u);
#endif
}
