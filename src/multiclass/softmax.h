/* The softmax of vectors of logits, without rounding a logit before its exponential.
 *
 * Included once per precision, after vecmath.h and tile.h. The textbook e^(f - max) rounds f - max,
 * and the exponential magnifies that error by |f - max|: tens of ULP. Here f itself is split as
 * n ln 2 + r, and the maximum enters as an integer N, its own n:
 *
 *   e_k = 2^(n_k - N) e^(r_k),    p_k = e_k / (A + S),    A = e of the largest, S = all the others
 *
 * Only where |max| >= FL_FAR is the maximum subtracted first; there f - max is exact (Sterbenz)
 * wherever its exponential does not underflow.
 *
 * S must not be the total minus A: a well-classified sample has S = 1e-20 A. So a maximum is carried
 * beside every sum, and of two maxima the smaller one joins the sum (`merge`). This also makes 1 - p_k,
 * as (S + (A - e_k)) / (A + S), a sum of terms that are not negative.
 *
 * NaN goes into the sum: the vector maximum may drop it.
 */
#undef FL_FAR
#undef FL_DEPTH
#undef FL_LIFT
#undef FL_RAISE
#undef FL_UNLIFT

/* Exponentials are stored times 2^FL_LIFT, and no smaller than about e^-FL_DEPTH of the largest: they
 * stay normal numbers down to probabilities far below the smallest subnormal one, the division by
 * A + S brings underflow about gradually, and -inf ends at exactly 0 even after a large weight.
 * FL_FAR is above twice the span of e^x, and FL_FAR + FL_DEPTH still reduces exactly. */
#if FL_BITS == 64
#define FL_FAR 3584.0
#define FL_DEPTH 900.0
#define FL_LIFT 300
#define FL_RAISE 0x1p300
#define FL_UNLIFT 0x1p-300
#else
#define FL_FAR 256.0f
#define FL_DEPTH 127.0f
#define FL_LIFT 60
#define FL_RAISE 0x1p60f
#define FL_UNLIFT 0x1p-60f
#endif

#define max_columns FN(fl_max_columns)
#define softmax_scale FN(fl_softmax_scale)
#define softmax_shift FN(fl_softmax_shift)
#define softmax_exp FN(fl_softmax_exp)
#define merge FN(fl_softmax_merge)
#define exp_columns FN(fl_exp_columns)

/* The largest of n vectors, lane by lane. */
FL_INLINE V max_columns(const REAL *x, ptrdiff_t stride, ptrdiff_t n)
{
    V a = vsplat((REAL)-INFINITY), b = a, c = a, d = a;
    ptrdiff_t k = 0;
    for (; k + 4 <= n; k += 4) {
        a = vmax(vload(x + k * stride), a);
        b = vmax(vload(x + (k + 1) * stride), b);
        c = vmax(vload(x + (k + 2) * stride), c);
        d = vmax(vload(x + (k + 3) * stride), d);
    }
    for (; k < n; k++)
        a = vmax(vload(x + k * stride), a);
    return vmax(vmax(a, b), vmax(c, d));
}

FL_INLINE void softmax_scale(V top, V *floor, V *magic)
{
    const V n = (top * LOG2_E + vround_shift()) - vround_shift();
    *floor = top - FL_DEPTH;
#if FL_LOOKUP
    *magic = vround_shift() + R(16.0) * ((REAL)FL_LIFT - n);
#else
    *magic = vround_shift() + (REAL)(FL_LIFT + EXPONENT_BIAS) - n;
#endif
}

/* N - FL_LIFT of the samples with this magic: their exponentials are to be multiplied by 2 to that. */
FL_INLINE V FN(fl_softmax_exponent)(V magic)
{
#if FL_LOOKUP
    return (vround_shift() - magic) * R(0.0625);
#else
    return (vround_shift() - magic) + (REAL)EXPONENT_BIAS;
#endif
}

/* How a sample with this maximum is scaled. shift is to be subtracted from its logits; it is not 0 only
 * where `far`. */
