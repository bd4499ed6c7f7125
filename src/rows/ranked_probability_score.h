/* Ranked probability score (Epstein 1969) of p = softmax(f) for ordered classes: the sum over k < n - 1 of
 * (P_k - [y <= k])^2, P_k = p_0 + ... + p_k. With Q_k = 1 - P_k, summed from the other end, the terms are
 * P_k^2 before the label and Q_k^2 from it on. With D_k = P_k or -Q_k:
 *     gradient = 2 p_j (sum_{k >= j} D_k Q_k - sum_{k < j} D_k P_k)
 *     Hessian  = (1 - 2 p_j) gradient + 2 p_j^2 (sum_{k >= j} Q_k^2 + sum_{k < j} P_k^2)
 * or at least its last term, which never is negative, twice the squares of the slopes of P_k, as Gauss and Newton
 * have it.
 * The two sums of the gradient have terms of both signs. All sums are those of e^(f - max), which a power of
 * their own sum divides at the end; those of float32 are float64. Parameters:
 * p[0] = -infinity, or 0 for the bounded Hessian.
 */

#if FL_BITS == 64
#include "rows/pairs.h"

/* e^x for x <= 0, that of -700 below, to 2^-28: of short chains, for results of float32. NaN stays: what is added
 * to its bits is 0, for a number that was float32 has none that low. */
FL_INLINE V FN(fl_score_exp)(V x)
{
    /* (e^r - 1 - r) / r^2 for |r| <= ln2/2 */
    static const double c[] = {0.4999999345167114, 0.1666652068927879, 0.041668387367783825,
                               0.00836870989145493, 0.0013814613121415032};
    const V shift = vround_shift(), bounded = vmax(vsplat(-700.0), x);
    const V shifted = bounded * LOG2_E + shift, n = shifted - shift;
    const V r = bounded - n * 0x1.62e42fefa39efp-1, r2 = r * r;
    const V p = (1.0 + r) + r2 * ((c[0] + c[1] * r) + r2 * ((c[2] + c[3] * r) + r2 * c[4]));
#if FL_VECTOR_BYTES == 64
    return (V)FL_MM(scalef)(p, n);
#else
    return FN(fl_from_ubits)(FN(fl_ubits)(p) + (FN(fl_ubits)(shifted) << MANTISSA_BITS));
#endif
}

/* *sum += term, neither negative, by Fast2Sum; what is lost to rounding joins *lost. */
FL_INLINE void FN(fl_score_add)(V *sum, V *lost, V term)
{
    const V larger = vmax(*sum, term), smaller = vmin(*sum, term);
    *sum = *sum + term;
    *lost = *lost + (smaller - (*sum - larger));
}

/* The same for terms of any sign; what is lost is thrown away unless carried, a constant. */
FL_INLINE void FN(fl_score_carry)(V *sum, V *lost, V term, int carried)
{
    if (carried) {
        V error;
        *sum = FN(fl_two_sum)(*sum, term, &error);
        *lost = *lost + error;
    } else
        *sum = *sum + term;
}

