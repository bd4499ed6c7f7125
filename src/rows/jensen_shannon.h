/* Jensen-Shannon divergence (Lin 1991) of targets q and p = softmax(f), m = (p + q) / 2:
 * sum_k (q_k log(q_k / m_k) + p_k log(p_k / m_k)) / 2, in nats. With a_k = log(p_k / m_k) / 2,
 * r_k = q_k / (p_k + q_k), A and B the means of a and r under p:
 *     gradient = p_k (a_k - A)
 *     Hessian  = p_k (1 - 2 p_k) (a_k - A) + p_k ((1 - p_k) r_k - p_k (r_k - B)) / 2
 * or at least its last term, which never is negative, the mean of r_i (p_k - [i = k])^2 / 2: that of a divergence
 * convex in p, as Gauss and Newton have it.
 * The terms cancel where p is near q: the error is in ULP of the largest one. Parameters: p[0] = 1 for
 * the bounded Hessian.
 */
#include "rows/pairs.h"

#include "vecmath/log_by_table.h"

/* log(2 p / (p + q)) and log(2 q / (p + q)) are log(1 + d) and log(1 - d), d = |p - q| / (p + q), which of them is
 * which by the larger of p and q. One division serves both: below d = 1/2 the quotient is d, handed on as -d,
 * else 1 - d = 2 min(p, q) / (p + q); neither cancels when the other is made of it.
 */
FL_INLINE V FN(fl_smaller_quotient)(V p, V q)
{
    const V both = p + q, d = vabs(p - q), twice = vmin(q, p) + vmin(q, p);
    return vselect(d < twice, -d, twice) / both;
}

/* log(1 + d) */
FL_INLINE V FN(fl_log_of_larger)(V quotient)
{
    return vlog1p_unit(vselect_negative(quotient, -quotient, R(1.0) - quotient));
}

/* log(1 - d) */
FL_INLINE V FN(fl_log_of_smaller)(V quotient)
{
    const V one = vsplat(R(1.0)), x = vselect_negative(quotient, one + quotient, quotient);
    V k;
    /* near 1 of d itself, times 2^-k = 1 - k */
#if FL_LOOKUP
    /* not 0, to which a quotient by a large target may fall; NaN stays */
    const V above = vmax(vfrom_bits(vsplat_int(1)), x);
    V minus_log;
    const V m = FN(fl_log_table_split)(above, &k), a = FN(fl_log_table)(m, &minus_log);
    const V scaled = a * (one - k);
    const V u = vselect_negative(quotient, quotient, m) * vselect_negative(quotient, scaled, a) +
                vselect_negative(quotient, scaled - one, -one);
    return FN(fl_log_table_sum)(k, minus_log, u);
#else
    const V m = FN(fl_log_reduce)(x, &k);
    return FN(fl_log_sum)(k, vselect_negative(quotient, quotient * (one - k) - k, m - one));
#endif
}

/* e / sum to about half an ULP more than e has, by the inverse of the sum in two parts. */
FL_INLINE V FN(fl_jensen_share)(V e, const FN(FlRowSoftmax) * s, V inverse_low)
{
#if FL_HAS_FMA
    return e * s->inverse + FN(fl_opaque)(e * inverse_low);
#else
    (void)inverse_low;
    return FN(fl_row_share)(e, vsplat(R(0.0)), s);
#endif
}

/* r of targets q and shares p: 0 where both are */
FL_INLINE V FN(fl_jensen_part)(V p, V q)
{
    const V both = p + q;
    return vselect(both > R(0.0), q / both, vsplat(R(0.0)));
}

/* a_k twice, of the quotient and the logarithm that is always of use */
FL_INLINE V FN(fl_jensen_log)(V p, V q, V quotient, V more, V *less)
{
    *less = FN(fl_log_of_smaller)(quotient);
    return vkeep((p > R(0.0)) | (p != p), vselect(p < q, *less, more));
}

