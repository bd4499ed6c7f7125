/* Residuals f - y and their multiples in pairs of numbers, high + low: what the losses of a residual
 * that decays, grows like a logarithm or cancels need to be right in their last places. A pair's low
 * part is below one ULP of the high part; both are NaN, or the low part 0, where there is nothing to add.
 */
#define vresidual FN(fl_residual)
#define vflip FN(fl_flip)
#define vscaled_size FN(fl_scaled_size)

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

/* |r + r_lo| (p[0] + p[1]) = returned + *low to twice the precision, but at most SIZE_MOST. p[0] has
 * at most 24 bits and is the same number in both precisions. */
FL_INLINE V vscaled_size(V r, V r_lo, const REAL *p, V *low)
{
    const V size = vabs(r), most = vsplat(SIZE_MOST);
    V error;
    const V product = FN(fl_product)(size, vsplat(p[0]), &error);
    const VI near = product < most; /* beyond it the error may be NaN */
    const V rest = vkeep(near, error + (size * p[1] + vflip(r_lo, r) * p[0]));
    const V high = product + rest;
    *low = vkeep(near, (product - high) + rest);
    return vmin(most, high); /* NaN stays */
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

/* 1 / (a + a_lo) = returned + *low */
FL_INLINE V FN(fl_inverse_pair)(V a, V a_lo, V *low)
{
    V error;
    const V inverse = R(1.0) / a;
    const V product = FN(fl_product)(a, inverse, &error);
    *low = inverse * (((R(1.0) - product) - error) - inverse * a_lo);
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

/* log(1 + q^2) for w + w_lo = 1 + q^2, where q < SIZE_MOST; and beyond that, where q is known only to
 * be large, 2 log |r c| with c = p[0] + p[1], by an exponent out of the way of overflow.
 * Worst error 1.6 ULP. */
FL_INLINE V FN(fl_log1p_square)(V r, V q, V w, V w_lo, const REAL *p)
{
    const REAL shift = (REAL)(FL_BITS == 64 ? 800 : 90),
               scale = FL_BITS == 64 ? 0x1p-800 : 0x1p-90f;
    const V size = vabs(r);
    const VI far = q >= SIZE_MOST;
    const VI huge = far & (size > R(1.0));
    const V moved = vselect(huge, size * scale, size);
    const V x = vselect(far, FN(fl_times_sum)(moved, p), w);
    VU e;
    const V m = FN(fl_log_split)(x, &e);
    const V k = FN(fl_log_exponent)(e) + vkeep(huge, vsplat(shift));
    const V y = FN(fl_log_sum)(k, m - R(1.0));
    /* NaN and infinity are themselves */
    return vselect(x <= REAL_MAX, vselect(far, y + y, y + w_lo / w), x);
}
