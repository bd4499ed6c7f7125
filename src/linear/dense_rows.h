/* Dense X in rows. Few features: coefficients, and the sums of the way back, stay in registers, whose
 * number the compiler knows. More: eight rows at a time.
 *
 * Included once per precision, after sum_lanes.h.
 */
#undef FL_FEW_VECTORS
#undef FL_OUTPUTS_FORWARD
#undef FL_OUTPUTS_BACKWARD
#undef FL_VECTORS_BACKWARD
#undef FL_LONG_AHEAD
#define FL_LONG_AHEAD 8192 /* bytes */
#if FL_VECTOR_BYTES == 64 /* 32 registers */
#define FL_FEW_VECTORS 14
#define FL_OUTPUTS_FORWARD 3
#define FL_OUTPUTS_BACKWARD 5
#define FL_VECTORS_BACKWARD 4
#else
#define FL_FEW_VECTORS 6
#define FL_OUTPUTS_FORWARD 1
#define FL_OUTPUTS_BACKWARD 3
#define FL_VECTORS_BACKWARD 3
#endif

/* The lanes of the last vector of a row that hold features. */
FL_INLINE VI FN(fl_last_features)(ptrdiff_t n_features)
{
    FL_ALIGNED INT keep[LANES];
    VI mask;
    for (ptrdiff_t l = 0; l < LANES; l++)
        keep[l] = (n_features - 1) / LANES * LANES + l < n_features ? (INT)-1 : (INT)0;
    memcpy(&mask, keep, sizeof mask);
    return mask;
}

FL_INLINE V FN(fl_load_features)(const REAL *x, ptrdiff_t v, ptrdiff_t n_vectors, VI last)
{
    const V features = vload(x + v * LANES);
    return v + 1 == n_vectors ? vkeep(last, FN(fl_opaque)(features)) : features;
}

/* While rows are computed, as many bytes of the next block are fetched as half of theirs: the way forth brings one
 * half of it, the way back the other, so that memory never rests; without a way back, as many as theirs. The block
 * and the next fit the first cache. `row` counts those of the way back behind those of the way forth. */
FL_INLINE void FN(fl_fetch_next)(const FlLinearBlock *b, ptrdiff_t row, int n_rows, int n_vectors)
{
    const int n_lines = (n_rows * n_vectors * (int)sizeof(V) + 127) / 128;
    const ptrdiff_t row_bytes = b->row_stride * (ptrdiff_t)sizeof(REAL);
    const char *next = (const char *)b->next;
    if (!next)
        return;
    if (b->no_way_back) {
        next += row * row_bytes;
#pragma GCC unroll 64
        for (int line = 0; line < 2 * n_lines; line++)
            FL_PREFETCH(next + 64 * line, 0);
        return;
    }
    next += row * row_bytes / 2;
#pragma GCC unroll 64
    for (int line = 0; line < n_lines; line++)
        FL_PREFETCH(next + 64 * line, 0);
}

/* The part of that for one vector of each of n_rows rows. */
FL_INLINE void FN(fl_fetch_step)(const char *next, ptrdiff_t v, ptrdiff_t n_bytes)
{
    for (ptrdiff_t at = v * n_bytes; at < (v + 1) * n_bytes; at += 64)
        FL_PREFETCH(next + at, 0);
}

FL_INLINE const char *FN(fl_next_half)(const FlLinearBlock *b, ptrdiff_t row)
{
    return (const char *)b->next + row * b->row_stride * (ptrdiff_t)sizeof(REAL) / 2;
}