/* Loss and gradient. wants is a constant where that pays; so is carried, whether the sums of the gradient are. */
FL_INLINE V FN(fl_score_sums)(const FN(FlRowTile) * tile, int wants, int carried)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const int bends = wants & FL_WANT_GRADIENT;
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    REAL *e = t.room[0], *under = t.room[1], *tail = t.room[2];
    REAL *tail_low = t.gradient; /* until the gradient is known */
    V max = vload(t.f), sum = zero, low = zero, loss = zero, lost = zero;
    for (ptrdiff_t k = 1; k < t.n; k++)
        max = vmax(vload(t.f + k * LANES), max); /* NaN comes back through the exponentials */
    for (ptrdiff_t k = 0; k < t.n; k++) { /* alone: each is a long chain */
        V error;
        const V d = FN(fl_two_sum)(vload(t.f + k * LANES), -max, &error);
        vstore(e + k * LANES, FN(fl_exp_of_difference)(d, error));
    }
    for (ptrdiff_t k = 0; k < t.n; k++) { /* P_k */
        FN(fl_score_add)(&sum, &low, vload(e + k * LANES));
        vstore(under + k * LANES, sum + low);
    }
    /* 1 / sum, its square and twice its third power */
    V back, error;
    const V all = sum + low, all_low = low - (all - sum), inverse = one / all;
    back = FN(fl_product)(inverse, all, &error);
    const V inverse_low = inverse * (((one - back) - error) - inverse * all_low);
    const V square = FN(fl_product)(inverse, inverse, &error);
    const V square_low = error + (inverse + inverse) * inverse_low;
    const V cube = FN(fl_product)(square, inverse, &error);
    const V cube_low = error + (square_low * inverse + square * inverse_low);
    const V twice = cube + cube, twice_low = cube_low + cube_low;

    VI behind = vsplat_int((INT)(t.n - 2)) - t.label; /* below 0 before the label */
    V after = zero, after_low = zero;
    sum = low = zero;
    if (bends)
        vstore(tail + (t.n - 1) * LANES, zero);
    if (bends && carried)
        vstore(tail_low + (t.n - 1) * LANES, zero);
    for (ptrdiff_t k = t.n - 2; k >= 0;
         k--, behind = behind - vsplat_int(1)) { /* Q_k, and sums from k on */
        FN(fl_score_add)(&sum, &low, vload(e + (k + 1) * LANES));
        const V p = vload(under + k * LANES), q = sum + low;
        const V d = vselect_negative(vfrom_bits(behind), p, -q);
        FN(fl_score_add)(&loss, &lost, FN(fl_opaque)(d * d));
        if (bends) {
            FN(fl_score_carry)(&after, &after_low, FN(fl_opaque)(d * q), carried);
            vstore(tail + k * LANES, after);
            if (carried)
                vstore(tail_low + k * LANES, after_low);
            vstore(under + k * LANES, d * p);
        }
    }
    V head = zero, head_low = zero;
    for (ptrdiff_t j = 0; j < t.n && bends; j++) {
        V sides = vload(tail + j * LANES) - head; /* both may be a multiple of what is left */
        if (carried)
            sides = sides + (vload(tail_low + j * LANES) - head_low);
        FN(fl_score_carry)(&head, &head_low, vload(under + j * LANES), carried);
        vstore(t.gradient + j * LANES,
               vload(e + j * LANES) * FN(fl_opaque)(twice * sides + twice_low * sides));
    }
    return loss * square + (loss * square_low + lost * square);
}

/* The Hessian, in pairs up to its last sum. */
FL_INLINE void FN(fl_score_hessian)(const FN(FlRowTile) * tile)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const int bounded = t.p[0] == R(0.0);
    const FN(FlPair) zero = pair_of(vsplat(R(0.0))), one = pair_of(vsplat(R(1.0)));
    REAL *e = t.room[0], *e_low = t.room[1], *under = t.room[2], *under_low = t.room[3];
    REAL *tail = t.gradient; /* of which nothing is known yet */
    REAL *tail_low = (REAL *)t.target; /* of which labels have none */
    REAL *squares = t.hessian;
    const FN(FlPairSoftmax) s = FN(fl_pair_softmax)(t.f, t.n, t.label, e, e_low);
    const FN(FlPair) square = pair_times(s.inverse, s.inverse);
    FN(FlPair) sum = zero, after = zero, bend = zero;
    for (ptrdiff_t k = 0; k < t.n; k++) { /* P_k */
        sum = pair_sum(sum, pair_load(e, e_low, k));
        pair_store(under, under_low, k, sum);
    }
    VI behind = vsplat_int((INT)(t.n - 2)) - t.label; /* below 0 before the label */
    sum = zero;
    pair_store(tail, tail_low, t.n - 1, zero);
    vstore(squares + (t.n - 1) * LANES, zero.high);
    for (ptrdiff_t k = t.n - 2; k >= 0;
         k--, behind = behind - vsplat_int(1)) { /* Q_k, and sums from k on */
        const FN(FlPair) p = pair_load(under, under_low, k),
                         q = pair_sum(sum, pair_load(e, e_low, k + 1));
        const FN(FlPair) minus = {-q.high, -q.low},
                         d = pair_select(behind < vsplat_int(0), p, minus);
        sum = q;
        after = pair_sum(after, pair_times(d, q));
        pair_store(tail, tail_low, k, after);
        pair_store(under, under_low, k, pair_times(d, p));
        bend = pair_sum(bend, pair_times(q, q));
        vstore(squares + k * LANES, bend.high + bend.low);
    }
    FN(FlPair) head = zero, nearer = zero;
    sum = zero;
    for (ptrdiff_t j = 0; j < t.n; j++) {
        const FN(FlPair) x = pair_load(e, e_low, j), p = pair_times(x, s.inverse);
        const FN(FlPair) minus = {-head.high, -head.low},
                         less = {p.high * R(-2.0), p.low * R(-2.0)};
        const FN(FlPair) sides = pair_times(pair_sum(pair_load(tail, tail_low, j), minus), square);
        const FN(FlPair) both =
            pair_times(pair_sum(nearer, pair_of(vload(squares + j * LANES))), square);
        const FN(FlPair) bent = pair_times(pair_times(p, sides), pair_sum(one, less));
        const FN(FlPair) least = pair_times(pair_times(p, p), both);
        V value = FN(fl_pair_whole)(pair_sum(bent, least));
        if (FL_UNLIKELY(bounded))
            value = vmax(FN(fl_pair_whole)(least), value);
        vstore(t.hessian + j * LANES, value + value);
        head = pair_sum(head, pair_load(under, under_low, j));
        sum = pair_sum(sum, x);
        nearer = pair_sum(nearer, pair_times(sum, sum));
    }
}

