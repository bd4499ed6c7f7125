/* Perceptron loss: c max(0, -m), m = (2y - 1) f, labels y in {0, 1}; c is cost_fn for y = 1 and cost_fp
 * for y = 0. gradient -(2y - 1) c where m <= 0, also at 0, where training begins, else 0; the Hessian,
 * zero almost everywhere, is reported as c where m <= 0 and 0 elsewhere. Worst error 2 ULP.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp.
 */
FL_INLINE void FN(perceptron)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V sign = R(1.0) - (y + y), zero = vsplat(R(0.0));
    const V cost = vselect(y > R(0.0), vsplat(p[0]), vsplat(p[1]));
    const V violation = sign * f;
    const VI active = violation >= R(0.0);
    (void)t;
    *loss = cost * vmax(zero, violation); /* vmax gives its second operand for NaN */
    *gradient = vselect(violation == violation, vkeep(active, sign * cost), violation);
    *hessian = vselect(violation == violation, vkeep(active, cost), violation);
}
