/* Copying a finished chunk past the cache.
 *
 * A result that does not fit the cache is not worth a cache line: an ordinary store first reads the
 * line it overwrites, a non-temporal one does not, which saves a third of the traffic of a
 * read-two-write-one pass. The chunk comes from a buffer in L1, so that neither the alignment of the
 * destination nor the store itself concerns the loops that compute.
 *
 * Included once per precision. The only x86 intrinsics of the core stand here, since GNU C
 * has no portable way to ask for such a store.
 */
#define stream_copy FN(fl_stream_copy)

#if FL_VECTOR_BYTES && defined(__x86_64__)
#ifndef FL_STREAM_STORE
#if FL_VECTOR_BYTES == 64
#define FL_STREAM_STORE(to, from) \
    _mm512_stream_si512((__m512i *)(to), _mm512_loadu_si512((const void *)(from)))
#elif FL_VECTOR_BYTES == 32
#define FL_STREAM_STORE(to, from) \
    _mm256_stream_si256((__m256i *)(to), _mm256_loadu_si256((const __m256i *)(from)))
#else
#define FL_STREAM_STORE(to, from) \
    _mm_stream_si128((__m128i *)(to), _mm_loadu_si128((const __m128i *)(from)))
#endif
#define FL_STREAM_FENCE() _mm_sfence()
#endif

FL_INLINE void stream_copy(REAL *to, const REAL *from, ptrdiff_t n)
{
    ptrdiff_t i = 0;
    for (; i < n && ((uintptr_t)(to + i) & (FL_VECTOR_BYTES - 1)); i++)
        to[i] = from[i];
    for (; i + LANES <= n; i += LANES)
        FL_STREAM_STORE(to + i, from + i);
    for (; i < n; i++)
        to[i] = from[i];
}
#else
#ifndef FL_STREAM_FENCE
#define FL_STREAM_FENCE() ((void)0)
#endif

FL_INLINE void stream_copy(REAL *to, const REAL *from, ptrdiff_t n)
{
    memcpy(to, from, (size_t)n * sizeof(REAL));
}
#endif
