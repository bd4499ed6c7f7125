/* Register transposes: from rows of classes to columns, in which a lane is a sample, and back.
 *
 * Included once per precision. A row is moved in pieces of 128 bits (QUAD classes), which go between memory and
 * their place in a vector through the load and store ports. What is left is a QUAD x QUAD transpose inside
 * every 128-bit lane, two cheap shuffles a vector.
 *
 * The last piece of a row starts QUAD before its end and so overlaps the one before: no piece reads
 * or writes outside its row, whatever the number of classes.
 */
#include "shuffle.h"

#define even_lanes FN(fl_even_lanes)
#define odd_lanes FN(fl_odd_lanes)
#define interleave_low FN(fl_interleave_low)
#define interleave_high FN(fl_interleave_high)
#define transpose_quads FN(fl_transpose_quads)
#define reduce_max FN(fl_reduce_max)

#if FL_VECTOR_BYTES
/* Three classes of three contiguous vectors x: element 3i + k is lane i of class k. Each class is in all three
 * vectors; a first shuffle takes what is in x[0] and x[1], a second adds what is in x[2]. */
#define FL_THIRD(j, k) (3 * (j) + (k))
#define FL_SPLIT_FIRST(j, k) (FL_THIRD(j, k) < 2 * LANES ? FL_THIRD(j, k) : 0)
#define FL_SPLIT_LAST(j, k) (FL_THIRD(j, k) < 2 * LANES ? (j) : FL_THIRD(j, k) - LANES)
/* and back: element e = v LANES + j is class e % 3 of sample e / 3 */
#define FL_ELEMENT(j, v) ((v) * LANES + (j))
#define FL_JOIN_FIRST(j, v) (FL_ELEMENT(j, v) / 3 + (FL_ELEMENT(j, v) % 3 == 1 ? LANES : 0))
#define FL_JOIN_LAST(j, v) (FL_ELEMENT(j, v) % 3 == 2 ? LANES + FL_ELEMENT(j, v) / 3 : (j))
#define FL_SPLIT_0(j) FL_SPLIT_FIRST(j, 0)
#define FL_SPLIT_1(j) FL_SPLIT_FIRST(j, 1)
#define FL_SPLIT_2(j) FL_SPLIT_FIRST(j, 2)
#define FL_SPLIT_LAST_0(j) FL_SPLIT_LAST(j, 0)
#define FL_SPLIT_LAST_1(j) FL_SPLIT_LAST(j, 1)
#define FL_SPLIT_LAST_2(j) FL_SPLIT_LAST(j, 2)
#define FL_JOIN_0(j) FL_JOIN_FIRST(j, 0)
#define FL_JOIN_1(j) FL_JOIN_FIRST(j, 1)
#define FL_JOIN_2(j) FL_JOIN_FIRST(j, 2)
#define FL_JOIN_LAST_0(j) FL_JOIN_LAST(j, 0)
#define FL_JOIN_LAST_1(j) FL_JOIN_LAST(j, 1)
#define FL_JOIN_LAST_2(j) FL_JOIN_LAST(j, 2)

FL_INLINE void FN(fl_split_three)(const REAL *rows, REAL *columns)
{
    const V a = vload(rows), b = vload(rows + LANES), c = vload(rows + 2 * LANES);
    vstore(columns, FL_SHUFFLE(FL_SHUFFLE(a, b, FL_SPLIT_0), c, FL_SPLIT_LAST_0));
    vstore(columns + LANES, FL_SHUFFLE(FL_SHUFFLE(a, b, FL_SPLIT_1), c, FL_SPLIT_LAST_1));
    vstore(columns + 2 * LANES, FL_SHUFFLE(FL_SHUFFLE(a, b, FL_SPLIT_2), c, FL_SPLIT_LAST_2));
}

FL_INLINE void FN(fl_join_columns)(V a, V b, V c, REAL *rows)
{
    vstore(rows, FL_SHUFFLE(FL_SHUFFLE(a, b, FL_JOIN_0), c, FL_JOIN_LAST_0));
    vstore(rows + LANES, FL_SHUFFLE(FL_SHUFFLE(a, b, FL_JOIN_1), c, FL_JOIN_LAST_1));
    vstore(rows + 2 * LANES, FL_SHUFFLE(FL_SHUFFLE(a, b, FL_JOIN_2), c, FL_JOIN_LAST_2));
}

FL_INLINE V even_lanes(V a, V b)
{
    return FL_SHUFFLE(a, b, FL_EVEN);
}

FL_INLINE V odd_lanes(V a, V b)
{
    return FL_SHUFFLE(a, b, FL_ODD);
}

