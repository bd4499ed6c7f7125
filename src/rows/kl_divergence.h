/* Kullback-Leibler divergence of targets q from log-probabilities f: sum_k q_k (log q_k - f_k), where
 * q_k = 0 counts 0. gradient -q_k, Hessian 0. The terms of the sum may cancel: the error is in ULP of
 * the largest of |q_k log q_k| and |q_k f_k|, worst 3. Parameters: none.
 */
#include "vecmath/log_by_table.h"

#define FL_ROW_FLAT
#define FL_ROW_FLAT_PAD R(0.0)

FL_INLINE V FN(kl_divergence_flat)(V f, V q, V *gradient)
{
    /* NaN stays, -inf does not meet a target of 0 */
    const V gap = FN(fl_log_of_positive)(q) - f;
    *gradient = vselect(f == f, -q, f);
    return FN(fl_opaque)(q * vselect((q > R(0.0)) | (f != f), gap, vsplat(R(0.0))));
}

/* The logarithms first, for they are long chains. wants is a constant where that pays. */
FL_INLINE V FN(fl_kl_for)(const FN(FlRowTile) * tile, int wants)
{
    const FN(FlRowTile) t = *tile; /* which no store can alias */
    const V zero = vsplat(R(0.0));
    V loss = zero, lost = zero;
    for (ptrdiff_t k = 0; k < t.n && (wants & FL_WANT_LOSS); k++) {
        /* of targets above 0, the others are left out */
        vstore(t.room[0] + k * LANES, FN(fl_log_of_positive)(vload(t.target + k * LANES)));
    }
    for (ptrdiff_t k = 0; k < t.n; k++) {
        const V q = vload(t.target + k * LANES), f = vload(t.f + k * LANES);
        if (wants & FL_WANT_LOSS) {
            /* NaN stays, -inf does not meet a target of 0 */
            const V gap = vselect((q > zero) | (f != f), vload(t.room[0] + k * LANES) - f, zero);
            add_carrying(&loss, &lost, FN(fl_opaque)(q * gap));
        }
        if (wants & FL_WANT_GRADIENT)
            vstore(t.gradient + k * LANES, vselect(f == f, -q, f));
        if (wants & FL_WANT_HESSIAN)
            vstore(t.hessian + k * LANES, vselect(f == f, zero, f));
    }
    return carried(loss, lost);
}

FL_INLINE V FN(kl_divergence)(const FN(FlRowTile) * t, int wants)
{
    if (wants == (FL_WANT_LOSS | FL_WANT_GRADIENT))
        return FN(fl_kl_for)(t, FL_WANT_LOSS | FL_WANT_GRADIENT);
    return FN(fl_kl_for)(t, wants);
}