/* Beyond ten classes the roundings of plain sums are more than those of their terms; carried, the two sums of the
 * gradient are subtracted in pairs. */
FL_INLINE V FN(fl_score_for)(const FN(FlRowTile) * t, int wants)
{
    if (wants & FL_WANT_HESSIAN)
        FN(fl_score_hessian)(t);
    if (wants == FL_WANT_HESSIAN)
        return vsplat(R(0.0));
    return t->n > 10 ? FN(fl_score_sums)(t, wants, 1) : FN(fl_score_sums)(t, wants, 0);
}

#else
#include "vecmath/wide.h"

/* float32 is computed in float64, which needs no carry: in halves of a vector, both of them side by side where the
 * columns have room for that. */
#if FL_VECTOR_BYTES
#define FL_SCORE_HALVES 2
#else
#define FL_SCORE_HALVES 1
#endif
#if FL_VECTOR_BYTES == 64
#define FL_SCORE_BESIDE 1
#else
#define FL_SCORE_BESIDE FL_SCORE_HALVES
#endif

FL_INLINE fl_v_f64 fl_score_widen(V x, int half)
{
#if FL_VECTOR_BYTES
    return half ? vwiden_high(x) : vwiden_low(x);
#else
    (void)half;
    return x;
#endif
}

/* Integers as numbers */
FL_INLINE V fl_score_number(VI i)
{
#if FL_VECTOR_BYTES
    return __builtin_convertvector(i, V);
#else
    return (V)i;
#endif
}

#if FL_VECTOR_BYTES
/* The half that stands at `first`, and another one */
FL_INLINE V fl_score_join(const REAL *first, fl_v_f64 second)
{
#if FL_VECTOR_BYTES == 64
    return (V)_mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(first)),
                                 _mm512_cvtpd_ps((__m512d)second), 1);
#elif FL_VECTOR_BYTES == 32
    return (V)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(first)),
                                   _mm256_cvtpd_ps((__m256d)second), 1);
#else
    const fl_half_f32 last = __builtin_convertvector(second, fl_half_f32);
    V x = vsplat(R(0.0));
    memcpy(&x, first, sizeof last);
    memcpy((char *)&x + sizeof last, &last, sizeof last);
    return x;
#endif
}
#endif

/* A column or half of one, rounded once. The first half waits in the column for the other: a load of what was stored
 * in two pieces would be held up. */
FL_INLINE void fl_score_store(REAL *column, const fl_v_f64 *x, int half)
{
#if FL_VECTOR_BYTES
    if (FL_SCORE_BESIDE == 2)
        vstore(column, vnarrow(x[0], x[1]));
    else if (half)
        vstore(column, fl_score_join(column, x[0]));
    else {
        const fl_half_f32 narrow = __builtin_convertvector(x[0], fl_half_f32);
        memcpy(column, &narrow, sizeof narrow);
    }
#else
    (void)half;
    *column = (REAL)x[0];
#endif
}

/* The losses of FL_SCORE_BESIDE halves from `half` on, and their part of gradient and Hessian; half is a constant, and
 * wants where that pays. */
