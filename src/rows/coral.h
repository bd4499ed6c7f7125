/* CORAL (Cao, Mirjalili, Raschka 2020): output k is the logit of y > k, and its loss the binary log
 * loss, times the importance of the task. t = e^{-|f|}, z = (1 - 2 [y > k]) f:
 * loss = sum_k i_k (max(z, 0) + log1p(t)), gradient i_k (sigma(f) - [y > k]), Hessian
 * i_k sigma(f) sigma(-f). Nothing is subtracted. Worst error 3 ULP. per_output: the importances, 1 by default.
 */

/* In loops of a few operations for all outputs: an exponential and its logarithm are a long chain. wants is a
 * constant where that pays. */
FL_INLINE V FN(fl_coral_for)(const FN(FlRowTile) * tile, int wants)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    REAL *exponential = t.room[0], *log = t.room[1];
    V loss = zero, lost = zero;
    for (ptrdiff_t k = 0; k < t.n; k++)
        vstore(exponential + k * LANES, vexp_nonpositive(vminus_abs(vload(t.f + k * LANES))));
    for (ptrdiff_t k = 0; k < t.n && (wants & FL_WANT_LOSS); k++)
        vstore(log + k * LANES, vlog1p_unit(vload(exponential + k * LANES)));
    for (ptrdiff_t k = 0; k < t.n; k++) {
        const V f = vload(t.f + k * LANES), importance = FN(fl_row_number)(&t, k);
        const V e = vload(exponential + k * LANES), u = e - e * (e / (one + e));
        const VI above = t.label > vsplat_int((INT)k);
        const V z = vselect(above, -f, f), sign = vselect(above, -one, one);
        if (wants & FL_WANT_LOSS) {
            const V term = vmax(zero, z) + vload(log + k * LANES);
            add_carrying(&loss, &lost, FN(fl_opaque)(importance * term));
        }
        if (wants & FL_WANT_GRADIENT)
            vstore(t.gradient + k * LANES, importance * sign * vselect_negative(z, u, one - u));
        if (wants & FL_WANT_HESSIAN)
            vstore(t.hessian + k * LANES, importance * (u - u * u));
    }
    return carried(loss, lost);
}

FL_INLINE V FN(coral)(const FN(FlRowTile) * t, int wants)
{
    if (wants == (FL_WANT_LOSS | FL_WANT_GRADIENT))
        return FN(fl_coral_for)(t, FL_WANT_LOSS | FL_WANT_GRADIENT);
    return FN(fl_coral_for)(t, wants);
}
