/* Eight vectors to the eight sums of their lanes, each plus a number. Included once per precision, after shuffle.h. */
#undef FL_EVEN_QUADS
#undef FL_ODD_QUADS

#if FL_VECTOR_BYTES
#define FL_EVEN_QUADS(j) ((j) / QUAD * 2 * QUAD + (j) % QUAD)
#define FL_ODD_QUADS(j) (FL_EVEN_QUADS(j) + QUAD)

/* What half as many lanes hold of two vectors: sums of two lanes each, first a's, then b's; by lanes next to
 * each other, by pairs of them, by 128 bits. */
FL_INLINE V FN(fl_halve)(V a, V b)
{
    return FL_SHUFFLE(a, b, FL_UNPACK) + FL_SHUFFLE(a, b, FL_UNPACK_HIGH);
}

#if FL_BITS == 32
FL_INLINE V FN(fl_halve_pairs)(V a, V b)
{
    return FL_SHUFFLE(a, b, FL_UNPACK_PAIRS) + FL_SHUFFLE(a, b, FL_UNPACK_PAIRS_HIGH);
}
#endif

#if FL_VECTOR_BYTES > 16
FL_INLINE V FN(fl_halve_quads)(V a, V b)
{
    return FL_SHUFFLE(a, b, FL_EVEN_QUADS) + FL_SHUFFLE(a, b, FL_ODD_QUADS);
}
#endif
#endif

FL_INLINE void FN(fl_sum_lanes)(const V a[FL_LINEAR_ROWS], REAL plus, REAL *out)
{
#if !FL_VECTOR_BYTES
    for (int r = 0; r < FL_LINEAR_ROWS; r++)
        out[r] = a[r] + plus;
#else
    const V ab = FN(fl_halve)(a[0], a[1]), cd = FN(fl_halve)(a[2], a[3]);
    const V ef = FN(fl_halve)(a[4], a[5]), gh = FN(fl_halve)(a[6], a[7]);
#if FL_BITS == 64 && FL_VECTOR_BYTES == 16
    vstore(out, ab + plus);
    vstore(out + 2, cd + plus);
    vstore(out + 4, ef + plus);
    vstore(out + 6, gh + plus);
#elif FL_BITS == 64 && FL_VECTOR_BYTES == 32
    vstore(out, FN(fl_halve_quads)(ab, cd) + plus);
    vstore(out + 4, FN(fl_halve_quads)(ef, gh) + plus);
#elif FL_BITS == 64
    vstore(out, FN(fl_halve_quads)(FN(fl_halve_quads)(ab, cd), FN(fl_halve_quads)(ef, gh)) + plus);
#else
    const V abcd = FN(fl_halve_pairs)(ab, cd), efgh = FN(fl_halve_pairs)(ef, gh);
#if FL_VECTOR_BYTES == 16
    vstore(out, abcd + plus);
    vstore(out + 4, efgh + plus);
#elif FL_VECTOR_BYTES == 32
    vstore(out, FN(fl_halve_quads)(abcd, efgh) + plus);
#else
    const V both = FN(fl_halve_quads)(abcd, efgh);
    const V sums = FN(fl_halve_quads)(both, both) + plus;
    memcpy(out, &sums, FL_LINEAR_ROWS * sizeof(REAL));
#endif
#endif
#endif
}

/* The sum of n gradients, in float64. */
FL_INLINE double FN(fl_sum_gradients)(const REAL *g, ptrdiff_t n)
{
    double lanes[sizeof(FN(fl_sum)) / sizeof(double)];
    FN(fl_sum) sum = FN(fl_no_sum)();
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES)
        FN(fl_sum_add)(&sum, vload(g + i));
    if (LANES > 1 && i < n)
        FN(fl_sum_add)(&sum, vload_partial(g + i, n - i, vsplat(R(0.0))));
    memcpy(lanes, &sum, sizeof sum);
    for (size_t width = sizeof sum / sizeof(double) / 2; width >= 1; width /= 2)
        for (size_t l = 0; l < width; l++)
            lanes[l] += lanes[l + width];
    return lanes[0];
}
