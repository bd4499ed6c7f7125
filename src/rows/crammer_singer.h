/* Crammer and Singer's multiclass hinge loss (2001): max(0, margin + max_{k != y} f_k - f_y). gradient 1
 * at the first class that attains the inner maximum and -1 at the label where the loss is positive; the
 * Hessian, zero almost everywhere, is reported as 1 there. Worst error 1 ULP. Parameters:
 * p[0] = margin.
 */
FL_INLINE V FN(crammer_singer)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    V raw = vload(t->f), rival = vsplat((REAL)-INFINITY), bad = zero, slack;
    VI which = vsplat_int(-1);
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V x = vload(t->f + k * LANES);
        const VI here = FN(fl_row_is)(t->label, k);
        const VI better = (vselect(here, vsplat((REAL)-INFINITY), x) > rival);
        raw = vselect(here, x, raw);
        rival = vselect(better, x, rival);
        which = vbits(vselect(better, vfrom_bits(vsplat_int((INT)k)), vfrom_bits(which)));
        bad = vselect(x == x, bad, x); /* a comparison overlooks NaN */
    }
    slack = vmax(zero, FN(fl_sum_of_three)(rival, raw, vsplat(t->p[0])));
    slack = vselect(which >= vsplat_int(0), slack, zero); /* a single class has no rival */
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V sign = vselect(FN(fl_row_is)(t->label, k), -one,
                               vselect(which == vsplat_int((INT)k), one, zero));
        const V active = vkeep(slack > zero, sign) + bad;
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES, active);
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES, active * active);
    }
    return slack + bad;
}
