/* Register transposes: from rows of classes to columns, in which a lane is a sample, and back.
 *
 * Included once per precision. A row is moved in pieces of 128 bits (QUAD classes): copying sixteen
 * bytes to their place in a vector goes through the load and store ports, which these kernels leave
 * idle, where a whole-vector butterfly would go through the ports that compute exponentials. What is
 * left is a QUAD x QUAD transpose inside every 128-bit lane, two cheap shuffles a vector.
 *
 * The last piece of a row starts QUAD before its end and so overlaps the one before: no piece reads
 * or writes outside its row, whatever the number of classes.
 */
#ifndef FL_OUTLINE
/* A hot loop that is to have all registers for itself. */
#if defined(__GNUC__)
#define FL_OUTLINE static __attribute__((noinline))
#else
#define FL_OUTLINE static
#endif
#endif

#ifndef FL_PREFETCH
/* A line that will be read (0) or written (1) soon. The kernels alternate between steps that compute and
 * steps that move memory; the former can fetch for the latter. */
#if defined(__GNUC__)
#define FL_PREFETCH(address, write) __builtin_prefetch(address, write)
#else
#define FL_PREFETCH(address, write) ((void)(address))
#endif
#endif

#undef QUAD
#undef FL_EACH_LANE
#undef FL_SHUFFLE

#if FL_VECTOR_BYTES
#define QUAD ((ptrdiff_t)(16 / sizeof(REAL)))
#else
#define QUAD ((ptrdiff_t)1)
#endif

#define unpack_low FN(fl_unpack_low)
#define unpack_high FN(fl_unpack_high)
#define even_lanes FN(fl_even_lanes)
#define odd_lanes FN(fl_odd_lanes)
#define interleave_low FN(fl_interleave_low)
#define interleave_high FN(fl_interleave_high)
#define transpose_quads FN(fl_transpose_quads)
#define reduce_max FN(fl_reduce_max)

#if FL_VECTOR_BYTES
#if FL_VECTOR_BYTES * 8 / FL_BITS == 2
#define FL_EACH_LANE(f) f(0), f(1)
#elif FL_VECTOR_BYTES * 8 / FL_BITS == 4
#define FL_EACH_LANE(f) f(0), f(1), f(2), f(3)
#elif FL_VECTOR_BYTES * 8 / FL_BITS == 8
#define FL_EACH_LANE(f) f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7)
#else
#define FL_EACH_LANE(f) \
    f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7), f(8), f(9), f(10), f(11), f(12), f(13), f(14), \
        f(15)
#endif

/* f(j) is the source of lane j: below LANES from a, above from b. */
#if defined(__clang__)
#define FL_SHUFFLE(a, b, f) __builtin_shufflevector(a, b, FL_EACH_LANE(f))
#else
#define FL_SHUFFLE(a, b, f) __builtin_shuffle(a, b, (VI){FL_EACH_LANE(f)})
#endif

#define FL_EVEN(j) (2 * (j))
#define FL_ODD(j) (2 * (j) + 1)
#define FL_ALTERNATE(j) ((j) / 2 + (j) % 2 * LANES)
#define FL_ALTERNATE_HIGH(j) (FL_ALTERNATE(j) + LANES / 2)
#define FL_UNPACK(j) ((j) / QUAD * QUAD + (j) % QUAD / 2 + (j) % 2 * LANES)
#define FL_UNPACK_HIGH(j) (FL_UNPACK(j) + QUAD / 2)
#define FL_UNPACK_PAIRS(j) ((j) / 4 * 4 + (j) % 2 + (j) % 4 / 2 * LANES)
#define FL_UNPACK_PAIRS_HIGH(j) (FL_UNPACK_PAIRS(j) + 2)

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

