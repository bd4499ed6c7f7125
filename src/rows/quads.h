/* Rows to columns and back, QUAD outputs a step, as multiclass/tile.h moves them, but weighed on their way back. The
 * pointers move with the steps, so that all that stands between a load or a store and its address is one of a few
 * strides; the last step ends with the row.
 *
 * Included once per precision, by row_block.inc.
 */

/* LANES rows of n >= QUAD, `stride` apart */
FL_OUTLINE void FN(fl_quads_to_columns)(const REAL *rows, ptrdiff_t stride, ptrdiff_t n,
                                        REAL *columns)
{
    const ptrdiff_t back = -n & (QUAD - 1);
    const REAL *last = rows + (n - QUAD);
    for (;;) {
        V v[4];
        FN(fl_load_four)(rows, stride, 0, v);
        for (ptrdiff_t i = 0; i < QUAD; i++)
            vstore(columns + i * LANES, v[i]);
        if (rows == last)
            return;
        rows += QUAD;
        columns += QUAD * LANES;
        if (rows > last) {
            rows -= back;
            columns -= back * LANES;
        }
    }
}

/* Whether all samples count is a constant. */
FL_INLINE void FN(fl_columns_to_quads_of)(const REAL *columns, ptrdiff_t n, V scaled, VI counts,
                                          int all, REAL *rows, ptrdiff_t stride)
{
    const ptrdiff_t back = -n & (QUAD - 1);
    const REAL *last = columns + (n - QUAD) * LANES;
    for (;;) {
        V v[4];
        for (ptrdiff_t i = 0; i < QUAD; i++) {
            v[i] = vload(columns + i * LANES) * scaled + vsplat(R(0.0));
            if (!all)
                v[i] = vkeep(counts, v[i]);
        }
        FN(fl_store_four)(v, 0, rows, stride);
        if (columns == last)
            return;
        columns += QUAD * LANES;
        rows += QUAD;
        if (columns > last) {
            columns -= back * LANES;
            rows -= back;
        }
    }
}

FL_OUTLINE void FN(fl_columns_to_quads)(const REAL *columns, ptrdiff_t n, V scaled, REAL *rows,
                                        ptrdiff_t stride)
{
    FN(fl_columns_to_quads_of)(columns, n, scaled, vsplat_int(0), 1, rows, stride);
}

FL_OUTLINE void FN(fl_some_columns_to_quads)(const REAL *columns, ptrdiff_t n, V scaled, VI counts,
                                             REAL *rows, ptrdiff_t stride)
{
    FN(fl_columns_to_quads_of)(columns, n, scaled, counts, 0, rows, stride);
}
