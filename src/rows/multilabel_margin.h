/* Multilabel margin loss, as torch's: the sum over classes j of the set and k outside it of
 * max(0, 1 - (f_j - f_k)), divided by the number n of classes. target holds the set, ended by the first
 * -1; one that names a class twice is refused. gradient: of k how many terms are positive, of j minus that,
 * both / n; the Hessian, zero almost everywhere, is reported as their absolute values. Differences are
 * summed without error: worst error 3 ULP. Parameters: none.
 */

#include "rows/count.h"

/* The sets of a tile as bits, for less classes than a label has; and which of them name a class twice. */
FL_INLINE VU FN(fl_set_bits)(const FN(FlRowTile) * t, VU *twice)
{
    const V shift = vround_shift(), zero = vsplat(R(0.0));
    V open = FN(fl_from_ubits)((VU)vsplat_int(1));
    VU set = FN(fl_ubits)(zero);
    *twice = set;
    for (ptrdiff_t i = 0; i < t->n; i++) {
        const V q = vload(t->target + i * LANES);
        const VU class = FN(fl_ubits)(q + shift) & (UINT)(FL_BITS - 1); /* those of shift are 0 */
        open = vkeep(q >= zero, open);
        const VU bit = FN(fl_ubits)(open) << class;
        *twice = *twice | (set & bit);
        set = set | bit;
    }
    return set;
}

/* Negative where the class is in the set */
FL_INLINE V FN(fl_in_set)(VU bits, ptrdiff_t class)
{
    return FN(fl_from_ubits)(bits << (FL_BITS - 1 - (int)class));
}

/* f - 1 rounded down: what is larger than the one is larger than the other, if it is a number of this precision. */
FL_INLINE V FN(fl_below_margin)(V f)
{
#if FL_VECTOR_BYTES == 64
    return (V)FL_MM(sub_round)(f, vsplat(R(1.0)), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
#else
    V rest;
    const V s = FN(fl_two_sum)(f, vsplat(R(-1.0)), &rest);
    const V step = vselect(s < R(0.0), vfrom_bits(vsplat_int(1)), vfrom_bits(vsplat_int(-1)));
    return vfrom_bits(vbits(s) + vbits(vkeep(rest < R(0.0), step)));
#endif
}

/* The sum of f_k times slopes of n classes, and what it has lost, and the number of terms, each counted at both classes:
 * the loss. `size` is the sum of what was added, without signs. */
FL_INLINE V FN(fl_margin_loss)(V loss, V lost, V size, V terms, REAL n, VI *usual)
{
    terms = terms * R(0.5);
    add_carrying(&loss, &lost, terms);
    size = size + terms;
    loss = loss + lost;
    /* `lost` is at most (n + 2) EPS / 2 of the size, and has been rounded 2 n + 1 times: to an eighth of an EPS of the
     * loss */
    const REAL most = R(0.25) / REAL_EPS / ((n + R(2.0)) * (n + R(0.5)));
    *usual = (size <= loss * most) & (size <= REAL_MAX);
    return loss / n;
}

/* The same of sets that name no class twice. Of two classes one at most is in the set without the other, so that
 * each two meet once, and their term is only asked whether it is positive. The loss is how many terms there are, and
 * the sum of f_k times slopes. *usual is 0 where that might have lost digits, or something is not finite. */
FL_INLINE V FN(fl_margins_of_sets)(const FN(FlRowTile) * tile, VU bits, int wants, VI *usual)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const V zero = vsplat(R(0.0)), none = vsplat((REAL)-INFINITY), shift = vround_shift();
    REAL *inside = t.room[0], *outside = t.room[1], *counts = t.room[2];
    const ptrdiff_t n_outputs = t.n;
    const REAL n = (REAL)n_outputs;
    V loss = zero, lost = zero, size = zero, terms = zero;
    for (ptrdiff_t k = 0; k < n_outputs; k++) {
        const V f = vload(t.f + k * LANES), in = FN(fl_in_set)(bits, k);
        vstore(inside + k * LANES, vselect_negative(in, -FN(fl_below_margin)(f), none));
        vstore(outside + k * LANES, vselect_negative(in, none, f));
        vstore(counts + k * LANES, shift); /* in its low bits */
    }
    for (ptrdiff_t j = 0; j + 1 < n_outputs; j += 2) {
        const V in = FN(fl_in_set)(bits, j), also_in = FN(fl_in_set)(bits, j + 1);
        const V inside_next = vload(inside + (j + 1) * LANES);
        const V outside_next = vload(outside + (j + 1) * LANES);
        const V least = -vmax(vload(inside + j * LANES), vload(outside + j * LANES));
        const V least_next = -vmax(inside_next, outside_next);
        const VI both = vselect_negative(in, outside_next, inside_next) > least;
        V count = FN(fl_count_one)(vload(counts + j * LANES), both);
        V count_next = FN(fl_count_one)(vload(counts + (j + 1) * LANES), both);
        for (ptrdiff_t k = j + 2; k < n_outputs; k++) {
            const V x = vload(inside + k * LANES), y = vload(outside + k * LANES);
            const VI active = vselect_negative(in, y, x) > least;
            const VI active_next = vselect_negative(also_in, y, x) > least_next;
            count = FN(fl_count_one)(count, active);
            count_next = FN(fl_count_one)(count_next, active_next);
            vstore(
                counts + k * LANES,
                FN(fl_count_one)(FN(fl_count_one)(vload(counts + k * LANES), active), active_next));
        }
        vstore(counts + j * LANES, count);
        vstore(counts + (j + 1) * LANES, count_next);
    }
    for (ptrdiff_t k = 0; k < n_outputs; k++) {
        const V f = vload(t.f + k * LANES), count = vload(counts + k * LANES) - shift;
        const V slope = vcopysign(count, FN(fl_in_set)(bits, k)), g = slope / n;
        V product_low, sum_low;
        const V part = FN(fl_product)(slope, f, &product_low);
        loss = FN(fl_two_sum)(loss, part, &sum_low);
        lost = lost + (product_low + sum_low);
        size = size + vabs(part);
        terms = terms + count;
        vstore(t.gradient + k * LANES, g);
        if (wants & FL_WANT_HESSIAN)
            vstore(t.hessian + k * LANES, vabs(g));
    }
    return FN(fl_margin_loss)(loss, lost, size, terms, n, usual);
}

