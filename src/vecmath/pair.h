/* Numbers as unevaluated sums of two, high + low: error-free sums and products, log and exp of pairs;
 * and results as m 2^n with n a number of its own, which neither overflow nor underflow before they are
 * put together. What these functions take as a part of a pair must be no rounded product, which
 * contraction may undo, unless by a power of two: fl_opaque() keeps it. */

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

#if FL_HAS_FMA
/* a b + c, rounded once */
FL_INLINE V FN(fl_fused)(V a, V b, V c)
{
#if FL_VECTOR_BYTES && defined(__x86_64__)
    /* the loop below becomes scalar code where a factor is the same number in every lane */
    return (V)FL_MM(fmadd)(a, b, c);
#elif FL_VECTOR_BYTES
    V x;
    for (ptrdiff_t i = 0; i < LANES; i++)
        x[i] = FL_BITS == 64 ? __builtin_fma(a[i], b[i], c[i]) : __builtin_fmaf(a[i], b[i], c[i]);
    return x;
#else
    return FL_BITS == 64 ? (REAL)fma(a, b, c) : (REAL)fmaf((float)a, (float)b, (float)c);
#endif
}
#endif

/* a b = p + *error: p is the rounded product */
FL_INLINE V FN(fl_product)(V a, V b, V *error)
{
    const V p = FN(fl_opaque)(a * b);
#if FL_HAS_FMA
    *error = FN(fl_fused)(a, b, -p);
#else
    /* Dekker (1971), the factors split by their bits */
    const UINT upper = ~(UINT)0 << (MANTISSA_BITS / 2 + 1);
    const V a_hi = FN(fl_from_ubits)(FN(fl_ubits)(a) & upper), a_lo = a - a_hi;
    const V b_hi = FN(fl_from_ubits)(FN(fl_ubits)(b) & upper), b_lo = b - b_hi;
    *error = (((a_hi * b_hi - p) + a_hi * b_lo) + a_lo * b_hi) + a_lo * b_lo;
#endif
    return p;
}

/* a + b = s + *error, whichever is larger: s is the rounded sum (Knuth 1969) */
FL_INLINE V FN(fl_two_sum)(V a, V b, V *error)
{
    const V s = a + b, b_part = s - a;
    *error = (a - (s - b_part)) + (b - b_part);
    return s;
}

/* The same; *error is 0 where the sum is not finite */
FL_INLINE V FN(fl_finite_sum)(V a, V b, V *error)
{
    V lost;
    const V s = FN(fl_two_sum)(a, b, &lost);
    *error = vkeep(vabs(s) <= REAL_MAX, lost);
    return s;
}

/* 2^n for an integer |n| < EXPONENT_BIAS */
FL_INLINE V FN(fl_power_of_two)(V n)
{
    const V shifted = n + (vround_shift() + (REAL)EXPONENT_BIAS);
    return FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS);
}

/* x 2^n for any integer n and 2^-60 < |x| < 2^60, or 0; a result that is a normal number is exact. */
FL_INLINE V FN(fl_scale)(V x, V n)
{
    const V most = vsplat((REAL)(2 * EXPONENT_BIAS - 4));
    const V bounded = vmin(most, vmax(-most, n));
    const V shifted = bounded + (vround_shift() + (REAL)(2 * EXPONENT_BIAS));
    return FN(fl_scale_by)(x, bounded, FN(fl_ubits)(shifted));
}

/* x = m 2^k with |m| in [sqrt(1/2), sqrt(2)), or 0 for 0: returns m. x is finite. */
FL_INLINE V FN(fl_parts)(V x, V *k)
{
    const V m = FN(fl_log_reduce)(vabs(x), k);
    return vkeep((x < R(0.0)) | (x > R(0.0)), vcopysign(m, x));
}

/* k ln2 + log(1 + f + f_lo) = returned + *low, to about 2^-65 (2^-34 in float32) of it, for f as in
 * fl_log_sum() and |f_lo| <= ULP(1 + f). With s = f / (2 + f) it is k ln2 + 2 s + s z (2/3 + z P(z)), z =
 * s^2, in pairs of numbers where the error would matter. */
FL_INLINE V FN(fl_log_pair_sum)(V k, V f, V f_lo, V *low)
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
    /* s */
    const V two = vsplat(R(2.0)), d = two + f, d_lo = (f - (d - two)) + f_lo, inverse = R(1.0) / d;
    const V s = FN(fl_opaque)(f * inverse);
    V sd_lo;
    const V sd = FN(fl_product)(s, d, &sd_lo);
    const V s_lo = ((((f - sd) - sd_lo) + f_lo) - s * d_lo) * inverse;
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

/* log x = returned + *low for finite x > 0, to the same precision. */
FL_INLINE V FN(fl_log_pair)(V x, V *low)
{
    V k;
    const V m = FN(fl_log_reduce)(x, &k);
    return FN(fl_log_pair_sum)(k, m - R(1.0), vsplat(R(0.0)), low);
}

/* log((x + x_lo) 2^more) = returned + *low for finite x > 0 and |x_lo| <= ULP(x). For x = 1 it is as good as
 * x_lo, for x near 1 as good as the many bits that x and x_lo have of x - 1. */
