/* What belongs to the labels of LANES samples.
 *
 * Included once per precision, after real.h and vecmath.h.
 */
FL_INLINE VI FN(fl_load_labels)(const INT *label)
{
    VI v;
    memcpy(&v, label, sizeof v);
    return v;
}

/* table[label]; anything for ignored ones */
FL_INLINE V FN(fl_of_label)(const REAL *table, ptrdiff_t n_classes, VI label)
{
#if FL_VECTOR_BYTES == 64
    if (n_classes <= LANES) {
        const V some = vload_partial(table, n_classes, vsplat(R(0.0)));
#if FL_BITS == 64
        return (V)_mm512_permutexvar_pd((__m512i)label, (__m512d)some);
#else
        return (V)_mm512_permutexvar_ps((__m512i)label, (__m512)some);
#endif
    }
#elif FL_VECTOR_BYTES == 32 && defined(__AVX2__)
    if (n_classes <= LANES) {
        VI lane;
        for (ptrdiff_t l = 0; l < LANES; l++)
            lane[l] = (INT)l;
        const __m256i there = (__m256i)(lane < vsplat_int((INT)n_classes));
#if FL_BITS == 64 /* by halves: there is no such instruction for whole ones */
        const __m256 some = _mm256_castpd_ps(_mm256_maskload_pd(table, there));
        const __m256i halves = _mm256_shuffle_epi32((__m256i)(label + label), 0xa0);
        const __m256i at = _mm256_add_epi32(halves, _mm256_set1_epi64x((int64_t)1 << 32));
        return (V)_mm256_permutevar8x32_ps(some, at);
#else
        return (V)_mm256_permutevar8x32_ps(_mm256_maskload_ps(table, there), (__m256i)label);
#endif
    }
#else
    (void)n_classes;
#endif
    return FN(fl_gather)(table, label & ~(label >> (FL_BITS - 1)));
}
