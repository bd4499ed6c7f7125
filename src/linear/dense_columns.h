/* Dense X in columns (Fortran order): rows are lanes, eight columns at a time.
 *
 * Included once per precision, after dense_rows.h.
 */
enum { FN(fl_columns_together) = 8 };

/* n <= LANES rows of n_columns columns, a constant, added to raw. */
FL_INLINE void FN(fl_columns_step)(const REAL *x, ptrdiff_t column_stride, const V coef[],
                                   int n_columns, ptrdiff_t n, REAL *raw)
{
    const V zero = vsplat(R(0.0));
    V sum = n == LANES ? vload(raw) : vload_partial(raw, n, zero);
#pragma GCC unroll 8
    for (int c = 0; c < n_columns; c++) {
        const REAL *at = x + c * column_stride;
        sum += coef[c] * (n == LANES ? vload(at) : vload_partial(at, n, zero));
    }
    if (n == LANES)
        vstore(raw, sum);
    else
        vstore_partial(raw, n, sum);
}

FL_INLINE void FN(fl_columns_add)(const FlLinearBlock *b, ptrdiff_t j, int n_columns,
                                  const REAL *numbers, REAL *raw)
{
    const ptrdiff_t n = b->n_rows;
    const REAL *x = (const REAL *)b->x + j * b->column_stride;
    V coef[FN(fl_columns_together)];
    ptrdiff_t i = 0;
#pragma GCC unroll 8
    for (int c = 0; c < n_columns; c++)
        coef[c] = vsplat(numbers[j + c]);
    for (; i + LANES <= n; i += LANES)
        FN(fl_columns_step)(x + i, b->column_stride, coef, n_columns, LANES, raw + i);
    if (LANES > 1 && i < n)
        FN(fl_columns_step)(x + i, b->column_stride, coef, n_columns, n - i, raw + i);
}

FL_OUTLINE void FN(fl_columns_forward)(const FlLinearBlock *b)
{
    const ptrdiff_t n = b->n_rows, d = b->n_features, together = FN(fl_columns_together);
    for (ptrdiff_t k = 0; k < b->n_outputs; k++) {
        const REAL *coef = (const REAL *)b->coef + k * b->coef_stride;
        REAL *raw = (REAL *)b->raw + k * b->raw_stride;
        ptrdiff_t j = 0;
        for (ptrdiff_t i = 0; i < n; i++)
            raw[i] = ((const REAL *)b->intercept)[k];
        for (; j + together <= d; j += together)
            FN(fl_columns_add)(b, j, 8, coef, raw);
        if (j + 4 <= d) {
            FN(fl_columns_add)(b, j, 4, coef, raw);
            j += 4;
        }
        if (j + 2 <= d) {
            FN(fl_columns_add)(b, j, 2, coef, raw);
            j += 2;
        }
        if (j < d)
            FN(fl_columns_add)(b, j, 1, coef, raw);
    }
}

FL_INLINE void FN(fl_columns_sum)(const FlLinearBlock *b, ptrdiff_t j, int n_columns, const REAL *g,
                                  REAL *to)
{
    const ptrdiff_t n = b->n_rows;
    const REAL *x = (const REAL *)b->x + j * b->column_stride;
    const V zero = vsplat(R(0.0));
    REAL totals[FL_LINEAR_ROWS];
    V sums[FN(fl_columns_together)];
    ptrdiff_t i = 0;
#pragma GCC unroll 8
    for (int c = 0; c < FN(fl_columns_together); c++)
        sums[c] = zero;
    for (; i + LANES <= n; i += LANES) {
        const V weight = vload(g + i);
#pragma GCC unroll 8
        for (int c = 0; c < n_columns; c++)
            sums[c] += weight * vload(x + c * b->column_stride + i);
    }
    if (LANES > 1 && i < n) {
        const V weight = vload_partial(g + i, n - i, zero);
#pragma GCC unroll 8
        for (int c = 0; c < n_columns; c++)
            sums[c] += weight * vload_partial(x + c * b->column_stride + i, n - i, zero);
    }
    FN(fl_sum_lanes)(sums, R(0.0), totals);
    for (int c = 0; c < n_columns; c++)
        to[j + c] += totals[c];
}

FL_OUTLINE void FN(fl_columns_backward)(const FlLinearBlock *b)
{
    const ptrdiff_t d = b->n_features, together = FN(fl_columns_together);
    for (ptrdiff_t k = 0; k < b->n_outputs; k++) {
        const REAL *g = (const REAL *)b->raw + k * b->raw_stride;
        REAL *to = (REAL *)b->sums + k * b->coef_stride;
        ptrdiff_t j = 0;
        for (; j + together <= d; j += together)
            FN(fl_columns_sum)(b, j, 8, g, to);
        if (j + 4 <= d) {
            FN(fl_columns_sum)(b, j, 4, g, to);
            j += 4;
        }
        if (j + 2 <= d) {
            FN(fl_columns_sum)(b, j, 2, g, to);
            j += 2;
        }
        if (j < d)
            FN(fl_columns_sum)(b, j, 1, g, to);
    }
}
