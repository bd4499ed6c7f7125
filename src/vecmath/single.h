/* Functions of float64 vectors for results that become float32: their relative errors, some 2^-30, move
 * such a result by 0.02 ULP. What takes part in large exponents, or cancels, wants those of wide.h. A loss
 * whose float32 is computed so includes this in its float64 part. */

/* e^x for x up to 600, that of 600 beyond and that of -700 below: 0 as a float32. NaN stays. */
FL_INLINE V FN(fl_single_exp)(V x)
{
    const V bounded = vmin(vsplat(600.0), vmax(vsplat(-700.0), x));
#if FL_LOOKUP
    /* (e^r - 1 - r) / r^2 for |r| <= ln2/32 */
    static const double c[] = {0.5, 0.16666959973024334, 0.04166715550957197};
    const V shift = vround_shift(), shifted = bounded * (16 * LOG2_E) + shift;
    const V r = (bounded - EXP_OFFSET) - (shifted - shift) * (0x1.62e42fefa39efp-1 / 16);
    const V scale = FN(fl_exp_sixteenth_scale)(FN(fl_ubits)(shifted));
    return scale + scale * (r + (r * r) * (c[0] + r * (c[1] + r * c[2])));
#else
    /* for |r| <= ln2/2 */
    static const double c[] = {0.500000001346581,  0.16666666681623232,   0.041666464925285904,
                               0.0083333109254809, 0.0013933649996309251, 0.00019890990824673654};
    const V shift = vround_shift() + (REAL)EXPONENT_BIAS;
    const V shifted = bounded * LOG2_E + shift;
    const V r = bounded - (shifted - shift) * 0x1.62e42fefa39efp-1, r2 = r * r;
    return (1.0 + (r + r2 * FN(fl_polynomial)(r, r2, c, sizeof c / sizeof *c))) *
           FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS);
#endif
}

/* log(1 + t) for t in [0, 1] */
FL_INLINE V FN(fl_single_log1p_unit)(V t)
{
#if FL_LOOKUP
    /* (log(1 + u) - u) / u^2 for |u| <= 1/30 */
    static const double c[] = {-0.49999997321272344, 0.33333331037208735, -0.25018904803036424,
                               0.20016204563531376};
    V log_part;
    const V u = FN(fl_log1p_unit_split)(t, &log_part);
    return log_part + (u + (u * u) * (c[0] + u * (c[1] + u * (c[2] + u * c[3]))));
#else
    /* 2 atanh s for s = t / (2 + t), less 2 s, over s z with z = s^2 */
    static const double c[] = {0.6666666732052742, 0.3999970633192972, 0.28592357994302836,
                               0.21706575800880373, 0.2322432922402335};
    const V s = t / (2.0 + t), z = s * s;
    return (s + s) + (s * z) * FN(fl_polynomial)(z, z * z, c, sizeof c / sizeof *c);
#endif
}

/* Of w = 2^k m with m in [1, 2), normal and finite: k as a number; *scale = 2^-k. */
FL_INLINE V FN(fl_single_exponent)(V w, V *scale)
{
    const UINT exponent = (UINT)0x7ff << MANTISSA_BITS;
    const VU bits = FN(fl_ubits)(w) & exponent;
    *scale = FN(fl_from_ubits)(((UINT)(2 * EXPONENT_BIAS) << MANTISSA_BITS) - bits);
#if FL_VECTOR_BYTES == 64
    return (V)_mm512_getexp_pd((__m512d)w);
#else
    return FN(fl_log_exponent)(bits >> MANTISSA_BITS);
#endif
}

/* log(1 + x) for finite x >= 0 */
FL_INLINE V FN(fl_single_log1p)(V x)
{
    V scale;
    const V k = FN(fl_single_exponent)(1.0 + x, &scale);
    return k * 0x1.62e42fefa39efp-1 + FN(fl_single_log1p_unit)(x * scale + (scale - 1.0));
}
