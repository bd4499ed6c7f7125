/* Sparsemax loss (Martins, Astudillo 2016): with p the Euclidean projection of f onto the simplex, p_k =
 * max(f_k - tau, 0), and d = sum_{k != y} p_k = 1 - p_y:
 *     loss     = (d^2 + sum_{k != y} p_k^2) / 2 + max(0, tau - f_y)
 *     gradient = p - [k = y]
 * The second derivative, piecewise constant: (1 - 1/n) of the n classes with p_k > 0, else 0. In this
 * form nothing cancels but f_k - tau, whose error is in ULP of 1. Found by Michelot's iteration
 * (1986), a few passes. Parameters: none.
 */
FL_INLINE V FN(sparsemax)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    V max = vload(t->f), raw = max, tau = -one, size = zero, bad = zero, off, off_lost = zero;
    V squares = zero, squares_lost = zero;
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V x = vload(t->f + k * LANES);
        max = vmax(x, max);
        raw = vselect(FN(fl_row_is)(t->label, k), x, raw);
        bad = vselect(x == x, bad, x);
    }
    bad = vselect(vabs(max) <= REAL_MAX, bad, max - max);
    /* tau relative to max: every p_k > 0 has f_k > max - 1 */
    for (ptrdiff_t passes = 0; passes <= t->n; passes++) {
        V sum = zero, lost = zero, n = zero;
        for (ptrdiff_t k = 0; k < t->n; k++) {
            const V z = vload(t->f + k * LANES) - max;
            const VI inside = z > tau;
            add_carrying(&sum, &lost, vkeep(inside, z));
            n = n + vkeep(inside, one);
        }
        /* a larger tau, or as before: rounding must not let it fall, or it might go round for ever */
        const V next = ((sum - one) + lost) / vmax(one, n);
        const VI moves = (n != size) & (n > zero);
        size = vselect(moves, n, size);
        tau = vselect(moves, vmax(tau, next), tau);
        if (!vany(moves))
            break;
    }
    off = zero;
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V p = vmax(zero, (vload(t->f + k * LANES) - max) - tau);
        const VI here = FN(fl_row_is)(t->label, k);
        const V other = vselect(here, zero, p);
        add_carrying(&off, &off_lost, other);
        add_carrying(&squares, &squares_lost, FN(fl_opaque)(other * other));
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES, p + bad);
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES, vkeep(p > zero, one - one / size) + bad);
    }
    off = off + off_lost;
    if (wants & FL_WANT_GRADIENT)
        for (ptrdiff_t k = 0; k < t->n; k++)
            vstore(t->gradient + k * LANES,
                   vselect(FN(fl_row_is)(t->label, k), bad - off, vload(t->gradient + k * LANES)));
    return R(0.5) * (FN(fl_opaque)(off * off) + (squares + squares_lost)) +
           (vmax(zero, tau - (raw - max)) + bad);
}
