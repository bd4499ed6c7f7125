/* Dot products of dense rows, in a fixed order of lanes. Included once per precision, after shuffle.h. */
#undef FL_LANES_APART_8
#undef FL_LANES_APART_4
#undef FL_LANES_APART_2
#undef FL_LANES_APART_1
#define FL_LANES_APART_8(j) ((j) ^ 8)
#define FL_LANES_APART_4(j) ((j) ^ 4)
#define FL_LANES_APART_2(j) ((j) ^ 2)
#define FL_LANES_APART_1(j) ((j) ^ 1)

FL_INLINE REAL FN(fl_first)(V x)
{
    REAL first;
    memcpy(&first, &x, sizeof first);
    return first;
}

/* The sum of the lanes. */
FL_INLINE REAL FN(fl_fold)(V x)
{
#if FL_VECTOR_BYTES * 8 / FL_BITS >= 16
    x += FL_SHUFFLE(x, x, FL_LANES_APART_8);
#endif
#if FL_VECTOR_BYTES * 8 / FL_BITS >= 8
    x += FL_SHUFFLE(x, x, FL_LANES_APART_4);
#endif
#if FL_VECTOR_BYTES * 8 / FL_BITS >= 4
    x += FL_SHUFFLE(x, x, FL_LANES_APART_2);
#endif
#if FL_VECTOR_BYTES
    x += FL_SHUFFLE(x, x, FL_LANES_APART_1);
#endif
    return FN(fl_first)(x);
}

/* All bits in the lanes of the last vector that hold one of so many features. */
FL_INLINE VI FN(fl_sgd_last)(ptrdiff_t n_features)
{
    INT bits[LANES];
    VI last;
    for (ptrdiff_t l = 0; l < LANES; l++)
        bits[l] = l <= (n_features - 1) % LANES ? -1 : 0;
    memcpy(&last, bits, sizeof last);
    return last;
}

/* The last vector of a row; with AVX-512 nothing behind the row is read: it could be a line more to wait for. */
FL_INLINE V FN(fl_sgd_load_last)(const REAL *x, ptrdiff_t n_features, VI last)
{
#if FL_VECTOR_BYTES == 64
    (void)last;
    return vload_partial(x, (n_features - 1) % LANES + 1, vsplat(R(0.0)));
#else
    (void)n_features;
    return vfrom_bits(vbits(vload(x)) & last);
#endif
}

/* x . x */
FL_INLINE REAL FN(fl_sgd_square)(const REAL *x, ptrdiff_t n_features, VI last)
{
    const ptrdiff_t n_vectors = (n_features + LANES - 1) / LANES;
    V sum = vsplat(R(0.0)), z;
    ptrdiff_t v = 0;
    for (; v + 1 < n_vectors; v++) {
        z = vload(x + v * LANES);
        sum += z * z;
    }
    z = FN(fl_sgd_load_last)(x + v * LANES, n_features, last);
    return FN(fl_fold)(sum + z * z);
}

/* One vector of a pass. */
FL_INLINE void FN(fl_sgd_pass_vector)(REAL *coef, V factor, V x, V near, V next, REAL *copy,
                                      int moves, V *with_coef, V *with_near)
{
    V w = vload(coef);
    if (moves) {
        w += factor * x;
        vstore(coef, w);
    }
    if (copy)
        vstore(copy, next);
    *with_coef += w * next;
    *with_near += near * next;
}

/* coef += times * x if it moves, and coef . next then, in one pass, with near . next if there is a near row. The
 * coefficients behind the last feature are 0. The next row is copied if there is room for it, a later one is fetched
 * if there is one. */
FL_INLINE REAL FN(fl_sgd_pass)(REAL *coef, const REAL *x, REAL times, const REAL *near,
                               const REAL *next, REAL *copy, const REAL *later,
                               ptrdiff_t n_features, VI last, int moves, REAL *with_near)
{
    const V zero = vsplat(R(0.0)), factor = vsplat(times);
    V a0 = zero, a1 = zero, b0 = zero, b1 = zero;
    ptrdiff_t at = 0;
    for (; at + 2 * LANES < n_features; at += 2 * LANES) {
        const ptrdiff_t then = at + LANES;
        if (later)
#pragma GCC unroll 2
            for (int k = 0; k < 2 * (int)sizeof(V); k += 64)
                FL_PREFETCH_FAR((const char *)(later + at) + k);
        FN(fl_sgd_pass_vector)(coef + at, factor, moves ? vload(x + at) : zero,
                               near ? vload(near + at) : zero, vload(next + at),
                               copy ? copy + at : NULL, moves, &a0, &b0);
        FN(fl_sgd_pass_vector)(coef + then, factor, moves ? vload(x + then) : zero,
                               near ? vload(near + then) : zero, vload(next + then),
                               copy ? copy + then : NULL, moves, &a1, &b1);
    }
    if (later)
        fl_sgd_fetch_far(later + at, (n_features - at) * (ptrdiff_t)sizeof(REAL));
    if (at + LANES < n_features) {
        FN(fl_sgd_pass_vector)(coef + at, factor, moves ? vload(x + at) : zero,
                               near ? vload(near + at) : zero, vload(next + at),
                               copy ? copy + at : NULL, moves, &a0, &b0);
        at += LANES;
    }
    FN(fl_sgd_pass_vector)(coef + at, factor,
                           moves ? FN(fl_sgd_load_last)(x + at, n_features, last) : zero,
                           near ? FN(fl_sgd_load_last)(near + at, n_features, last) : zero,
                           FN(fl_sgd_load_last)(next + at, n_features, last),
                           copy ? copy + at : NULL, moves, &a1, &b1);
    if (near)
        *with_near = FN(fl_fold)(b0 + b1);
    return FN(fl_fold)(a0 + a1);
}

/* coef . x */
FL_OUTLINE REAL FN(fl_sgd_dot)(REAL *coef, const REAL *x, ptrdiff_t n_features, VI last)
{
    return FN(fl_sgd_pass)(coef, NULL, R(0.0), NULL, x, NULL, NULL, n_features, last, 0, NULL);
}

/* coef . next and x . next */
FL_OUTLINE void FN(fl_sgd_two_dots)(REAL *coef, const REAL *x, const REAL *next,
                                    ptrdiff_t n_features, VI last, REAL *with_coef, REAL *with_x)
{
    *with_coef =
        FN(fl_sgd_pass)(coef, NULL, R(0.0), x, next, NULL, NULL, n_features, last, 0, with_x);
}

/* coef += times * x */
FL_OUTLINE void FN(fl_sgd_add)(REAL *coef, const REAL *x, REAL times, ptrdiff_t n_features, VI last)
{
    (void)FN(fl_sgd_pass)(coef, x, times, NULL, x, NULL, NULL, n_features, last, 1, NULL);
}