/* 1 - p_k */
FL_INLINE V FN(fl_jensen_not)(const FN(FlPairSoftmax) * s, FN(FlPair) e)
{
    return FN(fl_pair_whole)(pair_times(FN(fl_pair_others)(s, e), s->inverse));
}

/* The last term of the Hessian, as (1 - p_k)^2 r_k and p_k times the sum of the other p_i r_i. That one is what all
 * have less its own, but of the class that has most of p, for which little is left. */
FL_INLINE void FN(fl_jensen_shannon_bounded)(const FN(FlRowTile) * t, const FN(FlPairSoftmax) * s,
                                             V share)
{
    const V zero = vsplat(R(0.0)), most = vsplat(R(0.625));
    REAL *products = t->hessian, *r_of = t->gradient;
    V aside = zero, lost = zero;
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V p = vload(t->room[2] + k * LANES);
        const V r = FN(fl_jensen_part)(p, vload(t->target + k * LANES));
        const V product = FN(fl_opaque)(p * r);
        vstore(products + k * LANES, product);
        vstore(r_of + k * LANES, r);
        add_carrying(&aside, &lost, vselect(p > most, zero, product));
    }
    aside = aside + lost;
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V p = vload(t->room[2] + k * LANES), product = vload(products + k * LANES);
        const V not_p = FN(fl_jensen_not)(s, pair_load(t->room[0], t->room[1], k));
        const V others = vmax(zero, vselect(p > most, aside, share - product));
        const V own = FN(fl_opaque)(not_p * not_p) * vload(r_of + k * LANES);
        vstore(t->hessian + k * LANES, R(0.5) * p * (own + FN(fl_opaque)(p * others)));
    }
}

/* The Hessian, of shares that are rounded once, and of their logarithms. t.gradient is of use until the gradient is
 * known. */
FL_INLINE void FN(fl_jensen_shannon_hessian)(const FN(FlRowTile) * tile)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const V zero = vsplat(R(0.0)), half = vsplat(R(0.5));
    const int bounded = t.p[0] > R(0.0);
    REAL *e = t.room[0], *e_low = t.room[1], *share_of_p = t.room[2], *a = t.room[3];
    REAL *quotient = t.gradient;
    const FN(FlPairSoftmax) s = FN(fl_pair_softmax)(t.f, t.n, vsplat_int(-1), e, e_low);
    V mean = zero, mean_lost = zero, share = zero, share_lost = zero;
    for (ptrdiff_t k = 0; k < t.n; k++) {
        const V p = FN(fl_pair_whole)(pair_times(pair_load(e, e_low, k), s.inverse));
        vstore(share_of_p + k * LANES, p);
        vstore(quotient + k * LANES, FN(fl_smaller_quotient)(p, vload(t.target + k * LANES)));
    }
    for (ptrdiff_t k = 0; k < t.n; k++)
        vstore(a + k * LANES, FN(fl_log_of_larger)(vload(quotient + k * LANES)));
    for (ptrdiff_t k = 0; k < t.n; k++) {
        const V p = vload(share_of_p + k * LANES), q = vload(t.target + k * LANES);
        V less;
        vstore(a + k * LANES,
               FN(fl_jensen_log)(p, q, vload(quotient + k * LANES), vload(a + k * LANES), &less));
    }
    for (ptrdiff_t k = 0; k < t.n; k++) {
        const V p = vload(share_of_p + k * LANES), q = vload(t.target + k * LANES);
        add_carrying(&mean, &mean_lost, FN(fl_opaque)(p * vload(a + k * LANES)));
        add_carrying(&share, &share_lost, FN(fl_opaque)(p * FN(fl_jensen_part)(p, q)));
    }
    mean = mean + mean_lost;
    share = share + share_lost;
    if (FL_UNLIKELY(bounded))
        FN(fl_jensen_shannon_bounded)(&t, &s, share);
    for (ptrdiff_t k = 0; k < t.n; k++) {
        const FN(FlPair) x = pair_load(e, e_low, k), p = pair_times(x, s.inverse);
        const V gap = vload(a + k * LANES) - mean, bent = gap - (p.high + p.high) * gap;
        V sum = bent;
        if (FL_UNLIKELY(bounded))
            sum = vmax(zero, bent);
        else {
            const V whole = vload(share_of_p + k * LANES);
            const V r = FN(fl_jensen_part)(whole, vload(t.target + k * LANES));
            sum = bent + (FN(fl_jensen_not)(&s, x) * r - whole * (r - share));
        }
        /* p last, so that nothing is rounded with it but once */
        sum = FN(fl_pair_whole)(pair_times(p, pair_of(half * sum)));
        if (FL_UNLIKELY(bounded))
            sum = vload(t.hessian + k * LANES) + sum;
        vstore(t.hessian + k * LANES, sum);
    }
}

