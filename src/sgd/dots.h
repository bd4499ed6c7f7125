/* Dot products of dense rows, in a fixed order of lanes. Included once per precision, after shuffle.h. */
#undef FL_LANES_APART_8
#undef FL_LANES_APART_4
#undef FL_LANES_APART_2
#undef FL_LANES_APART_1
#define FL_LANES_APART_8(j) (((j) + 8) % LANES)
#define FL_LANES_APART_4(j) (((j) + 4) % LANES)
#define FL_LANES_APART_2(j) (((j) + 2) % LANES)
#define FL_LANES_APART_1(j) (((j) + 1) % LANES)

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

/* coef . x; the coefficients behind the last feature are 0 */
FL_INLINE REAL FN(fl_sgd_dot)(const REAL *coef, const REAL *x, ptrdiff_t n_features, VI last)
{
    V even = vsplat(R(0.0)), odd = vsplat(R(0.0));
    const ptrdiff_t n_vectors = (n_features + LANES - 1) / LANES;
    ptrdiff_t v = 0;
    for (; v + 2 < n_vectors; v += 2) {
        even += vload(coef + v * LANES) * vload(x + v * LANES);
        odd += vload(coef + (v + 1) * LANES) * vload(x + (v + 1) * LANES);
    }
    if (v + 1 < n_vectors) {
        even += vload(coef + v * LANES) * vload(x + v * LANES);
        v++;
    }
    odd += vload(coef + v * LANES) * FN(fl_sgd_load_last)(x + v * LANES, n_features, last);
    return FN(fl_fold)(even + odd);
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

/* coef . next and x . next, while half of a later row is fetched, if there is one */
FL_INLINE void FN(fl_sgd_two_dots)(const REAL *coef, const REAL *x, const REAL *next,
                                   const REAL *later, ptrdiff_t n_features, VI last,
                                   REAL *with_coef, REAL *with_x)
{
    V a0 = vsplat(R(0.0)), a1 = vsplat(R(0.0)), b0 = vsplat(R(0.0)), b1 = vsplat(R(0.0)), z;
    const ptrdiff_t n_vectors = (n_features + LANES - 1) / LANES;
    ptrdiff_t v = 0;
    for (; v + 2 < n_vectors; v += 2) {
        const V z0 = vload(next + v * LANES), z1 = vload(next + (v + 1) * LANES);
        if (later)
            FL_PREFETCH(later + v / 2 * LANES, 0);
        a0 += vload(coef + v * LANES) * z0;
        b0 += vload(x + v * LANES) * z0;
        a1 += vload(coef + (v + 1) * LANES) * z1;
        b1 += vload(x + (v + 1) * LANES) * z1;
    }
    if (v + 1 < n_vectors) {
        const V z0 = vload(next + v * LANES);
        a0 += vload(coef + v * LANES) * z0;
        b0 += vload(x + v * LANES) * z0;
        v++;
    }
    z = FN(fl_sgd_load_last)(next + v * LANES, n_features, last);
    a1 += vload(coef + v * LANES) * z;
    b1 += FN(fl_sgd_load_last)(x + v * LANES, n_features, last) * z;
    *with_coef = FN(fl_fold)(a0 + a1);
    *with_x = FN(fl_fold)(b0 + b1);
}

/* coef += times * x, while the other half of that row is: memory never rests */
FL_INLINE void FN(fl_sgd_add)(REAL *coef, const REAL *x, REAL times, const REAL *later,
                              ptrdiff_t n_features, VI last)
{
    const V factor = vsplat(times);
    const ptrdiff_t n_vectors = (n_features + LANES - 1) / LANES;
    ptrdiff_t v = 0;
    if (later)
        for (; v + 2 < n_vectors; v += 2) {
            FL_PREFETCH(later + (n_vectors + v) / 2 * LANES, 0);
            vstore(coef + v * LANES, vload(coef + v * LANES) + factor * vload(x + v * LANES));
            vstore(coef + (v + 1) * LANES,
                   vload(coef + (v + 1) * LANES) + factor * vload(x + (v + 1) * LANES));
        }
    for (; v + 1 < n_vectors; v++)
        vstore(coef + v * LANES, vload(coef + v * LANES) + factor * vload(x + v * LANES));
    vstore(coef + v * LANES, vload(coef + v * LANES) +
                                 factor * FN(fl_sgd_load_last)(x + v * LANES, n_features, last));
}
