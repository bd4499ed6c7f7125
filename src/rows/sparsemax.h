/* Sparsemax loss (Martins, Astudillo 2016): with p the Euclidean projection of f onto the simplex, p_k =
 * max(f_k - tau, 0), and d = sum_{k != y} p_k = 1 - p_y:
 *     loss     = (d^2 + sum_{k != y} p_k^2) / 2 + max(0, tau - f_y)
 *     gradient = p - [k = y]
 * The second derivative, piecewise constant: (1 - 1/n) of the n classes with p_k > 0, else 0. In this
 * form nothing cancels but f_k - tau, whose error is in ULP of 1. tau is found by sorting up to 16 outputs, and
 * of more by Michelot's iteration (1986), a few passes. Parameters: none.
 */

/* A network (Batcher 1968) that sorts 16 numbers; without what is beyond the n-th it sorts n. */
#ifndef FL_SORT_SIXTEEN
/* clang-format off */
#define FL_SORT_SIXTEEN(_) \
    _(0, 1) _(2, 3) _(4, 5) _(6, 7) _(8, 9) _(10, 11) _(12, 13) _(14, 15) \
    _(0, 2) _(1, 3) _(4, 6) _(5, 7) _(8, 10) _(9, 11) _(12, 14) _(13, 15) \
    _(1, 2) _(5, 6) _(9, 10) _(13, 14) _(0, 4) _(1, 5) _(2, 6) _(3, 7) \
    _(8, 12) _(9, 13) _(10, 14) _(11, 15) _(2, 4) _(3, 5) _(10, 12) _(11, 13) \
    _(1, 2) _(3, 4) _(5, 6) _(9, 10) _(11, 12) _(13, 14) _(0, 8) _(1, 9) \
    _(2, 10) _(3, 11) _(4, 12) _(5, 13) _(6, 14) _(7, 15) _(4, 8) _(5, 9) \
    _(6, 10) _(7, 11) _(2, 4) _(3, 5) _(6, 8) _(7, 9) _(10, 12) _(11, 13) \
    _(1, 2) _(3, 4) _(5, 6) _(7, 8) _(9, 10) _(11, 12) _(13, 14)
/* clang-format on */
#endif

/* tau relative to max, and n, of a tile of `width` outputs or one less (of 4 or less), width a constant of at most 16.
 * Sorted from z[0] = 0 on, the classes inside are the first ones: those with k z[k] > z[0] + ... + z[k - 1] - 1, a
 * sum of numbers that are not positive. */
FL_INLINE V FN(fl_sparsemax_sorted)(const FN(FlRowTile) * t, ptrdiff_t width, V max, V *size)
{
    const V minus_one = vsplat(R(-1.0)), none = vsplat((REAL)-INFINITY);
    V z[16], sum = minus_one, lost = vsplat(R(0.0)), kept = sum, kept_lost = lost, n = -minus_one;
#pragma GCC unroll 16
    for (ptrdiff_t k = 0; k < width; k++) {
        z[k] = none; /* of a width of 4 there may be any, of others all but the last */
        if ((width > 4 && k + 1 < width) || k < t->n)
            z[k] = vload(t->f + k * LANES) - max;
    }
#define FL_EXCHANGE(i, j) \
    if ((j) < width) { \
        const V larger = vmax(z[i], z[j]); \
        z[j] = vmin(z[i], z[j]); \
        z[i] = larger; \
    }
    FL_SORT_SIXTEEN(FL_EXCHANGE)
#undef FL_EXCHANGE
#pragma GCC unroll 16
    for (ptrdiff_t k = 1; k < width; k++) { /* z[0] is 0 */
        const VI inside = z[k] * (REAL)k > sum;
        const V next = sum + z[k]; /* Fast2Sum: sum is the larger one wherever it matters */
        lost = lost + (z[k] - (next - sum));
        sum = next;
        kept = vselect(inside, sum, kept);
        kept_lost = vselect(inside, lost, kept_lost);
        n = vselect(inside, vsplat((REAL)(k + 1)), n);
    }
    *size = n;
    return (kept + kept_lost) / n;
}

