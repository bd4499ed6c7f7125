/* Negative log-likelihood of a class given log-probabilities: -w_y f_y, w the class weights. gradient
 * -w_y at the label, else 0; Hessian 0. Worst error 0.5 ULP. Parameters: none.
 */
FL_INLINE V FN(nll)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0));
    V loss = zero;
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const VI here = FN(fl_row_is)(t->label, k);
        const V weight = vsplat(t->class_weight ? t->class_weight[k] : R(1.0));
        const V f = vload(t->f + k * LANES);
        /* a weight of 0 drops its term: 0 * inf would be NaN */
        loss = vselect(here & ((weight > zero) | (f != f)), -weight * f, loss);
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES, vselect(here, -weight, zero));
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES, zero);
    }
    return loss;
}