FL_INLINE V interleave_low(V a, V b)
{
    return FL_SHUFFLE(a, b, FL_ALTERNATE);
}

FL_INLINE V interleave_high(V a, V b)
{
    return FL_SHUFFLE(a, b, FL_ALTERNATE_HIGH);
}

/* In every 128-bit lane, element j of v[i] becomes element i of v[j]. */
FL_INLINE void transpose_quads(V v[])
{
#if FL_BITS == 64
    const V a = v[0], b = v[1];
    v[0] = FL_SHUFFLE(a, b, FL_UNPACK);
    v[1] = FL_SHUFFLE(a, b, FL_UNPACK_HIGH);
#else
    const V ab = FL_SHUFFLE(v[0], v[1], FL_UNPACK),
            ab_high = FL_SHUFFLE(v[0], v[1], FL_UNPACK_HIGH);
    const V cd = FL_SHUFFLE(v[2], v[3], FL_UNPACK),
            cd_high = FL_SHUFFLE(v[2], v[3], FL_UNPACK_HIGH);
    v[0] = FL_SHUFFLE(ab, cd, FL_UNPACK_PAIRS);
    v[1] = FL_SHUFFLE(ab, cd, FL_UNPACK_PAIRS_HIGH);
    v[2] = FL_SHUFFLE(ab_high, cd_high, FL_UNPACK_PAIRS);
    v[3] = FL_SHUFFLE(ab_high, cd_high, FL_UNPACK_PAIRS_HIGH);
#endif
}

/* A vector of the pieces at p, p + stride, ... */
FL_INLINE V FN(fl_load_quads)(const REAL *p, ptrdiff_t stride)
{
#if FL_VECTOR_BYTES == 64
    const float *q = (const float *)p;
    stride *= (ptrdiff_t)(sizeof(REAL) / sizeof(float));
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(q));
    v = _mm512_insertf32x4(v, _mm_loadu_ps(q + stride), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps(q + 2 * stride), 2);
    return (V)_mm512_insertf32x4(v, _mm_loadu_ps(q + 3 * stride), 3);
#elif FL_VECTOR_BYTES == 32 && defined(__x86_64__)
    const float *q = (const float *)p;
    stride *= (ptrdiff_t)(sizeof(REAL) / sizeof(float));
    return (V)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(q)),
                                   _mm_loadu_ps(q + stride), 1);
#else
    V v;
    for (ptrdiff_t l = 0; l < LANES / QUAD; l++)
        memcpy((char *)&v + 16 * l, p + l * stride, 16);
    return v;
#endif
}

FL_INLINE void FN(fl_store_quads)(REAL *p, ptrdiff_t stride, V v)
{
#if FL_VECTOR_BYTES == 64
    float *q = (float *)p;
    stride *= (ptrdiff_t)(sizeof(REAL) / sizeof(float));
    _mm_storeu_ps(q, _mm512_castps512_ps128((__m512)v));
    _mm_storeu_ps(q + stride, _mm512_extractf32x4_ps((__m512)v, 1));
    _mm_storeu_ps(q + 2 * stride, _mm512_extractf32x4_ps((__m512)v, 2));
    _mm_storeu_ps(q + 3 * stride, _mm512_extractf32x4_ps((__m512)v, 3));
#elif FL_VECTOR_BYTES == 32 && defined(__x86_64__)
    float *q = (float *)p;
    stride *= (ptrdiff_t)(sizeof(REAL) / sizeof(float));
    _mm_storeu_ps(q, _mm256_castps256_ps128((__m256)v));
    _mm_storeu_ps(q + stride, _mm256_extractf128_ps((__m256)v, 1));
#else
    for (ptrdiff_t l = 0; l < LANES / QUAD; l++)
        memcpy(p + l * stride, (const char *)&v + 16 * l, 16);
#endif
}
#else
FL_INLINE void FN(fl_split_three)(const REAL *rows, REAL *columns)
{
    memcpy(columns, rows, 3 * sizeof(REAL));
}

FL_INLINE void FN(fl_join_columns)(V a, V b, V c, REAL *rows)
{
    rows[0] = a;
    rows[1] = b;
    rows[2] = c;
}

FL_INLINE V even_lanes(V a, V b)
{
    (void)b;
    return a;
}

FL_INLINE V odd_lanes(V a, V b)
{
    (void)a;
    return b;
}

FL_INLINE V interleave_low(V a, V b)
{
    (void)b;
    return a;
}

FL_INLINE V interleave_high(V a, V b)
{
    (void)a;
    return b;
}

