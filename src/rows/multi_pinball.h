/* Pinball loss of several quantiles of one number (Koenker, Bassett 1978): the sum over the outputs
 * of q_k max(y - f_k, 0) + (1 - q_k) max(f_k - y, 0). gradient 1 - q_k where f_k > y, else -q_k; the
 * Hessian, zero almost everywhere, is reported as 1. Worst error 2 ULP. per_output: all q_k, then all
 * 1 - q_k.
 */
#define FL_ROW_FEW 3

FL_INLINE V FN(multi_pinball)(const FN(FlRowTile) * t, int wants)
{
    const ptrdiff_t n = t->n;
    const REAL *quantile = t->per_output;
    const V value = t->value;
    V loss = vsplat(R(0.0)), lost = loss;
    for (ptrdiff_t k = 0; k < n; k++) {
        const V r = vload(t->f + k * LANES) - value;
        const V slope = vselect(r > R(0.0), vsplat(quantile[n + k]), -vsplat(quantile[k]));
        add_carrying(&loss, &lost, vabs(FN(fl_opaque)(slope * r)));
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES, vselect(r == r, slope, r));
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES, vselect(r == r, vsplat(R(1.0)), r));
    }
    return carried(loss, lost);
}