/* The same of n <= 10 outputs, a constant, in registers. */
FL_INLINE V FN(fl_margins_of_few)(const FN(FlRowTile) * tile, VU bits, int wants, ptrdiff_t n,
                                  VI *usual)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const V zero = vsplat(R(0.0)), shift = vround_shift();
    const V none = vsplat((REAL)-INFINITY);
    V inside[10], outside[10], count[10], loss = zero, lost = zero, size = zero, terms = zero;
#pragma GCC unroll 10
    for (ptrdiff_t k = 0; k < n; k++) {
        const V f = vload(t.f + k * LANES), in = FN(fl_in_set)(bits, k);
        inside[k] = vselect_negative(in, -FN(fl_below_margin)(f), none);
        outside[k] = vselect_negative(in, none, f);
        count[k] = shift;
    }
#pragma GCC unroll 10
    for (ptrdiff_t j = 0; j < n; j++) {
        const V in = FN(fl_in_set)(bits, j), least = -vmax(inside[j], outside[j]);
#pragma GCC unroll 10
        for (ptrdiff_t k = j + 1; k < n; k++) {
            const V other = vselect_negative(in, outside[k], inside[k]);
            count[j] = FN(fl_count_above)(count[j], other, least);
            count[k] = FN(fl_count_above)(count[k], other, least);
        }
    }
#pragma GCC unroll 10
    for (ptrdiff_t k = 0; k < n; k++) {
        const V f = vload(t.f + k * LANES), times = count[k] - shift;
        const V slope = vcopysign(times, FN(fl_in_set)(bits, k)), g = slope / (REAL)n;
        V product_low, sum_low;
        const V part = FN(fl_product)(slope, f, &product_low);
        loss = FN(fl_two_sum)(loss, part, &sum_low);
        lost = lost + (product_low + sum_low);
        size = size + vabs(part);
        terms = terms + times;
        vstore(t.gradient + k * LANES, g);
        if (wants & FL_WANT_HESSIAN)
            vstore(t.hessian + k * LANES, vabs(g));
    }
    return FN(fl_margin_loss)(loss, lost, size, terms, (REAL)n, usual);
}

/* functions of their own, so that each has all registers */
#define FL_MARGINS(n) \
    FL_OUTLINE V FN(FL_CONCAT(fl_margins_, n))(const FN(FlRowTile) * t, VU bits, int wants, \
                                               VI *usual) \
    { \
        return FN(fl_margins_of_few)(t, bits, wants, n, usual); \
    }
FL_MARGINS(2)
FL_MARGINS(3)
FL_MARGINS(4)
FL_MARGINS(5)
FL_MARGINS(6)
FL_MARGINS(7)
FL_MARGINS(8)
FL_MARGINS(9)
FL_MARGINS(10)
#undef FL_MARGINS

FL_INLINE V FN(fl_margins)(const FN(FlRowTile) * t, VU bits, int wants, VI *usual)
{
#define FL_OF(n) \
    case n: \
        return FN(FL_CONCAT(fl_margins_, n))(t, bits, wants, usual);
    switch (t->n) {
        FL_OF(2)
        FL_OF(3)
        FL_OF(4)
        FL_OF(5)
        FL_OF(6)
        FL_OF(7)
        FL_OF(8)
        FL_OF(9)
        FL_OF(10)
    }
#undef FL_OF
    return FN(fl_margins_of_sets)(t, bits, wants, usual);
}

/* Any sets, any numbers */
FL_INLINE V FN(fl_margins_of_any)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    REAL *times = t->room[0], *slope = t->room[1];
    const ptrdiff_t n_outputs = t->n;
    const REAL n = (REAL)n_outputs;
    V loss = zero, lost = zero, open = one, bad = zero, most = zero;
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
        most = vmax(most, count);
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
    vstore(t->room[FN(FL_ROW_REPEATS)], vkeep(most > one, one));
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
    VI usual;
    VU twice;
    if (t->n >= FL_BITS)
        return FN(fl_margins_of_any)(t, wants);
    const VU bits = FN(fl_set_bits)(t, &twice);
    const V loss = FN(fl_margins)(t, bits, wants, &usual);
    vstore(t->room[FN(FL_ROW_REPEATS)], FN(fl_from_ubits)(twice));
    usual = usual & (twice == (twice ^ twice));
    if (vall(usual))
        return loss;
    /* gradients are counts, the same either way */
    const V of_any = FN(fl_margins_of_any)(t, wants);
    return vselect(usual, loss, of_any);
}