FL_INLINE void fl_score_part(const FN(FlRowTile) * tile, V max, int wants, int half,
                             fl_v_f64 *result)
{
    enum { M = FL_SCORE_BESIDE };
    const ptrdiff_t lanes = LANES / FL_SCORE_HALVES;
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const int bends = wants & (FL_WANT_GRADIENT | FL_WANT_HESSIAN);
    const fl_v_f64 zero = fl_splat_f64(0.0);
    double *e = (double *)t.room[0], *under = (double *)t.room[1], *tail = (double *)t.room[2];
    double *squares = (double *)t.room[3];
    fl_v_f64 sum[M], loss[M], after[M], bend[M], inverse[M], square[M], twice[M];
    fl_v_f64 behind[M], above[M], head[M], below[M], nearer[M], highest[M];
#define FL_EACH for (int h = 0; h < M; h++)
    FL_EACH
    {
        highest[h] = fl_score_widen(max, half + h);
        behind[h] = (double)(t.n - 2) - fl_score_widen(fl_score_number(t.label), half + h);
        sum[h] = loss[h] = after[h] = bend[h] = above[h] = head[h] = below[h] = nearer[h] = zero;
    }
    for (ptrdiff_t k = 0; k < t.n; k++) { /* P_k */
        FL_EACH
        {
            const fl_v_f64 x =
                fl_score_exp_f64(fl_score_widen(vload(t.f + k * LANES), half + h) - highest[h]);
            sum[h] = sum[h] + x;
            fl_store_f64(e + (k * M + h) * lanes, x);
            fl_store_f64(under + (k * M + h) * lanes, sum[h]);
        }
    }
    FL_EACH
    {
        inverse[h] = 1.0 / sum[h];
        square[h] = inverse[h] * inverse[h];
        twice[h] = (square[h] + square[h]) * inverse[h];
        if (bends)
            fl_store_f64(tail + ((t.n - 1) * M + h) * lanes, zero);
        if (wants & FL_WANT_HESSIAN)
            fl_store_f64(squares + ((t.n - 1) * M + h) * lanes, zero);
    }
    for (ptrdiff_t k = t.n - 2; k >= 0; k--) { /* -Q_k, and sums from k on */
        FL_EACH
        {
            const ptrdiff_t at = (k * M + h) * lanes;
            above[h] = above[h] - fl_load_f64(e + at + M * lanes);
            const fl_v_f64 p = fl_load_f64(under + at);
            const fl_v_f64 d = fl_select_negative_f64(behind[h], p, above[h]);
            behind[h] = behind[h] - 1.0;
            loss[h] = loss[h] + d * d;
            if (bends) {
                after[h] = after[h] - d * above[h];
                fl_store_f64(tail + at, after[h]);
                fl_store_f64(under + at, d * p);
            }
            if (wants & FL_WANT_HESSIAN) {
                bend[h] = bend[h] + above[h] * above[h];
                fl_store_f64(squares + at, bend[h]);
            }
        }
    }
    for (ptrdiff_t j = 0; j < t.n && bends; j++) {
        fl_v_f64 g[M], b[M];
        FL_EACH
        {
            const ptrdiff_t at = (j * M + h) * lanes;
            const fl_v_f64 x = fl_load_f64(e + at);
            g[h] = (x * twice[h]) * (fl_load_f64(tail + at) - head[h]);
            head[h] = head[h] + fl_load_f64(under + at);
            if (wants & FL_WANT_HESSIAN) {
                const fl_v_f64 p = x * inverse[h];
                const fl_v_f64 both = square[h] * (fl_load_f64(squares + at) + nearer[h]);
                const fl_v_f64 least = ((p + p) * p) * both;
                b[h] = fl_max_f64(t.p[0] + least, (1.0 - (p + p)) * g[h] + least);
                below[h] = below[h] + x;
                nearer[h] = nearer[h] + below[h] * below[h];
            }
        }
        if (wants & FL_WANT_GRADIENT)
            fl_score_store(t.gradient + j * LANES, g, half);
        if (wants & FL_WANT_HESSIAN)
            fl_score_store(t.hessian + j * LANES, b, half);
    }
    FL_EACH result[h] = loss[h] * square[h];
#undef FL_EACH
}

/* wants is a constant where that pays. */
FL_INLINE V FN(fl_score_for)(const FN(FlRowTile) * t, int wants)
{
    fl_v_f64 loss[FL_SCORE_HALVES];
    V max = vload(t->f);
    for (ptrdiff_t k = 1; k < t->n; k++)
        max = vmax(vload(t->f + k * LANES), max); /* NaN comes back through the exponentials */
    for (int half = 0; half < FL_SCORE_HALVES; half += FL_SCORE_BESIDE)
        fl_score_part(t, max, wants, half, loss + half);
#if FL_VECTOR_BYTES
    return vnarrow(loss[0], loss[1]);
#else
    return (REAL)loss[0];
#endif
}
#endif

FL_INLINE V FN(ranked_probability_score)(const FN(FlRowTile) * t, int wants)
{
    if (wants == (FL_WANT_LOSS | FL_WANT_GRADIENT))
        return FN(fl_score_for)(t, FL_WANT_LOSS | FL_WANT_GRADIENT);
    return FN(fl_score_for)(t, wants);
}
