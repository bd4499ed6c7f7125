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
#else
    (void)n_classes;
#endif
    return FN(fl_gather)(table, label & ~(label >> (FL_BITS - 1)));
}