/* Raw predictions of n_rows rows by n_outputs outputs, both constants. */
FL_INLINE void FN(fl_forward_tile)(const FlLinearBlock *b, ptrdiff_t i, int n_rows, ptrdiff_t k,
                                   int n_outputs, ptrdiff_t n_vectors, VI last)
{
    const REAL *x = (const REAL *)b->x + i * b->row_stride;
    const REAL *coef = (const REAL *)b->coef + k * b->coef_stride;
    const char *next = b->next && k == 0 ? FN(fl_next_half)(b, b->no_way_back ? 2 * i : i) : NULL;
    const ptrdiff_t n_fetched = n_rows * (ptrdiff_t)sizeof(V) / (b->no_way_back ? 1 : 2);
    const ptrdiff_t stride = b->row_stride;
    V sums[FL_OUTPUTS_FORWARD][FL_LINEAR_ROWS];
#pragma GCC unroll 3
    for (int o = 0; o < n_outputs; o++)
#pragma GCC unroll 8
        for (int r = 0; r < FL_LINEAR_ROWS; r++)
            sums[o][r] = vsplat(R(0.0));
    for (ptrdiff_t v = 0; v < n_vectors - 1; v++) {
        if (next)
            FN(fl_fetch_step)(next, v, n_fetched);
#pragma GCC unroll 8
        for (int r = 0; r < n_rows; r++) {
            const V features = vload(x + r * stride + v * LANES);
#pragma GCC unroll 3
            for (int o = 0; o < n_outputs; o++)
                sums[o][r] += features * vload(coef + o * b->coef_stride + v * LANES);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < n_rows; r++) {
        const V features = vload(x + r * stride + (n_vectors - 1) * LANES);
        const V kept = vkeep(last, FN(fl_opaque)(features));
#pragma GCC unroll 3
        for (int o = 0; o < n_outputs; o++)
            sums[o][r] += kept * vload(coef + o * b->coef_stride + (n_vectors - 1) * LANES);
    }
#pragma GCC unroll 3
    for (int o = 0; o < n_outputs; o++)
        FN(fl_sum_lanes)(sums[o], ((const REAL *)b->intercept)[k + o],
                         (REAL *)b->raw + (k + o) * b->raw_stride + i);
}

/* One output, many features: row after row, for memory is quickest where it is read in its order, and as far ahead as
 * the processor itself does not look. */
FL_OUTLINE void FN(fl_long_forward)(const FlLinearBlock *b)
{
    const ptrdiff_t n = b->n_rows, n_vectors = (b->n_features + LANES - 1) / LANES;
    const VI last = FN(fl_last_features)(b->n_features);
    const REAL *coef = b->coef;
    for (ptrdiff_t i = 0; i < n; i += FL_LINEAR_ROWS) {
        V sums[FL_LINEAR_ROWS];
        for (ptrdiff_t r = 0; r < FL_LINEAR_ROWS; r++) {
            const REAL *x = (const REAL *)b->x + (i + r < n ? i + r : n - 1) * b->row_stride;
            V parts[4];
            ptrdiff_t v = 0;
#pragma GCC unroll 4
            for (int p = 0; p < 4; p++)
                parts[p] = vsplat(R(0.0));
            for (; v + 4 < n_vectors; v += 4) {
#pragma GCC unroll 4
                for (int p = 0; p < 4; p++)
                    parts[p] += vload(x + (v + p) * LANES) * vload(coef + (v + p) * LANES);
#pragma GCC unroll 4
                for (int at = 0; at < 4 * (int)sizeof(V); at += 64)
                    FL_PREFETCH((const char *)(x + v * LANES) + FL_LONG_AHEAD + at, 0);
            }
            for (; v + 1 < n_vectors; v++)
                parts[0] += vload(x + v * LANES) * vload(coef + v * LANES);
            parts[1] += vkeep(last, FN(fl_opaque)(vload(x + v * LANES))) * vload(coef + v * LANES);
            sums[r] = (parts[0] + parts[1]) + (parts[2] + parts[3]);
        }
        FN(fl_sum_lanes)(sums, *(const REAL *)b->intercept, (REAL *)b->raw + i);
    }
}

FL_INLINE void FN(fl_forward_outputs)(const FlLinearBlock *b, ptrdiff_t k, int n_outputs)
{
    const ptrdiff_t n = b->n_rows, n_vectors = (b->n_features + LANES - 1) / LANES;
    const VI last = FN(fl_last_features)(b->n_features);
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8)
        FN(fl_forward_tile)(b, i, 8, k, n_outputs, n_vectors, last);
    if (i + 4 <= n) {
        FN(fl_forward_tile)(b, i, 4, k, n_outputs, n_vectors, last);
        i += 4;
    }
    if (i + 2 <= n) {
        FN(fl_forward_tile)(b, i, 2, k, n_outputs, n_vectors, last);
        i += 2;
    }
    if (i < n)
        FN(fl_forward_tile)(b, i, 1, k, n_outputs, n_vectors, last);
}