/* The same of any number of outputs, tau in a pair: its error would count in each of the classes inside. */
FL_INLINE V FN(fl_sparsemax_searched)(const FN(FlRowTile) * t, V max, V *found, V *low)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    V tau = -one, size = zero, rest = zero, error;
    /* every p_k > 0 has f_k > max - 1 */
    for (ptrdiff_t passes = 0; passes <= t->n; passes++) {
        V sum = zero, lost = zero, n = zero;
        for (ptrdiff_t k = 0; k < t->n; k++) {
            const V z = vload(t->f + k * LANES) - max;
            const VI inside = z > tau;
            add_carrying(&sum, &lost, vkeep(inside, z));
            n = n + vkeep(inside, one);
        }
        /* a larger tau, or as before: rounding must not let it fall, or it might go round for ever */
        const V less = FN(fl_two_sum)(sum, -one, &error), lack = error + lost;
        const V next = (less + lack) / vmax(one, n);
        const VI moves = (n != size) & (n > zero);
        size = vselect(moves, n, size);
        tau = vselect(moves, vmax(tau, next), tau);
        /* what the n classes inside, once they are found, sum to beyond n tau */
        const V product = FN(fl_product)(tau, n, &error);
        rest = ((less - product) + (lack - error)) / vmax(one, n);
        if (!vany(moves))
            break;
    }
    *found = size;
    *low = rest;
    return tau;
}

/* What a logit that is not finite makes of a sample: NaN, or 0 where all are finite or -inf beside others. */
FL_OUTLINE V FN(fl_sparsemax_bad)(const FN(FlRowTile) * t, V max)
{
    V bad = vsplat(R(0.0));
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V x = vload(t->f + k * LANES);
        bad = vselect(x == x, bad, x);
    }
    return vselect(vabs(max) <= REAL_MAX, bad, max - max);
}

/* Of few outputs: width is that of fl_sparsemax_sorted, a constant, so that there are no loops. Where a logit is not
 * finite, the loss is NaN if that is asked for, which is a constant, too. */
FL_INLINE V FN(fl_sparsemax_of_few)(const FN(FlRowTile) * tile, int wants, ptrdiff_t width,
                                    int nan_asked)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    V max = vload(t.f), raw = zero, size, not_finite = zero;
    V off[2] = {zero, zero}, squares[2] = {zero, zero}; /* each of at most 8, which need no carry */
    V p[16];
#define FL_HAS(k) ((width > 4 && (k) + 1 < width) || (k) < t.n)
#pragma GCC unroll 16
    for (ptrdiff_t k = 0; k < width; k++)
        if (FL_HAS(k)) {
            const V x = vload(t.f + k * LANES);
            max = vmax(x, max);
            not_finite = not_finite + x * R(0.0);
        }
    const V tau = FN(fl_sparsemax_sorted)(&t, width, max, &size);
#pragma GCC unroll 16
    for (ptrdiff_t k = 0; k < width; k++) {
        p[k] = zero;
        if (FL_HAS(k)) {
            const V z = vload(t.f + k * LANES) - max;
            p[k] = vmax(zero, z - tau);
            raw = FN(fl_at_label)(t.label, (INT)k, z, raw);
            const V other = FN(fl_at_label)(t.label, (INT)k, zero, p[k]);
            off[k % 2] = off[k % 2] + other;
            squares[k % 2] = squares[k % 2] + FN(fl_opaque)(other * other);
        }
    }
    const V lacks = off[0] + off[1];
    V loss =
        R(0.5) * (FN(fl_opaque)(lacks * lacks) + (squares[0] + squares[1])) + vmax(zero, tau - raw);
    if (wants & FL_WANT_GRADIENT) {
#pragma GCC unroll 16
        for (ptrdiff_t k = 0; k < width; k++)
            if (FL_HAS(k))
                vstore(t.gradient + k * LANES,
                       FN(fl_at_label)(t.label, (INT)k, zero - lacks, p[k]));
    }
    if (wants & FL_WANT_HESSIAN) {
#pragma GCC unroll 16
        for (ptrdiff_t k = 0; k < width; k++)
            if (FL_HAS(k))
                vstore(t.hessian + k * LANES, vkeep(p[k] > zero, one - one / size));
    }
