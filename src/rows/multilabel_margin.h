/* Multilabel margin loss, as torch's: the sum over classes j of the set and k outside it of
 * max(0, 1 - (f_j - f_k)), divided by the number n of classes. target holds the set, ended by the first
 * -1; a class named twice counts twice. gradient: of k how many terms are positive, of j minus that,
 * both / n; the Hessian, zero almost everywhere, is reported as their absolute values. Differences are
 * summed without error: worst error 3 ULP. Parameters: none.
 */
FL_INLINE V FN(multilabel_margin)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    REAL *times = t->room[0], *slope = t->room[1];
    const ptrdiff_t n_outputs = t->n;
    const REAL n = (REAL)n_outputs;
    V loss = zero, lost = zero, open = one, bad = zero;
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V f = vload(t->f + k * LANES);
        bad = vselect(f == f, bad, f); /* also where the set asks for nothing */
        vstore(times + k * LANES, zero);
        vstore(slope + k * LANES, zero);
    }
    for (ptrdiff_t i = 0; i < t->n; i++) {
        const V q = vload(t->target + i * LANES);
        open = vselect(q >= zero, open, zero);
        if (!vany(open > zero))
            break;
        for (ptrdiff_t k = 0; k < t->n; k++)
            vstore(times + k * LANES, vload(times + k * LANES) + vselect(q == (REAL)k, open, zero));
    }
    for (ptrdiff_t j = 0; j < n_outputs; j++) {
        const V count = vload(times + j * LANES), f = vload(t->f + j * LANES);
        V active = zero, rest;
        const V from = two_sum(one, -f, &rest);
        if (!vany(count > zero))
            continue;
        for (ptrdiff_t k = 0; k < n_outputs; k++) {
            /* where the first sum cancels it is exact, and elsewhere the rest is below its rounding */
            const V s = (vload(t->f + k * LANES) + from) + rest;
            const V weight = vkeep(vload(times + k * LANES) == zero, count);
            const V term = vkeep(weight > zero, vmax(zero, s));
            const V step = vselect(term == term, vkeep(term > zero, weight), term);
            add_carrying(&loss, &lost, FN(fl_opaque)(term * weight));
            vstore(slope + k * LANES, vload(slope + k * LANES) + step);
            active = active + step;
        }
        vstore(slope + j * LANES, vload(slope + j * LANES) - active);
    }
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V g = vload(slope + k * LANES) / n + bad;
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES, g);
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES, vabs(g));
    }
    return carried(loss, lost) / n + bad;
}
