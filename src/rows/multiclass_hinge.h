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
    const ptrdiff_t n_outputs = t->n;
    const REAL n = (REAL)n_outputs;
    const V part = vsplat(R(1.0) / n);
    V raw = vload(t->f), rest, loss = zero, lost = zero, slope = zero, slope_lost = zero;
    V active = zero;
    const VI label = t->label;
    for (ptrdiff_t k = 1; k < n_outputs; k++)
        raw = vselect(FN(fl_row_is)(label, k), vload(t->f + k * LANES), raw);
    const V from = two_sum(vsplat(t->p[0]), -raw, &rest);
    for (ptrdiff_t k = 0; k < n_outputs; k++) {
        /* where the first sum cancels it is exact, and elsewhere the rest is below its rounding */
        const V s = (vload(t->f + k * LANES) + from) + rest;
        const V term = vselect(FN(fl_row_is)(label, k), zero, vmax(zero, s));
        const VI beyond = (term <= zero) == 0; /* also NaN */
        add_carrying(&loss, &lost, squared ? FN(fl_opaque)(term * term) : term);
        active = active + vkeep(beyond, vsplat(R(1.0)));
        if (squared) {
            const V first = term + term;
            add_carrying(&slope, &slope_lost, first);
            if (wants & FL_WANT_GRADIENT)
                vstore(t->gradient + k * LANES, first / n);
        } else if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES, vselect(term == term, vkeep(beyond, part), term));
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES, vkeep(beyond, squared ? vsplat(R(2.0) / n) : part));
    }
    if (squared) {
        slope = carried(slope, slope_lost);
        active = active + active;
    } else
        slope = vselect(loss == loss, active, loss);
    for (ptrdiff_t k = 0; k < n_outputs; k++) {
        const VI here = FN(fl_row_is)(label, k);
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES,
                   vselect(here, -slope / n, vload(t->gradient + k * LANES)));
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES,
                   vselect(here, active / n, vload(t->hessian + k * LANES)));
    }
    return carried(loss, lost) / n;
}

FL_INLINE V FN(multiclass_hinge)(const FN(FlRowTile) * t, int wants)
{
    if (t->p[1] == R(2.0))
        return FN(fl_hinge_of_power)(t, wants, 1);
    return FN(fl_hinge_of_power)(t, wants, 0);
}
