/* Ranked probability score (Epstein 1969) of p = softmax(f) for ordered classes: the sum over k < n - 1 of
 * (P_k - [y <= k])^2, P_k = p_0 + ... + p_k. With Q_k = 1 - P_k, summed from the other end, the terms are
 * P_k^2 before the label and Q_k^2 from it on. With D_k = P_k or -Q_k:
 *     gradient = 2 p_j (sum_{k >= j} D_k Q_k - sum_{k < j} D_k P_k)
 *     Hessian  = (1 - 2 p_j) gradient + 2 p_j^2 (sum_{k >= j} Q_k^2 + sum_{k < j} P_k^2)
 * The two sums of the gradient have terms of both signs. All sums are those of e^(f - max), which a power of
 * their own sum divides at the end. Parameters: none.
 */

/* *sum += term, neither negative, by Fast2Sum; what is lost to rounding joins *lost. */
FL_INLINE void FN(fl_score_add)(V *sum, V *lost, V term)
{
    const V larger = vmax(*sum, term), smaller = vmin(*sum, term);
    *sum = *sum + term;
    *lost = *lost + (smaller - (*sum - larger));
}

/* wants is a constant where that pays. */
FL_INLINE V FN(fl_score_for)(const FN(FlRowTile) * tile, int wants)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const int bends = wants & (FL_WANT_GRADIENT | FL_WANT_HESSIAN);
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    REAL *e = t.room[0], *under = t.room[1], *tail = t.room[2], *squared = t.room[3];
    V max = vload(t.f), sum = zero, low = zero, loss = zero, lost = zero;
    for (ptrdiff_t k = 1; k < t.n; k++)
        max = vmax(vload(t.f + k * LANES), max); /* NaN comes back through the exponentials */
    for (ptrdiff_t k = 0; k < t.n; k++) { /* alone: each is a long chain */
        V error;
        const V x = vexp_nonpositive(FN(fl_two_sum)(vload(t.f + k * LANES), -max, &error));
        vstore(e + k * LANES, x + x * vmin(error, one)); /* NaN of an infinite difference: x is 0 */
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
    const V cube = square * inverse + (square_low * inverse + square * inverse_low);
    const V twice = cube + cube;

    VI behind = vsplat_int((INT)(t.n - 2)) - t.label; /* below 0 before the label */
    V after = zero, squares = zero;
    sum = low = zero;
    if (bends)
        vstore(tail + (t.n - 1) * LANES, zero);
    if (wants & FL_WANT_HESSIAN)
        vstore(t.hessian + (t.n - 1) * LANES, zero);
    for (ptrdiff_t k = t.n - 2; k >= 0;
         k--, behind = behind - vsplat_int(1)) { /* Q_k, and sums from k on */
        FN(fl_score_add)(&sum, &low, vload(e + (k + 1) * LANES));
        const V p = vload(under + k * LANES), q = sum + low;
        const V d = vselect_negative(vfrom_bits(behind), p, -q);
        FN(fl_score_add)(&loss, &lost, FN(fl_opaque)(d * d));
        if (bends) {
            after = after + FN(fl_opaque)(d * q);
            vstore(tail + k * LANES, after);
            vstore(under + k * LANES, d * p);
        }
        if (wants & FL_WANT_HESSIAN) {
            squares = squares + FN(fl_opaque)(q * q);
            vstore(t.hessian + k * LANES, squares);
            vstore(squared + k * LANES, p * p);
        }
    }
    V head = zero, nearer = zero;
    for (ptrdiff_t j = 0; j < t.n && bends; j++) {
        const V x = vload(e + j * LANES);
        const V g = FN(fl_opaque)(x * FN(fl_opaque)(twice * (vload(tail + j * LANES) - head)));
        head = head + vload(under + j * LANES);
        if (wants & FL_WANT_GRADIENT)
            vstore(t.gradient + j * LANES, g);
        if (wants & FL_WANT_HESSIAN) {
            const V p = FN(fl_opaque)(x * inverse + x * inverse_low);
            const V both = square * (vload(t.hessian + j * LANES) + nearer);
            vstore(t.hessian + j * LANES, (R(1.0) - (p + p)) * g + ((p + p) * p) * both);
            nearer = nearer + vload(squared + j * LANES);
        }
    }
    return loss * square + (loss * square_low + lost * square);
}

FL_INLINE V FN(ranked_probability_score)(const FN(FlRowTile) * t, int wants)
{
    if (wants == (FL_WANT_LOSS | FL_WANT_GRADIENT))
        return FN(fl_score_for)(t, FL_WANT_LOSS | FL_WANT_GRADIENT);
    return FN(fl_score_for)(t, wants);
}
