/* Multiclass hinge loss (Weston, Watkins 1999), as torch's multi_margin_loss: the mean over all n
 * classes, or the sum (n is 1 then below), of max(0, margin - f_y + f_k)^power, k != y, power 1 or 2.
 * gradient of class k != y: power s^(power - 1) / n with s the term, of the label minus the sum of
 * these. Hessian diagonal, for power 2: 2 / n where s > 0, at the label their sum; zero almost everywhere for power 1, and reported
 * there as 1 / n and their sum. Differences of logits are summed without error: worst error 3.5 ULP.
 * Parameters: p[0] + p[2] + p[3] = margin, each of at most 24 bits, p[1] = power, p[4] = 1 for the sum.
 */
#include "rows/count.h"

/* squared is a constant, and wants where that pays. */
FL_INLINE V FN(fl_hinge_of_power)(const FN(FlRowTile) * tile, int wants, int squared)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const REAL n = t.p[4] == R(1.0) ? R(1.0) : (REAL)t.n;
    const V part = vsplat(R(1.0) / n);
    const VI next = vsplat_int(1);
    VI to_label = t.label - next; /* 0 where k is the label */
    V raw = vload(t.f), rest, least = zero, loss = zero, lost = zero, slope = zero,
      slope_lost = zero;
    V active = zero;
    for (ptrdiff_t k = 1; k < t.n; k++) {
        raw = vselect(to_label == 0, vload(t.f + k * LANES), raw);
        to_label = to_label - next;
    }
    const REAL margin = FL_BITS == 64 ? t.p[0] + (t.p[2] + t.p[3]) : t.p[0];
    const V from = two_sum(vsplat(margin), -raw, &rest);
    if (FL_BITS == 32 && margin <= REAL_MAX) { /* which has more digits than this */
        rest = two_sum(rest, vsplat(t.p[2]), &least);
        least = least + t.p[3];
    }
    to_label = t.label;
    V pair = zero; /* the term before this one */
    for (ptrdiff_t k = 0; k < t.n; k++, to_label = to_label - next) {
        /* where the first sum cancels it is exact, and elsewhere the rest is below its rounding, which a square
         * doubles and so is put back */
        const V x = vload(t.f + k * LANES);
        V s = x + from, error = zero;
        if (squared)
            s = two_sum(x, from, &error);
        s = s + (rest + error);
        if (FL_BITS == 32)
            s = s + least;
        const V term = vselect(to_label == 0, zero, vmax(zero, s));
        const VI beyond = (term <= zero) == 0; /* also NaN */
        if (!squared && k % 2) /* by twos: a carry is a chain of its own */
            add_carrying(&loss, &lost, pair + term);
        else if (!squared)
            pair = term;
        else if (wants & FL_WANT_LOSS)
            add_carrying(&loss, &lost, FN(fl_opaque)(term * term));
        active = active + vkeep(beyond, one);
        if (squared) {
            const V first = term + term;
            add_carrying(&slope, &slope_lost, first);
            if (wants & FL_WANT_GRADIENT)
                vstore(t.gradient + k * LANES, first / n);
        } else if (wants & FL_WANT_GRADIENT)
            vstore(t.gradient + k * LANES, vselect(term == term, vkeep(beyond, part), term));
        if (wants & FL_WANT_HESSIAN)
            vstore(t.hessian + k * LANES,
                   vselect(term == term, vkeep(beyond, squared ? vsplat(R(2.0) / n) : part), term));
    }
    if (!squared && t.n % 2)
        add_carrying(&loss, &lost, pair);
    if (squared) {
        slope = carried(slope, slope_lost);
        active = active + active;
    } else
        slope = vselect(loss == loss, active, loss);
    /* opaque, lest each class repeat the divisions where it is the label */
    const V at_label = FN(fl_opaque)(-slope / n);
    const V bend = FN(fl_opaque)(vselect(slope == slope, active, slope) / n);
    to_label = t.label;
    for (ptrdiff_t k = 0; k < t.n; k++, to_label = to_label - next) {
        const VI here = to_label == 0;
        if (wants & FL_WANT_GRADIENT)
            vstore(t.gradient + k * LANES, vselect(here, at_label, vload(t.gradient + k * LANES)));
        if (wants & FL_WANT_HESSIAN)
            vstore(t.hessian + k * LANES, vselect(here, bend, vload(t.hessian + k * LANES)));
    }
    return carried(loss, lost) / n;
}

/* What the terms of a tile share */
typedef struct {
    V from, rest, least, part; /* from + rest + least = margin - f_y; part = 1 / n */
} FN(FlHinges);

/* The term of one class and its gradient for power 1. exact: a constant, whether least is 0 */
FL_INLINE V FN(fl_hinge_term)(const FN(FlRowTile) * t, ptrdiff_t k, VI to_label,
                              const FN(FlHinges) * of, int exact, V *active)
{
    const V zero = vsplat(R(0.0));
    V s = (vload(t->f + k * LANES) + of->from) + of->rest;
    if (!exact)
        s = s + of->least;
    const V term = vselect(to_label == 0, zero, vmax(zero, s));
    const VI beyond = term > zero;
    *active = FN(fl_count_one)(*active, beyond);
    vstore(t->gradient + k * LANES, vkeep(beyond, of->part));
    return term;
}

