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

/* A run of results that is stored past the cache piece by piece, each of any length: whole lines leave, and
 * what does not fill one waits in the buffer. Each piece is first written to fl_lines_room(). Lines leave by
 * fl_lines_flush(), a few at a time while something else is computed: such stores go out no faster than memory
 * takes them, and a load of what was just written in smaller pieces would wait. */
#undef FL_LINE
#define FL_LINE ((ptrdiff_t)(64 / sizeof(REAL)))

typedef struct {
    REAL *line; /* where the buffer's content belongs: a multiple of 64 bytes */
    REAL *buffer; /* 64-aligned, with room for a line more than a piece */
    ptrdiff_t before; /* elements of its first line that are not part of the run */
    ptrdiff_t sent, filled; /* elements: whole lines that have left, and all */
} FN(FlLines);

FL_INLINE FN(FlLines) FN(fl_lines_begin)(REAL *to, REAL *buffer)
{
    const ptrdiff_t before = (ptrdiff_t)(((uintptr_t)to & 63) / sizeof(REAL));
    const FN(FlLines) lines = {to - before, buffer, before, 0, before};
    return lines;
}

/* At most n elements, a multiple of FL_LINE, leave. */
FL_INLINE void FN(fl_lines_flush)(FN(FlLines) * lines, ptrdiff_t n)
{
    ptrdiff_t i = lines->sent, end = lines->filled - lines->filled % FL_LINE;
    end = end - i > n ? i + n : end;
    if (i < end && lines->before) {
        for (i = lines->before; i < FL_LINE; i++)
            lines->line[i] = lines->buffer[i];
        lines->before = 0;
    }
    for (; i < end; i += FL_LINE)
        for (ptrdiff_t j = 0; j < FL_LINE; j += LANES)
            stream_store(lines->line + i + j, vload(lines->buffer + i + j));
    lines->sent = i;
}

/* How many elements each of n steps has to flush until all are gone. */
FL_INLINE ptrdiff_t FN(fl_lines_share)(const FN(FlLines) * lines, ptrdiff_t n)
{
    const ptrdiff_t left = (lines->filled - lines->sent) / FL_LINE;
    return (left + n - 1) / n * FL_LINE;
}

/* Where the next piece goes; whatever has not left does. */
FL_INLINE REAL *FN(fl_lines_room)(FN(FlLines) * lines)
{
    FN(fl_lines_flush)(lines, lines->filled);
    if (lines->sent) {
        memmove(lines->buffer, lines->buffer + lines->sent, 64);
        lines->line += lines->sent;
        lines->filled -= lines->sent;
        lines->sent = 0;
    }
    return lines->buffer + lines->filled;
}

/* n more elements stand in the room. */
FL_INLINE void FN(fl_lines_push)(FN(FlLines) * lines, ptrdiff_t n)
{
    lines->filled += n;
}

/* What is left, the last of it by ordinary stores. */
FL_INLINE void FN(fl_lines_end)(FN(FlLines) * lines)
{
    FN(fl_lines_flush)(lines, lines->filled);
    for (ptrdiff_t i = lines->sent + lines->before; i < lines->filled; i++)
        lines->line[i] = lines->buffer[i];
    lines->before = lines->filled;
}
