/* Multiclass hinge loss (Weston, Watkins 1999), as torch's multi_margin_loss: the mean over all n
 * classes of max(0, margin - f_y + f_k)^power, k != y, power 1 or 2. gradient of class k != y:
 * power s^(power - 1) / n with s the term, of the label minus the sum of these. Hessian diagonal, for
 * power 2: 2 / n where s > 0, at the label their sum; zero almost everywhere for power 1, and reported
 * there as 1 / n and their sum. Differences of logits are summed without error: worst error 3.5 ULP.
 * Parameters: p[0] = margin, p[1] = power.
 */
FL_INLINE V FN(fl_hinge_of_power)(const FN(FlRowTile) * t, int wants, int squared)
{
    const V zero = vsplat(R(0.0));
    const REAL n = (REAL)t->n;
    const V part = vsplat(R(1.0) / n);
    V raw = vload(t->f), rest, loss = zero, lost = zero, slope = zero, slope_lost = zero;
    V active = zero;
    for (ptrdiff_t k = 1; k < t->n; k++)
        raw = vselect(FN(fl_row_is)(t->label, k), vload(t->f + k * LANES), raw);
    const V from = two_sum(vsplat(t->p[0]), -raw, &rest);
    for (ptrdiff_t k = 0; k < t->n; k++) {
        V error;
        const V sum = two_sum(vload(t->f + k * LANES), from, &error);
        const V s = sum + (error + rest);
        const V term = vselect(FN(fl_row_is)(t->label, k), zero, vmax(zero, s));
        const VI beyond = (term > zero) | (term != term);
        add_carrying(&loss, &lost, squared ? FN(fl_opaque)(term * term) : term);
        active = active + vkeep(beyond, vsplat(R(1.0)));
        if (squared) {
            const V first = term + term;
            add_carrying(&slope, &slope_lost, first);
            if (wants & FL_WANT_GRADIENT)
                vstore(t->gradient + k * LANES, first / n);
        } else { /* a count, but for NaN */
            slope = slope + vkeep(beyond, vselect(term == term, vsplat(R(1.0)), term));
            if (wants & FL_WANT_GRADIENT)
                vstore(t->gradient + k * LANES, vkeep(beyond, vselect(term == term, part, term)));
        }
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES, vkeep(beyond, squared ? vsplat(R(2.0) / n) : part));
    }
    slope = slope + slope_lost;
    if (squared)
        active = active + active;
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

FL_INLINE V FN(multiclass_hinge)(const FN(FlRowTile) * t, int wants)
{
    if (t->p[1] == R(2.0))
        return FN(fl_hinge_of_power)(t, wants, 1);
    return FN(fl_hinge_of_power)(t, wants, 0);
}
