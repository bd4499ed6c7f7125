/* pow and the square root. */
#define vpow FN(fl_pow)
#define vsqrt FN(fl_sqrt)

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
