/* log(w) where 1 / w is known already: it takes the place of a division and of half the polynomial. */

/* With L = log(1 + f), f as in fl_log_tail(), and x = f^2 / (1 + f) it is sinh L = f - x / 2 and cosh L = 1 + x / 2,
 * so that L / sinh L is a function of x, which is 0.122 at most and far from the nearest singularity, -4. This is
 * L / x - sinh L / x. */
FL_INLINE V FN(fl_log_rest_by_x)(V f, V x)
{
    /* (L / sinh L - 1) / x */
#if FL_BITS == 64
    static const double c[] = {-0.16666666666666663,    0.033333333333323244,
                               -0.007142857141935006,   0.0015873015464869745,
                               -0.0003607493598073203,  8.32357415467654e-05,
                               -1.9305209696661533e-05, 4.025630742425664e-06};
#else
    static const float c[] = {-0.16666666f, 0.033332922f, -0.0071325894f, 0.0014851778f};
#endif
    const V series = FN(fl_polynomial)(x, FN(fl_opaque)(x * x), c, sizeof c / sizeof *c);
    return (f - R(0.5) * x) * series;
}

/* log(1 + f) - f, given inverse = 1 / (1 + f) to a few ULP: good enough beside f */
FL_INLINE V FN(fl_log_tail_by_inverse)(V f, V inverse)
{
    const V x = FN(fl_opaque)(f * (f * inverse));
    return x * (FN(fl_log_rest_by_x)(f, x) - R(0.5));
}

/* 1 / m for w = 2^k m and v = 1 / w: v 2^k by the bits of the exponent */
FL_INLINE V FN(fl_inverse_of_part)(V v, V w, V m)
{
    return FN(fl_from_ubits)(FN(fl_ubits)(v) + (FN(fl_ubits)(w) - FN(fl_ubits)(m)));
}

/* log(w + w_lo), low = w_lo v, for w >= 1 and v = 1 / w to a few ULP; not for infinite w. Worst error 1.6 ULP. */
FL_INLINE V FN(fl_log_of_inverse)(V w, V low, V v)
{
#if FL_LOOKUP
    (void)v;
    return FN(fl_log_of_sum)(w, low);
#else
    VU e;
    const V m = FN(fl_log_split)(w, &e), f = m - R(1.0), k = FN(fl_log_exponent)(e);
    const V a = k * LN2_HI, sum = a + f, lost = (a - sum) + f;
    return sum + ((lost + low) +
                  (k * LN2_LO + FN(fl_log_tail_by_inverse)(f, FN(fl_inverse_of_part)(v, w, m))));
#endif
}

/* log(q^2) for q = r (p[0] + p[1]) at least SIZE_MOST and r finite */
FL_INLINE V FN(fl_log_of_far_square)(V r, const REAL *p)
{
    /* a vector: the compiler computes a scalar anew in each rare case */
    const V scale = FN(fl_opaque)(vsplat(p[0] + p[1])) * (1 / SIZE_MOST);
    const REAL beyond = (REAL)(FL_BITS == 64 ? 1022 : 126) * (LN2_HI + LN2_LO);
    const V log = FN(fl_log_of_sum)(vabs(r) * scale, vsplat(R(0.0)));
    return (log + log) + beyond;
}
