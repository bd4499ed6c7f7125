/* pow and the square root. */
#define vpow FN(fl_pow)
#define vsqrt FN(fl_sqrt)

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
#if FL_HAS_FMA && FL_VECTOR_BYTES && defined(__x86_64__)
    /* the loop below becomes scalar code where a factor is the same number in every lane */
    *error = (V)FL_MM(fmsub)(a, b, p);
#elif FL_HAS_FMA && FL_VECTOR_BYTES
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

/* log x = returned + *low for x > 0, finite, to about 2^-65 (2^-34 in float32). With x = 2^k (1 +
 * f) and s = f / (2 + f): log x = k ln2 + 2 s + s z (2/3 + z P(z)), z = s^2, in pairs of numbers
 * where the error would matter. */
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
    const V two = vsplat(R(2.0));
    V k;
    const V m = FN(fl_log_reduce)(x, &k);
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

/* x^y = e^(y log x), log x and its product with y in pairs of numbers. C99 Annex F for every
 * special case.
 * Worst error: float64 0.93 ULP at 0x1.673152c035a9dp+0, -0x1.03373a2332dc4p+11; float32 0.80 at
 * 0x1.f45e8p-128, 0x1.fd9b94p-1. Unfused: the same. */
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

/* The square root, correctly rounded: the loop becomes one instruction. */
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
