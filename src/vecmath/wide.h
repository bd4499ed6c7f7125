/* float32 computed in float64: where float32 itself would need pairs of numbers, this takes fewer
 * operations, and nothing in between overflows, underflows or cancels too much. A header then has
 * <name>_of_float for float64 vectors, of float32's accuracy and ranges, and FL_FROM_WIDE() makes <name> for
 * float32 of it. Functions here have a relative error of some 2^-45, what takes part in exponents an
 * absolute one of 2^-50. */
/* Parameters of a loss as its header numbers them; a pointer to the first leads to all. */
typedef struct {
    REAL own[FL_MAX_PARAMS];
#if FL_BITS == 32
    double exact[FL_MAX_PARAMS]; /* before they were rounded */
#endif
} FN(fl_params);

#undef FL_EXACT
#if FL_BITS == 64
#define FL_EXACT(p) (p)
#else
#define FL_EXACT(p) (((const FN(fl_params) *)(const void *)(p))->exact)
#endif

#if FL_BITS == 64

/* e^x for x up to 600, and that of 600 beyond: more than float32 and its cofactors can hold. */
FL_INLINE V FN(fl_wide_exp)(V x)
{
    return vexp_nonpositive(vmin(vsplat(600.0), x)); /* NaN stays */
}

/* e^x - 1, given e^x */
FL_INLINE V FN(fl_wide_expm1)(V x, V power)
{
    const V x2 = x * x;
    const V series = x + x2 * ((0.5 + x * (1.0 / 6)) + x2 * (1.0 / 24 + x * (1.0 / 120)));
    return vselect(vabs(x) < 0x1p-8, series, power - 1.0);
}

/* log(1 + t) for t in [0, 1] */
FL_INLINE V FN(fl_wide_log1p_unit)(V t)
{
#if FL_LOOKUP
    /* (log(1 + u) - u) / u^2 for |u| <= 1/30 */
    static const double c[] = {-0.5,
                               0.33333333335105814,
                               -0.2500000000159528,
                               0.19999987491052945,
                               -0.1666665540829999,
                               0.14307779058162953,
                               -0.12519858721773863};
    V log_part;
    const V u = FN(fl_log1p_unit_split)(t, &log_part), u2 = u * u;
    return log_part + (u + u2 * FN(fl_polynomial)(u, u2, c, sizeof c / sizeof *c));
#else
    return vlog1p_unit(t);
#endif
}

/* log x for finite x > 0 as k ln2 + log m, m in [1, 2): beside 1 only its absolute error is small. */
FL_INLINE V FN(fl_wide_log)(V x)
{
    const VI subnormal = x < REAL_TINY;
    const VU i = FN(fl_ubits)(vselect(subnormal, x * 0x1p52, x));
    const VU one = FN(fl_ubits)(vsplat(1.0));
    const V m = FN(fl_from_ubits)((i & (((UINT)1 << MANTISSA_BITS) - 1)) | one);
    const V k = FN(fl_log_exponent)(i >> MANTISSA_BITS) - vkeep(subnormal, vsplat(52.0));
    return (k * 0x1.62e42fefa39efp-1 + (x - x)) + FN(fl_wide_log1p_unit)(m - 1.0); /* NaN stays */
}

/* log(1 + x) for finite x >= 0 */
FL_INLINE V FN(fl_wide_log1p)(V x)
{
    const VU e = FN(fl_ubits)(1.0 + x) >> MANTISSA_BITS;
    const V scale = FN(fl_from_ubits)(((UINT)(2 * EXPONENT_BIAS) - e) << MANTISSA_BITS);
    return FN(fl_log_exponent)(e) * 0x1.62e42fefa39efp-1 +
           FN(fl_wide_log1p_unit)(x * scale + (scale - 1.0));
}

#else

#if FL_VECTOR_BYTES
/* Two vectors of float64 as one of float32, rounded once. */
FL_INLINE V vnarrow(fl_v_f64 low, fl_v_f64 high)
{
#if FL_VECTOR_BYTES == 64
    return (V)_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps((__m512d)low)),
                                 _mm512_cvtpd_ps((__m512d)high), 1);
#elif FL_VECTOR_BYTES == 32
    return (V)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps((__m256d)low)),
                                   _mm256_cvtpd_ps((__m256d)high), 1);
#elif defined(__x86_64__)
    return (V)_mm_movelh_ps(_mm_cvtpd_ps((__m128d)low), _mm_cvtpd_ps((__m128d)high));
