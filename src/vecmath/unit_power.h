/* Powers of a probability, sigma(x)^a = e^(-a softplus(-x)): the relative error of a power is the
 * absolute error of its exponent, which therefore stands in pairs: an unevaluated sum of a number and
 * its *low. */

/* The quotient n and the remainder of x + x_low = n ln2 + r + *r_low, |r| <= ln2/2 (1 + tiny), for |x| <
 * 1400 (170 in float32). n + 2 EXPONENT_BIAS stands in the low bits of *exponent. */
FL_INLINE V FN(fl_exp_remainder)(V x, V x_low, V *r_low, VU *exponent)
{
    const V shift = vround_shift() + (REAL)(2 * EXPONENT_BIAS);
    const V shifted = x * LOG2_E + shift, n = shifted - shift;
    const V r_hi = x - n * LN2_HI, c = x_low - n * LN2_LO, r = r_hi + c;
    *r_low = (r_hi - r) + c;
    *exponent = FN(fl_ubits)(shifted);
    return r;
}

/* e^(r + r_low) - 1 = returned + *low for |r| <= ln2/2, to a relative 2^-63 (2^-33 in float32): the
 * Taylor series, its first four terms in pairs. */
FL_INLINE V FN(fl_expm1_remainder)(V r, V r_low, V *low)
{
#if FL_BITS == 64
    static const double c[] = {
        0.008333333333333333,   0.001388888888888889,   0.0001984126984126984,
        2.48015873015873e-05,   2.7557319223985893e-06, 2.755731922398589e-07,
        2.505210838544172e-08,  2.08767569878681e-09,   1.6059043836821613e-10,
        1.1470745597729725e-11, 7.647163731819816e-13,  4.779477332387385e-14};
    const V c3 = vsplat(0x1.5555555555555p-3), c3_low = vsplat(0x1.5555555555555p-57);
    const V c4 = vsplat(0x1.5555555555555p-5), c4_low = vsplat(0x1.5555555555555p-59);
#else
    static const float c[] = {0.00833333377f,  0.00138888892f,  0.000198412701f,
                              2.48015876e-05f, 2.75573188e-06f, 2.755732e-07f};
    const V c3 = vsplat(0x1.555556p-3f), c3_low = vsplat(-0x1.555556p-28f);
    const V c4 = vsplat(0x1.555556p-5f), c4_low = vsplat(-0x1.555556p-30f);
#endif
    const V half = vsplat(R(0.5)), one = vsplat(R(1.0));
    V error;
    const V w = FN(fl_opaque)(r * FN(fl_polynomial)(r, r * r, c, sizeof c / sizeof *c));
    const V s4 = c4 + w, s4_low = ((c4 - s4) + w) + c4_low;
    const V p4 = FN(fl_product)(r, s4, &error);
    const V p4_low = error + (r * s4_low + r_low * s4);
    const V s3 = c3 + p4, s3_low = ((c3 - s3) + p4) + (p4_low + c3_low);
    const V p3 = FN(fl_product)(r, s3, &error);
    const V p3_low = error + (r * s3_low + r_low * s3);
    const V s2 = half + p3, s2_low = ((half - s2) + p3) + p3_low;
    const V p2 = FN(fl_product)(r, s2, &error);
    const V p2_low = error + (r * s2_low + r_low * s2);
    const V s1 = one + p2, s1_low = ((one - s1) + p2) + p2_low;
    const V p1 = FN(fl_product)(r, s1, &error);
    *low = error + (r * s1_low + r_low * s1);
    return p1;
}

/* e^x = returned + *low, to a relative 2^-62 (2^-32 in float32), x finite and bounded as above. */
FL_INLINE V FN(fl_exp_twofold)(V x, V *low)
{
    const V one = vsplat(R(1.0));
    V r_low, g_low;
    VU exponent;
    const V r = FN(fl_exp_remainder)(x, vsplat(R(0.0)), &r_low, &exponent);
    const V g = FN(fl_expm1_remainder)(r, r_low, &g_low);
    const V sum = one + g, lost = ((one - sum) + g) + g_low;
    *low = FN(fl_scale_by_halves)(lost, exponent);
    return FN(fl_scale_by_halves)(sum, exponent);
}

