/* exp and expm1, by x = n ln2 + r, |r| <= ln2/2, e^x = 2^n e^r. */
#define vexp FN(fl_exp)
#define vexp_nonpositive FN(fl_exp_nonpositive)
#define vexpm1 FN(fl_expm1)
#define vexp_headroom FN(fl_exp_headroom)
#define vexp_poly FN(fl_exp_poly)

#undef EXP_LOWEST
#undef EXP_HIGHEST
#undef EXP_HEADROOM
#undef EXP_BACK

/* Between these lie all x whose e^x is neither 0 nor infinite. The exponent of a result that may
 * underflow is kept EXP_HEADROOM too large until the last product, by EXP_BACK, which alone is
 * rounded to a subnormal number. */
#if FL_BITS == 64
#define EXP_LOWEST (-746.0)
#define EXP_HIGHEST 0x1.62e42fefa39efp+9
#define EXP_HEADROOM 64
#define EXP_BACK 0x1p-64
#else
#define EXP_LOWEST (-104.0f)
#define EXP_HIGHEST 0x1.62e430p+6f
#define EXP_HEADROOM 32
#define EXP_BACK 0x1p-32f
#endif

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

/* The same for n and that n as a number. */
FL_INLINE V FN(fl_scale_by)(V x, V n, VU i)
{
#if FL_VECTOR_BYTES == 64
    (void)i;
    return (V)FL_MM(scalef)(x, n); /* one instruction, which rounds once */
#else
    (void)n;
    return FN(fl_scale_by_halves)(x, i);
#endif
}

/* e^x.
 * Worst error: float64 1.03 ULP at -0x1.99ec7447228abp+3; float32 1.05 at 0x1.f43a56p+3. Unfused:
 * 1.00 at -0x1.1f959c8796786p+2; 1.02 at -0x1.76d658p+2. */
FL_INLINE V vexp(V x)
{
    const V shift = vround_shift() + (REAL)(2 * EXPONENT_BIAS);
    const V shifted = x * LOG2_E + shift, n = shifted - shift;
    const V r = (x - n * LN2_HI) - n * LN2_LO;
    V y = FN(fl_scale_by)(vexp_poly(r), n, FN(fl_ubits)(shifted));
    y = vselect(x > EXP_HIGHEST, vsplat((REAL)INFINITY), y);
    return vkeep((x < EXP_LOWEST) == 0, y);
}

/* a e^x for a >= 0, also where e^x alone would overflow or underflow: with a, the last four factors
 * bring it where it belongs, whichever numbers a and the product are. Worst error: 1.6 ULP. */
FL_INLINE V FN(fl_exp_times)(V a, V x)
{
    const V most = vsplat((REAL)(FL_BITS == 64 ? 1500 : 210));
    const V bounded = vmin(most, vmax(-most, x)); /* NaN stays: they give their second operand */
    const V shift = vround_shift() + (REAL)(4 * EXPONENT_BIAS);
    const V shifted = bounded * LOG2_E + shift, n = shifted - shift;
    const V r = (bounded - n * LN2_HI) - n * LN2_LO;
#if FL_VECTOR_BYTES == 64
    const V m = (V)FL_MM(getmant)(a, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src);
    return (V)FL_MM(scalef)(m * vexp_poly(r), n + (V)FL_MM(getexp)(a));
#else
    const VU i = FN(fl_ubits)(shifted), half = i >> 1;
    return FN(fl_scale_by_halves)(FN(fl_scale_by_halves)(a * vexp_poly(r), half), i - half);
#endif
}

#if FL_LOOKUP
/* With tables, x = (16 n + j) ln2/16 + offset + r and e^x = 2^n 2^(j/16) e^offset e^r; the table
 * holds the bits of 2^(j/16) e^offset, less the j that stands below n in 16 n + j. With these
 * offsets each entry is within 0.18 ULP of a number of this type (0.20 in float32). */
#undef EXP_OFFSET
#if FL_BITS == 64
#define EXP_OFFSET (-0x1.dbba09b534p-15)
#else
#define EXP_OFFSET 0x1.43c93ep-11f
#endif

