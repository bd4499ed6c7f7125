/* Storing past the cache a whole vector at a time, where a vector is a line, at any address. What a line has of the
 * vector before waits in a register: not in a buffer as stream.h's, whose addresses may be taken for those of what is
 * read. Elsewhere than with AVX-512 nothing is stored.
 *
 * Included once per precision, after stream.h.
 */
typedef struct {
    REAL *line; /* where the next vector begins, but for `before`: a multiple of 64 bytes */
    ptrdiff_t before; /* elements of its line that stand before it */
    int begun; /* whether these are of the vector before, not before the run */
    V waiting;
    VI order;
} FN(FlShifted);

FL_INLINE FN(FlShifted) FN(fl_shifted_begin)(REAL *to)
{
    const ptrdiff_t before = (ptrdiff_t)(((uintptr_t)to & 63) / sizeof(REAL));
    FN(FlShifted) shifted = {to - before, before, 0, vsplat(R(0.0)), vsplat_int(0)};
#if FL_VECTOR_BYTES == 64
    for (ptrdiff_t j = 0; j < LANES; j++)
        shifted.order[j] = (INT)(j + LANES - before);
#endif
    return shifted;
}

FL_INLINE void FN(fl_shifted_store)(FN(FlShifted) * shifted, V x)
{
#if FL_VECTOR_BYTES == 64
#if FL_BITS == 64
    const V line =
        (V)_mm512_permutex2var_pd((__m512d)shifted->waiting, (__m512i)shifted->order, (__m512d)x);
#else
    const V line =
        (V)_mm512_permutex2var_ps((__m512)shifted->waiting, (__m512i)shifted->order, (__m512)x);
#endif
    if (FL_LIKELY(shifted->begun || !shifted->before))
        stream_store(shifted->line, line);
    else
        vstore_partial(shifted->line + shifted->before, LANES - shifted->before, x);
    shifted->begun = 1;
    shifted->waiting = x;
    shifted->line += LANES;
#else
    (void)shifted, (void)x;
#endif
}

/* The last n < LANES elements, and what waits; nothing more if it is asked again. */
FL_INLINE void FN(fl_shifted_end)(FN(FlShifted) * shifted, ptrdiff_t n, V x)
{
    FL_ALIGNED REAL rest[2 * LANES];
    vstore(rest, shifted->waiting);
    vstore(rest + LANES, x);
    for (ptrdiff_t j = shifted->begun ? -shifted->before : 0; j < n; j++)
        shifted->line[shifted->before + j] = rest[LANES + j];
    shifted->before = shifted->begun = 0;
}