/* The same for x <= 0 (more exactly: x < 600, 60 in float32), with tables in fewer operations: e^r - 1 = r + tail is
 * small, for r is at most ln2/32; then to a relative 2^-60 (2^-30 in float32). */
FL_INLINE V FN(fl_exp_nonpositive_twofold)(V x, V *low)
{
#if FL_LOOKUP
    /* (e^r - 1 - r) / r^2, and by which part of themselves the powers of fl_exp_sixteenth_scale() are too small */
#if FL_BITS == 64
    static const double c[] = {0.5,
                               0.16666666666666669,
                               0.041666666663561946,
                               0.008333333332988364,
                               0.001388906439086134,
                               0.00019841464843252382};
    static const FL_ALIGNED double missing[] = {
        0x1.0a61c042dabc7p-61,  0x1.2d4ae1ea021e3p-56,  0x1.c43d374515c5ap-56,
        -0x1.3ef6f22dd220ap-55, 0x1.7fa9dbb012cabp-58,  0x1.b61e80f88a341p-59,
        -0x1.dc17201248403p-57, -0x1.7196c598c1f80p-57, 0x1.a6cd4b66ac21dp-58,
        0x1.0394472a18b0ep-56,  0x1.60f3a436af84bp-60,  0x1.60902a0d24086p-56,
        -0x1.41cccceb31e51p-58, -0x1.2eaf62de00c60p-56, 0x1.7da5af6faf5dbp-56,
        0x1.d25a5a430a63ap-57};
#else
    static const float c[] = {0.5f, 0.166666672f, 0.0416666679f};
    static const FL_ALIGNED float missing[] = {
        0x1.6b9eb2p-26f,  0x1.15ee0ep-29f,  0x1.6500ccp-27f, -0x1.01485ep-26f,
        0x1.e9ae64p-34f,  -0x1.390abap-27f, 0x1.6d9ce0p-27f, -0x1.165526p-27f,
        -0x1.078564p-27f, -0x1.181894p-26f, 0x1.9f10c0p-28f, -0x1.663cb2p-28f,
        0x1.58945ep-27f,  0x1.3689fep-27f,  0x1.124e42p-28f, 0x1.8d6af6p-30f};
#endif
    const V bounded = vmax(vsplat(EXP_LOWEST), x); /* NaN stays */
    const V shift = vround_shift() + R(16.0) * EXP_HEADROOM;
    const V shifted = bounded * (16 * LOG2_E) + shift, n = shifted - shift;
    const VU i = FN(fl_ubits)(shifted);
    const V scale = FN(fl_exp_sixteenth_scale)(i);
    /* the first difference is exact, for it is fused */
    const V r_high = bounded - n * (LN2_HI / 16), shift_low = -EXP_OFFSET - n * (LN2_LO / 16);
    const V r = r_high + shift_low, r_low = (r_high - r) + shift_low, r2 = r * r;
    const V tail = r2 * FN(fl_polynomial)(r, r2, c, sizeof c / sizeof *c) +
                   (r_low + FN(fl_lookup)(missing, i));
    V error;
    const V product = FN(fl_product)(scale, r, &error);
    const V sum = scale + product, lost = (scale - sum) + product;
    const V rest = lost + (error + scale * tail), high = sum + rest;
    *low = ((sum - high) + rest) * EXP_BACK;
    return high * EXP_BACK;
#else
    return FN(fl_exp_twofold)(vmax(vsplat((REAL)(FL_BITS == 64 ? -1400 : -170)), x), low);
#endif
}