FL_INLINE VI softmax_shift(V max, V *shift, V *floor, V *magic)
{
    const VI far = (vabs(max) >= FL_FAR) | (max != max);
    *shift = vselect(far, max, vsplat(0));
    softmax_scale(max - *shift, floor, magic);
    return far;
}

/* What an exponential is made of, so that what it was rounded by can be told: with tables scale (1 + tail), else
 * 1 + r tail times a power of two that `scale` is not needed for. */
typedef struct {
    V scale, tail;
} FN(FlExpParts);

#if FL_LOOKUP
/* In place on n <= 5 vectors (a constant): 2^(FL_LIFT - N) e^x, by the tables of vexp_nonpositive. Adding `magic`
 * rounds 16 x / ln 2 to an integer, and leaves it, less 16 (N - FL_LIFT), at the bottom of the word.
 *
 * Step by step over all the vectors, since one exponential is a chain of 14 operations that wait for each
 * other: a processor that meets one chain after the other has its scheduler full before enough of
 * them are under way. */
FL_INLINE void FN(fl_softmax_exps_parts)(V x[], ptrdiff_t n, const V floor[], const V magic[],
                                         FN(FlExpParts) parts[])
{
    V z[5], m[5];
    for (ptrdiff_t j = 0; j < n; j++)
        x[j] = vmax(floor[j], x[j]);
    for (ptrdiff_t j = 0; j < n; j++)
        z[j] = x[j] * (16 * LOG2_E) + magic[j];
    for (ptrdiff_t j = 0; j < n; j++)
        m[j] = z[j] - magic[j];
    for (ptrdiff_t j = 0; j < n; j++)
        x[j] = FN(fl_exp_sixteenth)(x[j], m[j]);
    for (ptrdiff_t j = 0; j < n; j++)
        parts[j].tail = FN(fl_exp_sixteenth_tail)(x[j]);
    for (ptrdiff_t j = 0; j < n; j++)
        parts[j].scale = FN(fl_exp_sixteenth_scale)(FN(fl_ubits)(z[j]));
    for (ptrdiff_t j = 0; j < n; j++)
        x[j] = parts[j].scale + parts[j].scale * parts[j].tail;
}
#else
/* e^r for |r| <= ln2/2 as vexp_poly, but by Horner's rule: one operation less. */
#if FL_BITS == 64
static const double FN(fl_exp_coefficients)[] = {1.0,
                                                 1.0,
                                                 0.50000000000000056,
                                                 0.16666666666666605,
                                                 0.04166666666657394,
                                                 0.0083333333333797596,
                                                 0.0013888888932248864,
                                                 0.00019841269739981744,
                                                 2.4801504607998885e-05,
                                                 2.7557389023394336e-06,
                                                 2.7626263424491411e-07,
                                                 2.5059572561504407e-08};
#else
static const float FN(fl_exp_coefficients)[] = {
    1.0f, 1.0f, 0.49999997f, 0.16666542f, 0.041667521f, 0.00836667791f, 0.00138627738f};
#endif

/* In place on n <= 5 vectors (a constant): 2^(FL_LIFT - N) e^x. Adding `magic` rounds x / ln 2 to its own n, and
 * leaves the bits of n - N + FL_LIFT, with the exponent's bias, at the bottom of the word: shifted up, they
 * are the power of two.
 *
 * Step by step over all the vectors, since one exponential is a chain of 18 operations that wait for each
 * other: a processor that meets one chain after the other has its scheduler full before enough of
 * them are under way. */