#else
    const fl_half_f32 halves[2] = {__builtin_convertvector(low, fl_half_f32),
                                   __builtin_convertvector(high, fl_half_f32)};
    V x;
    memcpy(&x, halves, sizeof x);
    return x;
#endif
}

#define FL_FROM_WIDE(name, wide) \
    FL_INLINE void FN(name)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian) \
    { \
        const double *exact = FL_EXACT(p); \
        fl_v_f64 l[2], g[2], h[2]; \
        (void)t; \
        FL_CONCAT(wide, _f64)(vwiden_low(y), vwiden_low(f), exact, l, g, h); \
        FL_CONCAT(wide, _f64)(vwiden_high(y), vwiden_high(f), exact, l + 1, g + 1, h + 1); \
        *loss = vnarrow(l[0], l[1]); \
        *gradient = vnarrow(g[0], g[1]); \
        *hessian = vnarrow(h[0], h[1]); \
    }
/* The same in stages: <wide>_first and <wide>_rest, and what the one hands on to the other */
#define FL_STAGED_FROM_WIDE(name, wide) \
    typedef struct { \
        FL_CONCAT(wide, _kept_f64) half[2]; \
    } FN(name##_kept); \
    FL_INLINE FN(name##_kept) FN(name##_first)(V y, V f, const REAL *p) \
    { \
        const double *exact = FL_EXACT(p); \
        FN(name##_kept) k; \
        k.half[0] = FL_CONCAT(wide, _first_f64)(vwiden_low(y), vwiden_low(f), exact); \
        k.half[1] = FL_CONCAT(wide, _first_f64)(vwiden_high(y), vwiden_high(f), exact); \
        return k; \
    } \
    FL_INLINE void FN(name##_rest)(V y, V f, FN(name##_kept) k, const REAL *p, V *loss, \
                                   V *gradient, V *hessian) \
    { \
        const double *exact = FL_EXACT(p); \
        fl_v_f64 l[2], g[2], h[2]; \
        FL_CONCAT(wide, _rest_f64)(vwiden_low(y), vwiden_low(f), k.half[0], exact, l, g, h); \
        FL_CONCAT(wide, _rest_f64) \
        (vwiden_high(y), vwiden_high(f), k.half[1], exact, l + 1, g + 1, h + 1); \
        *loss = vnarrow(l[0], l[1]); \
        *gradient = vnarrow(g[0], g[1]); \
        *hessian = vnarrow(h[0], h[1]); \
    }
#else
#define FL_FROM_WIDE(name, wide) \
    FL_INLINE void FN(name)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian) \
    { \
        double l, g, h; \
        (void)t; \
        FL_CONCAT(wide, _f64)(y, f, FL_EXACT(p), &l, &g, &h); \
        *loss = (REAL)l, *gradient = (REAL)g, *hessian = (REAL)h; \
    }
#define FL_STAGED_FROM_WIDE(name, wide) \
    typedef FL_CONCAT(wide, _kept_f64) FN(name##_kept); \
    FL_INLINE FN(name##_kept) FN(name##_first)(V y, V f, const REAL *p) \
    { \
        return FL_CONCAT(wide, _first_f64)(y, f, FL_EXACT(p)); \
    } \
    FL_INLINE void FN(name##_rest)(V y, V f, FN(name##_kept) k, const REAL *p, V *loss, \
                                   V *gradient, V *hessian) \
    { \
        double l, g, h; \
        FL_CONCAT(wide, _rest_f64)(y, f, k, FL_EXACT(p), &l, &g, &h); \
        *loss = (REAL)l, *gradient = (REAL)g, *hessian = (REAL)h; \
    }
#endif

#endif

/* A loss of two stages as one */
#undef FL_OF_STAGES
#define FL_OF_STAGES(name) \
    FL_INLINE void FN(name)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian) \
    { \
        (void)t; \
        FN(name##_rest)(y, f, FN(name##_first)(y, f, p), p, loss, gradient, hessian); \
    }
/* and of three */
#undef FL_OF_THREE_STAGES
#define FL_OF_THREE_STAGES(name) \
    FL_INLINE void FN(name)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian) \
    { \
        (void)t; \
        FN(name##_rest)(y, f, FN(name##_second)(FN(name##_first)(y, f, p), p), p, loss, gradient, \
                        hessian); \
    }
