/* Symmetric cross-entropy (Wang et al. 2019): alpha (-log p_y) + beta A (1 - p_y), p the softmax of f and -A
 * what stands for log 0. With q = 1 - p_y = sum_{k != y} p_k:
 *     gradient = (p_k - [k = y]) (alpha + beta A p_y)
 *     Hessian  = p_k (1 - p_k) (alpha + beta A p_y) - beta A p_y (p_k - [k = y])^2
 * Parameters: p[0] = alpha, p[1] = beta A.
 */
FL_INLINE V FN(symmetric_cross_entropy)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0)), alpha = vsplat(t->p[0]), beta = vsplat(t->p[1]);
    REAL *e = t->room[0];
    const FN(FlRowSoftmax) s = FN(fl_row_softmax)(t->f, t->n, t->label, e);
    const V q = FN(fl_row_share)(s.others, s.others_low, &s);
    V at = zero;
    for (ptrdiff_t k = 0; k < t->n; k++)
        at = vselect(FN(fl_row_is)(t->label, k), vload(e + k * LANES), at);
    const V p = FN(fl_row_share)(at, zero, &s), part = FN(fl_opaque)(beta * p),
            factor = alpha + part;
    for (ptrdiff_t k = 0; k < t->n && (wants & (FL_WANT_GRADIENT | FL_WANT_HESSIAN)); k++) {
        const V x = vload(e + k * LANES);
        const V gap = vselect(FN(fl_row_is)(t->label, k), -q, FN(fl_row_share)(x, zero, &s));
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES, gap * factor);
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES,
                   FN(fl_opaque)(FN(fl_row_share)(x, zero, &s) * FN(fl_row_not)(&s, x)) * factor -
                       FN(fl_opaque)(part * gap) * gap);
    }
    const V log_loss = FN(fl_row_log_loss)(&s);
    /* a weight of 0 drops its term: 0 * inf would be NaN */
    return vkeep((alpha > zero) | (log_loss != log_loss), alpha * log_loss) + beta * q;
}