FL_INLINE void FN(fl_softmax_exps_parts)(V x[], ptrdiff_t n, const V floor[], const V magic[],
                                         FN(FlExpParts) parts[])
{
    ptrdiff_t i = (ptrdiff_t)(sizeof FN(fl_exp_coefficients) / sizeof(REAL)) - 1;
    V z[5], m[5], p[5];
    for (ptrdiff_t j = 0; j < n; j++)
        x[j] = vmax(floor[j], x[j]);
    for (ptrdiff_t j = 0; j < n; j++)
        z[j] = x[j] * LOG2_E + magic[j];
    for (ptrdiff_t j = 0; j < n; j++)
        m[j] = z[j] - magic[j];
    for (ptrdiff_t j = 0; j < n; j++)
        x[j] = x[j] - m[j] * LN2_HI;
    for (ptrdiff_t j = 0; j < n; j++)
        x[j] = x[j] - m[j] * LN2_LO;
    for (ptrdiff_t j = 0; j < n; j++)
        p[j] = vsplat(FN(fl_exp_coefficients)[i]);
    while (--i >= 1)
        for (ptrdiff_t j = 0; j < n; j++)
            p[j] = p[j] * x[j] + FN(fl_exp_coefficients)[i];
    for (ptrdiff_t j = 0; j < n; j++)
        parts[j].tail = p[j];
    for (ptrdiff_t j = 0; j < n; j++)
        p[j] = p[j] * x[j] + FN(fl_exp_coefficients)[0];
    for (ptrdiff_t j = 0; j < n; j++)
        x[j] = p[j] * FN(fl_from_ubits)(FN(fl_ubits)(z[j]) << MANTISSA_BITS);
}
#endif

FL_INLINE void FN(fl_softmax_exps)(V x[], ptrdiff_t n, const V floor[], const V magic[])
{
    FN(FlExpParts) parts[5];
    FN(fl_softmax_exps_parts)(x, n, floor, magic, parts);
}

/* The exponential of x again, from its parts, x raised to its floor as theirs was; and what it lacks. */
FL_INLINE V FN(fl_softmax_exp_of_parts)(V x, V magic, FN(FlExpParts) parts, V *low)
{
#if FL_LOOKUP
    const V e = parts.scale + parts.scale * parts.tail;
    (void)x;
    (void)magic;
    *low = (parts.scale - e) + parts.scale * parts.tail;
    return e;
#else
    const V z = x * LOG2_E + magic, m = z - magic, first = x - m * LN2_HI, r = first - m * LN2_LO;
    const V lost = (first - r) - m * LN2_LO;
    const V power = FN(fl_from_ubits)(FN(fl_ubits)(z) << MANTISSA_BITS);
    const V e = (parts.tail * r + FN(fl_exp_coefficients)[0]) * power;
    /* a product of its own, for the other one may be fused */
    *low = ((power - e) + power * (r * FN(fl_opaque)(parts.tail))) + e * lost;
    return e;
#endif
}

/* What e lacks of the exponential of x that was scaled by this magic. */
FL_INLINE V FN(fl_softmax_exp_low)(V x, V magic, V e)
{
#if FL_LOOKUP
    const V z = x * (16 * LOG2_E) + magic,
            tail = FN(fl_exp_sixteenth_tail)(FN(fl_exp_sixteenth)(x, z - magic));
    const V scale = FN(fl_exp_sixteenth_scale)(FN(fl_ubits)(z));
    return (scale - e) + scale * tail;
#else
    ptrdiff_t i = (ptrdiff_t)(sizeof FN(fl_exp_coefficients) / sizeof(REAL)) - 1;
    const V z = x * LOG2_E + magic, m = z - magic, first = x - m * LN2_HI, r = first - m * LN2_LO;
    const V lost = (first - r) - m * LN2_LO;
    const V power = FN(fl_from_ubits)(FN(fl_ubits)(z) << MANTISSA_BITS);
    V p = vsplat(FN(fl_exp_coefficients)[i]);
    while (--i >= 1)
        p = p * r + FN(fl_exp_coefficients)[i];
    return ((power - e) + power * (r * p)) + e * lost;
#endif
}

