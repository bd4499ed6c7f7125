/* Negative log-likelihood of a class given log-probabilities: -w_y f_y, w the class weights. gradient
 * -w_y at the label, else 0; Hessian 0. Worst error 0.5 ULP. Parameters: none. Of the label's output alone:
 * see picked_block.inc.
 */
#define FL_ROW_PICKED

FL_INLINE V FN(nll)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0)), f = vload(t->f), weight = vload(t->class_weight);
    if (wants & FL_WANT_GRADIENT)
        vstore(t->gradient, vselect(f == f, -weight, f));
    if (wants & FL_WANT_HESSIAN)
        vstore(t->hessian, vselect(f == f, zero, f));
    /* a weight of 0 drops its term: 0 * inf would be NaN */
    return vselect((weight > zero) | (f != f), -weight * f, zero);
}