/* Loss and gradient of a tile for power 1, the same as above unless a term is NaN: then so is the loss. */
FL_INLINE V FN(fl_hinge_usual)(const FN(FlRowTile) * tile, int exact)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const V zero = vsplat(R(0.0)), shift = vround_shift();
    const REAL n = t.p[4] == R(1.0) ? R(1.0) : (REAL)t.n;
    const REAL margin = FL_BITS == 64 ? t.p[0] + (t.p[2] + t.p[3]) : t.p[0];
    const VI next = vsplat_int(1);
    FN(FlHinges) of = {zero, zero, zero, vsplat(R(1.0) / n)};
    VI to_label = t.label - next;
    V raw = vload(t.f), loss = zero, lost = zero, active = shift;
    ptrdiff_t k;
    for (k = 1; k < t.n; k++) {
        raw = vselect(to_label == 0, vload(t.f + k * LANES), raw);
        to_label = to_label - next;
    }
    of.from = two_sum(vsplat(margin), -raw, &of.rest);
    if (!exact && margin <= REAL_MAX) {
        of.rest = two_sum(of.rest, vsplat(t.p[2]), &of.least);
        of.least = of.least + t.p[3];
    }
    to_label = t.label;
    for (k = 0; k + 2 <= t.n; k += 2) { /* by twos: a carry is a chain of its own */
        const V term = FN(fl_hinge_term)(&t, k, to_label, &of, exact, &active);
        to_label = to_label - next;
        const V other = FN(fl_hinge_term)(&t, k + 1, to_label, &of, exact, &active);
        to_label = to_label - next;
        add_carrying(&loss, &lost, term + other);
    }
    if (k < t.n)
        add_carrying(&loss, &lost, FN(fl_hinge_term)(&t, k, to_label, &of, exact, &active));
    /* opaque, lest each class repeat the division where it is the label */
    const V at_label = FN(fl_opaque)((shift - active) / n);
    to_label = t.label;
    for (k = 0; k < t.n; k++, to_label = to_label - next)
        vstore(t.gradient + k * LANES,
               vselect(to_label == 0, at_label, vload(t.gradient + k * LANES)));
    return carried(loss, lost) / n;
}

/* Whether margin is a number of this precision, and power 1 */
FL_INLINE int FN(fl_hinge_is_few)(const FN(FlRowTile) * t)
{
    return t->p[1] == R(1.0) && (FL_BITS == 64 || (t->p[2] == 0 && t->p[3] == 0));
}
#define FL_ROW_FEW 10
#define FL_ROW_FEW_IF fl_hinge_is_few
#define FL_ROW_FEW_LOSS fl_hinge_of_few
#define FL_ROW_FEW_REDO 1

/* Loss and gradient of such a tile, the same as above unless a term is NaN: then so is the loss. */
FL_INLINE V FN(fl_hinge_of_few)(const FN(FlRowTile) * t, int wants)
{
    const ptrdiff_t n = t->n;
    const V zero = vsplat(R(0.0)), shift = vround_shift();
    const V margin = vsplat(FL_BITS == 64 ? t->p[0] + (t->p[2] + t->p[3]) : t->p[0]);
    const REAL divisor = t->p[4] == R(1.0) ? R(1.0) : (REAL)n;
    const V part = vsplat(R(1.0) / divisor);
    V raw = vload(t->f), loss = zero, lost = zero, active = shift, rest, term[10];
#pragma GCC unroll 10
    for (ptrdiff_t k = 1; k < n; k++)
        raw = FN(fl_at_label)(t->label, (INT)k, vload(t->f + k * LANES), raw);
    const V from = two_sum(margin, -raw, &rest);
#pragma GCC unroll 10
    for (ptrdiff_t k = 0; k < n; k++) {
        const V s = vmax(zero, (vload(t->f + k * LANES) + from) + rest);
        term[k] = FN(fl_at_label)(t->label, (INT)k, zero, s);
        active = FN(fl_count_above)(active, term[k], zero);
        if (k % 2) /* by twos: a carry is a chain of its own */
            add_carrying(&loss, &lost, term[k - 1] + term[k]);
    }
    if (n % 2)
        add_carrying(&loss, &lost, term[n - 1]);
    /* opaque, lest each class repeat the division where it is the label */
    const V at_label = FN(fl_opaque)((shift - active) / divisor);
#pragma GCC unroll 10
    for (ptrdiff_t k = 0; k < n; k++)
        vstore(t->gradient + k * LANES,
               FN(fl_at_label)(t->label, (INT)k, at_label, vkeep(term[k] > zero, part)));
    (void)wants;
    return carried(loss, lost) / divisor;
}

FL_INLINE V FN(multiclass_hinge)(const FN(FlRowTile) * t, int wants)
{
    if (t->p[1] == R(2.0))
        return FN(fl_hinge_of_power)(t, wants, 1);
    if (wants == (FL_WANT_LOSS | FL_WANT_GRADIENT) && t->n <= FL_MOST_COUNTED) {
        V loss;
        if (FL_BITS == 64 || (t->p[2] == 0 && t->p[3] == 0))
            loss = FN(fl_hinge_usual)(t, 1);
        else
            loss = FN(fl_hinge_usual)(t, 0);
        if (vall(loss == loss))
            return loss;
    }
    return FN(fl_hinge_of_power)(t, wants, 0);
}