/* The exponential of x as fl_softmax_exps() gives it, x not being below its floor, and what it lacks. */
FL_INLINE V FN(fl_softmax_exp_both)(V x, V magic, V *low)
{
#if FL_LOOKUP
    const V z = x * (16 * LOG2_E) + magic,
            tail = FN(fl_exp_sixteenth_tail)(FN(fl_exp_sixteenth)(x, z - magic));
    const V scale = FN(fl_exp_sixteenth_scale)(FN(fl_ubits)(z));
    const V e = scale + scale * tail;
    *low = (scale - e) + scale * tail;
    return e;
#else
    V e = x;
    FN(fl_softmax_exps)(&e, 1, &x, &magic);
    *low = FN(fl_softmax_exp_low)(x, magic, e);
    return e;
#endif
}

/* The same as fl_softmax_exps(), of one scale. */
FL_INLINE void softmax_exp(V x[], ptrdiff_t n, V floor, V magic)
{
    const V floors[5] = {floor, floor, floor, floor, floor};
    const V magics[5] = {magic, magic, magic, magic, magic};
    FN(fl_softmax_exps)(x, n, floors, magics);
}

/* The larger of two maxima stays one, the smaller joins the sum. The order of the operands keeps a NaN. */
FL_INLINE void merge(V *top, V *rest, V other_top, V other_rest)
{
    const V low = vmin(*top, other_top);
    *top = vmax(other_top, *top);
    *rest = *rest + (other_rest + low);
}

/* *sum += term, the rounding error kept aside (TwoSum) */
FL_INLINE void FN(fl_add_compensated)(V *sum, V *error, V term)
{
    const V total = *sum + term, kept = total - *sum;
    *error = *error + ((*sum - (total - kept)) + (term - kept));
    *sum = total;
}

FL_INLINE void FN(fl_softmax_accumulate)(V *top, V *sum, V *error, V other_top, V other_rest)
{
    FN(fl_add_compensated)(sum, error, other_rest + vmin(*top, other_top));
    *top = vmax(other_top, *top);
}

/* A, S and what S has lost to rounding: less than an ULP of it once `settled`. */
typedef struct {
    V top, rest, low;
} FN(FlExpSum);

FL_INLINE FN(FlExpSum) FN(fl_settle)(FN(FlExpSum) s)
{
    const V rest = s.rest + s.low;
    s.low = s.low - (rest - s.rest);
    s.rest = rest;
    return s;
}

/* Exponentials of n <= 5 vectors (a constant) at x, less *shift unless that is NULL; into e unless that is
 * NULL. */
FL_INLINE void FN(fl_exp_of)(const REAL *x, ptrdiff_t x_stride, ptrdiff_t n, REAL *e,
                             ptrdiff_t e_stride, const V *shift, V floor, V magic, V out[])
{
    for (ptrdiff_t j = 0; j < n; j++)
        out[j] = vload(x + j * x_stride);
    if (shift)
        for (ptrdiff_t j = 0; j < n; j++)
            out[j] = out[j] - *shift;
    softmax_exp(out, n, floor, magic);
    if (e)
        for (ptrdiff_t j = 0; j < n; j++)
            vstore(e + j * e_stride, out[j]);
}

/* The same for any n, and their sum. Eight vectors are added as a tree, and the trees with their rounding
 * errors: the sum is good to an ULP whatever n. */