#undef FL_HAS
    if (nan_asked)
        return loss + not_finite;
    if (FL_UNLIKELY(vany((not_finite == zero) == 0))) {
        const V bad = FN(fl_sparsemax_bad)(tile, max);
        for (ptrdiff_t k = 0; k < t.n && (wants & FL_WANT_GRADIENT); k++)
            vstore(t.gradient + k * LANES, vload(t.gradient + k * LANES) + bad);
        for (ptrdiff_t k = 0; k < t.n && (wants & FL_WANT_HESSIAN); k++)
            vstore(t.hessian + k * LANES, vload(t.hessian + k * LANES) + bad);
        loss = loss + bad;
    }
    return loss;
}

FL_INLINE V FN(fl_sparsemax_of_many)(const FN(FlRowTile) * tile, int wants)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    V max = vload(t.f), raw = max, size, tau_low, bad = zero, off = zero, off_lost = zero;
    V squares = zero, squares_lost = zero;
    for (ptrdiff_t k = 0; k < t.n; k++) {
        const V x = vload(t.f + k * LANES);
        max = vmax(x, max);
        raw = vselect(FN(fl_row_is)(t.label, k), x, raw);
        bad = vselect(x == x, bad, x);
    }
    bad = vselect(vabs(max) <= REAL_MAX, bad, max - max);
    const V tau = FN(fl_sparsemax_searched)(&t, max, &size, &tau_low);
    for (ptrdiff_t k = 0; k < t.n; k++) {
        const V p = vmax(zero, ((vload(t.f + k * LANES) - max) - tau) - tau_low);
        const VI here = FN(fl_row_is)(t.label, k);
        const V other = vselect(here, zero, p);
        add_carrying(&off, &off_lost, other);
        add_carrying(&squares, &squares_lost, FN(fl_opaque)(other * other));
        if (wants & FL_WANT_GRADIENT)
            vstore(t.gradient + k * LANES, p + bad);
        if (wants & FL_WANT_HESSIAN)
            vstore(t.hessian + k * LANES, vkeep(p > zero, one - one / size) + bad);
    }
    off = off + off_lost;
    if (wants & FL_WANT_GRADIENT)
        for (ptrdiff_t k = 0; k < t.n; k++)
            vstore(t.gradient + k * LANES,
                   vselect(FN(fl_row_is)(t.label, k), bad - off, vload(t.gradient + k * LANES)));
    return R(0.5) * (FN(fl_opaque)(off * off) + (squares + squares_lost)) +
           (vmax(zero, (tau - (raw - max)) + tau_low) + bad);
}

#define FL_ROW_FEW 10
#define FL_ROW_FEW_LOSS fl_sparsemax_few
#define FL_ROW_FEW_REDO 1

FL_INLINE V FN(fl_sparsemax_few)(const FN(FlRowTile) * t, int wants)
{
    return FN(fl_sparsemax_of_few)(t, wants, t->n < 4 ? 4 : t->n + t->n % 2, 1);
}

/* functions of their own, so that each has all registers */
#define FL_SPARSEMAX(width) \
    FL_OUTLINE V FN(FL_CONCAT(fl_sparsemax_, width))(const FN(FlRowTile) * t, int wants) \
    { \
        return FN(fl_sparsemax_of_few)(t, wants, width, 0); \
    }
FL_SPARSEMAX(4)
FL_SPARSEMAX(6)
FL_SPARSEMAX(8)
FL_SPARSEMAX(10)
FL_SPARSEMAX(12)
FL_SPARSEMAX(14)
FL_SPARSEMAX(16)
#undef FL_SPARSEMAX

FL_INLINE V FN(sparsemax)(const FN(FlRowTile) * t, int wants)
{
    switch ((t->n + 1) / 2) {
    case 1:
    case 2:
        return FN(fl_sparsemax_4)(t, wants);
    case 3:
        return FN(fl_sparsemax_6)(t, wants);
    case 4:
        return FN(fl_sparsemax_8)(t, wants);
    case 5:
        return FN(fl_sparsemax_10)(t, wants);
    case 6:
        return FN(fl_sparsemax_12)(t, wants);
    case 7:
        return FN(fl_sparsemax_14)(t, wants);
    case 8:
        return FN(fl_sparsemax_16)(t, wants);
    default:
        return FN(fl_sparsemax_of_many)(t, wants);
    }
}
