/* Squared logarithmic error: r^2 with r = log1p(f) - log1p(y), y > -1. gradient 2 r / (1 + f), Hessian
 * 2 (1 - r) / (1 + f)^2, negative where r > 1, or at least 2 / (1 + f)^2, twice the square of r's slope, as Gauss
 * and Newton have it. r = +-log1p(|f - y| / (1 + min(f, y))) and 1 / (1 + f) in pairs of numbers, without
 * cancellation and for any f. Outside f > -1: NaN below, infinite at -1. Worst error 3 ULP, of the Hessian in ULP of
 * its larger term. Parameters: p[0] = infinity, or 0 for the bounded Hessian.
 */
#undef SQUARED_LOG_ERROR_LARGE
#define SQUARED_LOG_ERROR_LARGE ((REAL)(FL_BITS == 64 ? 0x1p900 : 0x1p100))

/* q = |f - y| / (1 + min(f, y)) in a pair; 2^-60 of it where the quotient may overflow and its logarithm does not */
typedef struct {
    V q, q_lo;
} FN(squared_log_error_kept);

FL_INLINE VI FN(squared_log_error_shifted)(V y, V f)
{
    return (vabs(f - y) > SQUARED_LOG_ERROR_LARGE) & (vmin(y, f) < R(0.0));
}

FL_INLINE FN(squared_log_error_kept) FN(squared_log_error_first)(V y, V f, const REAL *p)
{
    V d_lo, m_lo, product_lo;
    FN(squared_log_error_kept) k;
    (void)p;
    const V d = FN(fl_two_sum)(f, -y, &d_lo);
    const V m = FN(fl_two_sum)(vsplat(R(1.0)), vmin(y, f), &m_lo);
    V size = vabs(d), size_lo = vflip(d_lo, d);
    /* rare */
    if (FL_UNLIKELY(vany_less(vsplat(SQUARED_LOG_ERROR_LARGE), size))) {
        const V unit =
            vselect(FN(squared_log_error_shifted)(y, f), vsplat(R(0x1p-60)), vsplat(R(1.0)));
        size = size * unit, size_lo = size_lo * unit;
    }
    const V inverse = R(1.0) / m;
    k.q = FN(fl_opaque)(size * inverse);
    const V product = FN(fl_product)(k.q, m, &product_lo);
    k.q_lo = FN(fl_opaque)((((size - product) - product_lo) + size_lo - k.q * m_lo) * inverse);
    return k;
}

/* log(1 + q + q_lo) + more ln2 = returned + *low for finite q >= 0 */
FL_INLINE V FN(squared_log_error_log)(V q, V q_lo, V more, V *low)
{
    V x_lo, tail;
    const V one = vsplat(R(1.0)), x = FN(fl_one_plus_pair)(q, q_lo, &x_lo);
#if FL_LOOKUP
    /* as vlog1p_unit(), the last sum without an error; the derivative by t as (1 - u) a_j */
#if FL_BITS == 64
    static const double c[] = {-0.49999999999999317, 0.33333333333349657,  -0.25000000006853029,
                               0.19999999907586824,  -0.16666645885095827, 0.14285865362372258,
                               -0.12524599052398974, 0.11043621097304011};
#else
    static const float c[] = {-0.49999997f, 0.33333495f, -0.2501852f, 0.1980899f};
#endif
    const V k = FN(fl_exponent)(x), t = FN(fl_mantissa)(x) - one;
    V log_part, factor;
    const V u = FN(fl_log1p_unit_parts)(t, &log_part, &factor), u2 = u * u;
    const V slope = factor - factor * u, g_lo = (V)FL_MM(scalef)(x_lo * slope, -k);
    const V exponent = k + more, a = exponent * LN2_HI + log_part, sum = a + u;
    tail = ((a - sum) + u) +
           (exponent * LN2_LO + (u2 * FN(fl_polynomial)(u, u2, c, sizeof c / sizeof *c) + g_lo));
#else
    VU e;
    const V g = FN(fl_log_split)(x, &e) - one;
    /* log(1 + g + g_lo), whose derivative is 1 - g + g^2 - ... */
    const V g_lo = FN(fl_opaque)(x_lo * FN(fl_log_scale)(e));
    const V sum = FN(fl_log_sum_parts)(FN(fl_log_exponent)(e) + more, g, &tail);
    tail = tail + FN(fl_opaque)(g_lo * (one - g * (one - g * (one - g))));
#endif
    const V high = sum + tail;
    *low = (sum - high) + tail;
    return high;
}

FL_INLINE void FN(squared_log_error_rest)(V y, V f, FN(squared_log_error_kept) k, const REAL *p,
                                          V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), d = f - y;
    V more = zero, low, w_lo, v_lo;
    const V w = FN(fl_two_sum)(one, f, &w_lo), v = FN(fl_inverse_pair)(w, w_lo, &v_lo);
    /* rare */
    if (FL_UNLIKELY(vany_less(vsplat(SQUARED_LOG_ERROR_LARGE), vabs(d))))
        more = vkeep(FN(squared_log_error_shifted)(y, f), vsplat(R(60.0)));
    const V size = FN(squared_log_error_log)(k.q, k.q_lo, more, &low);
    const V r = vcopysign(size, d), double_r = r + r;
    *loss = r * r + FN(fl_opaque)((size + size) * low);
    *gradient = FN(fl_pair_product)(double_r, zero, v, v_lo);
    /* where 1 / (1 + f) is subnormal this is not, unless f - y is small; rare */
    if (FL_UNLIKELY(vany_less(vsplat(SQUARED_LOG_ERROR_LARGE), vabs(d))))
        *gradient = vselect(f > SQUARED_LOG_ERROR_LARGE, double_r / w, *gradient);
    /* v^2 alone may be too small for a normal number */
    V gap_lo, bend_lo, twice_r = double_r, twice_low = vflip(low + low, d);
    if (FL_UNLIKELY(p[0] < REAL_MAX)) { /* NaN stays */
        twice_low = vkeep((twice_r > p[0]) == 0, twice_low);
        twice_r = vmin(vsplat(p[0]), twice_r);
    }
    const V gap = FN(fl_two_sum)(vsplat(R(2.0)), -twice_r, &gap_lo);
    const V bend = FN(fl_product)(gap, v, &bend_lo);
    const V fine = FN(fl_opaque)(gap_lo - twice_low);
    *hessian = FN(fl_pair_product)(bend, bend_lo + (gap * v_lo + fine * v), v, v_lo);
    /* outside f > -1, at infinity and for NaN; rare */
    if (FL_UNLIKELY(!vall_at_most(k.q, vsplat(REAL_MAX)) || vany_at_most(w, zero))) {
        const VI odd = (k.q <= REAL_MAX) == 0, below = w < zero;
        const VI last = f > REAL_MAX;
        const V nan = vsplat((REAL)NAN), at = vselect(below, nan, k.q); /* NaN stays */
        const V twice = vcopysign(at, d) + vcopysign(at, d);
        const VI wrong = odd | below;
        *loss = vselect(wrong, at * at, *loss);
        *gradient = vselect(last, zero, vselect(wrong, twice / w, *gradient));
        *hessian = vselect(last, zero,
                           vselect(wrong, (R(2.0) - vmin(vsplat(p[0]), twice)) / w / w, *hessian));
    }
}

FL_OF_STAGES(squared_log_error)
#define FL_KEPT FN(squared_log_error_kept)