/* Eight rows of few vectors. */
FL_INLINE void FN(fl_few_tile)(const FlLinearBlock *b, const V coef[], ptrdiff_t i, ptrdiff_t count,
                               int n_vectors, VI last)
{
    const REAL *x = (const REAL *)b->x + i * b->row_stride;
    const REAL intercept = *(const REAL *)b->intercept;
    REAL *raw = (REAL *)b->raw + i;
    V sums[FL_LINEAR_ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < FL_LINEAR_ROWS; r++) {
        const REAL *row = x + (r < count ? r : count - 1) * b->row_stride;
        if (n_vectors >= 3)
            FN(fl_fetch_next)(b, i + r, 1, n_vectors);
        sums[r] = FN(fl_load_features)(row, 0, n_vectors, last) * coef[0];
#pragma GCC unroll 14
        for (int v = 1; v < n_vectors; v++)
            sums[r] += FN(fl_load_features)(row, v, n_vectors, last) * coef[v];
    }
    FN(fl_sum_lanes)(sums, intercept, raw);
}

FL_INLINE void FN(fl_few_forward)(const FlLinearBlock *b, int n_vectors)
{
    const ptrdiff_t n = b->n_rows;
    const VI last = FN(fl_last_features)(b->n_features);
    V coef[FL_FEW_VECTORS];
    ptrdiff_t i = 0;
#pragma GCC unroll 14
    for (int v = 0; v < n_vectors; v++)
        coef[v] = vload((const REAL *)b->coef + v * LANES);
    for (; i + FL_LINEAR_ROWS <= n; i += FL_LINEAR_ROWS) {
        if (n_vectors < 3)
            FN(fl_fetch_next)(b, i, FL_LINEAR_ROWS, n_vectors);
        FN(fl_few_tile)(b, coef, i, FL_LINEAR_ROWS, n_vectors, last);
    }
    if (i < n)
        FN(fl_few_tile)(b, coef, i, n - i, n_vectors, last);
}

/* The way back in as many sums as hide the latency of an addition: several of the same features for few
 * vectors. */
FL_INLINE void FN(fl_few_backward)(const FlLinearBlock *b, int n_vectors)
{
    const int copies = n_vectors == 1 ? 8 : n_vectors == 2 ? 4 : n_vectors <= 4 ? 2 : 1;
    const ptrdiff_t n = b->n_rows, stride = b->row_stride;
    const REAL *x = b->x, *g = b->raw;
    REAL *to = b->sums;
    V sums[16];
    ptrdiff_t i = 0;
#pragma GCC unroll 14
    for (int v = 0; v < n_vectors; v++)
        sums[v] = vload(to + v * LANES);
#pragma GCC unroll 14
    for (int s = n_vectors; s < copies * n_vectors; s++)
        sums[s] = vsplat(R(0.0));
    for (; i + copies <= n; i += copies) {
        FN(fl_fetch_next)(b, n + i, copies, n_vectors);
#pragma GCC unroll 8
        for (int c = 0; c < copies; c++) {
            const V weight = vsplat(g[i + c]);
#pragma GCC unroll 14
            for (int v = 0; v < n_vectors; v++)
                sums[c * n_vectors + v] += weight * vload(x + (i + c) * stride + v * LANES);
        }
    }
    for (; i < n; i++) {
        const V weight = vsplat(g[i]);
#pragma GCC unroll 14
        for (int v = 0; v < n_vectors; v++)
            sums[v] += weight * vload(x + i * stride + v * LANES);
    }
#pragma GCC unroll 8
    for (int c = copies / 2; c >= 1; c /= 2)
#pragma GCC unroll 14
        for (int s = 0; s < c * n_vectors; s++)
            sums[s] += sums[s + c * n_vectors];
#pragma GCC unroll 14
    for (int v = 0; v < n_vectors; v++)
        vstore(to + v * LANES, sums[v]);
}