FL_INLINE void transpose_quads(V v[])
{
    (void)v;
}

FL_INLINE V FN(fl_load_quads)(const REAL *p, ptrdiff_t stride)
{
    (void)stride;
    return *p;
}

FL_INLINE void FN(fl_store_quads)(REAL *p, ptrdiff_t stride, V v)
{
    (void)stride;
    *p = v;
}
#endif

FL_INLINE void FN(fl_join_three)(const REAL *columns, REAL *rows)
{
    FN(fl_join_columns)(vload(columns), vload(columns + LANES), vload(columns + 2 * LANES), rows);
}

/* Lane i of the result is the largest lane of v[i]; v is used up. */
FL_INLINE V reduce_max(V v[])
{
#if FL_VECTOR_BYTES
    for (ptrdiff_t n = LANES / 2; n >= 1; n /= 2)
        for (ptrdiff_t i = 0; i < n; i++)
            v[i] = vmax(even_lanes(v[2 * i], v[2 * i + 1]), odd_lanes(v[2 * i], v[2 * i + 1]));
#endif
    return v[0];
}

/* The lines of n contiguous elements. */
FL_INLINE void FN(fl_prefetch_run)(const REAL *p, ptrdiff_t n)
{
    const char *from = (const char *)p;
    for (ptrdiff_t b = 0; b < n * (ptrdiff_t)sizeof(REAL); b += 64)
        FL_PREFETCH(from + b, 0);
}

/* QUAD classes from k on of LANES rows, as columns, and back. */
FL_INLINE void FN(fl_load_four)(const REAL *rows, ptrdiff_t sample_stride, ptrdiff_t k, V v[])
{
    for (ptrdiff_t i = 0; i < QUAD; i++)
        v[i] = FN(fl_load_quads)(rows + i * sample_stride + k, QUAD * sample_stride);
    transpose_quads(v);
}

FL_INLINE void FN(fl_store_four)(V v[], ptrdiff_t k, REAL *rows, ptrdiff_t sample_stride)
{
    transpose_quads(v);
    for (ptrdiff_t i = 0; i < QUAD; i++)
        FN(fl_store_quads)(rows + i * sample_stride + k, QUAD * sample_stride, v[i]);
}

/* LANES rows of n_classes >= QUAD <-> columns, vector k for class k */
FL_OUTLINE void FN(fl_columns_from_rows)(const REAL *rows, ptrdiff_t sample_stride,
                                         ptrdiff_t n_classes, REAL *columns)
{
    for (ptrdiff_t k = 0; k < n_classes; k += QUAD) {
        const ptrdiff_t at = k + QUAD <= n_classes ? k : n_classes - QUAD;
        V v[4];
        FN(fl_load_four)(rows, sample_stride, at, v);
        for (ptrdiff_t i = 0; i < QUAD; i++)
            vstore(columns + (at + i) * LANES, v[i]);
    }
}

FL_OUTLINE void FN(fl_rows_from_columns)(const REAL *columns, ptrdiff_t n_classes, REAL *rows,
                                         ptrdiff_t sample_stride)
{
    for (ptrdiff_t k = 0; k < n_classes; k += QUAD) {
        const ptrdiff_t at = k + QUAD <= n_classes ? k : n_classes - QUAD;
        V v[4];
        for (ptrdiff_t i = 0; i < QUAD; i++)
            v[i] = vload(columns + (at + i) * LANES);
        FN(fl_store_four)(v, at, rows, sample_stride);
    }
}

/* Up to LANES samples of an array of any strides, as columns; rows from n_rows on repeat the last one. */
FL_OUTLINE void FN(fl_gather_columns)(const REAL *from, ptrdiff_t sample_stride,
                                      ptrdiff_t class_stride, ptrdiff_t n_rows, ptrdiff_t n_classes,
                                      REAL *columns)
{
    for (ptrdiff_t k = 0; k < n_classes; k++)
        for (ptrdiff_t l = 0; l < LANES; l++)
            columns[k * LANES + l] =
                from[(l < n_rows ? l : n_rows - 1) * sample_stride + k * class_stride];
}

FL_OUTLINE void FN(fl_scatter_columns)(const REAL *columns, ptrdiff_t n_rows, ptrdiff_t n_classes,
                                       REAL *to, ptrdiff_t sample_stride, ptrdiff_t class_stride)
{
    for (ptrdiff_t k = 0; k < n_classes; k++)
        for (ptrdiff_t l = 0; l < n_rows; l++)
            to[l * sample_stride + k * class_stride] = columns[k * LANES + l];
}
