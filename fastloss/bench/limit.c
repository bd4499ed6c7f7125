/* The speed of memory: one pass that reads one or two arrays and writes none, one or two; and another array of
 * any size that is only read, for labels of another dtype or shape.
 *
 * Not a part of the library: limit.py compiles it on the machine that is measured. What it computes,
 * the exclusive or of the inputs, costs nothing beside the traffic and does not care for the dtype.
 */
#include <stddef.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif

#define LINE 64
#define PIECE \
    ((size_t)1 << 21) /* that a thread takes at a time: one that is held up holds up no other */
#define INLINE static inline __attribute__((always_inline))
typedef uint64_t Line __attribute__((vector_size(LINE), aligned(1), may_alias));

INLINE void store(char *to, Line x, int stream)
{
#if defined(__AVX512F__)
    if (stream) {
        _mm512_stream_si512((void *)to, (__m512i)x);
        return;
    }
#elif defined(__AVX__)
    if (stream) {
        __m256i half[2];
        __builtin_memcpy(half, &x, LINE);
        _mm256_stream_si256((__m256i *)to, half[0]);
        _mm256_stream_si256((__m256i *)(to + 32), half[1]);
        return;
    }
#endif
    (void)stream;
    *(Line *)to = x;
}

/* Lines that lie far apart in the input are read in turn: one line after the other alone does not keep as many
 * requests under way as memory takes. */
#define STREAMS 4

INLINE Line pass_line(const char *a, const char *b, char *c, char *d, size_t i, int two, int writes,
                      int stream)
{
    Line x = *(const Line *)(a + i);
    if (two)
        x ^= *(const Line *)(b + i);
    if (writes >= 1)
        store(c + i, x, stream);
    if (writes >= 2)
        store(d + i, x, stream);
    return x;
}

INLINE uint64_t run(const char *a, const char *b, char *c, char *d, size_t n, int two, int writes,
                    int stream)
{
    const size_t part = writes ? n : n / (STREAMS * LINE) * LINE;
    Line sums[STREAMS] = {{0}}, sum;
    size_t i = 0;
    for (; i + LINE <= part; i += LINE)
#pragma GCC unroll 4
        for (int s = 0; s < (writes ? 1 : STREAMS); s++)
            sums[s] ^= pass_line(a, b, c, d, (size_t)s * part + i, two, writes, stream);
    for (i = writes ? i : STREAMS * part; i + LINE <= n; i += LINE)
        sums[0] ^= pass_line(a, b, c, d, i, two, writes, stream);
    sum = sums[0] ^ sums[1] ^ sums[2] ^ sums[3];
    return sum[0] ^ sum[1] ^ sum[2] ^ sum[3] ^ sum[4] ^ sum[5] ^ sum[6] ^ sum[7];
}

/* A piece, with every choice known at compile time. */
static uint64_t share(const char *a, const char *b, char *c, char *d, size_t n, int stream)
{
    if (!c)
        return b ? run(a, b, c, d, n, 1, 0, 0) : run(a, b, c, d, n, 0, 0, 0);
    if (!d) {
        if (b)
            return stream ? run(a, b, c, d, n, 1, 1, 1) : run(a, b, c, d, n, 1, 1, 0);
        return stream ? run(a, b, c, d, n, 0, 1, 1) : run(a, b, c, d, n, 0, 1, 0);
    }
    if (b)
        return stream ? run(a, b, c, d, n, 1, 2, 1) : run(a, b, c, d, n, 1, 2, 0);
    return stream ? run(a, b, c, d, n, 0, 2, 1) : run(a, b, c, d, n, 0, 2, 0);
}

/* n bytes of each array; b, c, d may be NULL. The few bytes before the outputs' first cache line and
 * after the last whole one are left out. Streams only if the outputs stand alike to the lines. `labels` has
 * n_labels bytes, of which whole lines are read. */
uint64_t limit_pass(const char *a, const char *b, char *c, char *d, size_t n, const char *labels,
                    size_t n_labels, int stream, int threads)
{
    const size_t skip = (size_t)(-(uintptr_t)(c ? c : a) & (LINE - 1));
    uint64_t sum = 0;
    if (n < 2 * LINE)
        return 0;
    if (d && ((uintptr_t)c - (uintptr_t)d) % LINE)
        stream = 0;
    const size_t end = skip + (n - skip) / LINE * LINE;
    const size_t label_lines = n_labels / LINE;
    const ptrdiff_t n_pieces = (ptrdiff_t)((end - skip + PIECE - 1) / PIECE);
#ifdef _OPENMP
#pragma omp parallel num_threads(threads) reduction(^ : sum)
#endif
    {
#ifdef _OPENMP
#pragma omp for schedule(dynamic, 1)
#endif
        for (ptrdiff_t piece = 0; piece < n_pieces; piece++) {
            const size_t start = skip + (size_t)piece * PIECE;
            const size_t size = end - start < PIECE ? end - start : PIECE;
            sum ^= share(a + start, b ? b + start : b, c ? c + start : c, d ? d + start : d, size,
                         stream);
            const size_t from = label_lines * (size_t)piece / (size_t)n_pieces * LINE;
            const size_t to = label_lines * ((size_t)piece + 1) / (size_t)n_pieces * LINE;
            if (to > from)
                sum ^= share(labels + from, NULL, NULL, NULL, to - from, 0);
        }
#if defined(__x86_64__)
        if (stream)
            _mm_sfence();
#endif
    }
    (void)threads;
    return sum;
}