/* In loops of one logarithm at most, for each is a long chain. wants is a constant where that pays. */
FL_INLINE V FN(fl_jensen_shannon_for)(const FN(FlRowTile) * tile, int wants)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const V zero = vsplat(R(0.0)), half = vsplat(R(0.5));
    REAL *e = t.room[0], *a = t.room[1], *share_of_p = t.room[2], *of_target = t.room[3];
    REAL *quotient = t.gradient; /* until the gradient is known */
    const FN(FlRowSoftmax) s = FN(fl_row_softmax)(t.f, t.n, vsplat_int(-1), e);
    V other = zero, other_lost = zero, mean = zero, mean_lost = zero, error;
    const V back = FN(fl_product)(s.inverse, s.sum, &error);
    const V inverse_low = (((R(1.0) - back) - error) - s.inverse * s.sum_low) * s.inverse;
    for (ptrdiff_t k = 0; k < t.n; k++) {
        const V p = FN(fl_jensen_share)(vload(e + k * LANES), &s, inverse_low);
        vstore(share_of_p + k * LANES, p);
        vstore(quotient + k * LANES, FN(fl_smaller_quotient)(p, vload(t.target + k * LANES)));
    }
    for (ptrdiff_t k = 0; k < t.n; k++)
        vstore(a + k * LANES, FN(fl_log_of_larger)(vload(quotient + k * LANES)));
    for (ptrdiff_t k = 0; k < t.n; k++) { /* 2 a_k, and 2 log(q_k / m_k) */
        const V q = vload(t.target + k * LANES), p = vload(share_of_p + k * LANES);
        const V more = vload(a + k * LANES);
        V less;
        vstore(a + k * LANES, FN(fl_jensen_log)(p, q, vload(quotient + k * LANES), more, &less));
        vstore(of_target + k * LANES, vkeep(q > zero, vselect(p < q, more, less)));
    }
    for (ptrdiff_t k = 0; k < t.n; k++) {
        const V q = vload(t.target + k * LANES), p = vload(share_of_p + k * LANES);
        /* halved first: the sum of large targets' terms may be beyond all numbers where its half is not */
        add_carrying(&other, &other_lost, FN(fl_opaque)((half * q) * vload(of_target + k * LANES)));
        add_carrying(&mean, &mean_lost, FN(fl_opaque)(p * vload(a + k * LANES)));
    }
    const V mean_half = half * mean, sum = two_sum(mean_half, other, &error);
    const V loss = sum + (error + (half * mean_lost + other_lost));
    mean = mean + mean_lost;
    for (ptrdiff_t k = 0; k < t.n && (wants & FL_WANT_GRADIENT); k++) {
        const V gap = half * (vload(a + k * LANES) - mean);
        vstore(t.gradient + k * LANES, FN(fl_opaque)(vload(share_of_p + k * LANES) * gap));
    }
    return loss;
}

FL_INLINE V FN(jensen_shannon)(const FN(FlRowTile) * t, int wants)
{
    if (wants & FL_WANT_HESSIAN)
        FN(fl_jensen_shannon_hessian)(t);
    if (wants == (FL_WANT_LOSS | FL_WANT_GRADIENT))
        return FN(fl_jensen_shannon_for)(t, FL_WANT_LOSS | FL_WANT_GRADIENT);
    return FN(fl_jensen_shannon_for)(t, wants);
}