/* One output, many features: sums are read and written once for n_rows rows, a constant. */
FL_INLINE void FN(fl_backward_group)(const FlLinearBlock *b, ptrdiff_t i, int n_rows)
{
    const ptrdiff_t stride = b->row_stride, n_vectors = (b->n_features + LANES - 1) / LANES;
    const REAL *x = (const REAL *)b->x + i * stride, *g = (const REAL *)b->raw + i;
    const char *next = b->next ? FN(fl_next_half)(b, b->n_rows + i) : NULL;
    const ptrdiff_t n_fetched = n_rows * (ptrdiff_t)sizeof(V) / 2;
    REAL *to = b->sums;
    V weight[FL_LINEAR_ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < n_rows; r++)
        weight[r] = vsplat(g[r]);
    for (ptrdiff_t v = 0; v < n_vectors; v++) {
        V even = vload(to + v * LANES), odd = vsplat(R(0.0));
        if (next)
            FN(fl_fetch_step)(next, v, n_fetched);
#pragma GCC unroll 8
        for (int r = 0; r < n_rows; r++) {
            const V features = vload(x + r * stride + v * LANES);
            if (r % 2)
                odd += weight[r] * features;
            else
                even += weight[r] * features;
        }
        vstore(to + v * LANES, even + odd);
    }
}

/* The last rows first: they are still in the first cache. */
FL_INLINE void FN(fl_backward_rows)(const FlLinearBlock *b)
{
    ptrdiff_t n = b->n_rows;
    if (n & 1)
        FN(fl_backward_group)(b, --n, 1);
    if (n & 2)
        FN(fl_backward_group)(b, n -= 2, 2);
    if (n & 4)
        FN(fl_backward_group)(b, n -= 4, 4);
    while (n > 0)
        FN(fl_backward_group)(b, n -= 8, 8);
}

/* Some outputs by some vectors of features, over all rows of the block. */
FL_INLINE void FN(fl_backward_tile)(const FlLinearBlock *b, ptrdiff_t k, ptrdiff_t v, int n_outputs,
                                    int n_vectors)
{
    const ptrdiff_t n = b->n_rows, stride = b->row_stride, raw_stride = b->raw_stride;
    const REAL *x = (const REAL *)b->x + v * LANES;
    const REAL *g = (const REAL *)b->raw + k * raw_stride;
    REAL *to = (REAL *)b->sums + k * b->coef_stride + v * LANES;
    V sums[FL_OUTPUTS_BACKWARD][FL_VECTORS_BACKWARD];
#pragma GCC unroll 5
    for (int o = 0; o < n_outputs; o++)
#pragma GCC unroll 4
        for (int u = 0; u < n_vectors; u++)
            sums[o][u] = vload(to + o * b->coef_stride + u * LANES);
    for (ptrdiff_t i = 0; i < n; i++) {
        V features[FL_VECTORS_BACKWARD];
#pragma GCC unroll 4
        for (int u = 0; u < n_vectors; u++)
            features[u] = vload(x + i * stride + u * LANES);
#pragma GCC unroll 5
        for (int o = 0; o < n_outputs; o++) {
            const V weight = vsplat(g[o * raw_stride + i]);
#pragma GCC unroll 4
            for (int u = 0; u < n_vectors; u++)
                sums[o][u] += weight * features[u];
        }
    }
#pragma GCC unroll 5
    for (int o = 0; o < n_outputs; o++)
#pragma GCC unroll 4
        for (int u = 0; u < n_vectors; u++)
            vstore(to + o * b->coef_stride + u * LANES, sums[o][u]);
}

