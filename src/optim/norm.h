/* Terms of the norms of gradients, in float64. The sums are dealt round to lanes in the order of the elements,
 * so that a block may be handed over in pieces, if each but the last is a multiple of FL_SUM_LANES long.
 * Included once per precision, after sums.h.
 */
FL_INLINE void FN(fl_norm_add)(FN(fl_sum) * sum, V x, int square)
{
    const V size = vabs(x);
#if FL_VECTOR_BYTES && FL_BITS == 32
    const fl_v_f64 low = vwiden_low(size), high = vwiden_high(size);
    if (square)
        sum->high += high * high;
    else
        sum->high += high;
#else
    const fl_v_f64 low = (fl_v_f64)size;
#endif
    if (square)
        sum->low += low * low;
    else
        sum->low += low;
}

FL_INLINE void FN(fl_norm_sum)(const REAL *x, ptrdiff_t n, double lanes[FL_SUM_LANES], int square)
{
    FN(fl_sum) sums[2];
    ptrdiff_t i = 0;
    memcpy(sums, lanes, sizeof sums);
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        FN(fl_norm_add)(&sums[0], vload(x + i), square);
        FN(fl_norm_add)(&sums[1], vload(x + i + LANES), square);
    }
    if (i + LANES <= n) {
        FN(fl_norm_add)(&sums[0], vload(x + i), square);
        i += LANES;
        if (i < n)
            FN(fl_norm_add)(&sums[1], vload_partial(x + i, n - i, vsplat(R(0.0))), square);
    } else if (i < n) {
        FN(fl_norm_add)(&sums[0], vload_partial(x + i, n - i, vsplat(R(0.0))), square);
    }
    memcpy(lanes, sums, sizeof sums);
}

static void FN(fl_norm_squares)(const void *x, ptrdiff_t n, double lanes[FL_SUM_LANES])
{
    FN(fl_norm_sum)(x, n, lanes, 1);
}

static void FN(fl_norm_sizes)(const void *x, ptrdiff_t n, double lanes[FL_SUM_LANES])
{
    FN(fl_norm_sum)(x, n, lanes, 0);
}

/* The largest |x| in lanes[0]; NaN where one is. Sizes are ordered as their bits, NaN above infinity. */
static void FN(fl_norm_largest)(const void *values, ptrdiff_t n, double lanes[FL_SUM_LANES])
{
    const REAL *x = values;
    FL_ALIGNED REAL largest[LANES];
    VI most = vsplat_int(0), bits;
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        bits = vbits(vabs(vload(x + i)));
        most = vbits(vselect(bits > most, vfrom_bits(bits), vfrom_bits(most)));
    }
    if (LANES > 1 && i < n) {
        bits = vbits(vabs(vload_partial(x + i, n - i, vsplat(R(0.0)))));
        most = vbits(vselect(bits > most, vfrom_bits(bits), vfrom_bits(most)));
    }
    vstore(largest, vfrom_bits(most));
    for (i = 0; i < LANES; i++)
        if (lanes[0] == lanes[0] && !((double)largest[i] <= lanes[0]))
            lanes[0] = (double)largest[i];
}
