/* Residuals f - y and their multiples in pairs of numbers, high + low: what the losses of a residual
 * that decays, grows like a logarithm or cancels need to be right in their last places. A pair's low
 * part is below one ULP of the high part; both are NaN, or the low part 0, where there is nothing to add.
 */
#define vresidual FN(fl_residual)
#define vflip FN(fl_flip)

#undef SIZE_MOST

/* The largest power of two whose square has a normal reciprocal */
#if FL_BITS == 64
#define SIZE_MOST 0x1p511
#else
#define SIZE_MOST 0x1p63f
#endif

/* f - y = returned + *low exactly; *low = 0 where the difference is not finite */
FL_INLINE V vresidual(V y, V f, V *low)
{
    V error;
    const V r = FN(fl_two_sum)(f, -y, &error);
    *low = vkeep(vabs(r) <= REAL_MAX, error);
    return r;
}

/* x, with its sign changed where s is negative */
FL_INLINE V vflip(V x, V s)
{
    return vfrom_bits(vbits(x) ^ (vbits(s) & ~(INT)(~(UINT)0 >> 1)));
}

/* (a + a_lo)^2 = returned + *low */
FL_INLINE V FN(fl_square_pair)(V a, V a_lo, V *low)
{
    V error;
    const V square = FN(fl_product)(a, a, &error);
    *low = error + (a + a) * a_lo;
    return square;
}

/* 1 + a + a_lo = returned + *low for a >= 0 */
FL_INLINE V FN(fl_one_plus_pair)(V a, V a_lo, V *low)
{
    const V one = vsplat(R(1.0)), sum = one + a;
    *low = ((vmax(one, a) - sum) + vmin(one, a)) + a_lo;
    return sum;
}

/* 1 + (a + a_lo)^2 = returned + *low, as precise as that */
FL_INLINE V FN(fl_one_plus_square)(V a, V a_lo, V *low)
{
#if FL_HAS_FMA
    const V sum = FN(fl_fused)(a, a, vsplat(R(1.0))), back = sum - R(1.0);
    const V lost = R(1.0) - (sum - back);
    *low = (FN(fl_fused)(a, a, -back) + lost) + (a + a) * a_lo;
    return sum;
#else
    V square_lo;
    const V square = FN(fl_square_pair)(a, a_lo, &square_lo);
    return FN(fl_one_plus_pair)(square, square_lo, low);
#endif
}

/* (a + a_lo)^2 - 1 = returned + *low, for |a| up to about 1 */
FL_INLINE V FN(fl_square_minus_one)(V a, V a_lo, V *low)
{
#if FL_HAS_FMA
    const V high = FN(fl_fused)(a, a, vsplat(R(-1.0))), back = high + R(1.0);
    const V lost = high - (back - R(1.0));
    *low = (FN(fl_fused)(a, a, -back) - lost) + (a + a) * a_lo;
    return high;
#else
    V square_lo;
    const V square = FN(fl_square_pair)(a, a_lo, &square_lo), high = square - R(1.0);
    *low = (square - (R(1.0) + high)) + square_lo;
    return high;
#endif
}

/* 1 / (a + a_lo) = returned + *low */
FL_INLINE V FN(fl_inverse_pair)(V a, V a_lo, V *low)
{
    const V inverse = R(1.0) / a;
#if FL_HAS_FMA
    const V rest = FN(fl_fused)(-a, inverse, vsplat(R(1.0)));
#else
    V error;
    const V product = FN(fl_product)(a, inverse, &error), rest = (R(1.0) - product) - error;
#endif
    *low = inverse * (rest - inverse * a_lo);
    return inverse;
}

/* 1 + k (a + a_lo), rounded once though it may cancel: how the second derivatives of the redescending
 * losses change sign. */
FL_INLINE V FN(fl_one_plus_multiple)(V a, V a_lo, REAL k)
{
    V error;
    const V product = FN(fl_product)(a, vsplat(k), &error);
    const V sum = R(1.0) + product, back = sum - R(1.0);
    const V lost = (R(1.0) - (sum - back)) + (product - back);
    return sum + ((lost + error) + k * a_lo);
}

/* (a + a_lo) (b + b_lo), rounded once where multiply-adds are fused, else twice */
FL_INLINE V FN(fl_pair_product)(V a, V a_lo, V b, V b_lo)
{
    return a * b + (a * b_lo + a_lo * b);
}

/* The same, rounded once in any case */
FL_INLINE V FN(fl_pair_product_once)(V a, V a_lo, V b, V b_lo)
{
#if FL_HAS_FMA
    return FN(fl_pair_product)(a, a_lo, b, b_lo);
#else
    V error;
    const V product = FN(fl_product)(a, b, &error);
    return product + (error + (a * b_lo + a_lo * b));
#endif
}

/* x (p[0] + p[1]), p[0] the larger: rounded once where multiply-adds are fused, else twice */
FL_INLINE V FN(fl_times_sum)(V x, const REAL *p)
{
    return x * p[0] + x * p[1];
}

/* |r + r_lo| - (p[0] + p[1] + p[2]) = returned + *low, right also where it cancels; p[0] and p[1] of at most
 * 24 bits. Below -p[0] / 2 only the returned number is right. */
FL_INLINE V FN(fl_excess)(V r, V r_lo, const REAL *p, V *low)
{
    const V size = vabs(r), coarse = size - p[0];
    const V lost = vkeep(coarse <= REAL_MAX, (size - coarse) - p[0]);
    const V fine = lost + ((vflip(r_lo, r) - p[1]) - p[2]), sum = coarse + fine;
    *low = (coarse - sum) + fine;
    return sum;
}

/* (r + r_lo) (p[0] + p[1]) = returned + *low to twice the precision, but no further from 0 than SIZE_MOST;
 * *far where it is. p[0] has at most 24 bits and is the same number in both precisions. */
FL_INLINE V FN(fl_scaled_pair)(V r, V r_lo, const REAL *p, V *low, VI *far)
{
    const V most = vsplat(SIZE_MOST);
    const REAL whole = p[0] + p[1], rest = (p[0] - whole) + p[1];
    V error;
    const V product = FN(fl_product)(r, vsplat(whole), &error);
    *far = vabs(product) >= most;
    *low = vkeep(*far == 0, error + (r * rest + r_lo * whole));
    return vmax(-most, vmin(most, product)); /* NaN stays */
}

/* The low part of such a pair without its last bits, which p[0] and p[1] are too short to decide: 1 - q^2 is
 * 0 where it should be. */
FL_INLINE V FN(fl_decided_low)(V q, V q_lo)
{
    const V coarse = q * (REAL)0x1p-24;
    return (q_lo + coarse) - coarse;
}

/* log(w + w_lo) for w >= 1 and low = w_lo / w; not for infinite w. Worst error 1.6 ULP. */
FL_INLINE V FN(fl_log_of_sum)(V w, V low)
{
#if FL_LOOKUP
    const V k = FN(fl_exponent)(w), y = vlog1p_unit(FN(fl_mantissa)(w) - R(1.0));
    return k * LN2_HI + (y + (k * LN2_LO + low));
#else
    VU e;
    const V m = FN(fl_log_split)(w, &e);
    return FN(fl_log_sum)(FN(fl_log_exponent)(e), m - R(1.0)) + low;
#endif
}