#undef FL_FEW
#define FL_FEW(n) \
    FL_OUTLINE void FN(fl_few_forward_##n)(const FlLinearBlock *b) \
    { \
        FN(fl_few_forward)(b, n); \
    } \
    FL_OUTLINE void FN(fl_few_backward_##n)(const FlLinearBlock *b) \
    { \
        FN(fl_few_backward)(b, n); \
    }
FL_FEW(1)
FL_FEW(2)
FL_FEW(3)
FL_FEW(4)
FL_FEW(5)
FL_FEW(6)
#if FL_FEW_VECTORS > 6
FL_FEW(7)
FL_FEW(8)
FL_FEW(9)
FL_FEW(10)
FL_FEW(11)
FL_FEW(12)
FL_FEW(13)
FL_FEW(14)
#endif

FL_OUTLINE void FN(fl_forward_1)(const FlLinearBlock *b, ptrdiff_t k)
{
    FN(fl_forward_outputs)(b, k, 1);
}

FL_OUTLINE void FN(fl_backward_1)(const FlLinearBlock *b)
{
    FN(fl_backward_rows)(b);
}

#if FL_OUTPUTS_FORWARD > 1
FL_OUTLINE void FN(fl_forward_2)(const FlLinearBlock *b, ptrdiff_t k)
{
    FN(fl_forward_outputs)(b, k, 2);
}

FL_OUTLINE void FN(fl_forward_3)(const FlLinearBlock *b, ptrdiff_t k)
{
    FN(fl_forward_outputs)(b, k, 3);
}
#endif

#undef FL_BACKWARD
#define FL_BACKWARD(n) \
    FL_OUTLINE void FN(fl_backward_outputs_##n)(const FlLinearBlock *b, ptrdiff_t k, ptrdiff_t v) \
    { \
        const ptrdiff_t n_vectors = (b->n_features + LANES - 1) / LANES; \
        if (v + FL_VECTORS_BACKWARD <= n_vectors) \
            FN(fl_backward_tile)(b, k, v, n, FL_VECTORS_BACKWARD); \
        else \
            for (; v < n_vectors; v++) \
                FN(fl_backward_tile)(b, k, v, n, 1); \
    }
FL_BACKWARD(1)
FL_BACKWARD(2)
FL_BACKWARD(3)
#if FL_OUTPUTS_BACKWARD > 3
FL_BACKWARD(4)
FL_BACKWARD(5)
#endif

#undef FL_CASE
#define FL_CASE(way, n) \
    case n: \
        FN(fl_few_##way##_##n)(b); \
        return;
#undef FL_CASES
#if FL_FEW_VECTORS > 6
#define FL_CASES(way) \
    FL_CASE(way, 1) \
    FL_CASE(way, 2) \
    FL_CASE(way, 3) \
    FL_CASE(way, 4) \
    FL_CASE(way, 5) \
    FL_CASE(way, 6) \
    FL_CASE(way, 7) \
    FL_CASE(way, 8) \
    FL_CASE(way, 9) \
    FL_CASE(way, 10) FL_CASE(way, 11) FL_CASE(way, 12) FL_CASE(way, 13) FL_CASE(way, 14)
#else
#define FL_CASES(way) \
    FL_CASE(way, 1) FL_CASE(way, 2) FL_CASE(way, 3) FL_CASE(way, 4) FL_CASE(way, 5) FL_CASE(way, 6)
#endif

FL_INLINE void FN(fl_rows_forward)(const FlLinearBlock *b)
{
    ptrdiff_t k = 0;
    if (b->n_outputs == 1)
        switch ((b->n_features + LANES - 1) / LANES) {
            FL_CASES(forward)
        default:
            if (b->n_features * (ptrdiff_t)sizeof(REAL) > FL_LINEAR_LONG_ROW) {
                FN(fl_long_forward)(b);
                return;
            }
        }
#if FL_OUTPUTS_FORWARD > 1
    for (; k + 3 <= b->n_outputs; k += 3)
        FN(fl_forward_3)(b, k);
    if (k + 2 == b->n_outputs) {
        FN(fl_forward_2)(b, k);
        k += 2;
    }
#endif
    for (; k < b->n_outputs; k++)
        FN(fl_forward_1)(b, k);
}

FL_INLINE void FN(fl_rows_backward)(const FlLinearBlock *b)
{
    const ptrdiff_t n_vectors = (b->n_features + LANES - 1) / LANES;
    if (b->n_outputs == 1) {
        switch (n_vectors) {
            FL_CASES(backward)
        default:
            FN(fl_backward_1)(b);
        }
        return;
    }
    for (ptrdiff_t v = 0; v < n_vectors; v += FL_VECTORS_BACKWARD) {
        ptrdiff_t k = 0;
        for (; k + FL_OUTPUTS_BACKWARD <= b->n_outputs; k += FL_OUTPUTS_BACKWARD)
#if FL_OUTPUTS_BACKWARD > 3
            FN(fl_backward_outputs_5)(b, k, v);
        if (b->n_outputs - k == 4)
            FN(fl_backward_outputs_4)(b, k, v);
        if (b->n_outputs - k == 3)
            FN(fl_backward_outputs_3)(b, k, v);
#else
            FN(fl_backward_outputs_3)(b, k, v);
#endif
        if (b->n_outputs - k == 2)
            FN(fl_backward_outputs_2)(b, k, v);
        if (b->n_outputs - k == 1)
            FN(fl_backward_outputs_1)(b, k, v);
    }
}
