/* Multiclass hinge loss (Weston, Watkins 1999), as torch's multi_margin_loss: the mean over all n
 * classes of max(0, margin - f_y + f_k)^power, k != y, power 1 or 2. gradient of class k != y:
 * power s^(power - 1) / n with s the term, of the label minus the sum of these. Hessian diagonal, for
 * power 2: 2 / n where s > 0, at the label their sum; zero almost everywhere for power 1, and reported
 * there as 1 / n and their sum. Differences of logits are summed without error: worst error 3.5 ULP.
 * Parameters: p[0] = margin, p[1] = power.
 */
FL_INLINE V FN(multiclass_hinge)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0));
    const REAL n = (REAL)t->n;
    const int squared = t->p[1] == R(2.0);
    V raw = vload(t->f), loss = zero, lost = zero, slope = zero, slope_lost = zero, active = zero;
    for (ptrdiff_t k = 1; k < t->n; k++)
        raw = vselect(FN(fl_row_is)(t->label, k), vload(t->f + k * LANES), raw);
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V s = FN(fl_sum_of_three)(vload(t->f + k * LANES), raw, vsplat(t->p[0]));
        const V term = vselect(FN(fl_row_is)(t->label, k), zero, vmax(zero, s));
        const VI beyond = (term > zero) | (term != term);
        const V one = vselect(term == term, vsplat(R(1.0)), term);
        V first = vkeep(beyond, one);
        if (squared)
            first = term + term;
        const V second = vkeep(beyond, vsplat(t->p[1]));
        add_carrying(&loss, &lost, squared ? FN(fl_opaque)(term * term) : term);
        add_carrying(&slope, &slope_lost, first);
        active = active + second;
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES, first / n);
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES, second / n);
    }
    slope = slope + slope_lost;
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const VI here = FN(fl_row_is)(t->label, k);
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES,
                   vselect(here, -slope / n, vload(t->gradient + k * LANES)));
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES,
                   vselect(here, active / n, vload(t->hessian + k * LANES)));
    }
    return (loss + lost) / n;
}
