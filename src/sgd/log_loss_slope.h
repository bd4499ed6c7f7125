/* The log loss's gradient alone, for labels 0 and 1 and unit costs: -+1 / (1 + e^+-f), where each operation stands
 * between one step and the next. Beyond |f| of 700 it is that of the bound. Worst error: 2 ULP.
 * Included once per precision, after dots.h. */

#if FL_BITS == 64
/* 1 + e^x for |x| <= 700, of the first lane */
FL_INLINE double fl_sgd_one_plus_exp(V x)
{
#if FL_LOOKUP
    const V shift = vround_shift();
    const V shifted = x * (16 * LOG2_E) + shift, n = shifted - shift;
    const V tail = FN(fl_exp_sixteenth_tail)(FN(fl_exp_sixteenth)(x, n));
    const V scale = FN(fl_exp_sixteenth_scale)(FN(fl_ubits)(shifted));
    return FN(fl_first)((1.0 + scale) + scale * tail);
#else
    const V shift = vround_shift() + (REAL)EXPONENT_BIAS;
    const V shifted = x * LOG2_E + shift, n = shifted - shift;
    const V r = (x - n * LN2_HI) - n * LN2_LO;
    const V power = FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS);
    return FN(fl_first)(1.0 + vexp_poly(r) * power);
#endif
}

/* Labels come in no order that a branch could be foretold by: they flip the sign bit. */
FL_INLINE double fl_sgd_log_loss_slope_f64(double y, double f)
{
    const VI flipped = vbits(vsplat(y - 0.5)) & ~(INT)(~(UINT)0 >> 1);
    V x = {f};
    x = vfrom_bits(vbits(x) ^ flipped);
    if (FL_UNLIKELY(!(FN(fl_first)(vabs(x)) <= 700.0)))
        x = vmin(vsplat(700.0), vmax(vsplat(-700.0), x)); /* NaN stays */
    return (1.0 - 2.0 * y) / fl_sgd_one_plus_exp(x);
}

/* 2^(i/16), i an integer of either sign in a word: the table holds the bits of 2^(j/16), less the j that stands below
 * n in i = 16 n + j. */
FL_INLINE double fl_sgd_power(uint64_t i)
{
    static const FL_ALIGNED union {
        uint64_t bits[16];
        double numbers[16];
    } power = {{0x3ff0000000000000, 0x3fefb5586cf9890f, 0x3fef72b83c7d517b, 0x3fef387a6e756238,
                0x3fef06fe0a31b715, 0x3feedea64c123422, 0x3feebfdad5362a27, 0x3feeab07dd485429,
                0x3feea09e667f3bcd, 0x3feea11473eb0187, 0x3feeace5422aa0db, 0x3feec49182a3f090,
                0x3feee89f995ad3ad, 0x3fef199bdd85529c, 0x3fef5818dcfba487, 0x3fefa4afa2a490da}};
#if FL_LOOKUP /* nothing leaves the vectors */
    const VU at = {i};
    const VU bits = FN(fl_ubits)(FN(fl_lookup)(power.numbers, at)) + (at << (MANTISSA_BITS - 4));
    return FN(fl_first)(FN(fl_from_ubits)(bits));
#else
    const uint64_t bits = power.bits[i % 16] + (i << (MANTISSA_BITS - 4));
    double scale;
    memcpy(&scale, &bits, sizeof scale);
    return scale;
#endif
}

/* Of float32 rows; the raw prediction of dense ones need not be rounded first. In float64 it takes one constant where
 * ln 2 would be two, short polynomials, and no conversions. Worst error: 1e-8. */
FL_INLINE double fl_sgd_log_loss_slope_f32(double y, double f)
{
    const double sign = 2.0 * y - 1.0, shift = 0x1.8p52;
    double x = f;
    uint64_t i;
    if (FL_UNLIKELY(!(x <= 700.0 && x >= -700.0)))
        x = x > 700.0 ? 700.0 : x < -700.0 ? -700.0 : x; /* NaN stays */
    const double shifted = x * (sign * (16 * LOG2_E)) + shift, n = shifted - shift;
    const double r = sign * x - n * (0x1.62e42fefa39efp-1 / 16);
    memcpy(&i, &shifted, sizeof i);
    const double scale = fl_sgd_power(i);
    /* 1 + scale e^r: the longest way, through r, is short */
    return -sign / (((1.0 + scale) + scale * r) + scale * (r * r) * (0.50001 + r * (1.0 / 6.0)));
}
#endif
