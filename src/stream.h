/* Storing past the cache.
 *
 * A result that does not fit the cache is not worth a cache line: an ordinary store first reads the
 * line it overwrites, a non-temporal one does not, which saves a third of the traffic of a
 * read-two-write-one pass.
 *
 * Included once per precision. GNU C has no portable way to ask for such a store: these are x86
 * intrinsics, and elsewhere ordinary stores.
 */
#define stream_store FN(fl_stream_store)
#define stream_copy FN(fl_stream_copy)

#ifndef FL_STREAM_FENCE
#if FL_VECTOR_BYTES && defined(__x86_64__)
/* after the last store, before another thread reads */
#define FL_STREAM_FENCE() _mm_sfence()
#else
#define FL_STREAM_FENCE() ((void)0)
#endif
#endif

/* One vector, to an address that is a multiple of its size. */
FL_INLINE void stream_store(REAL *to, V x)
{
#if FL_VECTOR_BYTES == 64 && defined(__x86_64__)
    _mm512_stream_si512((__m512i *)to, (__m512i)x);
#elif FL_VECTOR_BYTES == 32 && defined(__x86_64__)
    _mm256_stream_si256((__m256i *)to, (__m256i)x);
#elif FL_VECTOR_BYTES && defined(__x86_64__)
    _mm_stream_si128((__m128i *)to, (__m128i)x);
#else
    vstore(to, x);
#endif
}

/* n elements at any address, from the cache. */
FL_INLINE void stream_copy(REAL *to, const REAL *from, ptrdiff_t n)
{
    ptrdiff_t i = 0;
    for (; i < n && ((uintptr_t)(to + i) & (sizeof(V) - 1)); i++)
        to[i] = from[i];
    for (; i + LANES <= n; i += LANES)
        stream_store(to + i, vload(from + i));
    for (; i < n; i++)
        to[i] = from[i];
}