FL_INLINE FN(FlExpSum) exp_columns(const REAL *x, ptrdiff_t x_stride, ptrdiff_t n, REAL *e,
                                   ptrdiff_t e_stride, const V *shift, V floor, V magic)
{
    FN(FlExpSum) sum = {vsplat(R(0.0)), vsplat(R(0.0)), vsplat(R(0.0))};
    V t[8], s[4];
    ptrdiff_t k = 0;
    for (; k + 8 <= n; k += 8) {
        FN(fl_exp_of)(x + k * x_stride, x_stride, 4, e ? e + k * e_stride : NULL, e_stride, shift,
                      floor, magic, t);
        FN(fl_exp_of)(x + (k + 4) * x_stride, x_stride, 4, e ? e + (k + 4) * e_stride : NULL,
                      e_stride, shift, floor, magic, t + 4);
        for (ptrdiff_t j = 0; j < 4; j++) {
            s[j] = vmin(t[j], t[j + 4]);
            t[j] = vmax(t[j + 4], t[j]);
        }
        merge(&t[0], &s[0], t[2], s[2]);
        merge(&t[1], &s[1], t[3], s[3]);
        merge(&t[0], &s[0], t[1], s[1]);
        FN(fl_softmax_accumulate)(&sum.top, &sum.rest, &sum.low, t[0], s[0]);
    }
    if (k + 4 <= n) {
        FN(fl_exp_of)(x + k * x_stride, x_stride, 4, e ? e + k * e_stride : NULL, e_stride, shift,
                      floor, magic, t);
        for (ptrdiff_t j = 0; j < 2; j++) {
            s[j] = vmin(t[j], t[j + 2]);
            t[j] = vmax(t[j + 2], t[j]);
        }
        merge(&t[0], &s[0], t[1], s[1]);
        FN(fl_softmax_accumulate)(&sum.top, &sum.rest, &sum.low, t[0], s[0]);
        k += 4;
    }
    if (k + 2 <= n) {
        FN(fl_exp_of)(x + k * x_stride, x_stride, 2, e ? e + k * e_stride : NULL, e_stride, shift,
                      floor, magic, t);
        FN(fl_softmax_accumulate)(&sum.top, &sum.rest, &sum.low, vmax(t[1], t[0]),
                                  vmin(t[0], t[1]));
        k += 2;
    }
    if (k < n) {
        FN(fl_exp_of)(x + k * x_stride, x_stride, 1, e ? e + k * e_stride : NULL, e_stride, shift,
                      floor, magic, t);
        FN(fl_softmax_accumulate)(&sum.top, &sum.rest, &sum.low, t[0], vsplat(R(0.0)));
    }
    return sum;
}

/* The sum of n vectors of exponentials, by fours. */
FL_INLINE FN(FlExpSum) FN(fl_exp_sum)(const REAL *e, ptrdiff_t stride, ptrdiff_t n)
{
    FN(FlExpSum) sum = {vsplat(R(0.0)), vsplat(R(0.0)), vsplat(R(0.0))};
    ptrdiff_t k = 0;
    for (; k + 4 <= n; k += 4) {
        V t[4], s[2];
        for (ptrdiff_t i = 0; i < 4; i++)
            t[i] = vload(e + (k + i) * stride);
        for (ptrdiff_t i = 0; i < 2; i++) {
            s[i] = vmin(t[i], t[i + 2]);
            t[i] = vmax(t[i + 2], t[i]);
        }
        merge(&t[0], &s[0], t[1], s[1]);
        FN(fl_softmax_accumulate)(&sum.top, &sum.rest, &sum.low, t[0], s[0]);
    }
    for (; k < n; k++)
        FN(fl_softmax_accumulate)(&sum.top, &sum.rest, &sum.low, vload(e + k * stride),
                                  vsplat(R(0.0)));
    return sum;
}

/* Lane i of the result is the sum of all lanes of vector i; the arrays are used up. */
FL_INLINE FN(FlExpSum) FN(fl_softmax_reduce)(V t[], V s[], V low[])
{
#if FL_VECTOR_BYTES
    for (ptrdiff_t n = LANES / 2; n >= 1; n /= 2)
        for (ptrdiff_t i = 0; i < n; i++) {
            const ptrdiff_t a = 2 * i, b = 2 * i + 1;
            V top = even_lanes(t[a], t[b]), rest = even_lanes(s[a], s[b]);
            V lost = even_lanes(low[a], low[b]) + odd_lanes(low[a], low[b]);
            const V other = odd_lanes(t[a], t[b]);
            FN(fl_add_compensated)(&rest, &lost, odd_lanes(s[a], s[b]));
            FN(fl_add_compensated)(&rest, &lost, vmin(top, other));
            t[i] = vmax(other, top);
            s[i] = rest;
            low[i] = lost;
        }
#endif
    const FN(FlExpSum) sum = {t[0], s[0], low[0]};
    return FN(fl_settle)(sum);
}