/* e^(x + x_low) - 1 for x <= 0, as a pair to a relative 2^-60 (2^-30 in float32). */
FL_INLINE V FN(fl_expm1_twofold)(V x, V x_low, V *low)
{
    const V least = vsplat(R(-100.0)), one = vsplat(R(1.0));
    V r_low, g_low, lost;
    VU exponent;
    const V bounded = vmax(least, x);
    const V r = FN(fl_exp_remainder)(bounded, vkeep((x < least) == 0, x_low), &r_low, &exponent);
    const V g = FN(fl_expm1_remainder)(r, r_low, &g_low);
    const V scale = FN(fl_scale_by_halves)(one, exponent);
    const V less = scale - one, less_low = scale - (less + one);
    const V sum = FN(fl_two_sum)(less, scale * g, &lost);
    const V rest = lost + (less_low + scale * g_low), high = sum + rest;
    *low = (sum - high) + rest;
    return high;
}

/* e^(x + x_low). Worst error 0.9 ULP. */
FL_INLINE V FN(fl_exp_of_sum)(V x, V x_low)
{
    const V most = vsplat((REAL)(FL_BITS == 64 ? 800 : 150)), one = vsplat(R(1.0));
    V r_low;
    VU exponent;
    /* NaN stays: vmin and vmax give their second operand */
    const V bounded = vmin(most, vmax(-most, x));
    const V r = FN(fl_exp_remainder)(bounded, vkeep(vabs(x) <= most, x_low), &r_low, &exponent);
    const V r2 = r * r, tail = r2 * FN(fl_exp_tail)(r, r2) + r_low;
    const V sum = one + r, lost = (one - sum) + r;
    return FN(fl_scale_by_halves)(sum + (lost + tail), exponent);
}

/* log(1 + e^x) for x <= 0, not below -1400 (-170 in float32), as a pair; *t = e^x. */
FL_INLINE V FN(fl_log1p_exp_twofold)(V x, V *t, V *t_low, V *low)
{
    const V one = vsplat(R(1.0));
    V log_low;
    *t = FN(fl_exp_nonpositive_twofold)(x, t_low);
    {
        const V u = one + *t, rest = ((one - u) + *t) + *t_low;
        const V log_u = FN(fl_log_pair)(u, &log_low), correction = rest / u;
        const V high = log_u + correction;
        *low = ((log_u - high) + correction) + log_low;
        return high;
    }
}

/* e^(-(a + a_low) (g + g_low)) for a >= 0 and g >= 0: the parts of a are parameters, a with at most
 * half as many bits as fit where that matters. */
FL_INLINE V FN(fl_exp_minus_product)(V a, V a_low, V g, V g_low)
{
    V error;
    const V product = FN(fl_product)(g, a, &error);
    return FN(fl_exp_of_sum)(-product, -(error + (g_low * a + g * a_low)));
}

/* Of z, for |z| < 1e30: t = e^-|z| and log(1 + t) in pairs, u = sigma(-|z|), v = sigma(|z|). */
typedef struct {
    V t, t_low, log_high, log_low, u, v;
} FN(fl_logistic_terms);

FL_INLINE FN(fl_logistic_terms) FN(fl_logistic_of)(V z)
{
    const V most = vsplat((REAL)(FL_BITS == 64 ? 1400 : 170)), one = vsplat(R(1.0));
    FN(fl_logistic_terms) a;
    a.log_high = FN(fl_log1p_exp_twofold)(vmax(-most, vminus_abs(z)), &a.t, &a.t_low, &a.log_low);
    a.u = a.t - a.t * (a.t / (one + a.t));
    a.v = one - a.u;
    return a;
}

/* softplus(z) = max(z, 0) + log(1 + e^-|z|) as a pair: -log sigma(-z). */
FL_INLINE V FN(fl_softplus_twofold)(V z, FN(fl_logistic_terms) a, V *low)
{
    V error;
    const V high = FN(fl_two_sum)(vmax(vsplat(R(0.0)), z), a.log_high, &error);
    *low = error + a.log_low;
    return high;
}

/* z no further from 0 than what decides any power: a power of sigma is 0 or 1 beyond. */
FL_INLINE V FN(fl_bounded_logit)(V z)
{
    const V most = vsplat(R(1e20));
    return vmin(most, vmax(-most, z)); /* NaN stays */
}
