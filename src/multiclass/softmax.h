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

/* Exponentials are stored times 2^FL_LIFT, and no smaller than about e^-FL_DEPTH of the largest: they
 * stay normal numbers down to probabilities far below the smallest subnormal one, the division by
 * A + S brings underflow about gradually, and -inf ends at exactly 0 even after a large weight.
 * FL_FAR is above twice the span of e^x, and FL_FAR + FL_DEPTH still reduces exactly. */
#if FL_BITS == 64
#define FL_FAR 3584.0
#define FL_DEPTH 900.0
#define FL_LIFT 300
#else
#define FL_FAR 256.0f
#define FL_DEPTH 127.0f
#define FL_LIFT 60
#endif

#define max_columns FN(fl_max_columns)
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

/* How a sample with this maximum is scaled. shift is to be subtracted from its logits; it is not 0 only
 * where `far`. */
FL_INLINE VI softmax_shift(V max, V *shift, V *floor, V *magic)
{
    const VI far = (vabs(max) >= FL_FAR) | (max != max);
    *shift = vselect(far, max, vsplat(0));
    const V top = max - *shift;
    const V n = (top * LOG2_E + vround_shift()) - vround_shift();
    *floor = top - FL_DEPTH;
    *magic = vround_shift() + (REAL)(FL_LIFT + EXPONENT_BIAS) - n;
    return far;
}

/* 2^(FL_LIFT - N) e^x. Adding `magic` rounds x / ln 2 to n, and leaves the bits of n - N + FL_LIFT, with
 * the exponent's bias, at the bottom of the word: shifted up, they are the power of two. */
FL_INLINE V softmax_exp(V x, V floor, V magic)
{
    x = vmax(floor, x);
    const V z = x * LOG2_E + magic;
    const V n = z - magic;
    const V r = (x - n * LN2_HI) - n * LN2_LO;
    return vexp_poly(r) * FN(fl_from_ubits)(FN(fl_ubits)(z) << MANTISSA_BITS);
}

/* The larger of two maxima stays one, the smaller joins the sum. The order of the operands keeps a NaN. */
FL_INLINE void merge(V *top, V *rest, V other_top, V other_rest)
{
    const V low = vmin(*top, other_top);
    *top = vmax(other_top, *top);
    *rest = *rest + (other_rest + low);
}

/* The same for a sum so far and its rounding error (TwoSum, since either term may be the larger). */
FL_INLINE void FN(fl_softmax_accumulate)(V *top, V *sum, V *error, V other_top, V other_rest)
{
    const V term = other_rest + vmin(*top, other_top);
    const V total = *sum + term, kept = total - *sum;
    *top = vmax(other_top, *top);
    *error = *error + ((*sum - (total - kept)) + (term - kept));
    *sum = total;
}

/* e of n vectors, less *shift unless that is NULL, into e unless that is NULL; top and rest, lane by
 * lane. Eight vectors are added as
 * a tree, and the trees with their rounding errors: the sum is good to an ULP whatever n. */
FL_INLINE void exp_columns(const REAL *x, ptrdiff_t x_stride, ptrdiff_t n, REAL *e, ptrdiff_t e_stride,
                           const V *shift, V floor, V magic, V *top, V *rest)
{
    V best = vsplat(0), sum = vsplat(0), error = vsplat(0);
    ptrdiff_t k = 0;
    for (; k + 8 <= n; k += 8) {
        V t[8], s[4];
        for (ptrdiff_t j = 0; j < 8; j++) {
            V f = vload(x + (k + j) * x_stride);
            if (shift)
                f = f - *shift;
            t[j] = softmax_exp(f, floor, magic);
            if (e)
                vstore(e + (k + j) * e_stride, t[j]);
        }
        for (ptrdiff_t j = 0; j < 4; j++) {
            s[j] = vmin(t[j], t[j + 4]);
            t[j] = vmax(t[j + 4], t[j]);
        }
        merge(&t[0], &s[0], t[2], s[2]);
        merge(&t[1], &s[1], t[3], s[3]);
        merge(&t[0], &s[0], t[1], s[1]);
        FN(fl_softmax_accumulate)(&best, &sum, &error, t[0], s[0]);
    }
    if (k < n) {
        V t = vsplat(0), s = vsplat(0);
        for (; k < n; k++) {
            V value = vload(x + k * x_stride);
            if (shift)
                value = value - *shift;
            value = softmax_exp(value, floor, magic);
            if (e)
                vstore(e + k * e_stride, value);
            s = s + vmin(t, value);
            t = vmax(value, t);
        }
        FN(fl_softmax_accumulate)(&best, &sum, &error, t, s);
    }
    *top = best;
    *rest = sum + error;
}

/* The same for logits far from 0: rare, and so not worth its code in every caller. */
static void FN(fl_exp_columns_far)(const REAL *x, ptrdiff_t x_stride, ptrdiff_t n, REAL *e,
                                   ptrdiff_t e_stride, const V *shift, const V *floor, const V *magic,
                                   V *top, V *rest)
{
    exp_columns(x, x_stride, n, e, e_stride, shift, *floor, *magic, top, rest);
}

/* Lane i of the results is top and rest of all lanes of vector i; both arrays are used up. */
FL_INLINE void FN(fl_softmax_reduce)(V t[], V s[])
{
#if FL_VECTOR_BYTES
    for (ptrdiff_t n = LANES / 2; n >= 1; n /= 2)
        for (ptrdiff_t i = 0; i < n; i++) {
            V top = even_lanes(t[2 * i], t[2 * i + 1]), rest = even_lanes(s[2 * i], s[2 * i + 1]);
            merge(&top, &rest, odd_lanes(t[2 * i], t[2 * i + 1]), odd_lanes(s[2 * i], s[2 * i + 1]));
            t[i] = top;
            s[i] = rest;
        }
#else
    (void)t;
    (void)s;
#endif
}

/* A number and its rounding error. p_k = e_k / (A + S) has its own rounding and those of e and S to bear;
 * the sum's and the quotient's would make it more than 3 ULP, and an exact factor costs one more product
 * a class. */
typedef struct {
    V high, low;
} FN(FlFactor);

/* 1 / (top + rest) */
FL_INLINE FN(FlFactor) FN(fl_softmax_inverse)(V top, V rest)
{
    FN(FlFactor) f;
    V error;
    const V sum = top + rest, kept = sum - top;
    const V lost = (top - (sum - kept)) + (rest - kept);
    f.high = R(1.0) / sum;
    const V product = FN(fl_product)(f.high, sum, &error);
    f.low = (((R(1.0) - product) - error) - f.high * lost) * f.high;
    return f;
}

FL_INLINE FN(FlFactor) FN(fl_scale_factor)(FN(FlFactor) f, V by)
{
    FN(FlFactor) scaled;
    V error;
    scaled.high = FN(fl_product)(f.high, by, &error);
    scaled.low = f.low * by + error;
    return scaled;
}

FL_INLINE V FN(fl_times)(V x, FN(FlFactor) f)
{
    return x * f.high + x * f.low;
}
