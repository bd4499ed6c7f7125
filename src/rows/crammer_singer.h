/* Crammer and Singer's multiclass hinge loss (2001): max(0, margin + max_{k != y} f_k - f_y). gradient 1
 * at the first class that attains the inner maximum and -1 at the label where the loss is positive; the
 * Hessian, zero almost everywhere, is reported as 1 there. Worst error 1 ULP. Parameters:
 * p[0] = margin.
 */
FL_INLINE V FN(crammer_singer)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const V none = vsplat((REAL)-INFINITY);
    const VI label = t->label;
    const ptrdiff_t n = t->n;
    V raw = vload(t->f), rival = none, bad = zero, slack;
    for (ptrdiff_t k = 0; k < n; k++) {
        const V x = vload(t->f + k * LANES);
        const VI here = FN(fl_row_is)(label, k);
        raw = vselect(here, x, raw);
        rival = vmax(vselect(here, none, x), rival); /* overlooks NaN */
        bad = vselect(x == x, bad, x);
    }
    slack = vmax(zero, FN(fl_sum_of_three)(rival, raw, vsplat(t->p[0])));
    slack = vkeep(rival > none, slack); /* a single class has no rival */
    const V lowered = vkeep(slack > zero, -one);
    V raised = -lowered; /* 0 once the rival has been met */
    for (ptrdiff_t k = 0; k < n; k++) {
        const V x = vload(t->f + k * LANES);
        const VI here = FN(fl_row_is)(label, k);
        const V first = vkeep((x == rival) & (here == 0), raised);
        const V active = vselect(here, lowered, first) + bad;
        raised = raised - first;
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES, active);
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES, active * active);
    }
    return slack + bad;
}
