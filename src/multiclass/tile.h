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
#define FL_EACH_LANE(f)                                                                         \
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

/* How many pieces a row of n_classes takes, and where piece g starts. */
FL_INLINE ptrdiff_t FN(fl_pieces)(ptrdiff_t n_classes)
{
    return (n_classes + QUAD - 1) / QUAD;
}

FL_INLINE ptrdiff_t FN(fl_piece_start)(ptrdiff_t g, ptrdiff_t n_classes)
{
    const ptrdiff_t last = n_classes > QUAD ? n_classes - QUAD : 0;
    return g * QUAD < last ? g * QUAD : last;
}

/* LANES rows of classes -> vectors of pieces: vector g * QUAD + i holds, in its 128-bit lane l, piece
 * g of row l * QUAD + i. Rows from n_rows on repeat the last one. */
FL_INLINE void FN(fl_pieces_from_rows)(const REAL *rows, ptrdiff_t sample_stride, ptrdiff_t n_rows,
                                       ptrdiff_t n_classes, REAL *pieces)
{
    const size_t bytes = (size_t)(n_classes < QUAD ? n_classes : QUAD) * sizeof(REAL);
    const ptrdiff_t n_pieces = FN(fl_pieces)(n_classes);
    for (ptrdiff_t l = 0; l < LANES / QUAD; l++)
        for (ptrdiff_t i = 0; i < QUAD; i++) {
            const ptrdiff_t r = l * QUAD + i < n_rows ? l * QUAD + i : n_rows - 1;
            const REAL *row = rows + r * sample_stride;
            for (ptrdiff_t g = 0; g < n_pieces; g++)
                if (bytes == QUAD * sizeof(REAL))
                    memcpy(pieces + (g * QUAD + i) * LANES + l * QUAD,
                           row + FN(fl_piece_start)(g, n_classes), QUAD * sizeof(REAL));
                else
                    for (ptrdiff_t k = 0; k < n_classes; k++)
                        pieces[i * LANES + l * QUAD + k] = row[k];
        }
}

/* The reverse; rows from n_rows on are dropped. */
FL_INLINE void FN(fl_pieces_to_rows)(const REAL *pieces, ptrdiff_t n_classes, REAL *rows,
                                     ptrdiff_t sample_stride, ptrdiff_t n_rows)
{
    const ptrdiff_t n_pieces = FN(fl_pieces)(n_classes);
    for (ptrdiff_t l = 0; l < LANES / QUAD; l++)
        for (ptrdiff_t i = 0; i < QUAD && l * QUAD + i < n_rows; i++) {
            REAL *row = rows + (l * QUAD + i) * sample_stride;
            if (n_classes < QUAD)
                for (ptrdiff_t k = 0; k < n_classes; k++)
                    row[k] = pieces[i * LANES + l * QUAD + k];
            else
                for (ptrdiff_t g = 0; g < n_pieces; g++)
                    memcpy(row + FN(fl_piece_start)(g, n_classes),
                           pieces + (g * QUAD + i) * LANES + l * QUAD, QUAD * sizeof(REAL));
        }
}

/* Pieces -> columns, vector k for class k; to has room for QUAD columns at least. */
FL_INLINE void FN(fl_columns_from_pieces)(const REAL *pieces, ptrdiff_t n_classes, REAL *columns)
{
    for (ptrdiff_t g = 0; g < FN(fl_pieces)(n_classes); g++)
        transpose_quads(pieces + g * QUAD * LANES,
                        columns + FN(fl_piece_start)(g, n_classes) * LANES);
}

FL_INLINE void FN(fl_pieces_from_columns)(const REAL *columns, ptrdiff_t n_classes, REAL *pieces)
{
    for (ptrdiff_t g = 0; g < FN(fl_pieces)(n_classes); g++)
        transpose_quads(columns + FN(fl_piece_start)(g, n_classes) * LANES,
                        pieces + g * QUAD * LANES);
}
