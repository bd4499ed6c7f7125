/* Multilabel margin loss, as torch's: the sum over classes j of the set and k outside it of
 * max(0, 1 - (f_j - f_k)), divided by the number n of classes. target holds the set, ended by the first
 * -1; a class named twice counts twice. gradient: of k how many terms are positive, of j minus that,
 * both / n; the Hessian, zero almost everywhere, is reported as their absolute values. Differences are
 * summed without error: worst error 3 ULP. Parameters: none.
 */

/* The sets of a tile as bits, for less classes than a label has; and which of them name a class twice. */
FL_INLINE VU FN(fl_set_bits)(const FN(FlRowTile) * t, VU *twice)
{
    const V shift = vround_shift(), zero = vsplat(R(0.0));
    V open = FN(fl_from_ubits)((VU)vsplat_int(1));
    VU set = FN(fl_ubits)(zero);
    *twice = set;
    for (ptrdiff_t i = 0; i < t->n; i++) {
        const V q = vload(t->target + i * LANES);
        const VU class = (FN(fl_ubits)(q + shift) - FN(fl_ubits)(shift)) & (UINT)(FL_BITS - 1);
        open = vkeep(q >= zero, open);
        const VU bit = FN(fl_ubits)(open) << class;
        *twice = *twice | (set & bit);
        set = set | bit;
    }
    return set;
}

/* The same of sets that name no class twice, all numbers finite: a class of the set is -inf among those outside
 * it and the other way round, so that their terms are 0. */
FL_INLINE V FN(fl_margins_of_sets)(const FN(FlRowTile) * tile, VU bits, int wants)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), none = vsplat((REAL)-INFINITY);
    REAL *outside = t.room[0], *from = t.room[1], *rest = t.room[2], *active = t.room[3];
    const ptrdiff_t n_outputs = t.n;
    const REAL n = (REAL)n_outputs;
    V loss = zero, lost = zero;
    const VU one_bit = (VU)vsplat_int(1);
    ptrdiff_t named = 0; /* classes that are in a set of the tile */
    VU left = bits;
    for (ptrdiff_t k = 0; k < n_outputs; k++) {
        const V f = vload(t.f + k * LANES);
        const VI in = (left & (UINT)1) == one_bit;
        V low;
        const V margin = two_sum(one, -f, &low);
        vstore(outside + k * LANES, vselect(in, none, f));
        vstore(from + named * LANES, vselect(in, margin, none));
        vstore(rest + named * LANES, low);
        vstore(active + named * LANES, zero);
        named += vany(in);
        left = left >> 1;
    }
    for (ptrdiff_t k = 0; k < n_outputs; k += 2) {
        const V f = vload(outside + k * LANES);
        const V g = k + 1 < n_outputs ? vload(outside + (k + 1) * LANES) : none;
        V slope = zero, second = zero;
        for (ptrdiff_t j = 0; j < named; j++) {
            /* where the first sum cancels it is exact, and elsewhere the rest is below its rounding */
            const V base = vload(from + j * LANES), low = vload(rest + j * LANES);
            const V term = vmax(zero, (f + base) + low), other = vmax(zero, (g + base) + low);
            const V step = vkeep(term > zero, one), step_of_other = vkeep(other > zero, one);
            add_carrying(&loss, &lost, term + other);
            vstore(active + j * LANES, vload(active + j * LANES) + (step + step_of_other));
            slope = slope + step;
            second = second + step_of_other;
        }
        vstore(t.gradient + k * LANES, slope);
        if (k + 1 < n_outputs)
            vstore(t.gradient + (k + 1) * LANES, second);
    }
    named = 0;
    left = bits;
    for (ptrdiff_t k = 0; k < n_outputs; k++) {
        const VI in = (left & (UINT)1) == one_bit;
        const V own = vkeep(in, vload(active + named * LANES));
        const V g = (vload(t.gradient + k * LANES) - own) / n;
        vstore(t.gradient + k * LANES, g);
        if (wants & FL_WANT_HESSIAN)
            vstore(t.hessian + k * LANES, vabs(g));
        named += vany(in);
        left = left >> 1;
    }
    return carried(loss, lost) / n;
}

/* Any sets, any numbers */
FL_INLINE V FN(fl_margins_of_any)(const FN(FlRowTile) * t, int wants)
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

FL_INLINE V FN(multilabel_margin)(const FN(FlRowTile) * t, int wants)
{
    VI usual = vsplat_int(0) == vsplat_int(0);
    VU twice;
    if (t->n >= FL_BITS)
        return FN(fl_margins_of_any)(t, wants);
    const VU bits = FN(fl_set_bits)(t, &twice);
    for (ptrdiff_t k = 0; k < t->n; k++)
        usual = usual & (vabs(vload(t->f + k * LANES)) <= REAL_MAX);
    usual = usual & (twice == (twice ^ twice));
    const V loss = FN(fl_margins_of_sets)(t, bits, wants);
    if (vall(usual))
        return loss;
    /* gradients are counts, the same either way */
    const V of_any = FN(fl_margins_of_any)(t, wants);
    return vselect(usual, loss, of_any);
}