/* 2^(i/16) e^offset, i an integer of either sign in a word */
FL_INLINE V FN(fl_exp_sixteenth_scale)(VU i)
{
#if FL_BITS == 64
    static const FL_ALIGNED union {
        uint64_t bits[16];
        double numbers[16];
    } power = {{0x3fefff89125a949b, 0x3fefb51a542e012d, 0x3fef727763e21bd8, 0x3fef3836b6e16fc8,
                0x3fef06b7531acc19, 0x3feede5c737d4543, 0x3feebf8db7a70851, 0x3feeaab755b09f57,
                0x3feea04a4e2c948f, 0x3feea0bca27470bb, 0x3feeac898d5d2c9e, 0x3feec431be6e551b,
                0x3feee83b97b85661, 0x3fef19336e67a506, 0x3fef57abce33ccc7, 0x3fefa43dbfcacc4d}};
#else
    static const FL_ALIGNED union {
        uint32_t bits[16];
        float numbers[16];
    } power = {{0x3f80143e, 0x3f7dbfe7, 0x3f7babd5, 0x3f79dae1, 0x3f785003, 0x3f770e56, 0x3f761917,
                0x3f7573a9, 0x3f752194, 0x3f752689, 0x3f758662, 0x3f764526, 0x3f776708, 0x3f78f06c,
                0x3f7ae5e7, 0x3f7d4c42}};
#endif
    return FN(fl_from_ubits)(FN(fl_ubits)(FN(fl_lookup)(power.numbers, i)) +
                             (i << (MANTISSA_BITS - 4)));
}

/* r, where n is 16 n + j as a number */
FL_INLINE V FN(fl_exp_sixteenth)(V x, V n)
{
    return (x - n * (LN2_HI / 16)) - (n * (LN2_LO / 16) + EXP_OFFSET);
}

/* e^r - 1 for |r| <= ln2/32 */
FL_INLINE V FN(fl_exp_sixteenth_tail)(V r)
{
#if FL_BITS == 64
    static const double c[] = {0.49999999999999606, 0.16666666664368038, 0.041666666693077774,
                               0.0083334731648912995, 0.0013888597987677307};
#else
    static const float c[] = {0.5000162f, 0.16660981f};
#endif
    const V r2 = r * r;
    return r + r2 * FN(fl_polynomial)(r, r2, c, sizeof c / sizeof *c);
}
#endif

/* e^(x + x_low) / EXP_BACK for x <= 0, so that what is subnormal can be multiplied by something large before
 * EXP_BACK rounds it; for x < EXP_LOWEST about that of EXP_LOWEST. x_low is finite and far below 1. Worst error
 * as of vexp_nonpositive. */
FL_INLINE V FN(fl_exp_headroom_of_sum)(V x, V x_low)
{
    /* NaN stays: vmax gives its second operand */
    const V bounded = vmax(vsplat(EXP_LOWEST), x);
#if FL_LOOKUP
    const V shift = vround_shift() + R(16.0) * EXP_HEADROOM;
    const V shifted = bounded * (16 * LOG2_E) + shift, n = shifted - shift;
    const V tail = FN(fl_exp_sixteenth_tail)(FN(fl_exp_sixteenth)(bounded, n) + x_low);
    const V scale = FN(fl_exp_sixteenth_scale)(FN(fl_ubits)(shifted));
    return scale + scale * tail;
#else
    const V shift = vround_shift() + (REAL)(EXPONENT_BIAS + EXP_HEADROOM);
    const V shifted = bounded * LOG2_E + shift, n = shifted - shift;
    const V r = ((bounded - n * LN2_HI) - n * LN2_LO) + x_low;
    return vexp_poly(r) * FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS);
#endif
}

/* e^x / EXP_BACK likewise: -0 changes nothing, and is not added. */
FL_INLINE V vexp_headroom(V x)
{
    return FN(fl_exp_headroom_of_sum)(x, vsplat(R(-0.0)));
}

/* e^x for x <= 0 (more exactly: x < 600, 60 in float32), cheaper than vexp: the exponent needs room
 * at one end only.
 * Worst error: that of vexp; with tables float64 0.88 ULP at -0x1.623c5657c10fdp+9,
 * float32 0.94 at -0x1.5d6e74p+6. */
FL_INLINE V vexp_nonpositive(V x)
{
    return vexp_headroom(x) * EXP_BACK;
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

/* e^x - 1.
 * Worst error: float64 1.31 ULP at 0x1.631edc2dad94fp-2; float32 1.16 at 0x1.643966p-2. Unfused:
 * 1.18 at 0x1.63623306ea44ap-2; 1.32 at 0x1.6341p-2. */
FL_INLINE V vexpm1(V x)
{
    const V least = vsplat(R(-60.0)), most = vsplat((REAL)(FL_BITS == 64 ? 710 : 89));
    const V y = FN(fl_half_expm1)(vmin(most, vmax(least, x)));
    /* x itself where x^2/2 is below half an ULP: keeps the sign of 0 and the bits of subnormals */
    return vselect(vabs(x) < REAL_EPS / 4, x, y + y);
}
