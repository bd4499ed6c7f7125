/* CORAL (Cao, Mirjalili, Raschka 2020): output k is the logit of y > k, and its loss the binary log
 * loss, times the importance of the task. t = e^{-|f|}, z = (1 - 2 [y > k]) f:
 * loss = sum_k i_k (max(z, 0) + log1p(t)), gradient i_k (sigma(f) - [y > k]), Hessian
 * i_k sigma(f) sigma(-f). Nothing is subtracted. Worst error 3 ULP. per_output: the importances, 1 by default.
 */
#include "vecmath/log1p_of.h"

#define FL_ROW_FLAT

FL_INLINE V FN(coral_flat_first)(V f)
{
    return vexp_nonpositive(vminus_abs(f));
}

/* flip: the sign where y > k */
FL_INLINE V FN(coral_flat)(V f, V e, V flip, V *gradient)
{
    const V one = vsplat(R(1.0));
    const V u = e - e * (e / (one + e)); /* sigma(-|f|) */
    const VU sign = FN(fl_ubits)(flip);
    const V z = FN(fl_from_ubits)(FN(fl_ubits)(f) ^ sign);
    *gradient = FN(fl_from_ubits)(FN(fl_ubits)(vselect_negative(z, u, one - u)) ^ sign);
    return vmax(vsplat(R(0.0)), z) + FN(fl_log1p_of)(e, u);
}

/* In loops of a few operations for all outputs: an exponential and its logarithm are a long chain. wants is a
 * constant where that pays, and so is weighed, whether there are importances. */
FL_INLINE V FN(fl_coral_for)(const FN(FlRowTile) * tile, int wants, int weighed)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), minus = vsplat(R(-0.0));
    REAL *exponential = t.room[0], *share = t.room[1], *log = t.room[2];
    V loss = zero, lost = zero;
    for (ptrdiff_t k = 0; k < t.n; k++)
        vstore(exponential + k * LANES, vexp_nonpositive(vminus_abs(vload(t.f + k * LANES))));
    for (ptrdiff_t k = 0; k < t.n; k++) { /* sigma(-|f|) */
        const V e = vload(exponential + k * LANES), u = e - e * (e / (one + e));
        vstore(share + k * LANES, u);
        if (wants & FL_WANT_LOSS)
            vstore(log + k * LANES, FN(fl_log1p_of)(e, u));
    }
    for (ptrdiff_t k = 0; k < t.n; k++) {
        const V f = vload(t.f + k * LANES), u = vload(share + k * LANES);
        const V importance = weighed ? FN(fl_row_number)(&t, k) : one;
        const VU flip = FN(fl_ubits)(vkeep(t.label > vsplat_int((INT)k), minus));
        const V z = FN(fl_from_ubits)(FN(fl_ubits)(f) ^ flip);
        if (wants & FL_WANT_LOSS) {
            V term = vmax(zero, z) + vload(log + k * LANES);
            if (weighed)
                term = FN(fl_opaque)(importance * term);
            add_carrying(&loss, &lost, term);
        }
        if (wants & FL_WANT_GRADIENT) {
            V size = vselect_negative(z, u, one - u);
            if (weighed)
                size = importance * size;
            vstore(t.gradient + k * LANES, FN(fl_from_ubits)(FN(fl_ubits)(size) ^ flip));
        }
        if (wants & FL_WANT_HESSIAN) {
            V bend = u - u * u;
            if (weighed)
                bend = importance * bend;
            vstore(t.hessian + k * LANES, bend);
        }
    }
    return carried(loss, lost);
}

FL_INLINE V FN(coral)(const FN(FlRowTile) * t, int wants)
{
    if (wants == (FL_WANT_LOSS | FL_WANT_GRADIENT) && !t->per_output)
        return FN(fl_coral_for)(t, FL_WANT_LOSS | FL_WANT_GRADIENT, 0);
    return FN(fl_coral_for)(t, wants, 1);
}
