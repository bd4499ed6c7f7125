/* Ranked probability score (Epstein 1969) of p = softmax(f) for ordered classes: the sum over k < n - 1 of
 * (P_k - [y <= k])^2, P_k = p_0 + ... + p_k. With Q_k = 1 - P_k, summed from the other end, the terms are
 * P_k^2 before the label and Q_k^2 from it on. With D_k = P_k or -Q_k:
 *     gradient = 2 p_j (sum_{k >= j} D_k Q_k - sum_{k < j} D_k P_k)
 *     Hessian  = (1 - 2 p_j) gradient + 2 p_j^2 (sum_{k >= j} Q_k^2 + sum_{k < j} P_k^2)
 * The two sums of the gradient have terms of both signs. Parameters: none.
 */
FL_INLINE V FN(ranked_probability_score)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0));
    REAL *e = t->room[0], *below = t->room[1], *above = t->room[2], *tail = t->room[3];
    const ptrdiff_t n = t->n;
    const FN(FlRowSoftmax) s = FN(fl_row_softmax)(t->f, n, t->label, e);
    V loss = zero, lost = zero, sum = zero, low = zero, squares = zero, head = zero, nearer = zero;
    for (ptrdiff_t k = 0; k < n; k++) { /* P_k */
        add_carrying(&sum, &low, vload(e + k * LANES));
        vstore(below + k * LANES, FN(fl_row_share)(sum, low, &s));
    }
    sum = low = zero;
    for (ptrdiff_t k = n - 1; k > 0; k--) { /* Q_{k - 1} */
        add_carrying(&sum, &low, vload(e + k * LANES));
        vstore(above + (k - 1) * LANES, FN(fl_row_share)(sum, low, &s));
    }
    vstore(above + (n - 1) * LANES, zero);
    for (ptrdiff_t k = 0; k < n - 1; k++) {
        const VI before = t->label > vsplat_int((INT)k);
        const V d = vselect(before, vload(below + k * LANES), vload(above + k * LANES));
        add_carrying(&loss, &lost, FN(fl_opaque)(d * d));
    }
    if (wants & (FL_WANT_GRADIENT | FL_WANT_HESSIAN)) {
        V after = zero;
        for (ptrdiff_t k = n - 1; k >= 0; k--) { /* the sums over k >= j */
            const V over = vload(above + k * LANES), under = vload(below + k * LANES);
            const V d = k == n - 1 ? zero : vselect(t->label > vsplat_int((INT)k), under, -over);
            after = after + FN(fl_opaque)(d * over);
            squares = squares + FN(fl_opaque)(over * over);
            vstore(tail + k * LANES, after);
            vstore(t->hessian + k * LANES, squares);
        }
        for (ptrdiff_t j = 0; j < n; j++) {
            const V x = vload(e + j * LANES), p = FN(fl_row_share)(x, zero, &s);
            const V under = vload(below + j * LANES), over = vload(above + j * LANES);
            const V g = FN(fl_opaque)((p + p) * (vload(tail + j * LANES) - head));
            const V d = vselect(t->label > vsplat_int((INT)j), under, -over);
            if (wants & FL_WANT_GRADIENT)
                vstore(t->gradient + j * LANES, g);
            if (wants & FL_WANT_HESSIAN)
                vstore(t->hessian + j * LANES,
                       (R(1.0) - (p + p)) * g +
                           ((p + p) * p) * (vload(t->hessian + j * LANES) + nearer));
            head = head + FN(fl_opaque)(d * under);
            nearer = nearer + FN(fl_opaque)(under * under);
        }
    }
    return carried(loss, lost);
}
