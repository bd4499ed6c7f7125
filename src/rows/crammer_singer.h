/* Crammer and Singer's multiclass hinge loss (2001): max(0, margin + max_{k != y} f_k - f_y). gradient 1
 * at the first class that attains the inner maximum and -1 at the label where the loss is positive; the
 * Hessian, zero almost everywhere, is reported as 1 there. Worst error 1 ULP: float32 in float64, where it
 * may cancel. Parameters: p[0] + p[1] + p[2] = margin, each of at most 24 bits.
 */
#include "vecmath/wide.h"

/* a - b + margin */
FL_INLINE V FN(fl_crammer_singer_slack)(V a, V b, const REAL *p)
{
#if FL_BITS == 64
    return FN(fl_sum_of_three)(a, b, vsplat(p[0] + (p[1] + p[2])));
#else
    /* the lower parts of an infinite one may be infinite, too */
    const double low = p[0] <= REAL_MAX ? (double)p[1] + p[2] : 0.0;
    const fl_v_f64 margin = fl_splat_f64(p[0] + low);
#if FL_VECTOR_BYTES
    return vnarrow(fl_sum_of_three_f64(vwiden_low(a), vwiden_low(b), margin),
                   fl_sum_of_three_f64(vwiden_high(a), vwiden_high(b), margin));
#else
    return (V)fl_sum_of_three_f64(a, b, margin);
#endif
#endif
}

/* Classes are told apart by their numbers alone once the rival has one: the logits are read once. */
FL_INLINE V FN(fl_crammer_singer_for)(const FN(FlRowTile) * tile, int wants)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const V none = vsplat((REAL)-INFINITY);
    const VI next = vsplat_int(1);
    VI k_now = vsplat_int(0), attains = k_now;
    V raw = vload(t.f), rival = none, bad = zero, slack;
    for (ptrdiff_t k = 0; k < t.n; k++, k_now = k_now + next) {
        const V x = vload(t.f + k * LANES);
        const VI here = t.label == k_now;
        const V other = vselect(here, none, x);
        attains = vbits(vselect(other > rival, vfrom_bits(k_now), vfrom_bits(attains)));
        raw = vselect(here, x, raw);
        rival = vmax(other, rival); /* overlooks NaN */
        bad = vselect(x == x, bad, x);
    }
    slack = vmax(zero, FN(fl_crammer_singer_slack)(rival, raw, t.p));
    slack = vkeep(rival > none, slack) + bad; /* a single class has no rival */
    /* NaN everywhere where any logit is */
    const V raised = vselect(slack > zero, one, bad), lowered = vselect(slack > zero, -one, bad);
    k_now = vsplat_int(0);
    for (ptrdiff_t k = 0; k < t.n && (wants & (FL_WANT_GRADIENT | FL_WANT_HESSIAN));
         k++, k_now = k_now + next) {
        const V first = vselect(attains == k_now, raised, bad);
        const V active = vselect(t.label == k_now, lowered, first);
        if (wants & FL_WANT_GRADIENT)
            vstore(t.gradient + k * LANES, active);
        if (wants & FL_WANT_HESSIAN)
            vstore(t.hessian + k * LANES, active * active);
    }
    return slack;
}

#define FL_ROW_FEW 10
#define FL_ROW_FEW_LOSS fl_crammer_singer_of_few
#define FL_ROW_FEW_REDO 1

/* Loss and gradient of a few outputs, the same but for NaN or infinity among them: then the loss is NaN. */
FL_INLINE V FN(fl_crammer_singer_of_few)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0)), none = vsplat((REAL)-INFINITY);
    V raw = vload(t->f), rival = none, finite = zero, attains = vfrom_bits(vsplat_int(0));
    (void)wants;
#pragma GCC unroll 10
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V x = vload(t->f + k * LANES);
        const V other = FN(fl_at_label)(t->label, (INT)k, none, x);
        attains = vselect(other > rival, vfrom_bits(vsplat_int((INT)k)), attains);
        raw = FN(fl_at_label)(t->label, (INT)k, x, raw);
        rival = vmax(other, rival);
        finite = finite + x * zero;
    }
    const V slack = vmax(zero, FN(fl_crammer_singer_slack)(rival, raw, t->p));
    const V raised = vkeep(slack > zero, vsplat(R(1.0)));
#pragma GCC unroll 10
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V first = FN(fl_at_label)(vbits(attains), (INT)k, raised, zero);
        vstore(t->gradient + k * LANES, FN(fl_at_label)(t->label, (INT)k, -raised, first));
    }
    return slack + finite;
}

FL_INLINE V FN(crammer_singer)(const FN(FlRowTile) * t, int wants)
{
    if (wants == (FL_WANT_LOSS | FL_WANT_GRADIENT))
        return FN(fl_crammer_singer_for)(t, FL_WANT_LOSS | FL_WANT_GRADIENT);
    return FN(fl_crammer_singer_for)(t, wants);
}