FL_INLINE V FN(fl_log_pair_of)(V x, V x_lo, V more, V *low)
{
    /* also the smallest normal numbers, whose 2^-k has no exponent */
    const VI small = x < 8 * REAL_TINY;
    const V whole = vselect(small, vsplat((REAL)((UINT)256 << MANTISSA_BITS)), vsplat(R(1.0)));
    VU e;
    const V m = FN(fl_log_split)(x * whole, &e);
    const V k = FN(fl_log_exponent)(e) - vkeep(small, vsplat((REAL)(MANTISSA_BITS + 8)));
    /* 2^-k through 2^(2-k), for 2^-1024 has no biased exponent */
    const V scale =
        R(0.25) * FN(fl_from_ubits)(((UINT)(2 * EXPONENT_BIAS + 2) - e) << MANTISSA_BITS);
    return FN(fl_log_pair_sum)(k + more, m - R(1.0), FN(fl_opaque)(x_lo * whole * scale), low);
}

/* log(1 + z + z_lo) = returned + *low for z >= 0, given what fl_log_pair_of() makes of it: for small z by its
 * series, for then too few bits of z are in the first part of 1 + z. */
FL_INLINE V FN(fl_log1p_of_small)(V z, V z_lo, V high, V *low)
{
    const VI small = z < (REAL)(FL_BITS == 64 ? 0x1p-26 : 0x1p-12);
    const V rest = (z * z) * ((z * (REAL)(1.0 / 3.0) - R(0.5)) - (z * z) * R(0.25));
    const V low_part = z_lo + rest, sum = z + low_part;
    *low = vselect(small, (z - sum) + low_part, *low);
    return vselect(small, sum, high);
}

/* Beyond this e^x is 0 or infinite with any few factors that are numbers of this type. */
#undef EXP_PARTS_MOST
#define EXP_PARTS_MOST ((REAL)(FL_BITS == 64 ? 5000 : 1000))

/* x + x_lo = n ln2 + r + *r_lo, |r| <= ln2/2; x is cut to [least, EXP_PARTS_MOST], NaN stays. */
FL_INLINE V FN(fl_exp_reduce)(V x, V x_lo, V least, V *n, V *r_lo)
{
    const V most = vsplat(EXP_PARTS_MOST), bounded = vmin(most, vmax(least, x));
    const V low = vkeep(bounded == x, x_lo); /* may be NaN beyond */
    *n = (bounded * LOG2_E + vround_shift()) - vround_shift();
    const V r_hi = bounded - *n * LN2_HI, c = low - *n * LN2_LO, r = r_hi + c;
    *r_lo = (r_hi - r) + c;
    return r;
}

/* e^(x + x_lo) = m 2^n, m in [0.7, 2.1]: returns m, with an error of 0.7 ULP at most, with tables 0.9. */
FL_INLINE V FN(fl_exp_parts)(V x, V x_lo, V *n)
{
#if FL_LOOKUP
    const V most = vsplat(EXP_PARTS_MOST), bounded = vmin(most, vmax(-most, x));
    const V low = vkeep(bounded == x, x_lo); /* may be NaN beyond */
    const V shift = vround_shift(), shifted = bounded * (16 * LOG2_E) + shift, k = shifted - shift;
    const V r = FN(fl_exp_sixteenth)(bounded, k) + low;
    const V scale = FN(fl_exp_sixteenth_scale)(FN(fl_ubits)(shifted) & 15);
    *n = (V)FL_MM(roundscale)(k * (REAL)(1.0 / 16), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    return scale + scale * FN(fl_exp_sixteenth_tail)(r);
#else
    V r_lo;
    const V one = vsplat(R(1.0));
    const V r = FN(fl_exp_reduce)(x, x_lo, vsplat(-EXP_PARTS_MOST), n, &r_lo);
    const V r2 = r * r, tail = r2 * FN(fl_exp_tail)(r, r2) + r_lo;
    const V sum = one + r, lost = (one - sum) + r;
    return sum + (lost + tail);
#endif
}

/* e^(x + x_lo) - 1 = m 2^n: returns m, |m| <= 1.42 and, unless x is close to 0, of that size. */
FL_INLINE V FN(fl_expm1_parts)(V x, V x_lo, V *n)
{
    V r_lo;
    const V one = vsplat(R(1.0));
    const V r = FN(fl_exp_reduce)(x, x_lo, vsplat(R(-60.0)), n, &r_lo);
    const V r2 = r * r, tail = r2 * FN(fl_exp_tail)(r, r2) + r_lo;
    /* m = (1 - 2^-n) + (e^r - 1); the first is 0 or the larger */
    const V inverse = FN(fl_power_of_two)(-vmin(vsplat(R(100.0)), *n));
    const V a = one - inverse, a_lo = (one - a) - inverse;
    const V sum = a + r, lost = (a - sum) + r;
    return sum + (lost + (tail + a_lo));
}

/* f - y = (returned + an error of its sign) 2^more; *size_lo is what the error adds to the magnitude. Large
 * numbers are scaled by 2^-60, so that the difference and what is made of it overflow only where f does. */
FL_INLINE V FN(fl_scaled_residual)(V y, V f, V *size_lo, V *more)
{
    const REAL large = FL_BITS == 64 ? (REAL)0x1p900 : (REAL)0x1p64;
    const VI scaled = (vabs(f) > large) | (vabs(y) > large);
    const V unit = vselect(scaled, vsplat((REAL)0x1p-60), vsplat(R(1.0)));
    V r_lo;
    const V r = FN(fl_two_sum)(f * unit, -y * unit, &r_lo);
    *size_lo = vselect_negative(r, -r_lo, r_lo);
    *more = vkeep(scaled, vsplat(R(60.0)));
    return r;
}