FL_INLINE void FN(fl_join_three)(const REAL *columns, REAL *rows)
{
    const V a = vload(columns), b = vload(columns + LANES), c = vload(columns + 2 * LANES);
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

/* In every 128-bit lane, from[i][j] becomes to[j][i]. */
FL_INLINE void transpose_quads(const REAL *from, REAL *to)
{
#if FL_BITS == 64
    const V a = vload(from), b = vload(from + LANES);
    vstore(to, FL_SHUFFLE(a, b, FL_UNPACK));
    vstore(to + LANES, FL_SHUFFLE(a, b, FL_UNPACK_HIGH));
#else
    const V a = vload(from), b = vload(from + LANES);
    const V c = vload(from + 2 * LANES), d = vload(from + 3 * LANES);
    const V ab = FL_SHUFFLE(a, b, FL_UNPACK), ab_high = FL_SHUFFLE(a, b, FL_UNPACK_HIGH);
    const V cd = FL_SHUFFLE(c, d, FL_UNPACK), cd_high = FL_SHUFFLE(c, d, FL_UNPACK_HIGH);
    vstore(to, FL_SHUFFLE(ab, cd, FL_UNPACK_PAIRS));
    vstore(to + LANES, FL_SHUFFLE(ab, cd, FL_UNPACK_PAIRS_HIGH));
    vstore(to + 2 * LANES, FL_SHUFFLE(ab_high, cd_high, FL_UNPACK_PAIRS));
    vstore(to + 3 * LANES, FL_SHUFFLE(ab_high, cd_high, FL_UNPACK_PAIRS_HIGH));
#endif
}
#else
FL_INLINE void FN(fl_split_three)(const REAL *rows, REAL *columns)
{
    memcpy(columns, rows, 3 * sizeof(REAL));
}

FL_INLINE void FN(fl_join_three)(const REAL *columns, REAL *rows)
{
    memcpy(rows, columns, 3 * sizeof(REAL));
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

FL_INLINE void transpose_quads(const REAL *from, REAL *to)
{
    *to = *from;
}
#endif

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

/* Vectors in a tile of LANES rows of n_classes once it is cut into pieces. */
FL_INLINE ptrdiff_t FN(fl_tile_vectors)(ptrdiff_t n_classes)
{
    return (n_classes + QUAD - 1) / QUAD * QUAD;
}

/* Rows of classes -> vectors of pieces: vector g * QUAD + i holds, in its 128-bit lane l, piece g of row
 * l * QUAD + i. n_rows >= 1; rows from n_rows on repeat the last one. */
FL_INLINE void FN(fl_cut_rows)(const REAL *rows, ptrdiff_t sample_stride, ptrdiff_t n_rows,
                               ptrdiff_t n_classes, ptrdiff_t n_pieces, REAL *pieces)
{
    for (ptrdiff_t l = 0; l < LANES / QUAD; l++)
        for (ptrdiff_t i = 0; i < QUAD; i++) {
            const ptrdiff_t r = l * QUAD + i;
            const REAL *row = rows + (r < n_rows ? r : n_rows - 1) * sample_stride;
            REAL *to = pieces + i * LANES + l * QUAD;
            for (ptrdiff_t g = 0; g < n_pieces - 1; g++)
                memcpy(to + g * QUAD * LANES, row + g * QUAD, QUAD * sizeof(REAL));
            memcpy(to + (n_pieces - 1) * QUAD * LANES, row + n_classes - QUAD, QUAD * sizeof(REAL));
        }
}

/* The reverse; rows from n_rows on are dropped. */
FL_INLINE void FN(fl_join_rows)(const REAL *pieces, ptrdiff_t n_classes, ptrdiff_t n_pieces,
                                REAL *rows, ptrdiff_t sample_stride, ptrdiff_t n_rows)
{
    for (ptrdiff_t l = 0; l < LANES / QUAD; l++)
        for (ptrdiff_t i = 0; i < QUAD; i++) {
            const ptrdiff_t r = l * QUAD + i;
            const REAL *from = pieces + i * LANES + l * QUAD;
            REAL *row = rows + r * sample_stride;
            if (r >= n_rows)
                return;
            for (ptrdiff_t g = 0; g < n_pieces - 1; g++)
                memcpy(row + g * QUAD, from + g * QUAD * LANES, QUAD * sizeof(REAL));
            memcpy(row + n_classes - QUAD, from + (n_pieces - 1) * QUAD * LANES,
                   QUAD * sizeof(REAL));
        }
}

/* Both for up to LANES rows of any number of classes: straight-line code for a few pieces a row. */
FL_OUTLINE void FN(fl_pieces_from_rows)(const REAL *rows, ptrdiff_t sample_stride, ptrdiff_t n_rows,
                                        ptrdiff_t n_classes, REAL *pieces)
{
    const ptrdiff_t n_pieces = (n_classes + QUAD - 1) / QUAD;
    if (n_classes < QUAD)
        for (ptrdiff_t r = 0; r < LANES; r++)
            for (ptrdiff_t k = 0; k < n_classes; k++)
                pieces[r % QUAD * LANES + r / QUAD * QUAD + k] =
                    rows[(r < n_rows ? r : n_rows - 1) * sample_stride + k];
    else if (n_rows < LANES || n_pieces > 5)
        FN(fl_cut_rows)(rows, sample_stride, n_rows, n_classes, n_pieces, pieces);
    else if (n_pieces == 1)
        FN(fl_cut_rows)(rows, sample_stride, LANES, n_classes, 1, pieces);
    else if (n_pieces == 2)
        FN(fl_cut_rows)(rows, sample_stride, LANES, n_classes, 2, pieces);
    else if (n_pieces == 3)
        FN(fl_cut_rows)(rows, sample_stride, LANES, n_classes, 3, pieces);
    else if (n_pieces == 4)
        FN(fl_cut_rows)(rows, sample_stride, LANES, n_classes, 4, pieces);
    else
        FN(fl_cut_rows)(rows, sample_stride, LANES, n_classes, 5, pieces);
}

FL_OUTLINE void FN(fl_pieces_to_rows)(const REAL *pieces, ptrdiff_t n_classes, REAL *rows,
                                      ptrdiff_t sample_stride, ptrdiff_t n_rows)
{
    const ptrdiff_t n_pieces = (n_classes + QUAD - 1) / QUAD;
    if (n_classes < QUAD)
        for (ptrdiff_t r = 0; r < n_rows; r++)
            for (ptrdiff_t k = 0; k < n_classes; k++)
                rows[r * sample_stride + k] = pieces[r % QUAD * LANES + r / QUAD * QUAD + k];
    else if (n_rows < LANES || n_pieces > 5)
        FN(fl_join_rows)(pieces, n_classes, n_pieces, rows, sample_stride, n_rows);
    else if (n_pieces == 1)
        FN(fl_join_rows)(pieces, n_classes, 1, rows, sample_stride, LANES);
    else if (n_pieces == 2)
        FN(fl_join_rows)(pieces, n_classes, 2, rows, sample_stride, LANES);
    else if (n_pieces == 3)
        FN(fl_join_rows)(pieces, n_classes, 3, rows, sample_stride, LANES);
    else if (n_pieces == 4)
        FN(fl_join_rows)(pieces, n_classes, 4, rows, sample_stride, LANES);
    else
        FN(fl_join_rows)(pieces, n_classes, 5, rows, sample_stride, LANES);
}

/* Pieces -> columns, vector k for class k, in room for fl_tile_vectors(n_classes). */
FL_INLINE void FN(fl_columns_from_pieces)(const REAL *pieces, ptrdiff_t n_classes, REAL *columns)
{
    ptrdiff_t k = 0;
    for (; k + QUAD < n_classes; k += QUAD)
        transpose_quads(pieces + k * LANES, columns + k * LANES);
    transpose_quads(pieces + k * LANES,
                    columns + (n_classes > QUAD ? n_classes - QUAD : 0) * LANES);
}

FL_INLINE void FN(fl_pieces_from_columns)(const REAL *columns, ptrdiff_t n_classes, REAL *pieces)
{
    ptrdiff_t k = 0;
    for (; k + QUAD < n_classes; k += QUAD)
        transpose_quads(columns + k * LANES, pieces + k * LANES);
    transpose_quads(columns + (n_classes > QUAD ? n_classes - QUAD : 0) * LANES,
                    pieces + k * LANES);
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
